/* libuses2.c - imports from libdefines2.so a name that two libraries define. */
int defined_twice(void);
const char *uses2(const char *unused);

const char *uses2(const char *unused)
{
    static char digits[2];

    (void)unused;
    digits[0] = (char)('0' + defined_twice());
    return digits;
}
