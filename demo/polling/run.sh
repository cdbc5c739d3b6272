#!/bin/sh
# run.sh - `hotpatch load --follow` keeps running, and loads every build of the patch at once.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=demo/lib.sh
. "$here/../lib.sh"

write_patch()
{
    printf '#include <hotpatch.h>\nHOTPATCH_MODULE("job", "%s");\n' "$1" >patch.c
    printf 'HOTPATCH_REPLACE(long, job, (long input))\n{\n    return %s;\n}\n' "$2" >>patch.c
    echo "-- job(input) now returns $2"
}

title "polling: every build is live"
compile_host job "$here/job.c"
start out ./job
await out "job(3) = 3"

write_patch 1 "10 * input"
compile_patch patch.so patch.c
echo "\$ hotpatch load --follow $pid patch.so &"
hotpatch load --follow "$pid" patch.so >follow 2>&1 &
follower=$!
started="$follower $started"
await_new out "job(3) = 30"

write_patch 2 "input * input"
compile_patch patch.so patch.c
await_new out "job(3) = 9"

# A build that fails leaves no file; a build that does not fit is refused. In both cases
# the last good build stays live.
write_patch 3 "input +"
echo "\$ cc ... (fails)"
cc -I"$root/include" -shared -fPIC -o patch.so patch.c 2>/dev/null && failed "that cannot compile"
await_new out "job(3) = 9"

write_patch 4 "-input"
compile_patch patch.so patch.c
await_new out "job(3) = -3"

kill -0 "$follower" || failed "the follower has ended"
stop "$follower" || true
show hotpatch revert "$pid" job
await_new out "job(3) = 3"
stop "$pid"
echo "four builds, one process"
