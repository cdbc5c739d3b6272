/* test_request.c - request_parse(): one line, one request or its refusals; and the frames around it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/request.h"
#include "preload/framing.h"

struct parsed {
    char line[REQUEST_MAX + 1];
    struct request request;
    struct refusal why;
    int result;
};

static struct parsed parsed;

static const struct request *parse_bytes(const char *bytes, size_t length)
{
    refusal_clear(&parsed.why);
    memcpy(parsed.line, bytes, length);
    parsed.line[length] = '\0';
    parsed.result = request_parse(parsed.line, length, &parsed.request, &parsed.why);
    return &parsed.request;
}

static const struct request *parse(const char *line)
{
    return parse_bytes(line, strlen(line));
}

static const struct request *must_parse(const char *line)
{
    parse(line);
    if (parsed.result != 0)
        fail_msg("`%s` is refused: %s", line, parsed.why.items[0].text);
    return &parsed.request;
}

static void must_refuse(const char *line, enum error_code code)
{
    parse(line);
    if (parsed.result == 0)
        fail_msg("`%s` is not refused", line);
    if (parsed.why.items[0].code != code)
        fail_msg("`%s` is %s, not %s: %s", line, error_info(parsed.why.items[0].code)->code,
                 error_info(code)->code, parsed.why.items[0].text);
}

static int clear(void **state)
{
    (void)state;
    refusal_clear(&parsed.why);
    return 0;
}

/* ---- what is taken ---- */

static void each_verb_is_known_by_its_name(void **state)
{
    (void)state;
    assert_int_equal(must_parse("load /a.so")->verb, REQUEST_LOAD);
    assert_int_equal(must_parse("revert last")->verb, REQUEST_REVERT);
    assert_int_equal(must_parse("reload")->verb, REQUEST_RELOAD);
    assert_int_equal(must_parse("status")->verb, REQUEST_STATUS);
    assert_int_equal(must_parse("slots")->verb, REQUEST_SLOTS);
    assert_int_equal(must_parse("ping")->verb, REQUEST_PING);
    assert_int_equal(must_parse("begin")->verb, REQUEST_BEGIN);
    assert_int_equal(must_parse("commit")->verb, REQUEST_COMMIT);
}

static void what_is_not_given_has_its_default(void **state)
{
    const struct request *request = must_parse("load /a.so");

    (void)state;
    assert_int_equal(request->when, WHEN_CALL);
    assert_int_equal(request->timeout, REQUEST_TIMEOUT_DEFAULT);
    assert_int_equal(request->deadline, 0);
    assert_false(request->dry_run);
    assert_string_equal(request->id, "");
    assert_string_equal(request->reply, "");
    assert_int_equal(request->replace_count, 0);
}

static void keys_come_in_any_order(void **state)
{
    const struct request *request = must_parse("load timeout=0 id=7 when=quiet dry-run=1 "
                                               "reply=a_B-9.reply deadline=123456789012 /x/y.so");

    (void)state;
    assert_int_equal(request->timeout, 0);
    assert_int_equal(request->when, WHEN_QUIET);
    assert_true(request->dry_run);
    assert_string_equal(request->id, "7");
    assert_string_equal(request->reply, "a_B-9.reply");
    assert_int_equal(request->deadline, 123456789012);
    assert_string_equal(request->path, "/x/y.so");
}

static void the_path_is_the_rest_of_the_line_blanks_and_equal_signs_included(void **state)
{
    (void)state;
    assert_string_equal(must_parse("load id=1 /a b/c=d /e.so ")->path, "/a b/c=d /e.so ");
}

static void a_value_may_hold_a_slash(void **state)
{
    (void)state;
    assert_string_equal(must_parse("slots match=lib/*")->match, "lib/*");
}

static void replace_may_be_given_often(void **state)
{
    const struct request *request = must_parse("load replace=exe:f=g replace=h=i /a.so");

    (void)state;
    assert_int_equal(request->replace_count, 2);
    assert_string_equal(request->replace[0].name, "exe:f");
    assert_string_equal(request->replace[0].symbol, "g");
    assert_string_equal(request->replace[1].name, "h");
    assert_string_equal(request->replace[1].symbol, "i");
}

static void a_place_is_an_object_its_build_an_offset_and_a_target(void **state)
{
    const struct request *request =
        must_parse("load at=libstdc++.so.6@0aB1+0x1c40=f at=exe@-+0xF=lib.so:g@x.c /a.so");

    (void)state;
    assert_int_equal(request->place_count, 2);
    assert_string_equal(request->places[0].object, "libstdc++.so.6");
    assert_string_equal(request->places[0].build_id, "0ab1");
    assert_int_equal(request->places[0].offset, 0x1c40);
    assert_string_equal(request->places[0].target, "f");
    assert_string_equal(request->places[1].object, "exe");
    assert_string_equal(request->places[1].build_id, "");
    assert_int_equal(request->places[1].offset, 15);
    assert_string_equal(request->places[1].target, "lib.so:g@x.c");
}

