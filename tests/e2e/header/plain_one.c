/* plain_one.c - with HOTPATCH_DISABLE_SLOTS: what is declared are plain functions and data. */
#include "plain.h"

HOTPATCH_NAMESPACE("plain");

HOTPATCH_FUNCTION(int, add, (int a, int b))
{
    return a + b;
}

HOTPATCH_DATA(int[3], limits, {1, 2, 3});
HOTPATCH_DATA(const char *, greeting, "hello");
HOTPATCH_REQUIRE(int, provided, (int));
HOTPATCH_REQUIRE(int, absent, (int));

static int32_t twice(void *state, const void *input, void *output)
{
    (void)state;
    *HOTPATCH_CAST(int *, output) = 2 * *HOTPATCH_CAST(const int *, input);
    return 7;
}

HOTPATCH_SLOT_FN("plain.twice", twice);

static hotpatch_function other(void)
{
    return HOTPATCH_CAST(hotpatch_function, twice);
}

int main(void)
{
    int three = 3, six = 0, failed = 0;

    HOTPATCH_POINTER(limits)[0][2] = 4;
    failed += add(1, 2) != 3 || HOTPATCH_GET(limits)[2] != 4 || HOTPATCH_GET(greeting)[0] != 'h';
    failed += provided(5) != 6 || absent(5) != 0;
    failed += !HOTPATCH_BOUND(provided) || HOTPATCH_BOUND(absent) || HOTPATCH_BOUND(add);
    failed += hotpatch_call("plain.twice", NULL, &three, &six) != 7 || six != 6;
    failed += hotpatch_call("plain.none", NULL, &three, &six) != HOTPATCH_NO_SLOT;
    failed += HOTPATCH_SLOT(add) != NULL || hotpatch_version(HOTPATCH_SLOT(add)) != 0;
    failed += hotpatch_target(HOTPATCH_SLOT(add)) != NULL;
    failed += hotpatch_set(HOTPATCH_SLOT(add), other(), NULL) != -ENOSYS;
    failed += hotpatch_restore(HOTPATCH_SLOT(add)) != -ENOSYS;
    return failed;
}
