#!/bin/sh
# python3.sh - a threaded server that also starts processes and uses files.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=python3
wraps="recv send clock_gettime"

serve()
{
    launch /usr/bin/python3 "$real/tests/server.py" 8084 "$work"
    until_true "python3 does not answer" answers http://127.0.0.1:8084/
}

work()
{
    http "$1" http://127.0.0.1:8084/
}

parts()
{
    echo python3 "$pid" busy
}

quit()
{
    kill -TERM "$pid"
    exits_with 0 "$pid"
    ! grep -i -E 'traceback|error' "$log" >&2 || fail "python3 complains"
}

scenario
