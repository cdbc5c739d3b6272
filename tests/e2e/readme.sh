#!/bin/sh
# readme.sh - run the commands of README.md as they stand there, and compare what they print.
#
# All ```sh blocks run in order in one shell, in a copy of the source tree. A ```text block is what
# the ```sh block before it must print, but for numbers, times and hashes. Only `make demo`,
# `make check` and `make real` are left out, which .ci/run runs and this is part of, and `make bench`,
# `make foreign` and `make cve`. The last line reads
# "N passed, N failed"; a block is one test.
set -u

source=$(cd "$(dirname "$0")/../.." && pwd)
build=${HOTPATCH_BUILD:-$source/build}
work=$(mktemp -d /tmp/hotpatch-readme-XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# As a clone: the tree, and what make has built already, so that `make` has little to do.
mkdir "$work/clone"
(cd "$source" && tar cf - --exclude=./build --exclude=./.git .) | tar xf - -C "$work/clone"
mkdir "$work/clone/build"
cp -a "$build/obj" "$build"/*.so "$build/hotpatch" "$work/clone/build/"

awk -v work="$work" '
    /^```sh$/ { n++; file = work "/block." n; next }
    /^```text$/ { file = work "/expect." n; next }
    /^```/ { if (file) close(file); file = ""; next }
    file { print > file }
    END { print n + 0 > (work "/count") }' "$source/README.md"
count=$(cat "$work/count")

{
    echo 'set -eu'
    echo 'make() { case "$*" in demo | check | real | bench | foreign | cve) ;; *) command make "$@" ;; esac; }'
    # Not "$(jobs -p)": a subshell of dash has no jobs.
    echo "trap 'jobs -p >$work/jobs; while read -r job; do kill \$job; done <$work/jobs' EXIT"
    i=0
    while [ $i -lt "$count" ]; do
        i=$((i + 1))
        echo "exec >$work/out.$i 2>&1"
        cat "$work/block.$i"
        echo ": >$work/done.$i"
    done
} >"$work/script"

mkdir -m 700 "$work/run"
(cd "$work/clone" && HOTPATCH_DIR=$work/run HOTPATCH_NO_SETUP=1 MAKEFLAGS='' timeout 300 sh "$work/script")

# What may differ from one run to the next.
normalise()
{
    sed -E -e 's/0x[0-9a-f]+/ADDRESS/g' -e 's/[0-9]{4}-[0-9-]+T[0-9:.]+Z/TIME/g' \
        -e 's/\b[0-9a-f]{16,}\b/HASH/g' -e 's/(PID|counter) [0-9]+/\1 N/g' -e 's/[0-9.]+ ms/N ms/g' -e 's/(noticed|compiled|compared|loaded) [0-9.]+/\1 N/g' -e 's:[^ ]*/try/:try/:' -e 's/ +/ /g' -e 's/ $//'
}

passed=0
failed=0
i=0
while [ $i -lt "$count" ]; do
    i=$((i + 1))
    [ ! -e "$work/expect.$i" ] || normalise <"$work/expect.$i" >"$work/want"
    touch "$work/out.$i"
    normalise <"$work/out.$i" >"$work/got"
    if [ ! -e "$work/done.$i" ]; then
        failed=$((failed + 1))
        echo "block $i did not come to its end:"
        cat "$work/block.$i" "$work/out.$i"
        break
    elif [ -e "$work/expect.$i" ] && ! diff "$work/want" "$work/got" >"$work/diff"; then
        failed=$((failed + 1))
        echo "block $i prints something else (< README, > now):"
        cat "$work/diff"
    else
        passed=$((passed + 1))
    fi
done

# What it started has ended, or ends now.
left()
{
    for exe in /proc/[0-9]*/exe; do
        case "$(readlink "$exe")" in
        "$work"/*) echo "$exe" ;;
        esac
    done 2>/dev/null
}
tries=0
while [ -n "$(left)" ] && [ $tries -lt 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
if [ -n "$(left)" ]; then
    failed=$((failed + 1))
    echo "programs of the README still run: $(left)"
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
