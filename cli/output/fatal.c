/* fatal.c - see fatal.h. */
#include "cli/output/fatal.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t json_wanted;

void results_set_json(bool json)
{
    json_wanted = json;
}

bool results_json(void)
{
    return json_wanted != 0;
}

_Noreturn void fatal(const char *words, const char *json)
{
    const char *text = json_wanted ? json : words;

    if (write(json_wanted ? STDOUT_FILENO : STDERR_FILENO, text, strlen(text)) < 0)
        _exit(1);
    _exit(1);
}
