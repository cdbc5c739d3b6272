/*
 * line_program.c - see line_program.h.
 *
 * Instructions that advance the address are copied as they are. Those that set file and line are left out, and written before
 * the instruction that adds a row, so that the row gets the line of the map:
 *
 *     advance_line 6; special (address 4, line 2)       6 + 2 is line 8, which the map says is line 11
 *     advance_line 9; special (address 4, line 2)
 */
#include "elf/line_program.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* DWARF 5, 7.22 and 7.5.6 */
enum {
    LNS_COPY = 1,
    LNS_ADVANCE_LINE = 3,
    LNS_SET_FILE = 4,
    LNS_FIXED_ADVANCE_PC = 9,
    LNE_END_SEQUENCE = 1,
    LNE_DEFINE_FILE = 3,
    LNCT_PATH = 1,
    LNCT_DIRECTORY_INDEX = 2,
    FORM_BLOCK = 0x09,
    FORM_DATA1 = 0x0b,
    FORM_DATA2 = 0x05,
    FORM_DATA4 = 0x06,
    FORM_DATA8 = 0x07,
    FORM_DATA16 = 0x1e,
    FORM_STRING = 0x08,
    FORM_STRP = 0x0e,
    FORM_LINE_STRP = 0x1f,
    FORM_UDATA = 0x0f
};

#define ENTRIES_MOST 65536 /* of one table */
#define FORMATS_MOST 16

/* One directory or file of the table. */
struct line_entry {
    size_t begin, end; /* in the old table */
    const char *path;
    uint64_t directory;
    int role;
};

struct line_entries {
    struct line_entry *list;
    size_t count, room;
    size_t first; /* number of list[0] */
};

struct line_format {
    uint64_t content, form;
};

struct line_writer {
    const struct rel_object *object;
    const struct rel_section *section;
    const struct line_map *map;
    struct line_table *table;

    const uint8_t *bytes; /* of the old table */
    size_t size, at;
    bool failed;
    size_t next; /* the old relocation that is copied next */

    size_t room; /* of the new table */
    size_t relocation_count;

    unsigned version;
    int line_base;
    unsigned line_range, opcode_base;
    uint8_t lengths[256]; /* of standard opcodes: the number of operands */
    struct line_entries directories, files;
    size_t source; /* index in files */

    /* The registers that the rows get: of the old table, and of the new one. */
    uint64_t file, line, new_file, new_line;
};

/* ------------------------------------------------------- reading --- */

static bool has_line_bytes(struct line_writer *writer, uint64_t count)
{
    if (count > writer->size - writer->at)
        writer->failed = true;
    return !writer->failed;
}

static uint64_t read_line_number(struct line_writer *writer, size_t size)
{
    uint64_t value = 0;

    if (!has_line_bytes(writer, size))
        return 0;
    memcpy(&value, writer->bytes + writer->at, size); /* little-endian: rel_object.h */
    writer->at += size;
    return value;
}

static uint64_t read_leb128(struct line_writer *writer, bool is_signed)
{
    uint64_t value = 0;

    for (unsigned shift = 0; has_line_bytes(writer, 1); shift += 7) {
        uint8_t byte = writer->bytes[writer->at++];

        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & 0x80)
            continue;
        if (is_signed && (byte & 0x40) && shift + 7 < 64)
            value |= UINT64_MAX << (shift + 7);
        return value;
    }
    return 0;
}

static const char *read_string(struct line_writer *writer)
{
    const char *text = (const char *)writer->bytes + writer->at;
    const char *end = writer->failed ? NULL : memchr(text, 0, writer->size - writer->at);

    if (!end) {
        writer->failed = true;
        return "";
    }
    writer->at += (size_t)(end - text) + 1;
    return text;
}

/* Return the string of another section that the field, an offset of 4 bytes, refers to. */
static const char *read_reference(struct line_writer *writer, const char *section_name)
{
    size_t count, place = writer->at;
    const struct rel_relocation *relocation = rel_relocations_in(writer->section, place, 4, &count);
    uint64_t offset = read_line_number(writer, 4);
    uint32_t index = rel_section_named(writer->object, section_name);
    const struct rel_section *strings = &writer->object->sections[index];

    if (count == 1 && relocation->offset == place) {
        const struct rel_symbol *symbol = &writer->object->symbols[relocation->symbol];

        offset = symbol->value + (uint64_t)relocation->addend;
        if (symbol->section != index)
            writer->failed = true;
    } else if (count) {
        writer->failed = true;
    }
    if (!index || !strings->bytes || offset >= strings->size || (strings->flags & SHF_COMPRESSED) ||
        !memchr(strings->bytes + offset, 0, strings->size - offset))
        writer->failed = true;
    return writer->failed ? "" : (const char *)strings->bytes + offset;
}

