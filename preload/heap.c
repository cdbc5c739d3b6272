/*
 * heap.c - see heap.h.
 *
 * Small pieces are cut from chunks. A freed piece goes into a list of its size class; there are four classes for each
 * doubling of the size. Large pieces are mappings of their own.
 *
 *      | tag, size | memory ...            tag: the address, which no other allocator's memory has here
 */
#include "preload/heap.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/state.h"
#include "base/sys.h"

#define TAG UINT64_C(0x68705f6d656d6f72)
#define PAGE ((size_t)4096)
#define UNIT ((size_t)16)
#define SMALL_MAX ((size_t)32768)
#define CHUNK ((size_t)128 << 10)
#define CLASSES 40
#define MOVED (SIZE_MAX / 2 + 1) /* in `size`: offset in the allocation */

struct block_head {
    uint64_t tag;
    size_t
        size; /* bytes of the memory after it; of a large piece those of its mapping less the head */
};

/* Placed before the head of memory that begins with a page. */
struct page_note {
    _Alignas(16) struct page_note *next; /* 16: the head that follows must be aligned */
};

struct free_piece {
    struct free_piece *next;
};

static struct {
    struct lock lock;
    _Atomic uintptr_t fork_holder; /* thread that holds the lock during its fork(); 0: none */
    size_t mapped;
    char *at, *end; /* free part of the newest chunk */
    struct page_note
        *_Atomic pages; /* memory that begins with a page; changed while the lock is held */
    struct free_piece *given_back[CLASSES];
} heap STATE;

/* First chunk, for the constructor's allocations: most processes need no other. */
static _Alignas(16) char first_chunk[1024] STATE;
static bool first_used STATE;

/* Take the lock, unless the calling thread holds it during its fork(): a fork handler of the host may call the
 * run-time API. Return whether the lock was taken. */
static bool enter_heap(void)
{
    if (atomic_load_explicit(&heap.fork_holder, memory_order_relaxed) == sys_thread())
        return false;
    lock_acquire(&heap.lock);
    return true;
}

static void leave_heap(bool entered)
{
    if (entered)
        lock_release(&heap.lock);
}

static void *out_of_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

static long map_heap_pages(size_t size)
{
    return sys_call(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                    -1, 0);
}

/* Map pages. After mlockall(MCL_FUTURE) new pages count as locked, and the limit refuses them (EAGAIN). One unlocked
 * page can be grown to any number of pages that are not locked. */
void *heap_map(size_t size)
{
    long at = map_heap_pages(size);

    if (at == -EAGAIN) {
        long page = map_heap_pages(PAGE);

        if (page > 0) {
            sys_call3(SYS_munlock, page, (long)PAGE, 0);
            at = sys_call4(SYS_mremap, page, (long)PAGE, (long)size, MREMAP_MAYMOVE);
            if (at < 0)
                sys_call3(SYS_munmap, page, (long)PAGE, 0);
        }
    }
    return at < 0 && at > -(long)PAGE ? NULL : (void *)at;
}

static struct block_head *head_of(const void *memory)
{
    return (struct block_head *)(uintptr_t)memory - 1;
}

static void *set_head(struct block_head *head, size_t size)
{
    head->tag = TAG ^ (uintptr_t)(head + 1);
    head->size = size;
    return head + 1;
}

static bool at_page(const void *memory)
{
    return (uintptr_t)memory % PAGE == 0;
}

static struct page_note *note_of(const void *memory)
{
    return (struct page_note *)(void *)head_of(memory) - 1;
}

static bool is_noted(const void *memory)
{
    const struct page_note *note;
    bool entered;

    if (!atomic_load_explicit(&heap.pages, memory_order_relaxed))
        return false;
    entered = enter_heap();
    note = atomic_load_explicit(&heap.pages, memory_order_relaxed);
    while (note && note != note_of(memory))
        note = note->next;
    leave_heap(entered);
    return note != NULL;
}

/* Return whether the memory is of this heap, by the head before it. AddressSanitizer reports this read as an overrun
 * for another allocator's memory. Before memory that begins with a page no page need be mapped: such memory of this
 * heap is in a list. */
