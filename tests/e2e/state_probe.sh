#!/bin/sh
# state_probe.sh - ten reloads of a file with a variable of each storage class keep every value and every address.
# The last line reads "N passed, N failed".
set -u
source=$(cd "$(dirname "$0")/../.." && pwd)
exec "$source/tests/edits/run" "${HOTPATCH_BUILD:-$source/build}" --reloads
