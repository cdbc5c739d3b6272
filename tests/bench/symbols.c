/*
 * symbols.c - how long a function is looked for in a program of 500 MB with debug information, and
 * what memory that takes: 400,000 functions with names as C++ has them, in an object that is mapped.
 * By the engine, which has .symtab; by the command, for a stripped one with a debug file of 500 MB.
 *
 * A unit of DWARF for each source file tells its functions; the rest is a section without content (a
 * hole in the file): nothing reads it.
 */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include "bench.h"
#include "cli/debug/lookup.h"
#include "cli/process/proc_facts.h"
#include "elf/functions.h"
#include "elf/functions_read.h"

enum { FUNCTIONS = 400000, IN_ONE_FILE = 200, FUNCTION_BYTES = 64, LOOKUPS = 1000 };

#define FILE_SIZE (500L << 20)

static void name_of(char name[128], int i)
{
    snprintf(name, 128, "_ZN5bench9namespace%dC2ERKNS_7program6module%dE_reads_its_input_%d",
             i % 40, i / IN_ONE_FILE, i);
}

/* A unit of DWARF (version 4, section 7.5) for each source file, and its .debug_aranges. */
static void begin_unit(FILE *source, int unit)
{
    char first[128];

    name_of(first, unit * IN_ONE_FILE);
    fprintf(source,
            ".file \"module%d.cc\"\n.section .debug_info\n.Lunit%d: .long .Lend%d - .Lhead%d\n"
            ".Lhead%d: .value 4; .long 0; .byte 8\n"
            ".byte 1; .asciz \"module%d.cc\"; .quad %s, %d\n"
            ".section .debug_aranges\n.long 44; .value 2; .long .Lunit%d; .byte 8, 0; .long 0\n"
            ".quad %s, %d, 0, 0\n.text\n",
            unit, unit, unit, unit, unit, unit, first, IN_ONE_FILE * FUNCTION_BYTES, unit, first,
            IN_ONE_FILE * FUNCTION_BYTES);
}

static void write_function(FILE *source, int i)
{
    char name[128];

    name_of(name, i);
    fprintf(source,
            ".p2align 6\n.type %s,@function\n%s: .cfi_startproc\nret\n.fill 40,1,0x90\n"
            ".cfi_endproc\n.size %s,41\n"
            ".section .debug_info\n.byte 2; .long .Lname%d; .quad %s; .long 41\n"
            ".section .debug_str\n.Lname%d: .asciz \"%s\"\n.text\n",
            name, name, name, i, name, i, name);
}

static void write_source(const char *path)
{
    FILE *source = fopen(path, "we");

    if (!source)
        give_up(path);
    /* 1: compile_unit with children: name string, low_pc addr, high_pc data8; 2: subprogram:
     * linkage_name strp, low_pc addr, high_pc data4 */
    fprintf(source,
            ".section .debug_abbrev,\"\",@progbits\n.byte 1,0x11,1, 3,8, 0x11,1, 0x12,7, 0,0\n"
            ".byte 2,0x2e,0, 0x6e,0x0e, 0x11,1, 0x12,6, 0,0, 0\n"
            ".section .debug_info,\"\",@progbits\n.section .debug_aranges,\"\",@progbits\n"
            ".section .debug_str,\"MS\",@progbits,1\n.text\n");
    for (int i = 0; i < FUNCTIONS; i++) {
        if (i % IN_ONE_FILE == 0)
            begin_unit(source, i / IN_ONE_FILE);
        write_function(source, i);
        if (i % IN_ONE_FILE == IN_ONE_FILE - 1)
            fprintf(source, ".section .debug_info\n.byte 0\n.Lend%d:\n.text\n", i / IN_ONE_FILE);
    }
    if (fclose(source) != 0)
        give_up(path);
}

/* One more section, which begins where the file ended; the headers go behind it. */
static void add_debug_section(const char *path)
{
    int file = open(path, O_RDWR | O_CLOEXEC);
    Elf64_Ehdr header;
    Elf64_Shdr *sections;
    struct stat status;

    if (file < 0 || fstat(file, &status) != 0 ||
        pread(file, &header, sizeof(header), 0) != sizeof(header))
        give_up(path);
    sections = calloc(header.e_shnum + 1U, sizeof(*sections));
    ssize_t size = (ssize_t)(header.e_shnum * sizeof(*sections));
    if (!sections || pread(file, sections, (size_t)size, (off_t)header.e_shoff) != size)
        give_up(path);
    sections[header.e_shnum++] = (Elf64_Shdr){
        .sh_type = SHT_PROGBITS,
        .sh_offset = (Elf64_Off)status.st_size,
        .sh_size = (Elf64_Xword)(FILE_SIZE - status.st_size),
        .sh_addralign = 1,
    };
    size += (ssize_t)sizeof(*sections);
    header.e_shoff = FILE_SIZE;
    if (pwrite(file, sections, (size_t)size, FILE_SIZE) != size ||
        pwrite(file, &header, sizeof(header), 0) != sizeof(header) || close(file) != 0)
        give_up(path);
    free(sections);
}

