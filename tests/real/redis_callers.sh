#!/bin/sh
# redis_callers.sh - every function that redis-server exports is wrapped by one that overwrites all registers
# that the ABI lets it, as clobber_all.py says, and every reply is what it was. With an engine that has
# no keeping stubs the replies are others, or there are none.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=redis-callers
replies=30000

serve_at()
{
    rm -rf "$work/data"
    mkdir -p "$work/data"
    "$@" redis-server --port 0 --unixsocket "$work/socket" --dir "$work/data" --save "" \
        --enable-debug-command yes >"$work/server.log" 2>&1 &
    pid=$!
    until_true "redis-server does not answer" sh -c "redis-cli -s $work/socket ping | grep -q PONG"
}

end_server()
{
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
}

# The functions that the newest refusals name.
refused()
{
    sed -n 's/.*HP-CALLERS: .*callers of \([A-Za-z0-9_]*\) rely.*/\1/p; s/.*it replaces \([A-Za-z0-9_]*\) twice.*/\1/p' \
        "$work/dry.log"
}

# All that are not refused.
make_patch()
{
    skipped=
    for _ in 1 2 3 4 5 6 7 8 9; do
        # shellcheck disable=SC2086 # names, one word each
        python3 "$real/tests/clobber_all.py" "$(command -v redis-server)" $skipped >"$work/patch.c" ||
            fail "no patch"
        gcc -w -O1 -fPIC -shared -I"$real" -o "$work/patch.so" "$work/patch.c" || fail "gcc"
        hotpatch load "$pid" --dry-run "$work/patch.so" >"$work/dry.log" 2>&1 && return
        [ -n "$(refused)" ] || break
        skipped="$skipped $(refused | tr '\n' ' ')"
    done
    fail "the patch is refused: $(head -n 3 "$work/dry.log")"
}

ask()
{
    timeout 60 python3 "$real/tests/redis_replies.py" "$work/socket" 1 $replies >"$work/$1" 2>>"$work/client.log"
}

mkdir -p "$work"
HOTPATCH_DIR=$work/run
export HOTPATCH_DIR
mkdir -m 700 "$HOTPATCH_DIR"
serve_at env
ask bare || fail "no replies"
end_server

serve_at env LD_PRELOAD="$real/bin/libhotpatch_preload.so"
make_patch
hotpatch load "$pid" "$work/patch.so" >"$work/load.log" 2>&1 || fail "$(cat "$work/load.log")"
ask patched || fail "no replies from the patched server"
cmp "$work/bare" "$work/patched" || fail "replies are others"
keeping=$(hotpatch status "$pid" | grep -c 'keeping stub keeps')
[ "$keeping" -gt 0 ] || fail "no keeping stub stands"
end_server

serve_at env LD_PRELOAD="$real/plain/libhotpatch_preload.so"
hotpatch load "$pid" "$work/patch.so" >"$work/load.log" 2>&1 || fail "$(cat "$work/load.log")"
ask plain && cmp -s "$work/bare" "$work/plain" && fail "with plain stubs the replies are the same"
end_server

printf '%-16s %s\n' "$name" "$(grep -c '^WRAP' "$work/patch.c") functions wrapped, $(echo "$skipped" | wc -w) refused, \
$keeping keeping stubs, $replies replies equal"
