/* libdefines1.c - defines a name that another library also defines. */
int defined_twice(void);

int defined_twice(void)
{
    return 1;
}

/* 4 bytes, another function directly after them, and no padding in reach of a short jump: no jump has room. */
__asm__(".pushsection .text\n"
        ".fill 192, 1, 0xf4\n"
        ".globl defined_short\n.type defined_short, @function\n"
        "defined_short: push $4\npop %rax\nret\n.size defined_short, . - defined_short\n"
        ".globl defined_behind\n.type defined_behind, @function\n"
        "defined_behind: mov $5, %eax\nret\n.size defined_behind, . - defined_behind\n"
        ".fill 192, 1, 0xf4\n"
        ".popsection");
