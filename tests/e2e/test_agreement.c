/*
 * test_agreement.c - check, slots and load of one function, or of one patch, say the same: indirect functions
 * (IFUNC), what a patch needs, and symbolic links in the paths.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/harness.h"
#include "tests/support/made.h"

enum { MANY = 300, FAULTS = 400 };

/* ------------------------------------------------------- programs --- */

static const char chosen_c[] =
    "#include <hosts/loop.h>\n"
    "#ifdef STATIC\n"
    "#define WHOSE static\n"
    "#else\n"
    "#define WHOSE int answer(int);\n"
    "#endif\n"
    "WHOSE __attribute__((target_clones(\"avx2\", \"default\"))) int answer(int n)\n"
    "{ static int calls; calls++; return n + (calls < 0); }\n"
    "static int (*volatile pointer)(int) = NULL;\n"
    "static void command(const char *word, char *rest)\n"
    "{\n"
    "    (void)rest;\n"
    "    pointer = answer;\n"
    "    say(\"%d\", strcmp(word, \"pointer\") ? answer(1) : pointer(1));\n"
    "}\n"
    "int main(void) { return loop(); }\n";

/* `many` has MANY exported indirect functions f<n>, of which nothing imports any, and hidden ones, h<n>. */
static const char many_sh[] =
    "cd \"$1\"; (echo '#include <stddef.h>'; i=0; while [ $i -lt $2 ]; do\n"
    "echo \"static __attribute__((noinline)) int one$i(void) { __asm__ volatile(\\\"\\\"); return "
    "$i + 1; }\"\n"
    "echo \"static int (*resolve$i(void))(void) { return one$i; }\"\n"
    "echo \"int f$i(void) __attribute__((ifunc(\\\"resolve$i\\\")));\"\n"
    "echo \"__attribute__((visibility(\\\"hidden\\\"))) int h$i(void) "
    "__attribute__((ifunc(\\\"resolve$i\\\")));\"\n"
    "i=$((i + 1)); done\n"
    "echo 'int hidden(int); int hidden(int n) { return n == 7 ? h7() : h8(); }') > many.c\n"
    "gcc -O1 -fPIC -shared -Wl,-soname,libmany.so -o libmany.so many.c\n"
    "(echo '#include <hotpatch.h>'; echo 'HOTPATCH_MODULE(\"many\", \"1\");'; i=0; while [ $i -lt "
    "$2 ]; do\n"
    "echo \"HOTPATCH_REPLACE_AS(int, r$i, (void), \\\"libmany.so:f$i\\\") { return -$i; }\"\n"
    "i=$((i + 1)); done) > many-patch.c\n"
    "gcc -O1 -fPIC -shared -I\"$3\" -o many-patch.so many-patch.c\n";

static const char opener_c[] =
    "#include <hosts/loop.h>\n"
    "#include <dlfcn.h>\n"
    "static void *handle;\n"
    "static __attribute__((noinline)) int answer(int n)\n"
    "{ static int calls; calls++; return n + (calls < 0); }\n"
    "static void command(const char *word, char *rest)\n"
    "{\n"
    "    int (*function)(int) = NULL;\n"
    "    if (!strcmp(word, \"local\") || !strcmp(word, \"global\")) {\n"
    "        handle = dlopen(rest, *word == 'l' ? RTLD_LAZY : RTLD_LAZY | RTLD_GLOBAL);\n"
    "        say(\"%s\", handle ? \"opened\" : dlerror());\n"
    "        return;\n"
    "    }\n"
    "    *(void **)&function = handle ? dlsym(handle, word) : (void *)answer;\n"
    "    say(\"%d\", function ? function(atoi(rest)) : -1000);\n"
    "}\n"
    "int main(void) { return loop(); }\n";

/* It imports what libc has from the vDSO; and answer(). */
static const char clock_c[] =
    "#include <hosts/loop.h>\n"
    "#include <sys/time.h>\n"
    "#include <time.h>\n"
    "static __attribute__((noinline)) int answer(void) { __asm__ volatile(\"\"); return 1; }\n"
    "static void command(const char *word, char *rest)\n"
    "{\n"
    "    struct timeval now = {0, 0};\n"
    "    (void)rest;\n"
    "    if (!strcmp(word, \"answer\")) { say(\"%d\", answer()); return; }\n"
    "    if (!strcmp(word, \"time\")) { say(\"%d\", (int)time(NULL) > 1000); return; }\n"
    "    say(\"%d\", gettimeofday(&now, NULL));\n"
    "}\n"
    "int main(void) { return loop(); }\n";

