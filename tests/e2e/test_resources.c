/*
 * test_resources.c - what long runs may cost a host (descriptors, memory, mappings), that no
 * request is lost, and what happens where mappings or the disk are used up.
 *
 * A module that was reverted stays mapped, and is taken up again when its file is loaded again: cycles of
 * the same files cost nothing.
 *
 * What these tests are worth (each broken on purpose, each failed): the patch's file not closed
 * after reading: 10,004 descriptors in the listener; only the first line of a read taken: clients
 * miss replies; replies into one FIFO not kept in turn: they came out of turn, or not at all.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/stream.h"
#include "tests/support/usage.h"

static int scaled(int count)
{
    return sanitized() ? count / 20 : count;
}

static int start(void **state)
{
    *state = memory_host_start("torture", NULL);
    return 0;
}

static int stop(void **state)
{
    memory_host_kill(*state);
    return 0;
}

/* ---- growth ---- */

static void run(struct host *host, const char *const *lines, size_t line_count, size_t count)
{
    struct stream stream;
    assert_true(stream_open(&stream, host, "resources"));
    long refused = stream_run(&stream, lines, line_count, count);
    if (refused != 0)
        fail_msg("%ld of %zu requests failed: %s; log:\n%s", refused, count, stream.refusal,
                 host_log(host));
    stream_close(&stream);
}

static void ten_thousand_loads_and_reverts_of_one_file_cost_nothing(void **state)
{
    struct host *host = *state;
    char load[512];
    const char *lines[2] = {load, "revert all"};
    size_t cycles = (size_t)scaled(10000), warm = cycles / 20;
    snprintf(load, sizeof(load), "load %s", patch_file("torture_v1"));
    run(host, lines, 2, 2 * warm);
    struct usage before = usage_of(host);
    run(host, lines, 2, 2 * (cycles - warm));
    struct usage after = usage_of(host);
    usage_assert_same(&before, &after);
    host_expect(host, "answer", "1");
    host_expect(host, "parent", "own");
}

/* Loaded and reverted in turn, and one in place of the other. */
static void ten_thousand_loads_of_files_that_alternate_cost_nothing(void **state)
{
    struct host *host = *state;
    char one[512], other[512];
    const char *lines[6] = {one, "revert all", other, "revert all", one, other};
    size_t count = (size_t)scaled(30000) / 6 * 6, warm = count / 120 * 6;
    snprintf(one, sizeof(one), "load %s", patch_file("torture_v1"));
    snprintf(other, sizeof(other), "load %s", patch_file("torture_v2"));
    run(host, lines, 6, warm);
    struct usage before = usage_of(host);
    run(host, lines, 6, count - warm);
    struct usage after = usage_of(host);
    usage_assert_same(&before, &after);
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    host_expect(host, "parent", "own");
}

static void loading_what_is_live_ten_thousand_times_costs_nothing(void **state)
{
    struct host *host = *state;
    char load[512];
    const char *lines[1] = {load};
    size_t count = (size_t)scaled(10000), warm = count / 20;
    snprintf(load, sizeof(load), "load %s", patch_file("torture_v1"));
    run(host, lines, 1, warm);
    struct usage before = usage_of(host);
    run(host, lines, 1, count - warm);
    struct usage after = usage_of(host);
    usage_assert_same(&before, &after);
    must_apply(host, "revert last");
    assert_string_equal(outcome(host, "revert last"), "HP-NO-LAYER");
}

/* A file, a name and a manifest that are refused leave nothing at all. */
static void refused_requests_cost_nothing(void **state)
{
    struct host *host = *state;
    char bad_signature[512], undefined[512], hook[512];
    const char *lines[] = {bad_signature,
                           undefined,
                           "load /nowhere/at.all",
                           "revert name=nothing",
                           "slots match=answer",
                           "nonsense",
                           "status",
                           hook};
    struct stream stream;
    size_t count = (size_t)scaled(8000) / 64 * 64, warm = count / 8; /* whole rounds of 8 */
    snprintf(bad_signature, sizeof(bad_signature), "load %s", patch_file("bad_signature"));
    snprintf(undefined, sizeof(undefined), "load %s", patch_file("undefined"));
    snprintf(hook, sizeof(hook), "load %s", patch_file("hook_refuses"));
    assert_true(stream_open(&stream, host, "refused"));
    assert_true(stream_run(&stream, lines, 8, warm) > 0);
    struct usage before = usage_of(host);
    assert_int_equal(stream_run(&stream, lines, 8, count - warm), (count - warm) / 8 * 6);
    struct usage after = usage_of(host);
    stream_close(&stream);
    print_message("%zu requests: +%d mappings, +%ld kB\n", count - warm,
                  after.mappings - before.mappings, after.anonymous_kb - before.anonymous_kb);
    assert_int_equal(after.descriptors, before.descriptors);
    assert_int_equal(after.private_descriptors, before.private_descriptors);
    assert_true(after.mappings - before.mappings <= 16);
    if (!sanitized())
        assert_true(after.anonymous_kb - before.anonymous_kb <= 512);
    host_expect(host, "answer", "1");
}

