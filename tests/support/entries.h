/*
 * entries.h - shared by the suites of entry slots: the running host, its functions that patches/entry_plain.c replaces,
 * and the engine's reports of these functions.
 */
#ifndef HOTPATCH_ENTRIES_H
#define HOTPATCH_ENTRIES_H

#include "tests/support/harness.h"
#include "tests/support/picture.h"

extern struct host *host; /* NULL: no host runs */

void start(const char *program);
void finish(void);       /* stop the host, which must end with status 0 */
int stop(void **state);  /* the teardown: kills the host of a failed test */
void open_library(void); /* let the host open libentries.so */

/* Replace one function by another of entry_plain. Return the outcome. */
const char *replace(const char *target, const char *symbol);
void must_replace(const char *target, const char *symbol);
/* Require that the target's question gives `before`, with `two` as its replacement `after`, and `before` again. */
void there_and_back(const char *target, const char *question, const char *before,
                    const char *after);

/* Return the text of a member of an entry in `slots`, or in `status`; valid until the next call. */
const char *said_of(const char *name, const char *key);
const char *status_of(const char *name, const char *key);
/* Write OBJECT+0xOFFSET of a function that the host names. */
void by_offset(const char *object, const char *name, char *target, size_t size);
#define LIVE(test) cmocka_unit_test_setup_teardown(test, NULL, stop)

#endif
