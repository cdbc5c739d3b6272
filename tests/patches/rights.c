/* tells what rights its constructor had */
#include <hotpatch.h>

#include <stdio.h>
#include <string.h>

static char seen[256];
static size_t length;

/* By hand: a sanitizer would see libc write here, and not how the host came to read it. */
static void put(char character)
{
    volatile char *to = seen;

    if (length + 1 < sizeof(seen))
        to[length++] = character;
}

static void note(const char *line)
{
    static const char *const names[] = {"Uid:", "CapPrm:", "CapEff:", "NoNewPrivs:"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strncmp(line, names[i], strlen(names[i])) != 0)
            continue;
        if (length)
            put(' ');
        while (*line && *line != '\n')
            put(*line++);
    }
}

__attribute__((constructor)) static void begin(void)
{
    char line[256];
    FILE *status = fopen("/proc/thread-self/status", "re");

    while (status && fgets(line, sizeof(line), status)) {
        for (char *p = line; *p; p++)
            *p = *p == '\t' ? ' ' : *p;
        note(line);
    }
    if (status)
        fclose(status);
}

HOTPATCH_MODULE("rights", "1");

HOTPATCH_REPLACE(const char *, patch_rights, (void))
{
    return seen;
}
