/* libdefines2.c - defines a name that another library also defines. */
int defined_twice(void);

int defined_twice(void)
{
    return 2;
}
