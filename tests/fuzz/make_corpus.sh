#!/bin/sh
# make_corpus.sh - make the seeds of fuzz_image, fuzz_slot_table, fuzz_manifest, fuzz_functions,
# fuzz_call_number, fuzz_bpf, fuzz_cfi, fuzz_callers, fuzz_prologue, fuzz_prologue_steps, fuzz_rel_object,
# fuzz_object_dwarf and fuzz_object_lines anew.
#
#   tests/fuzz/make_corpus.sh [DIRECTORY]    default: corpus/ beside this script
#
# Each is a tiny shared object: no C library, small pages, stripped but for one; those of
# fuzz_prologue are four bytes that say where the copy goes, and a function, those of
# fuzz_prologue_steps one byte that says how it is run, and the same functions.
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
object fuzz_image/origin patch.c -s "-Wl,-rpath,\$ORIGIN/lib:\${ORIGIN}"

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

object fuzz_functions/ibt-plt first.c "$work/second.c" -fasynchronous-unwind-tables "$script" -s -Wl,-z,ibtplt
object fuzz_functions/large first.c -fasynchronous-unwind-tables "$script" -mcmodel=large -Wl,-z,lazy

# Unwind tables as compilers write them for C++ and signal frames, and as none does: addresses of two
# bytes, in LEB128, absolute; a CIE of version 3.
cat >"$work/frames.s" <<'END'
	.text
	.globl first
	.type first, @function
first:	.cfi_startproc
	.cfi_personality 0x9b, held
	.cfi_lsda 0x1b, data
	nop
	ret
	.cfi_endproc
	.size first, .-first
restorer: .cfi_startproc simple
	.cfi_signal_frame
	nop
	ret
	.cfi_endproc
bare:	nop
	ret
	.data
held:	.quad first
	.section .rodata
data:	.byte 0xff, 0xff, 1, 0
	.section .eh_frame, "a", @progbits
	.macro entry encoding, start
1:	.long 3f-2f
2:	.long 0
	.byte 3
	.asciz "zPLR"
	.uleb128 1
	.sleb128 -8
	.uleb128 16
	.uleb128 7
	.byte 0
	.long 1
	.byte 0x1b
	.byte \encoding
	.byte 12, 7, 8
	.balign 4
3:	.long 5f-4f
4:	.long .-2b
	\start
	.uleb128 0
	.balign 4
5:
	.endm
	entry 0x1a, ".short 0x400,8"
	entry 0x02, ".short 0x400,8"
	entry 0x09, ".sleb128 0x400,8"
	entry 0x01, ".uleb128 0x400,8"
	entry 0x04, ".quad 0x400,8"
END
object fuzz_functions/frames frames.s "$script"
object fuzz_functions/frames-listed frames.s "$script" -s -Wl,--no-eh-frame-hdr

# function_bytes NAME OCTAL: its copy goes 8 KiB up
function_bytes() {
    mkdir -p "$out/fuzz_prologue" "$out/fuzz_prologue_steps"
    # shellcheck disable=SC2059 # the format is the bytes
    printf "\\000\\020\\000\\000$2" >"$out/fuzz_prologue/$1"
    # shellcheck disable=SC2059
    printf "\\001$2" >"$out/fuzz_prologue_steps/$1"
}
function_bytes indirect '\120\123\125\377\320\303'
function_bytes by_stack '\220\377\124\044\010\303'
function_bytes through '\377\025\000\040\000\000\303'
function_bytes tail_call '\110\205\377\164\006\123\220\220\133\353\365\303'
function_bytes around '\343\001\303\211\370\303'
function_bytes back '\125\110\211\345\220\220\165\371\303'
function_bytes call '\120\350\372\017\000\000\303'
function_bytes call_inside '\120\377\320\130\303'
function_bytes transaction '\110\211\372\306\370\375\017\267\006\303'
function_bytes compare '\203\075\000\040\000\000\007\303'
function_bytes data '\270\001\000\000\000\303\006\271\165\366\303'
function_bytes endbr64 '\363\017\036\372\125\110\211\345\135\303'
function_bytes evex '\142\361\375\110\157\005\000\040\000\000\303'
function_bytes head '\203\357\001\220\220\165\371\303'
function_bytes inner '\164\001\125\110\211\345\303'
function_bytes jecxz '\220\220\147\343\020\303'
function_bytes jump_memory '\377\045\000\040\000\000'
function_bytes lea '\123\110\215\075\377\377\377\377\303'
function_bytes load '\110\213\005\000\040\000\000\303'
function_bytes long_jump '\017\217\000\040\000\000\303'
function_bytes loop '\220\220\220\342\020\303'
function_bytes nops '\220\220\220\220\220\125\303'
function_bytes push '\125\110\211\345\135\303'
function_bytes return '\061\300\303\146\220'
function_bytes self_loop '\377\317\165\374\220\303'
function_bytes short_jump '\205\377\164\020\220\303'
function_bytes store '\307\005\000\040\000\000\001\002\003\004\303'
function_bytes tail '\351\000\040\000\000'
function_bytes vex '\304\343\171\040\005\000\040\000\000\003\303'
function_bytes xbegin '\307\370\000\040\000\000\303'

