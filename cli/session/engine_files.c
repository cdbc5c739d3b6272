/*
 * engine_files.c - see engine_files.h.
 *
 * The command is linked with the same libraries, so ld.so has found them already: their names are taken
 * from its list.
 */
#include "cli/session/engine_files.h"

#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base_name.h"
#include "base/machine.h"
#include "cli/debug/file_image.h"
#include "cli/output/output.h"
#include "cli/process/mapped.h"
#include "cli/process/preload_path.h"

#define ENGINE "libhotpatch_engine.so"

struct library_search {
    const char *name;
    size_t length;
    const char *path;
};

static int library_is_named(struct dl_phdr_info *info, size_t size, void *context)
{
    struct library_search *look = context;

    (void)size;
    if (!info->dlpi_name || strncmp(base_name(info->dlpi_name), look->name, look->length) != 0)
        return 0;
    look->path = info->dlpi_name;
    return 1;
}

/* Return the path of a library of the command's own whose base name begins with `name`, or NULL. */
static const char *loaded_library(const char *name, size_t length)
{
    struct library_search look = {name, length, NULL};

    dl_iterate_phdr(library_is_named, &look);
    return look.path;
}

static bool is_mapped(const struct mapped *mapped, const char *path)
{
    char *real = realpath(path, NULL);
    bool found = false;

    for (size_t i = 0; real && i < mapped->count && !found; i++)
        found = strcmp(base_name(mapped->list[i].path), base_name(real)) == 0;
    free(real);
    return found;
}

static bool files_have(const struct texts *files, const char *path)
{
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->list[i], path) == 0)
            return true;
    return false;
}

/* Add the libraries that the file needs, and then the file. ld.so itself reports what is missing. */
static void engine_files_add(struct texts *files, const struct mapped *mapped, const char *path)
{
    struct refusal ignored = {0};
    struct file_image file;
    const char *name;

    if (files_have(files, path) || is_mapped(mapped, path))
        return;
    if (file_image_open(&file, path, ET_DYN, &ignored) == 0) {
        for (size_t i = 0; (name = image_needed(file.image, i)) != NULL; i++) {
            const char *needed = loaded_library(name, strlen(name) + 1);

            if (needed && strncmp(name, "ld-linux", strlen("ld-linux")) != 0)
                engine_files_add(files, mapped, needed);
        }
        file_image_close(&file);
    }
    refusal_clear(&ignored);
    texts_add(files, path);
}

/* Return the engine beside the shim of the process or else beside this command's; malloc'd or NULL. */
static char *find_engine(const struct process *process, struct refusal *why)
{
    char *own = preload_find(why), *path = NULL;
    const char *shims[] = {process->shim, own};

    for (size_t i = 0; i < 2 && !path; i++) {
        const char *shim = shims[i];

        if (!shim)
            continue;
        path = format_text("%.*s" ENGINE, (int)(base_name(shim) - shim), shim);
        if (access(path, R_OK) != 0) {
            free(path);
            path = NULL;
        }
    }
    free(own);
    return path;
}

int engine_files_find(const struct process *process, struct texts *files, struct refusal *why)
{
    struct refusal ignored = {0};
    char *engine = find_engine(process, &ignored);
    const char *decoder = loaded_library(machine_decoder_stem, strlen(machine_decoder_stem));
    struct mapped mapped;

    refusal_clear(&ignored);
    *files = (struct texts){0};
    if (!engine)
        return refuse(why, HP_ENGINE, ENGINE " is not beside the library of process %d",
                      process->pid);
    mapped_read(process, &mapped);
    if (decoder)
        engine_files_add(files, &mapped, decoder);
    engine_files_add(files, &mapped, engine);
    mapped_free(&mapped);
    free(engine);
    return 0;
}
