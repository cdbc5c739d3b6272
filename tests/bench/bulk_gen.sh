#!/bin/sh
# bulk_gen.sh - write the sources of the benchmark `bulk`.
#
#   bulk_gen.sh host N     a program of N functions, half of which save registers first
#   bulk_gen.sh patch N    replacements of the first N of them
if [ "$1" = host ]; then
    awk -v n="$2" 'BEGIN {
        print "#include <stdlib.h>\n#include <sys/mman.h>\n#include <unistd.h>"
        print "__attribute__((noipa)) static unsigned leaf(unsigned x) { return x ^ 5; }"
        for (i = 0; i < n; i++) {
            body = i % 2 ? "leaf(x + " i ") * 3 + x" : "x * " 2 * i + 3 " ^ (x >> " 1 + i % 7 ") ^ " i "u"
            print "__attribute__((noipa)) unsigned f" i "(unsigned x) { return " body "; }"
        }
        print "static unsigned (*const all[])(unsigned) = {"
        for (i = 0; i < n; i++)
            print "f" i ","
        print "};\nint main(int argc, char **argv) {"
        print "    for (int i = argc > 1 ? atoi(argv[1]) : 0; i > 0; i--) /* neighbours differ, so none merge */"
        print "        mmap(NULL, 4096, i % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);"
        print "    for (unsigned sum = 0;; usleep(50000))"
        print "        for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++)"
        print "            sum += all[i](sum + i);\n}"
    }'
else
    awk -v n="$2" 'BEGIN {
        print "#include <hotpatch.h>\nHOTPATCH_MODULE(\"bulk" n "\", \"1\");"
        for (i = 0; i < n; i++)
            print "HOTPATCH_REPLACE(unsigned, f" i ", (unsigned x)) { return x + " i "u; }"
    }'
fi
