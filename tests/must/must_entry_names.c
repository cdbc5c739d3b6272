/*
 * must_entry_names.c - which function of a prebuilt program or its libraries is meant, by whatever name
 * or place; see must.h. tests/test_entries.c and tests/test_entry_places.c look at each closer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/must/must.h"
#include "tests/support/file_facts.h"

#define NAMED(name, target, question, before)                                 \
    static const char *name(struct host *host)                                \
    {                                                                         \
        return becomes_two(host, "replace=" target "=two", question, before); \
    }

NAMED(entry_alias, "exported_alias", "exported", "1")
NAMED(entry_weak, "weak_answer", "weak", "1")
NAMED(entry_ambiguous_uneven, "uneven_twin", "twins", "10 20")
NAMED(entry_version_unknown, "exported_answer@NOTHING_1", "exported", "1")
NAMED(entry_version_of_library_unknown, "libc.so.6:getppid@GLIBC_9.9", "answer", "1")
NAMED(entry_offset_of_header, "exe+0x400000", "answer", "1")
NAMED(entry_offset_beyond, "exe+0x7fffffffffffffff", "answer", "1")

static const char *at_offset(struct host *host, unsigned long offset)
{
    char keys[64];
    snprintf(keys, sizeof(keys), "replace=exe+0x%lx=two", offset);
    return becomes_two(host, keys, "answer", "1");
}

static const char *entry_offset_in_data(struct host *host)
{
    return at_offset(host, symbol_of("entries-nopie", "pointer"));
}

static const char *entry_offset_in_plt(struct host *host)
{
    return at_offset(host, strtoul(host_ask(host, "address getppid"), NULL, 16));
}

static const char *entry_indirect_hidden(struct host *host)
{
    assert_string_equal(host_ask(host, "dlopen %s", built("hosts/libentries.so")), "opened");
    return becomes_two(host, "replace=libentries.so:library_hidden=two", "call library_by_hidden",
                       "71");
}

static const char *entry_indirect_unused(struct host *host)
{
    assert_string_equal(host_ask(host, "dlopen %s", built("hosts/libentries.so")), "opened");
    return becomes_two(host, "replace=libentries.so:library_unused=two", "call library_unused",
                       "50");
}

/* Now it is there, now it is not. */
static const char *entry_library_leaves_meanwhile(struct host *host)
{
    const char *code = "HP-NO-TARGET";
    assert_string_equal(host_ask(host, "churn %s", built("hosts/libentries.so")), "started");
    for (int i = 0; i < 1000 && strcmp(code, "HP-NO-TARGET") == 0; i++)
        code = outcome(host, "load replace=libentries.so:in_library=two %s",
                       patch_file("entry_plain"));
    host_expect(host, "stop-threads", "wrong 0");
    must_apply(host, "revert all");
    return code;
}

static const char *entry_memcpy(struct host *host)
{
    if (sanitized())
        return "apply"; /* the function is the sanitizer's own */
    host_expect(host, "copy probe", "probe");
    const char *code =
        outcome(host, "load replace=libc.so.6:memcpy=shouting_copy %s", patch_file("entry_copy"));
    host_expect(host, "copy probe", "Probe");
    must_apply(host, "revert all");
    host_expect(host, "copy probe", "probe");
    return code;
}

static const char *entry_version(struct host *host)
{
    if (sanitized())
        return "apply";
    const char *code = outcome(host, "load fail=libc.so.6:sched_getaffinity@GLIBC_2.3.3=77");
    host_expect(host, "libc sched_getaffinity GLIBC_2.3.3", "77");
    host_expect(host, "libc sched_getaffinity", "-1");
    return code;
}

static const char *entry_imported_instead(struct host *host)
{
    assert_string_equal(host_ask(host, "dlopen %s", built("hosts/libuses1.so")), "opened");
    return becomes_two(host, "replace=libdefines1.so:defined_short=two", "call uses_short", "4");
}

/* ---- places ---- */

static const char *at_place(struct host *host, const char *object, const char *build_id)
{
    char keys[512];
    snprintf(keys, sizeof(keys), "at=%s@%s+0x%lx=whatever replace=whatever=two", object, build_id,
             symbol_of("entries-nopie", "answer"));
    return becomes_two(host, keys, "answer", "1");
}

