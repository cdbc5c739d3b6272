# dnsmasq.sh - dnsmasq answers names of its own, and asks a second dnsmasq, Debian's, for others.
# shellcheck disable=SC2034,SC2154,SC2046,SC2086,SC2012,SC2016 # names and words of recipes
# shellcheck shell=sh
package=dnsmasq
binary=src/dnsmasq
build_dir=.
port=27353
upstream_port=27354

export DEB_BUILD_MAINT_OPTIONS=hardening=+all

compile()
{
    make -j"$(nproc)" all CFLAGS="$CFLAGS $CPPFLAGS" LDFLAGS="$LDFLAGS" \
        COPTS="-DHAVE_DBUS -DHAVE_LIBIDN2 -DHAVE_NFTSET -DHAVE_CONNTRACK -DHAVE_DNSSEC"
}

options="--keep-in-foreground --conf-file=/dev/null --no-hosts --no-resolv --bind-interfaces --listen-address=127.0.0.1
    --user=root --pid-file="

lookup()
{
    dig @127.0.0.1 -p $port +tries=1 +time=2 +short "$@" 2>&1 | tr '\n' ' '
}

ready()
{
    [ "$(lookup own.cve.test)" = "127.1.1.1 " ]
}

# shellcheck disable=SC2086 # options are split into words on purpose
serve()
{
    dnsmasq $options --port=$upstream_port --address=/real.test/127.2.2.2 --txt-record=text.real.test,some,text \
        --mx-host=real.test,mail.real.test,5 >"$work/upstream.log" 2>&1 &
    upstream=$!
    launch "$tree/$binary" $options --port=$port --host-record=own.cve.test,127.1.1.1,::2 --cname=alias.cve.test,own.cve.test \
        --server=127.0.0.1#$upstream_port --cache-size=20 --srv-host=_x._tcp.cve.test,own.cve.test,99
    until_true ready
}

press()
{
    {
        seq -f 'host%g.real.test A' 1 500
        printf '%s\n' 'own.cve.test A' 'own.cve.test AAAA' 'alias.cve.test A' 'text.real.test TXT' '_x._tcp.cve.test SRV'
    } >"$work/queries"
    while :; do
        dnsperf -s 127.0.0.1 -p $port -c 4 -q 10 -l 2 -d "$work/queries" >"$work/dnsperf" 2>&1 || return 1
        grep -q 'Queries lost: *0 ' "$work/dnsperf" || return 1
        grep -q 'Response codes: *NOERROR [0-9]* (100.00%)' "$work/dnsperf" || return 1
    done
}

says()
{
    answer=$(lookup $1)
    [ "$answer" = "$2 " ] || {
        note "'$1' is answered '$answer'"
        return 1
    }
}

answers()
{
    says own.cve.test 127.1.1.1 && says "own.cve.test AAAA" ::2 && says alias.cve.test "own.cve.test. 127.1.1.1" &&
        says "one$$.real.test" 127.2.2.2 && says "text.real.test TXT" '"some" "text"' &&
        says "real.test MX" "5 mail.real.test." && says "_x._tcp.cve.test SRV" "0 0 99 own.cve.test." &&
        says "-x 127.1.1.1" own.cve.test.
}

quit()
{
    kill "$pid" "$upstream"
}

fix_test()
{
    return 2
}
