/*
 * safe_moment.c - see safe_moment.h.
 *
 * A stack is a sequence of runs of frames, each in libc or not. What decides (safe_calls.h has the lists):
 *
 *   - the innermost run in libc: safe in a call that waits, if none of the functions that it was called
 *     through holds a lock meanwhile; in one that computes, if the allocator is not on the stack;
 *   - another run in libc: safe only where its outermost frame is a function that holds none of the
 *     locks while it calls back;
 *   - the outermost run in libc: what started the thread; does not count;
 *   - a frame in ld.so, or in an allocator that stands in for libc's: not safe.
 *
 * A function is known by where it begins, or by the call that names it: what was left by a jump has no frame.
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

/* Of the object that has both an allocator and other code; of libc. */
static struct allocator program_allocator, libc_allocator;

struct visited {
    uint64_t pc;    /* in the function */
    uint64_t start; /* where it begins; 0: unknown */
    uint64_t back;  /* where it returns to; 0: unknown */
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
        return KIND_PLAIN; /* the vDSO, code made at run time: without an FDE the walk ends there */
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
    bool first_run;   /* the run that was interrupted is not over */
    bool in_libc;     /* the last frame was in libc */
    bool at_call;     /* what was interrupted is a system call */
    bool first_waits; /* the innermost frame in libc is a function that waits */
    bool all_wait;    /* each frame of the first run in libc is one */
    bool all_leaves;
    bool allocates;           /* one of them is of libc's allocator */
    struct visited outermost; /* the last frame in libc */
    uint64_t above;           /* after the return of the innermost one */
};

/* Is the outermost function, as it begins or as it was called, one of those? */
static bool outermost_is(const struct stack_walk *walk, bool (*is)(uint64_t function))
{
    return is(walk->outermost.start) ||
           (walk->outermost.back && is(call_site_target(walk->outermost.back)));
}

/* Does the first run hold none of the locks? */
static bool first_run_is_safe(const struct stack_walk *walk)
{
    if (walk->at_call &&
        (walk->all_wait || outermost_is(walk, safe_call_sleeps) ||
         (walk->first_waits && !walk->allocates && outermost_is(walk, safe_call_waits_inside))))
        return true;
    return walk->all_leaves || (!walk->allocates && outermost_is(walk, safe_call_computes));
}

/* A run in libc has ended; what called it is no part of libc. */
static bool run_is_safe(const struct stack_walk *walk)
{
    if (walk->first_run)
        return first_run_is_safe(walk);
    return outermost_is(walk, safe_call_calls_back);
}

/* After the instruction, or at it, where SA_RESTART has put the pc back. */
static bool is_in_call(uint64_t pc)
{
    return call_site_is_after_syscall(pc) || call_site_is_syscall(pc);
}

/* What a signal interrupted counts as what the doorbell interrupted. */
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

/* False: a lock may be held; `until` as safe_moment() says. */
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
    /* The program's own start is called by nothing: the run in libc before it is libc's start. */
    if (walk->in_libc && !(last && !walk->first_run) && !run_is_safe(walk))
        return false;
    walk->in_libc = walk->first_run = false;
    return true;
}

/* The last run in libc started the thread; where it is the first one, it is what was interrupted. */
static bool end_of_stack(const struct stack_walk *walk)
{
    return !walk->in_libc || !walk->first_run || first_run_is_safe(walk);
}

/* Read the frame and make `frame` its caller. */
static enum cfi_result next(struct cfi_frame *frame, struct visited *visited)
{
    struct cfi_function function = {0};
    enum cfi_result result;

    uint64_t pc = frame->value[cfi_machine.pc];

    visited->pc = pc - (frame->signal ? 0 : 1);
    result = unwind_step(frame, &function);
    /* No call returns to the first byte of a function: makecontext(3) has put it there, to be the first. */
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
#ifdef HOTPATCH_NAIVE_MOMENT /* what the torture of first rings must find out */
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
                return false; /* a handler of libc's own */
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
