/*
 * source_place.h - where the file that a diff names lies on this machine.
 */
#ifndef HOTPATCH_SOURCE_PLACE_H
#define HOTPATCH_SOURCE_PLACE_H

#include "cli/build/build_state.h"

/* Directories that the paths of a diff may begin in, the likeliest first: the source directory, those above it and above the build
 * directory, the directories of the sources and those above them in the project. */
void source_bases(const struct build *build, struct word_list *bases);
/* Add to `found` each file, path_real(), that `path` names from one of the bases; the first base that has it decides alone if it is
 * the source directory. */
void source_places(const struct build *build, const struct word_list *bases, const char *path,
                   struct word_list *found);
/* Return whether a path leads out of the tree that it is meant for: it is absolute, or has "..". */
bool source_leads_out(const char *path);
/* Return whether a compiler may read a file of this name, so that it has to be right. */
bool source_is_code(const char *path);
/* Return whether a file of this name is compiled by itself. */
bool source_is_compiled(const char *path);

#endif
