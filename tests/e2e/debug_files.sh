#!/bin/sh
# debug_files.sh - hotpatch build for a stripped program: symbols and types come from a debug file of its build-id, or
# from a twin, an unstripped rebuild whose allocated sections have the same addresses and sizes.
#
# The last line reads "N passed, N failed".
set -u

source=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/support/check.sh
. "$source/tests/support/check.sh"
surround debug

# link BUILD_ID OUTPUT [FLAG...]: the program, with that build-id.
link()
{
    id=$1
    output=$2
    shift 2
    (cd "$work" && $cc -O2 -g -c "$@" main.c && $cc -O2 -g -c "$@" price.c &&
        $cc -Wl,--build-id="0x$id" -o "$output" main.o price.o) || exit 1
}

# refused CODE WORD [OPTION...]: build says CODE and WORD, exits with 1, and makes no file.
refused()
{
    code=$1
    word=$2
    shift 2
    build_patch "$@"
    [ $? -eq 1 ] && grep -q "$code" "$work/err" && grep -q -- "$word" "$work/err" && [ ! -e "$work/fix.hpo" ]
}

# build_patch [OPTION...]: the words go to $work/out and $work/err, and are shown.
build_patch()
{
    rm -f "$work/fix.hpo"
    (cd "$work" && "$hotpatch" build --target app --cc "$cc -O2 -g" "$@" -p1 main.c price.c fix.diff -o fix.hpo) \
        >"$work/out" 2>"$work/err"
    result=$?
    cat "$work/out" "$work/err"
    return $result
}

finds_price()
{
    build_patch "$@" || return 1
    [ "$(head -n 2 "$work/out" | tr '\n' ' ')" = "1 functions price " ]
}

# lines N: wait until the program has answered N times.
lines()
{
    tries=0
    while [ "$(wc -l <"$work/answers")" -lt "$1" ] && [ $tries -lt 400 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
}

# answers: the stripped program, before a load of the thin object, after it, and after its revert. Its counter goes on.
answers()
{
    mkfifo "$work/in"
    "$hotpatch" run "$work/app" <"$work/in" >"$work/answers" &
    pid=$!
    exec 3>"$work/in"
    echo ask >&3
    lines 1
    "$hotpatch" load $pid "$work/fix.hpo" || return 1
    echo ask >&3
    lines 2
    "$hotpatch" revert $pid last || return 1
    echo ask >&3
    exec 3>&-
    wait $pid
    rm "$work/in"
    cat "$work/answers"
    printf '%s\n' "21" "52" "23" | cmp - "$work/answers"
}

cat >"$work/main.c" <<'END'
#include <stdio.h>
int price(int x);
int main(void)
{
    char line[100];
    while (fgets(line, sizeof line, stdin)) {
        printf("%d\n", price(10));
        fflush(stdout);
    }
    return 0;
}
END
cat >"$work/price.c" <<'END'
static int calls;
int price(int x)
{
    return x * 2 + ++calls;
}
END
cat >"$work/fix.diff" <<'END'
--- a/price.c
+++ b/price.c
@@ -1,5 +1,5 @@
 static int calls;
 int price(int x)
 {
-    return x * 2 + ++calls;
+    return x * 5 + ++calls;
 }
END

link 1111 whole
cp "$work/whole" "$work/app"
check "a program with symbols needs no debug file" finds_price

strip "$work/app"
check "a stripped program has no symbols to go by" refused HP-NO-SYMBOLS "no symbol"
objcopy --only-keep-debug "$work/whole" "$work/app.debug"
check "a debug file of the same build-id names its functions" finds_price --debug app.debug
check "the fix made with a debug file runs, and its revert" answers

link 2222 twin
check "an unstripped rebuild names them" finds_price --debug twin
check "the fix made with a rebuild runs, and its revert" answers

objcopy --only-keep-debug "$work/twin" "$work/twin.debug"
check "so does the debug file of a rebuild" finds_price --debug twin.debug

link 3333 larger -DLARGER -fno-omit-frame-pointer -O0
check "a rebuild with sections of other sizes is refused" refused HP- "sections at the same addresses" --debug larger

sed -i.before 's/x \* 2/x * 8/; s/x \* 5/x * 9/' "$work/price.c" "$work/fix.diff"
sed -i 's/x \* 2/x * 8/' "$work/fix.diff"
link 4444 other_code
if [ "$(size -A "$work/other_code" | awk '/text/ { print $2 }')" = "$(size -A "$work/whole" | awk '/text/ { print $2 }')" ]; then
    check "a rebuild of other code is no witness: the program's own code decides" refused HP-BASELINE price --debug other_code
fi
mv "$work/price.c.before" "$work/price.c"
mv "$work/fix.diff.before" "$work/fix.diff"

cp "$work/whole" "$work/app"
strip -g "$work/app"
strip_g()
{
    build_patch
    case $? in
    0) answers ;;
    1) grep -q 'HP-NO-SYMBOLS\|HP-BASELINE\|HP-SOURCE' "$work/err" && grep -q -- '--debug' "$work/err" ;;
    *) return 1 ;;
    esac
}
check "strip -g: built and right, or refused with the remedy" strip_g
check "strip -g and the debug file of its build-id" finds_price --debug app.debug

echo not an ELF file >"$work/text"
check "a debug file that is none is refused" refused HP-NOT-ELF "the debug file" --debug text
check "a debug file that is not there is refused" refused HP-OPEN "missing" --debug missing
left()
{
    [ -z "$(ls -A "$work/tmp")" ]
}
check "no file is left" left

checked
