#!/bin/sh
# rsync.sh - a daemon whose child for each transfer goes into the module's directory as its root, as another
# user.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=rsync
wraps="read write"
module=$real/module
slow=

serve()
{
    if [ ! -d "$module" ]; then
        mkdir -m 755 "$module" "$module/files"
        for i in 1 2 3 4 5 6 7 8; do
            head -c 300000 /dev/urandom >"$module/files/$i"
        done
        head -c 100000000 /dev/zero | tr '\0' x >"$module/large"
    fi
    cat >"$work/rsyncd.conf" <<END
port = 8730
address = 127.0.0.1
pid file = $work/pid
log file = $work/rsyncd.log
[files]
    path = $module
    use chroot = yes
    numeric ids = yes
    uid = nobody
    gid = nogroup
END
    launch rsync --daemon --no-detach "--config=$work/rsyncd.conf"
    until_true "rsync does not answer" rsync -q rsync://127.0.0.1:8730/files/
    # A child that lives as long as the mode: one transfer takes 100 s.
    rsync -q --bwlimit=1000 rsync://127.0.0.1:8730/files/large "$work/large" >"$work/slow.log" 2>&1 &
    slow=$!
    until_true "no child serves the slow transfer" child_of "$pid"
}

# The child of the slow transfer, in its root directory, as nobody: the oldest, and quick ones come and go.
child_of()
{
    jailed=$(pgrep -o -P "$1") || return 1
    [ "$(readlink "/proc/$jailed/root")" = "$module" ] && grep -q '^Uid:.65534' "/proc/$jailed/status"
}

# Files go over whole and right, one daemon's child for each time.
work()
{
    count=0
    start=$(now)
    until=$((start + $1 * 1000000000))
    while [ "$(now)" -lt $until ]; do
        rm -rf "$work/got"
        rsync -q -r rsync://127.0.0.1:8730/files/files/ "$work/got" || fail "a transfer failed"
        diff -r "$module/files" "$work/got" || fail "a transfer is wrong"
        count=$((count + 8))
    done
    rate_since $count "$start"
}

parts()
{
    child_of "$pid" || fail "the slow transfer has no child"
    echo rsync-jailed "$jailed" quiet
}

quit()
{
    child_of "$pid" || fail "the slow transfer has no child"
    kill $slow
    wait $slow
    until_true "the child does not end" ended "$jailed"
    left=$(find "$module" -name '.hotpatch*')
    [ -z "$left" ] || fail "left in the root directory: $left"
    kill -TERM "$pid"
    wait "$pid" # rsync's own status for it is 20
}

jail_scenario
