/* allocator.c - see allocator.h. */
#include "preload/allocator.h"

#include <stddef.h>

#include "base/call_site.h"
#include "base/unwind.h"

enum {
    CHUNK = 256,
    CODE_MAX = 64 * 1024 /* bytes of one function */
};

/* glibc 2.36, malloc/Versions; jemalloc(3); gperftools/tcmalloc.h; operator new and delete of the C++ ABI. */
static const char *const EXPORTED[] = {
    "malloc",
    "calloc",
    "realloc",
    "free",
    "reallocarray",
    "memalign",
    "aligned_alloc",
    "posix_memalign",
    "valloc",
    "pvalloc",
    "malloc_usable_size",
    "malloc_trim",
    "malloc_stats",
    "malloc_info",
    "mallinfo",
    "mallinfo2",
    "mallopt",
    "cfree",
    "mallocx",
    "rallocx",
    "xallocx",
    "sallocx",
    "dallocx",
    "sdallocx",
    "nallocx",
    "mallctl",
    "mallctlnametomib",
    "mallctlbymib",
    "malloc_stats_print",
    "tc_malloc",
    "tc_calloc",
    "tc_realloc",
    "tc_free",
    "tc_memalign",
    "tc_new",
    "tc_delete",
    "_Znwm",
    "_Znam",
    "_ZnwmRKSt9nothrow_t",
    "_ZnamRKSt9nothrow_t",
    "_ZdlPv",
    "_ZdaPv",
    "_ZdlPvm",
    "_ZdaPvm",
};

static bool is_in_allocator(const struct allocator *allocator, uint64_t start)
{
    if (start >= allocator->low && start < allocator->high)
        return true;
    for (unsigned i = 0; i < allocator->count; i++)
        if (allocator->start[i] == start)
            return true;
    return false;
}

/* ---- functions that are jumped to ---- */

/* Add the target of a jump to the first byte of another function. Bytes in the middle of an instruction that look
 * like such a jump can only add a function too many. */
static void add_target(struct allocator *allocator, const struct cfi_function *from,
                       uint64_t target)
{
    struct cfi_function function;

    if ((target >= from->start && target < from->end) || is_in_allocator(allocator, target) ||
        allocator->count == ALLOCATOR_FUNCTIONS)
        return;
    if (unwind_function(target, &function) && function.start == target)
        allocator->start[allocator->count++] = target;
}

static void add_targets(struct allocator *allocator, const struct cfi_function *function)
{
    uint8_t code[CHUNK + CALL_SITE_JUMP_BYTES];
    uint64_t size = function->end - function->start, target;

    for (uint64_t at = 0; at < size && at < CODE_MAX; at += CHUNK) {
        size_t length = size - at < sizeof(code) ? (size_t)(size - at) : sizeof(code);

        if (!unwind_read(NULL, function->start + at, code, length))
            return;
        for (size_t i = 0; i + CALL_SITE_JUMP_BYTES <= length && i < CHUNK; i++)
            if (call_site_jump(code, i, function->start + at + i, &target))
                add_target(allocator, function, target);
    }
}

static void widen(struct allocator *allocator, const struct cfi_function *function)
{
    if (function->start < allocator->low)
        allocator->low = function->start;
    if (function->end > allocator->high)
        allocator->high = function->end;
}

void allocator_find(struct allocator *allocator, uint64_t (*symbol)(const char *name))
{
    struct cfi_function function;

    *allocator = (struct allocator){.low = UINT64_MAX};
    for (size_t i = 0; i < sizeof(EXPORTED) / sizeof(*EXPORTED); i++)
        if (unwind_function(symbol(EXPORTED[i]), &function))
            widen(allocator, &function);
    for (size_t i = 0; i < sizeof(EXPORTED) / sizeof(*EXPORTED); i++)
        if (unwind_function(symbol(EXPORTED[i]), &function))
            add_targets(allocator, &function);
    for (unsigned i = 0; i < allocator->count; i++) /* `count` grows in the loop */
        if (unwind_function(allocator->start[i], &function))
            add_targets(allocator, &function);
    allocator->known = true;
}

bool allocator_has(const struct allocator *allocator, uint64_t start, uint64_t back)
{
    return is_in_allocator(allocator, start) ||
           (back && is_in_allocator(allocator, call_site_target(back)));
}
