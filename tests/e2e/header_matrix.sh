#!/bin/sh
# header_matrix.sh - hotpatch.h under every compiler, language, optimisation, shape of program,
# code generation option and linker: compiled without a warning, linked, run bare, run under a
# preloaded stand-in for the shim, stripped, run again, and looked at with readelf.
#
#   tests/e2e/header_matrix.sh              every pair of settings at least once, about a minute
#   MATRIX=full tests/e2e/header_matrix.sh  all combinations
#   tests/e2e/header_matrix.sh one COMPILER OPTIMISATION SHAPE OPTION LINKER
#
# One line per combination that fails; the last line reads "N passed, N failed".
set -u

source=$(cd "$(dirname "$0")/../.." && pwd)
SLOTS=25 # in host_one.c and host_two.c together

compilers="gcc clang g++ clang++"
optimisations="-O0 -O1 -O2 -O3"
shapes="pie nopie static shared"
options="plain lto cet gc"
linkers="bfd lld gold"

warnings="-Wall -Wextra -Wpedantic -Wshadow -Werror"

fail()
{
    echo "$combination: $*"
    [ ! -s log ] || sed 's/^/    /' log | head -n 20
    exit 1
}

# step WHAT COMMAND...: what must succeed.
step()
{
    what=$1
    shift
    "$@" >log 2>&1 || fail "$what"
}

section_size() # FILE SECTION: in bytes, hexadecimal
{
    readelf -SW "$1" | sed -n "s/^ *\[ *[0-9]*\] $2  *PROGBITS  *[0-9a-f]* [0-9a-f]* \([0-9a-f]*\) .*/\1/p"
}

look_at() # FILE: slots and table are where the engine looks for them in a stripped file
{
    : >log
    [ "$((0x0$(section_size "$1" hotpatch_slots)))" -eq $((SLOTS * 64)) ] ||
        fail "hotpatch_slots of $1 is $(section_size "$1" hotpatch_slots) bytes"
    [ "$((0x0$(section_size "$1" hotpatch_table)))" -ge 48 ] || fail "no hotpatch_table in $1"
}

compile() # OUTPUT SOURCE
{
    # shellcheck disable=SC2086 # flags are several words
    step "compile $2" $compiler $language $flags -DSLOTS=$SLOTS "-I$source/include" -c -o "$1" "$source/tests/e2e/header/$2"
}

link() # OUTPUT FLAG... OBJECT...
{
    output=$1
    shift
    # shellcheck disable=SC2086
    step "link $output" $compiler $flags $link_flags -o "$output" "$@"
}

build_program()
{
    compile one.o host_one.c
    compile two.o host_two.c
    compile main.o main.c
    case $shape in
    shared)
        link libhost.so -shared one.o two.o
        link host main.o ./libhost.so
        holder=libhost.so
        [ -z "$(section_size host hotpatch_slots)" ] || fail "a file that declares nothing has slots"
        nm -D libhost.so >log
        grep -q ' [VWD] hotpatch_slot_table_v1$' log || fail "the table is not exported"
        grep -q ' T add$' log || fail "the stub is not exported"
        ! grep -q 'hotpatch_\(slot_add\|entry_add\|namespace_name\)$' log || fail "slots are exported"
        ;;
    *)
        link host one.o two.o main.o
        holder=host
        ;;
    esac
}

run_program()
{
    step "run" ./host 0
    # A stub that indirect branches may reach, where the processor tracks them.
    objdump -d --disassemble=add $holder >log 2>&1
    [ ! -e fresh ] || grep -q endbr64 log || fail "the stub of add has no endbr64"
    [ "$shape" = static ] || step "run under a preloaded library" env LD_PRELOAD=./stand_in.so ./host 1
}

build_patches()
{
    for patch in patch patch_bare; do
        compile $patch.o $patch.c
        link $patch.so -shared $patch.o
        step "manifest of $patch" "$readers/main_patch" ./$patch.so
        nm -D --defined-only $patch.so >log
        ! grep -q 'hotpatch_\(hook\|namespace\|slot_[^t]\)' log || fail "$patch exports what is its own"
        strip -s $patch.so
        step "manifest of stripped $patch" "$readers/main_patch" ./$patch.so
    done
}

