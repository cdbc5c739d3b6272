/* unwind.c - see unwind.h. */
#include "base/unwind.h"

#include <dlfcn.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/sys.h"

/* A function of glibc 2.35, weak: if it is missing, no object is found. */
extern int _dl_find_object(void *address, struct dl_find_object *result) __attribute__((weak));

bool unwind_read(void *unused, uint64_t address, void *to, size_t size)
{
    struct iovec local = {to, size}, remote = {(void *)(uintptr_t)address, size};

    (void)unused;
    return sys_call(SYS_process_vm_readv, sys_getpid(), (long)&local, 1, (long)&remote, 1, 0) ==
           (long)size;
}

bool unwind_object(uint64_t pc, struct unwind_object *out)
{
    struct dl_find_object found;

    if (!_dl_find_object || _dl_find_object((void *)(uintptr_t)pc, &found) != 0)
        return false;
    out->begin = (uintptr_t)found.dlfo_map_start;
    out->end = (uintptr_t)found.dlfo_map_end;
    out->table = (uintptr_t)found.dlfo_eh_frame;
    return true;
}

enum cfi_result unwind_step(struct cfi_frame *frame, struct cfi_function *function)
{
    const struct cfi_memory memory = {.read = unwind_read};
    uint64_t pc = frame->value[cfi_machine.pc] - (frame->signal ? 0 : 1);
    struct unwind_object object;

    if (!unwind_object(pc, &object) || !object.table)
        return CFI_NO_FDE;
    return cfi_step(&memory, object.table, frame, function);
}

bool unwind_function(uint64_t pc, struct cfi_function *function)
{
    /* No registers are known: after the function is found, the search for its caller fails. */
    struct cfi_frame frame = {.signal = true};

    *function = (struct cfi_function){0};
    frame.value[cfi_machine.pc] = pc;
    unwind_step(&frame, function);
    return function->start != 0;
}
