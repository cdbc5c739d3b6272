#!/bin/sh
# memcached.sh - stripped, four threads, changes its user.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=memcached
wraps="read sendmsg"

serve()
{
    install -d -o nobody "$work/sockets"
    launch memcached -u nobody -s "$work/sockets/socket" -a 777 -m 64 -t 4
    until_true "memcached does not answer" /usr/bin/python3 "$real/tests/memcached.py" "$work/sockets/socket" 0
}

work()
{
    rate=$(/usr/bin/python3 "$real/tests/memcached.py" "$work/sockets/socket" "$1" 2>"$work/client.log") ||
        fail "an answer is wrong"
}

parts()
{
    echo memcached "$pid" busy
}

quit()
{
    kill -TERM "$pid"
    exits_with 0 "$pid"
}

scenario
