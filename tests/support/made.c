/* made.c - see made.h. */
#include "tests/support/made.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* `answer` and both `twin` are static. `tiny` is too short for a jump. */
static const char program_c[] =
    "#include <hosts/loop.h>\n"
    "#include <unistd.h>\n"
    "#include <hosts/parts/entries_twin.h>\n"
    "static OPAQUE int answer(void) { return 1; }\n"
    "static OPAQUE int twin(void) { return 10; }\n"
    "static OPAQUE int error(void) { return 80; }\n" /* libc has a function of this name, too */
    "OPAQUE int with_symbol(void) { return 40; }\n"
    "static inline __attribute__((always_inline)) int small(void) { return getpid() > 0 ? 60 : 0; "
    "}\n"
    "int (*volatile kept)(void) = small;\n"
    "static inline __attribute__((always_inline)) int gone(void) { return getpid() > 0 ? 70 : 0; "
    "}\n"
    "void tiny(void);\n"
    "__asm__(\".globl tiny\\n.type tiny, @function\\ntiny: ret\\n.size tiny, 1\\nhlt\\n\");\n"
    "static OPAQUE void command(const char *word, char *rest)\n"
    "{\n"
    "    tiny();\n"
    "    if (!strcmp(word, \"answer\"))\n"
    "        say(\"%d\", answer());\n"
    "    else if (!strcmp(word, \"twin\"))\n"
    "        say(\"%d\", twin());\n"
    "    else if (!strcmp(word, \"error\"))\n"
    "        say(\"%d\", error());\n"
    "    else if (!strcmp(word, \"other\"))\n"
    "        say(\"%d\", call_second_twin());\n"
    "    else if (!strcmp(word, \"small\"))\n"
    "        say(\"%d\", *rest ? kept() : small());\n"
    "    else\n"
    "        say(\"%d\", with_symbol() + gone());\n"
    "}\n"
    "int main(void) { return loop(); }\n";

static const char cxx_cc[] =
    "#include <hosts/loop.h>\n"
    "#include <unistd.h>\n"
    "namespace ns { struct queue { int push(int) const; int push(char) const; }; }\n"
    "int __attribute__((noipa)) ns::queue::push(int n) const { return getpid() ? n : 0; }\n"
    "int __attribute__((noipa)) ns::queue::push(char n) const { return getpid() ? n + 1 : 0; }\n"
    "static void command(const char *, char *)\n"
    "{ ns::queue q; say(\"%d %d\", q.push(5), q.push('a')); }\n"
    "int main() { return loop(); }\n";

/* gcc makes work.constprop.0 of `work`, and no other clone. */
static const char clones_c[] =
    "#include <hosts/loop.h>\n"
    "#include <unistd.h>\n"
    "static __attribute__((noinline)) int work(int *p, int mode)\n"
    "{ if (mode == 3) { getpid(); return *p; } return *p + mode + getppid(); }\n"
    "static void command(const char *word, char *rest)\n"
    "{ int n = (int)strlen(word) + !rest; say(\"%d\", work(&n, 3)); }\n"
    "int main(void) { return loop(); }\n";

/* The replacements are in entry_plain.so: two, three, nine. */
static const char short_c[] = "#include <hotpatch.h>\n"
                              "HOTPATCH_MODULE(\"short\", \"1\");\n"
                              "HOTPATCH_REPLACE(void, tiny, (void)) { }\n";

static char directory[64];

const char *made_path(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, 128, "%s/%s", directory, name);
    return path;
}

void made_run(const char *command)
{
    char whole[2048];

    snprintf(whole, sizeof(whole), "cd %s && { %s; }", directory, command);
    if (system(whole) != 0)
        fail_msg("%s", command);
}

static void write_source(const char *name, const char *text)
{
    file_write(made_path(name), text, strlen(text), 0644);
}

/* Build the programs. whole: with all symbols and debug information. bare: stripped; only elsewhere.debug has its debug
 * information. near/linked: stripped, with its debug file in the same directory. mini: stripped, with .gnu_debugdata.
 * nameless: DWARF without the symbol. */
int made_build(void **state)
{
    char command[2048];

    (void)state;
    strcpy(directory, "/tmp/hotpatch-entry-XXXXXX");
    assert_non_null(mkdtemp(directory));
    write_source("program.c", program_c);
    write_source("cxx.cc", cxx_cc);
    write_source("short.c", short_c);
    write_source("clones.c", clones_c);
    snprintf(command, sizeof(command),
             "gcc -g -O1 -I%s -I%s -Wl,--build-id -o whole program.c %s && "
             "g++ -g -O1 -I%s -Wl,--build-id -o cxx cxx.cc && "
             "gcc -g -O2 -I%s -o clones clones.c && "
             "gcc -I%s -shared -fPIC -o short.so short.c && sed s/tiny/gone/ short.c > gone.c && "
             "gcc -I%s -shared -fPIC -o gone.so gone.c",
             source_file("tests"), source_file("include"),
             source_file("tests/hosts/parts/entries_twin.c"), source_file("tests"),
             source_file("tests"), source_file("include"), source_file("include"));
    made_run(command);
    snprintf(command, sizeof(command), "echo -I%s program.c %s > flags", source_file("tests"),
             source_file("tests/hosts/parts/entries_twin.c"));
    made_run(command);
    made_run(
        "objcopy --only-keep-debug whole elsewhere.debug && strip -o bare whole && mkdir near && "
        "objcopy --only-keep-debug whole near/linked.debug && cp bare near/linked && "
        "cd near && objcopy --add-gnu-debuglink=linked.debug linked");
    made_run("objcopy -S --remove-section='.debug*' --keep-symbol=answer whole mini.debug && "
             "xz -k mini.debug && objcopy --add-section .gnu_debugdata=mini.debug.xz bare mini");
    made_run("objcopy --strip-symbol=answer whole nameless");
    return 0;
}

int made_clean(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

struct host *made_start(const char *name)
{
    return host_start(made_path(name), NULL);
}

/* Require that `question` is answered by `before`, by 2 while a patch is loaded, and by `before` again. */
void made_must_switch(struct host *host, const char *replace, const char *debug,
                      const char *question, const char *before)
{
    host_expect(host, question, before);
    output_must(debug ? hotpatch(host, "load", pid_text(host->pid), "--replace", replace, "--debug",
                                 debug, patch_file("entry_plain"), NULL)
                      : hotpatch(host, "load", pid_text(host->pid), "--replace", replace,
                                 patch_file("entry_plain"), NULL),
                0, "1 slot in PID", NULL);
    host_expect(host, question, "2");
    output_must(hotpatch(host, "revert", pid_text(host->pid), "all", NULL), 0, "reverted", NULL);
    host_expect(host, question, before);
}