static struct line_entry *add_entry(struct line_writer *writer, struct line_entries *entries)
{
    if (entries->count == entries->room) {
        size_t room = entries->room ? 2 * entries->room : 32;
        struct line_entry *longer =
            room > ENTRIES_MOST ? NULL : realloc(entries->list, room * sizeof(*longer));

        if (!longer) {
            writer->failed = true;
            return NULL;
        }
        entries->list = longer;
        entries->room = room;
    }
    entries->list[entries->count] = (struct line_entry){.begin = writer->at, .path = ""};
    return &entries->list[entries->count++];
}

/* ---- version 5 ---- */

static void read_line_field(struct line_writer *writer, struct line_entry *entry,
                            const struct line_format *format)
{
    const char *path = NULL;
    uint64_t number = 0;

    switch (format->form) {
    case FORM_STRING:
        path = read_string(writer);
        break;
    case FORM_LINE_STRP:
        path = read_reference(writer, ".debug_line_str");
        break;
    case FORM_STRP:
        path = read_reference(writer, ".debug_str");
        break;
    case FORM_UDATA:
        number = read_leb128(writer, false);
        break;
    case FORM_DATA1:
        number = read_line_number(writer, 1);
        break;
    case FORM_DATA2:
        number = read_line_number(writer, 2);
        break;
    case FORM_DATA4:
        number = read_line_number(writer, 4);
        break;
    case FORM_DATA8:
        number = read_line_number(writer, 8);
        break;
    case FORM_DATA16:
        if (has_line_bytes(writer, 16))
            writer->at += 16;
        break;
    case FORM_BLOCK:
        number = read_leb128(writer, false);
        if (has_line_bytes(writer, number))
            writer->at += number;
        break;
    default:
        writer->failed = true;
    }
    if (format->content == LNCT_PATH && path)
        entry->path = path;
    else if (format->content == LNCT_DIRECTORY_INDEX && !path)
        entry->directory = number;
}

static void read_lists(struct line_writer *writer, struct line_entries *entries)
{
    struct line_format formats[FORMATS_MOST];
    uint64_t format_count = read_line_number(writer, 1), count;

    if (format_count > FORMATS_MOST)
        writer->failed = true;
    for (uint64_t i = 0; i < format_count && !writer->failed; i++) {
        formats[i].content = read_leb128(writer, false);
        formats[i].form = read_leb128(writer, false);
    }
    count = read_leb128(writer, false);
    if (count && !format_count)
        writer->failed = true;
    for (uint64_t i = 0; i < count && !writer->failed; i++) {
        struct line_entry *entry = add_entry(writer, entries);

        for (uint64_t k = 0; k < format_count && !writer->failed; k++)
            read_line_field(writer, entry, &formats[k]);
        if (entry)
            entry->end = writer->at;
    }
}

/* ---- versions 2 to 4 ---- */

static bool list_goes_on(struct line_writer *writer)
{
    return has_line_bytes(writer, 1) && writer->bytes[writer->at];
}

static void read_old_entries(struct line_writer *writer, struct line_entries *entries, bool files)
{
    entries->first = 1;
    while (list_goes_on(writer)) {
        struct line_entry *entry = add_entry(writer, entries);

        if (!entry)
            return;
        entry->path = read_string(writer);
        if (files) {
            entry->directory = read_leb128(writer, false);
            read_leb128(writer, false); /* time */
            read_leb128(writer, false); /* size */
        }
        entry->end = writer->at;
    }
    if (!writer->failed)
        writer->at++;
}

/* --------------------------------------------------- which are which --- */

static const struct line_entry *directory_of(const struct line_writer *writer,
                                             const struct line_entry *file)
{
    uint64_t index = file->directory - writer->directories.first;

    if (file->directory < writer->directories.first || index >= writer->directories.count)
        return NULL;
    return &writer->directories.list[index];
}

#define PATH_ROOM 4096