static void run_tool(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void run_tool(const char *format, ...)
{
    char command[9000];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    if (system(command) != 0)
        give_up(command);
}

static const char *in_place(const char *name)
{
    return strdup(in_directory("%s", name));
}

struct objects {
    const char *whole, *stripped, *debug;
};

static struct objects make_objects(void)
{
    struct objects made = {in_place("symbols.so"), in_place("stripped.so"),
                           in_place("symbols.debug")};
    const char *source = in_place("symbols.s");

    write_source(source);
    run_tool("cc -shared -nostdlib -Wl,--build-id -o '%s' '%s'", made.whole, source);
    unlink(source);
    run_tool("objcopy --only-keep-debug '%s' '%s'", made.whole, made.debug);
    run_tool("strip --strip-all -o '%s' '%s'", made.stripped, made.whole);
    add_debug_section(made.whole);
    add_debug_section(made.debug);
    return made;
}

/* ---- measuring ---- */

static int open_named(struct dl_phdr_info *info, size_t size, void *context)
{
    static struct elf_error fault;
    struct image **image = context;

    (void)size;
    if (!strstr(info->dlpi_name, "/symbols.so"))
        return 0;
    if (image_open_mapped(image, info, &fault)) {
        fprintf(stderr, "%s\n", fault.text);
        exit(1);
    }
    return 1;
}

static int take_one(const struct function *function, void *context)
{
    *(uint64_t *)context = function->address;
    return 1;
}

static void look_up(struct functions *functions, int i)
{
    char name[128];
    uint64_t address;

    name_of(name, i);
    if (functions_named(functions, name, take_one, &address) != 1)
        give_up(name);
}

static double anonymous_mb(void)
{
    char line[256];
    double kb = NAN;
    FILE *status = fopen("/proc/self/status", "re");

    while (status && fgets(line, sizeof(line), status))
        if (strncmp(line, "RssAnon:", 8) == 0)
            kb = strtod(line + 8, NULL);
    if (status)
        fclose(status);
    return kb / 1024;
}

static struct functions *open_functions(const struct image *image, const char *path)
{
    struct functions *functions;
    struct elf_error fault = {ELF_OK, ""};
    int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0)
        give_up(path);
    if (functions_of_mapped(&functions, image, file, &fault)) {
        fprintf(stderr, "%s\n", fault.text);
        exit(1);
    }
    close(file);
    return functions;
}

static int count_one(const struct function *function, void *context)
{
    (void)function;
    ++*(size_t *)context;
    return 0;
}

enum { ROUNDS = 5 };

/* The command's look-up in a process that has the stripped object: this one. */
static double find_by_command(struct lookup *lookup, int i)
{
    struct refusal why = {0};
    char name[128], target[160], *key;
    double begun = now_us();

    name_of(name, i);
    snprintf(target, sizeof(target), "stripped.so:%s", name);
    if (lookup_target(lookup, target, &key, &why) != 1)
        give_up(target);
    free(key);
    return now_us() - begun;
}

static void time_command(const struct objects *objects)
{
    struct samples first = {0}, later = {0}, memory = {0};
    struct refusal why = {0};
    struct process process;

    if (!dlopen(objects->stripped, RTLD_NOW) || process_open(getpid(), &process, &why) != 0)
        give_up(objects->stripped);
    for (int round = 0; round < ROUNDS; round++) {
        double before = anonymous_mb(), begun = now_us();
        struct lookup *lookup = lookup_open(&objects->debug, 1, &why);

        if (!lookup)
            give_up(objects->debug);
        lookup_process(lookup, &process);
        find_by_command(lookup, FUNCTIONS / 2);
        sample(&first, (now_us() - begun) / 1000);
        for (int i = 0; i < LOOKUPS / 10; i++)
            sample(&later, find_by_command(lookup, (int)((unsigned)i * 7919U % FUNCTIONS)));
        sample(&memory, anonymous_mb() - before);
        lookup_close(lookup);
    }
    process_close(&process);
    row("the command, stripped, debug file of 500 MB, first", median(&first), "ms", 100,
        "the process's objects read, the symbol found");
    row("  later", median(&later), "us", 1000, "p99 %.0f us", quantile(&later, 0.99));
    row("  memory while they are known", quantile(&memory, 1), "MB", NO_BUDGET,
        "%.0f bytes a function", quantile(&memory, 1) * 1048576 / FUNCTIONS);
}

static void time_engine(const char *path)
{
    struct samples first = {0}, later = {0}, every = {0}, memory = {0};
    struct image *image = NULL;
    size_t count = 0;

    if (!dlopen(path, RTLD_NOW) || dl_iterate_phdr(open_named, &image) != 1)
        give_up("dlopen");
    for (int round = 0; round < ROUNDS; round++) {
        double before = anonymous_mb(), begun = now_us();
        struct functions *functions = open_functions(image, path);

        look_up(functions, FUNCTIONS / 2);
        sample(&first, (now_us() - begun) / 1000);
        for (int i = 0; i < LOOKUPS; i++) {
            begun = now_us();
            look_up(functions, (int)((unsigned)i * 7919U % FUNCTIONS));
            sample(&later, now_us() - begun);
        }
        sample(&memory, anonymous_mb() - before);
        count = 0;
        begun = now_us();
        functions_each(functions, count_one, &count);
        sample(&every, (now_us() - begun) / 1000);
        functions_close(functions);
    }
    row("a symbol in 500 MB, first time", median(&first), "ms", 100,
        "of %zu functions, .symtab read", count);
    row("  later", median(&later), "us", 1000, "p99 %.1f us", quantile(&later, 0.99));
    row("  memory while they are known", quantile(&memory, 1), "MB", NO_BUDGET,
        "%.0f bytes a function, its name among them", quantile(&memory, 1) * 1048576 / FUNCTIONS);
    row("  every function listed", median(&every), "ms", NO_BUDGET, "with sizes, in order");
}

int main(void)
{
    struct objects objects = make_objects();

    time_engine(objects.whole);
    time_command(&objects);
    return 0;
}
