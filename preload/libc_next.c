/* libc_next.c - see libc_next.h. */
#include "preload/libc_next.h"

#include <dlfcn.h>

void *libc_next(const char *name, _Atomic(void *) *known)
{
    void *symbol = atomic_load_explicit(known, memory_order_relaxed);

    if (!symbol) {
        symbol = dlsym(RTLD_NEXT, name);
        atomic_store_explicit(known, symbol, memory_order_relaxed);
    }
    return symbol;
}
