/*
 * arch.h - the processor's part of patching a function's entry: where a jump fits, how the displaced instructions are
 * moved, and how the jump is written and removed while threads run. Engine and command call it. arch/x86_64/ defines
 * it; no code outside arch/ knows an instruction.
 *
 * Two techniques differ in the instructions that they displace. The *long* jump is written over the first five bytes,
 * and displaces every instruction that begins there. The *short* jump is written over the first two bytes, and leads
 * to a long jump in the padding between two functions (the *pad*), which no thread executes. It displaces one
 * instruction, and no old instruction boundary is overwritten.
 *
 * Two addresses lie near an entry. The *stub* is the target of the jump: an indirect jump through the slot's word.
 * The *relocated prologue* is a copy of the displaced instructions, corrected for its address, that ends in a jump to
 * the rest of the function. It is the slot's original.
 */
#ifndef HOTPATCH_ARCH_H
#define HOTPATCH_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    ARCH_LONG_BYTES = 5,      /* a jump of 32 bits */
    ARCH_SHORT_BYTES = 2,     /* a jump of eight bits */
    ARCH_PROLOGUE_BYTES = 32, /* largest number of displaced bytes */
    ARCH_PROLOGUE_COUNT = 8,  /* largest number of displaced instructions */
    ARCH_MOVED_BYTES = 256,   /* space for a relocated prologue */
    ARCH_STUB_BYTES = 32,     /* space for a stub */
    ARCH_STUB_PLACE = 8,      /* bytes of it that arch_stub() uses */
    ARCH_HIT_PLACE = 24,      /* bytes of a stub that records a hit */
    ARCH_TRAP_BYTE = 0xcc,    /* int3 */
    ARCH_ADDRESS_BITS = 48,   /* of an address; with the larger page tables: */
    ARCH_ADDRESS_BITS_WIDE = 57,
    ARCH_STUB_CHOICES = 40 /* of the traps that a jump may hold: arch_stub_other() */
};

/* Largest distance of code and the words that it refers to, less space for both. */
#define ARCH_REACH ((UINT64_C(1) << 31) - 0x10000)

/* Reasons why an entry cannot be patched, in the order of the checks. */
enum arch_problem {
    ARCH_OK,
    ARCH_SIGNAL_RETURN, /* no function: the kernel returns from a signal handler there */
    ARCH_TOO_SHORT,     /* the function ends before the jump would */
    ARCH_UNDECODABLE,   /* the decoder does not know the instruction */
    ARCH_CALL_INSIDE,  /* a call ends inside the jump's bytes: its return address would lie there */
    ARCH_JUMP_INSIDE,  /* a jump from elsewhere in the function leads into the jump's bytes */
    ARCH_NOT_MOVABLE,  /* an instruction that cannot be moved (loop into itself, xbegin, ...) */
    ARCH_OUT_OF_REACH, /* no free address space in reach for the stub */
    ARCH_PROBLEM_COUNT
};
/* Return a text such as "the function is shorter than a jump", for arch_problem and `slots`. */
const char *arch_problem_text(enum arch_problem problem);

/* The code at an entry. Offsets count from `jump`. */
struct arch_prologue {
    uint64_t entry;  /* of the function, where it runs */
    uint64_t jump;   /* address of the jump: the entry, after an endbr64 */
    uint64_t pad;    /* of a short jump: address of the long jump; 0: not chosen */
    uint8_t written; /* bytes that are overwritten: ARCH_LONG_BYTES, or ARCH_SHORT_BYTES */
    uint8_t length;  /* bytes displaced, whole instructions */
    uint8_t count;   /* instructions displaced */
    uint8_t
        start[ARCH_PROLOGUE_COUNT + 1]; /* offset of each; start[0] = 0, start[count] = length */
    uint8_t bytes[ARCH_PROLOGUE_BYTES]; /* the original bytes at `jump` */
    bool padding;                       /* only NOPs are displaced (-fpatchable-function-entry) */
    uint8_t trap;                       /* choice of traps on old boundaries: arch_stub_other() */
    bool guarded; /* the jump's second byte must be `guard`: arch_stub_guard() */
    uint8_t guard;
    uint8_t hold; /* 0, or the way in which the jump holds threads instead of trapping them */
};

/*
 * Read the function of `size` bytes (all of it, up to its end) at `code`, which runs at `entry`, for a long jump.
 * Pure: reads only `code`. The function's own direct jumps into the jump's bytes are searched. A tail call of the
 * function itself (after the end of a frame, or to an endbr64) becomes a call of the new code. Another jump to the
 * first byte may be a loop, which would enter a replacement at each iteration: ARCH_JUMP_INSIDE.
 */
enum arch_problem arch_prologue_read(const uint8_t *code, size_t size, uint64_t entry,
                                     struct arch_prologue *out);
/*
 * Do the same for a short jump. The first instruction must have two bytes or more, and these must lie in one aligned
 * word of eight. Otherwise ARCH_TOO_SHORT.
 */
enum arch_problem arch_prologue_read_short(const uint8_t *code, size_t size, uint64_t entry,
                                           struct arch_prologue *out);
/* Find the lowest and the highest address that the short jump reaches, for `pad`. */
void arch_pad_window(const struct arch_prologue *prologue, uint64_t *low, uint64_t *high);

/*
 * Add instructions to `prologue`, so that its relocated copy does not jump back to the first bytes, which another
 * tool's jump may overwrite later (14: jmp *word(%rip) and the word). For arch_move() alone: the jump displaces no
 * more than before. Stops before a call, a branch backwards, an int3, or an instruction that cannot be moved. `code`
 * and `size` as for arch_prologue_read().
 */
void arch_prologue_widen(const uint8_t *code, size_t size, struct arch_prologue *prologue);

