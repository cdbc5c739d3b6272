/*
 * keep_routines.h - the routines of keeping stubs and the constants that they use, for keep_routines.S too.
 */
#ifndef HOTPATCH_KEEP_ROUTINES_H
#define HOTPATCH_KEEP_ROUTINES_H

/* Flags of arch_keeper.flags. */
#define KEEP_RAX 1
#define KEEP_RDX 2
#define KEEP_XMM0 4
#define KEEP_XMM1 8
#define KEEP_XMM 16 /* xmm0 to xmm15 */
#define KEEP_YMM 32 /* ymm0 to ymm15 */
#define KEEP_ZMM 64 /* zmm0 to zmm31 */
#define KEEP_MASKS 128
#define KEEP_MASKS_16 256 /* of a processor without AVX512BW */
#define KEEP_X87 512

/* Members of struct arch_keeper, from `target` on. */
#define KEEPER_FLAGS 8
#define KEEPER_STACK_BYTES 12
#define KEEPER_SAVE_BYTES 16

/* Offsets in the area of save_bytes, which is aligned to 64 bytes. */
#define AREA_X87 0 /* 108 bytes, fnsave */
#define AREA_X87_CONTROL 112
#define AREA_MASKS 128
#define AREA_VECTORS 192

#ifndef __ASSEMBLER__
/* These are no functions of C: a thunk jumps to them. */
extern const unsigned char keep_fast_none[], keep_fast_rax[], keep_fast_rdx[], keep_fast_both[];
extern const unsigned char keep_full[];
#endif

#endif
