#!/bin/sh
# postgresql.sh - a process for every connection, forked by one whose user is not root.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=postgresql
wraps="recv send strlen"
own_switching=yes
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

# Transactions through connections that stay, beside others that make one each. Every transaction
# leaves a line in a table, and all sums must agree.
work()
{
    before=$(sql -c 'select count(*) from pgbench_history')
    pgbench -n -T "$1" -C -c 1 -h "$work/db" -U postgres postgres >"$work/connects.log" 2>&1 &
    connects=$!
    pgbench -n -T "$1" -c 3 -h "$work/db" -U postgres postgres >"$work/pgbench.log" 2>&1 &
    bench=$!
    if [ "$mode" = switching ]; then
        until_true "pgbench does not connect" three_backends
        # shellcheck disable=SC2046 # one argument per process
        start_switching "$pid" $(backends)
        sleep $(($1 - 1))
        stop_switching
    elif [ "$mode" = idle ] && [ -e "$work/parts" ]; then
        seq -f 'select %g;' 1000 >&7
    fi
    wait $connects || fail "pgbench -C failed"
    wait $bench || fail "pgbench failed"
    for each in connects pgbench; do
        grep -q '^number of failed transactions: 0 ' "$work/$each.log" || fail "transactions failed"
    done
    processed=$(cat "$work/connects.log" "$work/pgbench.log" |
        sed -n 's/^number of transactions actually processed: //p' | awk '{ sum += $1 } END { print sum }')
    [ "$(sql -c 'select count(*) from pgbench_history')" -eq $((before + processed)) ] ||
        fail "transactions are lost"
    [ "$(sql -c "select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from
        pgbench_history) and (select sum(bbalance) from pgbench_branches) = (select sum(delta) from
        pgbench_history)")" = t ] || fail "the sums do not agree"
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
    # A backend that has not seen yet that its client is gone would complain of the end.
    until_true "a backend stays" no_backends
    kill -INT "$pid"
    exits_with 0 "$pid"
    ! grep -E '(ERROR|FATAL|PANIC|WARNING):|terminated by' "$log" | grep -v 'starting up$' >&2 ||
        fail "postgres complains"
}

scenario