one()
{
    compiler=$1 optimisation=$2 shape=$3 option=$4 linker=$5
    combination="$*"
    case $compiler in
    *++) language="-std=c++17 -x c++" ;;
    *) language=-std=c11 ;;
    esac
    # lld cannot read gcc's intermediate code.
    case $compiler:$option:$linker in
    g*:lto:lld) linker=bfd ;;
    esac
    flags="$warnings $optimisation"
    link_flags=-fuse-ld=$linker
    case $shape in
    pie) flags="$flags -fPIE" link_flags="$link_flags -pie" ;;
    nopie) flags="$flags -fno-pie" link_flags="$link_flags -no-pie" ;;
    static) flags="$flags -fno-pie" link_flags="$link_flags -static" ;;
    shared) flags="$flags -fPIC" ;;
    esac
    case $option in
    lto) flags="$flags -flto" ;;
    cet) flags="$flags -fcf-protection=full" ;;
    gc)
        flags="$flags -ffunction-sections -fdata-sections -fvisibility=hidden"
        link_flags="$link_flags -Wl,--gc-sections"
        ;;
    esac
    directory=$(mktemp -d "$readers/one.XXXXXX") && cd "$directory" || exit 1
    cp "$readers/stand_in.so" .
    build_program
    : >fresh
    run_program
    look_at $holder
    rm fresh
    strip -s host $holder
    look_at $holder
    run_program
    [ "$shape" != shared ] || build_patches
    cd / && rm -rf "$directory"
}

nth() # N WORD...
{
    shift "$1"
    echo "$2"
}

# Every compiler with every shape and option; optimisation and linker go round beside them.
pairs()
{
    c=0
    for compiler in $compilers; do
        s=0
        for shape in $shapes; do
            o=0
            for option in $options; do
                # shellcheck disable=SC2086
                echo "$compiler $(nth $(((c + s + o) % 4)) $optimisations) $shape $option $(nth $(((c + 2 * s + o) % 3)) $linkers)"
                o=$((o + 1))
            done
            s=$((s + 1))
        done
        c=$((c + 1))
    done
}

full()
{
    for compiler in $compilers; do
        for optimisation in $optimisations; do
            for shape in $shapes; do
                for option in $options; do
                    for linker in $linkers; do
                        echo "$compiler $optimisation $shape $option $linker"
                    done
                done
            done
        done
    done
}

# refused COMPILER WHAT SOURCE: the mistake is found when the program is built.
refused()
{
    printf '#include <hotpatch.h>\n%s\nint main(void) { return 0; }\n' "$3" >"$readers/mistake.c"
    case $1 in
    *++) language="-std=c++17 -x c++" ;;
    *) language=-std=c11 ;;
    esac
    # shellcheck disable=SC2086
    if "$1" $language -Werror "-I$source/include" -o "$readers/mistake" "$readers/mistake.c" >/dev/null 2>&1; then
        echo "$1: $2 is not refused"
    else
        echo >>"$readers/right"
    fi
}

mistakes()
{
    : >"$readers/right"
    for compiler in $compilers; do
        refused "$compiler" "a hook of no such name" 'HOTPATCH_HOOK(before_aply) { return 0; }'
        refused "$compiler" "a second namespace" 'HOTPATCH_NAMESPACE("a"); HOTPATCH_NAMESPACE("b");'
        refused "$compiler" "a second manifest" 'HOTPATCH_MODULE("a", "1"); HOTPATCH_MODULE("b", "1");'
        refused "$compiler" "a second slot of one function" \
            'HOTPATCH_FUNCTION(int, f, (void)) { return 1; } HOTPATCH_FUNCTION(int, f, (void)) { return 2; }'
        refused "$compiler" "an untyped fallback of another type" \
            'static int f(int a) { return a; } HOTPATCH_SLOT_FN("f", f);'
        refused "$compiler" "a body unlike the prototype" \
            'extern long f(int); HOTPATCH_FUNCTION(int, f, (int a)) { return a; }'
        refused "$compiler" "a call of the original with other arguments" \
            'HOTPATCH_REPLACE(int, f, (int a)) { return HOTPATCH_ORIGINAL(f)(a, a); }'
    done
}

