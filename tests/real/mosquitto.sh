#!/bin/sh
# mosquitto.sh - every published message reaches the subscriber, once and in its order.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=mosquitto
wraps="read write epoll_wait"
batch=5000

serve()
{
    cat >"$work/mosquitto.conf" <<END
listener 1883 127.0.0.1
allow_anonymous true
user mosquitto
max_queued_messages 0
persistence false
END
    launch mosquitto -c "$work/mosquitto.conf"
    until_true "mosquitto does not answer" mosquitto_pub -t first -n
}

work()
{
    seq $batch >"$work/sent"
    done=0
    start=$(now)
    while [ $(($(now) - start)) -lt $(($1 * 1000000000)) ]; do
        topic=real/$done
        : >"$work/received"
        # A message that is kept for late subscribers tells this one that it is there.
        mosquitto_pub -q 1 -r -t $topic -m 0 2>>"$work/client.log" || fail "mosquitto_pub failed"
        timeout 30 mosquitto_sub -q 2 -t $topic -C $((batch + 1)) >"$work/received" 2>>"$work/client.log" &
        subscriber=$!
        until_true "no subscription" grep -q . "$work/received"
        mosquitto_pub -q 2 -t $topic -l <"$work/sent" 2>>"$work/client.log" || fail "mosquitto_pub failed"
        wait $subscriber || fail "messages are lost"
        tail -n +2 "$work/received" | cmp -s - "$work/sent" || fail "messages are wrong or out of order"
        done=$((done + batch))
    done
    rate_since $done "$start"
}

parts()
{
    echo mosquitto "$pid" busy
}

quit()
{
    kill -TERM "$pid"
    exits_with 0 "$pid"
}

scenario
