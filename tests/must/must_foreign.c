/*
 * must_foreign.c - entries that somebody else writes to as well: uprobes, debuggers, hooks; see must.h.
 * tests/test_foreign_bytes.c looks closer.
 */
#include <stdio.h>
#include <string.h>

#include "tests/must/must.h"
#include "tests/support/plant.h"

static const char *replace(struct host *host, const char *name, const char *symbol)
{
    return outcome(host, "load replace=%s=%s %s", name, symbol, patch_file("entry_plain"));
}

/* A uprobe is set, or a breakpoint: the first byte is int3. It goes as it came. */
static const char *under_int3(struct host *host, const char *request_line)
{
    uintptr_t at = plant_address(host, "second");
    unsigned char was;

    plant_read(host, at, &was, 1);
    plant_byte(host, at, 0xcc);
    const char *code = outcome(host, "%s", request_line);
    plant_byte(host, at, was);
    return code;
}

static char *second_line(const char *symbol)
{
    static char line[300];

    snprintf(line, sizeof(line), "load replace=second=%s %s", symbol, patch_file("entry_plain"));
    return line;
}

static const char *entry_probed_before_load(struct host *host)
{
    const char *code = under_int3(host, second_line("two"));

    host_expect(host, "second", "10");
    must_apply(host, "%s", second_line("two"));
    host_expect(host, "second", "2");
    must_apply(host, "revert all");
    return code;
}

static const char *entry_probed_before_dry_run(struct host *host)
{
    char line[320];

    snprintf(line, sizeof(line), "load dry-run=1 %s", second_line("two") + strlen("load "));
    return under_int3(host, line);
}

static const char *entry_probed_before_switch(struct host *host)
{
    must_apply(host, "%s", second_line("two"));
    const char *code = under_int3(host, second_line("nine"));
    host_expect(host, "second", "2");
    must_apply(host, "revert all");
    host_expect(host, "second", "10");
    return code;
}

static const char *entry_probed_before_reload(struct host *host)
{
    must_apply(host, "%s", second_line("two"));
    const char *code = under_int3(host, "reload");
    host_expect(host, "second", "2");
    must_apply(host, "revert all");
    return code;
}

static const char *entry_probed_before_revert(struct host *host)
{
    must_apply(host, "%s", second_line("two"));
    const char *code = under_int3(host, "revert last");
    host_expect(host, "second", "10");
    return code;
}

/* What the kernel writes when a uprobe is removed: the file's first byte. */
static void restore(struct host *host)
{
    uintptr_t at = plant_address(host, "second");
    unsigned char file;

    plant_read(host, at, &file, 1);
    must_apply(host, "%s", second_line("two"));
    host_expect(host, "second", "2");
    plant_byte(host, at, file);
}

static const char *entry_restored_before_reload(struct host *host)
{
    restore(host);
    const char *code = outcome(host, "reload");
    host_expect(host, "second", "2");
    must_apply(host, "revert all");
    host_expect(host, "second", "10");
    return code;
}

static const char *entry_restored_before_switch(struct host *host)
{
    restore(host);
    const char *code = outcome(host, "%s", second_line("nine"));
    host_expect(host, "second", "9");
    must_apply(host, "revert all");
    host_expect(host, "second", "10");
    return code;
}

static const char *hooked_before(struct host *host, const char *hook)
{
    host_expect(host, hook, "hooked");
    host_expect(host, "shape hooked", "101");
    const char *code = replace(host, "hooked", "two");
    host_expect(host, "shape hooked", "101");
    host_expect(host, "unhook", "unhooked");
    must_apply(host, "load replace=hooked=two %s", patch_file("entry_plain"));
    host_expect(host, "shape hooked", "2");
    must_apply(host, "revert all");
    return code;
}

static const char *hooked_after(struct host *host, const char *hook, const char *line)
{
    must_apply(host, "load replace=hooked=two %s", patch_file("entry_plain"));
    host_expect(host, hook, "hooked");
    host_expect(host, "shape hooked", "102");
    const char *code = outcome(host, "%s", line);
    host_expect(host, "shape hooked", strcmp(code, "apply") == 0 ? "101" : "102");
    host_expect(host, "unhook", "unhooked");
    host_expect(host, "shape hooked", strcmp(code, "apply") == 0 ? "1" : "2");
    must_apply(host, "load replace=hooked=nine %s", patch_file("entry_plain"));
    host_expect(host, "shape hooked", "9");
    must_apply(host, "revert all");
    host_expect(host, "shape hooked", "1");
    return code;
}

static const char *hooked_line(void)
{
    static char line[300];

    snprintf(line, sizeof(line), "load replace=hooked=three %s", patch_file("entry_plain"));
    return line;
}

static const char *entry_hooked_before_load(struct host *host)
{
    return hooked_before(host, "hook-near");
}

static const char *entry_hooked_far_before_load(struct host *host)
{
    return hooked_before(host, "hook-far");
}

static const char *entry_hooked_before_switch(struct host *host)
{
    return hooked_after(host, "hook-near", hooked_line());
}

static const char *entry_hooked_far_before_switch(struct host *host)
{
    return hooked_after(host, "hook-far", hooked_line());
}

static const char *entry_hooked_before_reload(struct host *host)
{
    return hooked_after(host, "hook-near", "reload");
}

static const char *entry_hooked_before_revert(struct host *host)
{
    return hooked_after(host, "hook-near", "revert all");
}

static const char *entry_hooked_far_before_revert(struct host *host)
{
    return hooked_after(host, "hook-far", "revert all");
}

#define IN_ENTRIES(name) CASE_IN(name, "entries")

const struct must_case must_foreign[] = {
    IN_ENTRIES(entry_probed_before_load),
    IN_ENTRIES(entry_probed_before_dry_run),
    IN_ENTRIES(entry_probed_before_switch),
    IN_ENTRIES(entry_probed_before_reload),
    IN_ENTRIES(entry_probed_before_revert),
    IN_ENTRIES(entry_restored_before_reload),
    IN_ENTRIES(entry_restored_before_switch),
    IN_ENTRIES(entry_hooked_before_load),
    IN_ENTRIES(entry_hooked_far_before_load),
    IN_ENTRIES(entry_hooked_before_switch),
    IN_ENTRIES(entry_hooked_far_before_switch),
    IN_ENTRIES(entry_hooked_before_reload),
    IN_ENTRIES(entry_hooked_before_revert),
    IN_ENTRIES(entry_hooked_far_before_revert),
    CASES_END,
};
