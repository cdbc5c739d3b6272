#!/bin/sh
# differential.sh - 24 random edits of programs of csmith, patched live, against an oracle. `make differential` runs 2,000.
# The last line reads "N passed, N failed".
set -u
source=$(cd "$(dirname "$0")/../.." && pwd)
exec "$source/tests/edits/differential" "${HOTPATCH_BUILD:-$source/build}" --edits 24 --chain 8 --seed 101
