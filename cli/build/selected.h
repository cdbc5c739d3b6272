/*
 * selected.h - the result of a selection: the sections of edited objects that are placed in the process, and where each
 * of their symbols is found there.
 *
 * Addresses are virtual addresses of the target file, before its load bias. Compiled into the command; one thread.
 */
#ifndef HOTPATCH_SELECTED_H
#define HOTPATCH_SELECTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rel_object;

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
    bool *sections;                  /* by section's index: placed */
    struct symbol_choice *symbols;   /* by symbol's index */
    const struct baseline *baseline; /* of the unedited one, or NULL */
    bool follows_abi; /* the compiler told callers nothing of their callees: call_signature.h */
};

/* A function that is placed. Parts (`.cold`) are placed with their function and have no row. */
struct selected_function {
    uint32_t unit, symbol;
    bool replaces; /* the entry at `host` is switched to it */
    uint64_t host, host_size;
    const char *name;   /* of the edited object's symbol table */
    const char *source; /* file and line of the definition; line 0: not known */
    unsigned line;
    char *signature; /* how it is called: call_signature.h; NULL: not known */
    char *why;       /* "its code changed", "calls f.isra.0, which changed", ... */
};

/* An exported function that the patch's code alone may call: its old entry stays. */
struct selected_private {
    const char *name; /* of the binary's symbols */
    uint64_t host;
};

/* A function of the binary that keeps its entry and that old code alone calls: a clone, a part, one whose callers all change. */
struct selected_old {
    const char *name;
    uint64_t host;
};

struct selection {
    struct selected_unit *units; /* as many as pairs, in their order */
    size_t unit_count;
    struct selected_function *functions;
    size_t function_count;
    struct selected_private *privates;
    size_t private_count;
    struct selected_old *olds;
    size_t old_count;
    char **notes; /* sentences: "initial value of `limit` changed: the live value stays" */
    size_t note_count;
};

void selection_free(struct selection *selection); /* NULL is allowed */

#endif
