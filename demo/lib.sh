# lib.sh - functions of all demos; their run.sh sources this file, with $here set to the demo's folder.
# shellcheck shell=sh
#
# A demo runs in a scratch directory with a runtime directory of its own. It waits for the output that
# it expects, never for time, and ends the processes that it started. Its exit status is 0 if all
# expected output came.

# shellcheck disable=SC2154 # `here` is the caller's
root=$(cd "$here/.." && while [ ! -e include/hotpatch.h ]; do cd .. || exit 1; done && pwd)
build=${HOTPATCH_BUILD:-build}
case "$build" in
/*) ;;
*) build=$root/$build ;;
esac
PATH=$build:$PATH
scratch=$(mktemp -d /tmp/hotpatch-demo-XXXXXX)
HOTPATCH_DIR=$scratch/run
export PATH HOTPATCH_DIR
unset HOTPATCH_PATCH HOTPATCH_LOG HOTPATCH_SIGNAL HOTPATCH_DISABLE LD_PRELOAD
started=

if [ ! -x "$build/hotpatch" ]; then
    echo "hotpatch is not built: run make first" >&2
    exit 1
fi

clean_up()
{
    for pid in $started; do
        { kill "$pid" && wait "$pid"; } 2>/dev/null
    done
    rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM
cd "$scratch" || exit 1

title()
{
    printf '\n== %s\n' "$*"
}

# show COMMAND...: print a command, then run it; a command that fails ends the demo.
show()
{
    echo "\$ $*"
    "$@" || failed "$1 exited with status $?"
}

failed()
{
    echo "NOT TRUE: $*" >&2
    if [ -s "$scratch/log" ]; then
        tail -n 20 "$scratch/log" >&2
    fi
    exit 1
}

# await FILE PATTERN: wait until a line of FILE matches, and print that line.
await()
{
    tries=0
    until line=$(grep -m 1 -e "$2" "$1" 2>/dev/null); do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || failed "$1 never said \"$2\""
        sleep 0.05
    done
    echo "    $line"
}

# await_new FILE PATTERN: the same, for lines that are written from now on.
await_new()
{
    seen=$(wc -l <"$1")
    tries=0
    until line=$(tail -n "+$((seen + 1))" "$1" | grep -m 1 -e "$2"); do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || failed "$1 does not say \"$2\" any more"
        sleep 0.05
    done
    echo "    $line"
}

# Compile as a user does: with the header only, without a library.
compile_host()
{
    show cc -O2 -g -I"$root/include" -o "$1" "$2"
}

compile_patch()
{
    show cc -O2 -g -I"$root/include" -shared -fPIC -o "$1" "$2"
}

# start LOG PROGRAM ARG...: run the program in the background with the shim; sets $pid.
start()
{
    log=$1
    shift
    echo "\$ hotpatch run $* &"
    hotpatch run "$@" >"$log" 2>"$scratch/log" </dev/null &
    pid=$!
    started="$pid $started"
}

stop()
{
    # The shell reports every job that a signal ends.
    { kill "$1" && wait "$1"; } 2>/dev/null
    started=$(echo "$started" | sed "s/\\b$1\\b//")
}
