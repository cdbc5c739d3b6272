/* libtorture.c - imports the functions that the program imports: by an address in the GOT and by an address in constant
 * data (RELRO). */
#include <unistd.h>

int library_parents(int parent, int first, int second);

typedef pid_t asking(void);

static asking *const constant = getppid;

__attribute__((noinline)) static int is_one_of(int got, int parent, int first, int second)
{
    return got == parent || got == first || got == second;
}

/* Return how many of its calls gave an answer that is none of the three. */
int library_parents(int parent, int first, int second)
{
    asking *const volatile *word = &constant;
    int wrong = !is_one_of(getppid(), parent, first, second);

    return wrong + !is_one_of((*word)(), parent, first, second);
}
