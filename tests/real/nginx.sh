#!/bin/sh
# nginx.sh - nginx becomes a daemon, its workers change their user; a reload makes new workers,
# which inherit what the master has.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=nginx
wraps="recv writev epoll_wait"
entries=nginx
url=http://127.0.0.1:8080/page

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
    log_format status \$status;
    access_log $work/access.log status;
    client_body_temp_path $work/t1;
    proxy_temp_path $work/t2;
    fastcgi_temp_path $work/t3;
    uwsgi_temp_path $work/t4;
    scgi_temp_path $work/t5;
    server { listen 127.0.0.1:8080; root $work/www; }
}
END
    # A directory of root's, which is not for the workers.
    [ "$mode" != entries ] || export HOTPATCH_DIR="$work/dir"
    launch nginx -c "$work/nginx.conf"
    exits_with 0 "$pid"
    until_true "nginx does not answer" answers $url
    pid=$(cat "$work/nginx.pid")
}

work()
{
    http "$1" $url
}

# wrk counts what has come when its time is over; what it was waiting for then it gives up.
press()
{
    wrk -t 1 -c 4 -d 2s $url >"$work/wrk.log" 2>&1 || fail "wrk gave up"
    ! grep -E 'Socket errors|Non-2xx' "$work/wrk.log" >&2 || fail "requests failed"
    pressed=$((pressed + $(sed -n 's/^ *\([0-9]*\) requests in .*/\1/p' "$work/wrk.log")))
    given_up=$((given_up + 4))
}

exchange()
{
    year=$(date +%Y)
    # shellcheck disable=SC2046 # one argument per process
    exchanging http:8080 "/page=200 $year,201 $year,200 $year" "/page?probe=1=200 $year,201 $year,204 $year" \
        -- $(children "$pid")
}

# As many lines as requests, and nothing but the three answers.
logged()
{
    awk -v least=$((pressed + answers)) -v most=$((pressed + answers + given_up + 100)) '
        { count[$1]++ }
        END {
            right = count[200] + count[201] + count[204]
            print NR, "requests logged,", NR - right, "of them errors, at least", least, "were answered"
            exit !(right == NR && NR >= least && NR <= most && count[200] && count[201] && count[204])
        }' "$work/access.log" >"$work/count.log" || fail "requests are lost"
}

parts()
{
    echo nginx-master "$pid" quiet
    for worker in $(children "$pid"); do
        [ "$(stat -c %U "/proc/$worker")" = www-data ] || fail "a worker is not www-data's"
        echo nginx-worker "$worker" busy
    done
}

# reload PATCH NAME: new workers have the master's layer, and it can be taken out there.
reload()
{
    hotpatch load "$pid" "$1" >/dev/null || fail "load in the master"
    old=$(children "$pid")
    kill -HUP "$pid"
    until_true "no new workers" new_workers
    [ "$mode" != entries ] || status_is 201
    for worker in $(children "$pid"); do
        hotpatch status "$worker" >"$work/status" || fail "status of a new worker"
        grep -q "$2" "$work/status" || fail "a new worker did not inherit the layer"
        hotpatch revert "$worker" "$2" >/dev/null || fail "revert in a new worker"
    done
    work 1
    [ "$mode" != entries ] || status_is 200
}

status_is()
{
    ab -v 4 -n 1 $url 2>&1 | grep -q "^HTTP/1.1 $1 " || fail "the answer is not $1"
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
    case $mode in
    idle)
        reload "$real/patches/plain.so" wrap
        outcome nginx-inherited apply
        ;;
    entries)
        # shellcheck disable=SC2046 # one argument per process
        wrap_all nginx $(children "$pid")
        logged
        reload "$real/patches/replace.so" entries
        outcome nginx-entries-inherited apply
        ;;
    esac
    kill -QUIT "$pid"
    until_true "nginx does not end" ended "$pid"
    ! grep -E '\[(warn|error|crit|alert|emerg)\]|exited on signal' "$work/error.log" >&2 ||
        fail "nginx complains"
}

scenario
