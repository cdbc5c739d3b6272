/* whole_file.h - whether a shared object is complete, or is still being written. */
#ifndef HOTPATCH_WHOLE_FILE_H
#define HOTPATCH_WHOLE_FILE_H

#include <stdint.h>

#include "base/refusal.h"

enum whole {
    WHOLE,
    WHOLE_UNSURE,  /* complete, but the kernel does not say whether it is open for writing */
    WHOLE_PART,    /* no complete shared object, or none that can be read: `why` */
    WHOLE_WRITTEN, /* a descriptor or mapping can write to it: `why` */
};

/* Look at the file. `hash`, which tells contents apart, is set where they are complete. */
enum whole whole_file(const char *path, uint64_t *hash, struct refusal *why);

/* Look whether the open file can be written to by another descriptor or mapping; -1: WHOLE_UNSURE. SIGIO is ignored. */
enum whole whole_writers(int fd, struct refusal *why);

#endif
