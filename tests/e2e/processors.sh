#!/bin/sh
# processors.sh - the suites that decode, move and run code, once more on other processors: under qemu-user as one
# without AVX (Nehalem), one with AVX2 and without transactions (Haswell,-rtm), and one with all that qemu has (max).
# `make check` runs them on this processor; what a processor does not have they skip, by what it says of itself.
#
# Suites that trace a child are left out, since qemu-user has no ptrace(2), and those that take many seconds.
set -u

build=$(cd "${HOTPATCH_BUILD:-build}" && pwd)
suites="test_relocated test_prologue test_relocations test_keep test_keep_rules test_callers test_callers_index
    test_call_number test_signature_call test_sha256 test_symbols"
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
passed=0 failed=0

if ! command -v qemu-x86_64 >/dev/null; then
    echo "[  SKIPPED ] qemu-x86_64 is not installed"
    echo "0 passed, 0 failed"
    exit 0
fi

# run MODEL SUITE: what the suite skips and what fails is said with the model.
run()
{
    timeout -k 10 300 qemu-x86_64 -cpu "$1" "$build/tests/$2" >"$log" 2>&1 </dev/null
    status=$?
    ran=$(grep -c '^\[       OK \]' "$log")
    sed -n "s/^\[  SKIPPED \] \([a-z_]*\)\$/[  SKIPPED ] \1 ($1)/p" "$log" | sort -u
    if [ $status -eq 0 ] && [ "$ran" -gt 0 ]; then
        passed=$((passed + ran))
    else
        failed=$((failed + 1))
        echo "$2 as $1: exit status $status"
        tail -n 30 "$log"
    fi
}

for model in Nehalem Haswell,-rtm max; do
    for suite in $suites; do
        run "$model" "$suite"
    done
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
