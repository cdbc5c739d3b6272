/*
 * harness.h - runs real programs under the shim, asks them, patches them, and sees what came of it.
 *
 * For the end-to-end suites. Every wait is for an event (a line, a reply, an exit) and bounded;
 * a bound that is reached fails the test. Every host has a scratch directory of its own, its
 * runtime directory inside it. What goes wrong here fails the running cmocka test.
 */
#ifndef HOTPATCH_HARNESS_H
#define HOTPATCH_HARNESS_H

/* cmocka.h wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <sys/types.h>

/* json-c's; what looks inside one includes <json-c/json.h>, which preload/json.h does not bear. */
typedef struct json_object json_object;

#define HARNESS_TIMEOUT_MS 30000

/* BUILD/NAME and the source tree's NAME; the string is good for the life of the program. */
const char *built(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *source_file(const char *name);
const char *patch_file(const char *name); /* BUILD/patches/NAME.so */
bool sanitized(void);                     /* this build has a sanitizer in it */
bool sanitized_for_threads(void);         /* TSan, whose own thread blocks every signal */

/* Fails the test where a program that scripts/setup installs is not there. */
void need_program(const char *name);

/* ---- hosts ---- */

struct host {
    pid_t pid;   /* of the process that answers; follows `fork` and `daemonize` */
    pid_t child; /* of the process that was started */
    int watch;   /* pidfd of `child` */
    int to;      /* the host's standard input */
    int from;    /* its standard output */
    char scratch[64];
    char directory[256]; /* HOTPATCH_DIR */
    char line[4096];
    char pending[4096];
    size_t pending_size;
    unsigned replies;  /* reply FIFOs made so far */
    struct host *next; /* of those that were started and not stopped */
};

/* Starts BUILD/hosts/PROGRAM (or an absolute path) under the shim and waits until it says
 * `ready` and its FIFO is there. `environment`: NAME=VALUE strings, NULL at the end, or NULL;
 * with HOTPATCH_DIR among them, hosts share a runtime directory. */
struct host *host_start(const char *program, const char *const *environment);
/* The same where no FIFO can come. */
struct host *host_start_unarmed(const char *program, const char *const *environment);
/* The same without the shim. */
struct host *host_start_bare(const char *program);
/* One line out, one line in. The answer is good until the next question. */
const char *host_ask(struct host *host, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void host_say(struct host *host, const char *line); /* a question whose answer comes later */
const char *host_hear(struct host *host);
void host_expect(struct host *host, const char *question, const char *answer);
/* Ask `fork` or `daemonize`; from then on the new process is the one that answers. */
void host_become(struct host *host, const char *how);
bool host_alive(struct host *host);
const char *host_log(struct host *host); /* its standard error so far */
bool host_log_has(struct host *host, const char *text);
void host_log_await(struct host *host, const char *text);
/* End of input; the host must leave with status 0 and leave no file of its own behind. */
void host_stop(struct host *host);
void host_kill(struct host *host); /* SIGKILL, and the scratch directory goes */
int host_wait(struct host *host);  /* its wait status once it has ended; frees nothing */
const char *host_path(struct host *host, const char *name); /* in the scratch directory */
void await_file(const char *path);
/* Rings the doorbell as a shell does, where the process has none of our threads yet and a ring makes them. */
void ring_first(pid_t pid);
/* Returns when its main thread waits in read(2): a ring that finds it on its way may make nothing. */
void await_read(pid_t pid);
void host_listen(struct host *host); /* returns when its threads have answered a ping */
void ring_until_there(pid_t pid, const char *path); /* path: of a file that its listener makes */
/* The FIFO of `pid` for writing, without blocking: rings where nobody reads it, and waits until it is read. -1: errno. */
int open_when_read(pid_t pid, const char *path);

/* ---- requests by FIFO ---- */

struct reply {
    json_object *json;
    char code[64];  /* "apply" or the first error's code */
    char text[512]; /* the first error's text */
    int exit_code;
};

/* What is written to the FIFO as it is. */
void send_raw(struct host *host, const void *bytes, size_t size);
/* One request line without newline; reply= is added behind its verb. Of a transaction
 * (lines with \n) behind `commit`. */
struct reply *request(struct host *host, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void reply_free(struct reply *reply);
/* The outcome alone: "apply" or a code; good for the life of the program. */
const char *outcome(struct host *host, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* After a line that cannot be answered: the code of the newest refusal in the history. */
const char *last_refusal(struct host *host);
void must_apply(struct host *host, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The host still gives the answers it gave at its start, and answers a ping. */
void assert_unchanged(struct host *host);
/* json_object_object_get by a path of members "a.b"; fails where there is none. */
json_object *member(json_object *object, const char *path);
const char *member_text(json_object *object, const char *path);
/* The slot of that name in a reply to `slots` or in a status; fails where there is none. */
json_object *slot_named(json_object *array, const char *name);

/* ---- the command and other programs ---- */

struct output {
    int status;  /* exit status; 128 + N after signal N */
    char *out;   /* standard output */
    char *error; /* standard error */
};

/* Runs argv (argv[0]: a path, or a name for PATH) with the host's HOTPATCH_DIR if given. */
struct output *run_program(struct host *host, const char *const *argv);
/* `hotpatch ARGS...`, NULL at the end. */
struct output *hotpatch(struct host *host, ...) __attribute__((sentinel));
void output_free(struct output *output);

/* ---- files ---- */

struct file {
    unsigned char *bytes;
    size_t size;
};

struct file file_read(const char *path);
void file_write(const char *path, const void *bytes, size_t size, mode_t mode);
void file_free(struct file *file);
void copy_file(const char *from, const char *to);
char *file_text(const char *path); /* NUL-terminated, malloc'd */

#endif
