/* path_watch.h - reports that a path may have other contents: inotify(7) for every name that the look-up of the
 * path uses, proc_pid_mountinfo(5) for mounts, and a look once a second at what neither reports. Where a path
 * cannot be watched completely, a warning on standard error has the reason. */
#ifndef HOTPATCH_PATH_WATCH_H
#define HOTPATCH_PATH_WATCH_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATH_WATCH_POLLS 2

struct path_watch;

/* Begin to watch. The paths are absolute, and the caller's. */
struct path_watch *path_watch_open(const char *const *paths, size_t count);
void path_watch_close(struct path_watch *watch); /* NULL is allowed */
/* Watch one more path, which gets the next index. */
void path_watch_add(struct path_watch *watch, const char *path);

/* Notice names that occur in `text`, which is the caller's, too, in the directories that are watched; NULL: none. */
void path_watch_listen(struct path_watch *watch, const char *text);
/* Return whether such a name, of no path that is watched, was made since the last call. */
bool path_watch_heard(struct path_watch *watch);

/* Fill in what poll(2) is to wait for, PATH_WATCH_POLLS of them. */
void path_watch_polls(const struct path_watch *watch, struct pollfd *polls);
/* Return the time (CLOCK_MONOTONIC, ms) of the next look without an event; UINT64_MAX: none. */
uint64_t path_watch_next(const struct path_watch *watch);
/* Read what poll(2) reported, and look at files whose time has come. Set touched[i] where paths[i] may have other
 * contents; leave the other elements. */
void path_watch_take(struct path_watch *watch, const struct pollfd *polls, bool *touched);

#endif