static const char patch_c[] = "#include <hotpatch.h>\n"
                              "HOTPATCH_MODULE(\"fix\", \"1\");\n"
                              "#ifdef HELPED\n"
                              "int helper(void);\n"
                              "#define VALUE helper()\n"
                              "#else\n"
                              "#define VALUE HOTPATCH_ORIGINAL(answer)(n) + 5\n"
                              "#endif\n"
                              "HOTPATCH_REPLACE(int, answer, (int n)) { return n * 0 + VALUE; }\n";

/* Its implementations are one byte long, the next function right behind them; `unused` nothing calls. */
static const char tiny_c[] =
    "#include <hosts/loop.h>\n"
    "int first(int);\nint second(int);\n"
    "__asm__(\".text\\n.balign 16\\n.globl first\\n.type first, @function\\nfirst: ret\\n\"\n"
    "        \".size first, 1\\n.globl second\\n.type second, @function\\nsecond: ret\\n\"\n"
    "        \".size second, 1\\n.globl third\\n.type third, @function\\nthird: ret\\n\"\n"
    "        \".size third, 1\\nhlt\\n.balign 16\\n\");\n"
    "volatile int never;\n"
    "static int (*resolve(void))(int) { return never ? first : second; }\n"
    "int answer(int) __attribute__((ifunc(\"resolve\")));\n"
    "static int (*resolve_unused(void))(int) { return first; }\n"
    "int unused(int) __attribute__((ifunc(\"resolve_unused\")));\n"
    "static void command(const char *word, char *rest)\n"
    "{ (void)word; (void)rest; answer(1); say(\"1\"); }\n"
    "int main(void) { return loop(); }\n";

static const char declared_c[] = "#include <hosts/loop.h>\n"
                                 "#include <hotpatch.h>\n"
                                 "HOTPATCH_FUNCTION(int, answer, (int n)) { return n; }\n"
                                 "static void command(const char *word, char *rest)\n"
                                 "{ (void)word; (void)rest; say(\"%d\", answer(1)); }\n"
                                 "int main(void) { return loop(); }\n";

/* It replaces TARGET, and declares `extra` itself. */
static const char target_c[] = "#include <hotpatch.h>\n"
                               "HOTPATCH_MODULE(\"target\", \"1\");\n"
                               "HOTPATCH_FUNCTION(int, extra, (int n)) { return n; }\n"
                               "HOTPATCH_REPLACE_AS(int, other, (TYPE n), TARGET)\n"
                               "{ return n == 0 ? 7 : 8; }\n";

static void write_source(const char *name, const char *text)
{
    file_write(made_path(name), text, strlen(text), 0644);
}

