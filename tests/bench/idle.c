/* idle.c - an injected host that only waits; `answer` can be patched. Ends with its parent. */
#include <hotpatch.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

HOTPATCH_FUNCTION(int, answer, (void))
{
    return 0;
}

int main(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == 1)
        return answer();
    for (;;)
        pause();
}
