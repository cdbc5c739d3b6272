/*
 * module.h - a patch: a file read, checked and, later, loaded; and the list of all.
 *
 * Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_MODULE_H
#define HOTPATCH_MODULE_H

#include <stdbool.h>

#include "loader/slots/module_state.h"

/* A symbol of which ld.so alone knows whether it would find it. */
struct doubt {
    struct doubt *next;
    char *path, *name, *version;
};

/* Add an entry; its strings are copied. NULL: no memory; module_free() frees what was copied. */
struct replacement *module_add_replacement(struct module *module, const char *target,
                                           const char *signature);
void module_forget_doubts(struct module *module);
void module_forget_file(struct module *module); /* frees bytes and image */
void module_free(struct module *module);        /* never of a placed module that is mapped */

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
