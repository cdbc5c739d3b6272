/* test_places.c - what functions the command looks up where a process cannot, and what it sends. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/request.h"
#include "cli/debug/lookup.h"
#include "cli/session/client.h"
#include "cli/session/wire.h"
#include "tests/support/harness.h"

static const char reader_c[] =
    "#include <unistd.h>\n"
    "#define OUT_OF_LINE __attribute__((noinline, noclone))\n"
    "static OUT_OF_LINE int twin(int n) { __asm__ volatile(\"\"); return n + 1; }\n"
    "static OUT_OF_LINE int lonely(int n) { __asm__ volatile(\"\"); return twin(n); }\n"
    "static inline __attribute__((always_inline)) int small(int n) { return getpid() + n; }\n"
    "int (*volatile kept)(int) = small;\n"
    "__attribute__((visibility(\"default\"))) int exported(int n) { return n; }\n"
    "int other(int);\n"
    "int main(int argc, char **argv)\n"
    "{\n"
    "    (void)argv;\n"
    "    argc = lonely(argc) + other(argc) + exported(argc);\n"
    "    argc += small(argc);\n" /* line 13 */
    "    pause();\n"
    "    return argc;\n"
    "}\n";

static const char writer_c[] = "static __attribute__((noinline, noclone)) int twin(int n) { "
                               "__asm__ volatile(\"\"); return n; }\n"
                               "int other(int n) { return twin(n) + 2; }\n";

static const char names_cc[] =
    "namespace ns {\n"
    "struct queue { int push(int) const; int push(char const *) const; int size() const; };\n"
    "int queue::push(int n) const { return n; }\n"
    "int queue::push(char const *) const { return 1; }\n"
    "int queue::size() const { return 2; }\n"
    "template <class T> T larger(T a, T b) { return a < b ? b : a; }\n"
    "template int larger<int>(int, int);\n"
    "bool operator==(queue const &, int n) { return n; }\n"
    "}\n"
    "int main() { return 0; }\n";

static const char rate_c[] = "int rate(int x);\n"
                             "int rate(int x) { return x * 3 + 1; }\n"
                             "int (*volatile by_pointer)(int) = rate;\n";

static const char uses_c[] = "#include <stdio.h>\n"
                             "extern int (*volatile by_pointer)(int);\n"
                             "int rate(int x);\n"
                             "#ifdef ONE\n"
                             "#include \"rate.c\"\n"
                             "#endif\n"
                             "int main(int argc, char **argv)\n"
                             "{\n"
                             "    (void)argv;\n"
                             "    return printf(\"%d %d\\n\", rate(argc), by_pointer(argc));\n"
                             "}\n";

static char directory[64];

static const char *in_directory(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, 128, "%s/%s", directory, name);
    return path;
}

static void run(const char *command)
{
    char whole[1024];

    snprintf(whole, sizeof(whole), "cd %s && { %s; }", directory, command);
    if (system(whole) != 0)
        fail_msg("%s", command);
}

static void write_source(const char *name, const char *text)
{
    file_write(in_directory(name), text, strlen(text), 0644);
}

/* whole: with everything. linked: stripped, its debug file beside it. bare: stripped, nothing beside
 * it; its debug file is elsewhere.debug. */
static int build(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/hotpatch-places-XXXXXX");
    assert_non_null(mkdtemp(directory));
    write_source("reader.c", reader_c);
    write_source("writer.c", writer_c);
    write_source("names.cc", names_cc);
    write_source("rate.c", rate_c);
    write_source("uses.c", uses_c);
    run("gcc -g -O1 -Wl,--build-id -o whole reader.c writer.c");
    run("g++ -g -O0 -Wl,--build-id -o cxx names.cc && strip -g cxx && cp cxx cxx.debug && "
        "strip cxx");
    run("objcopy --only-keep-debug whole linked.debug && strip -o linked whole && "
        "objcopy --add-gnu-debuglink=linked.debug linked");
    run("mkdir else && mv linked.debug else/ && cp else/linked.debug elsewhere.debug && "
        "strip -o bare whole && mkdir near && cp linked near/ && cp else/linked.debug near/");
    return 0;
}