__attribute__((no_sanitize("address"))) bool heap_owns(const void *memory)
{
    if (!memory || (uintptr_t)memory % UNIT != 0)
        return false;
    if (at_page(memory))
        return is_noted(memory);
    return head_of(memory)->tag == (TAG ^ (uintptr_t)memory);
}

/* ---- size classes: 16, 32 ... 128, 160, 192, 224, 256, 320 ... 32768 ---- */

static unsigned class_of(size_t size)
{
    const size_t last = (size ? size : 1) - 1;
    unsigned doubling;

    if (last < 128)
        return (unsigned)(last / UNIT);
    doubling = 63 - (unsigned)__builtin_clzl(last);
    return 8 + (doubling - 7) * 4 + (unsigned)((last >> (doubling - 2)) & 3);
}

static size_t class_size(unsigned class)
{
    unsigned doubling = 7 + (class - 8) / 4;

    if (class < 8)
        return (class + 1) * UNIT;
    return (size_t)(5 + (class - 8) % 4) << (doubling - 2);
}

static bool next_chunk(size_t needed)
{
    char *chunk = first_chunk;
    size_t size = sizeof(first_chunk);

    if (first_used || needed > sizeof(first_chunk)) {
        size = CHUNK;
        chunk = heap.mapped + size > HEAP_LIMIT ? NULL : heap_map(size);
        if (!chunk)
            return false;
        heap.mapped += size;
    } else {
        first_used = true;
    }
    heap.at = chunk;
    heap.end = chunk + size;
    return true;
}

static void *take_small(size_t size)
{
    unsigned class = class_of(size);
    struct free_piece *piece = heap.given_back[class];
    size_t whole = class_size(class) + sizeof(struct block_head);
    struct block_head *head;

    if (piece) {
        heap.given_back[class] = piece->next;
        return piece;
    }
    if ((size_t)(heap.end - heap.at) < whole + UNIT && !next_chunk(whole + UNIT))
        return NULL;
    if (at_page(heap.at + sizeof(struct block_head)))
        heap.at += UNIT;
    head = (struct block_head *)(void *)heap.at;
    heap.at += whole;
    return set_head(head, class_size(class));
}

static size_t mapping_size(size_t size)
{
    return (size + sizeof(struct block_head) + PAGE - 1) / PAGE * PAGE;
}

static void *take_large(size_t size)
{
    size_t whole = mapping_size(size);
    struct block_head *head = heap.mapped + whole > HEAP_LIMIT ? NULL : heap_map(whole);

    if (!head)
        return NULL;
    heap.mapped += whole;
    return set_head(head, whole - sizeof(*head));
}

void *heap_allocate(size_t size)
{
    bool entered;
    void *memory;

    if (size > HEAP_LIMIT)
        return out_of_memory();
    entered = enter_heap();
    memory = size <= SMALL_MAX ? take_small(size) : take_large(size);
    leave_heap(entered);
    return memory ? memory : out_of_memory();
}

static char *align(char *memory, size_t alignment)
{
    return (char *)(((uintptr_t)memory + alignment - 1) & ~(uintptr_t)(alignment - 1));
}

static void note_pages(void *memory)
{
    struct page_note *note = note_of(memory);
    bool entered = enter_heap();

    note->next = atomic_load_explicit(&heap.pages, memory_order_relaxed);
    atomic_store_explicit(&heap.pages, note, memory_order_release);
    leave_heap(entered);
}

/* Remove the memory from the list of whole pages. Call with the lock held. */
static void forget_pages(const void *memory)
{
    struct page_note *note = note_of(memory), *at;

    at = atomic_load_explicit(&heap.pages, memory_order_relaxed);
    if (at == note) {
        atomic_store_explicit(&heap.pages, note->next, memory_order_relaxed);
        return;
    }
    while (at->next != note)
        at = at->next;
    at->next = note->next;
}

void *heap_allocate_aligned(size_t alignment, size_t size)
{
    char *memory, *aligned;

    if (alignment <= UNIT)
        return heap_allocate(size);
    if (alignment > HEAP_LIMIT || size > HEAP_LIMIT)
        return out_of_memory();
    memory = heap_allocate(size + 2 * alignment);
    if (!memory)
        return NULL;
    aligned = align(memory, alignment);
    if (alignment >= PAGE)
        note_pages(aligned = align(memory + sizeof(struct page_note) + sizeof(struct block_head),
                                   alignment));
    else if (at_page(aligned))
        aligned += alignment;
    return aligned == memory ? memory
                             : set_head(head_of(aligned), MOVED | (size_t)(aligned - memory));
}

