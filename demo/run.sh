#!/bin/sh
# run.sh - run every demo, the simplest first, Debian's redis-server last.
set -u
here=$(cd "$(dirname "$0")" && pwd)
for demo in counter greeting polling cross-module edit-live prebuilt entry; do
    "$here/$demo/run.sh" || {
        echo "the demo $demo failed" >&2
        exit 1
    }
done
printf '\nall demos passed\n'
