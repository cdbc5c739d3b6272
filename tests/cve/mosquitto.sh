# mosquitto.sh - the broker of mosquitto, with messages of each quality of service
# shellcheck disable=SC2034,SC2154,SC2046,SC2086,SC2012,SC2016 # names and words of recipes
# shellcheck shell=sh
package=mosquitto
binary=obj/src/mosquitto
build_dir=obj
port=27883

first_compile()
{
    cmake -S . -B obj -DCMAKE_BUILD_TYPE=None -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
        -DWITH_BUNDLED_DEPS=OFF -DWITH_ADNS=ON -DUSE_LIBWRAP=ON -DWITH_WEBSOCKETS=ON -DWITH_DLT=ON -DWITH_SYSTEMD=ON &&
        compile
}

compile()
{
    make -C obj -j"$(nproc)" mosquitto
}

ready()
{
    mosquitto_pub -h 127.0.0.1 -p $port -t ready -m ready 2>/dev/null
}

serve()
{
    printf '%s\n' "listener $port 127.0.0.1" "allow_anonymous true" "persistence true" "user root" \
        "persistence_location $work/" "max_queued_messages 100000" >"$work/mosquitto.conf"
    launch "$tree/$binary" -c "$work/mosquitto.conf"
    until_true ready
}

# Each number of a batch comes back to a durable subscriber, once and in order.
press()
{
    seq 1 500 >"$work/sent"
    for qos in 1 2; do
        subscriber $qos -E || return 1
    done
    while :; do
        for qos in 1 2; do
            timeout 30 mosquitto_pub -h 127.0.0.1 -p $port -q $qos -t cve/press/$qos/x -l <"$work/sent" || return 1
            subscriber $qos -C 500 -W 20 >"$work/received" || return 1
            cmp -s "$work/sent" "$work/received" || return 1
        done
        timeout 30 mosquitto_pub -h 127.0.0.1 -p $port -t cve/press/0 -l <"$work/sent" || return 1
    done
}

subscriber()
{
    qos=$1
    shift
    mosquitto_sub -h 127.0.0.1 -p $port -q "$qos" -t "cve/press/$qos/#" -i "press$qos" -c "$@"
}

# says OPTIONS: one message to a durable subscriber of another session comes back.
says()
{
    topic=cve/$1
    mosquitto_sub -h 127.0.0.1 -p $port -q "$2" -t "$topic" -i "answers$1" -c -V "$3" -E >/dev/null 2>&1 || return 1
    mosquitto_pub -h 127.0.0.1 -p $port -q "$2" -t "$topic" -m "text of $1" -V "$3" || return 1
    answer=$(mosquitto_sub -h 127.0.0.1 -p $port -q "$2" -t "$topic" -i "answers$1" -c -V "$3" -C 1 -W 5 2>&1)
    [ "$answer" = "text of $1" ] || {
        note "a subscriber of $topic got '$answer'"
        return 1
    }
}

answers()
{
    says one$(now_ms) 1 mqttv311 && says two$(now_ms) 2 mqttv311 && says five$(now_ms) 1 mqttv5 &&
        mosquitto_pub -h 127.0.0.1 -p $port -r -t cve/retained -m kept &&
        [ "$(mosquitto_sub -h 127.0.0.1 -p $port -t cve/retained -C 1 -W 5)" = kept ] &&
        mosquitto_pub -h 127.0.0.1 -p $port -r -t cve/retained -n
}

quit()
{
    kill "$pid"
}

# The package's tests start the broker themselves: they start one that loads the patch before main.
fix_test()
{
    files=$(sed -n 's/^+++ [^/]*\/test\/broker\/\([0-9][^/ \t]*\.py\).*/\1/p' "$work/fix.patch")
    [ -n "$files" ] || return 2
    rm -rf "$work/test"
    cp -r "$full/test" "$work/test"
    printf '#!/bin/sh\nHOTPATCH_DIR=%s HOTPATCH_PATCH=%s LD_PRELOAD=%s exec %s "$@"\n' "$work/run" "$1" \
        "$build/libhotpatch_preload.so" "$tree/$binary" >"$work/mosquitto"
    chmod +x "$work/mosquitto"
    sed -i "s|/usr/sbin/mosquitto|$work/mosquitto|; s|\.\./\.\./src/mosquitto|$work/mosquitto|" "$work/test/"*.py "$work/test/broker/"*.py
    for file in $files; do
        (cd "$work/test/broker" && timeout 60 /usr/bin/python3 "./$file") >>"$work/fix_test" 2>&1 || return 1
    done
}
