/*
 * callers.c - what the analysis of callers finds in a program or library, and what it costs.
 *
 *   callers FILE...
 *
 * For each file: its functions; how many must keep something for their callers when they are replaced,
 * by what; how many could not be followed to the end, or hold results on some paths alone; the time of
 * the thread in milliseconds per MB of code, for the index that every first question needs and for all
 * functions; that of one function in microseconds (median and largest); and kB of memory.
 */
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "arch/keep.h"
#include "elf/functions_read.h"
#include "elf/object_callers.h"

struct table {
    size_t functions, kept, general, vector, mask, x87, align, unsure, unproved;
    double *times; /* microseconds */
    struct arch_callers *callers;
    uint64_t last;
};

static double now_us(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void count(struct table *table, const struct arch_kept *kept)
{
    bool unsure = kept->unsure_general || kept->unsure_vector;

    table->kept += arch_keeps(kept) || unsure;
    table->general += kept->general != 0;
    table->vector += kept->vector != 0;
    table->mask += kept->mask != 0;
    table->x87 += kept->x87;
    table->align += kept->align;
    table->unsure += unsure;
    table->unproved += !kept->proved;
}

static int ask(const struct function *function, void *context)
{
    struct table *table = context;
    struct arch_kept kept;
    double begin;

    if (table->functions > 0 && function->address == table->last)
        return 0; /* another name */
    table->last = function->address;
    table->times = realloc(table->times, (table->functions + 1) * sizeof(*table->times));
    if (!table->times)
        exit(2);
    begin = now_us();
    arch_callers_kept(table->callers, function->address, &kept, NULL, 0, NULL);
    table->times[table->functions++] = now_us() - begin;
    count(table, &kept);
    return 0;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

/* Executable bytes, in MB. */
static double code_size(const uint8_t *bytes)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)bytes;
    const Elf64_Phdr *segments = (const Elf64_Phdr *)(bytes + header->e_phoff);
    double size = 0;

    for (size_t i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && (segments[i].p_flags & PF_X))
            size += (double)segments[i].p_filesz;
    return size / 1e6;
}

static void print(const char *path, double megabytes, struct table *table, double index_us,
                  double all_us, size_t memory)
{
    const char *slash = strrchr(path, '/');

    qsort(table->times, table->functions, sizeof(*table->times), compare);
    printf("%-16s %5.2f %6zu %5zu %4.1f%% %5zu %5zu %4zu %4zu %5zu %6zu %8zu %6.1f %6.1f %6.1f "
           "%7.0f %6zu\n",
           slash ? slash + 1 : path, megabytes, table->functions, table->kept,
           100.0 * (double)table->kept / (double)table->functions, table->general, table->vector,
           table->mask, table->x87, table->align, table->unsure, table->unproved,
           index_us / 1e3 / megabytes, all_us / 1e3 / megabytes, table->times[table->functions / 2],
           table->times[table->functions - 1], memory / 1024);
}

static void measure(const char *path, const uint8_t *bytes, const struct image *image,
                    struct functions *functions)
{
    struct elf_error fault = {0};
    struct object_callers *callers;
    struct table table = {0};
    double begin = now_us(), made;

    if (object_callers_open(&callers, image, functions, NULL, NULL, &fault) != 0) {
        printf("%s: %s\n", path, fault.text);
        return;
    }
    made = now_us();
    table.callers = object_callers_arch(callers);
    functions_each(functions, ask, &table);
    if (table.functions > 0)
        print(path, code_size(bytes), &table, made - begin, now_us() - made,
              object_callers_memory(callers));
    object_callers_close(callers);
    free(table.times);
}

static void measure_file(const char *path)
{
    struct elf_error fault = {0};
    struct functions *functions;
    struct image *image;
    struct stat facts;
    void *bytes;
    int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0 || fstat(file, &facts) != 0)
        return;
    bytes = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    if (bytes != MAP_FAILED && image_open(&image, bytes, (size_t)facts.st_size, 0, &fault) == 0) {
        if (functions_of_file(&functions, file, &fault) == 0) {
            measure(path, bytes, image, functions);
            functions_close(functions);
        }
        image_close(image);
    }
    close(file);
}

int main(int argc, char **argv)
{
    printf("%-16s %5s %6s %5s %5s %5s %5s %4s %4s %5s %6s %8s %6s %6s %6s %7s %6s\n", "file", "MB",
           "funcs", "keep", "", "regs", "vec", "mask", "x87", "align", "unsure", "unproved",
           "index", "all", "one", "largest", "kB");
    printf("%-16s %72s %6s %6s %6s %7s\n", "", "", "ms/MB", "ms/MB", "us", "us");
    for (int i = 1; i < argc; i++)
        measure_file(argv[i]);
    return 0;
}
