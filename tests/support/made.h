/*
 * made.h - programs that a suite builds with a user's tools (gcc, strip, objcopy) and patches while they run: for the
 * tests that depend on symbols and debug information.
 *
 *   whole    with all symbols and debug information: static `answer` (1), `twin` (10) of two files,
 *            `small` (60), of which one call is inlined, `gone`, of which all calls are, `tiny`, too
 *            short for a jump
 *   bare     the same, stripped; only elsewhere.debug has its debug information
 *   near/linked    stripped, with its debug file in the same directory
 *   mini     stripped, with .gnu_debugdata
 *   nameless with DWARF, without the symbol of `answer`
 *   cxx      C++; clones: gcc made work.constprop.0 of `work`, and no other clone
 *   short.so, gone.so    patches of `tiny` and `gone`; entry_plain.so has two, three and nine
 */
#ifndef MADE_H
#define MADE_H

#include "tests/support/harness.h"

/* Build all programs in their own directory, which made_clean() removes. For cmocka. */
int made_build(void **state);
int made_clean(void **state);
const char *made_path(const char *name); /* valid until eight more paths were requested */
void made_run(const char *command);      /* by sh, in the directory */

struct host *made_start(const char *name);

/* Require that `question` is answered by `before`, by 2 while a patch is loaded, and by `before` again. */
void made_must_switch(struct host *host, const char *replace, const char *debug,
                      const char *question, const char *before);

#endif
