#!/bin/sh
# redis.sh - redis-server counts, writes its append-only file, and forks to save.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=redis-server
wraps="read write epoll_wait"
entries=redis

redis()
{
    redis-cli -s "$work/socket" "$@" 2>>"$work/client.log" | tr -d '\r'
}

ready()
{
    redis ping | grep -q PONG
}

serve()
{
    launch redis-server --port 0 --unixsocket "$work/socket" --dir "$work" --save "" --appendonly yes
    until_true "redis-server does not answer" ready
}

# Every increment counts; a save is made meanwhile.
work()
{
    start=$(now)
    done=0
    redis set counter 0 >/dev/null
    redis bgsave >/dev/null
    while [ $(($(now) - start)) -lt $(($1 * 1000000000)) ]; do
        redis-benchmark -s "$work/socket" -c 8 -P 4 -n 50000 -q incr counter >"$work/benchmark.log" 2>&1 ||
            fail "redis-benchmark gave up"
        done=$((done + 50000))
    done
    rate_since $done "$start"
    [ "$(redis get counter)" = $done ] || fail "$done increments, and the counter is $(redis get counter)"
    until_true "the save does not end" saved
    redis info persistence | grep -q '^rdb_last_bgsave_status:ok' || fail "the save failed"
}

saved()
{
    redis info persistence | grep -q '^rdb_bgsave_in_progress:0'
}

press()
{
    benchmark -t ping_mbulk,get
    benchmark incr counter
    pressed=$((pressed + 75000))
    [ "$(redis get counter)" -eq $((pressed / 3)) ] || fail "the counter is $(redis get counter)"
    ! redis info commandstats | grep -v ',rejected_calls=0,failed_calls=0$' | grep cmdstat >&2 ||
        fail "commands are refused"
}

benchmark()
{
    redis-benchmark -s "$work/socket" -c 8 -P 4 -n 25000 -q "$@" >"$work/benchmark.log" 2>&1 ||
        fail "redis-benchmark gave up"
    ! grep -i error "$work/benchmark.log" >&2 || fail "answers are errors"
}

exchange()
{
    redis set probe original >/dev/null
    exchanging "lines:redis-cli -s $work/socket" ping=PONG,replaced,PONG 'get probe=original,replaced,wrapped' \
        -- "$pid"
}

parts()
{
    echo redis "$pid" busy
}

quit()
{
    redis shutdown
    exits_with 0 "$pid"
}

scenario
