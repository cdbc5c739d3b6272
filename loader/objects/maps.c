/* maps.c - see maps.h. */
#include "loader/objects/maps.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/services.h"
#include "base/sys.h"

static uintptr_t hex(const char **at)
{
    uintptr_t value = 0;

    for (;; ++*at) {
        if (**at >= '0' && **at <= '9')
            value = value << 4 | (uintptr_t)(**at - '0');
        else if (**at >= 'a' && **at <= 'f')
            value = value << 4 | (uintptr_t)(**at - 'a' + 10);
        else
            return value;
    }
}

static void skip_to(const char **at, const char *end, bool blank)
{
    while (*at < end && (**at == ' ') != blank)
        ++*at;
}

/* Parse the rest of a line: " 00000000 fe:00 1234   /usr/lib/..." */
static void parse_file(const char *at, const char *end, struct mapping *out)
{
    skip_to(&at, end, false);
    out->offset = hex(&at);
    skip_to(&at, end, false);
    skip_to(&at, end, true);
    skip_to(&at, end, false);
    for (out->inode = 0; at < end && *at >= '0' && *at <= '9'; at++)
        out->inode = out->inode * 10 + (uint64_t)(*at - '0');
    skip_to(&at, end, false);
    out->path = at;
    out->path_length = at < end && *at == '/' ? (size_t)(end - at) : 0;
}

/* Parse a line: "7f006034d000-7f0060370000 r-xp 00000000 fe:00 1234   /usr/lib/..." */
static void parse(const char *line, const char *end, struct mapping *out)
{
    const char *name = end;

    out->begin = hex(&line);
    line++;
    out->end = hex(&line);
    line++;
    out->protection = (line[0] == 'r' ? PROT_READ : 0) | (line[1] == 'w' ? PROT_WRITE : 0) |
                      (line[2] == 'x' ? PROT_EXEC : 0);
    out->shared = line[3] == 's';
    parse_file(line + 4, end, out);
    while (name > line && name[-1] != ' ')
        name--;
    out->stack = strncmp(name, "[stack]", 7) == 0;
    out->heap = strncmp(name, "[heap]", 6) == 0;
}

/* Call `each` for every whole line. Move the beginning of the last line, which the read cut, to the front of the buffer
 * and return its length. */
static ssize_t each_line(char *buffer, size_t size, bool (*each)(const struct mapping *, void *),
                         void *context, bool *go_on)
{
    char *line = buffer, *end;

    while (*go_on && (end = memchr(line, '\n', size - (size_t)(line - buffer)))) {
        struct mapping mapping;

        parse(line, end, &mapping);
        *go_on = each(&mapping, context);
        line = end + 1;
    }
    size -= (size_t)(line - buffer);
    memmove(buffer, line, size);
    return (ssize_t)size;
}

int maps_each(bool (*each)(const struct mapping *mapping, void *context), void *context)
{
    char buffer[16384];
    size_t kept = 0;
    bool go_on = true;
    ssize_t n = 0;
    int maps = host_open("/proc/thread-self/maps", O_RDONLY | O_CLOEXEC);

    if (maps < 0)
        return maps;
    while (go_on && kept < sizeof(buffer) &&
           (n = sys_read(maps, buffer + kept, sizeof(buffer) - kept)) > 0)
        kept = (size_t)each_line(buffer, kept + (size_t)n, each, context, &go_on);
    sys_close(maps);
    return n < 0 ? (int)n : kept == sizeof(buffer) ? -ENAMETOOLONG : 0;
}
