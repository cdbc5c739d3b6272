/*
 * callers.c - what the analysis of callers costs and finds, for each file that is named.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "callers.h"
#include "functions.h"
#include "keep.h"
#include "object_code.h"

static double now_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct elf_fault fault = {0};
        struct image *image;
        struct functions *functions;
        struct object_code code;
        struct stat facts;
        int fd = open(argv[i], O_RDONLY);
        if (fd < 0 || fstat(fd, &facts)) {
            perror(argv[i]);
            continue;
        }
        void *bytes = mmap(NULL, facts.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        if (image_open(&image, bytes, facts.st_size, 0, &fault) ||
            functions_of_file(&functions, fd, &fault)) {
            printf("%s: %s\n", argv[i], fault.text);
            continue;
        }
        double start = now_ms();
        if (object_code_open(&code, image, functions, &fault)) {
            printf("%s: %s\n", argv[i], fault.text);
            continue;
        }
        double opened = now_ms();
        struct arch_callers *callers = arch_callers_open(&code.object);
        double made = now_ms();
        size_t text = 0, jumped = 0;
        for (size_t k = 0; k < code.object.code_count; k++)
            text += code.object.code[k].size;
        for (size_t k = 0; k < code.object.function_count; k++) {
            uint64_t at = code.object.functions[k].address, site, target;
            if (arch_callers_jump_into(callers, at + 1, at + 16, &site, &target)) {
                struct function f, g;
                jumped++;
                if (getenv("V"))
                    printf("  %s+%lx from %lx (%s)\n",
                           function_begins_at(functions, at, &f) && f.name ? f.name : "?",
                           (long)(target - at), (long)site,
                           function_around(functions, site, &g) && g.name ? g.name : "?");
            }
        }
        double jumps = now_ms();
        size_t keep = 0, general = 0, vector = 0, mask = 0, x87 = 0, align = 0, unproved = 0;
        for (size_t k = 0; k < code.object.function_count; k++) {
            uint64_t at = code.object.functions[k].address;
            struct arch_kept kept;
            struct arch_caller list[4];
            size_t count;
            double before = now_ms();
            arch_callers_kept(callers, at, &kept, list, 4, &count);
            if (now_ms() - before > 10)
                printf("  %lx: %.1f ms\n", (long)at, now_ms() - before);
            keep += arch_keeps(&kept);
            general += kept.general != 0;
            vector += kept.vector != 0;
            mask += kept.mask != 0;
            x87 += kept.x87;
            align += kept.align;
            unproved += !kept.proved;
            if (getenv("K") && arch_keeps(&kept)) {
                struct function f, g;
                printf("%lx %s: g %x v %x/%d m %x x87 %d align %d proved %d unsure %x %x, %zu callers\n",
                       (long)at, function_begins_at(functions, at, &f) && f.name ? f.name : "?",
                       kept.general, kept.vector, kept.vector_bytes, kept.mask, kept.x87,
                       kept.align, kept.proved, kept.unsure_general, kept.unsure_vector, count);
                for (size_t c = 0; c < count && c < 4; c++)
                    printf("    %lx (%s) g %x v %x/%d m %x x87 %d align %d %d\n",
                           (long)list[c].site,
                           function_around(functions, list[c].site, &g) && g.name ? g.name : "?",
                           list[c].relies.general, list[c].relies.vector,
                           list[c].relies.vector_bytes, list[c].relies.mask, list[c].relies.x87,
                           list[c].relies.align, list[c].relies.proved);
            }
        }
        double all = now_ms();
        printf("  keep %zu: general %zu, vector %zu, mask %zu, x87 %zu, align %zu, not proved %zu; "
               "%.1f ms (%.1f ms/MB), %zu kB\n",
               keep, general, vector, mask, x87, align, unproved, all - jumps,
               (all - jumps) / (text / 1e6), arch_callers_memory(callers) / 1024);
        printf("%s: %.2f MB text, %zu functions, %zu words: facts %.1f ms, index %.1f ms, %zu kB; "
               "%zu jumped into, %.1f ms\n",
               argv[i], text / 1e6, code.object.function_count, code.object.word_count,
               opened - start, made - opened, arch_callers_memory(callers) / 1024, jumped,
               jumps - made);
    }
    return 0;
}
