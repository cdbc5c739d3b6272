/*
 * thin_state.h - struct thin_module: what a module that is a thin object has beside struct module.
 *
 * Used by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_THIN_STATE_H
#define HOTPATCH_THIN_STATE_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "loader/module/thin_place.h"

struct module;
struct object;
struct thin_file;
struct thin_relied;

/* A function of the target that is old code now, and keeps its entry. */
struct thin_old_code {
    char *name;
    uint64_t offset;       /* virtual address before load bias */
    struct timespec since; /* since when, if an earlier form of the patch had it, too; else zero */
};

struct thin_module {
    void *
        file_bytes; /* the thin object; freed after the transaction, and so are `file` and `link` */
    size_t file_size;
    struct thin_file *file;
    struct thin_link *link;
    struct object *target; /* of the plan; used only inside objects_locked() */
    uintptr_t target_bias;
    struct thin_spot spot;
    uintptr_t *functions; /* by replacement, once it is linked */
    size_t function_count;
    struct thin_relied *relied; /* once it is linked; thin_relies.h */
    size_t relied_count;
    struct thin_old_code *olds;
    size_t old_count;
    size_t
        whole; /* bytes of the copy without debug information; 0: they are not worth cutting off */
    pid_t maker; /* the process that made the copy */
};

/* Forget the link: another will be made. Frees the module's bytes. */
void thin_module_unlink(struct module *module);
/* Take over the addresses of a mapping that is used again. `parked` is freed. */
void thin_module_take(struct module *module, struct thin_module *parked);
/* Take over since when code is old from the form of the patch that the module takes the place of. */
void thin_olds_follow(struct module *module, const struct module *old);
void thin_module_forget_file(struct thin_module *thin); /* NULL does nothing */
void thin_module_free(struct thin_module *thin);        /* NULL does nothing */

#endif
