/* watch.c - see watch.h. */
#include "tests/support/watch.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/text/page_replace.h"
#include "loader/text/short_patch.h"
#include "loader/text/text_patch.h"
#include "loader/text/text_poke.h"
#include "loader/text/thread_scan.h"
#include "tests/support/harness.h"

enum { JUMP_BYTES = 5, INT3 = 0xcc, EVENTS = 4096 };

static const uint8_t SPIN[] = {0xeb, 0xfe};

struct event {
    enum {
        STORE,
        PAD, /* a store into the pad of a short jump, counted from the pad */
        SYNC,
        LEFT
    } kind;
    unsigned first, count; /* of the bytes of the jump */
    uint8_t bytes[JUMP_BYTES];
};

struct watch watch;

/* Abort with a text. cmocka's longjmp() cannot be used during a text patch, in a child, or in another thread. */
static void __attribute__((noreturn, format(printf, 1, 2))) wrong(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

/* The text patch that is being made. */
static const struct text_patch *swap_now;
static bool in_now;
static struct event events[EVENTS];
static unsigned count;
static uint8_t watch_pad_before[JUMP_BYTES];

static void note(struct event event)
{
    if (!swap_now)
        return;
    if (count == EVENTS)
        wrong("more than %d events", EVENTS);
    events[count++] = event;
    if (watch.act && count == watch.at)
        watch.act(watch.argument);
}

static void note_store(uintptr_t address, const uint8_t *bytes, unsigned size)
{
    uintptr_t jump = swap_now ? swap_now->prologue->jump : 0;
    struct event event = {.kind = STORE};

    if (!swap_now)
        return;
    if (swap_now->prologue->pad && address - swap_now->prologue->pad < JUMP_BYTES) {
        event = (struct event){PAD, (unsigned)(address - swap_now->prologue->pad), 1, {*bytes}};
        note(event);
        return;
    }
    if (address + size <= jump || address >= jump + JUMP_BYTES)
        return;
    for (unsigned i = 0; i < size; i++) {
        if (address + i < jump || address + i >= jump + JUMP_BYTES)
            continue;
        if (event.count == 0)
            event.first = (unsigned)(address + i - jump);
        event.bytes[event.count++] = bytes[i];
    }
    note(event);
}

int __real_text_poke_byte(const struct text_poke *poke, uintptr_t address, uint8_t byte);
int __wrap_text_poke_byte(const struct text_poke *poke, uintptr_t address, uint8_t byte);
void __real_text_poke_store2(uintptr_t address, const uint8_t bytes[2]);
void __wrap_text_poke_store2(uintptr_t address, const uint8_t bytes[2]);
int __real_page_replace_do(struct page_replace *replaced);
int __wrap_page_replace_do(struct page_replace *replaced);
void __real_text_poke_store8(uintptr_t aligned, uint64_t word);
void __wrap_text_poke_store8(uintptr_t aligned, uint64_t word);
void __real_text_poke_sync(void);
void __wrap_text_poke_sync(void);
int __real_thread_scan_look(struct thread_scan *scan);
int __wrap_thread_scan_look(struct thread_scan *scan);
const struct scanned_thread *__real_thread_scan_asleep_outside(struct thread_scan *scan,
                                                               uintptr_t begin, uintptr_t end);
const struct scanned_thread *__wrap_thread_scan_asleep_outside(struct thread_scan *scan,
                                                               uintptr_t begin, uintptr_t end);
const struct scanned_thread *__real_thread_scan_unshown(struct thread_scan *scan, uintptr_t begin,
                                                        uintptr_t end);
const struct scanned_thread *__wrap_thread_scan_unshown(struct thread_scan *scan, uintptr_t begin,
                                                        uintptr_t end);
int __real_thread_scan_evacuate(struct thread_scan *scan, uintptr_t begin, uintptr_t end,
                                uint64_t until, pid_t *who);
int __wrap_thread_scan_evacuate(struct thread_scan *scan, uintptr_t begin, uintptr_t end,
                                uint64_t until, pid_t *who);
const char *__real_text_patch_in(const struct text_patch *patch, uint64_t until,
                                 struct site_problem *why);
const char *__wrap_text_patch_in(const struct text_patch *patch, uint64_t until,
                                 struct site_problem *why);
const char *__real_text_patch_out(const struct text_patch *patch, uint64_t until,
                                  struct site_problem *why);
const char *__wrap_text_patch_out(const struct text_patch *patch, uint64_t until,
                                  struct site_problem *why);

int __wrap_text_poke_byte(const struct text_poke *poke, uintptr_t address, uint8_t byte)
{
    int result = __real_text_poke_byte(poke, address, byte);

    note_store(address, &byte, 1);
    return result;
}

void __wrap_text_poke_store2(uintptr_t address, const uint8_t bytes[2])
{
    __real_text_poke_store2(address, bytes);
    note_store(address, bytes, 2);
}

/* Record a page replacement as one store of all bytes of the jump. */
int __wrap_page_replace_do(struct page_replace *replaced)
{
    int result = __real_page_replace_do(replaced);

    if (result == 0 && swap_now)
        note_store(swap_now->prologue->jump, (const uint8_t *)swap_now->prologue->jump, JUMP_BYTES);
    return result;
}

void __wrap_text_poke_store8(uintptr_t aligned, uint64_t word)
{
    __real_text_poke_store8(aligned, word);
    note_store(aligned, (const uint8_t *)&word, 8);
}

void __wrap_text_poke_sync(void)
{
    __real_text_poke_sync();
    note((struct event){.kind = SYNC});
}

int __wrap_thread_scan_evacuate(struct thread_scan *scan, uintptr_t begin, uintptr_t end,
                                uint64_t until, pid_t *who)
{
    int result = __real_thread_scan_evacuate(scan, begin, end, until, who);

    if (result == 0)
        note((struct event){.kind = LEFT});
    return result;
}

static void call_once(void (**function)(void *))
{
    void (*now)(void *) = *function;

    *function = NULL;
    if (now)
        now(watch.argument);
}

int __wrap_thread_scan_look(struct thread_scan *scan)
{
    int result = __real_thread_scan_look(scan);

    call_once(&watch.listed);
    return result;
}

const struct scanned_thread *__wrap_thread_scan_asleep_outside(struct thread_scan *scan,
                                                               uintptr_t begin, uintptr_t end)
{
    const struct scanned_thread *thread = __real_thread_scan_asleep_outside(scan, begin, end);

    if (!thread)
        call_once(&watch.looked);
    return thread;
}

const struct scanned_thread *__wrap_thread_scan_unshown(struct thread_scan *scan, uintptr_t begin,
                                                        uintptr_t end)
{
    const struct scanned_thread *thread = __real_thread_scan_unshown(scan, begin, end);

    if (!thread)
        call_once(&watch.looked);
    return thread;
}

/* ---- bytes that a processor may fetch ---- */

struct model {
    const struct arch_prologue *prologue;
    uint8_t old[JUMP_BYTES], jump[JUMP_BYTES]; /* `old`: the function's own bytes */
    /* a jump as well; it has a jump to itself at boundaries */
    uint8_t hold[JUMP_BYTES];
    uint8_t settled[JUMP_BYTES];
    const struct event *pending[8];
    unsigned count;
    bool inside; /* a thread may be at a boundary */
};

static void apply(const struct event *event, uint8_t image[JUMP_BYTES])
{
    memcpy(image + event->first, event->bytes, event->count);
}

static void one_image(const struct model *model, unsigned seen, uint8_t image[JUMP_BYTES])
{
    memcpy(image, model->settled, JUMP_BYTES);
    for (unsigned i = 0; i < model->count; i++)
        if (seen >> i & 1)
            apply(model->pending[i], image);
}

static bool is_old_instruction(const struct model *model, unsigned i, const uint8_t *image)
{
    unsigned begin = model->prologue->start[i], end = model->prologue->start[i + 1];

    if (end > JUMP_BYTES)
        end = JUMP_BYTES;
    return memcmp(image + begin, model->old + begin, end - begin) == 0;
}

static bool entry_is_whole(const struct model *model, const uint8_t *image)
{
    if (image[0] == INT3 && model->old[0] != INT3)
        return !watch.untrappable;
    return is_old_instruction(model, 0, image) || memcmp(image, model->jump, JUMP_BYTES) == 0 ||
           memcmp(image, model->hold, JUMP_BYTES) == 0;
}

static bool boundary_is_whole(const struct model *model, unsigned i, const uint8_t *image)
{
    unsigned at = model->prologue->start[i];
    /* Another trap than int3 is only at the jump's last byte. */
    bool faults =
        at == JUMP_BYTES - 1 && arch_stub_faults(model->prologue) && image[at] == model->jump[at];

    bool spins = at + 1 < JUMP_BYTES && memcmp(image + at, SPIN, 2) == 0;

    return is_old_instruction(model, i, image) || image[at] == INT3 || faults || spins;
}

static void fail_image(const struct model *model, unsigned at, const uint8_t *image)
{
    wrong("%s, %s, event %u: at %u may be fetched %02x %02x %02x %02x %02x", watch.name,
          in_now ? "in" : "out", count, model->prologue->start[at], image[0], image[1], image[2],
          image[3], image[4]);
}

static void check_boundaries(const struct model *model, const uint8_t *image)
{
    for (unsigned i = 1; i < model->prologue->count; i++)
        if (model->prologue->start[i] < JUMP_BYTES && !boundary_is_whole(model, i, image))
            fail_image(model, i, image);
}

/* Return whether the only pending store is of the whole word. A thread that has seen such a store sees it from then on:
 * a thread that came in by the old first instruction sees the same image inside. */
static bool is_one_word(const struct model *model)
{
    return model->count == 1 && model->pending[0]->count == JUMP_BYTES;
}

static void check_images(struct model *model)
{
    bool inside = model->inside, entered = false;
    uint8_t image[JUMP_BYTES];

    for (unsigned seen = 0; seen < 1u << model->count; seen++) {
        bool enters;

        one_image(model, seen, image);
        if (!entry_is_whole(model, image))
            fail_image(model, 0, image);
        enters = image[0] != INT3 && is_old_instruction(model, 0, image);
        entered = entered || enters;
        if (inside || enters)
            check_boundaries(model, image);
    }
    for (unsigned seen = 0; seen < 1u << model->count && entered && !is_one_word(model); seen++) {
        one_image(model, seen, image);
        check_boundaries(model, image);
    }
    model->inside = inside || entered;
}

static void check_event(struct model *model, const struct event *event)
{
    if (event->kind == LEFT)
        model->inside = false;
    if (event->kind == STORE) {
        if (model->count == 8)
            wrong("%s: too many stores before a serialisation", watch.name);
        model->pending[model->count++] = event;
    }
    if (event->kind == SYNC) {
        for (unsigned i = 0; i < model->count; i++)
            apply(model->pending[i], model->settled);
        model->count = 0;
    }
    check_images(model);
}

/* Check the stores of a text patch. A thread that had stopped at a boundary before a punned jump was written may still
 * be there when the jump is removed. */
static void check_swap(const struct text_patch *patch, bool in, bool done)
{
    struct model model = {.prologue = patch->prologue, .inside = in || patch->punned};

    memcpy(model.old, patch->prologue->bytes, JUMP_BYTES);
    memcpy(model.jump, patch->jump, JUMP_BYTES);
    memcpy(model.hold, patch->held ? patch->hold : patch->jump, JUMP_BYTES);
    memcpy(model.settled, in ? model.old : model.jump, JUMP_BYTES);
    for (unsigned i = 0; i < count; i++)
        check_event(&model, &events[i]);
    /* A thread that comes now sees the written bytes. */
    if (model.count != 0 ||
        memcmp(model.settled, in == done ? model.jump : model.old, JUMP_BYTES) != 0)
        wrong("%s, %s: not serialised at the end, or left as it should not be", watch.name,
              in ? "in" : "out");
}

/* ---- short jumps ---- */

/*
 * Check the stores of a short jump. The two bytes change in one store. A thread that may have seen the short jump finds
 * the whole pad: every processor was serialised after the pad's last byte was written, and no later store into the pad
 * follows.
 */
static void check_short(const struct text_patch *patch, bool in, bool done)
{
    uint8_t settled[JUMP_BYTES], pending[JUMP_BYTES], jump[2],
        *old = (uint8_t *)patch->prologue->bytes;
    /* a thread may see the short jump; the short jump is written */
    bool open = !in, now_in = !in;

    arch_short_bytes(patch->prologue, jump);
    memcpy(pending, watch_pad_before, JUMP_BYTES);
    memcpy(settled, pending, JUMP_BYTES);
    for (unsigned i = 0; i < count; i++) {
        const struct event *event = &events[i];

        if (event->kind == SYNC) {
            memcpy(settled, pending, JUMP_BYTES);
            open = now_in;
        } else if (event->kind == PAD) {
            pending[event->first] = event->bytes[0];
            if (open)
                wrong("%s, event %u: the pad changes while it may be entered", watch.name, i);
        } else if (event->kind == STORE) {
            now_in = event->count == 2 && memcmp(event->bytes, jump, 2) == 0;
            if (event->first != 0 || event->count != 2 ||
                (!now_in && memcmp(event->bytes, old, 2) != 0))
                wrong("%s, event %u: half of the jump may be fetched", watch.name, i);
            if (now_in && memcmp(settled, patch->jump, JUMP_BYTES) != 0)
                wrong("%s, event %u: the pad may be fetched as it was", watch.name, i);
            open = open || now_in;
        } else {
            wrong("%s, event %u: no thread matters to a short jump", watch.name, i);
        }
    }
    if (now_in != (in == done))
        wrong("%s: left as it should not be", watch.name);
}

/* Watch a text patch that a test makes itself. */
bool watch_short_swap(bool (*patch)(const struct text_patch *patch, bool in, void *context),
                      bool in, const struct text_patch *what, void *context)
{
    bool done;

    memcpy(watch_pad_before, (const void *)(uintptr_t)what->prologue->pad, JUMP_BYTES);
    swap_now = what;
    count = 0;
    done = patch(what, in, context);
    swap_now = NULL;
    check_short(what, in, done);
    return done;
}

typedef const char *short_function(const struct text_patch *patch, struct site_problem *why);
short_function __real_short_patch_in, __wrap_short_patch_in;
short_function __real_short_patch_out, __wrap_short_patch_out;

static bool swap_really(const struct text_patch *patch, bool in, void *why)
{
    return (in ? __real_short_patch_in(patch, why) : __real_short_patch_out(patch, why)) != NULL;
}

const char *__wrap_short_patch_in(const struct text_patch *patch, struct site_problem *why)
{
    return watch_short_swap(swap_really, true, patch, why) ? "short" : NULL;
}

const char *__wrap_short_patch_out(const struct text_patch *patch, struct site_problem *why)
{
    return watch_short_swap(swap_really, false, patch, why) ? "short" : NULL;
}

/* ---- long jumps ---- */

typedef const char *swap_function(const struct text_patch *patch, uint64_t until,
                                  struct site_problem *why);

/* Wait until ended threads are gone. A thread that was joined may still be ending, with every signal blocked. */
static void await_those_who_end(void)
{
    struct thread_scan scan;

    while (!watch.untrappable && __real_thread_scan_look(&scan) == 0 && scan.untrappable > 0)
        sched_yield();
}

static const char *watched(swap_function *real, bool in, const struct text_patch *patch,
                           uint64_t until, struct site_problem *why)
{
    const char *how;

    await_those_who_end();
    swap_now = patch;
    in_now = in;
    count = 0;
    how = real(patch, until, why);
    swap_now = NULL;
    check_swap(patch, in, how != NULL);
    return how;
}

const char *__wrap_text_patch_in(const struct text_patch *patch, uint64_t until,
                                 struct site_problem *why)
{
    return watched(__real_text_patch_in, true, patch, until, why);
}

const char *__wrap_text_patch_out(const struct text_patch *patch, uint64_t until,
                                  struct site_problem *why)
{
    return watched(__real_text_patch_out, false, patch, until, why);
}

unsigned watch_arm(const struct shape *shape, unsigned at, void (*act)(void *), void *argument)
{
    watch.name = shape->name;
    watch.at = at;
    watch.act = act;
    watch.argument = argument;
    shape_arm(shape);
    watch.act = NULL;
    return count;
}

unsigned watch_disarm(const struct shape *shape, unsigned at, void (*act)(void *), void *argument)
{
    watch.name = shape->name;
    watch.at = at;
    watch.act = act;
    watch.argument = argument;
    shape_disarm(shape);
    watch.act = NULL;
    return count;
}