static void make_patches(void)
{
    char command[2048];

    write_source("helper.c", "int helper(void); int helper(void) { return 40; }\n");
    write_source("deeper.c",
                 "int deep(void); int helper(void); int helper(void) { return deep(); }\n");
    write_source("deep.c", "int deep(void); int deep(void) { return 41; }\n");
    write_source("one.map", "ONE { global: helper; local: *; };\n");
    write_source("two.map", "ONE { };\nTWO { global: helper; local: *; } ONE;\n");
    write_source("libc.map", "GLIBC_2.99 { global: helper; local: *; };\n");
    made_run("mkdir -p beside/lib stub there link-of && "
             "S='gcc -shared -fPIC' && $S -o beside/libhelper.so helper.c && "
             "$S -o beside/lib/libhelper.so helper.c && $S -o beside/lib/libdeep.so deep.c && "
             "$S -o beside/libdeeper.so deeper.c -Lbeside/lib -ldeep -Wl,-rpath,'$ORIGIN/lib' && "
             "$S -Wl,-soname,'$ORIGIN/libhelper.so' -o stub/libtoken.so helper.c && "
             "$S -Wl,-soname,libv.so -Wl,--version-script,one.map -o there/libv.so helper.c && "
             "$S -Wl,-soname,libv.so -Wl,--version-script,two.map -o stub/libv.so helper.c && "
             "$S -nostdlib -Wl,-soname,libc.so.6 -Wl,--version-script,libc.map -o stub/libc.so.6 "
             "helper.c && $S -o there/libplugin.so helper.c");
    snprintf(command, sizeof(command),
             "P='gcc -shared -fPIC -DHELPED -I%s patch.c' && "
             "$P -o beside/origin.so -Lbeside -lhelper -Wl,-rpath,'$ORIGIN' && "
             "$P -o beside/below.so -Lbeside -lhelper -Wl,-rpath,'${ORIGIN}/lib:/nowhere' && "
             "$P -o beside/rpath.so -Lbeside -lhelper "
             "-Wl,--disable-new-dtags,-rpath,'/nowhere:$ORIGIN/../beside' && "
             "$P -o beside/lld.so -fuse-ld=lld -Lbeside -lhelper -Wl,-rpath,'$ORIGIN' && "
             "$P -o beside/token.so stub/libtoken.so && "
             "mkdir -p tokens/lib/x86_64-linux-gnu && cp beside/libhelper.so "
             "tokens/lib/x86_64-linux-gnu && "
             "$P -o tokens/platform.so -Lbeside -lhelper -Wl,-rpath,'$ORIGIN/$LIB' && "
             "$P -o beside/deeper.so -Lbeside -ldeeper -Wl,-rpath,'$ORIGIN' "
             "-Wl,-rpath-link,beside/lib && "
             "$P -o beside/nowhere.so -Lbeside -lhelper && mkdir elsewhere && "
             "cp beside/origin.so elsewhere && ln -s beside linked && "
             "ln -s ../beside/origin.so link-of/origin.so && "
             "$P -o old-version.so there/libv.so && $P -o new-version.so stub/libv.so && "
             "$P -o new-libc.so stub/libc.so.6 && $P -o undefined.so",
             source_file("include"));
    made_run(command);
}

static int build(void **state)
{
    char command[1024];

    made_build(state);
    write_source("chosen.c", chosen_c);
    write_source("opener.c", opener_c);
    write_source("clock.c", clock_c);
    write_source("tiny.c", tiny_c);
    write_source("patch.c", patch_c);
    write_source("many.sh", many_sh);
    snprintf(command, sizeof(command), "sh ./many.sh . %d %s", MANY, source_file("include"));
    made_run(command);
    snprintf(command, sizeof(command),
             "gcc -O1 -I%s -o opener opener.c -ldl && gcc -O1 -g -I%s -o clock clock.c && "
             "gcc -shared -fPIC -I%s -o fix.so patch.c",
             source_file("tests"), source_file("tests"), source_file("include"));
    made_run(command);
    make_patches();
    snprintf(
        command, sizeof(command),
        "gcc -O1 -g -I%s -o needs clock.c -Wl,--no-as-needed there/libv.so -Wl,-rpath,$PWD/there",
        source_file("tests"));
    made_run(command);
    return 0;
}

/* ------------------------------------------------------- what each of them says --- */

/* "apply" or the first code, of what the command prints under --json; frees the output. */
static const char *told(struct output *output)
{
    static char code[4][64];
    static unsigned turn;
    char *text = code[turn++ % 4];
    const char *at = strstr(output->out, "\"HP-");

    if (output->status == 0)
        strcpy(text, "apply");
    else if (!at || sscanf(at, "\"%63[^\"]", text) != 1)
        fail_msg("exit %d without a code: %s%s", output->status, output->out, output->error);
    output_free(output);
    return text;
}

static const char *check_says(struct host *host, const char *patch)
{
    return told(hotpatch(host, "check", "--json", pid_text(host->pid), patch, NULL));
}

static const char *load_says(struct host *host, const char *patch)
{
    return told(hotpatch(host, "load", "--json", pid_text(host->pid), patch, NULL));
}

/* Of one patch in one process. */
static const char *both_say(struct host *host, const char *patch)
{
    const char *check = check_says(host, patch);

    assert_string_equal(check, check_says(host, patch));
    assert_string_equal(check, load_says(host, patch));
    return check;
}

/* "true", "false", or "" where slots lists no function of that name in the object. */
static const char *slots_say(json_object *slots, const char *object, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(slots); i++) {
        json_object *slot = json_object_array_get_idx(slots, i), *patchable;

        if (strcmp(member_text(slot, "name"), name) == 0 &&
            strcmp(member_text(slot, "object"), object) == 0 &&
            json_object_object_get_ex(slot, "patchable", &patchable))
            return json_object_get_boolean(patchable) ? "true" : "false";
    }
    return "";
}

/* ------------------------------------------------------- libc's functions --- */

struct counts {
    unsigned same, refused;
};

