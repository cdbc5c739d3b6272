/* stacks.c - see stacks.h. */
#include "loader/text/stacks.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "base/bare.h"
#include "base/services.h"
#include "base/sys.h"
#include "loader/text/text_poke.h"

/* Stacks larger than this are not read: reading them would keep a signal handler too long. */
enum { LARGEST = 64 << 20 };

struct range {
    uintptr_t begin, end;
    bool main; /* the main thread's stack, which only the kernel unmaps */
};

/* The ranges. A handler may still read old ranges, so their memory stays mapped. */
static struct {
    struct range *ranges;
    size_t count, capacity;
} stacks;

static int grow_ranges(void)
{
    size_t capacity = stacks.capacity ? stacks.capacity * 4 : 1024;
    struct range *ranges =
        (struct range *)sys_call(SYS_mmap, 0, (long)(capacity * sizeof(*ranges)),
                                 PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if ((uintptr_t)ranges > (uintptr_t)-4096)
        return (int)(intptr_t)ranges;
    for (size_t i = 0; i < stacks.count; i++)
        ranges[i] = stacks.ranges[i];
    stacks.ranges = ranges;
    stacks.capacity = capacity;
    return 0;
}

static int add_range(const struct range *range)
{
    if (stacks.count == stacks.capacity) {
        int result = grow_ranges();

        if (result != 0)
            return result;
    }
    stacks.ranges[stacks.count++] = *range;
    return 0;
}

/* The parser's state for a line "7f006034d000-7f0060370000 rw-p ...". It takes one byte at a time and calls no libc:
 * the held function may be of libc. */
struct line {
    struct range range;
    uintptr_t value;
    uint64_t tail; /* the line's last eight characters */
    unsigned field, at;
    bool readable, writable;
};

static const uint64_t STACK_TAIL = UINT64_C(0x205b737461636b5d); /* " [stack]" */

static int take_mapping(struct line *line, char c)
{
    int result = 0;

    if (c == '\n') {
        line->range.main = line->tail == STACK_TAIL;
        result = line->readable && line->writable ? add_range(&line->range) : 0;
        *line = (struct line){0};
    } else if (line->field == 0 && (c == '-' || c == ' ')) {
        if (c == '-')
            line->range.begin = line->value;
        else
            line->range.end = line->value;
        line->field = c == ' ';
        line->value = 0;
    } else if (line->field == 0) {
        line->value = line->value << 4 | (uintptr_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    } else if (line->at < 2) {
        line->readable = line->readable || c == 'r';
        line->writable = line->writable || c == 'w';
        line->at++;
    }
    line->tail = line->tail << 8 | (uint8_t)c;
    return result;
}

int stacks_look(void)
{
    char buffer[4096];
    struct line line = {0};
    ssize_t n = 0;
    int result = 0, maps = host_open("/proc/thread-self/maps", O_RDONLY | O_CLOEXEC);

    if (maps < 0)
        return maps;
    stacks.count = 0;
    while (result == 0 && (n = sys_read(maps, buffer, sizeof(buffer))) > 0)
        for (ssize_t i = 0; i < n && result == 0; i++)
            result = take_mapping(&line, buffer[i]);
    sys_close(maps);
    return result != 0 ? result : (int)n;
}

BARE static const struct range *range_of(uintptr_t pointer)
{
    for (size_t i = 0; i < stacks.count; i++)
        if (pointer >= stacks.ranges[i].begin && pointer < stacks.ranges[i].end)
            return &stacks.ranges[i];
    return NULL;
}

/* Return the end of the calling thread's stack. The kernel may merge a stack's mapping with its neighbours', which
 * other threads may unmap. So the mapping's end is not used: a thread that libc made has its thread pointer at the end
 * of its stack (ELF Handling For Thread-Local Storage, 3.4.6). */
BARE uintptr_t own_stack_end(uintptr_t pointer)
{
    uintptr_t own = (uintptr_t)__builtin_thread_pointer(), end;
    const struct range *range = range_of(pointer);

    if (!range || (!range->main && (own <= pointer || own >= range->end)))
        return 0;
    end = range->main ? range->end : own;
    return end - pointer > LARGEST ? 0 : end;
}

BARE bool own_stack_leads_into(uintptr_t pointer, uintptr_t stack_end, uintptr_t begin,
                               uintptr_t end)
{
    for (uintptr_t at = pointer & ~UINT64_C(7); at + 8 <= stack_end; at += 8) {
        uintptr_t word = *(const volatile uintptr_t *)at;

        if (word > begin && word < end)
            return true;
    }
    return false;
}

/* Reading an unmapped address returns -EFAULT; it does not raise SIGSEGV. A process that is not dumpable
 * cannot open its memory file, and reads with process_vm_readv(2). Under a seccomp filter it does not: some filters,
 * made for services, end a process that calls process_vm_readv(2). */
bool stacks_read(int memory, void *to, uintptr_t from, size_t size)
{
    struct iovec here = {to, size}, there = {(void *)from, size};
    long n = -EPERM;

    if (memory >= 0)
        n = sys_pread(memory, to, size, (off_t)from);
    else if (!text_poke_under_filter())
        n = sys_call(SYS_process_vm_readv, sys_getpid(), (long)&here, 1, (long)&there, 1, 0);
    return n == (long)size;
}

bool stack_leads_into(uintptr_t pointer, uintptr_t begin, uintptr_t end)
{
    const struct range *range = range_of(pointer);
    uintptr_t at = pointer & ~UINT64_C(7), stack_end = range ? range->end : at, words[512];
    int memory = sys_open_own_memory(O_RDONLY);
    bool leads = !range || stack_end - at > LARGEST;

    while (at < stack_end && !leads) {
        size_t size = stack_end - at < sizeof(words) ? stack_end - at : sizeof(words);

        leads = !stacks_read(memory, words, at, size) ||
                own_stack_leads_into((uintptr_t)words, (uintptr_t)words + size, begin, end);
        at += size;
    }
    if (memory >= 0)
        sys_close(memory);
    return leads;
}
