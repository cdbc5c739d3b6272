#!/bin/sh
# node.sh - a server in JavaScript, with libuv's threads, a worker and child processes.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=node
wraps="read write epoll_pwait"

serve()
{
    launch node "$real/tests/server.js" 8085 "$work"
    until_true "node does not answer" answers http://127.0.0.1:8085/
}

work()
{
    http "$1" http://127.0.0.1:8085/
}

parts()
{
    echo node "$pid" busy
}

quit()
{
    kill -TERM "$pid"
    exits_with 0 "$pid"
    [ ! -s "$log" ] || fail "node complains"
}

scenario
