#!/bin/sh
# java.sh - a server in Java: dozens of threads, compiled code, safepoints by protected pages.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=java
wraps="read write"

serve()
{
    [ -e "$real/Server.class" ] ||
        ecj -17 -proc:none -d "$real" "$real/tests/Server.java" >"$work/ecj.log" 2>&1 || fail "ecj"
    launch java -Xmx128m -cp "$real" Server 8086 "$work"
    until_true "java does not answer" answers http://127.0.0.1:8086/
}

work()
{
    http "$1" http://127.0.0.1:8086/
}

parts()
{
    echo java "$pid" busy
}

quit()
{
    answers http://127.0.0.1:8086/quit || true
    exits_with 0 "$pid"
    [ ! -s "$log" ] || fail "java complains"
}

scenario
