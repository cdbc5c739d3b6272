/*
 * short_patch.c - this way needs no trap, no position of a thread and no signal mask.
 *
 *              entry                      the pad, between two functions
 *     before   48 89 f8  mov %rdi,%rax    66 0f 1f 44 00 00  nop
 *     first    48 89 f8  mov %rdi,%rax    e9 .. .. .. .. 00  jmp stub    no thread executes the pad
 *     then     eb .. f8  jmp pad          e9 .. .. .. .. 00  jmp stub    one store of two bytes
 *
 * The first instruction has at least two bytes, so no other instruction begins in the two bytes that change. A thread
 * that had stopped at the entry executes the old instruction or the jump. A thread that had stopped after the first
 * instruction continues there. Both bytes lie in one aligned word, so no thread sees one byte without the other.
 * Between the two steps membarrier(2) serialises every processor. So no processor that sees the short jump has the old
 * bytes of the pad (Intel SDM 3A, 9.1.3; AMD APM 2, 7.6.1).
 *
 * Disarming is the same store with the old bytes. The pad keeps the long jump: a thread may be between the two jumps.
 *
 * Where pages cannot be made writable, /proc/thread-self/mem writes byte by byte, and another thread could see one of
 * the two bytes alone. There the page is replaced instead (page_replace.h).
 */
#include "loader/text/short_patch.h"

#include "base/refusal.h"
#include "base/slot_names.h"
#include "base/sys.h"
#include "loader/text/page_replace.h"
#include "loader/text/text_poke.h"

enum stores { UNKNOWN, ALLOWED, REFUSED };

/* Return whether pages of code become writable when mprotect(2) asks for it. A process may later forbid itself to do
 * so. */
static enum stores stores_at(uintptr_t address, int protection)
{
    static enum stores known;
    struct text_poke poke;

    if (known != UNKNOWN)
        return known;
    if (text_poke_open(&poke, address, ARCH_SHORT_BYTES, protection, true) != 0)
        return REFUSED;
    known = poke.stores ? ALLOWED : REFUSED;
    text_poke_close(&poke);
    return known;
}

static bool can_exchange(uintptr_t address)
{
    struct page_replace replaced = {.page = 0};
    int result =
        page_replace_prepare(&replaced, address, (const uint8_t *)address, ARCH_SHORT_BYTES);

    page_replace_end(&replaced);
    return result == 0;
}

/* Return whether the two bytes can be changed at once. Under a seccomp filter the system calls of a page replacement
 * may end the process. */
bool short_patch_possible(uintptr_t address, int protection)
{
    return text_poke_sync_ready() == 0 && !text_poke_under_filter() &&
           (stores_at(address, protection) == ALLOWED || can_exchange(address));
}

bool short_patch_stores(uintptr_t address, int protection)
{
    return !text_poke_under_filter() && stores_at(address, protection) == ALLOWED;
}

/* Store the two bytes. Return 0, or -errno with nothing changed. */
static int store_short(const struct text_poke *poke, uintptr_t address,
                       const uint8_t bytes[ARCH_SHORT_BYTES])
{
    struct page_replace replaced = {.page = 0};
    int result;

    if (poke->stores) {
        text_poke_store2(address, bytes);
        return 0;
    }
    result = page_replace_prepare(&replaced, address, bytes, ARCH_SHORT_BYTES);
    if (result == 0)
        result = page_replace_do(&replaced);
    page_replace_end(&replaced);
    return result;
}

POKE_BARE static bool holds(uintptr_t address, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((const volatile uint8_t *)address)[i] != bytes[i])
            return false;
    return true;
}

/* Return whether the pad holds the jump already: it was written ahead, or the site was armed before. A thread may be
 * about to execute the pad then. */
static bool has_pad(const struct text_patch *patch)
{
    return holds(patch->prologue->pad, patch->jump, ARCH_LONG_BYTES);
}

static int write_pad(const struct text_poke *poke, const struct text_patch *patch)
{
    uintptr_t pad = patch->prologue->pad;
    int result = 0;

    for (unsigned i = 0; i < ARCH_LONG_BYTES && result == 0; i++)
        result = text_poke_byte(poke, pad + i, patch->jump[i]);
    return result;
}

/* Open the pages of the entry and of the pad for writing. The two lie within about 130 bytes. */
static int open_both(struct text_poke *poke, const struct text_patch *patch)
{
    const struct arch_prologue *p = patch->prologue;
    uintptr_t begin = p->pad < p->jump ? p->pad : p->jump;
    uintptr_t end = p->pad > p->jump ? p->pad + ARCH_LONG_BYTES : p->jump + ARCH_SHORT_BYTES;

    return text_poke_open(poke, begin, end - begin, patch->protection, true);
}

int short_patch_ahead(const struct text_patch *patch)
{
    struct text_poke poke;
    int result;

    if (has_pad(patch))
        return 0;
    result = open_both(&poke, patch);
    if (result != 0)
        return result;
    result = write_pad(&poke, patch);
    text_poke_close(&poke);
    return result;
}

static const char *swap_bytes(const struct text_patch *patch, const uint8_t *bytes, bool in,
                              struct site_problem *why)
{
    struct text_poke poke;
    int result = open_both(&poke, patch);

    if (result == 0) {
        if (in && !has_pad(patch)) {
            result = write_pad(&poke, patch);
            text_poke_sync();
        }
        if (result == 0)
            result = store_short(&poke, patch->prologue->jump, bytes);
        text_poke_close(&poke);
    }
    if (result == 0)
        return TECHNIQUE_SHORT;
    site_refuse(why, HP_STORE, "write the function's code: %s", sys_error(result));
    return NULL;
}

const char *short_patch_in(const struct text_patch *patch, struct site_problem *why)
{
    uint8_t bytes[ARCH_SHORT_BYTES];

    arch_short_bytes(patch->prologue, bytes);
    return swap_bytes(patch, bytes, true, why);
}

const char *short_patch_out(const struct text_patch *patch, struct site_problem *why)
{
    return swap_bytes(patch, patch->prologue->bytes, false, why);
}
