/*
 * wide.c - a test host with 300 MB of text, patchable functions at both ends of the text, and a heap that must be able
 * to grow. The middle is a hole in the file (parts/wide.ld).
 */
#include <unistd.h>

#include "loop.h"
#include "parts/entries_twin.h"

static OPAQUE int near_end(void)
{
    return 1;
}

__attribute__((section(".text.wide"))) OPAQUE int far_end(void);
int far_end(void)
{
    return 10;
}

/* Grow the heap by brk(2). A mapping in its way ends the growth. */
static const char *grow(size_t megabytes)
{
    char *from = sbrk((intptr_t)(megabytes << 20));

    if (from == (char *)-1)
        return "stuck";
    from[0] = from[(megabytes << 20) - 1] = 1;
    return "grown";
}

static void command(const char *word, char *rest)
{
    if (strcmp(word, "near") == 0)
        say("%d", near_end());
    else if (strcmp(word, "far") == 0)
        say("%d", far_end());
    else if (strcmp(word, "apart") == 0)
        say("%lu", ((unsigned long)far_end - (unsigned long)near_end) >> 20);
    else if (strcmp(word, "grow") == 0)
        say("%s", grow(strtoul(rest, NULL, 10)));
    else
        say("?");
}

int main(void)
{
    return loop();
}
