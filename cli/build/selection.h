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

struct baseline;
struct binary;
struct object_dwarf;
struct refusal;
struct rel_object;

/* One compiled file. A new file has no old half: `old_object`, `baseline` and `old_dwarf` are NULL. A half without
 * debug information has no DWARF: NULL. All of it outlives the selection. */
struct unit_pair {
    const char *source; /* the file's name as the compile command has it */
    const struct rel_object *old_object, *new_object;
    const struct baseline *baseline;
    struct object_dwarf *old_dwarf, *new_dwarf;
};

enum symbol_choice_kind {
    CHOICE_OWN,      /* placed with its section */
    CHOICE_HOST,     /* the target's virtual address `at` */
    CHOICE_HOST_GOT, /* its address is in the target's word `at` */
    CHOICE_TLS,      /* offset `at` in the target's PT_TLS segment */
    CHOICE_DYNAMIC,  /* the dynamic linker finds it by name, and by `version` if that is not NULL */
    CHOICE_UNIT,     /* symbol `symbol` of unit `unit`, which is CHOICE_OWN there */
    CHOICE_DISCARDED, /* not placed: only debug information refers to it */
};

/* Of one symbol of the edited object. A section symbol is chosen like the section: CHOICE_HOST then means the address
 * of the section's first byte. */
struct symbol_choice {
    enum symbol_choice_kind kind;
    uint64_t at;
    uint32_t unit, symbol; /* CHOICE_UNIT */
    const char *version;   /* CHOICE_DYNAMIC */
    bool
        has_host; /* CHOICE_OWN: the function stands for one of the target; branches lead to the placed copy, */
    uint64_t host; /* and its address is this one */
    bool
        has_call; /* CHOICE_HOST, CHOICE_HOST_GOT: branches lead to `call`, such as a PLT stub of the target */
    uint64_t call;
    bool
        weak; /* CHOICE_DYNAMIC: undefined and weak; its address is 0 if no object of the process has it */
    char *
        keep; /* new writable data: the key under which its value is kept over reloads; else NULL */
};

struct selected_unit {
    const struct rel_object *object; /* the edited one */
    const char *source;
    bool *sections;                /* by section's index: placed */
    struct symbol_choice *symbols; /* by symbol's index */
};

/* A function that is placed. Parts (`.cold`) are placed with their function and have no row. */
struct selected_function {
    uint32_t unit, symbol;
    bool replaces; /* the entry at `host` is switched to it */
    uint64_t host, host_size;
    const char *name;   /* of the edited object's symbol table */
    const char *source; /* file and line of the definition; line 0: not known */
    unsigned line;
    char *why; /* "its code changed", "calls f.isra.0, which changed", ... */
};

struct selection {
    struct selected_unit *units; /* as many as pairs, in their order */
    size_t unit_count;
    struct selected_function *functions;
    size_t function_count;
    char **notes; /* sentences: "initial value of `limit` changed: the live value stays" */
    size_t note_count;
};

struct selection_options {
    bool force_types; /* prototypes and types of variables may differ */
};

/* Select what the edited objects change. Return 0, or -1 with all complaints in `why` and `*out` NULL; HP-UNCHANGED
 * where no function changes (its text has the notes on data). */
int selection_make(struct selection **out, const struct unit_pair *units, size_t count,
                   struct binary *binary, const struct selection_options *options,
                   struct refusal *why);

void selection_free(struct selection *selection);

#endif