static void an_object_of_a_place_may_hold_what_separates_the_rest(void **state)
{
    const struct request *request = must_parse("load at=a@b+0x1%3D%20c@-+0x2=f /a.so");

    (void)state;
    assert_string_equal(request->places[0].object, "a@b+0x1= c");
    assert_int_equal(request->places[0].offset, 2);
}

static void a_place_goes_with_a_fault_too(void **state)
{
    (void)state;
    assert_int_equal(must_parse("load at=exe@-+0x2=f fail=f=1")->place_count, 1);
}

static void a_percent_sign_and_two_digits_are_one_byte_of_a_name(void **state)
{
    const struct request *request =
        must_parse("load at=exe@-+0x2=n::operator==(a%20const&,%20int%25%2c) "
                   "replace=n::operator%3D(int,%20int)=f%20g /a.so");

    (void)state;
    assert_string_equal(request->places[0].target, "n::operator==(a const&, int%,)");
    assert_string_equal(request->replace[0].name, "n::operator=(int, int)");
    assert_string_equal(request->replace[0].symbol, "f g");
    must_parse("load fail=n::operator%3D%3d(int,%20int)=-1:EIO");
    assert_string_equal(parsed.request.injection.what, "n::operator==(int, int)=-1:EIO");
    assert_string_equal(must_parse("revert name=fail:f(int,%20int)")->name, "fail:f(int, int)");
    assert_string_equal(must_parse("slots match=f(int,%20*")->match, "f(int, *");
}

static void revert_knows_last_all_and_a_name(void **state)
{
    (void)state;
    assert_int_equal(must_parse("revert last")->which, REVERT_LAST);
    assert_int_equal(must_parse("revert all")->which, REVERT_ALL);
    assert_int_equal(must_parse("revert unload=1 name=counter-fix")->which, REVERT_NAME);
    assert_string_equal(parsed.request.name, "counter-fix");
    assert_true(parsed.request.unload);
}

static void blanks_around_words_do_not_count(void **state)
{
    (void)state;
    assert_string_equal(must_parse(" \tping \t id=4\t")->id, "4");
}

static void the_longest_timeout_is_an_hour(void **state)
{
    (void)state;
    assert_int_equal(must_parse("load timeout=3600000 /a")->timeout, 3600000);
    assert_int_equal(must_parse("slots timeout=3600000")->timeout, 3600000);
    assert_true(must_parse("slots timeout=500")->timeout_given);
    assert_false(must_parse("slots")->timeout_given);
    assert_true(must_parse("slots functions=0")->slots_alone);
    assert_false(must_parse("slots functions=1")->slots_alone);
    must_refuse("slots functions=no", HP_VALUE);
    must_refuse("status functions=0", HP_KEY);
    must_refuse("slots timeout=3600001", HP_VALUE);
    must_refuse("load timeout=3600001 /a", HP_VALUE);
}

/* ---- what is refused ---- */

static void an_unknown_verb_is_refused(void **state)
{
    (void)state;
    must_refuse("loud /a.so", HP_VERB);
    must_refuse("LOAD /a.so", HP_VERB);
    must_refuse("/a.so", HP_VERB);
    must_refuse("   ", HP_VERB);
}

static void a_key_of_another_verb_is_refused(void **state)
{
    (void)state;
    must_refuse("ping when=call", HP_KEY);
    must_refuse("load unload=1 /a", HP_KEY);
    must_refuse("revert dry-run=1 last", HP_KEY);
    must_refuse("load match=x /a", HP_KEY);
    must_refuse("load color=red /a", HP_KEY);
    must_refuse("load =x /a", HP_KEY);
}

static void a_key_given_twice_is_refused(void **state)
{
    (void)state;
    must_refuse("load id=1 id=1 /a", HP_KEY);
}

