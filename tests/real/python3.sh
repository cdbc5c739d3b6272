#!/bin/sh
# python3.sh - a threaded server that also starts processes and uses files.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=python3
wraps="recv send clock_gettime"
entries=python3

serve()
{
    launch /usr/bin/python3 "$real/tests/server.py" 8084 "$work"
    until_true "python3 does not answer" answers http://127.0.0.1:8084/
}

# What has no symbol has an address: the function in the method's definition (methodobject.h).
entry_at=exe+$(
    /usr/bin/python3 - <<'END'
import ctypes
import os
import time

definition = ctypes.c_void_p.from_address(id(time.time) + 2 * ctypes.sizeof(ctypes.c_void_p)).value
function = ctypes.c_void_p.from_address(definition + ctypes.sizeof(ctypes.c_void_p)).value
with open("/proc/self/exe", "rb") as program, open("/proc/self/maps") as maps:
    moves = program.read(18)[16] == 3  # ET_DYN
    start = int(maps.readline().split("-")[0], 16)
print(hex(function - (start if moves else 0)))
END
)

# The server tells in each answer when that was, of which ab looks at the length.
press()
{
    ab -q -k -c 2 -n 1000 http://127.0.0.1:8084/ >"$work/ab.log" 2>&1 || fail "ab gave up"
    grep -q '^Complete requests: *1000$' "$work/ab.log" || fail "requests are lost"
    grep -q '^Failed requests: *0$' "$work/ab.log" || fail "requests failed"
    ! grep -q '^Non-2xx' "$work/ab.log" || fail "answers are errors"
    pressed=$((pressed + 1000))
}

exchange()
{
    year=$(date +%Y)
    exchanging http:8084 "/=200 $year,200 1970,200 $((year + 40))" -- "$pid"
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