# callers_bytes NAME OCTAL: functions at 0 and 16
callers_bytes() {
    mkdir -p "$out/fuzz_callers"
    # shellcheck disable=SC2059 # the format is the bytes
    printf "\\001\\000\\000\\020\\000\\000\\000$2" >"$out/fuzz_callers/$1"
}
callers_bytes relies '\110\215\004\067\303\314\314\314\314\314\314\314\314\314\314\314\110\203\354\010\271\005\000\000\000\350\342\377\377\377\215\004\010\110\203\304\010\303'
callers_bytes table '\110\215\004\067\303\314\314\314\314\314\314\314\314\314\314\314\203\377\001\167\041\110\215\025\022\000\000\000\110\143\004\272\110\001\320\377\340\350\326\377\377\377\303\061\311\303\367\377\377\377\375\377\377\377\303'
callers_bytes tail '\110\215\004\067\303\314\314\314\314\314\314\314\314\314\314\314\353\356'
callers_bytes vector '\110\215\004\067\303\314\314\314\314\314\314\314\314\314\314\314\110\203\354\010\350\347\377\377\377\305\174\051\007\333\077\142\341\174\110\051\017\303'
callers_bytes saved '\121\271\001\000\000\000\131\303\314\314\314\314\314\314\314\314\350\353\377\377\377\303'

# fuzz_call_number: what libc has before a system call.
mkdir -p "$out/fuzz_call_number"
printf '\270\007\000\000\000' >"$out/fuzz_call_number/load"
printf '\061\300' >"$out/fuzz_call_number/zero"
printf '\110\307\300\043\000\000\000' >"$out/fuzz_call_number/wide"
printf '\270\016\001\000\000\213\174\044\034' >"$out/fuzz_call_number/between"
printf '\270\017\001\000\000\101\270\010\000\000\000' >"$out/fuzz_call_number/r8"
printf '\270\001\000\000\000\110\215\075\000\020\000\000' >"$out/fuzz_call_number/relative"

# fuzz_bpf: prctl(2), of whose arguments the first is known and 0, and instructions of a seccomp filter.
filter_bytes() {
    mkdir -p "$out/fuzz_bpf"
    # shellcheck disable=SC2059 # the format is the bytes
    { printf '\235\000\000\000\001' && head -c 48 /dev/zero && printf "$2"; } >"$out/fuzz_bpf/$1"
}
allow='\006\000\000\000\000\000\377\177'
kill='\006\000\000\000\000\000\000\200'
filter_bytes number "\\040\\000\\000\\000\\000\\000\\000\\000\\025\\000\\000\\001\\235\\000\\000\\000$allow$kill"
filter_bytes known "\\040\\000\\000\\000\\020\\000\\000\\000\\124\\000\\000\\000\\377\\000\\000\\000\\105\\000\\000\\001\\020\\000\\000\\000$kill$allow"
filter_bytes unknown "\\040\\000\\000\\000\\030\\000\\000\\000\\045\\000\\000\\001\\020\\000\\000\\000$kill$allow"
filter_bytes memory '\000\000\000\000\001\000\005\000\002\000\000\000\003\000\000\000\141\000\000\000\003\000\000\000\207\000\000\000\000\000\000\000\026\000\000\000\000\000\000\000'

# fuzz_cfi: where .eh_frame_hdr is and a program counter, and the object, whose file offsets are its
# addresses.
cat >"$work/frames.c" <<'END'
int f(int);
__attribute__((noinline)) int leaf(int *p) { return *p + 1; }
int frame(int n) { int a[n]; a[0] = n; return f(leaf(a)); }
int pushes(int a, int b, int c) { return f(a) + f(b) * f(c); }
END
object frames.so frames.c -fasynchronous-unwind-tables -Wl,--eh-frame-hdr -Wl,--unresolved-symbols=ignore-all
mkdir -p "$out/fuzz_cfi"
table=$(readelf -SW "$out/frames.so" | sed -n 's/.* .eh_frame_hdr *PROGBITS *\([0-9a-f]*\) .*/\1/p')
for name in leaf frame pushes; do
    at=$(nm -D "$out/frames.so" | sed -n "s/^\([0-9a-f]*\) T $name\$/\1/p")
    pc=$((0x$at + 3))
    {
        printf '%b' "$(printf '\\%03o\\%03o\\%03o\\%03o\\001' $((0x$table & 255)) $((0x$table >> 8)) \
            $((pc & 255)) $((pc >> 8)))"
        cat "$out/frames.so"
    } >"$out/fuzz_cfi/$name"
