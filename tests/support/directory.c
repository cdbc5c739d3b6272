/* directory.c - see directory.h. */
#include "tests/support/directory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "tests/support/harness.h"

char directory[64];

static pid_t made_by; /* a child of this program also ends by exit(3) */

static void remove_at_exit(void)
{
    if (made_by == getpid())
        remove_tree(directory);
}

int directory_make(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/hotpatch-suite-XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    made_by = getpid();
    return atexit(remove_at_exit);
}

int directory_remove(void **state)
{
    (void)state;
    remove_tree(directory);
    return access(directory, F_OK) == 0 ? -1 : 0;
}

const char *directory_path(const char *name)
{
    static char paths[8][256];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

void run_shell(const char *command)
{
    if (system(command) != 0)
        fail_msg("%s", command);
}

void run_in_directory(const char *format, ...)
{
    char *command, *line;
    va_list arguments;

    va_start(arguments, format);
    assert_true(vasprintf(&command, format, arguments) >= 0);
    va_end(arguments);
    assert_true(asprintf(&line, "cd %s && { %s; }", directory, command) >= 0);
    run_shell(line);
    free(command);
    free(line);
}
