/* watch_files.h - notices that source files have other, complete contents: hotpatch watch. */
#ifndef HOTPATCH_WATCH_FILES_H
#define HOTPATCH_WATCH_FILES_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/build/sources.h"
#include "cli/verbs/path_watch.h"

struct watch_files;

/* Begin to watch the files of the list, and the file of compile commands at `commands` (NULL: there is none). The
 * list and the path are the caller's. */
struct watch_files *watch_files_open(struct sources *sources, const char *commands);
void watch_files_close(struct watch_files *files); /* NULL is allowed */
/* Watch files that were added to the list. Look at each of them once. */
void watch_files_extend(struct watch_files *files);

/* As path_watch_polls(), with PATH_WATCH_POLLS of them; and the time of the next look (CLOCK_MONOTONIC, ms). */
void watch_files_polls(const struct watch_files *files, struct pollfd *polls);
uint64_t watch_files_next(const struct watch_files *files);
/* Take what poll(2) reported. */
void watch_files_take(struct watch_files *files, const struct pollfd *polls);

/* Read the files that were touched and whose time has come. Return whether contents have changed since the last
 * watch_files_clear(). */
bool watch_files_changed(struct watch_files *files);
/* Return whether a touched file is not complete yet, or was not looked at. */
bool watch_files_pending(const struct watch_files *files);
/* Return whether the file of compile commands was touched since the last watch_files_clear(). */
bool watch_files_commands(const struct watch_files *files);

/* Take the words of a compiler that has failed, malloc'd; NULL: none has. When a file appears whose name is among
 * them, a header that was missing, the sources count as changed. */
void watch_files_failed(struct watch_files *files, char *words);

/* Return the names of the files that have changed since the last watch_files_clear(), malloc'd: "a.c, b.h". */
char *watch_files_names(const struct watch_files *files);
/* Return the milliseconds since the newest of these files was written. */
double watch_files_age(const struct watch_files *files);
void watch_files_clear(struct watch_files *files);

#endif