/* Return the beginning of the allocation, and the offset of `memory` in it. */
static void *beginning(void *memory, size_t *offset)
{
    size_t size = head_of(memory)->size;

    *offset = size & MOVED ? size & ~MOVED : 0;
    return (char *)memory - *offset;
}

static void release_foreign(void *memory)
{
    void (*release)(void *);
    void *symbol = dlsym(RTLD_DEFAULT, "free");

    memcpy(&release, &symbol, sizeof(release));
    if (release)
        release(memory);
}

static void give_back_piece(void *memory, size_t size)
{
    struct free_piece *piece = memory;
    unsigned class;

    if (size > SMALL_MAX) {
        heap.mapped -= size + sizeof(struct block_head);
        sys_call3(SYS_munmap, (long)head_of(memory), (long)(size + sizeof(struct block_head)), 0);
        return;
    }
    class = class_of(size);
    piece->next = heap.given_back[class];
    heap.given_back[class] = piece;
}

void heap_release(void *memory)
{
    size_t offset;
    bool entered;

    if (!memory)
        return;
    if (!heap_owns(memory)) {
        release_foreign(memory);
        return;
    }
    entered = enter_heap();
    if (at_page(memory))
        forget_pages(memory);
    memory = beginning(memory, &offset);
    give_back_piece(memory, head_of(memory)->size);
    leave_heap(entered);
}

/* Resize a large piece that stays large. Its pages are moved; their contents are not copied. */
static void *remap(void *memory, size_t size)
{
    struct block_head *head = head_of(memory);
    size_t before = head->size + sizeof(*head), whole = mapping_size(size);
    bool entered = enter_heap();
    long at = heap.mapped - before + whole > HEAP_LIMIT
                  ? -ENOMEM
                  : sys_call4(SYS_mremap, (long)head, (long)before, (long)whole, MREMAP_MAYMOVE);
    void *result = NULL;

    if (at > 0) {
        heap.mapped = heap.mapped - before + whole;
        result = set_head((struct block_head *)at, whole - sizeof(*head));
    }
    leave_heap(entered);
    return result;
}

void *heap_resize(void *memory, size_t size)
{
    size_t offset, room;
    void *whole, *other;

    if (!memory)
        return heap_allocate(size);
    if (!heap_owns(memory) || size > HEAP_LIMIT)
        return out_of_memory();
    whole = beginning(memory, &offset);
    room = head_of(whole)->size - offset;
    if (size <= room && (room <= SMALL_MAX || size > room / 2))
        return memory;
    if (offset == 0 && room > SMALL_MAX && size > SMALL_MAX && (other = remap(memory, size)))
        return other;
    other = heap_allocate(size);
    if (!other)
        return NULL;
    memcpy(other, memory, size < room ? size : room);
    heap_release(memory);
    return other;
}

/* ---- fork ---- */

void heap_fork_prepare(uint64_t until)
{
    (void)until; /* the lock is held for microseconds */
    if (lock_acquire_until(&heap.lock, clock_ms() + 200))
        atomic_store_explicit(&heap.fork_holder, sys_thread(), memory_order_relaxed);
}

void heap_fork_parent(void)
{
    if (atomic_load_explicit(&heap.fork_holder, memory_order_relaxed) != sys_thread())
        return;
    atomic_store_explicit(&heap.fork_holder, 0, memory_order_relaxed);
    lock_release(&heap.lock);
}

/* Reset the heap in a forked child. If another thread was inside the heap, its lists are not used any more; its
 * memory is. */
void heap_fork_child(void)
{
    bool whole = atomic_load_explicit(&heap.fork_holder, memory_order_relaxed) == sys_thread() ||
                 heap.lock.word == 0;

    if (!whole) {
        heap.at = heap.end = NULL;
        memset(heap.given_back, 0, sizeof(heap.given_back));
    }
    atomic_store_explicit(&heap.fork_holder, 0, memory_order_relaxed);
    lock_reset(&heap.lock);
}
