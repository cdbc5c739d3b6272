/*
 * test_thin_rough.c - thin objects under rough conditions: damaged files, threads that call without a pause, linkers
 * that do not follow the place, sandboxes, forks. The host goes on, and does not grow.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "elf/thin_digest.h"
#include "elf/thin_file.h"
#include "tests/support/directory.h"
#include "tests/support/harness.h"
#include "tests/support/thin_made.h"
#include "tests/support/usage.h"

static const char calls_c[] =
    "#include <hosts/loop.h>\n"
    "#include <pthread.h>\n"
    "#include <sys/wait.h>\n"
    "#include <unistd.h>\n"
    "#ifndef VERSION\n"
    "#define VERSION 0\n"
    "#endif\n"
    "#define OPAQUE __attribute__((noinline, noclone))\n"
    "static long state[4];\n"
    "static __thread long mine;\n"
    "static volatile int stop;\n"
    "static unsigned long total, wrong;\n"
    "int answer(int n, char *out);\n"
    "static OPAQUE int inner(int n) { return n * 10 + VERSION; }\n"
    "OPAQUE int answer(int n, char *out)\n"
    "{\n"
    "    static const char *const names[] = {\"zero\", \"one\", \"two\", \"three\"};\n"
    "    state[n & 3]++, mine++;\n"
    "    if (out)\n"
    "        snprintf(out, 32, \"%s %d\", names[VERSION], inner(n));\n"
    "    return inner(n);\n"
    "}\n"
    "static void *caller(void *of)\n"
    "{\n"
    "    unsigned long calls = 0;\n"
    "    for (int n = 0; !stop; n = (n + 1) % 1000, calls++) {\n"
    "        int got = answer(n, NULL);\n"
    "        if (got / 10 != n || got % 10 > 3)\n"
    "            __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);\n"
    "    }\n"
    "    __atomic_fetch_add(&total, calls, __ATOMIC_RELAXED);\n"
    "    return of;\n"
    "}\n"
    "static pthread_t threads[2];\n"
    "static void command(const char *word, char *rest)\n"
    "{\n"
    "    char text[32];\n"
    "    if (!strcmp(word, \"begin\"))\n"
    "        for (int i = 0; i < 2; i++)\n"
    "            pthread_create(&threads[i], NULL, caller, NULL);\n"
    "    if (!strcmp(word, \"end\")) {\n"
    "        stop = 1;\n"
    "        for (int i = 0; i < 2; i++)\n"
    "            pthread_join(threads[i], NULL);\n"
    "        say(\"%lu wrong%s\", wrong, total > 1000 ? \"\" : \", and too few calls\");\n"
    "        return;\n"
    "    }\n"
    "    if (!strcmp(word, \"fork\")) {\n"
    "        pid_t child = fork();\n"
    "        if (child > 0) {\n"
    "            waitpid(child, NULL, 0);\n"
    "            _exit(0);\n"
    "        }\n"
    "        say(\"pid %d\", (int)getpid());\n"
    "        return;\n"
    "    }\n"
    "    answer(*rest ? atoi(rest) : 7, text);\n"
    "    say(\"%s\", text);\n"
    "}\n"
    "int main(void) { return loop(); }\n";

static const char *const both[] = {"answer", "inner", NULL};

static int build(void **state)
{
    if (directory_make(state) != 0)
        return -1;
    file_write(directory_path("calls.c"), calls_c, sizeof(calls_c) - 1, 0644);
    run_in_directory("gcc -O2 -g -I%s -Wl,--build-id -o host calls.c -pthread",
                     source_file("tests"));
    for (int version = 1; version <= 3; version++) {
        char name[16], object[16];

        snprintf(name, sizeof(name), "v%d.hpo", version);
        snprintf(object, sizeof(object), "v%d.o", version);
        run_in_directory(
            "gcc -O2 -g -I%s -ffunction-sections -fdata-sections -DVERSION=%d -c -o %s "
            "calls.c",
            source_file("tests"), version, object);
        thin_make(directory_path(name), "calls", directory_path("host"), directory_path(object),
                  both);
    }
    return 0;
}

static void must_be_clean(const char *answer)
{
    assert_string_equal(answer, "0 wrong");
}

/* ---- damaged files ---- */

enum { DAMAGED = 400, LOADED = 60 };

/* Change a few bytes: of headers, of the symbol table, of relocations, of the lines, anywhere. */
static void damage(unsigned char *bytes, size_t size, unsigned seed)
{
    Elf64_Ehdr *header = (Elf64_Ehdr *)(void *)bytes;
    size_t headers = header->e_shoff;
    unsigned count = 1 + seed % 4;

    srand(seed);
    for (unsigned i = 0; i < count; i++) {
        size_t from = 0, range = size;

        if (seed % 3 == 1)
            from = headers, range = size - headers;
        else if (seed % 3 == 2)
            range = 64 + size / 8;
        from += (size_t)rand() % range;
        bytes[from] = (unsigned char)(seed % 5 == 0 ? bytes[from] ^ 1 << rand() % 8 : rand());
    }
}

/* Give the bytes their own digest, so that what is damaged is met. */
static void renew_digest(unsigned char *bytes, size_t size)
{
    static const char first[] = THIN_FIRST_LINE "\n";
    unsigned char *lines = memmem(bytes, size, first, sizeof(first) - 1);

    if (lines)
        thin_digest_set(bytes, size, (size_t)(lines - bytes), size - (size_t)(lines - bytes));
}

