#!/bin/sh
# callers.sh - what the functions of well-known programs and libraries must keep for their callers, and
# what it costs to find out (callers.c). Programs that are not installed are named and left out.
set -u

set -- /usr/bin/redis-server /usr/sbin/nginx /usr/lib/postgresql/*/bin/postgres /usr/bin/memcached \
    /usr/bin/bash /lib/x86_64-linux-gnu/libc.so.6 "$(readlink -f /usr/bin/python3)" \
    /usr/lib/x86_64-linux-gnu/libstdc++.so.6
missing=
for file in "$@"; do
    shift
    if [ -r "$file" ]; then
        set -- "$@" "$file"
    else
        missing="$missing $file"
    fi
done
[ -z "$missing" ] || echo "callers: not installed:$missing"
exec "$HOTPATCH_BUILD/bench/callers" "$@"
