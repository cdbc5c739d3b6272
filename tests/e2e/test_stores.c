/*
 * test_stores.c - words that lie in read-only pages, and programs whose sandbox lets nobody make
 * these writable: the kernel stores then, or nothing is changed.
 *
 * What these tests are worth (each broken on purpose, each failed): no undo of what the kernel has
 * stored; pages not made read-only again, after the stores or where one cannot be made writable; no
 * store by the kernel; the program's own protection not looked at; RELRO kept in a patch's copy.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/harness.h"

#define VALUE "HOTPATCH_TEST_VALUE" /* what patches/import_getenv.c answers for */

enum { NOBODY = 65534 };

static struct host *host;

/* Full RELRO in the program; in the library a GLOB_DAT and a constant lie in RELRO as well. */
static int start(void **state)
{
    char question[600];

    (void)state;
    host = host_start("importer-now", NULL);
    snprintf(question, sizeof(question), "dlopen %s", built("hosts/libimporter.so"));
    host_expect(host, question, "opened");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    host_kill(host);
    return 0;
}

static void expect_everywhere(const char *answer)
{
    host_expect(host, "getenv " VALUE, answer);
    host_expect(host, "pointer " VALUE, answer);
    host_expect(host, "call library_got " VALUE, answer);
    host_expect(host, "call library_constant " VALUE, answer);
    host_expect(host, "call library_data " VALUE, answer);
}

/* The lines of /proc/PID/maps for the program and its library. */
static char *protections(void)
{
    char path[64], *maps, *save, *kept;
    size_t length = 0;

    snprintf(path, sizeof(path), "/proc/%d/maps", (int)host->pid);
    maps = file_text(path);
    kept = calloc(1, strlen(maps) + 1);
    for (char *line = strtok_r(maps, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        if (strstr(line, "/importer-now") || strstr(line, "/libimporter.so"))
            length += (size_t)sprintf(kept + length, "%s\n", line);
    free(maps);
    return kept;
}

static void expect_protections(const char *before)
{
    char *now = protections();

    if (strcmp(before, now) != 0)
        fail_msg("protections were\n%sand are\n%s", before, now);
    free(now);
}

/* The engine and its libraries are what ld.so cannot load under such a filter. */
static void load_engine(void)
{
    reply_free(request(host, "slots match=getenv"));
}

/* A fault on what the program and the library import: two objects, several pages. */
static void fault_strikes_and_goes(void)
{
    must_apply(host, "load fail=getenv=0");
    must_apply(host, "load fail=rename=-1:ENOSPC");
    host_expect(host, "rename /", "-1 28");
    host_expect(host, "call library_rename /", "-1 28");
    must_apply(host, "revert all");
    host_expect(host, "rename /", "-1 16");
    host_expect(host, "call library_rename /", "-1 16");
}

static void protections_are_as_before_a_switch(void **state)
{
    char *before = protections();

    (void)state;
    must_apply(host, "load %s", patch_file("import_getenv"));
    expect_everywhere("patched");
    expect_protections(before);
    must_apply(host, "revert all");
    expect_everywhere("none");
    expect_protections(before);
    free(before);
}

static void a_filter_on_mprotect_is_no_obstacle(void **state)
{
    char *before = protections();

    (void)state;
    load_engine();
    host_expect(host, "forbid-mprotect", "done");
    fault_strikes_and_goes();
    expect_protections(before);
    free(before);
}

static void a_filter_on_mprotect_is_no_obstacle_to_a_file(void **state)
{
    char *before = protections();

    (void)state;
    load_engine();
    host_expect(host, "forbid-mprotect", "done");
    must_apply(host, "load %s", patch_file("import_getenv"));
    expect_everywhere("patched");
    expect_protections(before);
    must_apply(host, "revert all");
    expect_everywhere("none");
    free(before);
}

/* The program's page was made writable by then, and must not stay so. */
static void a_page_that_cannot_be_made_writable_leaves_the_others_as_they_were(void **state)
{
    char *before = protections(), question[64];
    const char *relro = NULL;

    (void)state;
    /* The last read-only mapping of the library. */
    for (const char *line = before; line; line = strchr(line, '\n'), line += line != NULL)
        if (strstr(line, " r--p ") && strstr(line, " r--p ") < strchr(line, '\n'))
            relro = line;
    assert_true(relro && strstr(relro, "/libimporter.so"));
    snprintf(question, sizeof(question), "forbid-mprotect %.*s", (int)strcspn(relro, "-"), relro);
    host_expect(host, question, "done");
    must_apply(host, "load %s", patch_file("import_getenv"));
    expect_everywhere("patched");
    expect_protections(before);
    must_apply(host, "revert all");
    expect_everywhere("none");
    expect_protections(before);
    free(before);
}

/* Of several words one cannot be stored by either way: those that were go back. */
static void a_word_that_cannot_be_stored_leaves_all_as_they_were(void **state)
{
    (void)state;
    host_expect(host, "forbid-store getenv", "done");
    must_apply(host, "load fail=rename=-1:EIO");
    host_expect(host, "forbid-mprotect", "done");
    assert_string_equal(
        outcome(host, "begin\nload fail=rename=-1:ENOSPC\nload fail=getenv=0\ncommit"), "HP-STORE");
    host_expect(host, "rename /", "-1 5");
    expect_everywhere("none");
    must_apply(host, "revert all");
    host_expect(host, "rename /", "-1 16");
}

/* A process that changed its user may not open its own memory (proc(5), PR_SET_DUMPABLE). */
static void without_mprotect_and_memory_nothing_is_changed(void **state)
{
    char *before = protections();

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(host->directory, NOBODY, NOBODY), 0);
    host_expect(host, "setuid 65534", "done");
    must_apply(host, "load fail=rename=-1:EIO");
    host_expect(host, "forbid-mprotect", "done");
    assert_string_equal(outcome(host, "load fail=getenv=0"), "HP-STORE");
    assert_string_equal(outcome(host, "revert all"), "HP-STORE");
    expect_everywhere("none");
    host_expect(host, "rename /", "-1 5");
    expect_protections(before);
    free(before);
}

/* A program that hooks its own imports keeps the page writable, and writes it later. */
static void a_page_that_the_program_made_writable_stays_so(void **state)
{
    char *before;

    (void)state;
    host_expect(host, "unprotect getenv", "done");
    before = protections();
    must_apply(host, "load %s", patch_file("import_getenv"));
    expect_everywhere("patched");
    expect_protections(before);
    host_expect(host, "store getenv", "done");
    must_apply(host, "revert all");
    host_expect(host, "store getenv", "done");
    expect_everywhere("none");
    free(before);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        LIVE(protections_are_as_before_a_switch),
        LIVE(a_filter_on_mprotect_is_no_obstacle),
        LIVE(a_filter_on_mprotect_is_no_obstacle_to_a_file),
        LIVE(a_page_that_cannot_be_made_writable_leaves_the_others_as_they_were),
        LIVE(a_word_that_cannot_be_stored_leaves_all_as_they_were),
        LIVE(without_mprotect_and_memory_nothing_is_changed),
        LIVE(a_page_that_the_program_made_writable_stays_so),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("stores", tests, NULL, NULL);
}
