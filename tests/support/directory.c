/* directory.c - see directory.h. */
#include "tests/support/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/harness.h"

char directory[64];

int directory_make(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/hotpatch-suite-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

int directory_remove(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

void run_shell(const char *command)
{
    if (system(command) != 0)
        fail_msg("%s", command);
}
