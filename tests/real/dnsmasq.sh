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
    until_true "dnsmasq does not answer" dns 0 5353
}

work()
{
    dns "$1" 5353 || fail "queries are lost or answered wrongly"
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
