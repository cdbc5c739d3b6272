#!/bin/sh
# chromium.sh - a browser whose zygote insists on one thread, as another user and with its sandbox where that can
# be: the page that it makes is the same with an idle shim and without. scripts/setup does not install it (300 MB).
# shellcheck source=tests/real/lib.sh
. /run/real/tests/lib.sh
name=chromium
page='data:text/html,<p id=a></p><script>a.textContent=6*7</script>'
sandbox=

# dump OUTPUT
dump()
{
    mkdir -m 777 "$work/home"
    as="setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=$work/home"
    # shellcheck disable=SC2086 # several words
    launch timeout 60 chromium --headless --disable-gpu $sandbox --user-data-dir="$work/home/data" --dump-dom "$page"
    wait "$pid"
    status=$?
    cp "$log" "$1"
}

# The page alone: what it says of missing services has times and numbers in it.
shown()
{
    grep -o '<html>.*</html>' "$1"
}

mode=bare
fresh
dump "$real/bare"
if ! shown "$real/bare" | grep -q '>42<'; then
    sandbox=--no-sandbox
    fresh
    dump "$real/bare"
fi
[ $status -eq 0 ] || fail "exit status $status"
shown "$real/bare" | grep -q '>42<' || fail "the page is not made"
mode=idle
fresh
dump "$real/idle"
[ $status -eq 0 ] || fail "exit status $status"
[ "$(shown "$real/idle")" = "$(shown "$real/bare")" ] || fail "the page is another"
! grep -q '^hotpatch\[' "$real/idle" || fail "the shim complains"
# Not `clean`: chromium ends processes of its sandbox by SIGKILL, whose files stay until another start.
[ ! -s "$shim_log" ] || fail "the shim complains"
awk -v name="$name" -v how="${sandbox:-with its sandbox}" 'BEGIN { printf "%-16s %s: the same page\n", name, how }'
