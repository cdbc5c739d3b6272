#!/bin/sh
# run.sh - a patch is written, built, changed and built again while the program runs;
# echo loads the patch, and kill reloads it.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=demo/lib.sh
. "$here/../lib.sh"

write_patch()
{
    cat >patch.c <<END
#include <hotpatch.h>
#include <stdio.h>

HOTPATCH_MODULE("greeting", "$1");

HOTPATCH_REPLACE(void, greet, (int count))
{
    printf("%d: $2, %s\n", count, $3);
}
$4
END
    echo "-- patch.c now says: $2"
}

title "greeting: edit, build, live; only with echo and kill"
compile_host greeting "$here/greeting.c"
start out ./greeting
await out "hello, world"

write_patch 1 "good morning" '"world"' ""
compile_patch patch.so patch.c
show kill -s RTMIN+12 "$pid"
echo "\$ echo \"load \$PWD/patch.so\" > \$HOTPATCH_DIR/\$pid.fifo"
echo "load $PWD/patch.so" >"$HOTPATCH_DIR/$pid.fifo"
await_new out "good morning, world"

write_patch 2 "good evening" '"all of you"' ""
compile_patch patch.so patch.c
show kill -s RTMIN+12 "$pid"
await_new out "good evening, all of you"

write_patch 3 "good night" '"moon"' 'HOTPATCH_REPLACE_DATA(const char *, name, "moon");'
compile_patch patch.so patch.c
show kill -s RTMIN+12 "$pid"
await_new out "good night, moon"

# A patch that does not fit is refused, and the live patch stays.
sed 's/int count/char *count/' patch.c >bad.c
sed -i 's/%d:/%s:/' bad.c
compile_patch bad.so bad.c
echo "\$ hotpatch load $pid bad.so"
if hotpatch load "$pid" bad.so >refusal 2>&1; then
    failed "a patch with another signature was taken"
fi
sed 's/^/    /' refusal
grep -q HP-SIGNATURE refusal || failed "refused for another reason"
await_new out "good night, moon"

show kill -s RTMIN+12 "$pid"
echo "\$ echo \"revert all\" > \$HOTPATCH_DIR/\$pid.fifo"
echo "revert all" >"$HOTPATCH_DIR/$pid.fifo"
await_new out "hello, world"
stop "$pid"
echo "the program never stopped: $(wc -l <out) greetings"