/* `fresh` is only asked; in `host` one after the other is patched, which takes padding from others. */
static void agree_on(struct host *fresh, struct host *host, json_object *slots, const char *name,
                     struct counts *counts)
{
    const char *says = slots_say(slots, "libc.so.6", name), *tried, *done;

    tried = outcome(fresh, "load dry-run=1 fail=libc.so.6:%s=0 nth=1000000000", name);
    if (strcmp(tried, "HP-SIGNATURE") == 0)
        return; /* a double: a fault is no replacement for it */
    if (strcmp(says, strcmp(tried, "apply") == 0 ? "true" : "false") != 0)
        fail_msg("%s: slots says %s, dry run %s", name, says, tried);
    counts->same++;
    counts->refused += strcmp(tried, "apply") != 0;
    tried = outcome(host, "load dry-run=1 fail=libc.so.6:%s=0 nth=1000000000", name);
    done = outcome(host, "load fail=libc.so.6:%s=0 nth=1000000000", name);
    if (strcmp(done, tried) != 0)
        fail_msg("%s: dry run %s, load %s", name, tried, done);
    if (strcmp(done, "apply") == 0)
        must_apply(host, "revert last");
}

/* `lines`: of readelf --dyn-syms, an awk pattern; of names with several versions none. */
static unsigned agree_on_all(const char *lines, struct counts *counts)
{
    struct host *fresh = made_start("clock"), *host = made_start("clock");
    struct reply *listed = request(fresh, "slots kind=entry");
    char command[1024], name[256];
    FILE *names;

    *counts = (struct counts){0, 0};
    snprintf(command, sizeof(command),
             "readelf -W --dyn-syms \"$(ldd %s | awk '/libc\\.so\\.6/ {print $3}')\" | "
             "awk '%s {sub(/@.*/, \"\", $8); print $8}' | sort | uniq -u",
             made_path("clock"), lines);
    names = popen(command, "r");
    assert_non_null(names);
    while (fscanf(names, "%255s", name) == 1) {
        if (counts->same % FAULTS ==
            FAULTS - 1) { /* of which a process takes a number in some seconds */
            host_stop(host);
            host = made_start("clock");
        }
        agree_on(fresh, host, member(listed->json, "slots"), name, counts);
    }
    reply_free(listed);
    assert_int_equal(pclose(names), 0);
    host_expect(host, "answer", "1");
    host_stop(host);
    host_stop(fresh);
    return counts->same;
}

static void every_indirect_function_of_libc_is_judged_alike(void **state)
{
    struct counts counts;

    (void)state;
    assert_true(agree_on_all("$4 == \"IFUNC\"", &counts) > 40);
}

/* What the harness' host runs in itself meanwhile: each is called as before. */
static void functions_of_libc_are_judged_alike(void **state)
{
    const char *rounds = getenv("EVERY_FUNCTION");
    struct counts counts;

    (void)state;
    assert_true(agree_on_all(rounds ? "$4 == \"FUNC\" && $7 != \"UND\""
                                    : "$4 == \"FUNC\" && $7 != \"UND\" && NR % 29 == 0",
                             &counts) > 50);
    print_message("%u functions, %u refused\n", counts.same, counts.refused);
}

static void an_import_that_the_vdso_serves_can_be_switched(void **state)
{
    struct host *host = made_start("clock");

    (void)state;
    must_apply(host, "load fail=time=7");
    host_expect(host, "time", "0");
    must_apply(host, "revert last");
    host_expect(host, "time", "1");
    must_apply(host, "load fail=libc.so.6:gettimeofday=-1");
    host_expect(host, "gettimeofday", "-1");
    must_apply(host, "revert last");
    host_expect(host, "gettimeofday", "0");
    host_stop(host);
}

/* ------------------------------------------------------- compiled for several processors --- */

struct variant {
    const char *compiler, *flags, *after;
    const char *expected;
};

