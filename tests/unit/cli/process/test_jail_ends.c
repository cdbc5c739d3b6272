/*
 * test_jail_ends.c - the pipes that the command takes for a listener's: in the table of a thread that has
 * a table of its own, both ends, as the listener makes them; and nothing else, whoever offers it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/process/jail_ends.h"

#define PIPE_FLAGS (O_CLOEXEC | O_NONBLOCK | O_DIRECT)

/* A thread of this process in place of a listener. */
struct stand_in {
    pthread_t thread;
    pthread_barrier_t made, looked;
    const char *name;
    bool own_table;
    int flags; /* of its pipes */
    int count; /* so many */
    int pipes[2][2];
};

static void *stand_in(void *context)
{
    struct stand_in *self = context;

    prctl(PR_SET_NAME, self->name);
    if (self->own_table && unshare(CLONE_FILES) != 0)
        self->count = 0;
    for (int i = 0; i < self->count; i++)
        if (pipe2(self->pipes[i], self->flags) != 0)
            self->count = 0;
    pthread_barrier_wait(&self->made);
    pthread_barrier_wait(&self->looked);
    for (int i = 0; i < self->count; i++) {
        close(self->pipes[i][0]);
        close(self->pipes[i][1]);
    }
    return NULL;
}

static int find(struct stand_in *listener, struct jail_ends *ends)
{
    struct refusal why = {0};
    struct process process;
    int result;

    pthread_barrier_init(&listener->made, NULL, 2);
    pthread_barrier_init(&listener->looked, NULL, 2);
    assert_int_equal(pthread_create(&listener->thread, NULL, stand_in, listener), 0);
    pthread_barrier_wait(&listener->made);
    assert_int_equal(process_open(getpid(), &process, &why), 0);
    result = jail_find(&process, ends);
    process_close(&process);
    return result;
}

static void end(struct stand_in *listener)
{
    pthread_barrier_wait(&listener->looked);
    pthread_join(listener->thread, NULL);
}

static void the_listeners_pipes_are_found_and_do_not_block(void **state)
{
    struct stand_in listener = {
        .name = "hotpatch", .own_table = true, .flags = PIPE_FLAGS, .count = 2};
    struct jail_ends ends;

    (void)state;
    assert_int_equal(find(&listener, &ends), 0);
    assert_int_equal(fcntl(ends.requests, F_GETFL) & (O_ACCMODE | O_NONBLOCK),
                     O_WRONLY | O_NONBLOCK);
    assert_int_equal(fcntl(ends.replies, F_GETFL) & (O_ACCMODE | O_NONBLOCK),
                     O_RDONLY | O_NONBLOCK);
    assert_true(fcntl(ends.requests, F_GETFD) & FD_CLOEXEC);
    assert_true(jail_lock(&ends));
    /* A pipe that its reader does not empty is no wait. */
    while (write(ends.requests, "0123456789", 10) == 10)
        ;
    assert_int_equal(errno, EAGAIN);
    jail_drain(&ends);
    close(ends.requests);
    close(ends.replies);
    end(&listener);
}

static void must_not_find(struct stand_in listener)
{
    struct jail_ends ends;

    assert_int_equal(find(&listener, &ends), -ENOENT);
    assert_int_equal(ends.thread, 0);
    end(&listener);
}

static void pipes_in_the_programs_own_table_are_the_programs(void **state)
{
    (void)state;
    must_not_find((struct stand_in){.name = "hotpatch", .flags = PIPE_FLAGS, .count = 2});
}

static void other_pipes_are_none(void **state)
{
    (void)state;
    must_not_find((struct stand_in){.name = "hotpatch", .own_table = true, .count = 2});
    must_not_find(
        (struct stand_in){.name = "hotpatch", .own_table = true, .flags = O_NONBLOCK, .count = 2});
}

static void one_pipe_is_not_enough(void **state)
{
    (void)state;
    must_not_find(
        (struct stand_in){.name = "hotpatch", .own_table = true, .flags = PIPE_FLAGS, .count = 1});
}

static void a_thread_of_another_name_is_not_asked(void **state)
{
    (void)state;
    must_not_find(
        (struct stand_in){.name = "other", .own_table = true, .flags = PIPE_FLAGS, .count = 2});
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_listeners_pipes_are_found_and_do_not_block),
        cmocka_unit_test(pipes_in_the_programs_own_table_are_the_programs),
        cmocka_unit_test(other_pipes_are_none),
        cmocka_unit_test(one_pipe_is_not_enough),
        cmocka_unit_test(a_thread_of_another_name_is_not_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
