/* compared_twin.c - see compared.c: compiled twice, with another NAME each, so that two files of the program have the same
 * name and the same static functions and variables. */
static int count;

static __attribute__((noinline)) int bump(int x)
{
    count += x;
    return count;
}

static __attribute__((noinline)) int bump_more(int x)
{
    return bump(x) * 3;
}

int NAME(int x)
{
    return bump(x) + bump_more(x);
}
