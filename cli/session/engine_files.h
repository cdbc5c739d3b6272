/*
 * engine_files.h - libhotpatch_engine.so and the libraries that it needs and a process does not have.
 */
#ifndef HOTPATCH_ENGINE_FILES_H
#define HOTPATCH_ENGINE_FILES_H

#include "base/refusal.h"
#include "cli/debug/texts.h"
#include "cli/process/proc_facts.h"

/* Find their paths as this command sees them, each after those that it needs: the engine is the last. Return 0,
 * or -1 with HP-ENGINE. Free the list with texts_free(). */
int engine_files_find(const struct process *process, struct texts *files, struct refusal *why);

#endif
