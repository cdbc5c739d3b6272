/* libslow.c - a library with a slow constructor, during which ld.so holds its locks. */
static volatile unsigned value;

__attribute__((constructor)) static void start(void)
{
    for (unsigned i = 0; i < 20000; i++)
        value = value * 1664525 + 1;
}
