/* libuses1.c - imports from libdefines1.so a name that two libraries define. */
int defined_twice(void);
int defined_short(void);
int uses_short(void);
const char *uses1(const char *unused);

int uses_short(void)
{
    return defined_short();
}

const char *uses1(const char *unused)
{
    static char digits[2];

    (void)unused;
    digits[0] = (char)('0' + defined_twice());
    return digits;
}
