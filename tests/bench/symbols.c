/*
 * symbols.c - how long a function is looked for in a program of 500 MB with debug information, and
 * what memory that takes: 400,000 functions with names as C++ has them, in an object that is mapped.
 *
 * The debug information is a section without content (a hole in the file): nothing reads it.
 */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include "bench.h"
#include "functions.h"

enum { FUNCTIONS = 400000, IN_ONE_FILE = 200, LOOKUPS = 1000 };

#define FILE_SIZE (500L << 20)

static void name_of(char name[128], int i)
{
    snprintf(name, 128, "_ZN5bench9namespace%dC2ERKNS_7program6module%dE_reads_its_input_%d",
             i % 40, i / IN_ONE_FILE, i);
}

static void write_source(const char *path)
{
    FILE *source = fopen(path, "we");
    char name[128];

    if (!source)
        give_up(path);
    fprintf(source, ".text\n");
    for (int i = 0; i < FUNCTIONS; i++) {
        if (i % IN_ONE_FILE == 0)
            fprintf(source, ".file \"module%d.cc\"\n", i / IN_ONE_FILE);
        name_of(name, i);
        fprintf(source,
                ".p2align 4\n.type %s,@function\n%s: .cfi_startproc\nret\n.fill 40,1,0x90\n"
                ".cfi_endproc\n.size %s,41\n",
                name, name, name);
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

static const char *make_object(void)
{
    static char path[4096];
    char source[4096], command[9000];

    snprintf(path, sizeof(path), "%s", in_directory("symbols.so"));
    snprintf(source, sizeof(source), "%s", in_directory("symbols.s"));
    write_source(source);
    snprintf(command, sizeof(command), "cc -shared -nostdlib -Wl,--build-id -o '%s' '%s'", path,
             source);
    if (system(command) != 0)
        give_up("cc");
    unlink(source);
    add_debug_section(path);
    return path;
}

/* ---- measuring ---- */

static int open_named(struct dl_phdr_info *info, size_t size, void *context)
{
    static struct elf_fault fault;
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
    struct elf_fault fault = {ELF_OK, ""};
    int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0)
        give_up(path);
    if (functions_of_mapped(&functions, image, file, &fault) ||
        functions_file_problem(functions)[0]) {
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

int main(void)
{
    enum { ROUNDS = 5 };
    const char *path = make_object();
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
    return 0;
}
