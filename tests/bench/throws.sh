#!/bin/sh
# throws.sh - what a C++ exception costs in a program whose threads throw, bare, with an idle shim, and with a
# keeping stub armed: an unwind table that is registered at run time would cost a mutex in each.
set -u

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

g++ -std=gnu++17 -O2 -pthread -o "$work/throws" "$here/throws.cc" || exit 1
cat >"$work/patch.c" <<'END'
#include <hotpatch.h>
HOTPATCH_MODULE("weigh", "1");
HOTPATCH_REPLACE(long, weigh, (long x)) { return HOTPATCH_ORIGINAL(weigh)(x) + 1; }
END
gcc -O1 -fPIC -shared -I"$here/../../include" -o "$work/patch.so" "$work/patch.c" || exit 1

# ns NAME=VALUE...: of the fastest of five runs; the second figure is weigh's answer.
ns()
{
    for _ in 1 2 3 4 5; do
        env "$@" "$work/throws" || exit 1
    done | sort -n | head -n 1
}

shim=LD_PRELOAD=$HOTPATCH_BUILD/libhotpatch_preload.so
# shellcheck disable=SC2046 # each prints two words
set -- $(ns BARE=1) $(ns "$shim") $(ns "$shim" HOTPATCH_PATCH="$work/patch.so")
[ "$6" = 22 ] || {
    echo "throws: the patch is not live: $6" >&2
    exit 1
}
awk -v bare="$1" -v idle="$3" -v armed="$5" 'BEGIN {
    printf "%-52s %12s %12s  %-5s %s\n", "throw and catch, keeping stub armed, over bare",
        sprintf("%.2f", armed / bare), "1.05", armed / bare <= 1.05 ? "ok" : "over",
        sprintf("%.0f ns, %.0f ns with an idle shim, %.0f ns bare; two threads", armed, idle, bare) }'
