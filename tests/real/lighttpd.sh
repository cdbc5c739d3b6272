#!/bin/sh
# lighttpd.sh - one process that changes its user, and sends files.
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=lighttpd
wraps="read writev epoll_wait"

serve()
{
    mkdir "$work/www"
    seq 1 1000 >"$work/www/page"
    cat >"$work/lighttpd.conf" <<END
server.document-root = "$work/www"
server.port = 8081
server.bind = "127.0.0.1"
server.username = "www-data"
server.groupname = "www-data"
server.upload-dirs = ( "$work" )
END
    launch lighttpd -D -f "$work/lighttpd.conf"
    until_true "lighttpd does not answer" answers http://127.0.0.1:8081/page
}

work()
{
    http "$1" http://127.0.0.1:8081/page
}

parts()
{
    echo lighttpd "$pid" busy
}

quit()
{
    kill -INT "$pid"
    exits_with 0 "$pid"
}

scenario
