/*
 * must_requests.c - lines that are no requests, or none that can be done; see must.h.
 */
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/must/must.h"

/* For lines whose reply= cannot be trusted: the refusal is read from the history. */
static const char *raw(struct host *host, const char *line)
{
    send_raw(host, line, strlen(line));
    return last_refusal(host);
}

/* ---- nonce=: which process is meant ---- */

static const char *own_nonce(struct host *host)
{
    static char nonce[40];
    struct reply *reply = request(host, "status");

    snprintf(nonce, sizeof(nonce), "%s", member_text(reply->json, "status.nonce"));
    reply_free(reply);
    return nonce;
}

static const char *others_nonce(struct host *host)
{
    static char nonce[40];

    snprintf(nonce, sizeof(nonce), "%s", own_nonce(host));
    nonce[31] = nonce[31] == '0' ? '1' : '0';
    return nonce;
}

static const char *nonce_not_hex(struct host *host)
{
    return outcome(host, "ping nonce=me");
}

static const char *nonce_too_short(struct host *host)
{
    return outcome(host, "ping nonce=%.31s", own_nonce(host));
}

static const char *nonce_of_another_process(struct host *host)
{
    return outcome(host, "load nonce=%s %s", others_nonce(host), patch_file("answer2"));
}

static const char *nonce_of_this_process(struct host *host)
{
    const char *code = outcome(host, "load nonce=%s %s", own_nonce(host), patch_file("answer2"));

    host_expect(host, "answer", strcmp(code, "apply") == 0 ? "2" : "1");
    return code;
}

static const char *transaction_for_another_process(struct host *host)
{
    return outcome(host, "begin nonce=%s\nload %s\ncommit", others_nonce(host),
                   patch_file("answer2"));
}

static const char *transaction_for_two_processes(struct host *host)
{
    char other[40];

    snprintf(other, sizeof(other), "%s", others_nonce(host));
    return outcome(host, "begin nonce=%s\nload nonce=%s %s\ncommit", own_nonce(host), other,
                   patch_file("answer2"));
}

/* `echo > FIFO` asks for nothing and gets nothing. */
static const char *empty_line(struct host *host)
{
    send_raw(host, "\n\n\n", 3);
    struct reply *reply = request(host, "status");
    size_t known = json_object_array_length(member(reply->json, "status.history"));
    reply_free(reply);
    assert_unchanged(host);
    return known == 0 ? "ignored" : "taken";
}

static const char *blanks_only(struct host *host)
{
    return raw(host, " \t  \n");
}

static const char *unknown_verb(struct host *host)
{
    return outcome(host, "apply %s", patch_file("answer2"));
}

static const char *verb_in_capitals(struct host *host)
{
    return outcome(host, "LOAD %s", patch_file("answer2"));
}

static const char *noise(struct host *host)
{
    unsigned char bytes[1024];
    uint32_t state = 12345;
    for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
        state = state * 1103515245 + 12345;
        bytes[i] = (unsigned char)(state >> 16);
        if (bytes[i] == '\n' || bytes[i] == '\0')
            bytes[i] = 0xff;
    }
    bytes[sizeof(bytes) - 1] = '\n';
    send_raw(host, bytes, sizeof(bytes));
    return last_refusal(host);
}

static const char *nul_byte(struct host *host)
{
    static const char line[] = "load /tmp/a\0b.so\n";
    send_raw(host, line, sizeof(line) - 1);
    return last_refusal(host);
}

static const char *only_nul_bytes(struct host *host)
{
    static const char line[64] = {[63] = '\n'};
    send_raw(host, line, sizeof(line));
    return last_refusal(host);
}

static const char *line_of_5000(struct host *host)
{
    char line[5001];
    memset(line, 'a', sizeof(line));
    memcpy(line, "load /", 6);
    line[5000] = '\n';
    send_raw(host, line, sizeof(line));
    return last_refusal(host);
}

static const char *line_of_60000(struct host *host)
{
    static char line[60000];
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    send_raw(host, line, sizeof(line));
    return last_refusal(host);
}

static const char *unknown_key(struct host *host)
{
    return outcome(host, "load colour=red %s", patch_file("answer2"));
}

static const char *key_of_another_verb(struct host *host)
{
    return outcome(host, "status timeout=5");
}