static void a_value_that_a_key_cannot_have_is_refused(void **state)
{
    (void)state;
    must_refuse("load when=now /a", HP_VALUE);
    must_refuse("load when= /a", HP_VALUE);
    must_refuse("load timeout=-1 /a", HP_VALUE);
    must_refuse("load timeout=0x10 /a", HP_VALUE);
    must_refuse("load timeout=+1 /a", HP_VALUE);
    must_refuse("load timeout= /a", HP_VALUE);
    must_refuse("load deadline=18446744073709551616 /a", HP_VALUE);
    must_refuse("load dry-run=yes /a", HP_VALUE);
    must_refuse("load replace=f /a", HP_VALUE);
    must_refuse("load replace==g /a", HP_VALUE);
    must_refuse("load replace=f= /a", HP_VALUE);
    must_refuse("load id= /a", HP_VALUE);
    must_refuse("slots kind=plt", HP_VALUE);
    must_refuse("revert name=", HP_VALUE);
}

static void a_place_that_is_not_spelled_whole_is_refused(void **state)
{
    (void)state;
    must_refuse("load at= /a", HP_VALUE);
    must_refuse("load at=exe@-+0x1 /a", HP_VALUE);
    must_refuse("load at=exe@-+0x1= /a", HP_VALUE);
    must_refuse("load at=exe+0x1=f /a", HP_VALUE);
    must_refuse("load at=@-+0x1=f /a", HP_VALUE);
    must_refuse("load at=exe@+0x1=f /a", HP_VALUE);
    must_refuse("load at=exe@abc+0x1=f /a", HP_VALUE);
    must_refuse("load at=exe@xy+0x1=f /a", HP_VALUE);
    must_refuse("load at=exe@-+1=f /a", HP_VALUE);
    must_refuse("load at=exe@-+0x=f /a", HP_VALUE);
    must_refuse("load at=exe@-+0x1g=f /a", HP_VALUE);
    must_refuse("load at=exe@-+0x12345678123456789=f /a", HP_VALUE);
    must_refuse("revert at=exe@-+0x1=f last", HP_KEY);
}

static void a_target_with_two_places_is_refused(void **state)
{
    (void)state;
    must_refuse("load at=exe@-+0x1=f at=exe@-+0x2=f /a", HP_VALUE);
}

static void a_percent_sign_that_stands_for_no_byte_of_a_name_is_refused(void **state)
{
    (void)state;
    must_refuse("load replace=f%=g /a", HP_VALUE);
    must_refuse("load replace=f%2=g /a", HP_VALUE);
    must_refuse("load replace=f%2g=g /a", HP_VALUE);
    must_refuse("load at=exe@-+0x1=f%00 /a", HP_VALUE);
    must_refuse("load at=exe@-+0x1=f%0ag /a", HP_VALUE);
    assert_null(strchr(parsed.why.items[0].text, '\n'));
    must_refuse("revert name=%1b", HP_VALUE);
    must_refuse("load fail=f%7f=1", HP_VALUE);
}

static void more_places_than_fit_are_refused(void **state)
{
    char line[REQUEST_MAX] = "load";
    size_t length = 4;

    (void)state;
    for (int i = 0; i <= REQUEST_PLACE_MAX; i++) {
        if (i == REQUEST_PLACE_MAX) {
            strcpy(line + length, " /a");
            must_parse(line);
        }
        length += (size_t)snprintf(line + length, sizeof(line) - length, " at=exe@-+0x1=f%d", i);
    }
    strcpy(line + length, " /a");
    must_refuse(line, HP_VALUE);
}

static void a_reply_name_that_leaves_the_directory_is_refused(void **state)
{
    (void)state;
    must_refuse("ping reply=../x.reply", HP_VALUE);
    must_refuse("ping reply=/tmp/x.reply", HP_VALUE);
    must_refuse("ping reply=.reply", HP_VALUE);
    must_refuse("ping reply=x.reply2", HP_VALUE);
    must_refuse("ping reply=1.fifo", HP_VALUE);
    must_refuse("ping reply=a.b.reply", HP_VALUE);
    assert_true(request_reply_name_valid("A-z_09.reply"));
}

static void a_reply_name_has_at_most_64_characters_before_its_dot(void **state)
{
    char name[80];

    (void)state;
    memset(name, 'a', sizeof(name));
    strcpy(name + 64, ".reply");
    assert_true(request_reply_name_valid(name));
    memset(name, 'a', sizeof(name));
    strcpy(name + 65, ".reply");
    assert_false(request_reply_name_valid(name));
}

static void an_id_has_at_most_64_characters(void **state)
{
    char line[128] = "ping id=";

    (void)state;
    memset(line + 8, 'x', 64);
    must_parse(line);
    line[72] = 'x';
    must_refuse(line, HP_VALUE);
}

static void load_needs_one_absolute_path(void **state)
{
    (void)state;
    must_refuse("load", HP_PATH);
    must_refuse("load fix.so", HP_PATH);
    must_refuse("load ./fix.so", HP_PATH);
    assert_int_equal(parsed.why.count, 1);
}

