/* text_poke.c - see text_poke.h. */
#include "loader/text/text_poke.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/sys.h"

bool text_poke_under_filter(void)
{
    return sys_prctl(PR_GET_SECCOMP, 0, 0, 0) != 0;
}

/* Make the pages writable. The kernel keeps accounting for a page that was writable once, so its mapping stays split
 * from neighbours of the same protection: at most two more mappings for a page of code. */
static int open_stores(struct text_poke *poke)
{
    int result =
        sys_mprotect((void *)poke->begin, poke->end - poke->begin, poke->protection | PROT_WRITE);

    if (result == 0)
        poke->stores = true;
    else /* if there are several mappings, the first may be writable already */
        sys_mprotect((void *)poke->begin, poke->end - poke->begin, poke->protection);
    return result;
}

/* Open the process's memory. The kernel may still refuse every write (proc_mem.force_override=). So the current byte is
 * written again, which also makes the page private. */
POKE_BARE static int open_kernel(struct text_poke *poke, uintptr_t address, size_t size)
{
    int result = sys_open_own_memory(O_RDWR);

    if (result < 0)
        return result;
    poke->memory = result;
    result = text_poke_byte(poke, address, *(volatile uint8_t *)address);
    if (result == 0)
        result =
            text_poke_byte(poke, address + size - 1, *(volatile uint8_t *)(address + size - 1));
    if (result != 0) {
        sys_close(poke->memory);
        poke->memory = -1;
    }
    return result;
}

/* ---- for many places ---- */

static struct {
    bool held;
    bool sync_due;
    struct text_poke pages; /* open for stores, or not open */
    int memory;             /* the process's memory, or -1 */
} session = {.memory = -1};

static void close_pages(void)
{
    if (session.pages.stores)
        sys_mprotect((void *)session.pages.begin, session.pages.end - session.pages.begin,
                     session.pages.protection);
    session.pages.stores = false;
}

static bool is_held_open(const struct text_poke *wanted)
{
    return session.pages.stores && wanted->begin >= session.pages.begin &&
           wanted->end <= session.pages.end && wanted->protection == session.pages.protection;
}

void text_poke_hold(void)
{
    session.held = true;
}

void text_poke_sync_later(void)
{
    if (session.held)
        session.sync_due = true;
    else
        text_poke_sync();
}

void text_poke_release(void)
{
    close_pages();
    if (session.sync_due)
        text_poke_sync();
    session.sync_due = false;
    if (session.memory >= 0)
        sys_close(session.memory);
    session.memory = -1;
    session.held = false;
}

/* Close the descriptor in the child of a fork: it belongs to the parent's table. The pages are the child's own. */
void text_poke_after_fork(void)
{
    session.memory = -1;
    text_poke_release();
}

static int borrow_stores(struct text_poke *poke)
{
    int result = 0;

    if (!is_held_open(poke)) {
        close_pages();
        result = open_stores(poke);
        if (result == 0)
            session.pages = *poke;
    }
    poke->stores = result == 0;
    return result;
}

static int borrow_kernel(struct text_poke *poke, uintptr_t address, size_t size)
{
    int result = 0;

    if (is_held_open(poke)) {
        poke->stores = true;
    } else if (session.memory >= 0) {
        poke->memory = session.memory;
    } else {
        result = open_kernel(poke, address, size);
        session.memory = poke->memory;
    }
    return result;
}

static int by_stores(struct text_poke *poke)
{
    return poke->lent ? borrow_stores(poke) : open_stores(poke);
}

static int by_kernel(struct text_poke *poke, uintptr_t address, size_t size)
{
    return poke->lent ? borrow_kernel(poke, address, size) : open_kernel(poke, address, size);
}

int text_poke_open(struct text_poke *poke, uintptr_t address, size_t size, int protection,
                   bool prefer_stores)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    int result;

    *poke = (struct text_poke){.begin = address & ~(page - 1),
                               .end = (address + size + page - 1) & ~(page - 1),
                               .protection = protection,
                               .memory = -1,
                               .lent = session.held};
    if (prefer_stores && !text_poke_under_filter()) {
        result = by_stores(poke);
        return result != 0 && by_kernel(poke, address, size) == 0 ? 0 : result;
    }
    result = by_kernel(poke, address, size);
    return result != 0 && by_stores(poke) == 0 ? 0 : result;
}

void text_poke_close(struct text_poke *poke)
{
    if (poke->stores && !poke->lent)
        sys_mprotect((void *)poke->begin, poke->end - poke->begin, poke->protection);
    if (poke->memory >= 0 && !poke->lent)
        sys_close(poke->memory);
    poke->stores = false;
    poke->memory = -1;
}

POKE_BARE int text_poke_byte(const struct text_poke *poke, uintptr_t address, uint8_t byte)
{
    ssize_t n;

    if (poke->stores) {
        __atomic_store_n((uint8_t *)address, byte, __ATOMIC_SEQ_CST);
        return 0;
    }
    n = sys_pwrite(poke->memory, &byte, 1, (off_t)address);
    return n == 1 ? 0 : n < 0 ? (int)n : -EIO;
}

int text_poke_bytes(const struct text_poke *poke, uintptr_t address, const uint8_t *bytes,
                    size_t count)
{
    int result = 0;

    for (size_t i = 0; i < count && result == 0; i++)
        result = text_poke_byte(poke, address + i, bytes[i]);
    return result;
}

int text_poke_word(const struct text_poke *poke, uintptr_t aligned, uint64_t word)
{
    ssize_t n;

    if (poke->stores) {
        text_poke_store8(aligned, word);
        return 0;
    }
    n = sys_pwrite(poke->memory, &word, sizeof(word), (off_t)aligned);
    return n == sizeof(word) ? 0 : n < 0 ? (int)n : -EIO;
}

/* Store two bytes. No other thread changes the other six bytes of the word: the engine lock is held. */
POKE_BARE void text_poke_store2(uintptr_t address, const uint8_t bytes[2])
{
    uintptr_t aligned = address & ~(uintptr_t)7;
    unsigned shift = (unsigned)(address & 7) * 8;
    uint64_t word = __atomic_load_n((uint64_t *)aligned, __ATOMIC_RELAXED);

    word &= ~(UINT64_C(0xffff) << shift);
    word |= ((uint64_t)bytes[0] | (uint64_t)bytes[1] << 8) << shift;
    text_poke_store8(aligned, word);
}

POKE_BARE void text_poke_store8(uintptr_t aligned, uint64_t word)
{
    __atomic_store_n((uint64_t *)aligned, word, __ATOMIC_SEQ_CST);
}
