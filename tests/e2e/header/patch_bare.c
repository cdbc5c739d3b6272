/* patch_bare.c - a patch without slots, entries, targets or hooks is legal. */
#include <hotpatch.h>

HOTPATCH_MODULE("bare", "1");
