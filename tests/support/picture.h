/*
 * picture.h - record a process's memory and compare it later: the code of the tests' hosts and libraries, and all their
 * mappings with their protections.
 */
#ifndef HOTPATCH_PICTURE_H
#define HOTPATCH_PICTURE_H

#include <stddef.h>
#include <sys/types.h>

struct picture {
    char maps[8192]; /* as in /proc/PID/maps */
    unsigned char *code;
    size_t size;
};

struct picture picture_take(pid_t pid);
void picture_free(struct picture *picture);
/* Return how many bytes of code have changed since. Mappings and protections must not have changed. */
size_t picture_changes(const struct picture *before, pid_t pid);

#endif
