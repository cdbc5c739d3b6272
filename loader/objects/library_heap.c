/* library_heap.c - see library_heap.h. */
#include "loader/objects/library_heap.h"

#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/relocation.h"
#include "base/services.h"
#include "base/sys.h"
#include "base/text.h"

static int aligned(void **memory, size_t alignment, size_t size)
{
    *memory = shim()->allocate_aligned(alignment, size);
    return *memory ? 0 : ENOMEM;
}

static void *zeroed(size_t count, size_t size)
{
    size_t whole;
    void *memory = __builtin_mul_overflow(count, size, &whole) ? NULL : shim()->allocate(whole);

    return memory ? memset(memory, 0, whole) : NULL;
}

static void *allocated(size_t size)
{
    return shim()->allocate(size);
}

static void *resize(void *memory, size_t size)
{
    return shim()->resize(memory, size);
}

static void released(void *memory)
{
    shim()->release(memory);
}

/* Return the text unchanged, in place of dcgettext(3). No catalogue is read. */
static char *untranslated(const char *domain, const char *text, int category)
{
    (void)domain;
    (void)category;
    return (char *)(uintptr_t)text;
}

static uintptr_t replacement_of(const char *name)
{
    const struct {
        const char *name;
        uintptr_t function;
    } functions[] = {
        {"malloc", (uintptr_t)allocated},
        {"calloc", (uintptr_t)zeroed},
        {"realloc", (uintptr_t)resize},
        {"free", (uintptr_t)released},
        {"posix_memalign", (uintptr_t)aligned},
        {"dcgettext", (uintptr_t)untranslated},
        {"qsort", (uintptr_t)qsort},
    };

    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (strcmp(name, functions[i].name) == 0)
            return functions[i].function;
    return 0;
}

struct library {
    const char *name; /* the soname begins with this */
    ElfW(Addr) bias;
    const ElfW(Dyn) * dynamic;
    uintptr_t relro, relro_end; /* whole pages; read-only again after the stores */
};

static uintptr_t entry(const struct library *library, Elf64_Sxword tag)
{
    for (const ElfW(Dyn) *d = library->dynamic; d->d_tag != DT_NULL; d++)
        if (d->d_tag == tag)
            return d->d_un.d_ptr;
    return 0;
}

static bool visit_slots(const struct library *library, uintptr_t table, size_t size, bool store)
{
    const ElfW(Sym) *symbols = (const void *)entry(library, DT_SYMTAB);
    const char *names = (const char *)entry(library, DT_STRTAB);
    const ElfW(Rela) *rela = (const void *)table;
    bool any = false;

    for (size_t i = 0; table && symbols && names && i < size / sizeof(*rela); i++) {
        enum arch_relocation type = arch_relocation(ELF64_R_TYPE(rela[i].r_info));
        unsigned long number = ELF64_R_SYM(rela[i].r_info);
        uintptr_t function = 0;

        if (number && (type == ARCH_RELOCATION_JUMP_SLOT || type == ARCH_RELOCATION_GLOB_DAT))
            function = replacement_of(names + symbols[number].st_name);
        if (function && store)
            __atomic_store_n((uintptr_t *)(library->bias + rela[i].r_offset), function,
                             __ATOMIC_RELEASE);
        any = any || function;
    }
    return any;
}

static bool visit_all(const struct library *library, bool store)
{
    bool any = visit_slots(library, entry(library, DT_JMPREL), entry(library, DT_PLTRELSZ), store);

    return visit_slots(library, entry(library, DT_RELA), entry(library, DT_RELASZ), store) || any;
}

static int find_library(struct dl_phdr_info *info, size_t size, void *library_)
{
    struct library *library = library_;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    (void)size;
    if (strncmp(text_base_name(info->dlpi_name), library->name, strlen(library->name)) != 0)
        return 0;
    library->bias = info->dlpi_addr;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

        if (segment->p_type == PT_DYNAMIC)
            library->dynamic = (const void *)(info->dlpi_addr + segment->p_vaddr);
        if (segment->p_type == PT_GNU_RELRO) {
            library->relro = (info->dlpi_addr + segment->p_vaddr) & ~(page - 1);
            library->relro_end =
                (info->dlpi_addr + segment->p_vaddr + segment->p_memsz) & ~(page - 1);
        }
    }
    return 1;
}

static void take_library(const char *name)
{
    struct library library = {.name = name};
    size_t size;

    if (dl_iterate_phdr(find_library, &library) == 0 || !library.dynamic ||
        !visit_all(&library, false))
        return;
    size = library.relro_end - library.relro;
    if (size && sys_mprotect((void *)library.relro, size, PROT_READ | PROT_WRITE) != 0)
        return;
    visit_all(&library, true);
    if (size)
        sys_mprotect((void *)library.relro, size, PROT_READ);
}

void library_heap_take(void)
{
    if (shim()->was_there("libelf.so"))
        return;
    take_library("libelf.so");
    if (!shim()->was_there("libz.so"))
        take_library("libz.so");
}
