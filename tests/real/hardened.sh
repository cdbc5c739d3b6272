#!/bin/sh
# hardened.sh - redis-server and memcached under what Debian's units ask for, as far as it can be
# had without systemd: each kind of it alone, then all of a unit.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=hardened
mode=idle

# ---- redis-server ----

redis()
{
    redis-cli -s "$work/data/socket" "$@" 2>>"$work/client.log" | tr -d '\r'
}

ready()
{
    redis ping | grep -q PONG
}

serve_redis()
{
    install -d -o redis -m 700 "$work/data"
    # shellcheck disable=SC2086 # one argument per word
    launch $under redis-server --port 0 --unixsocket "$work/data/socket" --dir "$work/data" --save "" \
        --appendonly yes
    until_true "redis-server does not answer" ready
}

work_redis()
{
    redis set counter 0 >/dev/null
    redis-benchmark -s "$work/data/socket" -c 8 -P 4 -n 50000 -q incr counter >"$work/benchmark.log" 2>&1 ||
        fail "redis-benchmark gave up"
    [ "$(redis get counter)" = 50000 ] || fail "the counter is $(redis get counter)"
}

# Functions of its own: replaced, wrapped, and back.
entries_redis()
{
    redis set probe original >/dev/null
    step load "$real/patches/replace.so" replaced replaced
    step load "$real/patches/wrap.so" PONG wrapped
    step revert entries PONG original
}

# step VERB WHAT PING PROBE: the answers after it.
step()
{
    hotpatch "$1" "$pid" "$2" >"$work/load" 2>&1 || fail "$1 $2: $(cat "$work/load")"
    [ "$(redis ping)" = "$3" ] || fail "after $1 $2 PING is answered with $(redis ping)"
    [ "$(redis get probe)" = "$4" ] || fail "after $1 $2 the key holds $(redis get probe)"
}

quit_redis()
{
    redis shutdown
    exits_with 0 "$pid"
}

# ---- memcached ----

serve_memcached()
{
    install -d -o nobody "$work/data"
    # shellcheck disable=SC2086 # one argument per word
    launch $under memcached -u nobody -s "$work/data/socket" -a 777 -m 64 -t 4
    until_true "memcached does not answer" /usr/bin/python3 "$real/tests/memcached.py" \
        "$work/data/socket" 0
}

work_memcached()
{
    /usr/bin/python3 "$real/tests/memcached.py" "$work/data/socket" "$1" >/dev/null 2>"$work/client.log" ||
        fail "an answer is wrong"
}

quit_memcached()
{
    kill -TERM "$pid"
    exits_with 0 "$pid"
}

# ---- both ----

work()
{
    "work_$daemon" "$@"
}

# under ROW DAEMON WORD...: starts it under `hardened WORD...`, patches it under load, ends it.
under()
{
    row=$1
    daemon=$2
    shift 2
    if ! hardened "$@" -- true 2>"$real/why"; then
        echo "    $row: skipped: $(cat "$real/why")"
        echo "$row" >>"$real/rows"
        return
    fi
    fresh
    under="hardened $* --"
    "serve_$daemon"
    apply "$row" "$pid" busy
    [ -z "$entries" ] || "entries_$entries"
    hotpatch status "$pid" >/dev/null || fail "status"
    "quit_$daemon"
    clean
}

# A unit's view of the file system (ProtectSystem=strict, PrivateTmp=, ReadWritePaths=,
# NoExecPaths=/ with ExecPaths=), then its user, its rights and its filters. An operator's drop-in
# adds the directory of the library to ExecPaths=.
redis_unit()
{
    row=redis-unit
    daemon=redis
    fresh
    install -d -o redis -m 700 "$work/data"
    cat >"$work/unit" <<'END'
set -e
data=$1
shift
for path in /usr /run/real/bin "$data"; do
    mount --bind "$path" "$path"
done
mount -t tmpfs -o mode=1777,nosuid,nodev,noexec tmp /tmp
mount -o remount,bind,ro,noexec /
mount -o remount,bind,ro,noexec /run
mount -o remount,bind,ro /usr
mount -o remount,bind,ro /run/real/bin
mount -o remount,bind,noexec "$data"
exec setpriv --reuid redis --regid redis --clear-groups --bounding-set -all --inh-caps -all "$@"
END
    touch "$work/data/shim.log"
    chown redis "$work/data/shim.log"
    HOTPATCH_LOG_FILE=$work/data/shim.log unshare -m sh "$work/unit" "$work/data" \
        hardened no-new-privs "$1" address-families no-namespaces system-service -- hotpatch run redis-server --port 0 \
        --unixsocket "$work/data/socket" --dir "$work/data" --save "" --appendonly yes \
        >>"$log" 2>&1 </dev/null &
    pid=$!
    until_true "redis-server does not answer" ready
    for line in 'CapBnd:.0*' 'NoNewPrivs:.1' 'Seccomp_filters:.4'; do
        grep -q "^$line\$" "/proc/$pid/status" || fail "the unit's $line does not hold"
    done
    for path in /usr /run /; do
        ! nsenter -m -t "$pid" test -w $path || fail "$path can be written"
    done
    apply "$row" "$pid" busy
    entries_redis
    hotpatch status "$pid" >/dev/null || fail "status"
    quit_redis
    [ ! -s "$work/data/shim.log" ] || fail "the shim complains: $(cat "$work/data/shim.log")"
    clean
}

wraps="read write epoll_wait"
entries=redis
prepare
under redis-no-new-privs redis no-new-privs
under redis-mdwe redis mdwe
under redis-deny-write-execute redis no-new-privs deny-write-execute
under redis-system-service redis no-new-privs system-service
under redis-address-families redis no-new-privs address-families
under redis-no-namespaces redis no-new-privs no-namespaces
under redis-private-users redis private-users
redis_unit deny-write-execute

# memcached's unit has no SystemCallFilter=, and must let it change its user.
wraps="read sendmsg"
entries=
prepare
under memcached-no-new-privs memcached no-new-privs
under memcached-mdwe memcached mdwe
under memcached-unit memcached no-new-privs deny-write-execute address-families mdwe
