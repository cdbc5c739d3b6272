#!/bin/sh
# edit_live.sh - from the save of a C file to the first answer of the new code in a running program, beside the compiler
# alone for the same file; comparison and load; memory over 1,000 loads of different thin objects.
#
# The small program is made here. The large file is redis's server.c, where tests/cve/sources can fetch the package.
set -u

here=$(cd "$(dirname "$0")" && pwd)
build=$HOTPATCH_BUILD
PATH=$build:$PATH
work=$(mktemp -d "$HOTPATCH_DIR/edit-live.XXXXXX") || exit 1
export XDG_CACHE_HOME="$work/cache"
mkdir "$work/cache"
started=
# shellcheck disable=SC2086 # one word for each process
trap '[ -z "$started" ] || kill $started 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1

fail()
{
    echo "edit_live: $*" >&2
    exit 1
}

now()
{
    date +%s%N
}

# row WHAT MEASURED BUDGET HOW; budget 0: none
row()
{
    LC_ALL=C awk -v what="$1" -v measured="$2" -v budget="$3" -v how="$4" 'BEGIN {
        printf "%-52s %12.3f %12s  %-5s %s\n", what, measured, (budget > 0 ? sprintf("%.2f", budget) : ""),
            (budget > 0 ? (measured <= budget ? "ok" : "over") : ""), how }'
}

median()
{
    sort -n "$1" | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

# milliseconds FROM TO, both in nanoseconds
milliseconds()
{
    awk -v from="$1" -v to="$2" 'BEGIN { printf "%.2f\n", (to - from) / 1e6 }'
}

# until_line FILE PATTERN: at most two minutes
until_line()
{
    tries=0
    until grep -q "$2" "$1" 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 12000 ] || fail "no '$2' in $1: $(tail -n 3 "$1")"
        sleep 0.01
    done
}

# save FILE TEXT_FILE: as editors do, by a rename; prints the moment.
save()
{
    cp "$2" "$1.new"
    now
    mv "$1.new" "$1"
}

# rounds SOURCE PATTERN COMPILER...: edits of SOURCE, whose number stands in place of @; each in turn with the compiler.
# The program writes "ANSWER NANOSECONDS" into answers when its answer is another. Fills live, alone, compared, loaded.
rounds()
{
    source=$1
    shift
    cp "$source" template
    : >live
    : >alone
    for round in 1 2 3 4 5 6 7; do
        answer=$((1000 + round))
        sed "s/\\b1000\\b/$answer/" template >edited
        begun=$(now)
        (cd "$compile_in" && "$@" -o "$work/alone.o" "$source") >/dev/null 2>&1 || fail "the compiler"
        milliseconds "$begun" "$(now)" >>alone
        saved=$(save "$source" edited)
        until_line answers "^$answer "
        milliseconds "$saved" "$(awk -v answer=$answer '$1 == answer { print $2 }' answers)" >>live
    done
    save "$source" template >/dev/null
}

report()
{
    alone=$(median alone)
    live=$(median live)
    row "edit to live: $1" "$live" "$(awk -v alone="$alone" 'BEGIN { print 1.2 * alone + 10 }')" \
        "ms; the compiler alone $alone ms; $2"
    for part in compared loaded; do
        sed -n "s/.* live in .*$part \([0-9.]*\).*/\1/p" log >"$part"
        row "  of these: $part" "$(median $part)" 0 "ms, as watch prints them"
    done
}

# ----------------------------------------------------------- a small file ---

cat >main.c <<'END'
#include <stdio.h>
#include <time.h>
int answer(void);
int main(void)
{
    int last = 0;
    for (;;) {
        int now = answer();
        struct timespec moment;
        if (now != last) {
            clock_gettime(CLOCK_REALTIME, &moment);
            printf("%d %lld%09ld\n", last = now, (long long)moment.tv_sec, moment.tv_nsec);
            fflush(stdout);
        }
        nanosleep(&(struct timespec){0, 200000}, NULL);
    }
}
END
cat >answer.c <<'END'
#include <stdio.h>
static int calls;
int answer(void)
{
    calls++;
    return 1000;
}
END
gcc -O2 -g -o small main.c answer.c || fail "gcc"
cp answer.c answer.before
hotpatch run ./small >answers 2>&1 </dev/null &
small=$!
hotpatch watch $small --cc 'gcc -O2 -g' main.c answer.c >log 2>&1 </dev/null &
watch=$!
started="$small $watch"
until_line log "ready in"
until_line answers "^1000 "
compile_in=.
rounds answer.c gcc -O2 -g -c
report "a file of 7 lines" "7 saves"
kill "$watch" "$small"
wait "$watch" "$small" 2>/dev/null

# ------------------------------------------------------- memory over loads ---

# One thin object whose constant has 1,000 values.
cp answer.before answer.c
sed 's/1000/0x5ead5ead/' answer.c >edited
mkdir a b
cp answer.c a
cp edited b/answer.c
diff -u a/answer.c b/answer.c >fix.diff
hotpatch build --target small --cc 'gcc -O2 -g' main.c answer.c fix.diff -o fix.hpo >/dev/null || fail "hotpatch build"
python3 - <<'END' || fail "python3"
from hashlib import sha256

