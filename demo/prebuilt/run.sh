#!/bin/sh
# run.sh - a fault in Debian's redis-server, a stripped program without hotpatch.h, reports a full disk
# under load: BGSAVE fails and the server continues; after the revert BGSAVE succeeds.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=demo/lib.sh
. "$here/../lib.sh"

# Of Debian's packages, redis-tools has the program (under its other name, redis-check-rdb),
# and redis-server has the service. This demo needs only the program.
server=$(command -v redis-server || command -v redis-check-rdb) || failed "redis-tools is not installed"
ln -s "$(readlink -f "$server")" redis-server

redis()
{
    redis-cli -s "$scratch/socket" "$@"
}

# field NAME: print this field of INFO persistence.
field()
{
    redis info persistence | tr -d '\r' | sed -n "s/^$1://p"
}

# Ask for a save, wait until it has ended, and print its result.
save()
{
    echo "\$ redis-cli bgsave"
    before=$(field rdb_saves)
    redis bgsave >/dev/null || failed "bgsave was not taken"
    tries=0
    while [ "$(field rdb_bgsave_in_progress)" != 0 ]; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || failed "the save does not end"
        sleep 0.05
    done
    outcome=$(field rdb_last_bgsave_status)
    echo "    rdb_last_bgsave_status:$outcome  rdb_saves:$before -> $(field rdb_saves)"
}

title "prebuilt: a fault in Debian's redis-server, applied and reverted"
start out ./redis-server --port 0 --unixsocket "$scratch/socket" --dir "$scratch" --save "" \
    --appendonly no --daemonize no
await out "ready to accept connections"

redis-benchmark -s "$scratch/socket" -c 4 -n 100000000 -d 64 -r 1000 -t set,get -q >/dev/null 2>&1 &
load=$!
started="$load $started"
echo "-- redis-benchmark is running"

save
[ "$outcome" = ok ] || failed "the first save must succeed"

show hotpatch slots "$pid" rename
show hotpatch load "$pid" --fail rename=-1:ENOSPC
save
[ "$outcome" = err ] || failed "the save must fail"
grep -q -i "no space left on device" out || failed "redis names another reason"
[ "$(redis ping)" = PONG ] || failed "the server died"
echo "-- the fault was in a forked child; now in the server itself, whose status counts the faults"
show redis save
show hotpatch status "$pid"
hotpatch status "$pid" | grep -q "struck 1 of 1 calls" || failed "the fault did not strike once"

show hotpatch revert "$pid" fail:rename
save
[ "$outcome" = ok ] || failed "the save after the revert must succeed"

echo "-- the same with a patch, whose code can do more than fail"
compile_patch enospc.so "$here/enospc.c"
show hotpatch load "$pid" enospc.so
save
[ "$outcome" = err ] || failed "the save must fail"
show hotpatch revert "$pid" enospc
save
[ "$outcome" = ok ] || failed "the last save must succeed"
[ "$(redis ping)" = PONG ] || failed "the server died"

kill -0 "$load" || failed "the load ended early"
stop "$load" || true
commands=$(redis info stats | tr -d '\r' | sed -n 's/^total_commands_processed://p')
redis shutdown nosave
wait "$pid" || failed "redis-server did not end well"
started=
echo "the server ran until the end and answered $commands commands"
