/*
 * debug_info.c - see debug_info.h.
 *
 * Each object is reported to libdwfl by itself, as a file that nobody runs ("offline"): what is
 * found then holds for every process that has the object mapped.
 */
#include "cli/debug/debug_info.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base_name.h"
#include "cli/debug/dwarf_text.h"
#include "cli/debug/dwarf_units.h"
#include "cli/output/clock.h"
#include "cli/output/output.h"
#include "elf/slot_table.h"

#define DYNAMIC_MAX 4096 /* entries of PT_DYNAMIC that are looked at */

struct debug_info {
    const struct debug_files *given;
    struct debug_place place;
    int file; /* the object's, open */
    Dwfl *dwfl;
    Dwfl_Module *module;
    GElf_Addr bias; /* of the module's addresses in `dwfl` */
    char *build_id;
    char *soname;
    struct image *image; /* of an object that declares slots; read when first asked for */
    struct slot_table slots;
    bool slots_read;
    struct debug_names own, all;      /* likewise */
    bool dwarf_tested, dwarf_damaged; /* damaged DWARF is as good as none */
    struct debug_names dwarf;         /* what DWARF names, as far as it has been read */
    Dwarf_CU *dwarf_last;             /* the last unit of it */
    struct inlined_index *inlined;    /* likewise */
};

/* ----------------------------------------------------------------- opening --- */

/* Find the debug file: first the user's own, then those that are installed. libdwfl finds the file into which
 * dwz(1) moved what several debug files share, which has no object, beside them. */
static int find_debug_file(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
                           const char *file_name, const char *link, GElf_Word crc, char **out)
{
    const struct debug_info *info = *data;
    const unsigned char *bytes = NULL;
    GElf_Addr at;
    int count = dwfl_module_build_id(module, &bytes, &at), fd;
    char *build_id = debug_build_id_text(bytes, count);

    fd = debug_file_find(info->given, &info->place, build_id, link, crc, out);
    free(build_id);
    if (fd < 0 && !file_name)
        fd = dwfl_standard_find_debuginfo(module, data, name, base, file_name, link, crc, out);
    return fd;
}

static char search_path_text[] = ":.debug:/usr/lib/debug"; /* libdwfl's own, said here */
static char *search_path = search_path_text;

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = find_debug_file,
    .section_address = dwfl_offline_section_address,
    .debuginfo_path = &search_path,
};

/* Return the DT_SONAME in the PT_DYNAMIC at `header`, malloc'd, or NULL. */
static char *soname_in(Elf *elf, const GElf_Phdr *header)
{
    Elf_Data *data =
        elf_getdata_rawchunk(elf, (int64_t)header->p_offset, header->p_filesz, ELF_T_DYN);
    uint64_t strings = 0, name = 0;
    bool named = false;
    Elf_Scn *section;
    const char *text;
    GElf_Dyn entry;

    for (int i = 0; data && i < DYNAMIC_MAX && gelf_getdyn(data, i, &entry); i++) {
        if (entry.d_tag == DT_NULL)
            break;
        if (entry.d_tag == DT_STRTAB)
            strings = entry.d_un.d_ptr;
        named = named || entry.d_tag == DT_SONAME;
        if (entry.d_tag == DT_SONAME)
            name = entry.d_un.d_val;
    }
    section = named ? gelf_offscn(elf, strings) : NULL;
    text = section ? elf_strptr(elf, elf_ndxscn(section), name) : NULL;
    return text && *text ? format_text("%s", text) : NULL;
}

static char *soname_of(Elf *elf)
{
    size_t count = 0;
    GElf_Phdr header;

    if (elf_getphdrnum(elf, &count) != 0)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_DYNAMIC)
            return soname_in(elf, &header);
    return NULL;
}

static bool report(struct debug_info *info, const char *path, int file)
{
    int own = fcntl(file, F_DUPFD_CLOEXEC, 3); /* libdwfl closes it */
    void **data;
    Elf *elf;

    info->dwfl = dwfl_begin(&callbacks);
    if (!info->dwfl || own < 0)
        return false;
    info->module = dwfl_report_offline(info->dwfl, path, path, own);
    if (!info->module) {
        close(own);
        return false;
    }
    dwfl_report_end(info->dwfl, NULL, NULL);
    elf = dwfl_module_getelf(info->module, &info->bias);
    if (!elf || elf_kind(elf) != ELF_K_ELF)
        return false;
    dwfl_module_info(info->module, &data, NULL, NULL, NULL, NULL, NULL, NULL);
    *data = info;
    info->build_id = debug_build_id(elf);
    info->soname = soname_of(elf);
    return true;
}

struct debug_info *debug_info_open(const char *path, int file, int root, struct debug_files *given)
{
    struct debug_info *info = allocate(sizeof(*info));