static const char *entry_place(struct host *host)
{
    return at_place(host, "exe", build_id_of(built("hosts/entries-nopie")));
}

static const char *entry_place_by_build_id(struct host *host)
{
    return at_place(host, "renamed", build_id_of(built("hosts/entries-nopie")));
}

static const char *entry_place_of_another_build(struct host *host)
{
    return at_place(host, "exe", "0123456789abcdef");
}

/* In the middle of what a jump displaces. */
static const char *entry_place_in_a_jump(struct host *host)
{
    must_apply(host, "load replace=straddles_word=two %s", patch_file("entry_plain"));
    const char *code =
        outcome(host, "load at=exe@%s+0x%lx=x replace=x=three %s",
                build_id_of(built("hosts/entries-nopie")),
                symbol_of("entries-nopie", "straddles_word") + 4, patch_file("entry_plain"));
    host_expect(host, "shape straddles_word", "2");
    must_apply(host, "revert all");
    return code;
}

static const char *entry_by_two_names(struct host *host)
{
    return outcome(host, "load replace=answer=two replace=exe+0x%lx=three %s",
                   symbol_of("entries-nopie", "answer"), patch_file("entry_plain"));
}

static const char *entry_in_the_engine(struct host *host)
{
    return outcome(host, "load replace=libhotpatch_engine.so+0x1000=two %s",
                   patch_file("entry_plain"));
}

static const char *entry_in_vdso(struct host *host)
{
    return sanitized() ? "HP-NOT-PATCHABLE" : outcome(host, "load fail=libc.so.6:gettimeofday=0");
}

static const char *entry_place_of_no_object(struct host *host)
{
    return at_place(host, "libnothing.so", "0123456789abcdef");
}

static const char *entry_place_reloads(struct host *host)
{
    const char *path = host_path(host, "fix.so");
    copy_file(patch_file("answer2"), path);
    must_apply(host, "load at=exe@%s+0x%lx=answer %s", build_id_of(built("hosts/entries-nopie")),
               symbol_of("entries-nopie", "second"), path);
    host_expect(host, "second", "2");
    copy_file(patch_file("answer3"), path);
    const char *code = outcome(host, "reload");
    host_expect(host, "second", "3");
    host_expect(host, "answer", "1");
    return code;
}

static const char *entry_place_of_declared_slot(struct host *host)
{
    host_expect(host, "answer", "1");
    const char *code = outcome(host, "load at=exe@%s+0x1000=answer %s",
                               build_id_of(built("hosts/host")), patch_file("answer2"));
    host_expect(host, "answer", "2");
    return code;
}

#define IN_ENTRIES(name) CASE_IN(name, "entries")
#define AT_4_MB(name) CASE_IN(name, "entries-nopie")

const struct must_case must_entry_names[] = {
    IN_ENTRIES(entry_alias),
    IN_ENTRIES(entry_weak),
    IN_ENTRIES(entry_ambiguous_uneven),
    IN_ENTRIES(entry_version),
    IN_ENTRIES(entry_version_unknown),
    IN_ENTRIES(entry_version_of_library_unknown),
    IN_ENTRIES(entry_indirect_hidden),
    IN_ENTRIES(entry_indirect_unused),
    IN_ENTRIES(entry_memcpy),
    IN_ENTRIES(entry_library_leaves_meanwhile),
    IN_ENTRIES(entry_imported_instead),
    AT_4_MB(entry_offset_of_header),
    AT_4_MB(entry_offset_beyond),
    AT_4_MB(entry_offset_in_data),
    AT_4_MB(entry_offset_in_plt),
    AT_4_MB(entry_place),
    AT_4_MB(entry_place_by_build_id),
    AT_4_MB(entry_place_of_another_build),
    AT_4_MB(entry_place_of_no_object),
    AT_4_MB(entry_place_in_a_jump),
    AT_4_MB(entry_by_two_names),
    IN_ENTRIES(entry_in_the_engine),
    IN_ENTRIES(entry_in_vdso),
    AT_4_MB(entry_place_reloads),
    CASE_IN(entry_place_of_declared_slot, "host"),
    CASES_END,
};
