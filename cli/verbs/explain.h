/* explain.h - hotpatch explain: what a refusal's code means and what helps. */
#ifndef HOTPATCH_VERB_EXPLAIN_H
#define HOTPATCH_VERB_EXPLAIN_H

/* `argv` begins with the verb. Return the exit code. */
int verb_explain(int argc, char **argv);

#endif
