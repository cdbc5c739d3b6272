#!/bin/sh
# perl.sh - perl's own tests of the language and of files (t/op, t/io), by Debian's perl; see run.
#
# The tests are in the source package. They look for perl as t/perl and for modules in lib, so Debian's modules are
# copied over the source's.
#
# shellcheck shell=dash disable=SC2086 # $SHIM is words
set -u

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/real/foreign/sources.sh
. "$here/sources.sh"

prepare()
{
    if [ -e "$1/tree/t/perl" ]; then
        return 0
    fi
    fetch perl "$1" || return
    version=$(perl -e 'printf "%vd", $^V')
    mkdir "$1/tree" && tar -xf "$1/perl_$version.orig.tar.xz" -C "$1/tree" --strip-components=1 || return 1
    for modules in /usr/share/perl/$version "/usr/lib/$(uname -m)-linux-gnu/perl/$version" \
        "/usr/lib/$(uname -m)-linux-gnu/perl-base"; do
        cp -rL "$modules/." "$1/tree/lib/" || return 1
    done
    ln -s /usr/bin/perl "$1/tree/t/perl"
}

# Print a result for each line of TAP of FILE. A failure that the test's author expects, by TAP's directive for
# what is still to be done, is none.
tap()
{
    awk -v file="$1" -v status="$2" '
        /^(not )?ok\>/ {
            word = /^not/ ? "not" : "ok"
            if (toupper($0) ~ /# *SKIP/) word = "skip"
            if (toupper($0) ~ /# *TO[D]O/) word = "ok"
            printf "%s\t%s:%d\n", word, file, ++count
        }
        /^1\.\.[0-9]+/ { planned = substr($1, 4) + 0; plan = 1 }
        END { printf "%s\t%s: ends as planned\n", status == 0 && plan && planned == count + 0 ? "ok" : "not", file }'
}

round()
{
    cp -r "$1/tree/t" "$1/tree/lib" . || return 1
    for needed in "$1"/tree/*; do
        [ -e "${needed##*/}" ] || ln -s "$needed" .
    done
    cd t || return 1
    for test in op/*.t io/*.t; do
        switches=$(sed -n '1s/^#!.*perl *\(-[wT]*\) *$/\1/p' "$test")
        env $SHIM PERL_CORE=1 LC_ALL=C timeout -k 5 120 ./perl $switches -I../lib "$test" </dev/null >out 2>err
        status=$?
        tap "$test" $status <out >>"$2"
        [ $status -eq 0 ] || {
            echo "== $test: $status"
            tail -n 5 err
        }
    done
}

case $1 in
prepare) prepare "$2" ;;
round) round "$2" "$3" ;;
esac
