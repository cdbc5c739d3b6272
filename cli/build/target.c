/* target.c - see target.h. */
#include "cli/build/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base_name.h"
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

int target_open(struct build_target *target, const char *path, const char *debug,
                struct refusal *why)
{
    struct elf_error error = {0};
    struct stat debug_facts;
    int symbols = -1, file = open_regular(path, &target->facts, why), result = -1;

    target->path = format_text("%s", path);
    target->binary = NULL;
    if (file >= 0 && debug)
        symbols = open_regular(debug, &debug_facts, why);
    if (file >= 0 && (!debug || symbols >= 0)) {
        result = binary_open(&target->binary, file, symbols, &error);
        if (result != 0)
            refuse(why, elf_refusal_code(&error), "%s: %s", path, error.text);
        else if (!binary_has_symbols(target->binary))
            result = refuse(why, HP_NO_SYMBOLS, "%s has no symbol table%s", path,
                            debug ? ", nor has the debug file" : "");
    }
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
    free(target->path);
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

bool target_has_source(const struct build_target *target, const struct unit *unit)
{
    /* Of LTO the names are others: the unit is refused later. */
    return unit->candidates[0].line.whole || !binary_has_files(target->binary) ||
           binary_has_file(target->binary, base_name(unit->file));
}
