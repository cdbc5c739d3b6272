/*
 * frames.c - see frames.h.
 *
 * /proc shows a sleeping thread's PC and SP alone. Call frame information gives the callers' registers that are saved
 * on the stack (cfi.h works with the registers that are known). Where a frame is found by the frame pointer, which no
 * callee has saved, the lowest place that can be its saved pair is taken: a pointer further up the stack, and a
 * return address.
 */
#include "loader/text/frames.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/sys_wait.h"
#include "base/unwind.h"
#include "loader/text/stacks.h"
#include "loader/text/thread_scan.h"

enum {
    LOOKS = 10,          /* at a thread that runs, a millisecond after each other */
    FRAMES_MAX = 256,    /* of one thread */
    WORDS_SEARCHED = 512 /* for a saved frame pointer */
};

struct frames_reader {
    int memory;
};

static bool read_process(void *context, uint64_t address, void *to, size_t size)
{
    const struct frames_reader *reader = context;

    return stacks_read(reader->memory, to, address, size);
}

static bool add_frame(struct thread_frames *frames, pid_t entry, uintptr_t function)
{
    if (frames->count == frames->capacity) {
        size_t capacity = frames->capacity ? frames->capacity * 2 : 256;
        struct thread_frame *list = realloc(frames->list, capacity * sizeof(*list));

        if (!list) {
            frames->cut = true;
            return false;
        }
        frames->list = list;
        frames->capacity = capacity;
    }
    frames->list[frames->count++] = (struct thread_frame){entry, function};
    return true;
}

static enum cfi_result step(const struct cfi_memory *memory, struct cfi_frame *frame,
                            struct cfi_function *function)
{
    uint64_t pc = frame->value[cfi_machine.pc] - (frame->signal ? 0 : 1);
    struct unwind_object object;

    if (!unwind_object(pc, &object) || !object.table)
        return CFI_NO_FDE;
    return cfi_step(memory, object.table, frame, function);
}

/* Find the frame pointer of a function that has saved its caller's at it, with the return address above. */
static bool guess_frame_pointer(const struct cfi_memory *memory, struct cfi_frame *frame)
{
    uint64_t at = frame->value[cfi_machine.sp] & ~UINT64_C(7), pair[2];
    struct unwind_object object;

    for (int i = 0; i < WORDS_SEARCHED; i++, at += 8) {
        if (!memory->read(memory->context, at, pair, sizeof(pair)))
            return false;
        if ((pair[0] <= 1 || (pair[0] > at + 8 && pair[0] - at < (8 << 20))) &&
            unwind_object(pair[1] - 1, &object)) {
            frame->value[cfi_machine.fp] = at;
            frame->known |= 1U << cfi_machine.fp;
            return true;
        }
    }
    return false;
}

static enum cfi_result step_or_guess(const struct cfi_memory *memory, struct cfi_frame *frame,
                                     struct cfi_function *function)
{
    enum cfi_result result = step(memory, frame, function);

    if (result != CFI_DAMAGED || frame->known >> cfi_machine.fp & 1 ||
        !guess_frame_pointer(memory, frame))
        return result;
    return step(memory, frame, function);
}

/* Add the functions of a thread that sleeps. They are dropped again if the thread has moved on. Return false if nothing of it
 * is known. */
static bool unwind_thread(struct thread_frames *frames, pid_t entry, struct frames_reader *reader)
{
    const struct cfi_memory memory = {.read = read_process, .context = reader};
    struct cfi_frame frame = {.signal = true};
    struct cfi_function function = {0};
    size_t before = frames->count;
    uintptr_t pc, sp, pc_now, sp_now;

    if (!thread_scan_sleeps(entry, &pc, &sp))
        return false;
    frame.value[cfi_machine.pc] = pc;
    frame.value[cfi_machine.sp] = sp;
    frame.known = 1U << cfi_machine.pc | 1U << cfi_machine.sp;
    for (int i = 0; i < FRAMES_MAX; i++) {
        enum cfi_result result = step_or_guess(&memory, &frame, &function);

        if (function.start)
            add_frame(frames, entry, function.start);
        function = (struct cfi_function){0};
        if (result != CFI_OK)
            break;
    }
    if (thread_scan_sleeps(entry, &pc_now, &sp_now) && pc_now == pc && sp_now == sp)
        return true;
    frames->count = before;
    return false;
}

/* Look once at each thread of which nothing is known, and keep those that ran again. */
static void look_at_running(struct thread_frames *frames, struct frames_reader *reader)
{
    size_t kept = 0;

    for (size_t i = 0; i < frames->running_count; i++) {
        pid_t entry = frames->running[i];

        if (!unwind_thread(frames, entry, reader) && thread_scan_runs(entry))
            frames->running[kept++] = entry;
    }
    frames->running_count = kept;
}

static void unwind_threads(struct thread_frames *frames, const struct thread_scan *scan,
                           struct frames_reader *reader, uint64_t until)
{
    frames->running = malloc((scan->count + 1) * sizeof(*frames->running));
    frames->cut = !frames->running;
    for (size_t i = 0; frames->running && i < scan->count; i++) {
        if (clock_ms() > until) {
            frames->cut = true;
            break;
        }
        if (!unwind_thread(frames, scan->threads[i].entry, reader))
            frames->running[frames->running_count++] = scan->threads[i].entry;
    }
}

void frames_look(struct thread_frames *frames, unsigned milliseconds)
{
    struct frames_reader reader = {.memory = sys_open_own_memory(O_RDONLY)};
    uint64_t until = clock_ms() + milliseconds;
    struct thread_scan scan;

    *frames = (struct thread_frames){0};
    if (thread_scan_look(&scan) == 0)
        unwind_threads(frames, &scan, &reader, until);
    for (int i = 1; i < LOOKS && frames->running_count && clock_ms() <= until; i++) {
        sys_pause(1);
        look_at_running(frames, &reader);
    }
    if (reader.memory >= 0)
        sys_close(reader.memory);
}

void frames_free(struct thread_frames *frames)
{
    free(frames->list);
    free(frames->running);
    *frames = (struct thread_frames){0};
}
