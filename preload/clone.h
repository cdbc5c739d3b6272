/* clone.h - children that are made past fork(3). Constructor. */
#ifndef HOTPATCH_CLONE_H
#define HOTPATCH_CLONE_H

void clone_start(
    void); /* find libc's _Fork(3), which may be called where nothing can be looked up */

#endif
