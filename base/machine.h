/*
 * machine.h - the system's names for the machine: its ELF number, its dynamic linker, its directories of libraries.
 * Defined in arch/x86_64/machine.c.
 *
 * Constants: any thread.
 */
#ifndef HOTPATCH_MACHINE_H
#define HOTPATCH_MACHINE_H

#include <stdint.h>

extern const char machine_name[];   /* "x86-64", in messages */
extern const char machine_family[]; /* "64-bit x86" */
extern const uint16_t machine_elf;  /* e_machine */
extern const char machine_linker[]; /* the dynamic linker's soname */
extern const char
    machine_linker_stem[]; /* the same without the version: how its file's name begins */
extern const char machine_linker_path[]; /* where programs name it (PT_INTERP) */
extern const char machine_vdso[]; /* the soname of the kernel's object in each process (vdso(7)) */

extern const char machine_library_path[]; /* where ld.so looks at last, separated by colons */
extern const char
    machine_multiarch[]; /* "lib/x86_64-linux-gnu", Debian's directory below a prefix */
extern const char
    *const machine_hwcaps[]; /* the subdirectories for newer processors, best first; NULL ends */
extern const char
    *const machine_decoder_libs[]; /* the sonames of the decoder of instructions; NULL ends */
extern const char
    machine_decoder_stem[]; /* the first of them without its version; the engine loads it */

#endif
