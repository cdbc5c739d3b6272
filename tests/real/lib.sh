# lib.sh - what the scenarios share; sourced by each of them, which tests/real/run starts.
# shellcheck shell=sh disable=SC2034,SC2154 # set here or there, used there or here
#
# A scenario runs as root in namespaces of its own (mounts, network, processes), so its ports are
# free and what it leaves dies with it. /run/real holds the products, these files and a scratch
# directory. It sets `name`, `wraps` (the functions that its program calls all the time), maybe
# `switches` (NAME=RETVAL: what is switched all the time is a fault, not a patch file), and defines
#
#   serve      starts the daemon with `launch`, returns when it answers; sets $pid
#   work S     about S seconds of load; sets $rate (what was done per second); fails the scenario
#              if anything was lost or wrong
#   quit       ends the daemon as its administrator would
#   parts      prints a line for each process to be patched: ROW of real.tsv, PID, and `busy`
#              where the load makes it call every function of $wraps, else `quiet`
#
# and calls `scenario` at its end: bare, under an idle shim, and under one that switches. With $entries,
# functions of the program itself are then exchanged, by entries_$entries.c; for that a scenario defines
#
#   press      a second or two of load, added to $pressed; fails the scenario as `work` does
#   exchange   calls `exchanging` with what is asked, and the processes: see entries.py
#
# and $entry_at where the function has no name.

real=/run/real
PATH=$real/bin:$PATH:/usr/sbin
export PATH
unset LD_PRELOAD HOTPATCH_DIR HOTPATCH_PATCH HOTPATCH_SIGNAL HOTPATCH_INCLUDE HOTPATCH_EXCLUDE \
    HOTPATCH_DISABLE XDG_RUNTIME_DIR
work=$real/work
shim_log=$work/shim.log
log=$work/log
seconds=${HOTPATCH_REAL_SECONDS:-3}
switching_seconds=${HOTPATCH_REAL_SWITCHING_SECONDS:-10}
per_second=100
cycles=${HOTPATCH_REAL_CYCLES:-1000}
rounds=${HOTPATCH_REAL_ROUNDS-}
mode=none
as=
own_switching=
entries=
entry_at=
switcher=
switched=

fail()
{
    echo "FAILED: $name ($mode): $*" >&2
    for file in "$work"/*log; do
        if [ -s "$file" ]; then
            echo "-- the end of $file:" >&2
            tail -n 15 "$file" >&2
        fi
    done
    exit 1
}

# until_true WHAT COMMAND...: up to 20 s.
until_true()
{
    what=$1
    shift
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 400 ] || fail "$what"
        sleep 0.05
    done
}

# launch COMMAND...: in the background, with the shim or bare; sets $pid.
launch()
{
    if [ $mode = bare ]; then
        $as "$@" >>"$log" 2>&1 </dev/null &
    else
        HOTPATCH_LOG=error HOTPATCH_LOG_FILE=$shim_log $as hotpatch run "$@" >>"$log" 2>&1 </dev/null &
    fi
    pid=$!
}

# ended PID: the process is gone, or waits for its parent's attention.
ended()
{
    ! readlink "/proc/$1/exe" >/dev/null
}

# exits_with STATUS PID: a child of this shell.
exits_with()
{
    until_true "process $2 does not end" ended "$2"
    wait "$2"
    status=$?
    [ $status -eq "$1" ] || fail "exit status $status, not $1"
}

children()
{
    cat /proc/"$1"/task/*/children
}

# An image of a moment: nanoseconds.
now()
{
    date +%s%N
}

# per_second_since COUNT START
rate_since()
{
    rate=$(($1 * 1000000000 / ($(now) - $2)))
}

# compile_patch OUTPUT SOURCE FLAG...
compile_patch()
{
    output=$1
    source=$2
    shift 2
    cc -O2 -Wall -Wextra -I"$real" -shared -fPIC -Wl,--build-id "$@" -o "$output" "$real/tests/$source" ||
        fail "the patch does not compile"
}

# compile OUTPUT FLAG...: the patch that wraps $wraps.
compile()
{
    output=$1
    shift
    for function in $wraps; do
        set -- "$@" "-DWRAP_$function"
    done
    compile_patch "$output" wrap.c "$@"
}

# ---- rows of real.tsv ----

expected()
{
    awk -F '\t' -v id="$1" '$1 == id { print $4 }' "$real/tests/real.tsv"
}

