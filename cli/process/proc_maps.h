/*
 * proc_maps.h - the lines of /proc/PID/maps (proc_pid_maps(5)).
 */
#ifndef HOTPATCH_PROC_MAPS_H
#define HOTPATCH_PROC_MAPS_H

#include <stdbool.h>
#include <stdint.h>

struct proc_map {
    uint64_t begin, end, offset;
    uint64_t device; /* major number << 32 | minor number */
    uint64_t inode;
    bool readable, writable, executable;
    bool deleted; /* the file has no name any more */
    char *path;   /* without " (deleted)", in the text that is read; "": no file and no name */
};

/* Read the next line of the text at `*rest`, which loses its line ends by it. False: there is none. */
bool proc_map_next(char **rest, struct proc_map *map);
/* Find the mapping that has `address`. */
bool proc_map_at(char *maps, uint64_t address, struct proc_map *map);

#endif