done
rm -f "$out/frames.so"

# The functions of fuzz_rel_object.c, so that the comparison goes through them; and what compilers write.
cat >"$work/compared.s" <<'END'
	.file "fuzz_rel_object.c"
	.section .text.compared,"ax",@progbits
	.globl compared_one
	.type compared_one,@function
compared_one:
	lea compared_text(%rip), %rdi
	movslq %esi, %rsi
	cmp $3, %rsi
	ja 1f
	lea 4f(%rip), %rdx
	movslq (%rdx,%rsi,4), %rax
	add %rdx, %rax
	jmp *%rax
1:	call compared_two
	.p2align 4
2:	addl $5, compared_word(%rip)
	dec %esi
	jne 2b
3:	ret
	.size compared_one,.-compared_one
	.globl compared_two
	.type compared_two,@function
compared_two:
	mov compared_word@GOTPCREL(%rip), %rax
	jmp compared_one
	.size compared_two,.-compared_two
	.section .rodata.compared,"a",@progbits
	.p2align 2
4:	.long 1b-4b, 2b-4b, 3b-4b, 1b-4b
	.section .data.compared,"aw",@progbits
	.globl compared_word
	.type compared_word,@object
	.p2align 3
compared_word: .quad compared_text
	.size compared_word,8
	.section .rodata.str1.1,"aMS",@progbits,1
compared_text: .string "compared text"
END
object fuzz_rel_object/compared compared.s -c
object fuzz_rel_object/sections first.c -c -ffunction-sections -fdata-sections
object fuzz_rel_object/plain second.c -c -fno-pic -fasynchronous-unwind-tables
cat >"$work/local.c" <<'END'
static __thread int counter;
extern __thread int far;
static const char *const names[] = {"one", "two"};
__attribute__((weak)) const char *name(int i) { return names[i & 1]; }
int common[4] __attribute__((common));
int use(int i) { return name(i)[counter++] + far + common[i]; }
__asm__(".pushsection .text.grouped,\"axG\",@progbits,grouped,comdat\n.weak grouped\ngrouped: ret\n.popsection");
END
object fuzz_rel_object/locals local.c -c -fdata-sections

# fuzz_object_dwarf: the size of an object, the object, and the same after an edit of its types.
cat >"$work/types.c" <<'END'
enum e { A, B };
struct T { int a; unsigned b : 3; enum e e; struct T *next; int (*f)(long, char *); };
static struct T *live;
static __thread int local;
static inline int g(struct T *t) { static short calls; return ++calls + t->a; }
int f(int n, char *const *v) { T_MORE; return g(live) + n + local + **v; }
END
mkdir -p "$out/fuzz_object_dwarf"
for compiler in gcc clang; do
    for version in 4 5; do
        for side in old new; do
            more='int x = 1'
            [ $side = old ] || more='long x = 2; live->a = x'
            $compiler -gdwarf-$version -O2 -c -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables \
                -ffile-prefix-map="$work"=. -DT_MORE="$more" -o "$work/$side.o" "$work/types.c"
            sed -i 's/int a; unsigned b : 3/long a; unsigned b : 4/' "$work/types.c"
        done
        sed -i 's/long a; unsigned b : 4/int a; unsigned b : 3/' "$work/types.c"
        size=$(wc -c <"$work/old.o")
        {
            printf '%b' "$(printf '\\%03o\\%03o\\000\\000' $((size & 255)) $((size >> 8)))"
            cat "$work/old.o" "$work/new.o"
        } >"$out/fuzz_object_dwarf/$compiler-$version"
    done
done

# fuzz_object_lines: an object whose hunk has a name.
cat >"$work/t.c" <<'END'
int one(int n) { return n + 1; }
extern int later;
static inline int two(int n) { return n * 2 + later; }
#line 4 "/h/1/t.c"
static inline int added(int n)
{
    int in = n;
    return in * 3;
}
#line 4 "/h/0/t.c"
int three(int n)
{
    return added(n) + two(n);
}
int later = 3;
END
mkdir -p "$out/fuzz_object_lines"
for compiler in gcc clang; do
    for version in 4 5; do
        (cd "$work" && $compiler -gdwarf-$version -O2 -c -ffunction-sections -fno-asynchronous-unwind-tables \
            -ffile-prefix-map="$work"=. -o lines.o t.c)
        cp "$work/lines.o" "$out/fuzz_object_lines/$compiler-$version"
        chmod 644 "$out/fuzz_object_lines/$compiler-$version"
    done
done
