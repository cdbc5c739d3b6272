/*
 * refusal.h - every refusal of hotpatch: one code, one sentence, one remedy, one table.
 *
 * Compiled into shim, engine and command; libc only. A `struct refusal` collects all errors of a request; it owns its
 * texts.
 */
#ifndef HOTPATCH_REFUSAL_H
#define HOTPATCH_REFUSAL_H

#include <stddef.h>

/* X(symbol, "HP-CODE", exit code, "what it means", "remedy") */
#include "base/refusal_table.h"

enum error_code {
    HP_NONE,
#define X(symbol, code, exit_code, meaning, remedy) symbol,
    ERROR_TABLE(X)
#undef X
        ERROR_CODE_COUNT
};

/* Arrays, not pointers: ld.so would relocate these in each process that starts, and copy their page. */
struct error_info {
    char code[24]; /* "HP-..." */
    int exit_code; /* of the command: EXIT STATUS in hotpatch(1) */
    char meaning[128];
    char remedy[128];
};

struct complaint {
    enum error_code code;
    char *text; /* one sentence, no newline */
};

struct refusal {
    struct complaint *items;
    size_t count;
    size_t capacity;
};

const struct error_info *error_info(enum error_code code);
/* Return the entry of `code`; NULL: there is no such code. Case is ignored, and "HP-" is optional. */
const struct error_info *error_find(const char *code);
enum error_code error_code_of(const char *code); /* HP_NONE: none */

/* Return the word for an exit code in a reply: "done", "refused", "timed-out" or "unknown". */
const char *error_result(int exit_code);

/* Add a complaint. Return -1 always, so that `return refuse(...)` is one statement. If memory is short, the text is
 * the table's meaning. */
int refuse(struct refusal *why, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void refusal_clear(struct refusal *why);          /* frees the texts; ready for use again */
int refusal_exit_code(const struct refusal *why); /* of the first complaint; 0 if none */
/* Return the sentence of a complaint, or the meaning of its code if memory for the sentence was short. */
const char *refusal_text(const struct refusal *why, size_t index);

#endif
