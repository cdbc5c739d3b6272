/*
 * reply.h - replies, those of a listener and those that the command makes up where no
 * listener could be reached: one shape, so that printing and --json know one case.
 */
#ifndef HOTPATCH_REPLY_H
#define HOTPATCH_REPLY_H

#include <sys/types.h>

#include "base/refusal.h"

struct json_object;

/* {"hotpatch":1,"pid":..,"verb":..,"result":..,"exit":..,"errors":[..],...}; pid 0: none. */
struct json_object *reply_refused(pid_t pid, const char *verb, const struct refusal *why);
/* From a RECORD of a status's history. */
struct json_object *reply_from_record(pid_t pid, struct json_object *record);
/* The RECORD with this id in the "history" of a STATUS, or NULL. */
struct json_object *history_find(struct json_object *status, const char *id);

int reply_exit(struct json_object *reply);
void reply_print_errors(struct json_object *reply);
void reply_print_warnings(struct json_object *reply);

/* {"hotpatch":1,"verb":verb} to be filled by the caller. */
struct json_object *document_new(const char *verb);
void document_add_text(struct json_object *document, const char *key, const char *text);
void document_add_number(struct json_object *document, const char *key, long long number);
void document_add_bool(struct json_object *document, const char *key, int value);
/* Print it, with `exit_code` as its "exit". */
void document_print(struct json_object *document, int exit_code);
/* A document of `verb` (NULL: of none) that has one text, and the exit code 0. */
void document_print_text(const char *verb, const char *key, const char *text);

/* A usage error: the exit code 2. */
struct json_object *reply_usage(const char *verb, const char *text, const char *remedy);

/* Print the refusal, as words or with --json as a document; frees it; its exit code. */
int refused(const char *verb, pid_t pid, struct refusal *why, int json);

#endif
