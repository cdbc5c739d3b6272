#!/bin/sh
# build_systems.sh - hotpatch build and hotpatch watch with the compile commands that cmake, meson and bear write: a program of
# three sources in two folders, a generated header and a static library.
#
# A build system that is not installed is skipped, and named. The last line reads "N passed, N failed".
#
# shellcheck disable=SC2016 # the dollars are make's
set -u

source=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/support/check.sh
. "$source/tests/support/check.sh"
surround build-systems

# sources DIRECTORY: the program prints a price for each line that it reads.
sources()
{
    mkdir -p "$1/lib"
    cat >"$1/main.c" <<'END'
#include <stdio.h>
#include "config.h"
#include "lib/price.h"
int main(void)
{
    char line[100];
    while (fgets(line, sizeof line, stdin)) {
        printf("%s %d\n", SHOP, price((int)line[0]));
        fflush(stdout);
    }
    return 0;
}
END
    cat >"$1/lib/price.h" <<'END'
#define DISCOUNT 10
int price(int sort);
int rebate(int sum);
END
    cat >"$1/lib/price.c" <<'END'
#include "price.h"
static int sold;
int price(int sort)
{
    sold++;
    return rebate(1000) + (sort & 1) + sold * 100000;
}
END
    cat >"$1/lib/rebate.c" <<'END'
#include "price.h"
int rebate(int sum)
{
    return sum - sum * DISCOUNT / 100;
}
END
    printf '#define SHOP "@SHOP@"\n' >"$1/config.h.in"
}

cmake_project()
{
    cat >"$1/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.18)
project(shop C)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_BUILD_TYPE RelWithDebInfo)
set(SHOP corner)
configure_file(config.h.in config.h)
include_directories(${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR})
add_library(price STATIC lib/price.c lib/rebate.c)
add_executable(app main.c)
target_link_libraries(app price)
END
    mkdir "$1/out" && cd "$1/out" && CC=$cc cmake .. && cmake --build .
}

meson_project()
{
    cat >"$1/meson.build" <<'END'
project('shop', 'c', default_options: ['buildtype=debugoptimized'])
configure_file(input: 'config.h.in', output: 'config.h', configuration: {'SHOP': 'corner'})
price = static_library('price', 'lib/price.c', 'lib/rebate.c')
executable('app', 'main.c', link_with: price)
END
    cd "$1" && CC=$cc meson setup out && meson compile -C out
}

bear_project()
{
    cat >"$1/Makefile" <<'END'
CFLAGS = -O2 -g
out/app: out/main.o out/libprice.a
	$(CC) -o $@ $^
out/libprice.a: out/price.o out/rebate.o
	$(AR) rcs $@ $^
out/main.o: main.c config.h
	$(CC) $(CFLAGS) -I. -c -o $@ main.c
out/%.o: lib/%.c
	cd lib && $(CC) $(CFLAGS) -c -o ../$@ $*.c
config.h: config.h.in
	sed s/@SHOP@/corner/ config.h.in >$@
END
    mkdir "$1/out" && cd "$1" && bear --output out/compile_commands.json -- make CC="$cc"
}

# asks SORT ANSWER: the program's next answer.
asks()
{
    echo "$1" >&3
    read -r answer <&4
    echo "answer: $answer"
    [ "$answer" = "$2" ]
}

# awaits WORDS: until watch has said them; it ends with the program, or when the time is over.
awaits()
{
    timeout 60 sh -c 'until grep -q "$1" "$2"; do sleep 0.05; done' - "$1" "$p/watch"
    found=$?
    cat "$p/watch"
    return $found
}

# A diff of price.h, which two sources include, is built, and loaded into the running program.
builds_and_loads()
{
    rm -rf "$p.new"
    mkdir -p "$p.new/lib"
    sed 's/DISCOUNT 10/DISCOUNT 20/' "$p/lib/price.h" >"$p.new/lib/price.h"
    (cd "$p" && diff -u lib/price.h "$p.new/lib/price.h" | sed "s|^+++ .*|+++ lib/price.h|") >"$p.diff"
    "$hotpatch" build --target "$p/out/app" --build-dir "$p/out" -p0 "$p.diff" -o "$p.hpo" || return 1
    "$hotpatch" load "$host" "$p.hpo" || return 1
    asks a "corner 200801" || return 1
    "$hotpatch" revert "$host" last || return 1
    asks b "corner 300900"
}

# saves FILE SED: as an editor does that renames.
saves()
{
    sed "$2" "$p/$1" >"$p/$1.tmp" && mv "$p/$1.tmp" "$p/$1"
}

watches()
{
    "$hotpatch" watch "$host" --build-dir "$p/out" >>"$p/watch" 2>&1 3>&- 4<&- &
    watcher=$!
    awaits "ready in" || return 1
    saves lib/rebate.c 's/sum - sum/2 * sum - sum/' || return 1
    awaits " live" || return 1
    asks b "corner 401900" || return 1
    saves main.c 's/"%s %d/"%s: %d/' || return 1
    awaits "main .*still runs\|still runs the old code" || return 1
    asks a "corner 501901" || return 1
    # Editing back takes the code back.
    : >"$p/watch"
    saves lib/rebate.c 's/2 \* sum - sum/sum - sum/' || return 1
    awaits " live" || return 1
    asks a "corner 600901"
}

# tried NAME MAKE: a project of the build system.
tried()
{
    name=$1
    if ! command -v "$name" >/dev/null; then
        echo "[  SKIPPED ] $name"
        return
    fi
    p=$work/$name
    mkdir "$p"
    sources "$p"
    check "$name: the project is built" "$2" "$p"
    mkfifo "$p/in" "$p/answers"
    LD_PRELOAD=$build/libhotpatch_preload.so "$p/out/app" <"$p/in" >"$p/answers" &
    host=$!
    exec 3>"$p/in" 4<"$p/answers"
    check "$name: the program runs" asks a "corner 100901"
    check "$name: a diff of a header becomes a patch" builds_and_loads
    watcher=
    check "$name: saves become live" watches
    exec 3>&- 4<&-
    wait "$host"
    [ -z "$watcher" ] || wait "$watcher"
}

tried cmake cmake_project
tried meson meson_project
tried bear bear_project
checked
