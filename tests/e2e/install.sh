#!/bin/sh
# install.sh - what works after `make install` into /usr/local: the manual page's first lines, the command, a
# 32-bit child, and `make uninstall`.
#
# In a mount namespace of its own, /usr/local is empty, and /etc (ld.so.cache) and ldconfig's own files are
# copies: the machine's stay as they are. Needs root, and says so where it is not. The last line reads
# "N passed, N failed".
set -u

source=$(cd "$(dirname "$0")/../.." && pwd)
build=${HOTPATCH_BUILD:-$source/build}

if [ "${1-}" != --inside ]; then
    if [ "$(id -u)" -ne 0 ] || ! unshare -m true 2>/dev/null; then
        echo "skipped: it needs root and a mount namespace"
        echo "0 passed, 0 failed"
        exit 0
    fi
    work=$(mktemp -d /tmp/hotpatch-install-XXXXXX) || exit 1
    trap 'rm -rf --one-file-system "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    unshare -m --propagation private "$0" --inside "$work"
    exit
fi

work=$2
# shellcheck source=tests/support/check.sh
. "$source/tests/support/check.sh"

# made COMMAND...: without it there is nothing to test.
made()
{
    "$@" >"$work/said" 2>&1 || {
        cat "$work/said"
        echo "0 passed, 1 failed"
        exit 1
    }
}

set_up()
{
    mount -t tmpfs -o mode=755 install "$work" && mkdir "$work/etc" "$work/local" "$work/aux" "$work/run" &&
        chmod 700 "$work/run" && cp -a /etc/. "$work/etc/" && mount --bind "$work/etc" /etc &&
        mount --bind "$work/local" /usr/local &&
        { [ ! -d /var/cache/ldconfig ] || mount --bind "$work/aux" /var/cache/ldconfig; } &&
        ldconfig
}

programs()
{
    cat >app.c <<'END'
#include <hotpatch.h>
#include <stdio.h>
#include <unistd.h>
HOTPATCH_FUNCTION(int, price, (int cents)) { return cents + 1; }
int main(void)
{
    while (printf("price %d\n", price(1000)) > 0 && fflush(stdout) == 0)
        usleep(20000);
}
END
    cat >fix.c <<'END'
#include <hotpatch.h>
HOTPATCH_MODULE("fix", "1");
HOTPATCH_REPLACE(int, price, (int cents)) { return cents + 2; }
END
    cat >small.s <<'END'
.globl _start
_start: movl $1, %eax
    xorl %ebx, %ebx
    int $0x80
END
    # The header is found without a word.
    gcc -o app app.c && gcc -shared -fPIC -o fix.so fix.c &&
        as --32 -o small.o small.s && ld -m elf_i386 -pie -dynamic-linker /lib/ld-linux.so.2 -o small small.o
}

# becomes_patched PID: its output shows the patch's price.
becomes_patched()
{
    timeout 30 tail -f log | grep -q -m 1 "price 1002" && kill "$1" && ! wait "$1"
}

# As the manual page has it: SYNOPSIS of libhotpatch_preload(7).
the_manuals_line()
{
    LD_PRELOAD=libhotpatch_preload.so ./app >log &
    tries=0
    until [ -p "$HOTPATCH_DIR/$!.fifo" ]; do
        sleep 0.1
        tries=$((tries + 1))
        [ $tries -lt 300 ] || return 1
    done
    kill -s RTMIN+12 $!
    echo "load $work/fix.so" >"$HOTPATCH_DIR/$!.fifo"
    becomes_patched $!
}

the_command()
{
    hotpatch run ./app >log &
    hotpatch load $! fix.so && becomes_patched $!
}

# A program in whose process the library is, whose 32-bit child says nothing.
silent_32()
{
    "$@" sh -c 'grep -q libhotpatch_preload.so /proc/self/maps && ./small' 2>err
    status=$?
    cat err
    [ $status -eq 0 ] && [ ! -s err ]
}

by_lib()
{
    # shellcheck disable=SC2016 # the dynamic linker's
    silent_32 env LD_PRELOAD='/usr/local/$LIB/libhotpatch_preload.so'
}

nothing_is_left()
{
    left=$(find /usr/local ! -type d; ldconfig -p | grep hotpatch)
    [ -z "$left" ] || { echo "$left"; false; }
}

HOTPATCH_DIR=$work/run
PATH=/usr/local/bin:$PATH
MAKEFLAGS=
export HOTPATCH_DIR PATH MAKEFLAGS
made set_up
made make -C "$source" BUILD="$build" HOTPATCH_NO_SETUP=1 install
cd "$work" || exit 1
made programs
check "the manual page says something else" \
    grep -q 'LD_PRELOAD=libhotpatch_preload.so .fIprogram' /usr/local/share/man/man7/libhotpatch_preload.7
check "the manual page's line does not work" the_manuals_line
check "hotpatch run and load do not work" the_command
if [ -x /lib/ld-linux.so.2 ]; then
    check "a 32-bit child of hotpatch run says something" silent_32 hotpatch run
    check "a 32-bit child with \$LIB in LD_PRELOAD says something" by_lib
else
    echo "skipped: there is no dynamic linker for 32-bit programs"
fi
check "pkg-config does not find it" pkg-config --exists hotpatch
check "make uninstall fails" make -C "$source" BUILD="$build" uninstall
check "make uninstall leaves something" nothing_is_left
checked