static void try_variant(const struct variant *variant)
{
    char command[512];
    const char *listed;
    struct reply *slots;
    struct host *host;

    snprintf(command, sizeof(command), "%s -O2 -g -Wno-unused -I%s %s -o chosen chosen.c %s",
             variant->compiler, source_file("tests"), variant->flags, variant->after);
    made_run(command);
    host = made_start("chosen");
    host_expect(host, "direct", "1");
    slots = request(host, "slots match=answer kind=entry");
    listed = slots_say(member(slots->json, "slots"), "chosen", "answer");
    assert_string_equal(listed, strcmp(variant->expected, "apply") == 0 ? "true" : "");
    reply_free(slots);
    assert_string_equal(
        told(hotpatch(host, "check", "--json", made_path("chosen"), made_path("fix.so"), NULL)),
        variant->expected);
    assert_string_equal(both_say(host, made_path("fix.so")), variant->expected);
    if (strcmp(variant->expected, "apply") == 0) {
        host_expect(host, "direct", "6");
        host_expect(host, "pointer", "6");
        must_apply(host, "revert all");
    }
    host_expect(host, "direct", "1");
    host_expect(host, "pointer", "1");
    host_stop(host);
}

static void functions_for_several_processors_can_be_replaced(void **state)
{
    static const struct variant variants[] = {
        {"gcc", "", "", "apply"},
        {"gcc", "-DSTATIC", "", "apply"},
        {"gcc", "-no-pie", "", "apply"},
        {"gcc", "-no-pie -DSTATIC", "", "apply"},
        {"gcc", "-fvisibility=hidden -Wl,-z,now", "", "apply"},
        {"gcc", "-rdynamic", "&& strip chosen", "apply"},
        {"gcc", "", "&& strip chosen", "HP-NO-TARGET"},
        {"gcc", "-fuse-ld=gold", "", "apply"},
        {"clang", "", "", "apply"},
        {"clang", "-DSTATIC -no-pie", "", "apply"},
        {"clang", "-rdynamic", "&& strip chosen", "apply"},
        {"clang", "-fuse-ld=lld", "", "apply"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(variants) / sizeof(*variants); i++)
        try_variant(&variants[i]);
}

static void implementations_that_are_too_short_are_refused(void **state)
{
    static const char *const flags[] = {"", "-no-pie -fno-pie", "-fPIC"};
    char command[256];

    (void)state;
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
        struct reply *listed;
        struct host *host;

        snprintf(command, sizeof(command), "gcc -O1 -I%s %s -o short tiny.c", source_file("tests"),
                 flags[i]);
        made_run(command);
        host = made_start("short");
        listed = request(host, "slots kind=entry");
        assert_string_equal(slots_say(member(listed->json, "slots"), "short", "answer"), "false");
        assert_string_equal(slots_say(member(listed->json, "slots"), "short", "unused"), "false");
        reply_free(listed);
        output_must(hotpatch(host, "slots", made_path("short"), "answer", NULL), 0,
                    "no: the function is shorter than a jump", NULL);
        output_must(hotpatch(host, "slots", made_path("short"), "unused", NULL), 0,
                    "of which no object says what is in use", NULL);
        assert_string_equal(
            told(hotpatch(host, "check", "--json", made_path("short"), made_path("fix.so"), NULL)),
            "HP-NOT-PATCHABLE");
        assert_string_equal(both_say(host, made_path("fix.so")), "HP-NOT-PATCHABLE");
        host_stop(host);
    }
}

static void a_static_program_cannot_be_patched_says_check(void **state)
{
    char command[256];

    (void)state;
    snprintf(command, sizeof(command),
             "gcc -O1 -g -I%s -static -o still clock.c && gcc -O1 -g -I%s -static-pie -o still-pie "
             "clock.c",
             source_file("tests"), source_file("tests"));
    made_run(command);
    assert_string_equal(
        told(hotpatch(NULL, "check", "--json", made_path("still"), made_path("fix.so"), NULL)),
        "HP-STATIC");
    assert_string_equal(
        told(hotpatch(NULL, "check", "--json", made_path("still-pie"), made_path("fix.so"), NULL)),
        "HP-STATIC");
}

/* Nothing in the process names it; the address of its resolver does. */
static void an_indirect_function_without_a_name_has_its_resolvers_address(void **state)
{
    char command[512], key[64], offset[32];
    struct host *host;
    FILE *symbols;

    (void)state;
    snprintf(command, sizeof(command),
             "gcc -O2 -g -I%s -DSTATIC -o chosen chosen.c && nm chosen | awk '$3 == \"answer\" "
             "{print $1}' > where && objcopy --only-keep-debug chosen chosen.debug && strip chosen",
             source_file("tests"));
    made_run(command);
    symbols = fopen(made_path("where"), "r");
    assert_int_equal(fscanf(symbols, "%31s", offset), 1);
    fclose(symbols);
    host = made_start("chosen");
    snprintf(key, sizeof(key), "exe+0x%s=two", offset);
    output_must(hotpatch(host, "load", pid_text(host->pid), "--replace", key,
                         patch_file("entry_plain"), NULL),
                0, "1 slot", NULL);
    host_expect(host, "direct", "2");
    must_apply(host, "revert all");
    output_must(hotpatch(host, "load", pid_text(host->pid), "--debug", made_path("chosen.debug"),
                         made_path("fix.so"), NULL),
                0, "1 slot", NULL);
    host_expect(host, "pointer", "6");
    host_stop(host);
}

