/*
 * patch.c - every macro of the patch side; matrix.sh checks that it compiles as a shared object,
 * main_patch.c that the manifest says what stands here.
 */
#include "host.h"

HOTPATCH_MODULE("matrix-patch", "2");
HOTPATCH_TARGET("exe", "0123456789abcdef");
HOTPATCH_TARGET("libc.so.6", "fedcba9876543210");

HOTPATCH_REPLACE(int, add, (int a, int b))
{
    return HOTPATCH_ORIGINAL(add)(a, b) + 100;
}

HOTPATCH_REPLACE(int, sum_all, (int count, ...))
{
    return count;
}

HOTPATCH_REPLACE(struct large, grow, (struct large l, int by))
{
    l = HOTPATCH_ORIGINAL(grow)(l, by);
    return HOTPATCH_ORIGINAL(grow)(l, by);
}

HOTPATCH_REPLACE_AS(char *, my_parse, (char *s), "libfoo.so.1:parse@reader.c")
{
    return HOTPATCH_ORIGINAL(my_parse)(s);
}

HOTPATCH_REPLACE_DATA(const char *, greeting, "hallo");
HOTPATCH_REPLACE_DATA(int[3], limits, {4, 5, 6});
HOTPATCH_REPLACE_DATA_AS(const int, my_fixed, "matrix:fixed", 6);

HOTPATCH_REPLACE_FN("host.add")
{
    return 8;
}

HOTPATCH_REPLACE_FN_AS(twice, "host.add twice")
{
    return 2 * HOTPATCH_ORIGINAL(twice)(state, input, output);
}

HOTPATCH_HOOK(before_apply)
{
    return hotpatch_context_replace(context, "late", "void (void)", NULL);
}

HOTPATCH_HOOK(after_revert)
{
    return HOTPATCH_ORIGINAL(greeting) != NULL && HOTPATCH_ORIGINAL(limits) != NULL;
}

/* A patch may declare slots of its own. */
HOTPATCH_FUNCTION(int, patch_own, (int a))
{
    return a + 1;
}
