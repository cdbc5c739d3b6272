/*
 * must.h - the cases behind the rows of must.tsv.
 *
 * A case gets a host that is running and unpatched, does what its name says, and returns
 * the outcome: "apply", a code, or a word that the documentation gives. Before it returns "apply"
 * it has seen the new answer and missed the old one. What must hold after a refusal, the runner
 * looks at.
 */
#ifndef HOTPATCH_MUST_H
#define HOTPATCH_MUST_H

#include "tests/support/harness.h"

struct must_case {
    const char *id;
    const char *(*run)(struct host *host);
    const char *program; /* NULL: "host" */
};

/* Each ends with a NULL id. */
extern const struct must_case must_requests[];
extern const struct must_case must_files[];
extern const struct must_case must_manifests[];
extern const struct must_case must_slots[];
extern const struct must_case must_modules[];
extern const struct must_case must_applied[];
extern const struct must_case must_hosts[];
extern const struct must_case must_faults[];
extern const struct must_case must_entries[];
extern const struct must_case must_entry_names[];
extern const struct must_case must_foreign[];
extern const struct must_case must_callers[];
extern const struct must_case must_watch[];
/* Of host `entries`: a load of entry_plain with these keys; where it applied, `question` is answered
 * by 2, and by `before` again after a revert. */
const char *becomes_two(struct host *host, const char *keys, const char *question,
                        const char *before);

#define CASE(name)        \
    {                     \
#name, name, NULL \
    }
#define CASE_IN(name, program) \
    {                          \
#name, name, program   \
    }
#define CASES_END        \
    {                    \
        NULL, NULL, NULL \
    }

/* Load patches/NAME.so, and where it applied, see that `question` gets the new answer. */
const char *load_and_ask(struct host *host, const char *name, const char *question,
                         const char *before, const char *after);
const char *load(struct host *host, const char *name);

#endif
