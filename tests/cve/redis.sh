# redis.sh - redis-server with Lua, TLS, RDB files and the cluster's sources
# shellcheck disable=SC2034,SC2154,SC2046,SC2086,SC2012,SC2016 # names and words of recipes
# shellcheck shell=sh
package=redis
binary=src/redis-server
build_dir=.
port=27379

export DEB_BUILD_MAINT_OPTIONS=hardening=+all BUILD_TLS=yes DEB_CFLAGS_MAINT_APPEND=-I/usr/include/liblzf
export DEB_LDFLAGS_MAINT_APPEND='-Wl,-no-as-needed -ldl -latomic -llzf'

# redis's makefile looks at deps/ once only.
compile()
{
    if [ -e src/redis-server ]; then
        make -C deps lua hiredis linenoise hdr_histogram || return
        rm src/redis-server
    fi
    make -j"$(nproc)" V=1 USE_SYSTEM_JEMALLOC=yes USE_SYSTEMD=yes USE_JEMALLOC=yes
}

redis()
{
    redis-cli -p $port "$@" 2>&1 | tr -d '\r'
}

ready()
{
    redis ping | grep -q PONG
}

serve()
{
    launch "$tree/$binary" --port $port --bind 127.0.0.1 --dir "$work" --save "" --enable-debug-command yes
    until_true ready
}

press()
{
    while :; do
        redis-benchmark -p $port -c 8 -P 4 -n 20000 -q -t ping,set,get,incr,lpush,lpop,sadd,hset,zadd,lrange_100 >"$work/benchmark" 2>&1 ||
            return 1
        ! grep -i error "$work/benchmark" || return 1
    done
}

# says WORDS... = ANSWER
says()
{
    answer=$(redis $1 | tr '\n' ' ')
    [ "$answer" = "$2 " ] || {
        note "'$1' is answered '$answer'"
        return 1
    }
}

answers()
{
    says "set cve:key value" OK && says "get cve:key" value &&
        says "del cve:hll cve:zset cve:stream cve:list" "$(redis del cve:none >/dev/null; redis exists cve:hll cve:zset cve:stream cve:list)" &&
        says "pfadd cve:hll a b c" 1 && says "pfcount cve:hll" 3 &&
        says "eval return{string.rep('a',3),tostring(2+2),math.max(7,9)} 0" "aaa 4 9" &&
        says "zadd cve:zset 1 one 2 two" 2 && says "zrange cve:zset 0 -1" "one two" &&
        says "xadd cve:stream 1-1 field value" 1-1 && says "xlen cve:stream" 1 &&
        says "acl whoami" default && says "acl setuser cve on >secret ~key:* +get" OK && says "acl deluser cve" 1 &&
        says "rpush cve:list 1 2 3" 3 && says "debug reload" OK && says "lrange cve:list 0 -1" "1 2 3" &&
        says "pfcount cve:hll" 3 && says "keys cve:k[e]y" cve:key
}

quit()
{
    redis shutdown nosave >/dev/null
}

# The package's own tests, against a server that runs already. Some start servers of their own (integration/, modules).
fix_test()
{
    files=$(sed -n 's/^+++ [^/]*\/tests\/\(unit\/[^/ \t]*\)\.tcl.*/\1/p' "$work/fix.patch")
    [ -n "$files" ] || return 2
    test_names >"$work/test_names"
    set --
    for file in $files; do
        set -- "$@" --single "$file"
    done
    while read -r name; do
        set -- "$@" --only "$name"
    done <"$work/test_names"
    [ -s "$work/test_names" ] || return 2
    mkdir -p "$work/suite"
    cp -r "$full/tests" "$full/runtest" "$work/suite/"
    ln -sfn "$tree/src" "$work/suite/src"
    (cd "$work/suite" && timeout 300 ./runtest --host 127.0.0.1 --port $port "$@") >"$work/fix_test" 2>&1
    status=$?
    grep -q -E '(ok|err|exception)[^]]*\]: ' "$work/fix_test" || return 2
    return $((status != 0))
}

test_names()
{
    sed -n 's/^+ *test [{"]\(.*\)[}"] *{.*/\1/p' "$work/fix.patch"
}