static int clean(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

static unsigned long address_of(const char *file, const char *symbol, int nth)
{
    char command[256], line[256] = "";
    FILE *nm;

    snprintf(command, sizeof(command), "nm %s/%s | grep ' [tT] %s$' | sed -n %dp", directory, file,
             symbol, nth);
    nm = popen(command, "r");
    assert_non_null(nm);
    assert_non_null(fgets(line, sizeof(line), nm));
    pclose(nm);
    return strtoul(line, NULL, 16);
}

struct found {
    int result;
    char *key;
    enum error_code code;
    char text[1024];
};

static struct found look(const char *file, const char *debug, const char *target)
{
    const char *path = debug ? in_directory(debug) : NULL;
    struct found found = {0};
    struct refusal why = {0};
    struct lookup *lookup = lookup_open(&path, debug ? 1 : 0, &why);

    assert_non_null(lookup);
    lookup_file(lookup, in_directory(file));
    found.result = lookup_target(lookup, target, &found.key, &why);
    if (why.count) {
        found.code = why.items[0].code;
        snprintf(found.text, sizeof(found.text), "%s", why.items[0].text);
    }
    refusal_clear(&why);
    lookup_close(lookup);
    return found;
}

/* The place, as the process will read it, is where nm(1) says. */
static void must_be_at(struct found found, const char *target, unsigned long address)
{
    struct request request;
    struct refusal why = {0};
    char line[REQUEST_MAX];

    if (found.result != 1)
        fail_msg("%s is not found: %d %s", target, found.result, found.text);
    snprintf(line, sizeof(line), "load %s /a.so", found.key);
    assert_int_equal(request_parse(line, strlen(line), &request, &why), 0);
    assert_int_equal(request.place_count, 1);
    assert_string_equal(request.places[0].target, target);
    assert_string_equal(request.places[0].object, "exe");
    assert_int_equal(request.places[0].offset, address);
    assert_int_equal(strlen(request.places[0].build_id), 40);
    free(found.key);
}

static void what_the_process_knows_itself_is_not_sent(void **state)
{
    (void)state;
    assert_int_equal(look("whole", NULL, "lonely").result, 0);
    assert_int_equal(look("whole", NULL, "twin@writer.c").result, 0);
}

static void a_declared_slot_is_meant_before_a_function(void **state)
{
    char command[512];

    (void)state;
    write_source("slots.c", "#include <hotpatch.h>\nHOTPATCH_NAMESPACE(\"net\");\n"
                            "HOTPATCH_FUNCTION(int, open_it, (int n)) { return n; }\n"
                            "static __attribute__((used)) int plain(int n) { return n; }\n"
                            "int main(void) { return open_it(0); }\n");
    snprintf(command, sizeof(command),
             "gcc -g -Wl,--build-id -I'%s' -o slots slots.c && cp slots slots.debug && strip slots",
             source_file("include"));
    run(command);
    assert_int_equal(look("slots", "slots.debug", "open_it").result, 0);
    assert_int_equal(look("slots", "slots.debug", "net:open_it").result, 0);
    must_be_at(look("slots", "slots.debug", "plain"), "plain",
               address_of("slots.debug", "plain", 1));
}

static void a_name_of_a_debug_file_beside_the_object_is_found(void **state)
{
    (void)state;
    must_be_at(look("near/linked", NULL, "lonely"), "lonely", address_of("whole", "lonely", 1));
}

static void a_name_of_a_debug_file_that_is_given_is_found(void **state)
{
    (void)state;
    assert_int_equal(look("bare", NULL, "lonely").result, 0);
    must_be_at(look("bare", "elsewhere.debug", "lonely"), "lonely",
               address_of("whole", "lonely", 1));
}

static void two_statics_of_one_name_are_told_apart_by_their_files(void **state)
{
    unsigned long first = address_of("whole", "twin", 1), second = address_of("whole", "twin", 2);
    struct found found = look("bare", "elsewhere.debug", "twin");

    (void)state;
    assert_int_equal(found.result, -1);
    assert_int_equal(found.code, HP_AMBIGUOUS);
    assert_non_null(strstr(found.text, "twin@reader.c at bare+0x"));
    assert_non_null(strstr(found.text, "twin@writer.c at bare+0x"));
    must_be_at(look("bare", "elsewhere.debug", "exe:twin@reader.c"), "exe:twin@reader.c",
               first < second ? first : second);
    must_be_at(look("bare", "elsewhere.debug", "twin@writer.c"), "twin@writer.c",
               first < second ? second : first);
    assert_int_equal(look("bare", "elsewhere.debug", "twin@none.c").result, 0);
    assert_int_equal(look("bare", "elsewhere.debug", "libc.so.6:twin@writer.c").result, 0);
}

static void a_debug_file_of_another_build_is_refused(void **state)
{
    const char *path = in_directory("cxx.debug");
    struct refusal why = {0};
    struct lookup *lookup = lookup_open(&path, 1, &why);

    (void)state;
    lookup_file(lookup, in_directory("bare"));
    assert_int_equal(lookup_debug_files_fit(lookup, &why), -1);
    assert_int_equal(why.items[0].code, HP_BUILD_ID);
    lookup_close(lookup);
    refusal_clear(&why);
}

static void a_debug_file_that_is_none_is_refused(void **state)
{
    const char *source = in_directory("reader.c"), *missing = in_directory("missing");
    struct refusal why = {0};

    (void)state;
    assert_null(lookup_open(&source, 1, &why));
    assert_int_equal(why.items[0].code, HP_NOT_ELF);
    assert_null(lookup_open(&missing, 1, &why));
    assert_int_equal(why.items[1].code, HP_OPEN);
    refusal_clear(&why);
}

static void cxx_must_be_at(const char *target, const char *symbol)
{
    must_be_at(look("cxx", "cxx.debug", target), target, address_of("cxx.debug", symbol, 1));
}

static void a_cxx_name_is_found_as_it_is_typed(void **state)
{
    (void)state;
    cxx_must_be_at("ns::queue::push(int) const", "_ZNK2ns5queue4pushEi");
    cxx_must_be_at("ns::queue::push(int)", "_ZNK2ns5queue4pushEi");
    cxx_must_be_at("ns::queue::push( char const * ) const", "_ZNK2ns5queue4pushEPKc");
    cxx_must_be_at("ns::operator==(ns::queue const&, int)", "_ZN2nseqERKNS_5queueEi");
    cxx_must_be_at("_ZNK2ns5queue4pushEi", "_ZNK2ns5queue4pushEi");
}

static void a_cxx_name_without_parameters_is_enough_where_there_is_one(void **state)
{
    (void)state;
    cxx_must_be_at("ns::queue::size", "_ZNK2ns5queue4sizeEv");
    cxx_must_be_at("ns::operator==", "_ZN2nseqERKNS_5queueEi");
    assert_int_equal(look("cxx", "cxx.debug", "ns::queue::push").code, HP_AMBIGUOUS);
}

static void of_a_cxx_name_with_other_parameters_those_that_are_are_listed(void **state)
{
    struct found found = look("cxx", "cxx.debug", "ns::queue::push(long)");

    (void)state;
    assert_int_equal(found.result, -1);
    assert_int_equal(found.code, HP_NO_TARGET);
    assert_non_null(strstr(found.text, "ns::queue::push(int) const"));
}

static void a_return_type_is_no_part_of_a_name(void **state)
{
    uint64_t at;
    struct refusal why = {0};
    struct lookup *lookup = lookup_open(NULL, 0, &why);

    (void)state;
    lookup_file(lookup, in_directory("cxx.debug"));
    assert_int_equal(lookup_address(lookup, "ns::larger<int>(int, int)", &at, &why), 1);
    assert_int_equal(lookup_address(lookup, "ns::larger<int>", &at, &why), 1);
    assert_int_equal(lookup_address(lookup, "ns::larger<long>", &at, &why), 0);
    lookup_close(lookup);
}

static void calls_that_were_inlined_are_told(void **state)
{
    struct refusal why = {0};
    struct lookup *lookup = lookup_open(NULL, 0, &why);
    char *text;

    (void)state;
    lookup_file(lookup, in_directory("whole"));
    text = lookup_inlined(lookup, "small", 60000);
    assert_non_null(text);
    assert_string_equal(text,
                        "small was inlined into: main (reader.c:13); these keep the old code");
    free(text);
    assert_null(lookup_inlined(lookup, "lonely", 60000));
    lookup_close(lookup);
}

/* Link-time optimisation writes code into another unit than its declaration, clang numbers files from
 * 0 on, and split DWARF has the copies in .dwo files. */
static void inlined_calls_are_told_however_the_program_was_built(void **state)
{
    static const char *const builds[] = {
        "gcc -O2 -g -flto rate.c uses.c",
        "gcc -O2 -g -flto -DONE uses.c",
        "gcc -O2 -g -gsplit-dwarf -DONE uses.c",
        "gcc -O2 -gdwarf-4 -gsplit-dwarf -DONE uses.c",
        "gcc -O2 -g -ffunction-sections -DONE uses.c",
        "clang -O2 -g -flto -fuse-ld=lld rate.c uses.c",
        "clang -O2 -g -gsplit-dwarf -DONE uses.c",
        "clang -O2 -gdwarf-4 -DONE uses.c",
    };
    struct refusal why = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(builds) / sizeof(*builds); i++) {
        struct lookup *lookup = lookup_open(NULL, 0, &why);
        char command[256], *text;

        snprintf(command, sizeof(command), "%s -o rated", builds[i]);
        run(command);
        lookup_file(lookup, in_directory("rated"));
        text = lookup_inlined(lookup, "rate", 60000);
        if (!text)
            fail_msg("%s: nothing is said", builds[i]);
        assert_string_equal(text,
                            "rate was inlined into: main (uses.c:10); these keep the old code");
        free(text);
        lookup_close(lookup);
    }
}