static const char *key_given_twice(struct host *host)
{
    return outcome(host, "load timeout=5 timeout=6 %s", patch_file("answer2"));
}

static const char *word_that_is_no_key(struct host *host)
{
    return outcome(host, "ping now");
}

static const char *when_unknown(struct host *host)
{
    return outcome(host, "load when=tomorrow %s", patch_file("answer2"));
}

static const char *timeout_not_a_number(struct host *host)
{
    return outcome(host, "load timeout=soon %s", patch_file("answer2"));
}

static const char *timeout_negative(struct host *host)
{
    return outcome(host, "load timeout=-1 %s", patch_file("answer2"));
}

static const char *timeout_overflow(struct host *host)
{
    return outcome(host, "load timeout=99999999999999999999999 %s", patch_file("answer2"));
}

static const char *dry_run_maybe(struct host *host)
{
    return outcome(host, "load dry-run=maybe %s", patch_file("answer2"));
}

static const char *id_too_long(struct host *host)
{
    char id[80];
    memset(id, 'i', sizeof(id) - 1);
    id[sizeof(id) - 1] = '\0';
    return outcome(host, "load id=%s %s", id, patch_file("answer2"));
}

static const char *deadline_not_a_number(struct host *host)
{
    return outcome(host, "load deadline=0x7f %s", patch_file("answer2"));
}

static const char *deadline_expired(struct host *host)
{
    return outcome(host, "load deadline=1 %s", patch_file("answer2"));
}

static const char *reply_outside_directory(struct host *host)
{
    return raw(host, "ping reply=../evil.reply\n");
}

static const char *reply_without_suffix(struct host *host)
{
    return raw(host, "ping reply=status\n");
}

static const char *reply_names_another_fifo(struct host *host)
{
    char line[64];
    snprintf(line, sizeof(line), "ping reply=%d.fifo\n", (int)host->pid);
    return raw(host, line);
}

static const char *replace_without_symbol(struct host *host)
{
    return outcome(host, "load replace=answer %s", patch_file("plain"));
}

static const char *replace_empty_name(struct host *host)
{
    return outcome(host, "load replace==plain_answer %s", patch_file("plain"));
}

static const char *load_without_path(struct host *host)
{
    return outcome(host, "load");
}

static const char *load_relative_path(struct host *host)
{
    return outcome(host, "load answer2.so");
}

static const char *status_with_path(struct host *host)
{
    return outcome(host, "status /etc/passwd");
}

static const char *revert_without_name(struct host *host)
{
    return outcome(host, "revert");
}

static const char *revert_two_choices(struct host *host)
{
    return outcome(host, "revert name=answer last");
}

static const char *revert_unknown_name(struct host *host)
{
    return outcome(host, "revert name=never-loaded");
}

static const char *revert_last_of_nothing(struct host *host)
{
    return outcome(host, "revert last");
}

static const char *slots_of_unknown_kind(struct host *host)
{
    return outcome(host, "slots kind=magic");
}

static const char *commit_without_begin(struct host *host)
{
    return outcome(host, "commit");
}

static const char *begin_without_commit(struct host *host)
{
    return outcome(host, "begin\nload %s", patch_file("answer2"));
}

static void send_line(struct host *host, const char *format, const char *path)
{
    char line[512];
    int length = snprintf(line, sizeof(line), format, path);
    send_raw(host, line, (size_t)length);
}

static const char *transaction_in_pieces(struct host *host)
{
    send_line(host, "begin\n", "");
    send_line(host, "load %s\n", patch_file("answer2"));
    send_line(host, "load %s\n", patch_file("second"));
    const char *code = outcome(host, "commit");
    host_expect(host, "answer", "2");
    host_expect(host, "second", "20");
    return code;
}

/* The other writer's patch is refused, and the transaction is not. */
static const char *line_of_another_id_in_transaction(struct host *host)
{
    send_line(host, "begin\n", "");
    send_line(host, "load id=other %s\n", patch_file("hook_refuses"));
    send_line(host, "load %s\n", patch_file("second"));
    const char *code = outcome(host, "commit");
    assert_string_equal(last_refusal(host), "HP-HOOK");
    host_expect(host, "answer", "1");
    host_expect(host, "second", "20");
    return code;
}

