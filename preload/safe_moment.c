/*
 * safe_moment.c - see safe_moment.h.
 *
 * A stack is a sequence of runs of frames, each in libc or not. What decides:
 *
 *   - the innermost run in libc: safe only in a call that waits, of which each frame is a function
 *     that holds none of the locks while it waits (WAITING below);
 *   - another run in libc: safe only where its outermost frame is a function that holds none of the
 *     locks while it calls back (CALLING below);
 *   - the outermost run in libc: what started the thread; does not count;
 *   - a frame in ld.so, or in an object that stands in for libc's allocator: not safe.
 *
 * The functions are known by their exported names, which are looked up once in libc's own hash table.
 */
#include "safe_moment.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include "base/unwind.h"
#include "libc_symbols.h"

enum { FRAMES_MAX = 256 };

/* glibc 2.36: none of these holds a lock while it waits; each is one system call, made with no lock
 * (sysdeps/unix/sysv/linux/), or calls another of them (sleep, usleep: posix/sleep.c). */
static const char *const WAITING[] = {
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll",        "ppoll",        "select",
    "pselect",    "accept",      "accept4",      "recv",        "recvfrom",     "recvmsg",
    "recvmmsg",   "read",        "readv",        "pread64",     "nanosleep",    "clock_nanosleep",
    "sleep",      "usleep",      "pause",        "wait4",       "waitpid",      "wait",
    "waitid",     "sigsuspend",  "sigwait",      "sigwaitinfo", "sigtimedwait", "semop",
    "semtimedop", "msgrcv",      "io_getevents", "connect",     "send",         "sendto",
    "sendmsg",    "write",       "writev",       "flock",       "fcntl",        "fcntl64",
    "thrd_sleep", "syscall",     "open",         "open64",      "openat",       "openat64",
};

/* They wait in one of those above, with no lock but that of their stream (libio/, stdio-common/): those that
 * walk the list of streams (fflush(NULL), fclose, exit) are not among them. */
static const char *const STREAMS[] = {
    "fgets",           "fgetc",          "getc",          "getchar",        "getline",
    "getdelim",        "fread",          "ungetc",        "fgetws",         "fgetwc",
    "fputs",           "fputc",          "putc",          "putchar",        "puts",
    "fwrite",          "printf",         "fprintf",       "vprintf",        "vfprintf",
    "__uflow",         "__overflow",     "__underflow",   "fgets_unlocked", "fread_unlocked",
    "fwrite_unlocked", "fputs_unlocked", "getc_unlocked", "__printf_chk",   "__fprintf_chk",
    "__vfprintf_chk",  "__fgets_chk",    "__fread_chk",
};

/* They call back with none of the locks held: stdlib/msort.c and bsearch.c; misc/lsearch.c and
 * tsearch.c (twalk); elf/dl-iteratephdr.c holds dl_load_write_lock alone, which making a thread does
 * not take; nptl/pthread_once.c. */
static const char *const CALLING[] = {
    "qsort", "qsort_r", "bsearch", "lfind", "lsearch", "twalk", "twalk_r", "dl_iterate_phdr",
};

enum kind { KIND_PLAIN, KIND_LIBC, KIND_LOCKING };

static bool is_one_of(const char *const *names, size_t count, uint64_t start)
{
    for (size_t i = 0; i < count; i++)
        if (libc_symbol(names[i]) == start)
            return true;
    return false;
}

#define IS_ONE_OF(names, start) is_one_of(names, sizeof(names) / sizeof(*(names)), start)

static enum kind kind_of(uint64_t pc)
{
    struct unwind_object object;

    if (!unwind_object(pc, &object))
        return KIND_PLAIN; /* the vDSO, code made at run time: without an FDE the walk ends there */
    if (libc_is_at(object.begin))
        return KIND_LIBC;
    return libc_loader_is_at(object.begin) || libc_allocator_is_at(object.begin) ? KIND_LOCKING
                                                                                 : KIND_PLAIN;
}

struct walk {
    bool first_run;     /* the run that was interrupted is not over */
    bool in_libc;       /* the last frame was in libc */
    bool waits;         /* what was interrupted is a system call */
    bool first_waits;   /* the innermost frame in libc is a function that waits */
    bool run_waits;     /* each frame of the first run in libc is one */
    uint64_t outermost; /* where the last function in libc begins */
};

/* Does the first run wait, with none of the locks held? */
static bool is_waiting(const struct walk *walk)
{
    return walk->waits &&
           (walk->run_waits || (walk->first_waits && IS_ONE_OF(STREAMS, walk->outermost)));
}

/* A run in libc has ended with `outermost`; what called it is no part of libc. */
static bool end_of_run(const struct walk *walk)
{
    if (walk->first_run)
        return is_waiting(walk);
    return IS_ONE_OF(CALLING, walk->outermost);
}

static bool is_behind_syscall(uint64_t pc)
{
    static const uint8_t instruction[] = {0x0f, 0x05};
    uint8_t code[sizeof(instruction)];

    /* Before it, where SA_RESTART has put the pc back. */
    return (unwind_read(NULL, pc - sizeof(code), code, sizeof(code)) &&
            memcmp(code, instruction, sizeof(code)) == 0) ||
           (unwind_read(NULL, pc, code, sizeof(code)) &&
            memcmp(code, instruction, sizeof(code)) == 0);
}

/* What a signal interrupted counts as what the doorbell interrupted. */
static void begin_run(struct walk *walk, uint64_t pc)
{
    *walk = (struct walk){.first_run = true, .run_waits = true, .waits = is_behind_syscall(pc)};
}

static bool visit(struct walk *walk, enum kind kind, const struct cfi_function *function, bool last)
{
    if (kind == KIND_LOCKING)
        return false;
    if (kind == KIND_LIBC) {
        bool waits = IS_ONE_OF(WAITING, function->start);

        walk->first_waits = walk->first_run && !walk->in_libc ? waits : walk->first_waits;
        walk->in_libc = true;
        walk->outermost = function->start;
        walk->run_waits = walk->run_waits && waits;
        return true;
    }
    /* The program's own start is called by nothing: the run in libc before it is libc's start. */
    if (walk->in_libc && !(last && !walk->first_run) && !end_of_run(walk))
        return false;
    walk->in_libc = walk->first_run = false;
    return true;
}

/* The last run in libc started the thread; where it is the first one, it is what was interrupted. */
static bool end_of_stack(const struct walk *walk)
{
    return !walk->in_libc || !walk->first_run || is_waiting(walk);
}

bool safe_moment(const void *context)
{
    struct cfi_frame frame;
    struct walk walk;

    if (!libc_symbols_find())
        return false;
    unwind_from_context(&frame, context);
    begin_run(&walk, frame.value[CFI_PC]);
    for (unsigned i = 0; i < FRAMES_MAX; i++) {
        uint64_t pc = frame.value[CFI_PC] - (frame.signal ? 0 : 1);
        struct cfi_function function = {0};
        enum cfi_result result = unwind_step(&frame, &function);

        if (result == CFI_NO_FDE || result == CFI_DAMAGED)
            return false;
        if (result == CFI_OK && frame.signal) {
            if (walk.in_libc)
                return false; /* a handler of libc's own */
            begin_run(&walk, frame.value[CFI_PC]);
        } else if (!visit(&walk, kind_of(pc), &function, result == CFI_END)) {
            return false;
        } else if (result == CFI_END) {
            return end_of_stack(&walk);
        }
    }
    return false;
}
