/*
 * test_old_calls.c - status names the threads that are in a call that began before a switch and has not returned.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/directory.h"
#include "tests/support/harness.h"

static const char program_c[] = "#define _GNU_SOURCE\n"
                                "#include <poll.h>\n"
                                "#include <pthread.h>\n"
                                "#include <stdio.h>\n"
                                "#include <string.h>\n"
                                "#include <unistd.h>\n"
                                "#define OPAQUE __attribute__((noipa))\n"
                                "OPAQUE int answer(void) { return getpid() ? 1 : 2; }\n"
                                "OPAQUE int before(int n) { char room[600]; snprintf(room, sizeof "
                                "room, \"%d\", n); return *room; }\n"
                                "OPAQUE void *work(void *nothing)\n"
                                "{ pthread_setname_np(pthread_self(), \"worker\"); for (;;) "
                                "poll(NULL, 0, -1); return nothing; }\n"
                                "OPAQUE int serve(void)\n"
                                "{\n"
                                "    char line[64];\n"
                                "    puts(\"ready\");\n"
                                "    while (fgets(line, sizeof(line), stdin))\n"
                                "        printf(\"%d\\n\", answer());\n"
                                "    return 0;\n"
                                "}\n"
                                "int main(void)\n"
                                "{\n"
                                "    pthread_t thread;\n"
                                "    setvbuf(stdout, NULL, _IOLBF, 0);\n"
                                "    pthread_create(&thread, NULL, work, NULL);\n"
                                "    return before(7) == '7' ? serve() : 1;\n"
                                "}\n";

static const char patch_c[] = "#include <hotpatch.h>\n"
                              "HOTPATCH_MODULE(\"new\", \"1\");\n"
                              "HOTPATCH_REPLACE(int, answer, (void)) { return 3; }\n"
                              "HOTPATCH_REPLACE(int, before, (int n)) { return n; }\n"
                              "HOTPATCH_REPLACE(void *, work, (void *p)) { return p; }\n"
                              "HOTPATCH_REPLACE(int, serve, (void)) { return 4; }\n";

static void put(const char *name, const char *text)
{
    file_write(directory_path(name), text, strlen(text), 0644);
}

/* Compile the program with the flags, and the patch. */
static void compile(const char *flags, const char *name)
{
    char command[1024];

    snprintf(command, sizeof(command),
             "cd %s && gcc %s -g -pthread -o %s %s.c && "
             "gcc -I%s -shared -fPIC -o patch.so patch.c",
             directory, flags, name, name, source_file("include"));
    run_shell(command);
}

static struct host *start(const char *flags)
{
    put("program.c", program_c);
    put("patch.c", patch_c);
    compile(flags, "program");
    return host_start(directory_path("program"), NULL);
}

static void with_flags(const char *flags)
{
    struct host *host = start(flags);
    const char *pid = pid_text(host->pid);
    struct output *output;
    char *text;

    output_must(hotpatch(host, "load", pid, directory_path("patch.so"), NULL), 0, "applied", NULL);
    host_expect(host, "x", "3");
    await_read(host->pid);
    output = hotpatch(host, "status", pid, NULL);
    text = output->out;
    assert_int_equal(output->status, 0);
    assert_non_null(
        strstr(text, "(program) still runs the old code: its call has not returned since 2"));
    assert_non_null(
        strstr(text, "(worker) still runs the old code: its call has not returned since 2"));
    /* `answer` and `before` have returned. */
    text = strstr(text, "still runs");
    text = strstr(text + 1, "still runs");
    assert_null(strstr(text + 1, "still runs"));
    output_free(output);
    output_must(hotpatch(host, "revert", pid, "all", NULL), 0, "reverted", NULL);
    output_must(hotpatch(host, "status", pid, NULL), 0, NULL, "still runs");
    host_kill(host);
}

static void calls_that_have_not_returned_are_named(void **state)
{
    (void)state;
    with_flags("-O2");
}

static void frames_with_frame_pointers_are_found_too(void **state)
{
    (void)state;
    with_flags("-O0");
}

/* The thread never sleeps after its line: /proc does not say where it is. */
static const char spinner_c[] = "#include <stdio.h>\n"
                                "__attribute__((noipa)) int answer(int n) { return n * 1000003; }\n"
                                "int main(void)\n"
                                "{\n"
                                "    puts(\"ready\");\n"
                                "    fflush(stdout);\n"
                                "    for (volatile int n = 0;; n = answer(n))\n"
                                "        ;\n"
                                "}\n";

static void a_thread_that_never_sleeps_is_named_as_not_known(void **state)
{
    struct host *host;
    const char *pid;

    (void)state;
    put("spinner.c", spinner_c);
    put("patch.c", "#include <hotpatch.h>\n"
                   "HOTPATCH_MODULE(\"new\", \"1\");\n"
                   "HOTPATCH_REPLACE(int, answer, (int n)) { return n + 2; }\n");
    compile("-O2", "spinner");
    host = host_start(directory_path("spinner"), NULL);
    pid = pid_text(host->pid);
    output_must(hotpatch(host, "status", pid, NULL), 0, "nothing is applied", "whenever");
    output_must(hotpatch(host, "load", pid, directory_path("patch.so"), NULL), 0, "applied", NULL);
    output_must(hotpatch(host, "status", pid, NULL), 0,
                "(spinner) ran whenever it was looked at: whether it still runs old code is not "
                "known",
                "its call has not");
    output_must(hotpatch(host, "revert", pid, "all", NULL), 0, "reverted", NULL);
    output_must(hotpatch(host, "status", pid, NULL), 0, "nothing is applied", "whenever");
    host_kill(host);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_that_have_not_returned_are_named),
        cmocka_unit_test(frames_with_frame_pointers_are_found_too),
        cmocka_unit_test(a_thread_that_never_sleeps_is_named_as_not_known),
    };

    return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
