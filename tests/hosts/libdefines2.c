/* libdefines2.c - a definition of a name that another library defines too. */
int defined_twice(void);

int defined_twice(void)
{
    return 2;
}
