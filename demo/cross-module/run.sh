#!/bin/sh
# run.sh - one patch calls another patch, in either load order.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=demo/lib.sh
. "$here/../lib.sh"

title "cross-module: a patch calls another patch, in either load order"
compile_host shop "$here/shop.c"
compile_patch price.so "$here/price.c"
compile_patch tax.so "$here/tax.c"

echo "-- first the patch that calls, then the patch that is called"
start out1 ./shop
await out1 "price 1000, tax unknown"
show hotpatch load "$pid" price.so
await_new out1 "price 1000, tax unknown"
show hotpatch load "$pid" tax.so
await_new out1 "price 1190, tax known"
stop "$pid"

echo "-- first the patch that is called, then the patch that calls"
start out2 ./shop
await out2 "price 1000, tax unknown"
show hotpatch load "$pid" tax.so
await_new out2 "price 1000, tax known"
show hotpatch load "$pid" price.so
await_new out2 "price 1190, tax known"
stop "$pid"

echo "-- both in one step"
start out3 ./shop
await out3 "price 1000, tax unknown"
show hotpatch load "$pid" price.so tax.so
await_new out3 "price 1190, tax known"
if grep -q "price 1190, tax unknown" out3; then
    failed "half of a transaction was seen"
fi
stop "$pid"
echo "the same price in every order"