static void other_verbs_take_no_path(void **state)
{
    (void)state;
    must_refuse("ping /a", HP_PATH);
    must_refuse("revert last /a", HP_PATH);
}

static void revert_needs_exactly_one_selector(void **state)
{
    (void)state;
    must_refuse("revert", HP_KEY);
    must_refuse("revert last all", HP_KEY);
    must_refuse("revert all name=x", HP_KEY);
    must_refuse("revert first", HP_KEY);
}

static void a_nul_byte_is_refused_wherever_it_is(void **state)
{
    (void)state;
    parse_bytes("ping\0id=1", 9);
    assert_int_equal(parsed.result, -1);
    assert_int_equal(parsed.why.items[0].code, HP_NUL);
    parse_bytes("load /a\0b", 9);
    assert_int_equal(parsed.why.items[0].code, HP_NUL);
    parse_bytes("\0", 1);
    assert_int_equal(parsed.why.items[0].code, HP_NUL);
}

static void more_replacements_than_fit_are_refused(void **state)
{
    char line[2048] = "load";

    (void)state;
    for (int i = 0; i < REQUEST_REPLACE_MAX; i++)
        strcat(line, " replace=f=g");
    strcat(line, " /a");
    must_parse(line);
    line[strlen(line) - 3] = '\0';
    strcat(line, " replace=f=g /a");
    must_refuse(line, HP_VALUE);
}

static void everything_wrong_is_listed_at_once(void **state)
{
    (void)state;
    must_refuse("load when=now color=red timeout=x", HP_VALUE);
    assert_int_equal(parsed.why.count, 3);
}

static void a_refused_line_still_names_its_sender(void **state)
{
    (void)state;
    must_refuse("frobnicate id=42 reply=x.reply zzz=1", HP_VERB);
    assert_string_equal(parsed.request.id, "42");
    assert_string_equal(parsed.request.reply, "x.reply");
    assert_int_equal(parsed.why.count, 1);
    must_refuse("load color=red id=43 reply=y.reply", HP_KEY);
    assert_string_equal(parsed.request.id, "43");
    assert_string_equal(parsed.request.reply, "y.reply");
}

static void verb_names_are_those_of_the_wire(void **state)
{
    (void)state;
    assert_string_equal(request_verb_name(REQUEST_RELOAD), "reload");
    assert_string_equal(request_verb_name((enum request_verb)99), "?");
}

/* ---- frames ---- */

static struct framing framing;
static char heard[8192]; /* "VERB[id]COUNT:CODE;" of each frame */

static void hear(void *context, const struct frame *frame)
{
    size_t length = strlen(heard);

    (void)context;
    snprintf(heard + length, sizeof(heard) - length, "%s[%s]%zu:%s;", frame->verb, frame->id,
             frame->count, frame->why->count ? error_info(frame->why->items[0].code)->code : "ok");
}

static void feed(const char *text)
{
    framing_feed(&framing, text, strlen(text));
}

static uint64_t time_passed; /* ms */

static uint64_t tell_time(void)
{
    return time_passed;
}

static size_t framing_heard;

static void hear_count(void *context, const struct frame *frame)
{
    (void)context;
    (void)frame;
    framing_heard++;
}

static int start_frames(void **state)
{
    (void)state;
    heard[0] = '\0';
    memset(&framing, 0, sizeof(framing));
    time_passed = 5000;
    framing_init(&framing, hear, NULL, tell_time);
    return 0;
}

/* As the listener does it. */
static void wait_ms(unsigned ms)
{
    uint64_t until = time_passed + ms;

    for (uint64_t due = framing_due(&framing); due && due <= until; due = framing_due(&framing)) {
        time_passed = due;
        assert_true(framing_expire(&framing));
    }
    time_passed = until;
}

static void assert_heard(const char *wanted)
{
    assert_string_equal(heard, wanted);
    heard[0] = '\0';
}

static void a_line_is_a_request_however_its_bytes_arrive(void **state)
{
    (void)state;
    for (const char *p = "ping id=1\nping id=2\n"; *p; p++)
        framing_feed(&framing, p, 1);
    assert_string_equal(heard, "ping[1]1:ok;ping[2]1:ok;");
    assert_int_equal(framing_due(&framing), 0);
}

static void empty_lines_are_ignored(void **state)
{
    (void)state;
    feed("\n\nping id=1\n\n");
    assert_string_equal(heard, "ping[1]1:ok;");
}

