/*
 * baseline.h - compares the object of an unedited source with the binary that was linked from it. That proves that
 * source, compiler and flags are those of the binary, and finds where each symbol of the object lies in it.
 *
 * Both instruction streams of a function are decoded in step (arch/compare.h). Every relocated field is decoded in the
 * binary and checked against what the object's relocation names: a name of .symtab at that address, a PLT stub or a
 * GOT word of that name, the same content where constants have no name. What the linker may change counts as equal:
 * relaxed GOT and TLS accesses, lengths of jumps, padding.
 *
 * Compiled into the command alone. One thread at a time.
 */
#ifndef HOTPATCH_BASELINE_H
#define HOTPATCH_BASELINE_H

#include "base/refusal.h"
#include "elf/binary.h"
#include "elf/rel_object.h"

/* What is known of one symbol of the object. Addresses are of the binary, before load bias. */
struct baseline_symbol {
    bool has_address;
    bool conflict; /* references of equal functions lead to several places: bind it to none */
    uint64_t
        address; /* where references to its address lead; 0 is what an undefined weak symbol has */
    bool has_call;
    uint64_t call; /* where branches lead: its own entry, or a PLT stub */
    bool has_got;
    uint64_t got; /* a GOT word that holds its address */
    bool has_tls;
    int64_t tls; /* its offset in the binary's PT_TLS */
    bool has_tls_got;
    uint64_t tls_got; /* a GOT word that holds its offset from the thread pointer */
    bool has_tls_pair;
    uint64_t tls_pair; /* two GOT words, module and offset */
    bool
        by_name; /* the address or offset comes from .symtab alone: no code that was compared refers to it */
};

enum baseline_verdict {
    BASELINE_EQUAL,
    BASELINE_CONTENT, /* the code is equal, constants that it refers to are not: __DATE__ */
    BASELINE_DIFFERS,
    BASELINE_ABSENT /* not in the binary: --gc-sections, or a weak or COMDAT function of another unit */
};

struct baseline_function {
    uint32_t symbol; /* index in the object */
    enum baseline_verdict verdict;
    uint64_t address, size; /* in the binary; size: of its symbol there */
    char *reason; /* of other verdicts than BASELINE_EQUAL: "at +0x1f: ..."; may be NULL */
};

struct baseline {
    struct baseline_symbol
        *symbols; /* by index of the object's symbol; sections' symbols have addresses where the
                                        whole section lies in one piece */
    size_t symbol_count;
    struct baseline_function
        *functions; /* every function, .cold parts and clones included, in the order of .symtab */
    size_t function_count;
    size_t equal, absent, content, differs; /* verdicts */
    bool has_tls_module;
    uint64_t tls_module; /* two GOT words for local-dynamic accesses */
    const char
        *file;      /* the STT_FILE under which the binary has the file's local symbols, or NULL */
    uint32_t group; /* its number; 0: none */
};

/*
 * Compare each function. `file_name`: the STT_FILE to look under; NULL: the object's own. Whatever differs, the result
 * is complete. 0, or -1 with HP-MEMORY, or HP-NO-SYMBOLS where the binary has no symbols or no STT_FILE.
 */
int baseline_compare(struct baseline **out, struct binary *binary, const struct rel_object *object,
                     const char *file_name, struct refusal *why);
/* As baseline_compare(), and refuse a file of which the code of any function differs: HP-BASELINE, which names the
 * first function and instruction; nothing is returned then. */
int baseline_make(struct baseline **out, struct binary *binary, const struct rel_object *object,
                  const char *file_name, struct refusal *why);
void baseline_free(struct baseline *baseline); /* NULL is allowed */

/* Return the function that a symbol of the object is, or NULL. */
const struct baseline_function *baseline_function(const struct baseline *baseline, uint32_t symbol);

#endif
