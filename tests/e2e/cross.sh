#!/bin/sh
# cross.sh - `make CROSS=aarch64-linux-gnu` compiles base/, elf/, resolve/ and cli/ for a machine that arch/ does not know,
# and then fails by one #error, which names the headers to fill. Each header of arch/ is among these.
set -u

source=${HOTPATCH_SOURCE:-$(pwd)}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
# shellcheck source=tests/support/check.sh
. "$source/tests/support/check.sh"

# Were all sources compiled?
all_compiled()
{
    for file in base/*.c elf/*.c resolve/*.c cli/*.c cli/*/*.c; do
        [ -f "$work/obj/${file%.c}.o" ] || return 1
    done
}

one_error()
{
    [ "$(grep -c 'error:' "$work/log")" -eq 1 ] && grep -q '^arch/port\.h:.*#error "arch/ has no folder' "$work/log"
}

each_header_named()
{
    for header in arch/*.h; do
        [ "$header" = arch/port.h ] || grep -q "^#include \"$header\"" arch/port.h || return 1
    done
}

cd "$source" || exit 1
make -j"$(nproc)" CROSS=aarch64-linux-gnu BUILD="$work" CFLAGS=-O0 >"$work/log" 2>&1
status=$?
check "make fails" [ $status -ne 0 ]
check "every source is compiled" all_compiled
check "one #error" one_error
check "arch/port.h names each header of arch/" each_header_named
[ $failed -eq 0 ] || tail -n 40 "$work/log"
checked
