/* fatal.c - see fatal.h. */
#include "cli/output/fatal.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t json_wanted, request_done;

void fatal_set_json(bool json)
{
    json_wanted = json;
}

bool fatal_json(void)
{
    return json_wanted != 0;
}

void fatal_note_done(void)
{
    request_done = 1;
}

bool fatal_done(void)
{
    return request_done != 0;
}

/* In one write(2), so that no other process's output comes between. */
static void write_parts(int fd, const char *const *parts, size_t count)
{
    char line[1024];
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(parts[i]);

        if (size > sizeof(line) - length)
            break;
        memcpy(line + length, parts[i], size);
        length += size;
    }
    if (write(fd, line, length) < 0)
        return;
}

_Noreturn void fatal(enum error_code code, const char *text)
{
    const struct error_info *info = error_info(code);
    int exit_code = error_info(request_done ? HP_UNKNOWN : code)->exit_code;
    const char digit[] = {(char)('0' + exit_code), '\0'};
    const char *const words[] = {"hotpatch: ", info->code, ": ", text, "\n  ", info->remedy, "\n"};
    const char *const json[] = {"{\"hotpatch\":1,\"result\":\"",
                                error_result(exit_code),
                                "\",\"exit\":",
                                digit,
                                ",\"errors\":[{\"code\":\"",
                                info->code,
                                "\",\"text\":\"",
                                text,
                                "\",\"remedy\":\"",
                                info->remedy,
                                "\"}],\"warnings\":[]}\n"};

    if (json_wanted)
        write_parts(STDOUT_FILENO, json, sizeof(json) / sizeof(*json));
    else
        write_parts(STDERR_FILENO, words, sizeof(words) / sizeof(*words));
    _exit(exit_code);
}
