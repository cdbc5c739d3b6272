/*
 * selection.h - what goes into a thin object: which functions of which units, how each symbol is bound, and why.
 *
 * The input is one pair of objects per compiled file: of the unedited source, which the baseline has proved to be the
 * binary's code, and of the edited source. The output names the sections of the edited objects that are placed in the
 * process, and for each of their symbols where it is found there. Nothing is guessed: what is not proved is refused.
 *
 * Addresses are virtual addresses of the target file, before its load bias. Compiled into the command; one thread.
 */
#ifndef HOTPATCH_SELECTION_H
#define HOTPATCH_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/build/selected.h"
#include "cli/build/unit_pair.h"

struct binary;
struct refusal;
struct rel_object;

struct selection_options {
    bool force_types;   /* prototypes and types of variables may differ */
    const char *target; /* path of the binary, to judge entries; NULL: the process alone does */
};

/* Select what the edited objects change. Return 0, or -1 with all complaints in `why` and `*out` NULL; HP-UNCHANGED
 * where no function changes (its text has the notes on data). */
int selection_make(struct selection **out, const struct unit_pair *units, size_t count,
                   struct binary *binary, const struct selection_options *options,
                   struct refusal *why);

#endif
