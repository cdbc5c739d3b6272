/* safe_calls.c - see safe_calls.h. Each list names the files of glibc 2.36 that were read for it. */
#include "preload/safe_calls.h"

#include <stddef.h>
#include <string.h>

#include "preload/libc_symbols.h"

/* sysdeps/unix/sysv/linux/: each function makes one system call, or calls another function of this list (sleep,
 * usleep, lockf: posix/sleep.c, sysdeps/posix/usleep.c, io/lockf64.c). */
static const char *const WAITING[] = {
    /* events, times */
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
    "poll",
    "ppoll",
    "select",
    "pselect",
    "nanosleep",
    "clock_nanosleep",
    "sleep",
    "usleep",
    "thrd_sleep",
    "pause",
    "sigsuspend",
    "sigwait",
    "sigwaitinfo",
    "sigtimedwait",
    "io_getevents",
    /* sockets */
    "accept",
    "accept4",
    "connect",
    "recv",
    "recvfrom",
    "recvmsg",
    "recvmmsg",
    "send",
    "sendto",
    "sendmsg",
    "sendmmsg",
    /* files */
    "read",
    "readv",
    "pread",
    "pread64",
    "preadv",
    "preadv2",
    "write",
    "writev",
    "pwrite",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "open",
    "open64",
    "openat",
    "openat64",
    "__read_nocancel",
    "__write_nocancel",
    "__open_nocancel",
    "fcntl",
    "fcntl64",
    "flock",
    "lockf",
    "lockf64",
    "ioctl",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "tcdrain",
    "sendfile",
    "sendfile64",
    "splice",
    "tee",
    "vmsplice",
    "copy_file_range",
    "getdents64",
    "close",
    "__close_nocancel",
    "fstat",
    "fstat64",
    "stat",
    "stat64",
    "fstatat",
    "fstatat64",
    "lseek",
    "lseek64",
    /* processes, messages */
    "wait",
    "wait3",
    "wait4",
    "waitpid",
    "waitid",
    "semop",
    "semtimedop",
    "msgrcv",
    "msgsnd",
    "mq_receive",
    "mq_timedreceive",
    "mq_send",
    "mq_timedsend",
    "syscall",
};

/*
 * Streams (libio/, stdio-common/): these hold no lock but the stream's. Functions that walk the list of streams while
 * they write are not in this list (fflush(NULL), exit: _IO_flush_all). fopen adds its stream to the list before it
 * opens the file. fclose and pclose remove their stream from the list before they write or wait (iofopen.c,
 * iofclose.c, fileops.c, iopopen.c).
 *
 * system: its own lock is not held while it waits (sysdeps/posix/system.c, DO_LOCK). scandir, ftw, glob: no lock
 * (dirent/scandir-tail.c, io/ftw.c, posix/glob.c). Names (sysdeps/posix/getaddrinfo.c, inet/getnameinfo.c,
 * nss/getXXbyYY.c, nss/nss_module.c, resolv/res_send.c): only locks of their own; where a module is loaded, ld.so is
 * on the stack.
 */
static const char *const WAITING_INSIDE[] = {
    "fgets",
    "fgetc",
    "getc",
    "getchar",
    "getline",
    "getdelim",
    "fread",
    "ungetc",
    "fgetws",
    "fgetwc",
    "fputs",
    "fputc",
    "putc",
    "putchar",
    "puts",
    "fwrite",
    "printf",
    "fprintf",
    "vprintf",
    "vfprintf",
    "dprintf",
    "vdprintf",
    "scanf",
    "fscanf",
    "vfscanf",
    "__uflow",
    "__overflow",
    "__underflow",
    "fgets_unlocked",
    "fread_unlocked",
    "fputs_unlocked",
    "fwrite_unlocked",
    "getc_unlocked",
    "putc_unlocked",
    "__printf_chk",
    "__fprintf_chk",
    "__vfprintf_chk",
    "__fgets_chk",
    "__fread_chk",
    "__vprintf_chk",
    "__isoc99_scanf",
    "__isoc99_fscanf",
    "_IO_getc",
    "_IO_putc",
    "__dprintf_chk",
    "fopen",
    "fopen64",
    "freopen",
    "freopen64",
    "fdopen",
    "fclose",
    "pclose",
    "perror",
    "system",
    "scandir",
    "scandir64",
    "scandirat",
    "ftw",
    "ftw64",
    "nftw",
    "nftw64",
    "glob",
    "glob64",
    "getaddrinfo",
    "getnameinfo",
    "gethostbyname",
    "gethostbyname2",
    "gethostbyname_r",
    "gethostbyname2_r",
    "gethostbyaddr",
    "gethostbyaddr_r",
    "getpwnam",
    "getpwnam_r",
    "getpwuid",
    "getpwuid_r",
    "getgrnam",
    "getgrnam_r",
    "getgrgid",
    "getgrgid_r",
    "getgrouplist",
    "initgroups",
    "getservbyname",
    "getservbyname_r",
    "res_query",
    "res_search",
    "res_nquery",
    "res_nsearch",
    "res_send",
    "res_nsend",
    "readdir",
    "readdir64",
    "getpass",
    "tcsetattr",
    "mkstemp",
    "closedir",
    "opendir",
};