/* ------------------------------------------------------- many in one patch --- */

static void hundreds_of_indirect_functions_fit_in_one_patch(void **state)
{
    struct host *host = made_start("opener");
    struct reply *listed;

    (void)state;
    host_expect(host, "f299 5", "5");
    assert_string_equal(host_ask(host, "local %s", made_path("libmany.so")), "opened");
    assert_string_equal(both_say(host, made_path("many-patch.so")), "apply");
    host_expect(host, "f7 0", "-7");
    host_expect(host, "f299 0", "-299");
    must_apply(host, "revert all");
    host_expect(host, "f299 0", "300");
    listed = request(host, "slots match=f2* kind=entry");
    assert_string_equal(slots_say(member(listed->json, "slots"), "libmany.so", "f250"), "true");
    reply_free(listed);
    host_stop(host);
}

/* h7 is hidden and called, h9 hidden and called by nothing. */
static void a_hidden_indirect_function_is_found_by_its_callers_word(void **state)
{
    struct host *host = made_start("opener");
    struct reply *listed;

    (void)state;
    assert_string_equal(host_ask(host, "local %s", made_path("libmany.so")), "opened");
    listed = request(host, "slots match=h* kind=entry");
    assert_string_equal(slots_say(member(listed->json, "slots"), "libmany.so", "h7"), "true");
    assert_string_equal(slots_say(member(listed->json, "slots"), "libmany.so", "h9"), "false");
    reply_free(listed);
    assert_string_equal(outcome(host, "load fail=libmany.so:h9=2"), "HP-NOT-PATCHABLE");
    must_apply(host, "load fail=libmany.so:h7=2");
    host_expect(host, "hidden 7", "2");
    host_expect(host, "hidden 8", "9");
    host_stop(host);
}

/* ------------------------------------------------------- what a patch needs --- */