/*
 * Return how many of the `room` bytes at `code` are padding (NOPs and int3), in whole instructions from the first on.
 * Padding between a function's end and the next function may be counted to the function: a caller that knows the next
 * start passes the sum to arch_prologue_read() as `size`.
 */
size_t arch_padding(const uint8_t *code, size_t room);
/*
 * Return how many of the `room` bytes at `code`, which are padding between two functions, have no other use. The M
 * NOPs of one byte that -fpatchable-function-entry=N,M puts before an entry for other tools are not counted: no
 * assembler aligns with such NOPs.
 */
size_t arch_padding_free(const uint8_t *code, size_t room);
/*
 * Return whether control never passes the end of the function of `size` bytes at `code`, nor jumps to one of the
 * `behind` bytes after it. Its last instruction never continues, or is a call: compilers put a call last if it does
 * not return.
 */
bool arch_ends_itself(const uint8_t *code, size_t size, size_t behind);

/* Return whether the function of `size` bytes at `code`, which runs at `address`, only jumps to one place, `*to`.
 * Compilers give a function the body of another in this way. Pure; needs no decoder. */
bool arch_forwards(const uint8_t *code, size_t size, uint64_t address, uint64_t *to);

/* Called for each address that instructions of the function at `address` take, and for each `word` of memory that
 * they load relative to themselves. The bytes are decoded in order up to the first that are no instruction. */
typedef void arch_reference(uint64_t to, bool word, void *context);
void arch_references(const uint8_t *code, size_t size, uint64_t address, arch_reference *each,
                     void *context);

/*
 * The addresses possible for the stub. `*low` to `*high` inclusive are those that the jump can reach, and every
 * stub's address must equal `*residue` modulo `*stride` (a power of two). A stride of one is no condition. The
 * narrower the window, the more of the jump's bytes are traps on old instruction boundaries ("punned"). If low is
 * above high, no address is possible.
 */
struct arch_window {
    uint64_t low, high;
    uint64_t stride, residue;
};
void arch_stub_window(const struct arch_prologue *prologue, struct arch_window *out);
/* Return whether this address is possible. Several fixed bytes are further conditions. */
bool arch_stub_possible(const struct arch_prologue *prologue, uint64_t stub);
/*
 * Choose the first jump that *holds* threads which it finds on old boundaries. Instead of a trap, the boundary has
 * the original bytes, so that a thread continues in the old code, or a jump to itself, so that a thread stays there
 * until the bytes are changed. Return false if the prologue has one instruction, and so no boundary, or if no such
 * jump is possible.
 */
bool arch_hold_first(struct arch_prologue *prologue);
/* Choose the next traps, or the next way of holding, and so other addresses, if none of the present addresses is
 * free. Return false if there are no more. */
bool arch_stub_other(struct arch_prologue *prologue);
/* Return whether the present choice also raises SIGILL. */
bool arch_stub_faults(const struct arch_prologue *prologue);
/*
 * Choose a second byte of the jump that is safe when a uprobe is removed. The kernel then writes the file's first
 * byte over the jump's, and a call executes that byte and the rest of the jump. With the chosen byte the call
 * continues in the old code: as the whole first instruction, or by a trap. Return false if there is no such byte, or
 * none is needed. arch_stub_other() later goes on to choices without this byte.
 */
bool arch_stub_guard(struct arch_prologue *prologue);
/* Return whether a long jump displaces one instruction, in one aligned word of eight. */
bool arch_stored_whole(const struct arch_prologue *prologue);
/*
 * Return whether a thread continues in the old code, with these `size` bytes at the entry, if it finds the original
 * first byte there, or has executed the first instruction for a uprobe. `*trap`: the offset of an int3 that it
 * executes on no old boundary, or 0; `*faults`: it raises SIGILL at the entry.
 */
bool arch_survives_restore(const struct arch_prologue *prologue, const uint8_t *written,
                           size_t size, uint8_t *trap, bool *faults);

/* Find the lowest possible address that is not below `from`. Return false if there is none. */
bool arch_stub_from(const struct arch_prologue *prologue, uint64_t from, uint64_t *stub);

/* Write the long jump's bytes for a possible stub; `jump` has space for 8. Return their number. */
size_t arch_jump_bytes(const struct arch_prologue *prologue, uint64_t stub, uint8_t *jump);
/* Write the bytes of the short jump to `pad`. */
void arch_short_bytes(const struct arch_prologue *prologue, uint8_t jump[ARCH_SHORT_BYTES]);

/*
 * Write the relocated prologue for the address `to` to `out` (`room` bytes). Return its length, or -1: an address
 * that it refers to is out of reach from there, or it cannot be moved. `map[i]` gets the offset of displaced
 * instruction i in it.
 *
 * The callee of a displaced call returns into the function itself, not into the copy, which has no unwind table: an
 * exception that passes through the copy would end the process. With a `shadow_stack` each return address must come
 * from a call; then the copy calls.
 */
ssize_t arch_move(const struct arch_prologue *prologue, uint64_t to, bool shadow_stack,
                  uint8_t *out, size_t room, uint8_t map[ARCH_PROLOGUE_COUNT]);

/* Return whether the calling thread's returns must match its calls. */
bool arch_shadow_stack(void);

/* Write the stub's code: a jump through the 8-byte word at `word`, within 2 GiB. Return its length; 0: no space, or
 * out of reach. */
size_t arch_stub(uint64_t stub, uint64_t word, uint8_t *out, size_t room);
/* Write the same code that first records the call in the byte at `hit`. */
size_t arch_stub_hit(uint64_t stub, uint64_t hit, uint64_t word, uint8_t *out, size_t room);

#endif
