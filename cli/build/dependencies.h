/*
 * dependencies.h - the rule of make that a compiler writes with -MD: which files a compilation has read.
 */
#ifndef HOTPATCH_DEPENDENCIES_H
#define HOTPATCH_DEPENDENCIES_H

#include "cli/build/words.h"

/* Add the files that the rule names, as it spells them. `text` ends in a zero byte. Other rules (-MP) are not looked at. */
void dependencies_read(struct word_list *files, const char *text);

#endif
