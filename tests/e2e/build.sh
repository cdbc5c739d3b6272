#!/bin/sh
# build.sh - hotpatch build over trees of several shapes: which functions it finds, which files it ignores, what it refuses,
# and that nothing is left behind, or changed in the sources.
#
# The projects have a few lines; their compile commands are written by hand, as cmake, meson and bear write them. The last
# line reads "N passed, N failed".
#
# shellcheck disable=SC2016,SC2086 # flags are split into words on purpose; the dollars are bison's
set -u

source=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/support/check.sh
. "$source/tests/support/check.sh"
surround build

# commands DIRECTORY FILE COMMAND...: add a row to $rows.
row()
{
    rows="$rows${rows:+,}
{\"directory\": \"$1\", \"file\": \"$2\", \"command\": \"$3\"}"
}

# project NAME: make a program of three files, with a header, and its compile commands; $p is its directory.
project()
{
    p=$work/$1
    flags=${2:--O2 -g}
    mkdir -p "$p/src" "$p/include"
    cat >"$p/include/limits_of.h" <<'END'
#define LIMIT 10
static inline int clamp(int x) { return x > LIMIT ? LIMIT : x; }
int twice(int x);
int where(void);
END
    cat >"$p/src/main.c" <<'END'
#include <stdio.h>
#include "../include/limits_of.h"
int main(void)
{
    char line[100];
    while (fgets(line, sizeof line, stdin)) {
        printf("%d %d\n", twice((int)sizeof line), where());
        fflush(stdout);
    }
    return 0;
}
END
    cat >"$p/src/twice.c" <<'END'
#include <assert.h>
#include "limits_of.h"
static int calls;
__attribute__((noinline)) static int count(void)
{
    return ++calls;
}
int twice(int x)
{
    assert(x > 0);
    return clamp(x) * 2 + count();
}
int not_clamped(int x)
{
    return x * 3;
}
__attribute__((noinline)) static int read_calls(int x)
{
    return x + calls;
}
int read_twice(int x)
{
    return read_calls(x) * read_calls(x);
}
END
    cat >"$p/src/where.c" <<'END'
#include "limits_of.h"
int where(void)
{
    return sizeof __FILE__ + __LINE__;
}
END
    rows=
    for f in main twice where; do
        (cd "$p/src" && $cc $flags -I../include -c -o "$p/$f.o" $f.c) || exit 1
        row "$p/src" "$f.c" "$cc $flags -I../include -MD -MF x.d -c -o ../$f.o $f.c"
    done
    echo "[$rows]" >"$p/compile_commands.json"
    $cc -o "$p/app" "$p/main.o" "$p/twice.o" "$p/where.o" || exit 1
    cp -r "$p" "$p.before"
}

# edit FILE SED...: write the diff of the edited project to $p.diff.
edit()
{
    rm -rf "$p.new"
    cp -r "$p.before" "$p.new"
    (cd "$p.new" && sed -i "$2" "$1")
    make_diff
}

make_diff()
{
    (cd "$work" && diff -ruN -x '*.o' -x app -x '*.json' "${p##*/}.before" "${p##*/}.new") >"$p.diff"
}

# build OPTION...: run hotpatch build; its words go to $p.out, the exit status to $status.
build()
{
    "$hotpatch" build --target "$p/app" --build-dir "$p" -o "$p.hpo" "$@" >"$p.out" 2>"$p.err"
    status=$?
    cat "$p.out" "$p.err"
}

# finds N NAME... [OPTION...]: the first lines of the output.
finds()
{
    count=$1
    shift
    names=
    while [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; do
        names="$names $1"
        shift
    done
    build "$@" -p1 "$p.diff"
    [ "$status" -eq 0 ] || return 1
    [ "$(sed -n 1p "$p.out")" = "$count functions" ] || return 1
    sed "2,$((count + 1))!d" "$p.out" | sort >"$work/names"
    printf '%s\n' $names | sort | cmp - "$work/names"
}

# refused CODE WORD [OPTION...]: it says CODE and WORD, and exits with 1.
refused()
{
    code=$1
    word=$2
    shift 2
    rm -f "$p.hpo"
    build "$@" -p1 "$p.diff"
    [ "$status" -eq 1 ] || return 1
    grep -q "$code" "$p.err" && grep -q -- "$word" "$p.err" && [ ! -e "$p.hpo" ]
}

unchanged()
{
    diff -r "$p.before" "$p" && [ -z "$(ls -A "$work/tmp")" ]
}

# answer: what the program says, before and after a load and after its revert.
answers()
{
    mkfifo "$work/in"
    "$hotpatch" run "$p/app" <"$work/in" >"$work/answers" &
    exec 3>"$work/in"
    echo ask >&3
    while [ "$(wc -l <"$work/answers")" -lt 1 ]; do sleep 0.05; done
    pid=$!
    "$hotpatch" load $pid "$p.hpo" || return 1
    echo ask >&3
    while [ "$(wc -l <"$work/answers")" -lt 2 ]; do sleep 0.05; done
    "$hotpatch" revert $pid last || return 1
    echo ask >&3
    exec 3>&-
    wait $pid
    rm "$work/in"
    cat "$work/answers"
    printf '%s\n' "$@" | cmp - "$work/answers"
}

# ------------------------------------------------------------- one project ---

project plain
edit src/twice.c 's/\* 2/* 5/'
check "a changed constant is one function" finds 1 twice
check "the new code runs, the old one after the revert, and the counter goes on" answers "21 12" "52 12" "23 12"
check "the sources are as they were, and no file is left" unchanged

edit src/twice.c 's/^static int calls/\/* one *\/\n\/* two *\/\n&/; s/\* 2/* 5/'
check "lines that move change no assertion" finds 1 twice

edit src/where.c 's/^#include/\n\n&/'
check "lines that move change no __LINE__" refused HP-UNCHANGED "no machine code"

edit include/limits_of.h 's/LIMIT 10/LIMIT 20/'
check "a header changes the functions of each file that includes it" finds 1 twice

edit src/twice.c 's/x \* 3/x * 4/'
printf 'diff -u a/ChangeLog b/ChangeLog\n--- a/ChangeLog\n+++ b/ChangeLog\n@@ -1,1 +1,2 @@\n+x\n y\n' >>"$p.diff"
check "a ChangeLog that is not there is ignored" finds 1 not_clamped
check "which is said" grep -q 'note: ChangeLog is ignored' "$p.out"

edit src/twice.c 's/return x \* 3;/return helper(x);/; s/^static int calls/int helper(int x);\n&/'
printf '#include "limits_of.h"\n#include "more.h"\nint helper(int x)\n{\n    return clamp(x) * MORE;\n}\n' >"$p.new/src/helper.c"
echo '#define MORE 7' >"$p.new/include/more.h"
make_diff
check "a new file and a new header belong to the edit" finds 2 helper not_clamped
printf '#include "limits_of.h"\nint calls, where_calls;\nint main(void)\n{\n    return twice(1) + where() != 3;\n}\n' >"$p.new/src/t_twice.c"
make_diff
check "a new source with a main() of its own is of another program" finds 2 helper not_clamped
check "which is said" grep -q 'note: .*t_twice.c is ignored' "$p.out"
rm "$p.new/src/t_twice.c"
make_diff
cp "$p.new/src/helper.c" "$p/src"
cp "$p.new/include/more.h" "$p/include"
check "they may be there already, where an edit that was taken back left them" finds 2 helper not_clamped
echo '#define MORE 8' >"$p/include/more.h"
check "but not with other text" refused HP-DIFF "more.h, which is there already"
rm "$p/src/helper.c" "$p/include/more.h"

edit include/limits_of.h 's/LIMIT 10/LIMIT 20/'
rm "$p.new/src/where.c"
make_diff
check "an edit may remove a source" finds 1 twice
check "whose code stays" grep -q "note: $p/src/where.c is removed" "$p.out"
edit src/where.c ''
rm "$p.new/src/where.c"
make_diff
check "an edit that only removes a source changes nothing" refused HP-UNCHANGED "only removes"

sed '/where.c/s/-O2/-O2 -DROOM=\$ROOM/' "$p.before/compile_commands.json" >"$p/compile_commands.json"
edit src/where.c 's/__LINE__/7/'
(cd "$p.new" && sed -i 's/x \* 3/x * 4/' src/twice.c)
make_diff
check "a source whose command cannot be read is not left out of the edit" refused HP-COMMANDS "where.c.*the shell would expand"
edit include/limits_of.h 's/LIMIT 10/LIMIT 20/'
check "nor one that names a changed header" refused HP-COMMANDS "where.c may include .*limits_of.h"
edit src/twice.c 's/x \* 3/x * 4/'
check "it does not matter to edits of other files" finds 1 not_clamped
rows=
for f in main twice; do
    row "$p/src" "$f.c" "$cc -O2 -g -I../include -c $f.c"
done
echo "[$rows]" >"$p/compile_commands.json"
edit src/where.c 's/__LINE__/7/'
check "a source of the program without any command is refused" refused HP-COMMANDS "where.c: the compile commands do not compile it"
row "$p/src" where.c "$cc -O2 -g -I../include -S where.c -o where.s"
row "$p/src" where.s "$cc -c where.s -o where.o"
echo "[$rows]" >"$p/compile_commands.json"
check "one that is compiled in two steps is named" refused HP-COMMANDS "where.c: its command ends before the object"
edit include/limits_of.h 's/LIMIT 10/LIMIT 20/'
check "so is its header" refused HP-COMMANDS "where.c may include .*its command ends before the object"
rows=
for f in main twice where; do
    row "$p/src" "$f.c" "$cc @flags.rsp -I../include -c $f.c"
done
echo "[$rows]" >"$p/compile_commands.json"
check "a missing response file is named" refused HP-COMMANDS "no compile command can be followed: .*main.c: read the response file .*/flags.rsp"
cp "$p.before/compile_commands.json" "$p/compile_commands.json"

edit src/twice.c 's/return x \* 3;/return x * 3 +;/'
check "the compiler's words are shown" refused HP-COMPILE "src/twice.c.*error"
check "in its own place" grep -q "^$p/src/twice.c:\|^twice.c:15" "$p.err"

edit src/twice.c '3i/* one */\n/* two */
s/return x \* 3;/return x * 3 +;/'
check "behind lines that the edit adds too" refused HP-COMPILE "twice.c:17:.*error"
check "with the line itself" grep -q "17 | .*x \* 3 +;\|^ *return x \* 3 +;" "$p.err"

edit src/twice.c 's/\* 2/* 5/'
sed -i 's/^-    return clamp.*/-    return other(x);/' "$p.diff"
check "a diff of other sources is refused" refused HP-DIFF "hunk"
edit src/twice.c 's/\* 2/* 5/'
cp "$p.new/src/twice.c" "$p/src/twice.c"
check "a diff that is applied already is refused in words" refused HP-DIFF "already"
cp "$p.before/src/twice.c" "$p/src/twice.c"
sed -i 's/\* 2 /* 3 /' "$p/src/twice.c"
printf -- '--- a/src/twice.c\n+++ b/src/twice.c\n@@ -13,5 +13,5 @@\n int not_clamped(int x)\n {\n-    return x * 3;\n+    return x * 4;\n }\n' |
    sed 's/@@ -13,5 +13,5 @@/@@ -13,4 +13,4 @@/' >"$p.diff"
check "sources that the binary was not built from are refused" refused HP-BASELINE twice
cp "$p.before/src/twice.c" "$p/src/twice.c"
printf -- '--- a/src/nowhere.c\n+++ b/src/nowhere.c\n@@ -1,1 +1,1 @@\n-1\n+2\n' >"$p.diff"
check "a file that is not there is refused" refused HP-SOURCE nowhere.c
printf -- '--- /dev/null\n+++ b/src/made.c\n@@ -1,2 +1,2 @@\n int made;\n-int old;\n+int new;\n' >"$p.diff"
check "a diff of a new file that has old lines is refused" refused HP-DIFF "made.c"
printf -- '--- a/../../etc/hosts\n+++ b/../../etc/hosts\n@@ -1,1 +1,1 @@\n-1\n+2\n' >"$p.diff"
check "a path that leads out of the tree is refused" refused HP-DIFF "out of the source tree"
check "the sources are as they were, and no file is left, after refusals" unchanged

edit src/twice.c 's/^static int calls/static unsigned calls/; s/++calls/++calls + 30/'
check "a changed type is refused" refused HP-TYPES "calls"
forced()
{
    finds 1 count --force-types && grep -q '^note: the type of calls .*changed' "$p.out" && answers "21 12" "52 12" "23 12"
}
check "it is accepted with --force-types, with a note, and the counter is the program's own" forced

edit src/twice.c 's/\* 2/* 5/'
explained()
{
    build --explain -p1 "$p.diff"
    grep -q "^twice  $p/src/twice.c:8: its code changed\$" "$p.out"
}
check "--explain shows where a function is, and why it is in the patch" explained
edit src/twice.c 's/x + calls;/x + calls++;/'
explains()
{
    build --explain -p1 "$p.diff"
    grep -q "^$1 .*: $2\$" "$p.out"
}
check "a function whose source is what it was is in it" finds 2 read_calls read_twice
check "--explain names the callee that changed" explains read_twice "its code changed, its source did not: it uses read_calls, which changed"
check "whose own code did" explains read_calls "its code changed"
edit include/limits_of.h 's/? LIMIT/? LIMIT + 1/'
check "--explain names what is inlined" explains twice "its code changed, its source did not: it inlines what changed at limits_of.h:[0-9]*"
edit include/limits_of.h 's/LIMIT 10/LIMIT 20/'
check "or a macro" explains twice "its code changed, its source did not: a macro, .*"
named()
{
    finds 1 twice --name other && "$hotpatch" check "$p/app" "$p.hpo" | grep "^fits: other 1, 1 function"
}
check "--name is the module's name" named
default_output()
{
    cp "$p.diff" "$work/a.fix.diff"
    mkdir "$work/here"
    (cd "$work/here" && "$hotpatch" build --target "$p/app" --build-dir "$p" -p1 ../a.fix.diff)
    [ "$(ls -A "$work/here")" = a.fix.hpo ]
}
check "the thin object has the name of the first diff, in the working directory" default_output
from_pipe()
{
    mkfifo "$work/diff.fifo"
    { cp "$p.diff" "$work/diff.fifo" & } && build -p1 "$work/diff.fifo" && build -p1 - <"$p.diff" && grep -q "^1 functions" "$p.out"
}
check "a diff may be a pipe, or the standard input" from_pipe
mkfifo "$work/a.fifo"
check "a FIFO is not exchanged for the thin object" refused HP-OPEN "no regular file" -o "$work/a.fifo"
stays()
{
    ls "$work"/a.fifo* && [ -p "$work/a.fifo" ] && [ "$(ls "$work"/a.fifo*)" = "$work/a.fifo" ]
}
check "it is there as it was" stays
nameless()
{
    build --name "" -p1 "$p.diff"
    [ "$status" -eq 2 ] && grep -q -- "--name takes a name" "$p.err"
}
check "a module has a name" nameless

# --------------------------------------------------------------- two trees ---

# trees FROM TO [OPTION...]: the same edit as the difference of two trees.
trees()
{
    from=$1
    to=$2
    shift 2
    "$hotpatch" build --target "$p/app" --from "$from" --to "$to" -o "$p.hpo" "$@" >"$p.out" 2>"$p.err" || return 1
    cat "$p.out" "$p.err"
    [ "$(sed -n 1,2p "$p.out" | tr '\n' ' ')" = "1 functions twice " ]
}
edit src/twice.c 's/\* 2/* 5/'
check "two builds, each in its place" trees "$p" "$p.new"
check "two trees beside the build directory" trees "$p.before" "$p.new" --build-dir "$p"
cp "$p.new/src/twice.c" "$p/src/twice.c"
check "the tree of the build directory may have the edit already" trees "$p.before" "$p.new" --build-dir "$p"
cp "$p.before/src/twice.c" "$p/src/twice.c"

commandless()
{
    mkdir "$work/bare"
    cp "$p/src/twice.c" "$work/bare"
    trees "$work/bare" "$p.new" >"$work/bare.out"
    status=$?
    rm -r "$work/bare"
    [ $status -eq 1 ] && grep -q "HP-COMMANDS: $work/bare has no compile_commands.json.*--build-dir.*--cc" "$p.err"
}
check "a tree without compile commands is told from the build directory" commandless

# A second command finds the unedited objects of the first.
compilers()
{
    cat >"$work/count" <<END
#!/bin/sh
echo run >>"$work/runs"
exec $cc "\$@"
END
    chmod 755 "$work/count"
    sed -i "s|\"command\": \"$cc|\"command\": \"$work/count|" "$p/compile_commands.json"
    sleep 1.1
    for expected in 2 1; do
        : >"$work/runs"
        finds 1 twice || return 1
        [ "$(grep -c run "$work/runs")" -eq $expected ] || return 1
    done
    echo '/* another */' >>"$p/include/limits_of.h"
    : >"$work/runs"
    finds 1 twice || return 1
    [ "$(grep -c run "$work/runs")" -eq 2 ] || return 1
    # A header that comes before the one that the binary was built with is no part of the edit: the sources are others.
    echo '#define LIMIT 11' | cat - "$p/include/limits_of.h" | sed '/LIMIT 10/d' >"$p/src/limits_of.h"
    build -p1 "$p.diff"
    rm "$p/src/limits_of.h"
    grep HP-BASELINE "$p.err"
}
check "unedited objects are kept until a file that they were compiled from changes" compilers
cp "$p.before/compile_commands.json" "$p/"
cp "$p.before/include/limits_of.h" "$p/include/"

# ------------------------------------------------------ units of a header ---

# Three units read the header. opened() gets an object of the program; nobody here reads `shown`.
project headers
printf 'struct box { int a; };\nint opened(const struct box *box);\n' >>"$p/include/limits_of.h"
sed -i 's/^int where/const int shown = LIMIT;\nint opened(const struct box *box) { return box->a; }\n&/' "$p/src/where.c"
sed -i 's/return x \* 3;/static struct box *kept;\n    if (!kept)\n        kept = calloc(1, sizeof *kept);\n    kept->a += x;\n    return opened(kept);/' "$p/src/twice.c"
sed -i 's/^#include <assert.h>/&\n#include <stdlib.h>/' "$p/src/twice.c"
(cd "$p/src" && for f in main twice where; do $cc -O2 -g -I../include -c -o ../$f.o $f.c; done
    $cc -o ../app ../main.o ../twice.o ../where.o) || exit 1
printf '#!/bin/sh\necho "$*" >>"%s"\nexec %s "$@"\n' "$work/runs" "$cc" >"$work/count"
chmod 755 "$work/count"
sed -i "s|\"command\": \"$cc|\"command\": \"$work/count|" "$p/compile_commands.json"
rm -rf "$p.before"
cp -r "$p" "$p.before"
edit include/limits_of.h 's/^int where/int added(int x);\n&/'
sed -i 's/\* 2/* added(5)/' "$p.new/src/twice.c"
printf '__attribute__((noinline)) int added(int x)\n{\n    return x + 1;\n}\n' >>"$p.new/src/twice.c"
make_diff
once_each()
{
    : >"$work/runs"
    XDG_CACHE_HOME=$work/fresh finds 2 added twice || return 1
    cat "$work/runs"
    [ "$(grep -c 'ffunction-sections.* twice.c' "$work/runs")" -eq 2 ] &&
        [ "$(grep -c 'ffunction-sections.* main.c' "$work/runs")" -eq 1 ] &&
        [ "$(grep -c 'ffunction-sections.* where.c' "$work/runs")" -eq 1 ]
}
mkdir -m 700 "$work/fresh"
check "a unit that a header's edit leaves as it is is compiled once" once_each
edit include/limits_of.h 's/struct box { int a;/& int b;/'
sed -i 's/kept->a += x/kept->b += x/' "$p.new/src/twice.c"
make_diff
check "types that such a unit knows count all the same" refused HP-TYPES "struct box"
edit include/limits_of.h 's/LIMIT 10/LIMIT 20/'
check "and so do its constants that the edit changes" refused HP-DATA "shown"

# ------------------------------------------------- a program with plugins ---

# A line "open" opens the plugin, which calls twice(); then its answer is printed with the program's.
project plugins '-O2 -g -fPIE'
cat >"$p/src/main.c" <<'END'
#include <dlfcn.h>
#include <stdio.h>
#include "../include/limits_of.h"
int main(int argc, char **argv)
{
    char line[100];
    int (*answer)(int) = 0;
    while (fgets(line, sizeof line, stdin)) {
        if (*line == 'o' && argc > 1)
            answer = (int (*)(int))dlsym(dlopen(argv[1], RTLD_NOW), "answer");
        int own = where();
        printf("%d %d\n", own, answer ? answer(5) : 0);
        fflush(stdout);
    }
    return 0;
}
END
sed -i 's/__LINE__/twice(3)/' "$p/src/where.c"
(cd "$p/src" && for f in main where; do $cc -O2 -g -fPIE -I../include -c -o ../$f.o $f.c; done
    echo 'int twice(int x); int answer(int x) { return twice(x); }' >../plugin.c
    $cc -O2 -shared -fPIC -o ../plugin.so ../plugin.c
    $cc -rdynamic -pie -o ../app ../main.o ../twice.o ../where.o -ldl) || exit 1
rm -rf "$p.before"
cp -r "$p" "$p.before"
edit include/limits_of.h 's/twice(int x)/twice(int x, int y)/'
sed -i 's/twice(int x)/twice(int x, int y)/; s/\* 2/* y/' "$p.new/src/twice.c"
sed -i 's/twice(3)/twice(3, 100)/' "$p.new/src/where.c"
make_diff
check "a prototype that changes with all callers of a program that exports the function" finds 2 twice where
check "which is said" grep -q 'note: twice() is exported, and keeps its old entry' "$p.out"

# say WORD N: the program reads a line, and has printed N lines.
say()
{
    echo "$1" >&3
    until [ "$(wc -l <"$work/answers")" -ge "$2" ]; do sleep 0.05; done
}

# with_plugin WHEN ANSWER...: the plugin is opened before or after the load.
with_plugin()
{
    first=ask second=open
    [ "$1" = after ] || first=open second=ask
    mkfifo "$work/in"
    "$hotpatch" run "$p/app" "$p/plugin.so" <"$work/in" >"$work/answers" &
    pid=$!
    exec 3>"$work/in"
    say $first 1
    "$hotpatch" load $pid "$p.hpo" >"$p.loaded" 2>&1
    loaded=$?
    say $second 2
    exec 3>&-
    wait $pid
    ended=$?
    rm "$work/in"
    cat "$p.loaded" "$work/answers"
    shift
    [ $ended -eq 0 ] && printf '%s\n' "$@" | cmp - "$work/answers"
}
plugin_after()
{
    with_plugin after "15 0" "310 13" && [ $loaded -eq 0 ]
}
plugin_before()
{
    with_plugin before "15 12" "17 14" && [ $loaded -eq 1 ] && grep -q "HP-TYPES.*plugin.so is bound to twice of app" "$p.loaded"
}
check "a plugin that comes later finds the old prototype" plugin_after
check "a plugin that calls it stands against the load" plugin_before

# ------------------------------------------------------- shapes of projects ---

project lto '-O2 -g'
sed -i 's/-O2/-O2 -flto/' "$p/compile_commands.json"
edit src/twice.c 's/\* 2/* 5/'
check "link-time optimisation is refused in words" refused HP-LTO "flto"
sed -i 's/-flto/--coverage/' "$p/compile_commands.json"
check "so are counters of coverage" refused HP-LTO "is compiled with --coverage"
sed -i 's/--coverage/-fprofile-generate=dir/' "$p/compile_commands.json"
check "and those of a profile" refused HP-LTO "is compiled with -fprofile-generate"

project sections '-O2 -g -Wa,--compress-debug-sections,--noexecstack,-a=list.txt'
edit src/twice.c 's/\* 2/* 5/'
rm -f "$p/src/list.txt"
check "the assembler is not asked to compress, nor for a list" finds 1 twice
check "and writes none" test ! -e "$p/src/list.txt"
$cc -Wl,--build-id=none -o "$p/app" "$p/main.o" "$p/twice.o" "$p/where.o" || exit 1
check "a program without a build-id is refused" refused HP-BUILD-ID "app has no build-id"

# Branches that the assembler moves away from boundaries, by an amount that depends on the function's place.
project boundaries '-O2 -g'
for i in $(seq 40); do
    echo "int other(int, int); int many_$i(int *a, int n) { int s = $i; if (!a) return other(n, s);" \
        "for (int k = 0; k < n; k++) { if (other(a[k], k) > s) s += other(s, a[k]) * $i; else if (n & $i) s ^= k; }" \
        "switch (s) { case 0: return other(1, n); case 1: other(2, s); break; case 2: return other(3, $i); }" \
        "return other(s, n) + s; }"
done | tee "$p/src/where.c" >"$p.before/src/where.c"
echo 'int other(int a, int b) { return a ^ b; } int where(void) { return 0; }' | tee -a "$p/src/where.c" >>"$p.before/src/where.c"
sed -i 's/-O2/-O2 -Wa,-mbranches-within-32B-boundaries/' "$p/compile_commands.json"
for f in main twice where; do
    (cd "$p/src" && $cc -O2 -g -Wa,-mbranches-within-32B-boundaries -I../include -c -o ../$f.o $f.c) || exit 1
done
$cc -o "$p/app" "$p/main.o" "$p/twice.o" "$p/where.o" || exit 1
edit src/where.c 's/s ^= k/s ^= k + 1/'
check "branches that were moved away from boundaries are the same" finds 40 $(seq -f many_%g 40)

# A source of which nothing is compiled, until the edit.
project nothing '-O2 -g'
: >"$p/src/where.c"
: >"$p.before/src/where.c"
(cd "$p/src" && $cc -O2 -g -I../include -c -o ../where.o where.c) || exit 1
sed -i 's/where()/0/; /int where(void);/d' "$p/src/main.c" "$p.before/src/main.c"
(cd "$p/src" && $cc -O2 -g -I../include -c -o ../main.o main.c) || exit 1
$cc -o "$p/app" "$p/main.o" "$p/twice.o" "$p/where.o" || exit 1
edit src/twice.c 's/\* 2/* five()/; 1i int five(void);'
echo 'int five(void) { return 5; }' >"$p.new/src/where.c"
make_diff
check "a source that was empty gets a function" finds 2 five twice

# Out of the tree, absolute names, a header read through "..", and through a link of the user's.
project cmake
mkdir "$p.build"
rows=
ln -s "$p" "$p.link"
for f in main twice where; do
    (cd "$p.build" && $cc -O2 -g -I"$p.link/include" -o $f.o -c "$p.link/src/$f.c") || exit 1
    row "$p.build" "$p.link/src/$f.c" "$cc -O2 -g -I$p.link/include -o $f.o -c $p.link/src/$f.c"
done
echo "[$rows]" >"$p.build/compile_commands.json"
(cd "$p.build" && $cc -o app main.o twice.o where.o)
out_of_tree()
{
    "$hotpatch" build --target "$p.build/app" --build-dir "$p.build" -p1 "$p.diff" -o "$p.hpo" >"$p.out" 2>"$p.err"
    status=$?
    cat "$p.out" "$p.err"
    [ $status -eq 0 ] && [ "$(head -n 1 "$p.out")" = "$1 functions" ]
}
edit src/where.c 's/return/int more = 0;\n    return more + 1 +/'
check "a build directory beside the sources, whose paths are absolute" out_of_tree 1
edit include/limits_of.h 's/LIMIT 10/LIMIT 30/'
check "a header of such a build" out_of_tree 1
edit src/main.c 's/%d %d/%d  %d/'
check "a source that reads a header through .." out_of_tree 1

# One file compiled for two programs and twice for one of them.
project twice_over
rows=
for f in main twice where; do
    row "$p/src" "$f.c" "$cc -O0 -g -DOTHER -I../include -c -o ../other-$f.o $f.c"
    row "$p/src" "$f.c" "$cc -O2 -g -I../include -fPIC -c -o .libs/$f.o $f.c"
    row "$p/src" "$f.c" "$cc -O2 -g -I../include -c -o ../$f.o $f.c"
done
echo "[$rows]" >"$p/compile_commands.json"
edit src/twice.c 's/\* 2/* 5/'
check "of several commands that of the binary is taken" finds 1 twice
edit src/twice.c 's/return x \* 3;/return helper(x);/; s/^static int calls/int helper(int x);\n&/'
printf '#ifdef OTHER\n#error another program\n#endif\nint helper(int x)\n{\n    return x * 9;\n}\n' >"$p.new/src/helper.c"
make_diff
check "a new file is compiled with the command of that program" finds 2 helper not_clamped

# libtool compiles each file with -fPIC and without.
project libtool
rows=
for f in main twice where; do
    row "$p/src" "$f.c" "$work/count -O2 -g -I../include -fPIC -c -o .libs/$f.o $f.c"
    row "$p/src" "$f.c" "$work/count -O2 -g -I../include -c -o ../$f.o $f.c"
done
echo "[$rows]" >"$p/compile_commands.json"
edit src/twice.c 's/\* 2/* 5/'
: >"$work/runs"
check "of the commands of libtool that of the program is taken" finds 1 twice
check "the other is not tried" test "$(wc -l <"$work/runs")" -eq 2

# A generated source has copies of several: sqlite3.c.
project copies
echo '/* made from other.c */' >>"$p/src/main.c"
cp "$p/src/main.c" "$p/src/other.c"
{
    echo '/* without more.h */'
    echo '/* Begin file limits_of.h */'
    cat "$p/include/limits_of.h"
    for f in twice where; do
        echo "/* Begin file $f.c */"
        sed -e 's/^#include "/\/\/ &/' -e 's/^int twice/extern &/' "$p/src/$f.c"
    done
} >"$p/all.c"
(cd "$p" && $cc -O2 -g -Iinclude -c all.c) && $cc -o "$p/app" "$p/main.o" "$p/all.o" || exit 1
printf '/* the first line of more.h */\n#define MORE_THAN_THAT 7\n' >"$p/include/more.h"
rows=
row "$p/src" main.c "$cc -O2 -g -I../include -c -o ../main.o main.c"
row "$p" all.c "$cc -O2 -g -Iinclude -c all.c"
echo "[$rows]" >"$p/compile_commands.json"
rm -rf "$p.before"
cp -r "$p" "$p.before"
edit src/twice.c 's/\* 2/* 5/; s/\* 3/* 4/'
check "an edit of a source whose text another one has is one of that" finds 2 twice not_clamped
check "which is said" grep -q "has a copy of src/twice.c\|has a copy of $p/src/twice.c" "$p.out"
edit src/twice.c 's/\* 2/* LIMIT/'
(cd "$p.new" && sed -i 's/LIMIT 10/LIMIT 12/' include/limits_of.h)
make_diff
check "a header is found there, too" finds 1 twice
edit src/twice.c 's/\* 2/* 5/'
(cd "$p.new" && sed -i 's/7/8/' include/more.h)
make_diff
check "one that it names and that is another there is no part to leave out" refused HP-SOURCE "names .*more.h"
edit src/other.c 's/%d %d/%d  %d/'
check "a source that was made from the edited one by hand has no copy of it" refused HP-SOURCE "no file of the edit"
edit src/twice.c 's/^int twice(int x)/int twice(const int x)/; s/\* 2/* 5/'
check "where the copy has another line it is refused" refused HP-SOURCE "where line 8 is another"

# Another program of the tree has files of the same names.
project strangers
mkdir "$p/tool" "$p.before/tool"
echo 'int main(void) { return 3; }' >"$p/tool/main.c"
cp "$p/tool/main.c" "$p.before/tool/main.c"
sed -i "s|^\\[|[{\"directory\": \"$p/tool\", \"file\": \"main.c\", \"command\": \"$cc -O2 -c main.c\"},|" "$p/compile_commands.json" "$p.before/compile_commands.json"
edit tool/main.c 's/3/4/'
check "the main.c of another program is none of this one" refused HP-SOURCE "no file of the edit is a source"
edit tool/main.c 's/3/4/'
(cd "$p.new" && sed -i 's/\* 2/* 5/' src/twice.c)
make_diff
check "it is ignored beside one that is" finds 1 twice

# ----------------------------------------------------- without commands ---

p=$work/plain
edit src/twice.c 's/\* 2/* 5/'
without_commands()
{
    (cd "$p/src" && "$hotpatch" build --target ../app --cc "$cc -O2 -g -I../include" main.c twice.c where.c \
        --source "$p" -p1 "$p.diff" -o "$p.hpo") >"$p.out" 2>"$p.err"
    status=$?
    cat "$p.out" "$p.err"
    [ $status -eq 0 ] && [ "$(sed -n 1,2p "$p.out" | tr '\n' ' ')" = "1 functions twice " ]
}
check "a compiler and sources take the place of compile commands" without_commands

# ----------------------------------------------------------- ends of builds ---

# killed SIGNAL: the compiler waits, the signal ends the command, and the scratch directory goes.
killed()
{
    p=$work/plain
    rm -f "$work/begun" "$work/go"
    mkfifo "$work/begun" "$work/go"
    printf '#!/bin/sh\necho begun >"%s"\nread -r line <"%s"\nexec %s "$@"\n' "$work/begun" "$work/go" "$cc" >"$work/slow"
    chmod 755 "$work/slow"
    sed "s|\"command\": \"$cc|\"command\": \"$work/slow|" "$p.before/compile_commands.json" >"$p/compile_commands.json"
    "$hotpatch" build --target "$p/app" --build-dir "$p" -p1 "$p.diff" -o "$p.hpo" >"$p.out" 2>&1 &
    pid=$!
    read -r _ <"$work/begun"
    ls "$work/tmp"
    [ -n "$(ls -A "$work/tmp")" ] || return 1
    kill -s "$1" $pid
    wait $pid 2>/dev/null
    tries=0
    while [ -n "$(ls -A "$work/tmp")" ]; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || return 1
        sleep 0.05
    done
    cp "$p.before/compile_commands.json" "$p/"
}
check "SIGTERM leaves no file" killed TERM
check "nor does SIGKILL" killed KILL

# ------------------------------------------------------- generated sources ---

if command -v bison >/dev/null && command -v flex >/dev/null; then
    p=$work/grammars
    mkdir "$p"
    cat >"$p/calc.y" <<'END'
%{
#include <stdio.h>
int yylex(void);
void yyerror(const char *text) { puts(text); }
%}
%define api.prefix {calc_}
%token NUMBER
%%
lines: | lines NUMBER { printf("%d\n", $2 * 2); fflush(stdout); } ;
END
    cat >"$p/calc.l" <<'END'
%option noyywrap
%{
#include "calc.h"
#define YYSTYPE CALC_STYPE
#define yylval calc_lval
int calc_lex(void);
#define YY_DECL int calc_lex(void)
%}
%%
[0-9]+ { yylval = 0; for (char *at = yytext; *at; at++) yylval = yylval * 10 + *at - '0'; return NUMBER; }
[ \n] { }
END
    sed -i 's/int yylex(void);/int calc_lex(void);/; s/yyerror/calc_error/' "$p/calc.y"
    printf 'int calc_parse(void);\nint main(void) { return calc_parse(); }\n' >"$p/main.c"
    (cd "$p" && bison -d -o calc.c calc.y && flex -i -o scan.c calc.l && $cc -O2 -g -c calc.c scan.c main.c &&
        $cc -o app calc.o scan.o main.o) || exit 1
    rows=
    for f in calc scan main; do row "$p" "$f.c" "$cc -O2 -g -c $f.c"; done
    echo "[$rows]" >"$p/compile_commands.json"
    cp -r "$p" "$p.before"
    edit calc.y 's/2 \* 2/2 * 3/; s/\$2 \* 2/$2 * 3/'
    check "an edit of a grammar is one of the parser" finds 1 calc_parse
    edit calc.l "s/\[ \\\\n\] { }/[ \\\\n] { }\\n# { return 0; }/"
    scanner()
    {
        build -p1 "$p.diff"
        [ "$status" -eq 0 ] && grep -q -x calc_lex "$p.out"
    }
    check "an edit of a scanner is one of the function that scans" scanner
    echo '/* changed by hand */' >>"$p/calc.c"
    edit calc.y 's/\$2 \* 2/$2 * 3/'
    check "a parser that does not come from its grammar is refused" refused HP-SOURCE "use --from and --to"
fi

# ------------------------------------------------------------------ rights ---

project rights
edit src/twice.c 's/\* 2/* 5/'
chmod 666 "$p/compile_commands.json"
check "commands that others can write are not obeyed" refused HP-COMMANDS "can be written by other users"
chmod 644 "$p/compile_commands.json"
chmod 777 "$p"
check "nor those in a directory where others can write" refused HP-COMMANDS "can be written by other users"
chmod 755 "$p"
chmod 777 "$work"
check "nor those below such a directory, where others can exchange theirs" refused HP-COMMANDS "$work can be written by other users"
chmod 700 "$work"
check "else they are" finds 1 twice

if [ "$(id -u)" -eq 0 ]; then
    # A full disk: the old thin object stays, whole.
    mkdir "$work/full"
    if mount -t tmpfs -o size=8k none "$work/full" 2>/dev/null; then
        head -c 4096 /dev/zero >"$work/full/fix.hpo"
        head -c 4096 /dev/zero >"$work/full/more"
        check "a full disk is reported" refused HP-OPEN "No space left" -o "$work/full/fix.hpo"
        whole()
        {
            ls -l "$work/full" && [ "$(echo "$work"/full/*)" = "$work/full/fix.hpo $work/full/more" ] && [ "$(stat -c %s "$work/full/fix.hpo")" -eq 4096 ]
        }
        check "the old thin object stays, and nothing else is left" whole
        umount "$work/full"
    fi
    cat >"$work/as" <<END
#!/bin/sh
id -u >>"$work/ids"
exec $cc "\$@"
END
    chmod 755 "$work/as" "$work"
    : >"$work/ids"
    chmod 666 "$work/ids"
    sed -i "s|\"command\": \"$cc|\"command\": \"$work/as|" "$p/compile_commands.json"
    chown -R 65533:65533 "$p" "$p.before"
    as_owner()
    {
        chmod 1777 "$work/tmp"
        finds 1 twice && [ "$(sort -u "$work/ids")" = 65533 ] && [ -z "$(ls -A "$work/tmp")" ]
    }
    check "root runs the compiler as the owner of the build directory" as_owner
    not_mine()
    {
        rm -f "$p.hpo"
        setpriv --reuid 65532 --regid 65532 --clear-groups env TMPDIR="$work/tmp" "$hotpatch" build --target "$p/app" \
            --build-dir "$p" -p1 "$p.diff" -o "$work/tmp/x.hpo" >"$p.out" 2>"$p.err"
        status=$?
        cat "$p.out" "$p.err"
        [ $status -eq 1 ] && grep -q "HP-COMMANDS.*belongs to another user" "$p.err" && [ ! -e "$work/tmp/x.hpo" ]
    }
    check "a user builds in no directory of another user" not_mine
fi

checked
