# lib.sh - what the recipes and tests/cve/run share: the trees of a package, the build without a patch, the load.
#
# A recipe (redis.sh, ...) sets
#   package       the source package
#   binary        the daemon, below the tree
#   build_dir     the directory of compile_commands.json, below the tree
# and defines
#   compile       build the tree, which is the working directory, with Debian's flags, again where it was built before
#   serve         start the daemon with `launch`, and return when it answers
#   press         keep it busy until it is killed; exit with 1 where an answer is missing or wrong
#   answers       ask the daemon for what it is for; the status tells whether all answers are right
#   quit          end the daemon in the way that its users do
# and where the package has tests of its fixes
#   fix_test FIX  run the tests that $work/fix.patch brings; with FIX, a .hpo, against a daemon with it, where it is empty
#                 against one without; return 0: they pass, 1: they fail, 2: there are none that can be run
#
# shellcheck disable=SC2034,SC2154,SC2046,SC2086,SC2012,SC2016 # names and words of recipes
# shellcheck shell=sh

now_ms()
{
    echo $(($(date +%s%N) / 1000000))
}

note()
{
    printf '%s\n' "$*" >>"$work/note"
}

# ---- trees ----
# $home/full is the package with all patches; $home/tree is built, each time without another patch.

extract()
{
    home=$cve/$package
    full=$home/full
    tree=$home/tree
    mkdir -p "$home"
    [ -d "$full" ] || dpkg-source --no-check -x "$1" "$full" >"$home/extract.log" 2>&1
}

# fixes: one line for each fix: its name, and its patches with CVE in their names; "-1of3" and so on are one fix.
fixes()
{
    sed -e 's/#.*//' -e 's/ .*//' "$full/debian/patches/series" | grep -i cve | awk '
        { name = $1; sub(/\.(patch|diff)$/, "", name); sub(/-[0-9]+of[0-9]+$/, "", name) }
        name != last { printf "%s%s", (last ? "\n" : ""), name; last = name }
        { printf " %s", $1 }
        END { if (last) print "" }'
}

# touched_sources DIFF: the C files and headers of a diff, tests and examples of the package left out.
touched_sources()
{
    sed -n 's/^+++ [^/]*\/\([^\t ]*\).*/\1/p' "$1" | grep -E '\.(c|h|y|l)$' | grep -v -E '(^|/)(tests?|examples?|fuzz)/' | sort -u
}

# lay_stage PATCH...: $home/stage is the package without these patches.
lay_stage()
{
    rm -rf "$home/stage"
    cp -a "$full" "$home/stage"
    (
        cd "$home/stage/debian/patches" || exit 1
        for each in $(printf '%s\n' "$@" | tac); do
            (cd ../.. && patch -R -p1 -s -f --no-backup-if-mismatch) <"$each" || exit 1
        done
    ) >"$home/stage.log" 2>&1
}

# lay_stage_before PATCH: $home/stage is the package as it was before PATCH came: later patches rest on it.
lay_stage_before()
{
    rm -rf "$home/stage"
    cp -a "$full" "$home/stage"
    (cd "$home/stage" && export QUILT_PATCHES=debian/patches && quilt pop -q "$1" &&
        { quilt pop -q || ! quilt applied; }) >"$home/stage.log" 2>&1
}

# The parts of a tree that differ get the time of now, so that make sees them; products of earlier builds stay.
lay_tree()
{
    rsync -rlp --checksum --exclude .pc --exclude debian/patches "$1/" "$tree/"
}

# compile_tree: with bear the first time, for compile_commands.json; what changes later are texts, not commands.
compile_tree()
{
    (
        cd "$tree" || exit 1
        eval "$(dpkg-buildflags --export=sh)"
        export GIT_CEILING_DIRECTORIES="$home" SOURCE_DATE_EPOCH=1700000000
        if [ -e "$build_dir/compile_commands.json" ]; then
            compile
        else
            first_compile
        fi
    ) >"$home/compile.log" 2>&1
}

# A recipe whose build system writes compile_commands.json (cmake, meson) defines a first_compile of its own.
first_compile()
{
    mkdir -p "$build_dir"
    bear --output "$build_dir/compile_commands.json" -- sh -c '. "$1" && . "$2" && compile' sh "$here/lib.sh" "$recipe"
}

# ---- the daemon ----

launch()
{
    HOTPATCH_DIR=$work/run "$build/hotpatch" run -- "$@" >"$work/daemon.log" 2>&1 &
    pid=$!
}

hotpatch()
{
    HOTPATCH_DIR=$work/run "$build/hotpatch" "$@"
}

# until_true COMMAND...: at most 10 seconds
until_true()
{
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || return 1
        kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.05
    done
}

alive()
{
    kill -0 "$pid" 2>/dev/null
}
