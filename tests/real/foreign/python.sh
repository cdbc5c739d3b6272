#!/bin/sh
# python.sh - CPython's own tests of signals, threads, processes, files and forks; see run.
#
# shellcheck shell=dash disable=SC2086 # $SHIM is words
set -u

python=/usr/bin/python3.11
names="test_signal test_threading test_subprocess test_os test_io test_fork1"

prepare()
{
    if ! $python -c 'import test.test_fork1'; then
        echo "needs Debian's libpython3.11-testsuite"
        return 3
    fi
}

# A test without a line in junit.xml (its process crashed, or was ended) has no line in the results either.
round()
{
    mkdir tmp
    env $SHIM TMPDIR="$PWD/tmp" HOME="$PWD" LC_ALL=C.UTF-8 \
        timeout -k 10 900 $python -I -m test -j2 --timeout 300 --junit-xml "$PWD/junit.xml" $names
    $python -I - junit.xml >"$1" <<'EOF'
import sys, xml.etree.ElementTree
for case in xml.etree.ElementTree.parse(sys.argv[1]).iter("testcase"):
    kinds = {child.tag for child in case}
    if kinds & {"failure", "error"}:
        word = "not"
    elif "skipped" in kinds or case.get("status") == "notrun":
        word = "skip"
    else:
        word = "ok"
    print(word, case.get("name"), sep="\t")
EOF
}

case $1 in
prepare) prepare ;;
round) round "$3" ;;
esac
