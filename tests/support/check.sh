# check.sh - what scripts of tests/e2e share: tests that are commands, and the command in surroundings of its own.
#
# Sourced after $source is set.
#
# shellcheck shell=sh disable=SC2154 # the script sets source and work
passed=0
failed=0

# check WHAT COMMAND...: one test. Its output is shown if it fails; $work is the script's directory.
check()
{
    what=$1
    shift
    if "$@" >"$work/said" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $what"
        sed 's/^/    /' "$work/said"
    fi
}

# checked: print the last line. Return whether all tests have passed.
checked()
{
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}

# surround NAME: make $work, which is removed at the end, with the command's runtime directory, cache and temporary files;
# $hotpatch is the command, $cc the compiler.
surround()
{
    build=${HOTPATCH_BUILD:-$source/build}
    case $build in /*) ;; *) build=$source/$build ;; esac
    # shellcheck disable=SC2034
    hotpatch=$build/hotpatch
    # shellcheck disable=SC2034
    cc=${CC:-gcc}
    work=$(mktemp -d "/tmp/hotpatch-e2e-$1-XXXXXX") || exit 1
    trap 'rm -rf --one-file-system "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    mkdir -m 700 "$work/run" "$work/tmp" "$work/cache"
    export HOTPATCH_DIR="$work/run" TMPDIR="$work/tmp" XDG_CACHE_HOME="$work/cache" LC_ALL=C
    unset LD_PRELOAD MAKEFLAGS
}