static const char *rest_of_refused_transaction(struct host *host)
{
    send_line(host, "begin\n", "");
    must_apply(host, "ping"); /* is answered when the transaction was refused */
    send_line(host, "load %s\n", patch_file("answer2"));
    return outcome(host, "commit");
}

static const char *transaction_of_killed_writer(struct host *host)
{
    pid_t writer = fork();
    if (writer == 0) {
        send_line(host, "begin\nload %s\n", patch_file("answer2"));
        kill(getpid(), SIGKILL);
    }
    await_end(writer);
    host_log_await(host, "HP-TRANSACTION");
    const char *code = last_refusal(host);
    host_expect(host, "answer", "1");
    must_apply(host, "load %s", patch_file("answer2"));
    host_expect(host, "answer", "2");
    must_apply(host, "revert all");
    return code;
}

static const char *refused_begin(struct host *host)
{
    send_line(host, "begin colour=red\n", "");
    send_line(host, "load %s\n", patch_file("answer2"));
    return outcome(host, "commit");
}

static const char *begin_within_begin(struct host *host)
{
    return outcome(host, "begin\nbegin\nload %s\ncommit", patch_file("answer2"));
}

static const char *bad_line_in_transaction(struct host *host)
{
    return outcome(host, "begin\nload %s\nload colour=red %s\ncommit", patch_file("answer2"),
                   patch_file("second"));
}

static const char *quiet_is_for_later(struct host *host)
{
    return outcome(host, "load when=quiet %s", patch_file("answer2"));
}

static const char *unload_is_for_later(struct host *host)
{
    must_apply(host, "load %s", patch_file("second"));
    return outcome(host, "revert unload=1 name=second");
}

static const char *ping(struct host *host)
{
    return outcome(host, "ping");
}

static const char *path_with_blanks(struct host *host)
{
    const char *path = host_path(host, "my  patch =1.so");
    copy_file(patch_file("answer2"), path);
    const char *code = outcome(host, "load %s", path);
    host_expect(host, "answer", "2");
    return code;
}

static const char *deadline_in_time(struct host *host)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const char *code = outcome(host, "load deadline=%lld %s", ((long long)now.tv_sec + 600) * 1000,
                               patch_file("answer2"));
    host_expect(host, "answer", "2");
    return code;
}

const struct must_case must_requests[] = {
    CASE(empty_line),
    CASE(blanks_only),
    CASE(unknown_verb),
    CASE(verb_in_capitals),
    CASE(noise),
    CASE(nul_byte),
    CASE(only_nul_bytes),
    CASE(line_of_5000),
    CASE(line_of_60000),
    CASE(unknown_key),
    CASE(key_of_another_verb),
    CASE(key_given_twice),
    CASE(word_that_is_no_key),
    CASE(when_unknown),
    CASE(timeout_not_a_number),
    CASE(timeout_negative),
    CASE(timeout_overflow),
    CASE(dry_run_maybe),
    CASE(id_too_long),
    CASE(deadline_not_a_number),
    CASE(nonce_not_hex),
    CASE(nonce_too_short),
    CASE(nonce_of_another_process),
    CASE(nonce_of_this_process),
    CASE(transaction_for_another_process),
    CASE(transaction_for_two_processes),
    CASE(deadline_expired),
    CASE(reply_outside_directory),
    CASE(reply_without_suffix),
    CASE(reply_names_another_fifo),
    CASE(replace_without_symbol),
    CASE(replace_empty_name),
    CASE(load_without_path),
    CASE(load_relative_path),
    CASE(status_with_path),
    CASE(revert_without_name),
    CASE(revert_two_choices),
    CASE(revert_unknown_name),
    CASE(revert_last_of_nothing),
    CASE(slots_of_unknown_kind),
    CASE(commit_without_begin),
    CASE(begin_without_commit),
    CASE(transaction_in_pieces),
    CASE(line_of_another_id_in_transaction),
    CASE(rest_of_refused_transaction),
    CASE(transaction_of_killed_writer),
    CASE(refused_begin),
    CASE(begin_within_begin),
    CASE(bad_line_in_transaction),
    CASE(quiet_is_for_later),
    CASE(unload_is_for_later),
    CASE(ping),
    CASE(path_with_blanks),
    CASE(deadline_in_time),
    CASES_END,
};
