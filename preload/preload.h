/* preload.h - whether the shim is at work in this process. Any thread. */
#ifndef HOTPATCH_PRELOAD_H
#define HOTPATCH_PRELOAD_H

#include <stdbool.h>

bool preload_active(void);

#endif