/* nptl/, sysdeps/nptl/: these wait on futexes of the caller. */
static const char *const SLEEPING[] = {
    "sem_wait",
    "sem_timedwait",
    "sem_clockwait",
    "pthread_mutex_lock",
    "pthread_mutex_timedlock",
    "pthread_mutex_clocklock",
    "pthread_cond_wait",
    "pthread_cond_timedwait",
    "pthread_cond_clockwait",
    "pthread_rwlock_rdlock",
    "pthread_rwlock_wrlock",
    "pthread_barrier_wait",
    "mtx_lock",
    "mtx_timedlock",
    "cnd_wait",
    "cnd_timedwait",
};

/* stdlib/msort.c, qsort.c, bsearch.h, misc/lsearch.c: no lock; msort.c allocates. posix/regcomp.c, regexec.c: a lock
 * of the pattern (dfa->lock), and the allocator's. posix/fnmatch.c: the allocator's. */
static const char *const COMPUTING[] = {
    "qsort",
    "qsort_r",
    "bsearch",
    "lfind",
    "lsearch",
    "regcomp",
    "regexec",
    "regfree",
    "re_compile_pattern",
    "re_search",
    "re_search_2",
    "re_match",
    "re_match_2",
    "re_compile_fastmap",
    "fnmatch",
};

/* stdlib/msort.c, bsearch.h; misc/lsearch.c, tsearch.c; dirent/scandir-tail.c; io/ftw.c; posix/glob.c: no lock.
 * elf/dl-iteratephdr.c: only dl_load_write_lock, which pthread_create does not take. nptl/pthread_once.c,
 * call_once.c: the caller's once word. libio/iofopncook.c: the stream's lock. */
static const char *const CALLING[] = {
    "qsort",   "qsort_r", "bsearch", "lfind",    "lsearch",         "tsearch",      "tfind",
    "tdelete", "twalk",   "twalk_r", "tdestroy", "dl_iterate_phdr", "pthread_once", "call_once",
};

static bool is_one_of(const char *const *names, size_t count, uint64_t function)
{
    for (size_t i = 0; function && i < count; i++)
        if (libc_symbol(names[i]) == function)
            return true;
    return false;
}

#define IS_ONE_OF(names, function) is_one_of(names, sizeof(names) / sizeof(*(names)), function)

bool safe_call_waits(uint64_t function)
{
    return IS_ONE_OF(WAITING, function);
}

bool safe_call_waits_inside(uint64_t function)
{
    return IS_ONE_OF(WAITING_INSIDE, function);
}

bool safe_call_sleeps(uint64_t function)
{
    return IS_ONE_OF(SLEEPING, function);
}

bool safe_call_computes(uint64_t function)
{
    return IS_ONE_OF(COMPUTING, function);
}

/* The symbols of these functions in libc are resolvers (STT_GNU_IFUNC). The addresses that this library calls are
 * resolved. */
bool safe_call_is_leaf(uint64_t function)
{
    void *(*const copy)(void *, const void *, size_t) = memcpy;
    void *(*const fill)(void *, int, size_t) = memset;
    int (*const compare)(const void *, const void *, size_t) = memcmp;
    size_t (*const length)(const char *) = strlen;

    return function && (function == (uintptr_t)copy || function == (uintptr_t)fill ||
                        function == (uintptr_t)compare || function == (uintptr_t)length);
}

bool safe_call_calls_back(uint64_t function)
{
    return IS_ONE_OF(CALLING, function) || safe_call_waits_inside(function);
}
