#!/bin/sh
# make_corpus.sh - make the seeds of fuzz_image, fuzz_slot_table, fuzz_manifest and fuzz_functions anew.
#
#   tests/fuzz/make_corpus.sh [DIRECTORY]    default: corpus/ beside this script
#
# Each is a tiny shared object: no C library, small pages, stripped but for one.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/corpus}
cc=${CC:-cc}
include=$here/../../include
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# object OUTPUT SOURCE FLAGS...: flags that follow win over these
object() {
    target=$1
    source=$2
    shift 2
    mkdir -p "$(dirname "$out/$target")"
    $cc -std=gnu11 -Os -fPIC -shared -nostdlib -fno-asynchronous-unwind-tables -fcf-protection=none \
        -I"$include" -Wl,-z,noseparate-code,-z,max-page-size=4096 "$@" -o "$out/$target" "$work/$source"
    chmod 644 "$out/$target"
}

cat >"$work/slots.c" <<'END'
#include <hotpatch.h>
HOTPATCH_NAMESPACE("net");
HOTPATCH_FUNCTION(int, counter_add, (int *c, int n)) { return *c += n; }
HOTPATCH_DATA(const char *, greeting, "hello");
HOTPATCH_REQUIRE(int, other, (int));
static int32_t plain(void *s, const void *i, void *o) { return s == i && i == o; }
HOTPATCH_SLOT_FN("counter.add", plain);
END

cat >"$work/patch.c" <<'END'
#include <hotpatch.h>
HOTPATCH_MODULE("fix", "2");
HOTPATCH_TARGET("exe", "9f3c");
HOTPATCH_REPLACE(int, counter_add, (int *c, int n)) { return HOTPATCH_ORIGINAL(counter_add)(c, n); }
HOTPATCH_REPLACE_DATA(const char *, greeting, "hallo");
HOTPATCH_REPLACE_FN("counter.add") { return 7; }
HOTPATCH_HOOK(before_apply) { return 0; }
END

cat >"$work/empty.c" <<'END'
#include <hotpatch.h>
HOTPATCH_MODULE("empty", "");
HOTPATCH_TABLE
END

cat >"$work/names.c" <<'END'
int first(void) { return 1; }
int second(void) { return 2; }
__asm__(".symver first,name@OLD_1\n.symver second,name@@NEW_2");
extern int elsewhere(void);
int (*table[])(void) = {first, second, elsewhere};
static int (*const fixed[])(void) = {first, second, 0, first};
int user(int i) { return fixed[i]() + elsewhere(); }
END
printf 'OLD_1 { };\nNEW_2 { global: *; } OLD_1;\n' >"$work/names.map"
printf '{ local: *; };\n' >"$work/none.map"

object fuzz_slot_table/slots slots.c -s
object fuzz_slot_table/section slots.c -s -Wl,--version-script="$work/none.map"
object fuzz_slot_table/empty empty.c -s
object fuzz_manifest/patch patch.c -s
object fuzz_manifest/empty empty.c -s
object fuzz_manifest/relr patch.c -s -Wl,-z,pack-relative-relocs
object fuzz_image/versions names.c -s -Wl,--version-script="$work/names.map" -Wl,-soname,libnames.so
object fuzz_image/symtab names.c -Wl,--hash-style=sysv -Wl,--version-script="$work/names.map"
object fuzz_image/relr names.c -s -Wl,-z,now,-z,pack-relative-relocs \
    -Wl,--version-script="$work/names.map"
object fuzz_image/patch patch.c -s

cat >"$work/first.c" <<'END'
static __attribute__((noinline)) int same(int i) { return i + 1; }
extern int (*elsewhere)(int);
static int chosen(int i) { return same(i) ^ elsewhere(i); }
static int (*resolve(void))(int) { return chosen; }
int ifunc(int) __attribute__((ifunc("resolve")));
int first(int i) { return same(i) * same(i + 2); }
int alias(int) __attribute__((alias("first"), weak));
int versioned(int i) { return same(i) + 7; }
__asm__(".symver versioned,named@@NEW_2");
END
cat >"$work/second.c" <<'END'
static __attribute__((noinline)) int same(int i) { return i - 1; }
extern int far(int);
int second(int i) { return same(far(i)) * same(i + 3); }
END
script=-Wl,--version-script=$work/names.map
object fuzz_functions/symtab first.c "$work/second.c" -fasynchronous-unwind-tables "$script"
object fuzz_functions/stripped first.c "$work/second.c" -fasynchronous-unwind-tables "$script" -s -Wl,-z,lazy
object fuzz_functions/no-header first.c "$work/second.c" -fasynchronous-unwind-tables "$script" \
    -Wl,--no-eh-frame-hdr,--no-ld-generated-unwind-info
object fuzz_functions/debug first.c "$work/second.c" -fasynchronous-unwind-tables "$script" -Wl,--build-id
objcopy --only-keep-debug "$out/fuzz_functions/debug"
