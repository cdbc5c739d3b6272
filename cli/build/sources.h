/*
 * sources.h - the texts of source files: as they are now, and as they were when a binary was built.
 *
 * A list of files is shared by all binaries that are watched; each binary has its unedited sources: the texts that it
 * was built from. The difference of the two is the edit that build_patch() takes. Texts are shared, not copied.
 */
#ifndef HOTPATCH_SOURCES_H
#define HOTPATCH_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/build/build.h"
#include "cli/build/rights.h"

struct sources;
struct unedited;

/* Make an empty list. Files are read with the rights of the owner. */
struct sources *sources_new(const struct build_owner *owner);
void sources_free(struct sources *sources); /* NULL is allowed */

/* Add the file at the absolute path, if it is not in the list, and read it. Return its index. */
size_t sources_add(struct sources *sources, const char *path);
size_t sources_count(const struct sources *sources);
/* Return the path, which lives as long as the list. */
const char *sources_path(const struct sources *sources, size_t index);
/* Open the file for reading with the rights of the owner. Return -1 with errno. */
int sources_open(const struct sources *sources, size_t index);
/* Read the file again. Return whether its contents are others than those that were read last. */
bool sources_refresh(struct sources *sources, size_t index);
/* Return whether there was such a file when it was read last. */
bool sources_there(const struct sources *sources, size_t index);

/* Begin without files. */
struct unedited *unedited_new(void);
void unedited_free(struct unedited *unedited); /* NULL is allowed */
/* Keep the present text of the file, if no text of it is kept. */
void unedited_add(struct unedited *unedited, const struct sources *sources, size_t index);
/* Note that the binary was built without the file: its whole text is an edit. */
void unedited_add_new(struct unedited *unedited, const struct sources *sources, size_t index);
size_t unedited_files(const struct unedited *unedited); /* their number */
struct unedited *unedited_copy(const struct unedited *unedited);
/* Return whether a text of the file is kept, and is another than the present one. */
bool unedited_differs(const struct unedited *unedited, const struct sources *sources, size_t index);
/* List the files of which two binaries were built from different texts, from the first to the second; malloc'd. */
struct edit_file *unedited_compare(const struct unedited *from, const struct unedited *to,
                                   const struct sources *sources, size_t *count);
/* List the files that differ; malloc'd. Texts and paths are valid until a file is refreshed. */
struct edit_file *unedited_edit(const struct unedited *unedited, const struct sources *sources,
                                size_t *count);

#endif
