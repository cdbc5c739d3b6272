#!/bin/sh
# edits.sh - a pairwise cover of tests/edits: edits applied to live programs, over compilers, optimisations and kinds of
# program. `make mutate` runs all of them.
# The last line reads "N passed, N failed".
set -u
source=$(cd "$(dirname "$0")/../.." && pwd)
exec "$source/tests/edits/run" "${HOTPATCH_BUILD:-$source/build}"