static void a_line_without_newline_waits_and_is_then_refused(void **state)
{
    (void)state;
    feed("ping id=9");
    wait_ms(999);
    assert_string_equal(heard, "");
    wait_ms(1);
    assert_string_equal(heard, "ping[9]0:HP-LINE-INCOMPLETE;");
    feed("ping id=10\n");
    assert_string_equal(heard, "ping[9]0:HP-LINE-INCOMPLETE;ping[10]1:ok;");
}

static void a_line_too_long_is_refused_once_and_skipped(void **state)
{
    char big[6000];

    (void)state;
    memset(big, 'x', sizeof(big));
    memcpy(big, "load id=5 /", 11);
    big[5998] = '\n';
    big[5999] = '\0';
    feed(big);
    feed("ping id=6\n");
    assert_string_equal(heard, "load[5]0:HP-LINE-TOO-LONG;ping[6]1:ok;");
}

static void a_line_of_4096_bytes_is_taken(void **state)
{
    char big[REQUEST_MAX + 2];

    (void)state;
    memset(big, 'x', sizeof(big));
    memcpy(big, "load id=5 /", 11);
    big[REQUEST_MAX] = '\n';
    big[REQUEST_MAX + 1] = '\0';
    feed(big);
    assert_string_equal(heard, "load[5]1:ok;");
}

static void a_transaction_is_one_frame_of_all_its_lines(void **state)
{
    (void)state;
    feed("begin id=t\nload /a\nrevert last\nload /b\ncommit\nping\n");
    assert_string_equal(heard, "transaction[t]3:ok;ping[]1:ok;");
}

static void commit_may_name_the_transaction(void **state)
{
    (void)state;
    feed("begin\nload /a\nload id=u /b\ncommit id=u\n");
    assert_heard("transaction[u]2:ok;");
    feed("begin\nload /a\ncommit id=v\n");
    assert_heard("transaction[v]1:ok;");
}

static void one_bad_line_refuses_the_whole_transaction(void **state)
{
    (void)state;
    feed("begin id=t\nload /a\nload color=red /b\ncommit\n");
    assert_string_equal(heard, "transaction[t]0:HP-KEY;");
}

static void only_load_and_revert_fit_into_a_transaction(void **state)
{
    (void)state;
    feed("begin id=t\nload /a\nreload\ncommit\n");
    assert_string_equal(heard, "transaction[t]0:HP-TRANSACTION;");
}

static void begin_inside_a_transaction_refuses_it_to_its_commit(void **state)
{
    (void)state;
    feed("begin\nload /a\nbegin\nload /b\ncommit id=t\nping id=1\n");
    assert_string_equal(heard, "transaction[t]0:HP-TRANSACTION;ping[1]1:ok;");
}

static void commit_alone_is_refused(void **state)
{
    (void)state;
    feed("commit id=1\n");
    assert_string_equal(heard, "commit[1]0:HP-TRANSACTION;");
}

static void a_transaction_may_come_in_pieces(void **state)
{
    (void)state;
    feed("begin id=t\n");
    wait_ms(999);
    feed("revert all\nlo");
    wait_ms(999);
    feed("ad /a\n");
    wait_ms(999);
    assert_heard("");
    feed("commit\n");
    assert_heard("transaction[t]2:ok;");
}

static void a_transaction_whose_rest_does_not_come_is_refused_in_a_second(void **state)
{
    (void)state;
    feed("begin id=t\nload /a\n");
    wait_ms(999);
    assert_heard("");
    wait_ms(1);
    assert_heard("transaction[t]0:HP-TRANSACTION;");
    feed("ping id=1\n");
    assert_heard("ping[1]1:ok;");
}

static void the_late_rest_of_a_transaction_is_refused_up_to_its_commit(void **state)
{
    (void)state;
    feed("begin\nrevert all\n");
    wait_ms(1000);
    assert_heard("transaction[]0:HP-TRANSACTION;");
    feed("load /a\n");
    wait_ms(9000);
    feed("load /b\n");
    assert_heard("load[]0:HP-TRANSACTION;load[]0:HP-TRANSACTION;");
    feed("load id=other /c\nload reply=other.reply /d\nping\n");
    assert_heard("load[other]1:ok;load[]1:ok;ping[]1:ok;");
    feed("commit\nload /e\n");
    assert_heard("commit[]0:HP-TRANSACTION;load[]1:ok;");
}

static void
of_a_transaction_that_was_refused_nothing_is_expected_any_more_after_ten_seconds(void **state)
{
    (void)state;
    feed("begin\nrevert all\n");
    wait_ms(11000);
    assert_heard("transaction[]0:HP-TRANSACTION;");
    feed("load /a\n");
    assert_heard("load[]1:ok;");
}

