#!/bin/sh
# nginx.sh - nginx becomes a daemon, its workers change their user; a reload makes new workers,
# which inherit what the master has.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=nginx
wraps="recv writev epoll_wait"

serve()
{
    mkdir "$work/www"
    seq 1 1000 >"$work/www/page"
    cat >"$work/nginx.conf" <<END
daemon on;
user www-data;
worker_processes 2;
pid $work/nginx.pid;
error_log $work/error.log notice;
events { worker_connections 512; }
http {
    access_log $work/access.log;
    client_body_temp_path $work/t1;
    proxy_temp_path $work/t2;
    fastcgi_temp_path $work/t3;
    uwsgi_temp_path $work/t4;
    scgi_temp_path $work/t5;
    server { listen 127.0.0.1:8080; root $work/www; }
}
END
    launch nginx -c "$work/nginx.conf"
    exits_with 0 "$pid"
    until_true "nginx does not answer" answers http://127.0.0.1:8080/page
    pid=$(cat "$work/nginx.pid")
}

work()
{
    http "$1" http://127.0.0.1:8080/page
}

parts()
{
    echo nginx-master "$pid" quiet
    for worker in $(children "$pid"); do
        [ "$(stat -c %U "/proc/$worker")" = www-data ] || fail "a worker is not www-data's"
        echo nginx-worker "$worker" busy
    done
}

# New workers have the master's layer, and it can be taken out there.
reload()
{
    hotpatch load "$pid" "$real/patches/plain.so" >/dev/null || fail "load in the master"
    old=$(children "$pid")
    kill -HUP "$pid"
    until_true "no new workers" new_workers
    for worker in $(children "$pid"); do
        hotpatch status "$worker" >"$work/status" || fail "status of a new worker"
        grep -q wrap "$work/status" || fail "a new worker did not inherit the layer"
        hotpatch revert "$worker" wrap >/dev/null || fail "revert in a new worker"
    done
    work 1
    outcome nginx-inherited apply
}

new_workers()
{
    for worker in $old; do
        [ ! -e "/proc/$worker" ] || return 1
    done
    [ "$(children "$pid" | wc -w)" -eq 2 ]
}

quit()
{
    [ "$mode" != idle ] || reload
    kill -QUIT "$pid"
    until_true "nginx does not end" ended "$pid"
    ! grep -E '\[(warn|error|crit|alert|emerg)\]|exited on signal' "$work/error.log" >&2 ||
        fail "nginx complains"
}

scenario
