/* test_replies.c - replies longer than a pipe, at a clock that the test sets. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "preload/replies.h"

#define PIPE_SIZE 65536
#define LONG_REPLY (PIPE_SIZE + 1000)
#define STALL_MS 5000

static uint64_t now_ms;
static int from, to;

uint64_t __wrap_clock_us(void);
uint64_t __wrap_clock_us(void)
{
    return now_ms * 1000;
}

static int open_pipe(void **state)
{
    int ends[2];

    (void)state;
    now_ms = 1;
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0)
        return -1;
    from = ends[0];
    to = ends[1];
    return fcntl(to, F_SETPIPE_SZ, PIPE_SIZE) == PIPE_SIZE ? 0 : -1;
}

static int close_pipe(void **state)
{
    (void)state;
    replies_drop();
    close(from);
    if (to >= 0)
        close(to);
    return 0;
}

static void send_reply(size_t length, char letter)
{
    char *text = malloc(length + 1);

    assert_non_null(text);
    memset(text, letter, length);
    text[length] = '\0';
    replies_send(dup(to), text);
}

/* Read all that is there, which is of one letter. Return the number of bytes. */
static size_t read_letters(char letter)
{
    static char bytes[2 * PIPE_SIZE];
    size_t size = 0;
    ssize_t got;

    while ((got = read(from, bytes + size, sizeof(bytes) - size)) > 0)
        size += (size_t)got;
    for (size_t i = 0; i < size; i++)
        assert_int_equal(bytes[i], letter);
    return size;
}

static size_t pending_count(void)
{
    struct pollfd fds[REPLIES_MAX];

    return replies_poll(fds);
}

static void look(void)
{
    struct pollfd fds[REPLIES_MAX];
    size_t count = replies_poll(fds);

    poll(fds, count, 0);
    replies_continue(fds, count);
}

static void a_long_reply_is_sent_as_its_reader_takes_it(void **state)
{
    (void)state;
    send_reply(LONG_REPLY, 'a');
    assert_int_equal(pending_count(), 1);
    assert_int_equal(read_letters('a'), PIPE_SIZE);
    look();
    assert_int_equal(read_letters('a'), LONG_REPLY - PIPE_SIZE);
    assert_int_equal(pending_count(), 0);
}

/* The limit is for readers. While a request is run, the listener has no time for the FIFO. */
static void the_time_that_a_request_takes_is_not_its_readers(void **state)
{
    (void)state;
    send_reply(LONG_REPLY, 'a');
    assert_int_equal(read_letters('a'), PIPE_SIZE);
    now_ms += STALL_MS + 1000;
    replies_continue(NULL, 0);
    assert_int_equal(read_letters('a'), LONG_REPLY - PIPE_SIZE);
    assert_int_equal(pending_count(), 0);
}

static void a_batch_may_be_longer_than_the_list(void **state)
{
    (void)state;
    send_reply(LONG_REPLY, 'a');
    assert_int_equal(read_letters('a'), PIPE_SIZE);
    send_reply(1, 'b');
    assert_int_equal(pending_count(), 0);
    char byte;
    for (size_t i = 0; i < LONG_REPLY - PIPE_SIZE; i++)
        assert_true(read(from, &byte, 1) == 1 && byte == 'a');
    assert_int_equal(read_letters('b'), 1);
    send_reply(LONG_REPLY, 'c');
    for (size_t i = 0; i < 2 * REPLIES_MAX; i++) {
        size_t read = read_letters('c');

        assert_true(read > 0);
        send_reply(PIPE_SIZE, 'c');
    }
    assert_true(pending_count() > 0 && pending_count() < 3);
}

static void a_reader_that_takes_nothing_loses_its_replies(void **state)
{
    (void)state;
    send_reply(LONG_REPLY, 'a');
    send_reply(10, 'b');
    now_ms += STALL_MS - 1;
    look();
    assert_int_equal(pending_count(), 2);
    assert_int_equal(replies_limit(), 1 + STALL_MS);
    now_ms += 1;
    look();
    assert_int_equal(pending_count(), 0);
    assert_int_equal(read_letters('a'), PIPE_SIZE);
}

static void a_reader_that_has_gone_loses_them_at_once(void **state)
{
    (void)state;
    send_reply(LONG_REPLY, 'a');
    close(from);
    look();
    assert_int_equal(pending_count(), 0);
}

#define WITH_PIPE(test) cmocka_unit_test_setup_teardown(test, open_pipe, close_pipe)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PIPE(a_long_reply_is_sent_as_its_reader_takes_it),
        WITH_PIPE(the_time_that_a_request_takes_is_not_its_readers),
        WITH_PIPE(a_batch_may_be_longer_than_the_list),
        WITH_PIPE(a_reader_that_takes_nothing_loses_its_replies),
        WITH_PIPE(a_reader_that_has_gone_loses_them_at_once),
    };

    signal(SIGPIPE, SIG_IGN); /* the listener blocks all signals */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
