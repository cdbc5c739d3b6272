/* module_load.c - see module_load.h. */
#include "loader/module/module_load.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/linker_error.h"
#include "base/sys.h"
#include "base/text.h"
#include "loader/module/module.h"
#include "loader/module/snapshot.h"
#include "loader/module/thin_place.h"
#include "loader/module/thin_state.h"

/* Remove PT_GNU_RELRO from the copy in memory. Under a filter that forbids mprotect(2) ld.so cannot protect RELRO, and
 * refuses the object. */
static void forget_relro(void *bytes, size_t size)
{
    const ElfW(Ehdr) *header = bytes;
    ElfW(Phdr) *phdr = (ElfW(Phdr) *)((char *)bytes + header->e_phoff);

    /* module_read() has checked the headers. This check prevents a write outside of the copy in any case. */
    for (size_t i = 0; i < header->e_phnum && header->e_phoff + (i + 1) * sizeof(*phdr) <= size;
         i++)
        if (phdr[i].p_type == PT_GNU_RELRO)
            phdr[i].p_type = PT_NULL;
}

static bool is_about_relro(const char *error)
{
    return strstr(error, "additional memory protection") != NULL;
}

static void *open_memory(struct module *module)
{
    char name[256];
    int fd = snapshot_memfd(module->bytes, module->size, name, sizeof(name));
    void *handle = NULL;

    if (fd < 0)
        return NULL;
    free(module->loaded_as);
    module->loaded_as = text_copy(name);
    if (module->loaded_as)
        handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    sys_close(fd);
    return handle;
}

/* Return whether the copy was missing, by ld.so's error text. Another process may have made a copy of that name again
 * since. */
static bool copy_was_gone(const struct module *module, const char *error)
{
    return strncmp(error, module->snapshot, strlen(module->snapshot)) == 0 &&
           strstr(error, "cannot open shared object file") != NULL;
}

/* Return whether the copy cannot be loaded. The file system may refuse execution (a sandbox can do so without a mount
 * flag), or another process that shared the copy has ended and removed it. */
static bool copy_is_unusable(const struct module *module, const char *error)
{
    return strstr(error, "failed to map segment") != NULL || is_about_relro(error) ||
           copy_was_gone(module, error);
}

/* Load the copy or a memfd. Return the handle, or NULL with ld.so's text in `error`. */
static void *open_any(struct module *module, char *error, size_t error_size)
{
    void *handle = NULL;
    const char *text;

    if (module->snapshot[0] == '/' || module->snapshot[0] == '.') {
        handle = dlopen(module->snapshot, RTLD_NOW | RTLD_LOCAL);
        if (handle)
            return handle;
        text = linker_error();
        snprintf(error, error_size, "%s", text ? text : "no reason given");
        if (!copy_is_unusable(module, error))
            return NULL;
    }
    /* the range is empty, so only a filter refuses the call */
    if (sys_mprotect(NULL, 0, PROT_READ) != 0)
        forget_relro(module->bytes, module->size);
    handle = open_memory(module);
    text = handle ? NULL : linker_error();
    if (!handle)
        snprintf(error, error_size, "%s", text ? text : "no memory file can be made");
    return handle;
}

int module_dlopen(struct module *module, char *error, size_t error_size)
{
    struct link_map *map;

    if (module->thin)
        thin_spot_open(&module->thin->spot);
    module->handle = open_any(module, error, error_size);
    if (!module->handle)
        return -1;
    if (dlinfo(module->handle, RTLD_DI_LINKMAP, &map) != 0) {
        const char *text = linker_error();

        snprintf(error, error_size, "%s", text ? text : "it has no link map");
        module_dlclose(module);
        return -1;
    }
    module->bias = map->l_addr;
    if (!module->thin || module->bias == 0)
        return 0;
    if (module_dlclose(module) == 0)
        return MODULE_MISPLACED;
    snprintf(error, error_size, "ld.so keeps a thin object mapped at a wrong place");
    return -1;
}

int module_dlclose(struct module *module)
{
    void *again;

    if (!module->handle)
        return 0;
    dlclose(module->handle);
    module->handle = NULL;
    again = dlopen(module->loaded_as, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
    if (!again)
        return 0;
    dlclose(again);
    return 1;
}
