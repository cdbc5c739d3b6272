/*
 * far_data.h - an instruction that refers to data, made anew for data that lies out of its reach.
 *
 * The new code reads the data's address from a word. It takes the place of the instruction by a jump: *out of line
 * execution*, as of displaced instructions (Kprobes: "optimized probes"). Compiled into the command alone; any thread.
 */
#ifndef HOTPATCH_ARCH_FAR_DATA_H
#define HOTPATCH_ARCH_FAR_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARCH_FAR_DATA_SIZE = 64 };

struct arch_far_data {
    uint64_t instruction; /* offset of the instruction in the code */
    uint8_t length;       /* of the instruction */
    uint8_t code[ARCH_FAR_DATA_SIZE];
    uint8_t size; /* of `code` */
    uint8_t
        field; /* offset in `code` of four bytes for the word that holds the symbol's address; the relocation is
                      arch_far_data_type() with the addend -4 */
    /* The instruction has an immediate operand of four bytes, the last of it: its offset in the section's code and in
     * `code`, to which a relocation there has to move. 0: there is none. */
    uint64_t immediate;
    uint8_t moved;
};

/*
 * Make the code for the instruction whose field of four bytes lies at `field` of the code at `code`, and refers to a
 * symbol with `addend` (psABI, R_X86_64_PC32, R_X86_64_32S). `begin`: an instruction begins there, at or before the field. `place`:
 * where the new code will lie, counted like `field`. Then change the instruction in `code` into a jump to it. Return
 * false, with nothing changed, if the instruction cannot be made anew.
 */
bool arch_far_data(uint8_t *code, size_t size, uint64_t begin, uint64_t field, int64_t addend,
                   uint64_t place, struct arch_far_data *out);

/* Return the type (ELF64_R_TYPE) of the relocation at `field` of the new code. */
uint32_t arch_far_data_type(void);

#endif
