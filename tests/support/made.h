/*
 * made.h - programs that a suite makes with a user's own tools, gcc, strip and objcopy, and patches
 * while they run: for what depends on symbols and debug information.
 *
 *   whole    with everything: static `answer` (1), `twin` (10) of two files, `small` (60), of which one
 *            call is inlined, `gone`, of which all are, `tiny`, too short for a jump
 *   bare     the same, stripped; its debug information is elsewhere.debug alone
 *   near/linked    stripped, its debug file beside it
 *   mini     stripped, with .gnu_debugdata
 *   nameless with DWARF, without the symbol of `answer`
 *   cxx      C++; clones: gcc made work.constprop.0 of `work`, and nothing else
 *   short.so, gone.so    patches of `tiny` and `gone`; entry_plain.so has two, three and nine
 */
#ifndef MADE_H
#define MADE_H

#include "tests/support/harness.h"

/* For cmocka: all of them, in a directory of their own, which made_clean() removes. */
int made_build(void **state);
int made_clean(void **state);
const char *made_path(const char *name); /* good until eight more were asked for */
void made_run(const char *command);      /* by sh, in the directory */

struct host *made_start(const char *name);

/* `question` is answered by `before`, by 2 while a patch is loaded, and by `before` again. */
void made_must_switch(struct host *host, const char *replace, const char *debug,
                      const char *question, const char *before);

#endif
