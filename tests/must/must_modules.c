/*
 * must_modules.c - patches whose own code refuses, crashes, hangs or exits, and moments that
 * do not come; see must.h.
 */
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/must/must.h"

static long long soon(int ms)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000 + ms;
}

static const char *hook_refuses(struct host *host)
{
    return load(host, "hook_refuses");
}

static const char *hook_refuses_second_of_two(struct host *host)
{
    const char *code = outcome(host, "begin\nload %s\nload %s\ncommit", patch_file("second"),
                               patch_file("hook_refuses"));
    host_expect(host, "second", "10");
    return code;
}

/* The patch stays applied: the refused thing is its revert. */
static const char *hook_refuses_revert(struct host *host)
{
    must_apply(host, "load %s", patch_file("hook_keeps"));
    const char *code = outcome(host, "revert name=hook-keeps");
    host_expect(host, "answer", "2");
    return strcmp(code, "HP-HOOK") == 0 ? "revert-refused" : code;
}

/* What runs when a process ends is told at the level info: see libhotpatch_preload(7). */
static struct host *start_talkative(void)
{
    return host_start("host", (const char *[]){"HOTPATCH_LOG=info", NULL});
}

/* The client hears of the host's end, and the log names the patch. */
static const char *ends_with(const char *patch, bool (*as_expected)(int status))
{
    struct host *host = start_talkative();
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    struct output *output = hotpatch(host, "load", pid, patch_file(patch), NULL);
    int status = host_wait(host);
    bool told = output->status == 6 && strstr(output->error, "HP-HOST-DIED");
    if (!told)
        print_message("exit %d\n%s%s\n", output->status, output->out, output->error);
    bool named = host_log_has(host, patch);
    if (!named)
        print_message("log:\n%s\n", host_log(host));
    output_free(output);
    host_kill(host);
    if (!as_expected(status))
        return "ended otherwise";
    return told && named ? "host-ended" : "not told";
}

static bool by_segv(int status)
{
    return (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) || sanitized();
}

static bool by_exit_3(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == 3;
}

static const char *constructor_crash(struct host *host)
{
    (void)host;
    return ends_with("constructor_crash", by_segv);
}

static const char *constructor_exit(struct host *host)
{
    (void)host;
    return ends_with("constructor_exit", by_exit_3);
}

static const char *constructor_hang(struct host *host)
{
    return outcome(host, "load deadline=%lld %s", soon(1500), patch_file("constructor_hang"));
}

/* The refusal names the patch whose constructor hangs, and so does the log. */
static const char *constructor_hang_then_busy(struct host *host)
{
    (void)host;
    struct host *other = start_talkative();
    outcome(other, "load deadline=%lld %s", soon(1500), patch_file("constructor_hang"));
    assert_true(host_log_has(other, "constructor_hang"));
    struct reply *reply = request(other, "load %s", patch_file("answer2"));
    const char *code = strdup(reply->code);
    assert_non_null(strstr(reply->text, "constructor_hang"));
    reply_free(reply);
    assert_unchanged(other);
    host_kill(other);
    return code;
}

/* The command gives up by its own deadline. */
static const char *constructor_hang_and_command(struct host *host)
{
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    struct output *output =
        hotpatch(host, "load", "--timeout=500", pid, patch_file("constructor_hang"), NULL);
    const char *code = output->status == 4 ? "gives-up" : "does not give up";
    if (output->status != 4)
        print_message("exit %d\n%s%s\n", output->status, output->out, output->error);
    output_free(output);
    host_expect(host, "answer", "1");
    return code;
}

static const char *safe_point_never_comes(struct host *host)
{
    return outcome(host, "load when=safe-point timeout=300 %s", patch_file("answer2"));
}

static const char *safe_point_comes(struct host *host)
{
    /* The host passes a safe point again and again until the patch is there. */
    host_say(host, "pass-safe-points");
    const char *code =
        outcome(host, "load when=safe-point timeout=20000 %s", patch_file("answer2"));
    assert_string_equal(host_hear(host), "2");
    host_expect(host, "answer", "2");
    return code;
}

