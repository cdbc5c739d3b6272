#!/bin/sh
# busybox.sh - busybox's own tests, by Debian's busybox; see run.
#
# The tests, and the configuration that tells what is built in, are in the source package.
#
# shellcheck shell=dash disable=SC2086 # $SHIM is words
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/real/foreign/sources.sh
. "$here/sources.sh"

prepare()
{
    if [ -e "$1/tree/.config" ]; then
        return 0
    fi
    if ! command -v busybox >/dev/null; then
        echo "needs Debian's busybox"
        return 3
    fi
    fetch busybox "$1" || return
    mkdir -p "$1/tree" "$1/debian"
    tar -xf "$1"/busybox_*.orig.tar.bz2 -C "$1/tree" --strip-components=1 || return 1
    tar -xf "$1"/busybox_*.debian.tar.xz -C "$1/debian" || return 1
    cp "$(command -v busybox)" "$1/tree/busybox"
    cp "$1/debian/debian/config/pkg/deb" "$1/tree/.config"
}

# Two tests can have the same name: the second one gets a number.
round()
{
    cp -r "$1/tree/testsuite" . && ln -s "$1/tree/scripts" . || return 1
    cp "$1/tree/busybox" "$1/tree/.config" . || return 1
    cd testsuite || return 1
    env $SHIM LC_ALL=C timeout -k 10 600 ./runtest -v >../out 2>&1
    echo "runtest: $?"
    awk '/^(PASS|FAIL|SKIPPED|UNTESTED): / {
        word = /^PASS/ ? "ok" : /^FAIL/ ? "not" : "skip"
        sub(/^[A-Z]+: /, "")
        printf "%s\t%s%s\n", word, $0, seen[$0]++ ? " (" seen[$0] ")" : ""
    }' ../out >"$2"
}

case $1 in
prepare) prepare "$2" ;;
round) round "$2" "$3" ;;
esac
