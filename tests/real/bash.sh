#!/bin/sh
# bash.sh - one process without threads of its own, that forks all the time.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=bash
wraps="read strlen"
# Faults, not files: while the dynamic linker reads a file it has a descriptor open in this process,
# and a shell that says `exec 3<file` just then takes that number; see libhotpatch_preload(7), NOTES.
switches=read=-1:EIO

serve()
{
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
    echo quit >&5
    exits_with 0 "$pid"
    exec 5>&- 6>&-
    [ ! -s "$log" ] || fail "bash complains"
}

scenario
