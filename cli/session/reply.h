/*
 * reply.h - replies of a listener, and replies of the same form that the command makes where it reached no
 * listener.
 */
#ifndef HOTPATCH_REPLY_H
#define HOTPATCH_REPLY_H

#include <sys/types.h>

#include "base/refusal.h"

struct json_object;

/* Return {"hotpatch":1,"pid":..,"verb":..,"result":..,"exit":..,"errors":[..],...}; `pid` 0: none. */
struct json_object *reply_refused(pid_t pid, const char *verb, const struct refusal *why);
/* Return the reply that a RECORD of a status's history stands for. */
struct json_object *reply_from_record(pid_t pid, struct json_object *record);
/* Return the RECORD with this id in the "history" of a STATUS, or NULL. */
struct json_object *history_find(struct json_object *status, const char *id);

int reply_exit(struct json_object *reply);
void reply_print_errors(struct json_object *reply);
void reply_print_warnings(struct json_object *reply);

/* Return {"hotpatch":1,"verb":verb}, which the caller fills. */
struct json_object *document_new(const char *verb);
void document_add_text(struct json_object *document, const char *key, const char *text);
void document_add_number(struct json_object *document, const char *key, long long number);
void document_add_bool(struct json_object *document, const char *key, int value);
/* Print it, with `exit_code` as its "exit". */
void document_print(struct json_object *document, int exit_code);
/* Print a document of `verb` (NULL: of none) with one text and the exit code 0. */
void document_print_text(const char *verb, const char *key, const char *text);

/* Return the reply to a usage error, of the exit code 2. */
struct json_object *reply_usage(const char *verb, const char *text, const char *remedy);

/* Print the refusal in words or as JSON, and free it. Return its exit code. */
int refused(const char *verb, pid_t pid, struct refusal *why, int json);

#endif
