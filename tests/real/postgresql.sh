#!/bin/sh
# postgresql.sh - a process for every connection, forked by one whose user is not root.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=postgresql
wraps="recv send strlen"
own_switching=yes
entries=postgresql
as="setpriv --reuid postgres --regid postgres --init-groups"
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH

sql()
{
    psql -h "$work/db" -U postgres -d postgres -A -t -q "$@"
}

serve()
{
    install -d -o postgres -m 700 "$work/db"
    $as initdb -D "$work/db/data" -A trust --no-sync >"$work/initdb.log" 2>&1 || fail initdb
    launch postgres -D "$work/db/data" -k "$work/db" -h '' -c fsync=off
    until_true "postgres does not answer" sql -c 'select 1'
    pgbench -i -q -s 2 -h "$work/db" -U postgres postgres >"$work/pgbench.log" 2>&1 || fail "pgbench -i"
    sql -c 'create table seen (sum int); create table ended (ended bool)'
    cat >"$work/seen.sql" <<'END'
select exists (select from ended) as ended \gset
\if :ended
\set end 1 / 0
\endif
insert into seen values (4242 + 1);
END
    session=
    if [ "$mode" = idle ] && [ -z "$rounds" ]; then
        mkfifo "$work/session"
        sql >"$work/session.out" 2>&1 <"$work/session" &
        session=$!
        exec 7>"$work/session"
        echo 'select pg_backend_pid();' >&7
        until_true "no session" grep -q . "$work/session.out"
    fi
}

count="select (select count(*) from pgbench_history) + (select count(*) from seen)"
bench()
{
    pgbench -n -h "$work/db" -U postgres -b tpcb-like@9 -f "$work/seen.sql@1" "$@" postgres
}

# begin HOW-LONG...: transactions through connections that stay, beside others that make one each. Every
# transaction leaves a line in a table, and all sums must agree.
begin()
{
    before=$(sql -c "$count")
    bench "$@" -C -c 1 >"$work/connects.log" 2>&1 &
    connects=$!
    PGAPPNAME=stays bench "$@" -c 3 >"$work/pgbench.log" 2>&1 &
    stays=$!
}

# finish STATUS: what pgbench exits with.
finish()
{
    for bench in $connects $stays; do
        wait "$bench"
        [ $? -eq "$1" ] || fail "pgbench failed"
    done
    for each in connects pgbench; do
        grep -q '^number of failed transactions: 0 ' "$work/$each.log" || fail "transactions failed"
    done
    processed=$(cat "$work/connects.log" "$work/pgbench.log" |
        awk -F ': ' '/^number of transactions actually processed/ { sum += $2 } END { print sum }')
    [ "$(sql -c "$count")" -eq $((before + processed)) ] || fail "transactions are lost"
    [ "$(sql -c "select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from
        pgbench_history) and (select sum(bbalance) from pgbench_branches) = (select sum(delta) from
        pgbench_history)")" = t ] || fail "the sums do not agree"
}

work()
{
    begin -T "$1"
    if [ "$mode" = switching ]; then
        until_true "pgbench does not connect" three_backends
        # shellcheck disable=SC2046 # one argument per process
        start_switching "$pid" $(backends)
        sleep $(($1 - 1))
        stop_switching
    elif [ "$mode" = idle ] && [ -e "$work/parts" ]; then
        seq -f 'select %g;' 1000 >&7
    fi
    finish 0
    rate=$(sed -n 's/^tps = \([0-9]*\).*/\1/p' "$work/pgbench.log")
}

backends()
{
    pgrep -P "$pid" -f 'postgres: postgres .*(idle|UPDATE|SELECT|INSERT|BEGIN|COMMIT)' | head -n 3
}

three_backends()
{
    [ "$(pgrep -P "$pid" -f 'postgres: postgres ' | wc -l)" -ge 4 ] && [ "$(backends | wc -l)" -eq 3 ]
}

# The postmaster too, so that connections are made in every state; but what it has loaded stays, and
# costs each of them a moment of fork(2).
exchange()
{
    # shellcheck disable=SC2046 # one argument per process
    exchanging "lines:psql -h $work/db -U postgres -d postgres -A -t -q" 'select 4242 + 1;=4243,5000,6000' -- \
        'ask:select pg_backend_pid();' "$pid/10" $(who_stay)
}

who_stay()
{
    sql -c "select pid from pg_stat_activity where application_name = 'stays'"
}

three_stay()
{
    [ "$(who_stay | wc -l)" -eq 3 ]
}

# pgbench ends when it reads that it shall, by the one error that it may have.
press_and_exchange()
{
    begin -t 100000000
    until_true "pgbench does not connect" three_stay
    exchange || fail "no exchange"
    sql -c 'insert into ended values (true)'
    finish 2
    [ "$(grep -c 'error: division by zero' "$work/connects.log" "$work/pgbench.log" | tr '\n' ' ')" = \
        "$work/connects.log:1 $work/pgbench.log:3 " ] || fail "pgbench has other errors"
    pressed=$processed
    seen=$(sql -c 'select distinct sum from seen order by sum' | tr '\n' ' ')
    [ "$seen" = '4243 5000 6000 ' ] || fail "sums are $seen"
}

# A process that is made now has what the postmaster has.
inherit()
{
    hotpatch load "$pid" "$real/patches/replace.so" >/dev/null || fail "load in the postmaster"
    [ "$(sql -c 'select 4242 + 1')" = 5000 ] || fail "a new process did not inherit the function"
    hotpatch revert "$pid" entries >/dev/null || fail "revert in the postmaster"
    [ "$(sql -c 'select 4242 + 1')" = 4243 ] || fail "a new process has what was reverted"
    outcome postgresql-entries-inherited apply
}

no_backends()
{
    ! pgrep -P "$pid" -f 'postgres: postgres postgres ' >/dev/null
}

parts()
{
    echo postmaster "$pid" quiet
    echo postgres-checkpointer "$(pgrep -P "$pid" -f checkpointer)" quiet
    [ -z "$session" ] || echo postgres-backend "$(head -n 1 "$work/session.out")" busy
}

quit()
{
    if [ -n "$session" ]; then
        exec 7>&-
        wait "$session" || fail "the session ended badly"
        [ "$(tail -n 1 "$work/session.out")" = 1000 ] || fail "the session lost answers"
    fi
    [ "$mode" != entries ] || inherit
    # A backend that has not seen yet that its client is gone would complain of the end.
    until_true "a backend stays" no_backends
    kill -INT "$pid"
    exits_with 0 "$pid"
    ! grep -E '(ERROR|FATAL|PANIC|WARNING):|terminated by' "$log" | grep -v 'starting up$' >&2 ||
        fail "postgres complains"
}

scenario
