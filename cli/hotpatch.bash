# shellcheck shell=bash
# Completion of hotpatch(1) for bash: verbs, options, processes that have the library, files.

_hotpatch_targets()
{
    local pid path
    for path in /run/hotpatch/*.fifo "${XDG_RUNTIME_DIR:-/nonexistent}"/hotpatch/*.fifo \
        "/run/user/$UID/hotpatch"/*.fifo "/tmp/hotpatch-$UID"/*.fifo \
        "${HOTPATCH_DIR:-/nonexistent}"/*.fifo; do
        pid=${path##*/}
        pid=${pid%.fifo}
        [[ -e /proc/$pid/comm ]] || continue
        printf '%s\n@%s\n' "$pid" "$(<"/proc/$pid/comm")"
    done
}

_hotpatch_words()
{
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")
}

_hotpatch_files()
{
    compopt -o filenames 2>/dev/null
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
}

_hotpatch_options()
{
    case $1 in
    run) echo --patch ;;
    slots) echo --kind= --timeout= ;;
    load) echo --when= --timeout= --replace --dry-run --follow --fail --nth= --probability= --times= \
        --caller= --for= --debug --no-seen ;;
    check) echo --debug ;;
    build) echo --target --build-dir --source --from --to --cc --debug --name --explain --force-types ;;
    watch) echo --build-dir --source --cc --debug --force-types --revert-at-exit --log ;;
    revert) echo --when= --timeout= ;;
    status) echo --history ;;
    esac
    echo --json --help
}

# How many operands stand before the word that is completed, the verb not counted.
_hotpatch_operands()
{
    local i count=0
    for ((i = 2; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == -* || ${COMP_WORDS[i]} == = || ${COMP_WORDS[i - 1]} == = ||
            ${COMP_WORDS[i - 1]} =~ ^--(replace|fail|nth|probability|times|caller|for|debug|build-dir|source|cc|log|target|from|to|name)$ ]] || ((count++))
    done
    echo "$count"
}

_hotpatch()
{
    local verb=${COMP_WORDS[1]-} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        _hotpatch_words "run ps slots load revert reload status watch build check doctor explain --help --version"
        return
    fi
    if [[ $word == = ]]; then
        COMP_WORDS[COMP_CWORD]=
        word=
    elif [[ $before == = ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    case $before in
    --when) _hotpatch_words "call safe-point"; return ;;
    --kind) _hotpatch_words "declared import entry"; return ;;
    --timeout | --nth | --probability | --times | --caller | --for) return ;;
    --fail)
        [[ ${COMP_WORDS[COMP_CWORD - 1]} == = ]] ||
            { _hotpatch_words "rename= open= write= malloc=" && compopt -o nospace 2>/dev/null; }
        return
        ;;
    --patch | --debug | --build-dir | --source | --log | --target | --from | --to | -o) _hotpatch_files; return ;;
    --cc | --name) return ;;
    esac
    if [[ $word == -* ]]; then
        _hotpatch_words "$(_hotpatch_options "$verb")"
        [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2>/dev/null
        return
    fi
    case $verb:$(_hotpatch_operands) in
    load:0 | revert:0 | reload:0 | status:0 | watch:0) _hotpatch_words "$(_hotpatch_targets)" ;;
    slots:0 | check:0 | doctor:0)
        _hotpatch_words "$(_hotpatch_targets)"
        _hotpatch_files
        ;;
    load:* | check:1 | watch:* | build:*) _hotpatch_files ;;
    revert:1) _hotpatch_words "last all" ;;
    explain:0) _hotpatch_words "$(hotpatch explain 2>/dev/null | sed -n 's/^\(HP-[A-Z0-9-]*\) .*/\1/p')" ;;
    run:0)
        mapfile -t COMPREPLY < <(compgen -c -- "$word")
        ;;
    run:*) _hotpatch_files ;;
    esac
}

complete -F _hotpatch hotpatch
