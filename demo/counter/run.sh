#!/bin/sh
# run.sh - patches change how a running process counts; the process keeps its count.
#
#   run.sh        the script presses the keys 1 to 5
#   run.sh -i     press the keys yourself; q ends
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=demo/lib.sh
. "$here/../lib.sh"

press()
{
    case "$1" in
    1) show hotpatch revert "$pid" all && how="up by one" ;;
    2) show hotpatch load "$pid" v1.so && how="up by ten" ;;
    3) show hotpatch load "$pid" v2.so && how="up by a hundred" ;;
    4) show hotpatch load "$pid" v3.so && how="doubled" ;;
    5) show hotpatch load "$pid" v4.so && how="down by one" ;;
    esac
}

title "counter: one process, five behaviours, one count"
compile_host counter "$here/counter.c"
for patch in v1 v2 v3 v4; do
    compile_patch $patch.so "$here/$patch.c"
done
start out ./counter
await out "up by one"

if [ "${1-}" = -i ]; then
    tail -n 1 -f out &
    started="$! $started"
    saved=$(stty -g)
    stty -icanon -echo
    echo "1 own  2 up by ten  3 up by a hundred  4 doubled  5 down by one  q end"
    while key=$(dd bs=1 count=1 2>/dev/null) && [ "$key" != q ]; do
        press "$key"
    done
    stty "$saved"
    exit 0
fi

# "Down by one" calls the function "up by one", so it is loaded before the other patches.
for key in 5 1 2 3 4 1; do
    press $key
    await_new out "$how"
    others=$(tail -n 1 out | grep -v -e "$how")
    [ -z "$others" ] || failed "old code still runs: $others"
done
stop "$pid"

# Each line must follow from the one before it: no step was lost, and no step was counted twice.
awk '{ value = $2 + 0; how = $0; sub(/^[^,]*, /, "", how); expect = "?" }
    how == "up by one" { expect = last + 1 }
    how == "up by ten" { expect = last + 10 }
    how == "up by a hundred" { expect = last + 100 }
    how == "doubled" { expect = last * 2 }
    how == "down by one" { expect = last - 1 }
    expect != value { print "after " last ": " $0; wrong = 1 }
    { last = value }
    END { exit wrong }' out || failed "the count was not kept"
echo "the count was kept over $(wc -l <out) steps and six switches"
