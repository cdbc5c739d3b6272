/*
 * module.h - a patch: a file read, checked and, later, loaded.
 *
 * module_read() runs no code of the patch. Everything here runs on whichever thread holds the
 * engine lock, but module_dlopen() and module_dlclose(), which are the worker's.
 */
#ifndef HOTPATCH_MODULE_H
#define HOTPATCH_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/refusal.h"
#include "base/request.h"
#include "loader/slots/module_state.h"

/*
 * Read the patch of a load request: the file is opened, judged, copied and understood.
 * NULL with `why`, which lists all that is wrong. The module is the caller's until
 * module_keep().
 */
struct module *module_read(const struct request *load, struct refusal *why);

/* The module of a fail= request, likewise. */
struct module *module_of_fault(const struct request *load, struct refusal *why);

/* module_request.c: copies, so that a reload can repeat the request. 0, or -1: no memory. */
int module_keep_request(struct module *module, const struct request *load);
bool module_same_request(const struct module *a, const struct module *b);
/* The strings are the module's. */
void module_repeat_request(const struct module *module, struct request *load);
void module_free_request(struct module *module);

/* Every undefined symbol of the patch that the process cannot supply; with those of the other
 * modules of the transaction left out. Inside objects_locked(). Adds to `why`. */
void module_check_undefined(struct module *module, struct refusal *why);

/* Asks ld.so about those of which module_check_undefined() could not say it. 0, or -1 with `why`. Not inside
 * objects_locked(). */
int modules_check_doubts(struct module *const *modules, size_t count, uint64_t deadline,
                         struct refusal *why);
void module_forget_doubts(struct module *module);

/* HOTPATCH_TARGET against the objects of the process. Adds to `why`. */
void module_check_targets(const struct module *module, struct refusal *why);

/* unique.c: make the symbols of which a process has one the module's own, in `bytes`, but for those
 * that the program has. Inside objects_locked(). 0, or -1 with `why`. */
int module_settle_unique(struct module *module, struct refusal *why);

/* Write the private copy that will be loaded. 0, or -1 with `why`. Listener. */
int module_snapshot(struct module *module, struct refusal *why);

void module_drop_snapshot(struct module *module); /* after a refusal */

/* dlopen the snapshot; on failure `error` has the linker's words. Worker. 0 or -1. */
int module_dlopen(struct module *module, char *error, size_t error_size);

/* dlclose. 0: it is gone; 1: ld.so keeps it mapped. Worker. */
int module_dlclose(struct module *module);

/* Turn the file's addresses into the process's, after module_dlopen(). 0, or -1: ld.so does not
 * list it. */
int module_place(struct module *module);

void module_forget_file(struct module *module); /* frees bytes and image */
void module_free(struct module *module);        /* never of a placed module that is mapped */

/* Free what is known of a module that is no longer applied; its code stays mapped, and is kept for
 * the next one with the same content. */
void module_retire(struct module *module);

/* Do both come from the same content, and replace the same things? */
bool module_is_same(const struct module *a, const struct module *b);
/* The file of the module that goes on unchanged is from now on the one of `again`. */
void module_go_on(struct module *again);

/* The list of modules that are loaded or are being loaded. */
struct module *module_first(void);
void module_keep(struct module *module);
void module_unlist(struct module *module);
/* Register with the list of objects (object.h): an object that ld.so knows by a module's name is the module's. */
void modules_register(void);
bool module_file_changed(const struct module *module); /* against the file at its path */

#endif
