#!/bin/sh
# bash.sh - one process without threads of its own, that forks all the time.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=bash
wraps="read strlen"
# Faults, not files: while the dynamic linker reads a file it has a descriptor open in this process,
# and a shell that says `exec 3<file` just then takes that number; see libhotpatch_preload(7), NOTES.
switches=read=-1:EIO
entries=bash

serve()
{
    if [ "$mode" = entries ]; then
        mkfifo "$work/lines"
        # Until the end it has a reader; and it is small, so that what was switched is soon seen.
        exec 5<>"$work/lines"
        /usr/bin/python3 -c 'import fcntl; fcntl.fcntl(5, fcntl.F_SETPIPE_SZ, 4096)'
        launch /bin/bash "$real/tests/echoes" "$work/lines" "$work/stop"
        return
    fi
    mkfifo "$work/in" "$work/out"
    # Opened for both ways, so that neither waits for the other's end.
    exec 5<>"$work/in" 6<>"$work/out"
    launch /bin/bash "$real/tests/chores" "$work"
    ask 0
}

ask()
{
    echo "$1" >&5
    timeout $(($1 + 20)) head -n 1 <&6 >"$work/answer" || fail "no answer"
    rate=$(cat "$work/answer")
    case $rate in
    '' | *[!0-9]*) fail "$rate" ;;
    esac
}

# It is its own load.
press()
{
    sleep 0.2
}

exchange()
{
    exchanging "stream:$work/lines" =,replaced,wrapped -- "$pid"
}

work()
{
    ask "$1"
}

parts()
{
    echo bash "$pid" busy
}

quit()
{
    if [ "$mode" = entries ]; then
        touch "$work/stop"
        cat "$work/lines" >/dev/null &
        exec 5>&-
        exits_with 0 "$pid"
        [ ! -s "$log" ] || fail "bash complains"
        return
    fi
    echo quit >&5
    exits_with 0 "$pid"
    exec 5>&- 6>&-
    [ ! -s "$log" ] || fail "bash complains"
}

scenario
