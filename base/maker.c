/* maker.c - see maker.h. */
#include "base/maker.h"

#include <sys/sysmacros.h>

#include "base/sys.h"

/* The seconds of a mark: MARK_BASE and a device's minor number, which has 20 bits. */
#define MARK_BASE 0x10000000u
#define MINOR_LIMIT (1u << 20)
#define PROC_ROOT_INO 1 /* of every procfs, include/linux/proc_fs.h */

static uint32_t number_in_proc(void)
{
    char text[16];
    ssize_t length = sys_readlinkat(AT_FDCWD, "/proc/self", text, sizeof(text));
    uint32_t number = 0;

    for (ssize_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        number = number * 10 + (uint32_t)(text[i] - '0');
    }
    return number;
}

struct maker maker_self(void)
{
    struct maker self = {0, 0};
    struct stat st;

    if (sys_fstatat(AT_FDCWD, "/proc", &st, 0) != 0 || st.st_ino != PROC_ROOT_INO ||
        major(st.st_dev) != 0 || minor(st.st_dev) >= MINOR_LIMIT)
        return self;
    self.pid = number_in_proc();
    self.proc = self.pid ? (uint32_t)minor(st.st_dev) : 0;
    return self;
}

int maker_write(int dir, const char *name, const struct maker *maker)
{
    const struct timespec times[2] = {
        {.tv_sec = (time_t)(MARK_BASE + maker->proc), .tv_nsec = maker->pid},
        {.tv_nsec = UTIME_OMIT},
    };

    return (int)sys_call4(SYS_utimensat, dir, (long)name, (long)times, AT_SYMLINK_NOFOLLOW);
}

enum mark maker_read(const struct stat *st, struct maker *maker)
{
    uint64_t seconds = (uint64_t)st->st_atim.tv_sec;

    if (seconds < MARK_BASE || seconds >= MARK_BASE + MINOR_LIMIT)
        return MARK_NONE;
    maker->proc = (uint32_t)(seconds - MARK_BASE);
    maker->pid = (uint32_t)st->st_atim.tv_nsec;
    return maker->proc && maker->pid ? MARK_KNOWN : MARK_UNKNOWN;
}