static void a_process_is_looked_at_by_what_it_has_mapped(void **state)
{
    const char *debug = in_directory("elsewhere.debug");
    struct refusal why = {0};
    struct lookup *lookup = lookup_open(&debug, 1, &why);
    struct process process;
    struct found found = {0};
    int ready[2], end;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        execl(in_directory("bare"), "bare", NULL);
        _exit(127);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &end, sizeof(end)), 0); /* the exec has closed it */
    close(ready[0]);
    assert_int_equal(process_open(pid, &process, &why), 0);
    lookup_process(lookup, &process);
    found.result = lookup_target(lookup, "lonely", &found.key, &why);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    must_be_at(found, "lonely", address_of("whole", "lonely", 1));
    assert_int_equal(lookup_debug_files_fit(lookup, &why), 0);
    process_close(&process);
    lookup_close(lookup);
}

static void each_line_has_its_own_places(void **state)
{
    static const char *const patches[] = {"/a.so", "/b.so"}, *const faults[] = {"fail=f=1"};
    static char *const places[] = {NULL, "at=exe@-+0x1=g", "at=exe@-+0x2=f"};
    const struct client_request client_request = {
        .verb = "load",
        .keys = "",
        .patches = patches,
        .patch_count = 2,
        .injections = faults,
        .injection_count = 1,
    };
    const struct wire wire = {"i", "i.reply", "", 7, patches, places};
    struct refusal why = {0};
    char line[REQUEST_MAX + 1];

    (void)state;
    assert_true(wire_compose(&client_request, &wire, line, sizeof(line), &why) > 0);
    assert_string_equal(line, "\nbegin id=i deadline=7 reply=i.reply\nload /a.so\n"
                              "load at=exe@-+0x1=g /b.so\nload at=exe@-+0x2=f fail=f=1\ncommit\n");
}

