/* greeting.c - prints a greeting five times a second. */
#include <hotpatch.h>

#include <stdio.h>
#include <unistd.h>

HOTPATCH_DATA(const char *, name, "world");

HOTPATCH_FUNCTION(void, greet, (int count))
{
    printf("%d: hello, %s\n", count, HOTPATCH_GET(name));
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int count = 1;; count++) {
        greet(count);
        usleep(200000);
    }
}