static long number_in(const char *path)
{
    char *text = file_text(path);
    long number = strtol(text, NULL, 10);
    free(text);
    return number;
}

/* Before vm.max_map_count is reached, so that the program's own mmap(2) does not fail. */
static void near_the_limit_of_mappings_a_load_is_refused(void **state)
{
    struct host *host = *state;
    if (sanitized())
        skip(); /* its allocator aborts the process where mmap fails */
    if (number_in("/proc/sys/vm/max_map_count") > 1 << 18) {
        print_message("skipped: more mappings are allowed than the host makes\n");
        return;
    }
    must_apply(host, "load %s", patch_file("torture_v1"));
    must_apply(host, "revert all");
    host_expect(host, "fill-maps 256", "full");
    struct usage before = usage_of(host);
    for (int i = 0; i < 5; i++) {
        struct reply *reply = request(host, "load %s", patch_file("torture_v2"));
        assert_string_equal(reply->code, "HP-MAPPINGS");
        reply_free(reply);
        assert_string_equal(outcome(host, "load dry-run=1 %s", patch_file("torture_v2")),
                            "HP-MAPPINGS");
        assert_true(host_alive(host));
    }
    struct usage after = usage_of(host);
    assert_int_equal(after.mappings, before.mappings);
    host_expect(host, "answer", "1");
    must_apply(host, "load %s", patch_file("torture_v1")); /* needs no new mapping */
    must_apply(host, "revert all");
    host_expect(host, "free-maps", "free");
    must_apply(host, "load %s", patch_file("torture_v2"));
    must_apply(host, "revert all");
}

/* ---- no request is lost ---- */

static int client(const struct host *host, const char *name, size_t count)
{
    struct stream stream;
    char load[512];
    const char *lines[100];
    for (size_t i = 0; i < 100; i++)
        lines[i] = "ping";
    snprintf(load, sizeof(load), "load %s", patch_file("torture_over"));
    /* One client loads, both revert what is there; a revert of nothing is refused. */
    if (strcmp(name, "one") == 0)
        lines[50] = load;
    lines[75] = "revert all";
    if (!stream_open(&stream, host, name))
        return 1;
    long refused = stream_run(&stream, lines, 100, count);
    stream_close(&stream);
    return refused < 0 || refused > (long)(count / 100) ? 2 : 0;
}

static long requests_of(struct host *host)
{
    struct reply *reply = request(host, "status");
    long count = json_object_get_int64(member(reply->json, "status.requests"));
    reply_free(reply);
    return count;
}

