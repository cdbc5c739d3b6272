#!/bin/sh
# stress-ng.sh - stress-ng's stressors of the classes interrupt, os and scheduler verify their results; see run.
#
# Each runs a fixed count of operations (HOTPATCH_FOREIGN_OPS, 20) for 5 s at most, as nobody: some of them harm a
# machine when root runs them. HOTPATCH_FOREIGN_CLASSES names other classes. Exit statuses 1, 3 and 4 mean that the
# stressor cannot run here (stress-ng(1)).
#
# shellcheck shell=dash disable=SC2086 # $SHIM is words
set -u

# They fill the memory, or take all processors, whatever the count.
too_big="bigheap oom-pipe mmapfork forkheavy"

prepare()
{
    if ! command -v stress-ng >/dev/null; then
        echo "needs Debian's stress-ng"
        return 3
    fi
    stress-ng --class 'interrupt?' 2>&1 | grep -q stressors: || return 1
}

round()
{
    as=
    if [ "$(id -u)" -eq 0 ]; then
        as="setpriv --reuid=nobody --regid=nogroup --clear-groups --inh-caps=-all --"
        chown -R nobody:nogroup ../run .
        chmod 755 ..
    fi
    ops=${HOTPATCH_FOREIGN_OPS:-20}
    for class in ${HOTPATCH_FOREIGN_CLASSES:-interrupt scheduler os}; do
        stress-ng --class "$class?" 2>&1 | sed 's/.*://' | tr ' ' '\n'
    done | sort -u | grep . >names
    while read -r name; do
        case " $too_big " in
        *" $name "*) continue ;;
        esac
        echo "== $name"
        $as env $SHIM timeout -k 5 30 stress-ng --verify --seed 1 --oomable --temp-path . -t 5 \
            "--$name" 1 "--$name-ops" "$ops" </dev/null
        status=$?
        case $status in
        0) word=ok ;;
        1 | 3 | 4) word=skip ;;
        *) word=not ;;
        esac
        echo "== $name: $status"
        printf '%s\t%s\n' $word "$name" >>"$1"
    done <names
}

case $1 in
prepare) prepare ;;
round) round "$3" ;;
esac
