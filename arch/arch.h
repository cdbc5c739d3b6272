/*
 * arch.h - what engine and command ask of the processor about a function's entry: where a jump fits, how
 * the instructions that it displaces are moved, and how it is put in and taken out under running
 * threads. arch/x86_64/ answers; outside arch/ nobody knows an instruction.
 *
 * Two techniques differ in what they displace. The *long* jump is written over the first five bytes,
 * and displaces every instruction that begins there. The *short* jump is written over the first two
 * bytes, and leads to a long one in the padding between two functions (the *pad*), which no thread
 * executes: it displaces one instruction, and no old instruction boundary is overwritten.
 *
 * Two addresses lie near an entry. The *stub* is where the jump leads: an indirect jump through
 * the slot's word. The *moved prologue* is a copy of the displaced instructions, corrected for its
 * place, that ends in a jump to the rest of the function; it is the slot's original.
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
    ARCH_PROLOGUE_BYTES = 32, /* at most so many bytes of a function are displaced */
    ARCH_PROLOGUE_COUNT = 8,  /* in so many instructions */
    ARCH_MOVED_BYTES = 256,   /* room for a moved prologue */
    ARCH_STUB_BYTES = 32,     /* room for a stub */
    ARCH_STUB_PLACE = 8,      /* what arch_stub() takes of it */
    ARCH_HIT_PLACE = 24,      /* what the stub that records a hit takes */
    ARCH_TRAP_BYTE = 0xcc,    /* int3 */
    ARCH_ADDRESS_BITS = 48,   /* of an address; with the larger page tables: */
    ARCH_ADDRESS_BITS_WIDE = 57,
    ARCH_STUB_CHOICES = 40 /* of the traps that a jump may hold: arch_stub_other() */
};

/* How far apart code and the words that it refers to may lie, less room for both. */
#define ARCH_REACH ((UINT64_C(1) << 31) - 0x10000)

/* Why an entry cannot be patched, in the order in which they are looked for. */
enum arch_problem {
    ARCH_OK,
    ARCH_SIGNAL_RETURN, /* no function: the kernel returns from a signal handler there */
    ARCH_TOO_SHORT,     /* the function ends before the jump would */
    ARCH_UNDECODABLE,   /* not an instruction that the decoder knows */
    ARCH_CALL_INSIDE,   /* a call ends where the jump lies: its return address would lie inside */
    ARCH_JUMP_INSIDE,   /* a jump from elsewhere in the function leads into the jump's bytes */
    ARCH_NOT_MOVABLE,   /* an instruction that cannot be moved (loop into itself, xbegin, ...) */
    ARCH_OUT_OF_REACH,  /* no free address space where the stub would have to lie */
    ARCH_PROBLEM_COUNT
};
/* "the function is shorter than a jump"; for arch_problem and `slots`. */
const char *arch_problem_text(enum arch_problem problem);

/* What was found at an entry. Offsets count from `jump`. */
struct arch_prologue {
    uint64_t entry;  /* of the function, where it runs */
    uint64_t jump;   /* where the jump goes: the entry, behind an endbr64 */
    uint64_t pad;    /* of a short jump: where the long one lies; 0: not chosen */
    uint8_t written; /* bytes that are overwritten: ARCH_LONG_BYTES, or ARCH_SHORT_BYTES */
    uint8_t length;  /* bytes displaced, whole instructions */
    uint8_t count;   /* instructions displaced */
    uint8_t
        start[ARCH_PROLOGUE_COUNT + 1]; /* offset of each; start[0] = 0, start[count] = length */
    uint8_t bytes[ARCH_PROLOGUE_BYTES]; /* what lay at `jump` */
    bool padding;                       /* only NOPs are displaced (-fpatchable-function-entry) */
    uint8_t trap; /* which traps are to stand on old boundaries: arch_stub_other() */
    bool guarded; /* the jump's second byte is to be `guard`: arch_stub_guard() */
    uint8_t guard;
    uint8_t hold; /* 0; else the jump holds threads instead of trapping them, in which way */
};

/*
 * Read the function of `size` bytes (all of it, up to its end) at `code`, which runs at `entry`, for a
 * long jump. Pure: reads only `code`. The jumps that are looked for are the function's own direct ones. A tail
 * call of the function itself (one behind the end of a frame, or to an endbr64) is a call of the new
 * code; another jump to the first byte is a loop, which a replacement would be entered in the middle
 * of: ARCH_JUMP_INSIDE.
 */
enum arch_problem arch_prologue_read(const uint8_t *code, size_t size, uint64_t entry,
                                     struct arch_prologue *out);
/*
 * The same for a short jump: where the first instruction has two bytes or more, and these lie in one
 * aligned word of eight. ARCH_TOO_SHORT: not so.
 */
enum arch_problem arch_prologue_read_short(const uint8_t *code, size_t size, uint64_t entry,
                                           struct arch_prologue *out);
/* The lowest and the highest address that the short jump reaches, for `pad`. */
void arch_pad_window(const struct arch_prologue *prologue, uint64_t *low, uint64_t *high);

/*
 * Take more instructions into `prologue`, so that its moved copy does not come back to the first bytes that
 * another tool's jump may overwrite later (14: jmp *word(%rip) and the word). For arch_move() alone: the
 * jump displaces no more than before. Stops before a call, a branch backwards, an int3, or what cannot
 * be moved. `code` and `size` as for arch_prologue_read().
 */
void arch_prologue_widen(const uint8_t *code, size_t size, struct arch_prologue *prologue);

