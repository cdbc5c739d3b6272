/* target.c - see target.h. */
#include "cli/build/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base_name.h"
#include "cli/build/paths.h"
#include "cli/build/unit.h"
#include "cli/output/output.h"
#include "elf/binary_read.h"
#include "resolve/elf_refusal.h"

static int open_regular(const char *path, struct stat *facts, struct refusal *why)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (file < 0) {
        refuse(why, HP_OPEN, "open %s: %s", path, strerror(errno));
    } else if (fstat(file, facts) != 0 || !S_ISREG(facts->st_mode)) {
        close(file);
        file = -1;
        refuse(why, HP_NOT_REGULAR, "%s is no regular file", path);
    }
    return file;
}

/* Return the path of the file that a link in /proc leads to, malloc'd: the link's own text names no file to anybody else. Return
 * other paths as they are. */
static char *linked_name(const char *path)
{
    static const char deleted[] = " (deleted)";
    char text[4096];
    ssize_t n = strncmp(path, "/proc/", 6) == 0 ? readlink(path, text, sizeof(text) - 1) : -1;

    if (n <= 0)
        return format_text("%s", path);
    text[n] = '\0';
    if ((size_t)n > strlen(deleted) && strcmp(text + n - strlen(deleted), deleted) == 0)
        text[n - (ssize_t)strlen(deleted)] = '\0';
    return format_text("%s", text);
}

int target_open(struct build_target *target, const char *path, const char *debug,
                struct refusal *why)
{
    struct elf_error error = {0};
    struct stat debug_facts;
    int symbols = -1, file = open_regular(path, &target->facts, why), result = -1;

    target->path = format_text("%s", path);
    target->name = linked_name(path);
    target->binary = NULL;
    if (file >= 0 && debug)
        symbols = open_regular(debug, &debug_facts, why);
    if (file >= 0 && (!debug || symbols >= 0)) {
        result = binary_open(&target->binary, file, symbols, &error);
        if (result != 0)
            refuse(why, elf_refusal_code(&error), "%s: %s", target->name, error.text);
        else if (!binary_has_symbols(target->binary))
            result = refuse(why, HP_NO_SYMBOLS, "%s has no symbol table%s", target->name,
                            debug ? ", nor has the debug file" : "");
        else if (!*binary_build_id(target->binary))
            result = refuse(why, HP_BUILD_ID,
                            "%s has no build-id, by which a process is known to run it: link it "
                            "with -Wl,--build-id",
                            target->name);
    }
    if (result == 0)
        unit_names_read(&target->names, symbols >= 0 ? symbols : file);
    if (file >= 0)
        close(file);
    if (symbols >= 0)
        close(symbols);
    if (result != 0)
        target_close(target);
    return result;
}

void target_close(struct build_target *target)
{
    binary_close(target->binary);
    unit_names_free(&target->names);
    free(target->path);
    free(target->name);
    memset(target, 0, sizeof(*target));
}

bool target_changed(const struct build_target *target)
{
    struct stat facts;

    return stat(target->path, &facts) != 0 || facts.st_dev != target->facts.st_dev ||
           facts.st_ino != target->facts.st_ino || facts.st_size != target->facts.st_size ||
           facts.st_mtim.tv_sec != target->facts.st_mtim.tv_sec ||
           facts.st_mtim.tv_nsec != target->facts.st_mtim.tv_nsec;
}

/* Return whether the unit of debug information is this source. */
static bool is_named(const struct unit_name *name, const struct unit *unit)
{
    char *path = path_absolute(name->directory, name->name), *real;
    bool same = strcmp(path, unit->file) == 0;

    if (!same && strcmp(base_name(path), base_name(unit->real)) == 0) {
        real = path_real(path);
        same = strcmp(real, unit->real) == 0;
        free(real);
    }
    free(path);
    return same;
}

/* Return how many components two paths have in common at their ends. */
static size_t common_tail(const char *a, const char *b)
{
    size_t i = strlen(a), j = strlen(b), components = 0;

    while (i && j && a[i - 1] == b[j - 1]) {
        components += a[i - 1] == '/';
        i--, j--;
    }
    return components;
}

/* Return whether another unit is rather the one that the debug information means. Where the tree was built under another name, or
 * its name was mapped to another, the paths agree at their ends alone. */
static bool is_rather_other(const struct unit_name *name, const struct units *units,
                            const struct unit *unit)
{
    char *path = path_absolute(name->directory, name->name);
    size_t own = common_tail(path, unit->file);
    bool other = false;

    for (size_t i = 0; i < units->count && !other; i++) {
        const struct unit *candidate = &units->list[i];

        other = candidate != unit && (common_tail(path, candidate->file) > own ||
                                      (strcmp(base_name(candidate->file), base_name(path)) == 0 &&
                                       is_named(name, candidate)));
    }
    free(path);
    return other;
}

/* Files without debug information have STT_FILE entries alone. */
static bool is_stranger(const struct build_target *target, const struct units *units,
                        const struct unit *unit)
{
    const char *base = base_name(unit->file);
    size_t files = binary_file_count(target->binary, base), named = 0;
    bool unexplained = false;

    if (unit->candidates[0].line.whole) /* of LTO the names are others: it is refused later */
        return false;
    if (binary_has_files(target->binary) && !files)
        return true;
    for (size_t i = 0; i < target->names.count; i++) {
        const struct unit_name *name = &target->names.list[i];

        if (strcmp(base_name(name->name), base) != 0)
            continue;
        if (is_named(name, unit))
            return false;
        unexplained |= !is_rather_other(name, units, unit);
        named++;
    }
    return named > 0 && !unexplained && files <= named;
}

void target_mark_strangers(const struct build_target *target, struct units *units)
{
    for (size_t i = 0; i < units->count; i++)
        units->list[i].stranger = is_stranger(target, units, &units->list[i]);
}
