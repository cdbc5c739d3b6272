#!/bin/sh
# run.sh - the rules of a simulation are edited while it runs; balls, counters and the frame number go on.
#
#   run.sh        the script edits
#   run.sh -i     edit yourself: the picture moves in this terminal; Ctrl-C ends
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=demo/lib.sh
. "$here/../lib.sh"

# picture: print the last whole frame.
picture()
{
    awk '/^frame / { n = NR; whole = now; now = "" } { now = now $0 "\n" } END { printf "%s", whole }' frames
}

# edit EXPRESSION FILE: edit as an editor does.
edit()
{
    echo "\$ sed -i '$1' $2"
    sed -i "$1" "$2"
}

title "edit-live: the rules of a running simulation are edited"
cp "$here"/*.[ch] .
show cc -O2 -g -o sim sim.c rules.c

if [ "${1-}" = -i ]; then
    echo "edit $scratch/rules.c in another terminal; each save is live. Enter begins, Ctrl-C ends."
    read -r _
    trap ':' INT
    hotpatch watch --cc 'cc -O2 -g' sim.c rules.c --log watch.log -- ./sim
    printf '\n'
    cat watch.log
    exit 0
fi

echo "\$ hotpatch watch --cc 'cc -O2 -g' sim.c rules.c -- ./sim > frames &"
hotpatch watch --cc 'cc -O2 -g' sim.c rules.c -- ./sim >frames 2>log </dev/null &
watch=$!
started="$watch $started"
await log "ready in"
await frames "^frame 9,"
picture

echo "-- balls become stars"
edit 's/"o" : "O"/"*" : "+"/' rules.c
await log "rules.c: live in .*: glyph"
await_new frames "[*+]"
await_new frames "^frame"
picture

echo "-- gravity is turned round: what has changed since the program was built is live, both edits"
edit 's/GRAVITY 1/GRAVITY -1/' rules.c
await log "rules.c: live in .*: .*move"
await_new frames "^frame [0-9]*0,"
picture

echo "-- a mistake: the old code stays"
edit 's/GRAVITY;/GRAVTIY;/' rules.c
await log "GRAVTIY"
await log "the old code stays live"
edit 's/GRAVTIY;/GRAVITY;/' rules.c

echo "-- the file as it was: the program runs its own code again"
cp "$here/rules.c" rules.c
await log "rules.c: reverted in"
await_new frames "[oO]"

grep -c '^frame' frames >count
awk '/^frame/ { if ($2 + 0 != last + 1) wrong = 1; last = $2 + 0 } END { exit wrong }' frames ||
    failed "the frame number was not kept"
stop "$watch"
echo "the simulation was never stopped: $(cat count) frames, each number once"
