/*
 * callers.h - finds the registers and the alignment that callers of a function, compiled together with it, rely on
 * beyond the psABI.
 *
 * gcc may assume in direct callers which registers a callee does not write (-fipa-ra) and that the callee needs no
 * aligned stack (-fipa-stack-alignment). A replacement follows only the psABI, so a stub keeps for it the registers
 * that some direct or indirect caller relies on. They are found from the object's code alone: direct branches by a
 * scan of the bytes, confirmed by decoding; liveness of the caller-saved registers after each call.
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

/* The registers that a replaced entry must keep for its callers. */
struct arch_kept {
    uint16_t general;     /* bits by number; subset of ARCH_GENERAL_CALLER_SAVED */
    uint32_t vector;      /* bits: xmm0 to zmm31 */
    uint8_t vector_bytes; /* bytes kept of each: 0 (none), 16, 32, 64 */
    uint8_t mask;         /* bits: k0 to k7 */
    bool x87;             /* the x87 stack or its control state */
    bool align;           /* some caller calls with a stack that is not aligned to 16 bytes */
    /* Result registers (rax, rdx; xmm0, xmm1) that some caller relies on and that the original writes only on some of
     * its paths. A signature or DWARF decides whether each is a result (then it is not kept) or not (then it is
     * kept), else HP-CALLERS. They are not in the sets above. */
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
    ARCH_VECTOR_BYTES = 16,       /* bytes of a vector register on each processor */
    ARCH_GENERAL_ARGUMENTS = 6,   /* arguments that are passed in registers */
    ARCH_VECTOR_ARGUMENTS = 8
};

/* Call `each` with the name of each kept register: "rcx", "xmm8", "k1", "x87", "alignment". */
typedef void arch_kept_name(const char *name, void *context);
void arch_kept_each(const struct arch_kept *kept, arch_kept_name *each, void *context);

/* All registers that a stub can keep. The signature decides whether result registers hold a result. */
extern const struct arch_kept arch_kept_everything;
/* Return all registers that hold no result, for functions whose callers could not be analysed. */
struct arch_kept arch_kept_unproved(void);

/* ---- description of an object; addresses are before load bias ---- */

/* Executable bytes. */
struct arch_code {
    uint64_t address;
    size_t size;
    const uint8_t *bytes;
};

/* A function: its address and size. */
struct arch_function {
    uint64_t address, size;
};

/* A word that holds an address in the same object after relocation, even if other objects define its symbol too:
 * calls through the word are calls of `target`. */
struct arch_word {
    uint64_t where, target;
};

struct arch_object {
    const struct arch_code *code; /* ascending */
    size_t code_count;
    const struct arch_code *data; /* readable bytes with the jump tables, ascending */
    size_t data_count;
    const struct arch_function *functions; /* ascending, each address once */
    size_t function_count;
    const struct arch_word *words; /* ascending by `where` */
    size_t word_count;
    /* Write the original bytes over those of armed entries in a copy of [address, address + size). NULL: no entry is
     * armed. */
    void (*restore)(void *context, uint64_t address, uint8_t *copy, size_t size);
    void *context;
};

/* ---- the index of an object's direct branches ---- */

struct arch_callers;

/*
 * Make the index in one pass over the code. The bytes, the words and `context` of `object` must stay valid while the
 * index is used; functions are copied. Memory: arch_callers_memory(). Return NULL if memory is short, or the code
 * spans more than 4 GiB.
 */
struct arch_callers *arch_callers_open(const struct arch_object *object);
void arch_callers_close(struct arch_callers *callers);          /* NULL is allowed */
size_t arch_callers_memory(const struct arch_callers *callers); /* bytes */

/*
 * Return whether a direct branch (call, jmp, jcc; rel8 or rel32) of another function leads to an address in [from,
 * to). `*site` gets the address of the first such branch; `*target` its target. Branches are found as bytes and
 * confirmed by decoding the function around them. If decoding can neither confirm nor refute a branch, it counts.
 */
bool arch_callers_jump_into(struct arch_callers *callers, uint64_t from, uint64_t to,
                            uint64_t *site, uint64_t *target);
/* Return the same for confirmed branches alone. */
bool arch_callers_surely_jump_into(struct arch_callers *callers, uint64_t from, uint64_t to,
                                   uint64_t *site, uint64_t *target);

/* Return whether a direct branch of another function leads to `entry`, where a function begins. Confirmed in the same
 * way. */
bool arch_callers_lead_to(struct arch_callers *callers, uint64_t entry, uint64_t *site);

/* ---- the registers that a function must keep ---- */

/* A direct call or jump that relies on something, for messages. */
struct arch_caller {
    uint64_t site;           /* address of the branch */
    uint64_t function;       /* start of the function around it; 0: not known */
    struct arch_kept relies; /* registers; `proved`: false if its code could not be followed */
};

/*
 * Find the registers that the function at `entry` must keep when it is replaced. Up to `room` callers that rely on a
 * register are written to `list` (NULL with 0). `*count` (or NULL) gets their number. This takes the time of decoding
 * the function, its callees and its callers, up to a limit; past the limit `out->proved` is false. The result is
 * stored: a second call for the same function returns at once.
 */
void arch_callers_kept(struct arch_callers *callers, uint64_t entry, struct arch_kept *out,
                       struct arch_caller *list, size_t room, size_t *count);

#endif
