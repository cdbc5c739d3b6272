/*
 * safe_moment.c - see safe_moment.h.
 *
 * A stack is a sequence of runs of frames. The frames of a run are all in libc or all outside it. These rules decide
 * (the lists are in safe_calls.h):
 *
 *   - The innermost run in libc, in a call that waits: safe if none of the functions in the run holds a lock
 *     during the call.
 *   - The innermost run in libc, in a function that computes: safe if the allocator is not on the stack.
 *   - Another run in libc: safe only if its outermost frame is a function that holds none of the locks while it
 *     calls back.
 *   - The outermost run in libc is the start of the thread. It is not checked.
 *   - A frame in ld.so, or in an allocator that replaces libc's: not safe.
 *
 * A function is identified by its first address, or by the call instruction that names it. A function that was left
 * by a jump has no frame.
 */
#include "preload/safe_moment.h"

#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include "base/call_site.h"
#include "base/unwind.h"
#include "preload/allocator.h"
#include "preload/libc_symbols.h"
#include "preload/safe_calls.h"

enum { FRAMES_MAX = 256 };

enum kind { KIND_PLAIN, KIND_LIBC, KIND_LOCKING };

/* program_allocator: of an object that has both an allocator and other code. libc_allocator: of libc. */
static struct allocator program_allocator, libc_allocator;

struct visited {
    uint64_t pc;    /* an address in the function */
    uint64_t start; /* first address of the function; 0: unknown */
    uint64_t back;  /* return address; 0: unknown */
    uint64_t above; /* the stack pointer after its return */
};

static bool allocates(struct allocator *allocator, uint64_t (*symbol)(const char *),
                      const struct visited *frame)
{
    if (!allocator->known)
        allocator_find(allocator, symbol);
    return allocator_has(allocator, frame->start, frame->back);
}

static enum kind kind_of_frame(const struct visited *frame)
{
    struct unwind_object object;

    if (!unwind_object(frame->pc, &object))
        return KIND_PLAIN; /* the vDSO, or code made at run time: without an FDE the walk ends here */
    if (libc_is_at(object.begin))
        return KIND_LIBC;
    if (libc_loader_is_at(object.begin) || libc_allocator_is_at(object.begin))
        return KIND_LOCKING;
    if (libc_allocator_is_part_of(object.begin) &&
        allocates(&program_allocator, libc_allocator_symbol, frame))
        return KIND_LOCKING;
    return KIND_PLAIN;
}

struct stack_walk {
    bool first_run;   /* the walk is still in the interrupted run */
    bool in_libc;     /* the last frame was in libc */
    bool at_call;     /* the interrupted instruction is a system call */
    bool first_waits; /* the innermost frame in libc is a function that waits */
    bool all_wait;    /* each frame of the first run in libc is a function that waits */
    bool all_leaves;
    bool allocates;           /* a frame of the first run is of libc's allocator */
    struct visited outermost; /* the last frame in libc */
    uint64_t above; /* the stack pointer after the return of the innermost frame in libc */
};

/* Return whether `is` is true of the outermost function, by its first address or by its call. */
static bool outermost_is(const struct stack_walk *walk, bool (*is)(uint64_t function))
{
    return is(walk->outermost.start) ||
           (walk->outermost.back && is(call_site_target(walk->outermost.back)));
}

/* Return whether the first run holds none of the locks. */
static bool first_run_is_safe(const struct stack_walk *walk)
{
    if (walk->at_call &&
        (walk->all_wait || outermost_is(walk, safe_call_sleeps) ||
         (walk->first_waits && !walk->allocates && outermost_is(walk, safe_call_waits_inside))))
        return true;
    return walk->all_leaves || (!walk->allocates && outermost_is(walk, safe_call_computes));
}

/* Check a run in libc that has ended: its caller is no part of libc. Return whether the run holds none of the locks. */
static bool run_is_safe(const struct stack_walk *walk)
{
    if (walk->first_run)
        return first_run_is_safe(walk);
    return outermost_is(walk, safe_call_calls_back);
}