static void a_new_begin_ends_what_was_refused(void **state)
{
    (void)state;
    feed("begin\nrevert all\n");
    wait_ms(1000);
    feed("begin\nload /a\ncommit\n");
    assert_heard("transaction[]0:HP-TRANSACTION;transaction[]1:ok;");
}

static void what_follows_a_begin_that_was_refused_is_refused_too(void **state)
{
    static const char *const begins[] = {"begin colour=red\n", "BEGIN\n", "begins\n", "begin /a\n",
                                         "begin id=\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++) {
        feed(begins[i]);
        feed("revert all\nload /a\n");
        assert_null(strstr(heard, ":ok"));
        feed("commit\n");
        assert_null(strstr(heard, ":ok"));
        heard[0] = '\0';
        feed("load /a\n");
        assert_heard("load[]1:ok;");
    }
}

static void what_follows_a_begin_that_never_became_a_line_is_refused_too(void **state)
{
    char big[6000];

    (void)state;
    feed("beg");
    wait_ms(1000);
    feed("in\nrevert all\ncommit\n");
    assert_null(strstr(heard, ":ok"));
    heard[0] = '\0';
    memset(big, 'x', sizeof(big));
    memcpy(big, "begin id=", 9);
    memcpy(big + 5997, " \n", 3);
    feed(big);
    feed("revert all\n");
    assert_null(strstr(heard, ":ok"));
}

static void lines_of_another_id_wait_until_the_transaction_has_ended(void **state)
{
    (void)state;
    feed("begin id=t\nload id=1 /x\nload /a\n");
    feed("begin id=u\nload id=u /y\nping id=2\nping\nload id=t /b\ncommit id=u\nload id=3 /z\n");
    assert_heard("");
    feed("commit\n");
    assert_heard("transaction[t]2:ok;load[1]1:ok;transaction[u]1:ok;ping[2]1:ok;ping[]1:ok;"
                 "load[3]1:ok;");
}

static void lines_with_an_id_are_no_part_of_a_transaction_without(void **state)
{
    (void)state;
    feed("begin\nrevert all\nload id=1 /x\nbegin id=u\nload /a\n");
    feed("load id=u /y\ncommit id=u\n");
    assert_heard("");
    feed("commit\n");
    assert_heard("transaction[]2:ok;load[1]1:ok;transaction[u]1:ok;");
}

static void lines_of_another_reply_are_no_part_of_it(void **state)
{
    (void)state;
    feed("begin reply=a.reply\nload /a\nload reply=b.reply /x\ncommit\n");
    assert_heard("transaction[]1:ok;load[]1:ok;");
}

static void lines_that_wait_are_taken_when_the_transaction_is_refused(void **state)
{
    (void)state;
    feed("begin id=t\nrevert all\nload id=1 /x\n");
    wait_ms(500);
    feed("ping id=2\n");
    wait_ms(500);
    assert_heard("transaction[t]0:HP-TRANSACTION;load[1]1:ok;ping[2]1:ok;");
}

static void more_waiting_lines_than_fit_are_refused(void **state)
{
    static char line[4000];

    (void)state;
    memset(line, 'x', sizeof(line) - 2);
    memcpy(line, "load id=1 /", 11);
    line[sizeof(line) - 2] = '\n';
    feed("begin id=t\nload /a\n");
    while (!*heard)
        feed(line);
    assert_heard("load[1]0:HP-BUSY;");
    framing.handler = hear_count;
    feed("commit\n");
    assert_int_equal(framing_heard, 1 + FRAMES_QUEUE_MAX / 4001);
    assert_int_equal(framing.queued, 0);
}

/* Two transactions are cut into pieces of random lengths and laid over each other, with lines of a
 * third writer between them. */
static void torn_transactions_come_out_whole_however_they_are_mixed(void **state)
{
    static const char *const lines[] = {"begin id=m\n", "revert id=m all\n", "load id=m /a\n",
                                        "commit id=m\n"};
    static const char *const others[] = {"begin id=o\n", "load id=o /b\n", "revert id=o last\n",
                                         "load id=o /c\n", "commit id=o\n"};

    (void)state;
    srandom(9);
    for (int round = 0; round < 10000; round++) {
        size_t mine = 0, other = 0, pings = 0;
        char wanted[3][64] = {"transaction[m]2:ok;", "transaction[o]3:ok;", "ping[p]1:ok;"};

        heard[0] = '\0';
        while (mine < 4 || other < 5 || pings < 3) {
            unsigned next = (unsigned)random() % 3;

            if (next == 0 && mine < 4) {
                size_t half = (size_t)random() % strlen(lines[mine]);
                framing_feed(&framing, lines[mine], half);
                wait_ms((unsigned)random() % 100);
                feed(lines[mine++] + half);
            } else if (next == 1 && other < 5) {
                feed(others[other++]);
            } else if (next == 2 && pings < 3) {
                feed("ping id=p\n");
                pings++;
            }
        }
        for (size_t i = 0; i < 3; i++)
            assert_non_null(strstr(heard, wanted[i]));
        assert_null(strstr(heard, "HP-"));
        assert_int_equal(strlen(heard),
                         strlen(wanted[0]) + strlen(wanted[1]) + 3 * strlen(wanted[2]));
    }
}

