#!/bin/sh
# run.sh - functions of Debian's redis-server, a stripped program without hotpatch.h, are replaced at their
# entries, edited, wrapped and reverted while clients are connected and a benchmark runs.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=demo/lib.sh
. "$here/../lib.sh"

# redis-tools has the program under its other name; see ../prebuilt.
server=$(command -v redis-server || command -v redis-check-rdb) || failed "redis-tools is not installed"
ln -s "$(readlink -f "$server")" redis-server

redis()
{
    redis-cli -s "$scratch/socket" "$@"
}

# ping ANSWER: send PING over the open connection, and expect this answer.
ping()
{
    echo "\$ redis-cli ping"
    await_after=$(wc -l <answers)
    echo ping >&3
    tries=0
    while [ "$(wc -l <answers)" -eq "$await_after" ]; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || failed "the connected client gets no answer"
        sleep 0.05
    done
    answer=$(tail -n 1 answers)
    echo "    $answer"
    [ "$answer" = "$1" ] || failed "PING should answer $1"
}

title "entry: functions of Debian's redis-server, replaced by name while it serves"
start out ./redis-server --port 0 --unixsocket "$scratch/socket" --dir "$scratch" --save "" \
    --appendonly no --daemonize no
await out "ready to accept connections"

# A client that stays connected until the end: one line in, one answer out.
mkfifo questions
redis <questions >answers &
started="$started $!"
exec 3>questions

redis-benchmark -s "$scratch/socket" -c 4 -n 100000000 -r 1000 -t set -q >/dev/null 2>&1 &
load=$!
started="$load $started"
echo "-- redis-benchmark is running, and a client is connected"
ping PONG

show hotpatch slots "$pid" pingCommand
compile_patch ping.so "$here/ping.c"
show hotpatch check "$pid" ping.so
show hotpatch load "$pid" ping.so
ping "patched while you were connected"

echo "-- edit, build, reload"
echo "\$ sed -e 's/patched while/patched twice while/' -e 's/\"1\"/\"2\"/' ping.c > ping2.c"
sed -e 's/patched while/patched twice while/' -e 's/"1"/"2"/' "$here/ping.c" >ping2.c
compile_patch ping.so ping2.c
show hotpatch reload "$pid"
ping "patched twice while you were connected"

echo "-- a wrapper: it calls the function that it replaces, by HOTPATCH_ORIGINAL"
compile_patch count_sets.so "$here/count_sets.c"
show hotpatch load "$pid" count_sets.so
await "$scratch/log" "00000 times SET"
[ "$(redis set key value)" = OK ] || failed "SET does not work any more"
[ "$(redis get key)" = value ] || failed "SET did not set"

echo "-- status: the applied patches, and whether their code has been entered"
show hotpatch status "$pid"
[ "$(hotpatch status "$pid" | grep -c '^  entered since the switch')" = 2 ] || failed "both must be entered"

show hotpatch revert "$pid" all
ping PONG

kill -0 "$load" || failed "the load ended early"
stop "$load" || true
exec 3>&-
redis shutdown nosave
wait "$pid" || failed "redis-server did not end well"
started=
echo "no client was disconnected, and the server was never stopped"
