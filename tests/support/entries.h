/*
 * entries.h - what the suites of entry slots share: the host that runs, its functions replaced by
 * those of patches/entry_plain.c, and what the engine says of them.
 */
#ifndef HOTPATCH_ENTRIES_H
#define HOTPATCH_ENTRIES_H

#include "tests/support/harness.h"
#include "tests/support/picture.h"

extern struct host *host; /* NULL: none runs */

void start(const char *program);
void finish(void);       /* it must leave with status 0 */
int stop(void **state);  /* the teardown: ends what a failed test left */
void open_library(void); /* libentries.so, into the host */

/* The outcome of replacing one function by another of entry_plain. */
const char *replace(const char *target, const char *symbol);
void must_replace(const char *target, const char *symbol);
/* The target's question gives `before`, with `two` as its replacement `after`, and `before` again. */
void there_and_back(const char *target, const char *question, const char *before,
                    const char *after);

/* What `slots`, and `status`, say of an entry: the text of one of its members; good until the next. */
const char *said_of(const char *name, const char *key);
const char *status_of(const char *name, const char *key);
/* OBJECT+0xOFFSET of a function that the host names. */
void by_offset(const char *object, const char *name, char *target, size_t size);
#define LIVE(test) cmocka_unit_test_setup_teardown(test, NULL, stop)

#endif