/*
 * How many of the `room` bytes at `code` are nothing but padding (NOPs and int3), whole instructions
 * from the first on. Between a function's end and the next one's start they may be counted to
 * the function: a caller that knows the next start gives arch_prologue_read() the sum as `size`.
 */
size_t arch_padding(const uint8_t *code, size_t room);
/*
 * How many of the `room` bytes at `code`, which are padding and lie between two functions, are nothing
 * but that. What -fpatchable-function-entry=N,M lays before an entry for other tools, M NOPs of one
 * byte, is not: no assembler aligns with these.
 */
size_t arch_padding_free(const uint8_t *code, size_t room);
/*
 * Does control never run over the end of the function of `size` bytes at `code`, nor jump to one of the
 * `behind` bytes after it? Its last instruction is one that never goes on, or a call: compilers put a
 * call last if it does not return.
 */
bool arch_ends_itself(const uint8_t *code, size_t size, size_t behind);

/* Does the function of `size` bytes at `code`, which runs at `address`, do nothing but jump to one
 * place, `*to`? So compilers give a function the body of another one. Pure; needs no decoder. */
bool arch_forwards(const uint8_t *code, size_t size, uint64_t address, uint64_t *to);

/* Each address that instructions of the function at `address` take, and each `word` of memory that they load
 * relative to themselves. Straight on from the first byte to what is no instruction. */
typedef void arch_reference(uint64_t to, bool word, void *context);
void arch_references(const uint8_t *code, size_t size, uint64_t address, arch_reference *each,
                     void *context);

/*
 * Where the stub may lie: `*low` to `*high` inclusive are the lowest and highest addresses that
 * the jump can reach, and every stub's address must equal `*residue` modulo `*stride` (a power of
 * two). A stride of one is no condition; the narrower the window, the more of the jump's bytes
 * are traps on old instruction boundaries ("punned"). Nothing is possible where low is above high.
 */
struct arch_window {
    uint64_t low, high;
    uint64_t stride, residue;
};
void arch_stub_window(const struct arch_prologue *prologue, struct arch_window *out);
/* Further conditions, where several bytes are fixed: is this address one of those possible? */
bool arch_stub_possible(const struct arch_prologue *prologue, uint64_t stub);
/*
 * The first choice of a jump that *holds* the threads which it finds on old boundaries: there lies, instead of
 * a trap, either what lay there before, so that a thread goes on in the old code, or a jump to itself, so
 * that a thread stays until other bytes are put there. False: the prologue has one instruction, and so no
 * boundary, or no such jump is possible.
 */
bool arch_hold_first(struct arch_prologue *prologue);
/* Where none of them is free: the next choice of traps, or of holding, and so of places. False: no more. */
bool arch_stub_other(struct arch_prologue *prologue);
/* Does that choice raise SIGILL, too? */
bool arch_stub_faults(const struct arch_prologue *prologue);
/*
 * A uprobe that is removed writes the file's first byte over the jump's: what a call then meets is that
 * byte and the rest of the jump. Ask for a second byte with which it goes on in the old code all the
 * same: as the whole first instruction, or by a trap. False: there is no such byte, or none is needed.
 * The choices of arch_stub_other() go on to those without it.
 */
bool arch_stub_guard(struct arch_prologue *prologue);
/* Does a long jump displace one instruction, in one aligned word of eight? */
bool arch_stored_whole(const struct arch_prologue *prologue);
/*
 * With these `size` bytes written at the entry, does a thread that finds the original first byte there,
 * or has run the first instruction for a uprobe, go on in the old code? `*trap`: the offset at which it
 * meets an int3 that stands on no old boundary, or 0; `*faults`: it meets SIGILL at the entry.
 */
bool arch_survives_restore(const struct arch_prologue *prologue, const uint8_t *written,
                           size_t size, uint8_t *trap, bool *faults);

/* The lowest address possible that is not below `from`; false: there is none. */
bool arch_stub_from(const struct arch_prologue *prologue, uint64_t from, uint64_t *stub);

/* The long jump's bytes for a stub that is possible; `jump` has room for 8. Returns how many. */
size_t arch_jump_bytes(const struct arch_prologue *prologue, uint64_t stub, uint8_t *jump);
/* Those of the short jump to `pad`. */
void arch_short_bytes(const struct arch_prologue *prologue, uint8_t jump[ARCH_SHORT_BYTES]);

/*
 * The moved prologue for the address `to`, to be written to `out` (`room` bytes). Its length, or
 * -1: something it refers to is out of reach from there, or it cannot be moved at all.
 * `map[i]` gets where displaced instruction i lies in it.
 *
 * What a displaced call calls returns into the function itself, not into the copy, of which no
 * unwind table knows: an exception that passes through it would end the process. With a
 * `shadow_stack` a return address must come from a call: then the copy calls.
 */
ssize_t arch_move(const struct arch_prologue *prologue, uint64_t to, bool shadow_stack,
                  uint8_t *out, size_t room, uint8_t map[ARCH_PROLOGUE_COUNT]);

/* Do the calling thread's returns have to match its calls? */
bool arch_shadow_stack(void);

/* The stub's code: a jump through the 8-byte word at `word`, within 2 GiB. Its length; 0: no room,
 * or out of reach. */
size_t arch_stub(uint64_t stub, uint64_t word, uint8_t *out, size_t room);
/* The same, that first records in the byte at `hit` that it was called. */
size_t arch_stub_hit(uint64_t stub, uint64_t hit, uint64_t word, uint8_t *out, size_t room);

#endif
