/*
 * baseline_whole.h - whether an object is all that the binary has of its file, so that no patch of it could have
 * anything. For the files baseline*.c alone.
 */
#ifndef HOTPATCH_BASELINE_WHOLE_H
#define HOTPATCH_BASELINE_WHOLE_H

#include "resolve/baseline_work.h"

/* Return whether nothing differs, after the functions were compared and the symbols bound. What cannot be compared
 * differs: thread-locals, sections of other names than compilers give. */
bool whole_check(struct baseline_work *work);

#endif
