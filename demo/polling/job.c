/* job.c - a loop that works through jobs; what a job is can be exchanged. */
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