static void more_places_than_a_request_holds_are_refused(void **state)
{
    static const char *const patches[] = {"/a.so"};
    static char many[REQUEST_MAX];
    char *const places[] = {many};
    const struct client_request client_request = {
        .verb = "load", .keys = "", .patches = patches, .patch_count = 1};
    const struct wire wire = {"i", "i.reply", "", 7, patches, places};
    struct refusal why = {0};
    char line[REQUEST_MAX + 1];

    (void)state;
    memset(many, 'x', sizeof(many) - 1);
    assert_int_equal(wire_compose(&client_request, &wire, line, sizeof(line), &why), -1);
    assert_int_equal(why.items[0].code, HP_LINE_TOO_LONG);
    assert_non_null(strstr(why.items[0].text, "debug information"));
    refusal_clear(&why);
}

static void the_command_refuses_before_it_sends_what_could_be_two(void **state)
{
    struct output *output;
    char patch[256];

    (void)state;
    snprintf(patch, sizeof(patch),
             "printf '#include <hotpatch.h>\\nHOTPATCH_MODULE(\"p\", \"1\");\\n"
             "HOTPATCH_REPLACE(int, twin, (int n)) { return n; }\\n' > p.c");
    run(patch);
    snprintf(patch, sizeof(patch), "gcc -shared -fPIC -I'%s' -o p.so p.c", source_file("include"));
    run(patch);
    output = hotpatch(NULL, "check", "--debug", in_directory("elsewhere.debug"),
                      in_directory("bare"), in_directory("p.so"), NULL);
    assert_int_equal(output->status, 1);
    assert_non_null(strstr(output->error, "HP-AMBIGUOUS"));
    output_free(output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_process_knows_itself_is_not_sent),
        cmocka_unit_test(a_declared_slot_is_meant_before_a_function),
        cmocka_unit_test(a_name_of_a_debug_file_beside_the_object_is_found),
        cmocka_unit_test(a_name_of_a_debug_file_that_is_given_is_found),
        cmocka_unit_test(two_statics_of_one_name_are_told_apart_by_their_files),
        cmocka_unit_test(a_debug_file_of_another_build_is_refused),
        cmocka_unit_test(a_debug_file_that_is_none_is_refused),
        cmocka_unit_test(a_cxx_name_is_found_as_it_is_typed),
        cmocka_unit_test(a_cxx_name_without_parameters_is_enough_where_there_is_one),
        cmocka_unit_test(of_a_cxx_name_with_other_parameters_those_that_are_are_listed),
        cmocka_unit_test(a_return_type_is_no_part_of_a_name),
        cmocka_unit_test(calls_that_were_inlined_are_told),
        cmocka_unit_test(inlined_calls_are_told_however_the_program_was_built),
        cmocka_unit_test(a_process_is_looked_at_by_what_it_has_mapped),
        cmocka_unit_test(each_line_has_its_own_places),
        cmocka_unit_test(more_places_than_a_request_holds_are_refused),
        cmocka_unit_test(the_command_refuses_before_it_sends_what_could_be_two),
    };

    return cmocka_run_group_tests(tests, build, clean);
}
