/* job.c - a loop that calls job(); job() can be exchanged while the program runs. */
#include <hotpatch.h>

#include <stdio.h>
#include <unistd.h>

HOTPATCH_FUNCTION(long, job, (long input))
{
    return input;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (long input = 1;; input = input % 9 + 1) {
        printf("job(%ld) = %ld\n", input, job(input));
        usleep(100000);
    }
}
