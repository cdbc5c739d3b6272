/* has no manifest: the request names what replaces what */
int two(void);
int three(void);
int nine(void);

int two(void)
{
    return 2;
}

int three(void)
{
    return 3;
}

int nine(void)
{
    return 9;
}