# The manual's examples are complete: what stands between `example FILE` and `end` compiles.
examples()
{
    for file in counter.c fix.c; do
        sed -n "/^\\.\\\\\" example $file\$/,/^\\.\\\\\" end\$/p" "$source/man/hotpatch.h.3" |
            sed '/^\./d; s/\\-/-/g; s/\\e/\\/g' >"$readers/$file"
        for compiler in $compilers; do
            case $compiler in *++) continue ;; esac
            # shellcheck disable=SC2086
            if [ -s "$readers/$file" ] && $compiler -std=c11 $warnings "-I$source/include" -fPIC -c -o "$readers/example.o" "$readers/$file" >"$readers/log" 2>&1; then
                echo >>"$readers/right"
            else
                echo "$compiler: the manual's $file does not compile"
                sed 's/^/    /' "$readers/log"
            fi
        done
    done
}

# HOTPATCH_DISABLE_SLOTS: the same source without a slot, a table or a stub of one.
without_slots()
{
    for compiler in $compilers; do
        case $compiler in
        *++) language="-std=c++17 -x c++" ;;
        *) language=-std=c11 ;;
        esac
        for optimisation in "-O0 -fno-pie -no-pie" "-O2" "-O3 -flto"; do
            # shellcheck disable=SC2086
            if $compiler $language $warnings $optimisation -DHOTPATCH_DISABLE_SLOTS "-I$source/include" -o "$readers/plain" \
                "$source/tests/e2e/header/plain_one.c" "$source/tests/e2e/header/plain_two.c" >"$readers/log" 2>&1 &&
                "$readers/plain" && [ -z "$(section_size "$readers/plain" hotpatch_slots)" ] &&
                [ -z "$(section_size "$readers/plain" hotpatch_table)" ]; then
                echo >>"$readers/right"
            else
                echo "$compiler $optimisation: a program without slots"
                sed 's/^/    /' "$readers/log"
            fi
        done
    done
}

# Who reads the first hundred lines has seen all that the manual has.
first_lines()
{
    for name in $(sed -n '/^\.SH SYNOPSIS/,/^\.SH DESCRIPTION/p' "$source/man/hotpatch.h.3" | grep -o -E 'HOTPATCH_[A-Z_]+|hotpatch_[a-z_]+\(' | tr -d '(' | sort -u); do
        if sed -n 1,100p "$source/include/hotpatch.h" | grep -q -w "$name"; then
            echo >>"$readers/right"
        else
            echo "$name is not in the first hundred lines of hotpatch.h"
        fi
    done
}

# What is there of compilers and linkers.
present()
{
    for tool in "$@"; do
        command -v "$tool" >/dev/null 2>&1 && echo "${tool#ld.}"
    done
}

prepare()
{
    readers=$(mktemp -d /tmp/hotpatch-matrix.XXXXXX) || exit 1
    trap 'rm -rf "$readers"' EXIT INT TERM
    export readers
    gcc -std=c11 -O1 -I"$source/include" -o "$readers/main_patch" "$source/tests/e2e/header/main_patch.c" &&
        gcc -std=c11 -O1 -shared -fPIC -I"$source/include" -o "$readers/stand_in.so" "$source/tests/e2e/header/stand_in.c"
}

if [ "${1:-}" = one ] && [ -n "${readers:-}" ]; then
    shift
    one "$@"
    exit
fi

# The matrix brings its own compilers and flags: once, with the plain build, is enough.
case ${HOTPATCH_BUILD:-build} in
build | */build) ;;
*)
    echo "nothing to do in ${HOTPATCH_BUILD}"
    exit 0
    ;;
esac

compilers=$(present gcc clang g++ clang++)
linkers=$(cd / && for l in bfd lld gold; do present ld.$l; done)
prepare || exit 1
if [ "${1:-}" = one ]; then
    shift
    one "$@"
    exit
fi
if [ "${MATRIX:-}" = full ]; then full; else pairs; fi >"$readers/list"
# xargs goes on after a failure and ends with 123.
xargs -P "$(nproc)" -L 1 "$0" one <"$readers/list" >"$readers/failures" 2>&1
{
    mistakes
    examples
    without_slots
    first_lines
} >>"$readers/failures"
cat "$readers/failures"
failed=$(grep -c '^[^ ]' "$readers/failures")
total=$(($(wc -l <"$readers/list") + $(wc -l <"$readers/right") + $(grep -c '^[^ ]*: ' "$readers/failures")))
echo "$((total - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
