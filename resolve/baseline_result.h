/*
 * baseline_result.h - what a comparison of an object with the binary found: see baseline.h.
 */
#ifndef HOTPATCH_BASELINE_RESULT_H
#define HOTPATCH_BASELINE_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
    BASELINE_SHARED, /* equal, and the linker folded another function into the same bytes (--icf): a switch would replace
                        both */
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
    size_t equal, absent, content, shared, differs; /* verdicts */
    bool
        whole; /* all that the object has is in the binary as it is: functions, and what its variables begin with; and the
                   binary's local symbols of the file are all in the object */
    bool has_tls_module;
    uint64_t tls_module; /* two GOT words for local-dynamic accesses */
    const char
        *file;      /* the STT_FILE under which the binary has the file's local symbols, or NULL */
    uint32_t group; /* its number; 0: none */
};

#endif
