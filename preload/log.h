/*
 * log.h - the log: lines to the host's stderr, or to HOTPATCH_LOG_FILE.
 *
 * The listener has no descriptor 2: if it held the host's, the reader of a pipe would not get its end of file. The
 * worker, which shares the host's descriptor table, writes the listener's lines.
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
/* Constructor: write the lines to the file `path`, which must stay valid as long as the process; "": to stderr. */
void log_to_file(const char *path);
void log_flush(void); /* worker, or a host thread that ends: write the listener's lines */
void log_reset(void); /* in a forked child */

#endif
