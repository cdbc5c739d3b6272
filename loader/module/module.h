/*
 * module.h - a patch: a file that is read, checked and later loaded; and the list of all patches.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_MODULE_H
#define HOTPATCH_MODULE_H

#include <stdbool.h>

#include "loader/slots/module_state.h"

/* A symbol for which only ld.so knows whether it finds a definition. */
struct doubt {
    struct doubt *next;
    char *path, *name, *version;
};

/* Add an entry. The strings are copied. Return NULL if there is no memory; module_free() frees the copied strings. */
struct replacement *module_add_replacement(struct module *module, const char *target,
                                           const char *signature);
void module_forget_doubts(struct module *module);
void module_forget_file(struct module *module); /* frees the bytes and the image */
/* Free the module. Never called for a placed module that is mapped. */
void module_free(struct module *module);

/* Return the size that identifies the module together with `sha256`: of a thin object the file's, else the copy's. */
size_t module_file_size(const struct module *module);
/* Return whether both modules have the same content and replace the same targets. */
bool module_is_same(const struct module *a, const struct module *b);
/* Let the module that stays applied unchanged have the file of `again` from now on. */
void module_go_on(struct module *again);

/* Return the first module of the list: the modules that are loaded or are being loaded. */
struct module *module_first(void);
void module_keep(struct module *module);
void module_unlist(struct module *module);
/* Register with the list of objects (object.h). An object whose name in ld.so is a module's name belongs to that
 * module. */
void modules_register(void);
bool module_file_changed(const struct module *module); /* compared with the file at its path */

#endif