    unsetenv("DEBUGINFOD_URLS"); /* a load must not wait for a download */
    *info = (struct debug_info){
        .given = given,
        .place = {.path = format_text("%s", path), .root = -1},
        .file = fcntl(file, F_DUPFD_CLOEXEC, 3),
    };
    if (root >= 0)
        info->place.root = fcntl(root, F_DUPFD_CLOEXEC, 3);
    if (report(info, path, file))
        return info;
    debug_info_close(info);
    return NULL;
}

void debug_info_close(struct debug_info *info)
{
    if (!info)
        return;
    debug_names_free(&info->own);
    debug_names_free(&info->all);
    debug_names_free(&info->dwarf);
    inlined_index_free(info->inlined);
    slot_table_free(&info->slots);
    image_close(info->image); /* its bytes are libdwfl's */
    if (info->dwfl)
        dwfl_end(info->dwfl);
    if (info->place.root >= 0)
        close(info->place.root);
    if (info->file >= 0)
        close(info->file);
    free(info->place.path);
    free(info->build_id);
    free(info->soname);
    free(info);
}

int debug_info_file(const struct debug_info *info)
{
    return info->file;
}

const char *debug_info_build_id(const struct debug_info *info)
{
    return info->build_id;
}

const char *debug_info_soname(const struct debug_info *info)
{
    return info->soname;
}

/* ---------------------------------------------------------- declared slots --- */

static bool has_slot_table(Elf *elf)
{
    Elf_Scn *section = NULL;
    size_t names;

    if (elf_getshdrstrndx(elf, &names) != 0)
        return false;
    while ((section = elf_nextscn(elf, section))) {
        GElf_Shdr header;
        const char *name =
            gelf_getshdr(section, &header) ? elf_strptr(elf, names, header.sh_name) : NULL;

        if (name && strcmp(name, "hotpatch_table") == 0)
            return true;
    }
    return false;
}

static void read_declared_slots(struct debug_info *info)
{
    struct elf_error ignored = {0};
    GElf_Addr bias;
    Elf *elf = dwfl_module_getelf(info->module, &bias);
    size_t size = 0;
    const char *bytes = has_slot_table(elf) ? elf_rawfile(elf, &size) : NULL;

    info->slots_read = true;
    if (bytes && image_open(&info->image, bytes, size, 0, &ignored) == 0 &&
        slot_table_read(info->image, &info->slots, &ignored) != 1)
        info->slots = (struct slot_table){0};
}

bool debug_info_declares(struct debug_info *info, const char *name, const char **name_space)
{
    if (!info->slots_read)
        read_declared_slots(info);
    *name_space = info->slots.name_space;
    for (size_t i = 0; i < info->slots.count; i++)
        if (strcmp(info->slots.slots[i].name, name) == 0)
            return true;
    return false;
}

/* ------------------------------------------------------------------- names --- */

/* Return the source file of a symbol. A local symbol follows its STT_FILE; an empty STT_FILE ends the symbols
 * that have one. */
static const char *file_now(const GElf_Sym *symbol, const char *name, const char *file)
{
    if (GELF_ST_BIND(symbol->st_info) != STB_LOCAL)
        return NULL;
    if (GELF_ST_TYPE(symbol->st_info) != STT_FILE)
        return file;
    return *name ? base_name(name) : NULL;
}

/* `address` is the symbol's, before load bias. */
static void take_symbol(const GElf_Sym *symbol, const char *name, uint64_t address,
                        const char **file, struct debug_names *names)
{
    struct debug_function function;
    int type = GELF_ST_TYPE(symbol->st_info);

    *file = file_now(symbol, name, *file);
    if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol->st_shndx == SHN_UNDEF)
        return;
    function = (struct debug_function){
        .name = name,
        .file = *file,
        .address = address,
        .ifunc = type == STT_GNU_IFUNC,
        .local = GELF_ST_BIND(symbol->st_info) == STB_LOCAL,
    };
    debug_names_add(&function, names);
}

static void section_functions(Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
                              struct debug_names *names)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t count = header->sh_entsize ? header->sh_size / header->sh_entsize : 0;
    const char *file = NULL;

    for (size_t i = 1; data && i < count && i <= INT_MAX; i++) {
        GElf_Sym symbol;
        const char *name;

        if (gelf_getsym(data, (int)i, &symbol) &&
            (name = elf_strptr(elf, header->sh_link, symbol.st_name)))
            take_symbol(&symbol, name, symbol.st_value, &file, names);
    }
}

static void read_own_names(struct debug_info *info)
{
    GElf_Addr bias;
    Elf *elf = dwfl_module_getelf(info->module, &bias);
    Elf_Scn *section = NULL;

    info->own.read = true;
    while (elf && (section = elf_nextscn(elf, section))) {
        GElf_Shdr header;

        if (gelf_getshdr(section, &header) &&
            (header.sh_type == SHT_DYNSYM || header.sh_type == SHT_SYMTAB))
            section_functions(elf, section, &header, &info->own);
    }
}

static void read_all_names(struct debug_info *info)
{
    int count = dwfl_module_getsymtab(info->module);
    const char *file = NULL;

    info->all.read = true;
    for (int i = 1; i < count; i++) {
        GElf_Addr address;
        GElf_Sym symbol;
        const char *name =
            dwfl_module_getsym_info(info->module, i, &symbol, &address, NULL, NULL, NULL);

        if (name)
            take_symbol(&symbol, name, address - info->bias, &file, &info->all);
    }
}

