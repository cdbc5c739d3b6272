#!/bin/sh
# dnsmasq.sh - closes every descriptor that it does not know, changes its user, keeps capabilities.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=dnsmasq
wraps="recvmsg sendmsg"

serve()
{
    launch dnsmasq -k -C /dev/null -u nobody -p 5353 --no-resolv --no-hosts --listen-address=127.0.0.1 \
        --bind-interfaces --address=/real.test/192.0.2.7 --pid-file="$work/pid" --log-facility=- \
        --dns-forward-max=1000
    seq -f 'host%g.real.test A' 1 1000 >"$work/queries"
    until_true "dnsmasq does not answer" dns 0
}

dns()
{
    if [ "$1" -eq 0 ]; then
        set -- -n 1 -d "$work/queries"
    else
        set -- -l "$1" -d "$work/queries"
    fi
    dnsperf -s 127.0.0.1 -p 5353 -c 4 -q 20 "$@" >"$work/dnsperf.log" 2>&1 &&
        grep -q 'Queries lost: *0 ' "$work/dnsperf.log" &&
        grep -q 'Response codes: *NOERROR [0-9]* (100.00%)' "$work/dnsperf.log"
}

work()
{
    dns "$1" || fail "queries are lost or answered wrongly"
    rate=$(sed -n 's/^ *Queries per second: *\([0-9]*\).*/\1/p' "$work/dnsperf.log")
}

parts()
{
    echo dnsmasq "$pid" busy
}

quit()
{
    kill -TERM "$pid"
    exits_with 0 "$pid"
}

scenario