/* Return whether `pc` is after a system call instruction, or at one where SA_RESTART has put the pc back. */
static bool is_in_call(uint64_t pc)
{
    return call_site_is_after_syscall(pc) || call_site_is_syscall(pc);
}

/* Begin at the frame that a signal interrupted. A frame interrupted by another signal is checked like the frame that
 * the doorbell interrupted. */
static void begin_run(struct stack_walk *walk, uint64_t pc)
{
    *walk = (struct stack_walk){
        .first_run = true, .all_wait = true, .all_leaves = true, .at_call = is_in_call(pc)};
}

static void visit_libc(struct stack_walk *walk, const struct visited *frame)
{
    if (!walk->in_libc)
        walk->above = frame->above;
    if (walk->first_run) {
        bool waits = safe_call_waits(frame->start);

        walk->first_waits = walk->in_libc ? walk->first_waits : waits;
        walk->all_wait = walk->all_wait && waits;
        walk->all_leaves = walk->all_leaves && safe_call_is_leaf(frame->start);
        walk->allocates = walk->allocates || allocates(&libc_allocator, libc_symbol, frame);
    }
    walk->in_libc = true;
    walk->outermost = *frame;
}

/* Check one frame. Return false if a lock may be held; `until` is then set as for safe_moment(). */
static bool visit_frame(struct stack_walk *walk, const struct visited *frame, bool last,
                        uint64_t *until)
{
    enum kind kind = kind_of_frame(frame);

    *until = kind == KIND_LOCKING ? frame->above : walk->above;
    if (kind == KIND_LOCKING)
        return false;
    if (kind == KIND_LIBC) {
        visit_libc(walk, frame);
        return true;
    }
    /* No frame calls the program's own start: the run in libc before it is libc's start. */
    if (walk->in_libc && !(last && !walk->first_run) && !run_is_safe(walk))
        return false;
    walk->in_libc = walk->first_run = false;
    return true;
}

/* Check the end of the stack. The last run in libc started the thread. If it is also the first run, it was
 * interrupted. */
static bool end_of_stack(const struct stack_walk *walk)
{
    return !walk->in_libc || !walk->first_run || first_run_is_safe(walk);
}

/* Read the frame, and replace `frame` by its caller. */
static enum cfi_result next(struct cfi_frame *frame, struct visited *visited)
{
    struct cfi_function function = {0};
    enum cfi_result result;

    uint64_t pc = frame->value[cfi_machine.pc];

    visited->pc = pc - (frame->signal ? 0 : 1);
    result = unwind_step(frame, &function);
    /* No call returns to the first byte of a function: makecontext(3) has put this address on the stack as the first
     * one. */
    if (result == CFI_NO_FDE && !frame->signal && unwind_function(pc, &function) &&
        function.start == pc) {
        visited->pc = pc;
        result = CFI_END;
    }
    visited->start = function.start;
    visited->back = result == CFI_OK && !frame->signal ? frame->value[cfi_machine.pc] : 0;
    visited->above = result == CFI_OK ? frame->value[cfi_machine.sp] : 0;
    return result;
}

bool safe_moment(const void *context, uint64_t *until)
{
    struct cfi_frame frame;
    struct stack_walk walk;

    *until = 0;
#ifdef HOTPATCH_NAIVE_MOMENT /* the first-ring stress test must fail with this build */
    (void)context;
    return true;
#endif
    if (!libc_symbols_find())
        return false;
    unwind_from_context(&frame, context);
    begin_run(&walk, frame.value[cfi_machine.pc]);
    for (unsigned i = 0; i < FRAMES_MAX; i++) {
        struct visited visited;
        enum cfi_result result = next(&frame, &visited);

        if (result == CFI_NO_FDE || result == CFI_DAMAGED)
            return false;
        if (result == CFI_OK && frame.signal) {
            if (walk.in_libc)
                return false; /* a signal handler that lies in libc */
            begin_run(&walk, frame.value[cfi_machine.pc]);
        } else if (!visit_frame(&walk, &visited, result == CFI_END, until)) {
            return false;
        } else if (result == CFI_END) {
            *until = walk.above;
            return end_of_stack(&walk);
        }
    }
    return false;
}