# outcome ROW GOT [MORE]: is it what real.tsv says?
outcome()
{
    [ -n "$(expected "$1")" ] || fail "real.tsv has no row $1"
    [ "$2" = "$(expected "$1")" ] || fail "row $1: expected $(expected "$1"), got $2"
    printf '    %-22s %s\n' "$1" "$2${3:+   $3}"
    echo "$1" >>"$real/rows"
}

# apply ROW PID busy|quiet: loads the proof, sees that the calls come through it, takes it out.
apply()
{
    patch=$real/patches/plain.so
    [ "$3" = quiet ] || patch=$real/patches/proof.so
    if hotpatch load "$2" "$patch" >"$work/load" 2>&1; then
        work 1
        hotpatch revert "$2" wrap >"$work/load" 2>&1 || fail "row $1: $(cat "$work/load")"
        outcome "$1" apply
    else
        code=$(grep -o 'HP-[A-Z0-9-]*' "$work/load" | head -n 1)
        outcome "$1" "${code:-no code: $(cat "$work/load")}"
        sed 's/^/        /' "$work/load"
    fi
}

refused_here()
{
    [ "$(expected "$1")" != apply ]
}

# ---- the three ways ----

start_switching()
{
    rm -f "$work/stop"
    /usr/bin/python3 "$real/tests/switcher.py" "${switches:-$real/patches/plain.so}" $per_second "$work/stop" "$@" \
        >"$work/switched" 2>"$work/switcher.log" &
    switcher=$!
}

stop_switching()
{
    touch "$work/stop"
    wait "$switcher" || fail "the switcher stopped"
    switched=$(cat "$work/switched")
}

# exchanging ASKED PROBE... -- PID...
exchanging()
{
    /usr/bin/python3 "$real/tests/entries.py" "$cycles" "$real/patches/replace.so" "$real/patches/wrap.so" "$@" \
        >"$work/exchanged" 2>"$work/exchange.log"
}

# Both at once: the load, and the cycles under it.
press_and_exchange()
{
    exchange &
    exchanger=$!
    until ended $exchanger; do
        press
    done
    wait $exchanger || fail "no exchange"
}

# wrap_all OBJECT PID...: each function of the program, which the processes run, under load.
wrap_all()
{
    hotpatch slots --json --kind=entry "$2" | /usr/bin/python3 "$real/tests/wrap_all.py" "$1" >"$real/tests/all.c"
    shift
    compile_patch "$real/patches/all.so" all.c -O0
    wrap_all_of "$@" >"$work/all" 2>"$work/all.log" &
    wrapper=$!
    until ended $wrapper; do
        press
    done
    wait $wrapper || fail "not all functions are wrapped"
    outcome "$entries-all" apply "$(sed -n 's/^applied.*: \(.*\) slots .*/\1 functions/p' "$work/all" | head -n 1)"
}

wrap_all_of()
{
    for round in 1 2 3; do
        for one; do
            hotpatch load --timeout=20000 "$one" "$real/patches/all.so" || return
        done
        sleep 1
        for one; do
            hotpatch revert "$one" all || return
        done
    done
}

run_entries()
{
    mode=entries
    fresh
    serve
    pressed=0
    press_and_exchange
    read -r exchanges took kb answers <"$work/exchanged"
    how=$(awk -v cycles="$exchanges" -v took="$took" -v kb="$kb" -v answers="$answers" -v pressed="$pressed" \
        'BEGIN { printf "%d cycles, %d/s; %d answers seen; load %d /s; %d kB each", cycles, cycles / took,
            answers, (pressed ? pressed : answers) / took, kb }')
    outcome "$entries-entries" apply "$how"
    reachable
    quit
    clean
}

reachable()
{
    parts >"$work/parts"
    hotpatch ps >"$work/ps" || fail "hotpatch ps failed"
    while read -r row part _; do
        ! refused_here "$row" || continue
        hotpatch status "$part" >"$work/status" 2>&1 || fail "status of $row: $(cat "$work/status")"
        grep -q -w "$part" "$work/ps" || fail "hotpatch ps does not list $row"
    done <"$work/parts"
}

clean()
{
    hotpatch ps >/dev/null || fail "hotpatch ps failed"
    left=$(find /run/hotpatch /tmp/hotpatch-* "${HOTPATCH_DIR:-/run/hotpatch}" ! -type d 2>/dev/null)
    [ -z "$left" ] || fail "left behind: $left"
    [ ! -s "$shim_log" ] || fail "the shim complains"
    left=$(pgrep -d ' ' -x hotpatch)
    [ -z "$left" ] || fail "processes left behind: $left"
}