text = open("fix.hpo", "rb").read()
mark, word = bytes.fromhex("ad5ead5e"), b"hotpatch-thin 1\ndigest\t"
assert mark in text and word in text
digits = text.index(word) + len(word)
for number in range(1000):
    made = text.replace(mark, (number + 2000).to_bytes(4, "little"))
    parts = (made[:digits], made[digits + 64:])  # elf/thin_digest.h
    digest = sha256("".join(sha256(part).hexdigest() for part in parts).encode()).hexdigest()
    open(f"fix{number}.hpo", "wb").write(parts[0] + digest.encode() + parts[1])
END
hotpatch run ./small >answers 2>&1 </dev/null &
small=$!
started=$small
until_line answers "^1000 "
facts()
{
    echo "$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$small/status") $(wc -l <"/proc/$small/maps")"
}
hotpatch load $small fix.hpo >/dev/null || fail "load"
hotpatch load $small fix0.hpo >/dev/null || fail "load"
before=$(facts)
: >load_times
loads=1000
number=0
while [ $number -lt $loads ]; do
    begun=$(now)
    hotpatch load $small fix$number.hpo >said 2>&1 || fail "load $number: $(cat said)"
    milliseconds "$begun" "$(now)" >>load_times
    number=$((number + 1))
done
until_line answers "^2999 "
after=$(facts)
row "load of a thin object" "$(median load_times)" 0 "ms with the start of the command; each has new contents"
row "  memory for each, over 1,000" "$(echo "$before $after" | awk -v n=$loads '{ print ($3 - $1) / n }')" 0 "kB resident"
row "  mappings for each, over 1,000" "$(echo "$before $after" | awk -v n=$loads '{ print ($4 - $2) / n }')" 0 ""
kill $small
wait $small 2>/dev/null
started=

# ------------------------------------------------------- redis's server.c ---

# The tree, and redis-server of it, stay in BUILD/cve.
# shellcheck disable=SC2034 # lib.sh and redis.sh read these
prepare_redis()
{
    cve=$build/cve here=$here/../cve recipe=$here/../cve/redis.sh
    here=$(cd "$here" && pwd) recipe=$here/redis.sh
    dsc=$("$here/sources" "$cve" redis 2>/dev/null | awk '{ print $2 }')
    [ -n "$dsc" ] && command -v bear >/dev/null || return 1
    # shellcheck source=tests/cve/lib.sh
    . "$here/lib.sh"
    # shellcheck source=tests/cve/redis.sh
    . "$recipe"
    extract "$dsc" && lay_tree "$full" && compile_tree
}

# What asks: PING until the answer is another, then the answer and the moment.
ask()
{
    python3 - "$1" 2>/dev/null <<'END'
import socket, sys, time
server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
last = None
while True:
    server.sendall(b"PING\r\n")
    answer = server.recv(100)
    if not answer:
        break
    if answer != last:
        print(answer.decode().strip("+\r\n-").split()[-1], time.time_ns(), flush=True)
        last = answer
    time.sleep(0.0005)
END
}

bench_redis()
{
    redis_port=27380
    source=$tree/src/server.c
    cp "$source" "$work/server.c.before"
    hotpatch run "$tree/src/redis-server" --port $redis_port --bind 127.0.0.1 --save "" >redis.log 2>&1 </dev/null &
    server=$!
    started=$server
    until_line redis.log "Ready to accept"
    hotpatch watch $server --build-dir "$tree" >log 2>&1 </dev/null &
    watch=$!
    started="$server $watch"
    until_line log "ready in"
    : >answers
    ask $redis_port >answers &
    asker=$!
    started="$server $watch $asker"
    until_line answers "PONG"
    sed 's/addReply(c,shared.pong)/addReplyStatus(c,"1000")/' "$work/server.c.before" >template_of_edit
    save "$source" template_of_edit >/dev/null
    until_line answers "^1000 "
    compile_in=$tree/src
    # shellcheck disable=SC2046 # its compile command, word by word
    rounds "$source" $(python3 - "$tree/compile_commands.json" <<'END'
import json, sys
row = next(row for row in json.load(open(sys.argv[1])) if row["file"].endswith("/src/server.c"))
words = row["arguments"]
skip = {"-o": 2, "-MMD": 1}
out, at = [], 0
while at < len(words):
    if words[at] in skip:
        at += skip[words[at]]
    elif words[at].endswith("server.c"):
        at += 1
    else:
        out.append(words[at])
        at += 1
print(*out)
END
    )
    report "redis's server.c" "7 saves"
    cp "$work/server.c.before" "$source"
    kill "$watch" "$asker" "$server"
    wait "$watch" "$asker" "$server" 2>/dev/null
    started=
}

if prepare_redis >/dev/null 2>&1; then
    unset -f hotpatch # lib.sh has one of its own
    bench_redis
else
    echo "edit to live: redis's server.c: skipped: its sources cannot be fetched or built" >&2
fi
