/* version 2 of what switches under torture: declared functions, data and an import */
#include <hotpatch.h>

#include <unistd.h>

struct pair {
    double a;
    long b;
};

HOTPATCH_MODULE("torture", "2");

HOTPATCH_REPLACE(int, answer, (void))
{
    return HOTPATCH_ORIGINAL(answer)() + 2;
}

HOTPATCH_REPLACE(struct pair, mix, (struct pair p, double by))
{
    p = HOTPATCH_ORIGINAL(mix)(p, by);
    p.a += 2;
    return p;
}

HOTPATCH_REPLACE_DATA(const char *, label, "v2");

HOTPATCH_REPLACE_AS(pid_t, patched_parent, (void), "getppid")
{
    return 1000002;
}
