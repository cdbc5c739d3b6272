/*
 * edited.h - edits of small programs, and what is selected of them: for the suites of cli/build/.
 *
 * The directory of tests/support/directory.h holds the files; directory_make() and directory_remove() are the group's
 * setup and teardown.
 */
#ifndef HOTPATCH_EDITED_H
#define HOTPATCH_EDITED_H

#include "base/refusal.h"
#include "cli/build/selection.h"
#include "elf/binary.h"
#include "elf/binary_read.h"
#include "resolve/baseline.h"
#include "tests/support/compiled.h"

enum { EDITED_UNITS = 3 };

/* The texts of one file; `before` is NULL for a new file. */
struct edited_file {
    const char *name; /* "a": a.c */
    const char *before, *after;
};

struct edited {
    struct compiled before[EDITED_UNITS], after[EDITED_UNITS];
    struct baseline *baselines[EDITED_UNITS];
    struct unit_pair pairs[EDITED_UNITS];
    size_t count;
    struct binary *binary;
    struct selection *selection; /* NULL: refused */
    struct refusal why;
};

/* Whether edits are selected with a look at the entries of the program: a function of few bytes that nothing follows has
 * no room for a jump. */
extern bool edited_judges;

/* Build the program of the unedited files with `command` (compiler and flags), compile both texts of each, and select.
 * `count` files, of which those without an `after` are no part of the edit. */
struct edited edited_select(const char *command, const struct edited_file *files, size_t count);
/* The same with one file. */
struct edited edited_one(const char *command, const char *before, const char *after);
void edited_close(struct edited *edited);

/* Fail the test unless ... the functions whose entries are switched are these, separated by spaces, in any order. */
void edited_expect_replaced(const struct edited *edited, const char *names);
/* ... all functions that are placed are these. */
void edited_expect_placed(const struct edited *edited, const char *names);
/* ... the edit is refused with this code, and a sentence has `text`. */
void edited_expect_refused(const struct edited *edited, enum error_code code, const char *text);
/* ... a note has `text`; or none. */
void edited_expect_note(const struct edited *edited, const char *text);
void edited_expect_no_note(const struct edited *edited, const char *text);
/* ... the reason of that function has `text`. */
void edited_expect_why(const struct edited *edited, const char *function, const char *text);

/* Return what the placed code's references to a variable or function of the edited object are bound to: through a symbol
 * of that name, or its section's. CHOICE_DISCARDED: nothing refers to it. */
struct symbol_choice edited_choice(const struct edited *edited, size_t unit, const char *symbol);
/* Return the address of a symbol in the program; the test fails without one. */
uint64_t edited_address(const struct edited *edited, const char *symbol);

#endif