apply_parts()
{
    parts >"$work/parts"
    while read -r row part busy <&9; do
        apply "$row" "$part" "$busy"
    done 9<"$work/parts"
}

fresh()
{
    rm -rf "$work"
    mkdir -m 755 "$work"
    : >"$shim_log"
    chmod 666 "$shim_log"
}

run_mode()
{
    mode=$1
    fresh
    serve
    case $mode in
    bare)
        work "$seconds"
        bare=$rate
        ;;
    idle)
        work "$seconds"
        idle=$rate
        [ -n "$rounds" ] || apply_parts
        ;;
    switching)
        if [ -z "$own_switching" ]; then
            # shellcheck disable=SC2046 # one argument per process
            start_switching $(parts | while read -r row part _; do refused_here "$row" || echo "$part"; done)
        fi
        work "$switching_seconds"
        [ -n "$own_switching" ] || stop_switching
        switching=$rate
        ;;
    esac
    [ "$mode" = bare ] || reachable
    quit
    [ "$mode" = bare ] || clean
}

prepare()
{
    mkdir -p "$real/patches"
    compile "$real/patches/plain.so"
    compile "$real/patches/proof.so" -DPROOF
    [ -n "$entries" ] || return
    set -- "entries_$entries.c" "-DTARGET=\"$entry_at\""
    compile_patch "$real/patches/replace.so" "$@" '-DTEXT="replaced"'
    compile_patch "$real/patches/wrap.so" "$@" '-DTEXT="wrapped"' -DWRAP
}

# For the benchmark: the three ways in turn, many times, and what each round measured. What is
# switched is a fault, so that the switches are what is measured and not the reading of files.
in_turn()
{
    switches=${wraps%% *}=-1:EIO
    while [ "$rounds" -gt 0 ]; do
        for each in bare idle switching; do
            run_mode $each
        done
        echo "round $bare $idle $switching"
        rounds=$((rounds - 1))
    done
}

scenario()
{
    prepare
    if [ -n "$rounds" ]; then
        in_turn
        return
    fi
    for each in bare idle switching; do
        run_mode $each
    done
    awk -v name="$name" -v bare="$bare" -v idle="$idle" -v switching="$switching" -v how="$switched" \
        'BEGIN { printf "%-16s %10d /s  %5.2f  %5.2f   %s\n", name, bare, idle / bare, switching / bare, how }'
    [ -z "$entries" ] || run_entries
}

# What switches 100 times a second writes to a FIFO, which a process in a jail does not have.
jail_scenario()
{
    prepare
    for each in bare idle; do
        run_mode $each
    done
    awk -v name="$name" -v bare="$bare" -v idle="$idle" \
        'BEGIN { printf "%-16s %10d /s  %5.2f      -   in a jail: not switched\n", name, bare, idle / bare }'
}

# ---- loads that several use ----

# http SECONDS URL: with ab, which counts answers that fail or have another length.
http()
{
    ab -q -k -c 8 -t "$1" -n 100000000 "$2" >"$work/ab.log" 2>&1 || fail "ab gave up"
    grep -q '^Failed requests: *0$' "$work/ab.log" || fail "requests failed"
    ! grep -q '^Non-2xx' "$work/ab.log" || fail "answers are errors"
    rate=$(sed -n 's/^Requests per second: *\([0-9]*\).*/\1/p' "$work/ab.log")
    [ -n "$rate" ] || fail "ab measured nothing"
}

answers()
{
    ab -q -n 1 "$1" 2>&1 | grep -q '^Failed requests: *0$'
}

# dns SECONDS PORT: with dnsperf, which counts queries that are lost; 0: each query once.
dns()
{
    seq -f 'host%g.real.test A' 1 1000 >"$work/queries"
    if [ "$1" -eq 0 ]; then
        set -- "$2" -n 1
    else
        set -- "$2" -l "$1"
    fi
    dnsperf -s 127.0.0.1 -c 4 -q 20 -d "$work/queries" -p "$@" >"$work/dnsperf.log" 2>&1 &&
        grep -q 'Queries lost: *0 ' "$work/dnsperf.log" &&
        grep -q 'Response codes: *NOERROR [0-9]* (100.00%)' "$work/dnsperf.log" || return 1
    rate=$(sed -n 's/^ *Queries per second: *\([0-9]*\).*/\1/p' "$work/dnsperf.log")
}