/* Write the file's path; compilers part one path in several ways. Return false if it is too long. */
static bool join_path(const struct line_writer *writer, const struct line_entry *file,
                      char path[PATH_ROOM])
{
    const struct line_entry *directory = directory_of(writer, file);
    const char *parts[3] = {"", directory ? directory->path : "", file->path};

    if (writer->version == 5 && writer->directories.count)
        parts[0] = writer->directories.list[0].path;
    if (*parts[2] == '/')
        parts[1] = "";
    if (*parts[2] == '/' || *parts[1] == '/')
        parts[0] = "";
    return snprintf(path, PATH_ROOM, "%s%s%s%s%s", parts[0], *parts[0] ? "/" : "", parts[1],
                    *parts[1] ? "/" : "", parts[2]) < PATH_ROOM;
}

static bool has_line_path(const struct line_writer *writer, const struct line_entry *file,
                          const char *name)
{
    char path[PATH_ROOM];

    return join_path(writer, file, path) && strcmp(path, name) == 0;
}

static bool same_line_path(const struct line_writer *writer, const struct line_entry *one,
                           const struct line_entry *two)
{
    char path[PATH_ROOM];

    return join_path(writer, one, path) && has_line_path(writer, two, path);
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void find_names(const struct line_writer *writer)
{
    for (size_t i = 0; i < writer->files.count; i++) {
        struct line_entry *file = &writer->files.list[i];

        file->role = LINE_FILE_OTHER;
        for (size_t k = 0; k < writer->map->name_count; k++)
            if (has_line_path(writer, file, writer->map->names[k]))
                file->role = (int)k;
    }
}

/* Find the source: file 0 of version 5; before, the only file whose name is like the map's. */
static bool find_line_source(struct line_writer *writer)
{
    const struct line_entries *files = &writer->files;
    const char *name = writer->map->name_count ? last_part(writer->map->names[0]) : "";
    size_t found = files->count;

    for (size_t i = 0; i < files->count; i++) {
        const struct line_entry *file = &files->list[i];

        if (file->role != LINE_FILE_OTHER || strcmp(last_part(file->path), name) != 0)
            continue;
        if (writer->version < 5 && found < files->count &&
            !same_line_path(writer, file, &files->list[found]))
            return false;
        found = found < files->count ? found : i;
    }
    writer->source = found;
    return found < files->count && (writer->version < 5 || found == 0);
}

static int role_of(const struct line_writer *writer, uint64_t file)
{
    uint64_t index = file - writer->files.first;

    if (file < writer->files.first || index >= writer->files.count)
        return LINE_FILE_OTHER;
    return writer->files.list[index].role;
}

/* ------------------------------------------------------- writing --- */

static void write_bytes(struct line_writer *writer, const void *bytes, size_t size)
{
    struct line_table *table = writer->table;

    if (!size)
        return;
    if (size > writer->room - table->size) {
        size_t room = 2 * (writer->room + size);
        uint8_t *longer = realloc(table->bytes, room);

        if (!longer) {
            writer->failed = true;
            return;
        }
        table->bytes = longer;
        writer->room = room;
    }
    memcpy(table->bytes + table->size, bytes, size);
    table->size += size;
}

/* Copy bytes of the old table, with the relocations of fields in them. */
static void copy_old(struct line_writer *writer, size_t begin, size_t end)
{
    const struct rel_relocation *relocations = writer->section->relocations;
    struct line_table *table = writer->table;
    size_t count;
    const struct rel_relocation *first =
        rel_relocations_in(writer->section, begin, end - begin, &count);

    if (writer->failed)
        return;
    for (size_t i = 0; i < count; i++) {
        if (writer->relocation_count == writer->section->relocation_count ||
            arch_thin(first[i].type).size > end - first[i].offset) {
            writer->failed = true;
            return;
        }
        table->relocations[writer->relocation_count++] = (struct line_relocation){
            first[i].offset - begin + table->size, (size_t)(first + i - relocations)};
    }
    write_bytes(writer, writer->bytes + begin, end - begin);
}

static void write_leb128(struct line_writer *writer, uint64_t value, bool is_signed)
{
    bool more = true;

    while (more) {
        uint8_t byte = value & 0x7f;

        if (is_signed) {
            value = (uint64_t)((int64_t)value >> 7);
            more = !((value == 0 && !(byte & 0x40)) || (value == UINT64_MAX && (byte & 0x40)));
        } else {
            value >>= 7;
            more = value != 0;
        }
        byte |= more ? 0x80 : 0;
        write_bytes(writer, &byte, 1);
    }
}

static void patch_length(struct line_writer *writer, size_t place, size_t from)
{
    uint32_t length = (uint32_t)(writer->table->size - from);

    if (!writer->failed)
        memcpy(writer->table->bytes + place, &length, sizeof(length));
}

/* ------------------------------------------------------ the header --- */

static void read_lengths(struct line_writer *writer)
{
    writer->line_base = (int8_t)read_line_number(writer, 1);
    writer->line_range = (unsigned)read_line_number(writer, 1);
    writer->opcode_base = (unsigned)read_line_number(writer, 1);
    if (!writer->line_range || !writer->opcode_base)
        writer->failed = true;
    for (unsigned i = 1; i < writer->opcode_base; i++) {
        writer->lengths[i] = (uint8_t)read_line_number(writer, 1);
        if ((i == LNS_COPY && writer->lengths[i] != 0) ||
            ((i == LNS_ADVANCE_LINE || i == LNS_SET_FILE || i == LNS_FIXED_ADVANCE_PC) &&
             writer->lengths[i] != 1))
            writer->failed = true;
    }
}

/* Entries of the map's names become entries of the source. */
static void write_files(struct line_writer *writer)
{
    const struct line_entry *source = &writer->files.list[writer->source];

    for (size_t i = 0; i < writer->files.count; i++) {
        const struct line_entry *entry = &writer->files.list[i];

        entry = entry->role == LINE_FILE_OTHER ? entry : source;
        copy_old(writer, entry->begin, entry->end);
    }
}

static void write_directories(struct line_writer *writer)
{
    size_t length = strlen(writer->map->prefix);

    for (size_t i = 0; i < writer->directories.count; i++) {
        const struct line_entry *entry = &writer->directories.list[i];

        if (strncmp(entry->path, writer->map->prefix, length) != 0)
            copy_old(writer, entry->begin, entry->end);
        else if (writer->version < 5)
            write_bytes(writer, ".", 2);
        else
            copy_old(writer, writer->directories.list[0].begin, writer->directories.list[0].end);
    }
}

/* Copy what stands between two lists. */
static size_t list_begin(const struct line_entries *entries, size_t otherwise)
{
    return entries->count ? entries->list[0].begin : otherwise;
}

static size_t list_end(const struct line_entries *entries, size_t otherwise)
{
    return entries->count ? entries->list[entries->count - 1].end : otherwise;
}

static void read_tables(struct line_writer *writer)
{
    if (writer->version == 5) {
        read_lists(writer, &writer->directories);
        read_lists(writer, &writer->files);
    } else {
        read_old_entries(writer, &writer->directories, false);
        read_old_entries(writer, &writer->files, true);
    }
}

/* Read the header and write it anew, up to the program. */
static void rewrite_header(struct line_writer *writer)
{
    size_t length_place, program, header_length, begin;

    if (read_line_number(writer, 4) != writer->size - 4) /* 64-bit DWARF, or several tables */
        writer->failed = true;
    writer->version = (unsigned)read_line_number(writer, 2);
    if (writer->version < 2 || writer->version > 5)
        writer->failed = true;
    if (writer->version == 5)
        read_line_number(writer, 2); /* sizes of addresses and of segment selectors */
    length_place = writer->at;
    header_length = read_line_number(writer, 4);
    program = writer->at + header_length;
    if (!has_line_bytes(writer, header_length))
        return;
    read_line_number(writer, writer->version >= 4 ? 3 : 2);
    read_lengths(writer);
    begin = writer->at;
    read_tables(writer);
    if (writer->at > program)
        writer->failed = true;
    if (writer->failed)
        return;
    find_names(writer);
    if (!find_line_source(writer)) {
        writer->failed = true;
        return;
    }
    begin = list_begin(&writer->directories, begin);
    copy_old(writer, 0, begin);
    write_directories(writer);
    begin = list_end(&writer->directories, begin);
    copy_old(writer, begin, list_begin(&writer->files, program));
    write_files(writer);
    copy_old(writer, list_end(&writer->files, program), program);
    patch_length(writer, length_place, length_place + 4);
    writer->at = program;
}

/* ----------------------------------------------------- the program --- */

static void reset_registers(struct line_writer *writer)
{
    writer->file = writer->new_file = 1;
    writer->line = writer->new_line = 1;
}

/* Give the next row its file and line; `delta` is what the instruction that adds it adds to the line. */
static void write_registers(struct line_writer *writer, int delta)
{
    int role = role_of(writer, writer->file);
    uint64_t file = writer->file, line;

    writer->line += (uint64_t)(int64_t)delta;
    line = writer->line;
    if (role != LINE_FILE_OTHER) {
        file = writer->files.first + writer->source;
        line = line_map_find(writer->map, (unsigned)role, line);
    }
    if (file != writer->new_file) {
        write_bytes(writer, &(uint8_t){LNS_SET_FILE}, 1);
        write_leb128(writer, file, false);
    }
    if (line != writer->new_line + (uint64_t)(int64_t)delta) {
        write_bytes(writer, &(uint8_t){LNS_ADVANCE_LINE}, 1);
        write_leb128(writer, line - writer->new_line - (uint64_t)(int64_t)delta, true);
    }
    writer->new_file = file;
    writer->new_line = line;
}

static void rewrite_extended(struct line_writer *writer, size_t begin)
{
    uint64_t length = read_leb128(writer, false);
    size_t end = writer->at + length;

    if (!length || !has_line_bytes(writer, length)) {
        writer->failed = true;
        return;
    }
    switch (read_line_number(writer, 1)) {
    case LNE_END_SEQUENCE:
        write_registers(writer, 0);
        copy_old(writer, begin, end);
        reset_registers(writer);
        break;
    case LNE_DEFINE_FILE:
        writer->failed = true;
        return;
    default:
        copy_old(writer, begin, end);
    }
    writer->at = end;
}

static void skip_operands(struct line_writer *writer, unsigned opcode)
{
    if (opcode == LNS_FIXED_ADVANCE_PC) {
        read_line_number(writer, 2);
        return;
    }
    for (unsigned i = 0; i < writer->lengths[opcode]; i++)
        read_leb128(writer, false);
}

static void rewrite_instruction(struct line_writer *writer)
{
    size_t begin = writer->at;
    unsigned opcode = (unsigned)read_line_number(writer, 1);

    if (opcode >= writer->opcode_base) {
        write_registers(writer, writer->line_base +
                                    (int)((opcode - writer->opcode_base) % writer->line_range));
        copy_old(writer, begin, writer->at);
        return;
    }
    switch (opcode) {
    case 0:
        rewrite_extended(writer, begin);
        break;
    case LNS_COPY:
        write_registers(writer, 0);
        copy_old(writer, begin, writer->at);
        break;
    case LNS_ADVANCE_LINE:
        writer->line += read_leb128(writer, true);
        break;
    case LNS_SET_FILE:
        writer->file = read_leb128(writer, false);
        break;
    default:
        skip_operands(writer, opcode);
        copy_old(writer, begin, writer->at);
    }
}

/* ------------------------------------------------------- interface --- */

static void note_roles(struct line_writer *writer)
{
    struct line_table *table = writer->table;

    table->file_count = writer->files.first + writer->files.count;
    table->roles = malloc(table->file_count * sizeof(*table->roles));
    if (!table->roles) {
        writer->failed = true;
        return;
    }
    for (size_t i = 0; i < table->file_count; i++)
        table->roles[i] = role_of(writer, i);
}

int line_program_rewrite(struct line_table *table, const struct rel_object *object,
                         uint32_t section, const struct line_map *map)
{
    struct line_writer writer = {.object = object,
                                 .section = &object->sections[section],
                                 .map = map,
                                 .table = table,
                                 .bytes = object->sections[section].bytes,
                                 .size = object->sections[section].size};

    *table = (struct line_table){0};
    table->relocations = calloc(writer.section->relocation_count + 1, sizeof(*table->relocations));
    if (!writer.bytes || !table->relocations || (writer.section->flags & SHF_COMPRESSED))
        writer.failed = true;
    rewrite_header(&writer);
    reset_registers(&writer);
    while (!writer.failed && writer.at < writer.size)
        rewrite_instruction(&writer);
    if (!writer.failed)
        note_roles(&writer);
    if (writer.relocation_count != writer.section->relocation_count)
        writer.failed = true;
    patch_length(&writer, 0, 4);
    free(writer.directories.list);
    free(writer.files.list);
    if (writer.failed)
        line_table_free(table);
    return writer.failed ? -1 : 0;
}

void line_table_free(struct line_table *table)
{
    free(table->bytes);
    free(table->relocations);
    free(table->roles);
    *table = (struct line_table){0};
}
