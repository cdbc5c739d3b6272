#!/bin/sh
# architecture.sh - does ARCHITECTURE.md tell what is there? Every step of its walks names a file and a function that the
# file defines; every path in it exists; the table of folders is that of scripts/check-includes; the words are forty at most.
#
# The last line reads "N passed, N failed".
set -u

cd "$(dirname "$0")/../.." || exit 1
passed=0
failed=0

judge()
{
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$2"
    fi
}

# shellcheck disable=SC2016 # the backquotes are Markdown's
steps=$(sed -n 's/^|.*| `\([a-z_0-9/]*\.c\)` | `\([a-z_0-9]*\)()` |$/\1:\2/p' ARCHITECTURE.md)
for step in $steps; do
    file=${step%:*}
    function=${step#*:}
    grep -q -E "^[A-Za-z].*[ *]$function\(" "$file" 2>/dev/null
    judge $? "$file does not define $function()"
done
[ "$(echo "$steps" | wc -l)" -ge 20 ]
judge $? "the walks have too few steps"

# shellcheck disable=SC2016 # the backquotes are Markdown's
for path in $(grep -o -E '`(include|base|arch|elf|resolve|preload|loader|cli|tests|scripts)/[A-Za-z_0-9/.-]*`' ARCHITECTURE.md CONTRIBUTING.md | sed 's/^[^`]*//' | tr -d '`' | grep -v NAME | sort -u); do
    [ -e "$path" ]
    judge $? "there is no $path"
done

for folder in base arch elf resolve preload loader cli; do
    told=$(awk -F ' *[|] *' -v cell="\`$folder/\`" '$2 == cell { gsub(",", "", $4); print $4 }' ARCHITECTURE.md)
    held=$(sed -n "s/^$folder: //p" scripts/check-includes)
    [ "$told" = "$held" ]
    judge $? "$folder/ may include '$told' by ARCHITECTURE.md, '$held' by scripts/check-includes"
done

words=$(sed -n '/^## Words/,/^## To add/p' ARCHITECTURE.md | grep -c '^| [a-z]')
[ "$words" -gt 20 ] && [ "$words" -le 41 ]
judge $? "the glossary has $((words - 1)) words, forty at most are wanted"

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