/* Without ids nothing tells them apart. */
static void of_torn_transactions_without_ids_no_part_is_applied_alone(void **state)
{
    static const char *const lines[2][4] = {{"begin\n", "revert all\n", "load /a\n", "commit\n"},
                                            {"begin\n", "revert last\n", "load /b\n", "commit\n"}};

    (void)state;
    srandom(10);
    for (int round = 0; round < 10000; round++) {
        size_t sent[2] = {0, 0};

        heard[0] = '\0';
        framing.refused_until = 0;
        while (sent[0] < 4 || sent[1] < 4) {
            unsigned next = (unsigned)random() % 2;

            if (sent[next] < 4)
                feed(lines[next][sent[next]++]);
        }
        assert_null(strstr(heard, "load[]1:ok"));
        assert_null(strstr(heard, "revert[]1:ok"));
        assert_int_equal(framing_due(&framing), 0);
    }
}

static void an_empty_transaction_is_refused(void **state)
{
    (void)state;
    feed("begin id=t\ncommit\n");
    assert_string_equal(heard, "transaction[t]0:HP-TRANSACTION;");
}

static void a_transaction_longer_than_a_write_is_refused(void **state)
{
    (void)state;
    feed("begin id=t\n");
    for (int i = 0; i < 200; i++)
        feed("load /a/path/of/forty/characters/or/so.so\n");
    feed("commit\n");
    assert_string_equal(heard, "transaction[t]0:HP-LINE-TOO-LONG;");
}

static void feed_loads(int count)
{
    feed("begin\n");
    for (int i = 0; i < count; i++)
        feed("load /a\n");
    feed("commit\n");
}

static void a_transaction_has_at_most_256_lines_between_begin_and_commit(void **state)
{
    (void)state;
    feed_loads(256);
    assert_string_equal(heard, "transaction[]256:ok;");
    heard[0] = '\0';
    feed_loads(257);
    assert_string_equal(heard, "transaction[]0:HP-TRANSACTION;");
}

static uint64_t deadline_heard;

static void hear_deadline(void *context, const struct frame *frame)
{
    (void)context;
    deadline_heard = frame->count ? frame->requests[0].deadline : 0;
}