static void two_clients_at_once_lose_none_of_100000_requests(void **state)
{
    struct host *host = *state;
    size_t each = (size_t)scaled(100000) / 2;
    long before = requests_of(host);
    pid_t clients[2];
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        clients[i] = fork();
        assert_true(clients[i] >= 0);
        if (clients[i] == 0)
            _exit(client(host, i ? "one" : "two", each));
    }
    for (int i = 0; i < 2; i++) {
        int status;
        assert_int_equal(waitpid(clients[i], &status, 0), clients[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(requests_of(host) - before, 2 * each + 1);
}

/* Many replies that together are longer than a pipe, into one FIFO. With TSan a list of slots takes a second. */
static void replies_into_one_fifo_come_whole_and_in_turn(void **state)
{
    struct host *host = *state;
    const char *const lines[] = {"status", "slots", "ping", "nonsense", "slots match=a*"};
    const int rounds = sanitized_for_threads() ? 40 : 400;
    struct stream stream;
    assert_true(stream_open(&stream, host, "turns"));
    assert_int_equal(stream_run(&stream, lines, 5, 5 * (size_t)rounds), rounds);
    stream_close(&stream);
}

/* Without reply= nobody hears of them, but the counter does. */
static void requests_without_a_reply_are_all_counted(void **state)
{
    struct host *host = *state;
    char batch[4096];
    size_t size = 0, lines = 0;
    long before = requests_of(host);
    while (size + 5 <= sizeof(batch)) {
        memcpy(batch + size, "ping\n", 5);
        size += 5;
        lines++;
    }
    for (int i = 0; i < 20; i++)
        send_raw(host, batch, size);
    assert_int_equal(requests_of(host) - before, 20 * (long)lines + 1);
}

/* ---- a full disk ---- */

/* A file system of 128 kB as the runtime directory of a host; NULL: cannot be had here. */
static struct host *start_on_small_disk(const struct host *keeper, const char *options)
{
    static char variable[300];
    const char *environment[] = {variable, NULL};
    char path[280];
    snprintf(path, sizeof(path), "%s/small", keeper->scratch);
    assert_int_equal(mkdir(path, 0700), 0);
    unsigned long flags = strstr(options, "noexec") ? MS_NOEXEC : 0;
    if (geteuid() != 0 || mount("none", path, "tmpfs", flags, "size=128k,mode=0700") != 0) {
        print_message("skipped: only root can mount a small file system\n");
        return NULL;
    }
    snprintf(variable, sizeof(variable), "HOTPATCH_DIR=%s", path);
    return host_start("torture", environment);
}

static void fill(const char *path)
{
    char block[512] = "";
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    while (write(fd, block, sizeof(block)) > 0)
        ;
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

static int count_files(const char *directory, const char *ending)
{
    struct dirent *entry;
    int count = 0;
    DIR *entries = opendir(directory);
    while (entries && (entry = readdir(entries))) {
        size_t length = strlen(entry->d_name), tail = strlen(ending);
        count += length >= tail && strcmp(entry->d_name + length - tail, ending) == 0;
    }
    if (entries)
        closedir(entries);
    return count;
}

static void end_on_small_disk(struct host *host)
{
    char directory[256];
    snprintf(directory, sizeof(directory), "%s", host->directory);
    host_kill(host);
    assert_int_equal(umount2(directory, MNT_DETACH), 0);
}

static void a_full_disk_is_a_refusal_and_no_more(void **state)
{
    struct host *host = start_on_small_disk(*state, "");
    char filler[300], objects[300];
    if (!host)
        skip();
    snprintf(filler, sizeof(filler), "%s/filler", host->directory);
    snprintf(objects, sizeof(objects), "%s/objects", host->directory);
    must_apply(host, "load %s", patch_file("torture_v1"));
    host_expect(host, "answer", "2");
    fill(filler);
    assert_string_equal(outcome(host, "load %s", patch_file("torture_v2")), "HP-SNAPSHOT");
    host_expect(host, "answer", "2");
    assert_int_equal(count_files(objects, ".part"), 0);
    assert_int_equal(count_files(objects, ".so"), 1);
    assert_int_equal(count_files(host->directory, ".tmp"), 0);
    /* What needs no room goes on, and says that the status file is old. */
    struct reply *reply = request(host, "revert all");
    assert_string_equal(reply->code, "apply");
    assert_non_null(strstr(json_object_to_json_string(reply->json), "status file"));
    reply_free(reply);
    host_expect(host, "answer", "1");
    assert_int_equal(unlink(filler), 0);
    must_apply(host, "load %s", patch_file("torture_v2"));
    host_expect(host, "answer", "3");
    end_on_small_disk(host);
}

static void a_disk_that_refuses_execution_does_not_matter(void **state)
{
    struct host *host = start_on_small_disk(*state, "noexec");
    if (!host)
        skip();
    must_apply(host, "load %s", patch_file("torture_v1"));
    host_expect(host, "answer", "2");
    must_apply(host, "load %s", patch_file("torture_v2"));
    host_expect(host, "answer", "3");
    must_apply(host, "revert all");
    must_apply(host, "load %s", patch_file("torture_v1"));
    host_expect(host, "answer", "2");
    end_on_small_disk(host);
}

static void a_host_starts_on_a_full_disk(void **state)
{
    struct host *keeper = *state;
    struct host *first = start_on_small_disk(keeper, "");
    char filler[300], variable[300];
    const char *environment[] = {variable, NULL};
    if (!first)
        skip();
    snprintf(filler, sizeof(filler), "%s/filler", first->directory);
    snprintf(variable, sizeof(variable), "HOTPATCH_DIR=%s", first->directory);
    fill(filler);
    struct host *second = host_start("torture", environment);
    host_expect(second, "answer", "1");
    assert_string_equal(outcome(second, "ping"), "apply");
    assert_string_equal(outcome(second, "load %s", patch_file("torture_v1")), "HP-SNAPSHOT");
    assert_int_equal(unlink(filler), 0);
    must_apply(second, "load %s", patch_file("torture_v1"));
    host_expect(second, "answer", "2");
    host_stop(second);
    end_on_small_disk(first);
}

#define WITH_HOST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        WITH_HOST(ten_thousand_loads_and_reverts_of_one_file_cost_nothing),
        WITH_HOST(ten_thousand_loads_of_files_that_alternate_cost_nothing),
        WITH_HOST(loading_what_is_live_ten_thousand_times_costs_nothing),
        WITH_HOST(refused_requests_cost_nothing),
        WITH_HOST(near_the_limit_of_mappings_a_load_is_refused),
        WITH_HOST(two_clients_at_once_lose_none_of_100000_requests),
        WITH_HOST(replies_into_one_fifo_come_whole_and_in_turn),
        WITH_HOST(requests_without_a_reply_are_all_counted),
        WITH_HOST(a_full_disk_is_a_refusal_and_no_more),
        WITH_HOST(a_disk_that_refuses_execution_does_not_matter),
        WITH_HOST(a_host_starts_on_a_full_disk),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
