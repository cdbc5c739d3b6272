#!/bin/sh
# unbound.sh - goes into its directory as its root, as its own user, with threads.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=unbound
wraps="recvfrom sendto"
root=$real/unbound

serve()
{
    mkdir -p "$root/dev"
    cat >"$root/unbound.conf" <<END
server:
    chroot: "$root"
    directory: "$root"
    username: "nobody"
    pidfile: ""
    use-syslog: no
    logfile: ""
    interface: 127.0.0.1
    port: 5354
    num-threads: 2
    do-daemonize: no
    module-config: "iterator"
    local-zone: "real.test." redirect
    local-data: "real.test. A 192.0.2.7"
remote-control:
    control-enable: no
END
    launch unbound -d -c "$root/unbound.conf"
    until_true "unbound does not answer" dns 0 5354
}

work()
{
    dns "$1" 5354 || fail "queries are lost or answered wrongly"
}

parts()
{
    [ "$(readlink "/proc/$pid/root")" = "$root" ] || fail "it is not in its root directory"
    echo unbound-jailed "$pid" busy
}

quit()
{
    left=$(find "$root" -name '.hotpatch*')
    [ -z "$left" ] || fail "left in the root directory: $left"
    kill -TERM "$pid"
    exits_with 0 "$pid"
}

jail_scenario
