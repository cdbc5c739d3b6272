/* made_here.c - see made_here.h. */
#include "preload/made_here.h"

#include <sys/mman.h>

#include "base/state.h"
#include "base/sys.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

enum { PAGE = 4096 };

static volatile unsigned *page STATE;
static pid_t maker STATE; /* 0: the page is used */

void made_here_note(void)
{
    long at = page ? (long)(void *)page
                   : sys_call(SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    maker = 0;
    if (at < 0 && at > -PAGE) {
        maker = sys_getpid();
        return;
    }
    page = (volatile unsigned *)at;
    if (sys_call3(SYS_madvise, at, PAGE, MADV_WIPEONFORK) != 0)
        maker = sys_getpid();
    *page = 1;
}

bool made_here(void)
{
    if (maker)
        return maker == sys_getpid();
    return page && *page == 1;
}
