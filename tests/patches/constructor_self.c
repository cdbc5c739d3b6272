/* answers 2 where its constructor ran on the main thread, else 3; the constructor forks, and makes a thread */
#include <hotpatch.h>

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int on_main;

static void *nothing(void *unused)
{
    return unused;
}

__attribute__((constructor)) static void begin(void)
{
    pthread_t thread;
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    if (pthread_create(&thread, NULL, nothing, NULL) == 0)
        pthread_join(thread, NULL);
    on_main = syscall(SYS_gettid) == getpid();
}

HOTPATCH_MODULE("constructor-self", "1");

HOTPATCH_REPLACE(int, answer, (void))
{
    return on_main ? 2 : 3;
}
