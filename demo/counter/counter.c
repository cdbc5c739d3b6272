/* counter.c - counts five times a second. counter_step() can be exchanged while the program runs. */
#include <hotpatch.h>

#include <stdio.h>
#include <unistd.h>

struct counter {
    long value;
};

HOTPATCH_FUNCTION(const char *, counter_step, (struct counter * c))
{
    c->value += 1;
    return "up by one";
}

int main(void)
{
    struct counter counter = {0};

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (;;) {
        const char *how = counter_step(&counter);
        printf("counter %ld, %s\n", counter.value, how);
        usleep(200000);
    }
}
