#!/bin/sh
# haproxy.sh - a master, and a worker that changes its user; what comes in goes out to itself.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=haproxy
wraps="recv send epoll_wait"

serve()
{
    cat >"$work/haproxy.cfg" <<END
global
    user nobody
    group nogroup
    maxconn 500
    nbthread 2
$chroot
defaults
    mode http
    timeout connect 5s
    timeout client 20s
    timeout server 20s
frontend outside
    bind 127.0.0.1:8082
    default_backend inside
backend inside
    server one 127.0.0.1:8083
frontend answer
    bind 127.0.0.1:8083
    http-request return status 200 content-type text/plain string "one answer for every question"
END
    launch haproxy -W -f "$work/haproxy.cfg"
    until_true "haproxy does not answer" answers http://127.0.0.1:8082/
}

work()
{
    http "$1" http://127.0.0.1:8082/
}

parts()
{
    echo haproxy-master "$pid" quiet
    echo haproxy-worker "$(children "$pid" | tr -d ' ')" busy
}

# SIGUSR1 is haproxy's own word for a soft stop.
quit()
{
    kill -USR1 "$pid"
    exits_with 0 "$pid"
}

chroot=
scenario

# Debian's configuration has a chroot that holds nothing and can be written by nobody.
mode=idle
parts()
{
    echo haproxy-chroot "$(children "$pid" | tr -d ' ')" busy
}
mkdir "$real/empty"
chroot="    chroot $real/empty"
run_mode idle