static void what_a_patch_needs_is_found_beside_it(void **state)
{
    static const struct {
        const char *patch, *expected, *answer;
    } cases[] = {
        {"beside/origin.so", "apply", "40"},
        {"beside/below.so", "apply", "40"},
        {"tokens/platform.so", "apply", "40"},
        {"beside/rpath.so", "apply", "40"},
        {"beside/lld.so", "apply", "40"},
        {"beside/token.so", "apply", "40"},
        {"beside/deeper.so", "apply", "41"},
        {"linked/origin.so", "apply", "40"},
        {"link-of/../beside/origin.so", "apply", "40"},
        {"link-of/origin.so", "HP-NEEDED", ""},
        {"elsewhere/origin.so", "HP-NEEDED", ""},
        {"beside/nowhere.so", "HP-NEEDED", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct host *host = made_start("clock");
        const char *said = both_say(host, made_path(cases[i].patch));

        if (strcmp(said, cases[i].expected) != 0)
            fail_msg("%s: %s, expected %s", cases[i].patch, said, cases[i].expected);
        host_expect(host, "answer", *cases[i].answer ? cases[i].answer : "1");
        host_stop(host);
    }
}

static void a_library_that_others_can_write_is_refused(void **state)
{
    struct host *host = made_start("clock");

    (void)state;
    made_run("cp -r beside loose && chmod o+w loose/libhelper.so");
    assert_string_equal(both_say(host, made_path("loose/origin.so")), "HP-WRITABLE");
    host_expect(host, "answer", "1");
    host_stop(host);
}

static void a_version_that_is_not_there_is_refused_before_the_load(void **state)
{
    struct host *host = made_start("needs");

    (void)state;
    assert_string_equal(both_say(host, made_path("new-version.so")), "HP-UNDEFINED");
    assert_string_equal(both_say(host, made_path("new-libc.so")), "HP-UNDEFINED");
    assert_string_equal(both_say(host, made_path("old-version.so")), "apply");
    host_expect(host, "answer", "40");
    host_stop(host);
}

/* ld.so finds a symbol for the patch in the global scope, and in what the patch needs. */
static void a_symbol_of_a_library_that_was_opened_for_itself_is_refused(void **state)
{
    (void)state;
    for (int global = 0; global < 2; global++) {
        struct host *host = made_start("opener");

        assert_string_equal(
            host_ask(host, "%s %s", global ? "global" : "local", made_path("there/libplugin.so")),
            "opened");
        assert_string_equal(both_say(host, made_path("undefined.so")),
                            global ? "apply" : "HP-UNDEFINED");
        host_stop(host);
    }
}

/* ------------------------------------------------------- declared slots --- */

static void assert_target(struct host *host, const char *target, const char *type,
                          const char *expected)
{
    char command[1024];

    snprintf(command, sizeof(command),
             "gcc -shared -fPIC -I%s -DTYPE='%s' -DTARGET='\"%s\"' -o target.so target.c",
             source_file("include"), type, target);
    made_run(command);
    assert_string_equal(told(hotpatch(host, "check", "--json", made_path("declared"),
                                      made_path("target.so"), NULL)),
                        expected);
    assert_string_equal(both_say(host, made_path("target.so")), expected);
    if (strcmp(expected, "apply") == 0)
        must_apply(host, "revert all");
}

static void a_file_means_the_slots_that_its_process_means(void **state)
{
    char command[1024];
    struct host *host;

    (void)state;
    write_source("declared.c", declared_c);
    write_source("target.c", target_c);
    snprintf(command, sizeof(command), "gcc -O1 -I%s -I%s -o declared declared.c",
             source_file("tests"), source_file("include"));
    made_run(command);
    host = made_start("declared");
    assert_target(host, "answer", "int", "apply");
    assert_target(host, "exe:answer", "int", "apply");
    assert_target(host, "answer", "double", "HP-SIGNATURE");
    assert_target(host, "answer@declared.c", "int", "HP-NO-TARGET");
    assert_target(host, "other:answer", "int", "HP-NO-TARGET");
    assert_target(host, "extra", "int", "apply");
    assert_target(host, "extra", "double", "HP-SIGNATURE");
    assert_target(host, "other:extra", "int", "HP-NO-TARGET");
    host_expect(host, "x", "1");
    host_stop(host);
}

/* ------------------------------------------------------- links --- */

/* The process listens in a directory above which a link lies: the command goes there, too. */
static void a_link_above_the_runtime_directory_is_followed(void **state)
{
    char variable[512];
    const char *environment[] = {variable, NULL};
    struct host *host;

    (void)state;
    made_run("mkdir -p real/deep && mkdir -m 700 real/deep/run && ln -s real turned && ln -s "
             "$PWD/real absolute");
    for (int i = 0; i < 2; i++) {
        snprintf(variable, sizeof(variable), "HOTPATCH_DIR=%s",
                 made_path(i ? "absolute/deep/run" : "turned/deep/run"));
        host = host_start(made_path("clock"), environment);
        assert_string_equal(load_says(host, made_path("beside/origin.so")), "apply");
        host_expect(host, "answer", "40");
        host_stop(host);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_indirect_function_of_libc_is_judged_alike),
        cmocka_unit_test(functions_of_libc_are_judged_alike),
        cmocka_unit_test(an_import_that_the_vdso_serves_can_be_switched),
        cmocka_unit_test(functions_for_several_processors_can_be_replaced),
        cmocka_unit_test(implementations_that_are_too_short_are_refused),
        cmocka_unit_test(a_static_program_cannot_be_patched_says_check),
        cmocka_unit_test(an_indirect_function_without_a_name_has_its_resolvers_address),
        cmocka_unit_test(hundreds_of_indirect_functions_fit_in_one_patch),
        cmocka_unit_test(a_hidden_indirect_function_is_found_by_its_callers_word),
        cmocka_unit_test(a_file_means_the_slots_that_its_process_means),
        cmocka_unit_test(what_a_patch_needs_is_found_beside_it),
        cmocka_unit_test(a_library_that_others_can_write_is_refused),
        cmocka_unit_test(a_version_that_is_not_there_is_refused_before_the_load),
        cmocka_unit_test(a_symbol_of_a_library_that_was_opened_for_itself_is_refused),
        cmocka_unit_test(a_link_above_the_runtime_directory_is_followed),
    };

    return cmocka_run_group_tests(tests, build, made_clean);
}
