/*
 * callers.h - what the callers of a function, compiled together with it, rely on beyond the psABI.
 *
 * gcc tells direct callers which registers a callee does not write (-fipa-ra) and that it needs no
 * aligned stack (-fipa-stack-alignment). A replacement knows only the psABI, so a stub keeps for it
 * what some direct caller, however far up, relies on. This is found from the object's code alone:
 * direct branches by a scan of the bytes, confirmed by decoding; liveness of the caller-saved
 * registers after each call.
 *
 * Reads only the code that it is given; allocates; takes no lock. Compiled into engine and command.
 */
#ifndef HOTPATCH_CALLERS_H
#define HOTPATCH_CALLERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* General registers are numbered as instructions encode them: rax 0, rcx 1, rdx 2, rbx 3, rsp 4,
 * rbp 5, rsi 6, rdi 7, r8 to r15. */
#define ARCH_GENERAL_CALLER_SAVED UINT16_C(0x0fc7) /* rax, rcx, rdx, rsi, rdi, r8 to r11 */

/* What a replaced entry must keep for its callers. */
struct arch_kept {
    uint16_t general;     /* bits by number; subset of ARCH_GENERAL_CALLER_SAVED */
    uint32_t vector;      /* bits: xmm0 to zmm31 */
    uint8_t vector_bytes; /* how much of each: 0 (none), 16, 32, 64 */
    uint8_t mask;         /* bits: k0 to k7 */
    bool x87;             /* the x87 stack or its control state */
    bool align;           /* some caller calls with a stack that is not aligned to 16 bytes */
    /* Result registers (rax, rdx; xmm0, xmm1) that some caller relies on and that the original
     * writes on some of its paths only: a signature or DWARF decides whether each is a result
     * (then it is not kept) or not (then it is), else HP-CALLERS. Not part of the sets above. */
    uint16_t unsure_general;
    uint32_t unsure_vector;
    bool
        proved; /* false: not everything could be read; the sets hold all that the function does not write */
};

/* Registers that hold a result, as bits of the sets above: of one word, of two. */
enum {
    ARCH_RESULT_GENERAL = 1,      /* rax */
    ARCH_RESULT_GENERAL_PAIR = 5, /* rax, rdx */
    ARCH_RESULT_VECTOR = 1,       /* xmm0 */
    ARCH_RESULT_VECTOR_PAIR = 3,  /* xmm0, xmm1 */
    ARCH_VECTOR_BYTES = 16,       /* what each processor has of a vector register */
    ARCH_GENERAL_ARGUMENTS = 6,   /* so many arguments lie in registers */
    ARCH_VECTOR_ARGUMENTS = 8
};

/* Call `each` with what is kept: "rcx", "xmm8", "k1", "x87", "alignment". */
typedef void arch_kept_name(const char *name, void *context);
void arch_kept_each(const struct arch_kept *kept, arch_kept_name *each, void *context);

/* All that a stub can keep. Whether result registers hold a result the signature has to tell. */
extern const struct arch_kept arch_kept_everything;
/* All that is no result: where nothing could be found out. */
struct arch_kept arch_kept_unproved(void);

/* ---- what is known of an object; addresses are before load bias ---- */

/* Executable bytes. */
struct arch_code {
    uint64_t address;
    size_t size;
    const uint8_t *bytes;
};

/* A function: where it begins and how many bytes it has. */
struct arch_function {
    uint64_t address, size;
};

/* A word that holds an address in the same object after relocation, whoever else may define its
 * symbol: calls through it are calls of `target`. */
struct arch_word {
    uint64_t where, target;
};

struct arch_object {
    const struct arch_code *code; /* ascending */
    size_t code_count;
    const struct arch_code *data; /* readable bytes, ascending: jump tables lie there */
    size_t data_count;
    const struct arch_function *functions; /* ascending, each address once */
    size_t function_count;
    const struct arch_word *words; /* ascending by `where` */
    size_t word_count;
    /* Write the original bytes over those of armed entries in a copy of [address, address + size).
     * NULL: nothing is armed. */
    void (*restore)(void *context, uint64_t address, uint8_t *copy, size_t size);
    void *context;
};

/* ---- the index of an object's direct branches ---- */

struct arch_callers;

/*
 * One pass over the code. Of `object` the bytes, the words and `context` must stay while the index
 * is used; functions are copied. Memory: arch_callers_memory(). NULL: no memory, or the code spans
 * more than 4 GiB.
 */
struct arch_callers *arch_callers_open(const struct arch_object *object);
void arch_callers_close(struct arch_callers *callers);          /* NULL is allowed */
size_t arch_callers_memory(const struct arch_callers *callers); /* bytes */

/*
 * Does a direct branch (call, jmp, jcc; rel8 or rel32) of another function lead to an address in
 * [from, to)? `*site` gets where the first one lies; `*target` where it leads. The branches were
 * found as bytes and are confirmed by decoding the function around them; where that can neither
 * confirm nor refute one, it counts.
 */
bool arch_callers_jump_into(struct arch_callers *callers, uint64_t from, uint64_t to,
                            uint64_t *site, uint64_t *target);
/* The same of those that are confirmed. */
bool arch_callers_surely_jump_into(struct arch_callers *callers, uint64_t from, uint64_t to,
                                   uint64_t *site, uint64_t *target);

/* Does a direct branch of another function lead to `entry`, where a function begins? Confirmed likewise. */
bool arch_callers_lead_to(struct arch_callers *callers, uint64_t entry, uint64_t *site);

/* ---- what a function must keep ---- */

/* A direct call or jump that relies on something, for messages. */
struct arch_caller {
    uint64_t site;           /* where it lies */
    uint64_t function;       /* where the function around it begins; 0: not known */
    struct arch_kept relies; /* on what; `proved`: false where its code could not be followed */
};

/*
 * What the function that begins at `entry` must keep when it is replaced. Up to `room` callers that
 * rely on something are written to `list` (NULL with 0), `*count` (or NULL) gets how many there are.
 * Takes the time of decoding the function, those that it calls and those that call it, up to a limit;
 * past it `out->proved` is false. The same question is answered at once the second time.
 */
void arch_callers_kept(struct arch_callers *callers, uint64_t entry, struct arch_kept *out,
                       struct arch_caller *list, size_t room, size_t *count);

#endif