/* Write the damaged file of that seed. A shorter file is one that is still being written. */
static void write_damaged(const char *path, const struct file *whole, unsigned seed)
{
    unsigned char *bytes = malloc(whole->size);

    memcpy(bytes, whole->bytes, whole->size);
    damage(bytes, whole->size, seed);
    renew_digest(bytes, whole->size);
    file_write(path, bytes, seed % 7 == 0 ? whole->size * (seed % 11) / 11 : whole->size, 0644);
    free(bytes);
}

/* A file that is accepted is loaded and taken out again while no thread is in its functions: code and data may be
 * damaged in ways that no reader sees. */
static void a_damaged_thin_object_never_harms_the_program(void **state)
{
    struct file whole = file_read(directory_path("v1.hpo"));
    struct host *host = host_start(directory_path("host"), NULL);
    unsigned refused = 0, loaded = 0;
    struct usage before, after;
    char path[256];

    (void)state;
    snprintf(path, sizeof(path), "%s/damaged.hpo", directory);
    for (unsigned seed = 0; seed < DAMAGED; seed++) {
        const char *result;

        write_damaged(path, &whole, seed);
        result = outcome(host, "load dry-run=1 %s", path);
        assert_true(strncmp(result, "HP-", 3) == 0 || strcmp(result, "apply") == 0);
        assert_string_not_equal(result, "HP-INTERNAL");
        if (strcmp(result, "apply") != 0) {
            refused++;
        } else if (loaded < LOADED && strcmp(outcome(host, "load %s", path), "apply") == 0) {
            loaded++;
            must_apply(host, "revert last");
        }
        if (loaded == LOADED && seed == DAMAGED / 2)
            before = usage_of(host);
        if (seed % 20 == 0)
            host_expect(host, "answer", "zero 70");
    }
    after = usage_of(host);
    assert_true(refused > DAMAGED / 4 && loaded == LOADED);
    usage_assert_same(&before, &after);
    must_apply(host, "load %s", directory_path("v1.hpo"));
    host_expect(host, "answer", "one 71");
    must_apply(host, "revert last");
    host_expect(host, "answer", "zero 70");
    host_stop(host);
    file_free(&whole);
}

/* Also in code and data, where no reader could tell. */
static void an_object_with_another_bit_is_refused(void **state)
{
    enum { BITS = 300 };
    struct file whole = file_read(directory_path("v1.hpo"));
    struct host *host = host_start(directory_path("host"), NULL);
    char path[256];

    (void)state;
    snprintf(path, sizeof(path), "%s/bit.hpo", directory);
    srand(1);
    for (int i = 0; i < BITS; i++) {
        size_t at = (size_t)rand() % whole.size;
        unsigned char bit = (unsigned char)(1 << rand() % 8);

        whole.bytes[at] ^= bit;
        file_write(path, whole.bytes, whole.size, 0644);
        whole.bytes[at] ^= bit;
        if (strncmp(outcome(host, "load %s", path), "HP-", 3) != 0)
            fail_msg("bit %#x of byte %zu", bit, at);
    }
    file_write(path, whole.bytes, whole.size, 0644);
    must_apply(host, "load %s", path);
    host_expect(host, "answer", "one 71");
    host_stop(host);
    file_free(&whole);
}

/* ---- threads that call ---- */

enum { ROUNDS = 1000 };

static void versions_change_a_thousand_times_under_threads_that_call(void **state)
{
    struct host *host = host_start(directory_path("host"), NULL);
    struct usage before, after;

    (void)state;
    host_expect(host, "begin", "zero 70");
    for (int i = 0; i < ROUNDS; i++) {
        must_apply(host, "load %s", directory_path(i % 2 ? "v1.hpo" : "v2.hpo"));
        if (i % 5 == 4)
            must_apply(host, "revert last");
        if (i == 20)
            before = usage_of(host);
    }
    after = usage_of(host);
    usage_assert_same(&before, &after);
    must_be_clean(host_ask(host, "end"));
    host_stop(host);
}

/* ---- surroundings ---- */

static void a_forked_child_goes_on_with_the_same_versions(void **state)
{
    struct host *host = host_start(directory_path("host"), NULL);

    (void)state;
    must_apply(host, "load %s", directory_path("v1.hpo"));
    host_become(host, "fork");
    host_expect(host, "answer", "one 71");
    must_apply(host, "load %s", directory_path("v2.hpo"));
    host_expect(host, "answer", "two 72");
    must_apply(host, "revert last");
    host_expect(host, "answer", "zero 70");
    host_stop(host);
}

static void a_directory_without_execution_is_no_obstacle(void **state)
{
    char mounted[300], setting[320];
    const char *environment[] = {setting, NULL};
    struct host *host;

    (void)state;
    snprintf(mounted, sizeof(mounted), "%s/noexec", directory);
    run_in_directory("mkdir -m 700 noexec");
    if (geteuid() != 0 || mount("none", mounted, "tmpfs", MS_NOEXEC, "mode=700") != 0)
        skip();
    snprintf(setting, sizeof(setting), "HOTPATCH_DIR=%s", mounted);
    host = host_start(directory_path("host"), environment);
    must_apply(host, "load %s", directory_path("v1.hpo"));
    host_expect(host, "answer", "one 71");
    must_apply(host, "load %s", directory_path("v2.hpo"));
    host_expect(host, "answer", "two 72");
    must_apply(host, "revert last");
    host_expect(host, "answer", "zero 70");
    host_stop(host);
    umount2(mounted, MNT_DETACH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_thin_object_never_harms_the_program),
        cmocka_unit_test(an_object_with_another_bit_is_refused),
        cmocka_unit_test(versions_change_a_thousand_times_under_threads_that_call),
        cmocka_unit_test(a_forked_child_goes_on_with_the_same_versions),
        cmocka_unit_test(a_directory_without_execution_is_no_obstacle),
    };

    return cmocka_run_group_tests(tests, build, directory_remove);
}
