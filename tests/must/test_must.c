/*
 * test_must.c - runs every row of must.tsv against a live host.
 *
 * A row without a case, a case without a row, a refusal where the row says `apply`: each fails.
 * After every refusal the old answers must still come and the host answer a ping.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/must/must.h"

struct row {
    char *id;
    char *area;
    char *expect;
    const struct must_case *implemented;
    struct host *host;
};

static const struct must_case *const groups[] = {
    must_requests, must_files,   must_manifests, must_slots,   must_modules,
    must_applied,  must_hosts,   must_faults,    must_entries, must_entry_names,
    must_foreign,  must_callers, must_watch,     NULL};

const char *load(struct host *host, const char *name)
{
    return outcome(host, "load %s", patch_file(name));
}

const char *load_and_ask(struct host *host, const char *name, const char *question,
                         const char *before, const char *after)
{
    host_expect(host, question, before);
    const char *code = load(host, name);
    host_expect(host, question, strcmp(code, "apply") == 0 ? after : before);
    return code;
}

static const struct must_case *find(const char *id)
{
    for (size_t g = 0; groups[g]; g++)
        for (const struct must_case *c = groups[g]; c->id; c++)
            if (strcmp(c->id, id) == 0)
                return c;
    return NULL;
}

/* The rows: id, area, case, expect. */
static size_t read_rows(char *text, struct row *rows, size_t limit)
{
    size_t count = 0;
    char *save;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *fields[4];
        size_t n = 0;
        if (*line == '#' || strncmp(line, "id\t", 3) == 0)
            continue;
        for (char *field; n < 4 && (field = strsep(&line, "\t"));)
            fields[n++] = field;
        if (n != 4 || count == limit) {
            fprintf(stderr, "must.tsv: row %zu (%s) has %zu fields\n", count + 1, fields[0], n);
            exit(1);
        }
        rows[count++] = (struct row){fields[0], fields[1], fields[3], find(fields[0]), NULL};
    }
    return count;
}

static int begin(void **state)
{
    struct row *row = *state;
    if (row->implemented) {
        const char *program = row->implemented->program;
        row->host = host_start(program ? program : "host", NULL);
    }
    return 0;
}

static int end(void **state)
{
    struct row *row = *state;
    if (row->host)
        host_kill(row->host);
    return 0;
}

static void holds(void **state)
{
    struct row *row = *state;
    if (!row->implemented)
        fail_msg("must.tsv has the row %s; no case of that name exists", row->id);
    /* TSan defers signals, and its own code is in every function. */
    if ((strcmp(row->area, "entry") == 0 || strcmp(row->area, "watch") == 0) &&
        sanitized_for_threads())
        skip();
    const char *came = row->implemented->run(row->host);
    if (strcmp(came, row->expect) != 0)
        fail_msg("%s came out as %s, must be %s", row->id, came, row->expect);
    if (strncmp(came, "HP-", 3) == 0 && row->host)
        assert_unchanged(row->host);
}

/* tests/edits/run applies the rows of the area `edit`, with many flags; see tests/e2e/edits.sh. */
static bool is_edit(const struct row *row)
{
    return strcmp(row->area, "edit") == 0;
}

static void has_a_file(void **state)
{
    const struct row *row = *state;
    char name[256];
    assert_int_equal(strncmp(row->id, "edit_", 5), 0);
    snprintf(name, sizeof(name), "tests/edits/%s.edit", row->id + 5);
    if (access(source_file(name), R_OK) != 0)
        fail_msg("must.tsv has the row %s; %s does not exist", row->id, name);
}

static void every_case_has_a_row(void **state)
{
    const struct row *rows = *state;
    for (size_t g = 0; groups[g]; g++)
        for (const struct must_case *c = groups[g]; c->id; c++) {
            bool found = false;
            for (size_t i = 0; rows[i].id && !found; i++)
                found = strcmp(rows[i].id, c->id) == 0;
            if (!found)
                fail_msg("the case %s has no row in must.tsv", c->id);
        }
}

/* `test_must ID...` runs these rows alone. */
static bool wanted(const char *id, char **ids)
{
    if (!*ids)
        return true;
    while (*ids)
        if (strcmp(*ids++, id) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    enum { ROW_MAX = 800 };
    static struct row rows[ROW_MAX + 1];
    static struct CMUnitTest tests[ROW_MAX + 1];
    (void)argc;
    char *text = file_text(source_file("tests/must.tsv"));
    size_t count = read_rows(text, rows, ROW_MAX), chosen = 0;
    for (size_t i = 0; i < count; i++)
        if (wanted(rows[i].id, argv + 1))
            tests[chosen++] =
                is_edit(&rows[i])
                    ? (struct CMUnitTest){rows[i].id, has_a_file, NULL, NULL, &rows[i]}
                    : (struct CMUnitTest){rows[i].id, holds, begin, end, &rows[i]};
    tests[chosen++] =
        (struct CMUnitTest){"every_case_has_a_row", every_case_has_a_row, NULL, NULL, rows};
    return _cmocka_run_group_tests("must.tsv", tests, chosen, NULL, NULL);
}
