/*
 * registers.h - calls with every caller-saved register set, and a function that overwrites all of them. The difference
 * shows which registers a stub between the two keeps.
 */
#ifndef HOTPATCH_TEST_REGISTERS_H
#define HOTPATCH_TEST_REGISTERS_H

/* Bits of `features`. */
#define REGISTERS_YMM 1
#define REGISTERS_ZMM 2 /* and k0 to k7 */
#define REGISTERS_MISALIGNED 4

#define REGISTERS_STACK_WORDS 16

#ifndef __ASSEMBLER__
#include <stdint.h>

struct registers {
    uint64_t general[16]; /* as instructions number them; [4]: rsp at the function's first byte */
    uint64_t mask[8];
    uint8_t vector[32][64];
    uint64_t stack[REGISTERS_STACK_WORDS]; /* the words above the return address */
};

/* Return the features of the processor. */
unsigned registers_features(void);

/* Call `target` with the caller-saved registers, and `words` of the stack's words, of `in`. `out` gets the contents of
 * the registers after the call. */
void registers_call(const struct registers *in, struct registers *out, uintptr_t target,
                    uint64_t words, unsigned features);

/* Write the registers of the call to registers_seen, with registers_seen_words of the stack's words, and zeros over
 * those words. Then write every register that the ABI lets a function write. rax and rdx get the two results below; the
 * low 16 bytes of the vector registers get all ones. */
extern const unsigned char registers_clobber[];
extern struct registers registers_seen;
extern unsigned registers_seen_features, registers_seen_words;
#endif

#define REGISTERS_RESULT_RAX 0x7a7a7a7a11111111
#define REGISTERS_RESULT_RDX 0x7a7a7a7a22222222
#define REGISTERS_GARBAGE 0x5555aaaa5555aaaa

#endif
