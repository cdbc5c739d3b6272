#!/bin/sh
# throughput.sh - redis, nginx and postgres under load: bare, with an idle shim, and while an import
# is switched 100 times a second (a fault that never strikes, loaded and reverted by a client on the
# same processors). Each round starts the daemon anew in each of the three ways; figures are medians
# of the ratios within a round.
set -u

rounds=5
here=$(cd "$(dirname "$0")" && pwd)
failed=0

# medians: of the lines "round BARE IDLE SWITCHING": bare, idle over bare, switching over bare.
medians()
{
    awk '/^round / { print $2, $3 / $2, $4 / $2 }' | sort -n | awk '
        function middle(values, n,    i, j, held) {
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && values[j] < values[j - 1]; j--) {
                    held = values[j]; values[j] = values[j - 1]; values[j - 1] = held
                }
            return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
        }
        { n++; bare[n] = $1; idle[n] = $2; switching[n] = $3 }
        END { printf "%d %.3f %.3f\n", middle(bare, n), middle(idle, n), middle(switching, n) }'
}

# row WHAT MEASURED BUDGET HOW: as bench.h prints them, but more is better.
row()
{
    LC_ALL=C awk -v what="$1" -v measured="$2" -v budget="$3" -v how="$4" 'BEGIN {
        printf "%-52s %12.3f %12.2f  %-5s %s\n", what, measured, budget,
            (measured >= budget ? "ok" : "under"), how }'
}

for daemon in redis nginx postgresql; do
    said=$(HOTPATCH_REAL_ROUNDS=$rounds HOTPATCH_REAL_SECONDS=2 HOTPATCH_REAL_SWITCHING_SECONDS=2 \
        HOTPATCH_REAL_LIMIT=400 "$here/../real/run" "$HOTPATCH_BUILD" $daemon 2>&1) || {
        echo "$said" >&2
        failed=1
        continue
    }
    case $said in
    *"round "*) ;;
    *)
        printf '%-52s %s\n' "throughput of $daemon" "$(echo "$said" | grep skipped: | head -n 1)"
        continue
        ;;
    esac
    # shellcheck disable=SC2046 # three words
    set -- $(echo "$said" | medians)
    row "throughput of $daemon, idle shim, over bare" "$2" 0.99 "bare $1 /s; medians of $rounds rounds"
    row "  the same, 100 import switches a second" "$3" 0.97 "the client that asks for them included"
done
exit $failed