static const char *needs_malloc_in_constructor(struct host *host)
{
    return load_and_ask(host, "constructor_malloc", "answer", "1", "2");
}

static const char *hooks_in_order(struct host *host)
{
    static const char *const order[] = {"hook before_apply 1", "hook after_apply",
                                        "hook before_revert", "hook after_revert"};
    const char *code = load_and_ask(host, "hooks", "answer", "1", "2");
    must_apply(host, "revert name=hooks");
    host_expect(host, "answer", "1");
    const char *at = host_log(host);
    for (size_t i = 0; i < 4; i++) {
        at = strstr(at, order[i]);
        if (!at)
            return order[i];
    }
    return code;
}

static const char *hook_adds_a_replacement(struct host *host)
{
    const char *code = load_and_ask(host, "hook_adds", "second", "10", "30");
    host_expect(host, "answer", "3");
    must_apply(host, "revert name=hook-adds");
    host_expect(host, "second", "10");
    host_expect(host, "answer", "1");
    return code;
}

/* ---- the same file again ---- */

/* "unchanged", "reused" or "apply". */
static const char *what_became(struct host *host, const char *line)
{
    struct reply *reply = request(host, "%s", line);
    json_object *modules = member(reply->json, "modules");
    const char *became = "apply";
    if (strcmp(reply->code, "apply") != 0)
        fail_msg("%s: %s", reply->code, reply->text);
    for (size_t i = 0; i < json_object_array_length(modules); i++) {
        json_object *module = json_object_array_get_idx(modules, i);
        if (json_object_get_boolean(member(module, "unchanged")))
            became = "unchanged";
        else if (json_object_get_boolean(member(module, "reused")))
            became = "reused";
    }
    reply_free(reply);
    return became;
}

static const char *load_line(const char *path)
{
    static char line[512];
    snprintf(line, sizeof(line), "load %s", path);
    return line;
}

static const char *load_of_what_is_live(struct host *host)
{
    must_apply(host, "load %s", patch_file("answer2"));
    const char *became = what_became(host, load_line(patch_file("answer2")));
    host_expect(host, "answer", "2");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    return became;
}

static const char *load_after_revert(struct host *host)
{
    must_apply(host, "load %s", patch_file("answer2"));
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    const char *became = what_became(host, load_line(patch_file("answer2")));
    host_expect(host, "answer", "2");
    return became;
}

static const char *touched_then_reload(struct host *host)
{
    const char *path = host_path(host, "touched.so");
    struct timespec times[2] = {{1000000000, 0}, {1000000000, 0}};
    copy_file(patch_file("answer2"), path);
    must_apply(host, "load %s", path);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    const char *became = what_became(host, "reload");
    host_expect(host, "answer", "2");
    return became;
}

static const char *mappings_nearly_all(struct host *host)
{
    (void)host;
    if (sanitized())
        return "HP-MAPPINGS"; /* its allocator aborts the process where mmap fails */
    struct host *other = host_start("torture", NULL);
    host_expect(other, "fill-maps 256", "full");
    const char *code = outcome(other, "load %s", patch_file("torture_v1"));
    host_expect(other, "answer", "1");
    host_expect(other, "free-maps", "free");
    must_apply(other, "load %s", patch_file("torture_v1"));
    host_expect(other, "answer", "2");
    host_kill(other);
    return code;
}

const struct must_case must_modules[] = {
    CASE(hook_refuses),
    CASE(hook_refuses_second_of_two),
    CASE(hook_refuses_revert),
    CASE(constructor_crash),
    CASE(constructor_exit),
    CASE(constructor_hang),
    CASE(constructor_hang_then_busy),
    CASE(constructor_hang_and_command),
    CASE(safe_point_never_comes),
    CASE(safe_point_comes),
    CASE(needs_malloc_in_constructor),
    CASE(hooks_in_order),
    CASE(hook_adds_a_replacement),
    CASE(load_of_what_is_live),
    CASE(load_after_revert),
    CASE(touched_then_reload),
    CASE(mappings_nearly_all),
    CASES_END,
};