int debug_info_own_named(struct debug_info *info, const char *name, debug_function_visit *each,
                         void *context)
{
    if (!info->own.read)
        read_own_names(info);
    return debug_names_called(&info->own, name, each, context);
}

int debug_info_functions(struct debug_info *info, debug_function_visit *each, void *context)
{
    if (!info->all.read)
        read_all_names(info);
    return debug_names_each(&info->all, each, context);
}

int debug_info_named(struct debug_info *info, const char *name, debug_function_visit *each,
                     void *context)
{
    if (!info->all.read)
        read_all_names(info);
    return debug_names_called(&info->all, name, each, context);
}

int debug_info_clones(struct debug_info *info, const char *name, debug_function_visit *each,
                      void *context)
{
    if (!info->all.read)
        read_all_names(info);
    return debug_names_clones(&info->all, name, each, context);
}

/* ------------------------------------------------------------------- DWARF --- */

Dwarf *debug_info_dwarf(struct debug_info *info, Dwarf_Addr *bias)
{
    Dwarf *dwarf = dwfl_module_getdwarf(info->module, bias);

    if (!dwarf || info->dwarf_damaged)
        return NULL;
    if (!info->dwarf_tested && !debug_texts_end(dwarf)) {
        info->dwarf_damaged = true;
        return NULL;
    }
    info->dwarf_tested = true;
    *bias -= info->bias;
    return dwarf;
}

struct inlined_index *debug_info_inlined(struct debug_info *info, Dwarf_Addr *bias)
{
    Dwarf *dwarf = debug_info_dwarf(info, bias);

    if (dwarf && !info->inlined)
        info->inlined = inlined_index_new(dwarf);
    return dwarf ? info->inlined : NULL;
}

/* clang writes no .debug_aranges, by which libdw looks up addresses: then each unit is tried. */
Dwarf_Die *debug_info_unit(struct debug_info *info, uint64_t address, Dwarf_Die *storage,
                           Dwarf_Addr *bias)
{
    Dwarf *dwarf = debug_info_dwarf(info, bias);
    Dwarf_Off offset = 0, next;
    size_t head;

    if (!dwarf)
        return NULL;
    if (dwarf_addrdie(dwarf, address - *bias, storage))
        return storage;
    while (dwarf_nextcu(dwarf, offset, &next, &head, NULL, NULL, NULL) == 0) {
        if (dwarf_offdie(dwarf, offset + head, storage) &&
            dwarf_haspc(storage, address - *bias) == 1)
            return storage;
        offset = next;
    }
    return NULL;
}

/* Return whether the function has a name of its own. What refers to an abstract instance may be a clone with
 * other parameters. */
static bool is_plain_function(Dwarf_Die *die)
{
    return dwarf_tag(die) == DW_TAG_subprogram && dwarf_hasattr(die, DW_AT_name);
}

/* Add the functions at the top of a unit; those in name spaces have symbols. */
static void add_unit_functions(struct debug_info *info, Dwarf_Die *unit, Dwarf_Addr bias)
{
    Dwarf_Die die;

    if (dwarf_child(unit, &die) != 0)
        return;
    do {
        const char *called = is_plain_function(&die) ? debug_die_name(&die) : NULL;
        struct debug_function function = {.name = called, .local = true};
        Dwarf_Addr entry;

        if (!called || dwarf_entrypc(&die, &entry) != 0)
            continue;
        function.file = base_name(debug_die_name(unit));
        function.address = entry + bias;
        debug_names_add(&function, &info->dwarf);
    } while (dwarf_siblingof(&die, &die) == 0);
}

/* Read the names once for all; continue where the last budget ended. */
static void read_dwarf_names(struct debug_info *info, uint64_t until)
{
    Dwarf_Die storage, split, *unit;
    Dwarf_Addr bias;
    Dwarf *dwarf = debug_info_dwarf(info, &bias);

    while (!info->dwarf.read && now_ms() < until) {
        unit = dwarf ? debug_unit_next(dwarf, &info->dwarf_last, &storage, &split) : NULL;
        if (unit)
            add_unit_functions(info, unit, bias);
        else
            info->dwarf.read = true;
    }
}

int debug_info_dwarf_functions(struct debug_info *info, const char *name, unsigned budget,
                               debug_function_visit *each, void *context)
{
    if (!info->dwarf.read)
        read_dwarf_names(info, now_ms() + budget);
    return debug_names_called(&info->dwarf, name, each, context);
}

const char *debug_info_source(struct debug_info *info, uint64_t address)
{
    Dwarf_Addr bias;
    Dwarf_Die storage, split;
    Dwarf_Die *unit = debug_info_unit(info, address, &storage, &bias);

    return unit ? base_name(debug_die_name(debug_unit_whole(unit, &split))) : NULL;
}
