/*
 * clock.c - see clock.h.
 *
 * The vDSO (vdso(7)) reads the clocks without a system call. If there is none, as under valgrind, the system call is
 * made. The look-up only reads memory, and two threads that do it at the same time find the same function.
 */
#include "base/clock.h"

#include <elf.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/state.h"
#include "base/sys.h"

typedef int (*clock_function)(clockid_t, struct timespec *);

static _Atomic(clock_function) known STATE;

static int ask_kernel(clockid_t clock, struct timespec *time)
{
    return (int)sys_call3(SYS_clock_gettime, clock, (long)time, 0);
}

struct vdso {
    uintptr_t bias;
    const ElfW(Dyn) * dynamic;
    const ElfW(Sym) * symbols;
    const char *names;
    size_t count;
};

/* Addresses in the vDSO's dynamic section are not relocated. */
static bool read_vdso_dynamic(struct vdso *vdso)
{
    const uint32_t *hash = NULL;

    for (const ElfW(Dyn) *d = vdso->dynamic; d && d->d_tag != DT_NULL; d++) {
        const void *address = (const void *)(vdso->bias + d->d_un.d_ptr);

        if (d->d_tag == DT_SYMTAB)
            vdso->symbols = address;
        else if (d->d_tag == DT_STRTAB)
            vdso->names = address;
        else if (d->d_tag == DT_HASH)
            hash = address;
    }
    if (!vdso->symbols || !vdso->names)
        return false;
    /* Without DT_HASH: the names follow the symbols. */
    if (hash)
        vdso->count = hash[1];
    else if ((uintptr_t)vdso->names > (uintptr_t)vdso->symbols)
        vdso->count = ((uintptr_t)vdso->names - (uintptr_t)vdso->symbols) / sizeof(*vdso->symbols);
    return true;
}

static bool read_vdso_headers(struct vdso *vdso)
{
    const ElfW(Ehdr) *header = (const void *)getauxval(AT_SYSINFO_EHDR);
    const ElfW(Phdr) * segments;
    uintptr_t dynamic = 0;
    bool loaded = false;

    if (!header)
        return false;
    segments = (const void *)((uintptr_t)header + header->e_phoff);
    for (size_t i = 0; i < header->e_phnum; i++) {
        if (segments[i].p_type == PT_LOAD && !loaded) {
            vdso->bias = (uintptr_t)header + segments[i].p_offset - segments[i].p_vaddr;
            loaded = true;
        } else if (segments[i].p_type == PT_DYNAMIC) {
            dynamic = segments[i].p_vaddr;
        }
    }
    vdso->dynamic = (const void *)(vdso->bias + dynamic);
    return loaded && dynamic != 0 && read_vdso_dynamic(vdso);
}

static clock_function find_vdso_clock(void)
{
    struct vdso vdso = {0};
    clock_function function = ask_kernel;

    if (!read_vdso_headers(&vdso))
        return function;
    for (size_t i = 0; i < vdso.count; i++) {
        const ElfW(Sym) *symbol = &vdso.symbols[i];
        uintptr_t address = vdso.bias + symbol->st_value;

        if (symbol->st_shndx != SHN_UNDEF && ELF64_ST_TYPE(symbol->st_info) == STT_FUNC &&
            strcmp(vdso.names + symbol->st_name, "__vdso_clock_gettime") == 0)
            memcpy(&function, &address, sizeof(function));
    }
    return function;
}

struct timespec clock_now(clockid_t clock)
{
    clock_function function = atomic_load_explicit(&known, memory_order_relaxed);
    struct timespec now = {0, 0};

    if (!function) {
        function = find_vdso_clock();
        atomic_store_explicit(&known, function, memory_order_relaxed);
    }
    function(clock, &now);
    return now;
}

uint64_t clock_us(void)
{
    const struct timespec now = clock_now(CLOCK_MONOTONIC);

    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}
