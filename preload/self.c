/* self.c - see self.h. */
#include "preload/self.h"

#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/request.h"
#include "base/state.h"
#include "base/sys.h"
#include "preload/made_here.h"

static uint64_t pid_ns STATE; /* 0: not read yet */
static char nonce[REQUEST_NONCE_LENGTH + 1] STATE;

/* Return the pid namespace. A child that was made without fork(3) has the shim's memory but may be in another
 * namespace. */
uint64_t self_pid_ns(void)
{
    struct stat st;

    if (pid_ns == 0 || !made_here())
        pid_ns = sys_fstatat(AT_FDCWD, "/proc/thread-self/ns/pid", &st, 0) == 0 ? st.st_ino : 0;
    return pid_ns;
}

/* Mix other values into the nonce: early in the system's start the kernel has no random bytes yet. */
static void mix_nonce(uint64_t words[2])
{
    const uint64_t *start = (const void *)getauxval(AT_RANDOM); /* 16 bytes, getauxval(3) */
    uint64_t number = (uint64_t)sys_getpid() << 32 | (uint64_t)sys_gettid();

    words[0] = (start ? start[0] : 0) ^ number;
    words[1] = (start ? start[1] : 0) ^ clock_ms();
}

void self_start(void)
{
    uint64_t words[2];

    if (nonce[0] && made_here())
        return;
    if (sys_call3(SYS_getrandom, (long)words, sizeof(words), GRND_NONBLOCK) != sizeof(words))
        mix_nonce(words);
    snprintf(nonce, sizeof(nonce), "%016llx%016llx", (unsigned long long)words[0],
             (unsigned long long)words[1]);
}

const char *self_nonce(void)
{
    return nonce;
}

bool self_is(const char *meant)
{
    return !meant || !meant[0] || strcmp(meant, nonce) == 0;
}