static void the_earliest_deadline_is_the_transactions(void **state)
{
    (void)state;
    framing.handler = hear_deadline;
    feed("begin deadline=900\nload /a\nload deadline=500 /b\ncommit deadline=700\n");
    assert_int_equal(deadline_heard, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(each_verb_is_known_by_its_name, clear),
        cmocka_unit_test_teardown(what_is_not_given_has_its_default, clear),
        cmocka_unit_test_teardown(keys_come_in_any_order, clear),
        cmocka_unit_test_teardown(the_path_is_the_rest_of_the_line_blanks_and_equal_signs_included,
                                  clear),
        cmocka_unit_test_teardown(a_value_may_hold_a_slash, clear),
        cmocka_unit_test_teardown(replace_may_be_given_often, clear),
        cmocka_unit_test_teardown(a_place_is_an_object_its_build_an_offset_and_a_target, clear),
        cmocka_unit_test_teardown(an_object_of_a_place_may_hold_what_separates_the_rest, clear),
        cmocka_unit_test_teardown(a_place_goes_with_a_fault_too, clear),
        cmocka_unit_test_teardown(a_percent_sign_and_two_digits_are_one_byte_of_a_name, clear),
        cmocka_unit_test_teardown(a_place_that_is_not_spelled_whole_is_refused, clear),
        cmocka_unit_test_teardown(a_target_with_two_places_is_refused, clear),
        cmocka_unit_test_teardown(a_percent_sign_that_stands_for_no_byte_of_a_name_is_refused,
                                  clear),
        cmocka_unit_test_teardown(more_places_than_fit_are_refused, clear),
        cmocka_unit_test_teardown(revert_knows_last_all_and_a_name, clear),
        cmocka_unit_test_teardown(blanks_around_words_do_not_count, clear),
        cmocka_unit_test_teardown(the_longest_timeout_is_an_hour, clear),
        cmocka_unit_test_teardown(an_unknown_verb_is_refused, clear),
        cmocka_unit_test_teardown(a_key_of_another_verb_is_refused, clear),
        cmocka_unit_test_teardown(a_key_given_twice_is_refused, clear),
        cmocka_unit_test_teardown(a_value_that_a_key_cannot_have_is_refused, clear),
        cmocka_unit_test_teardown(a_reply_name_that_leaves_the_directory_is_refused, clear),
        cmocka_unit_test_teardown(a_reply_name_has_at_most_64_characters_before_its_dot, clear),
        cmocka_unit_test_teardown(an_id_has_at_most_64_characters, clear),
        cmocka_unit_test_teardown(load_needs_one_absolute_path, clear),
        cmocka_unit_test_teardown(other_verbs_take_no_path, clear),
        cmocka_unit_test_teardown(revert_needs_exactly_one_selector, clear),
        cmocka_unit_test_teardown(a_nul_byte_is_refused_wherever_it_is, clear),
        cmocka_unit_test_teardown(more_replacements_than_fit_are_refused, clear),
        cmocka_unit_test_teardown(everything_wrong_is_listed_at_once, clear),
        cmocka_unit_test_teardown(a_refused_line_still_names_its_sender, clear),
        cmocka_unit_test_teardown(verb_names_are_those_of_the_wire, clear),
        cmocka_unit_test_setup(a_line_is_a_request_however_its_bytes_arrive, start_frames),
        cmocka_unit_test_setup(empty_lines_are_ignored, start_frames),
        cmocka_unit_test_setup(a_line_without_newline_waits_and_is_then_refused, start_frames),
        cmocka_unit_test_setup(a_line_too_long_is_refused_once_and_skipped, start_frames),
        cmocka_unit_test_setup(a_line_of_4096_bytes_is_taken, start_frames),
        cmocka_unit_test_setup(a_transaction_is_one_frame_of_all_its_lines, start_frames),
        cmocka_unit_test_setup(commit_may_name_the_transaction, start_frames),
        cmocka_unit_test_setup(one_bad_line_refuses_the_whole_transaction, start_frames),
        cmocka_unit_test_setup(only_load_and_revert_fit_into_a_transaction, start_frames),
        cmocka_unit_test_setup(begin_inside_a_transaction_refuses_it_to_its_commit, start_frames),
        cmocka_unit_test_setup(commit_alone_is_refused, start_frames),
        cmocka_unit_test_setup(a_transaction_may_come_in_pieces, start_frames),
        cmocka_unit_test_setup(a_transaction_whose_rest_does_not_come_is_refused_in_a_second,
                               start_frames),
        cmocka_unit_test_setup(the_late_rest_of_a_transaction_is_refused_up_to_its_commit,
                               start_frames),
        cmocka_unit_test_setup(
            of_a_transaction_that_was_refused_nothing_is_expected_any_more_after_ten_seconds,
            start_frames),
        cmocka_unit_test_setup(a_new_begin_ends_what_was_refused, start_frames),
        cmocka_unit_test_setup(what_follows_a_begin_that_was_refused_is_refused_too, start_frames),
        cmocka_unit_test_setup(what_follows_a_begin_that_never_became_a_line_is_refused_too,
                               start_frames),
        cmocka_unit_test_setup(lines_of_another_id_wait_until_the_transaction_has_ended,
                               start_frames),
        cmocka_unit_test_setup(lines_with_an_id_are_no_part_of_a_transaction_without, start_frames),
        cmocka_unit_test_setup(lines_of_another_reply_are_no_part_of_it, start_frames),
        cmocka_unit_test_setup(lines_that_wait_are_taken_when_the_transaction_is_refused,
                               start_frames),
        cmocka_unit_test_setup(more_waiting_lines_than_fit_are_refused, start_frames),
        cmocka_unit_test_setup(torn_transactions_come_out_whole_however_they_are_mixed,
                               start_frames),
        cmocka_unit_test_setup(of_torn_transactions_without_ids_no_part_is_applied_alone,
                               start_frames),
        cmocka_unit_test_setup(an_empty_transaction_is_refused, start_frames),
        cmocka_unit_test_setup(a_transaction_longer_than_a_write_is_refused, start_frames),
        cmocka_unit_test_setup(a_transaction_has_at_most_256_lines_between_begin_and_commit,
                               start_frames),
        cmocka_unit_test_setup(the_earliest_deadline_is_the_transactions, start_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
