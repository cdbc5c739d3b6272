/*
 * log.h - the log: lines to the host's stderr, or to HOTPATCH_LOG_FILE.
 *
 * The listener has no descriptor 2 (holding the host's would keep a pipe from its end of
 * file), so its lines go through the worker, which shares the host's table.
 */
#ifndef HOTPATCH_LOG_H
#define HOTPATCH_LOG_H

#include <stdbool.h>

#include "base/engine_api.h"

/* Any thread. Never blocks: a line that cannot be written at once is dropped. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool log_enabled(enum log_level level);

/* Constructor: lines up to `level` are written, to the file that is stderr now. */
void log_start(enum log_level level);
/* Constructor: write them to the file `path`, which lives as long as the process; "": to stderr. */
void log_to_file(const char *path);
void log_flush(void); /* worker, or a host thread that ends: write what the listener has left */
void log_reset(void); /* in a forked child */

#endif
