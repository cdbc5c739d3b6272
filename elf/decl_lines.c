/* decl_lines.c - see decl_lines.h. Numbers are those of DWARF 5, 7.5. */
#include "elf/decl_lines.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

enum {
    AT_ABSTRACT_ORIGIN = 0x31,
    AT_DECL_FILE = 0x3a,
    AT_DECL_LINE = 0x3b,
    AT_SPECIFICATION = 0x47,
    AT_CALL_FILE = 0x58,
    AT_CALL_LINE = 0x59
};

enum {
    FORM_ADDR = 0x01,
    FORM_BLOCK2 = 0x03,
    FORM_BLOCK4 = 0x04,
    FORM_DATA2 = 0x05,
    FORM_DATA4 = 0x06,
    FORM_DATA8 = 0x07,
    FORM_STRING = 0x08,
    FORM_BLOCK = 0x09,
    FORM_BLOCK1 = 0x0a,
    FORM_DATA1 = 0x0b,
    FORM_FLAG = 0x0c,
    FORM_SDATA = 0x0d,
    FORM_STRP = 0x0e,
    FORM_UDATA = 0x0f,
    FORM_REF_ADDR = 0x10,
    FORM_REF1 = 0x11,
    FORM_REF2 = 0x12,
    FORM_REF4 = 0x13,
    FORM_REF8 = 0x14,
    FORM_REF_UDATA = 0x15,
    FORM_SEC_OFFSET = 0x17,
    FORM_EXPRLOC = 0x18,
    FORM_FLAG_PRESENT = 0x19,
    FORM_STRX = 0x1a,
    FORM_ADDRX = 0x1b,
    FORM_REF_SUP4 = 0x1c,
    FORM_STRP_SUP = 0x1d,
    FORM_DATA16 = 0x1e,
    FORM_LINE_STRP = 0x1f,
    FORM_REF_SIG8 = 0x20,
    FORM_IMPLICIT_CONST = 0x21,
    FORM_LOCLISTX = 0x22,
    FORM_RNGLISTX = 0x23,
    FORM_REF_SUP8 = 0x24,
    FORM_STRX1 = 0x25,
    FORM_STRX2 = 0x26,
    FORM_STRX3 = 0x27,
    FORM_STRX4 = 0x28,
    FORM_ADDRX1 = 0x29,
    FORM_ADDRX2 = 0x2a,
    FORM_ADDRX3 = 0x2b,
    FORM_ADDRX4 = 0x2c
};

enum { UNIT_SKELETON = 4, UNIT_SPLIT_COMPILE = 5, UNIT_TYPE = 2, UNIT_SPLIT_TYPE = 6 };

/* Bytes of one section; `failed` once a read went beyond them. */
struct decl_reader {
    const uint8_t *bytes;
    size_t size, at;
    bool failed;
};

/* An abbreviation: where its attributes begin. */
struct decl_abbreviation {
    uint64_t code;
    size_t attributes;
};

/* A number of an entry, and where it stands. */
struct decl_number {
    bool there;
    uint64_t value, form;
    size_t begin, end;
};

/* An entry that says which file it is of. */
struct decl_file {
    size_t entry; /* offset in .debug_info */
    uint64_t file;
};

struct decl_walk {
    struct decl_reader info, abbreviations;
    uint8_t *bytes; /* of .debug_info, to change */
    const struct rel_object *object;
    const struct rel_section *section;
    const struct line_table *table;
    const struct line_map *map;

    struct decl_abbreviation *list; /* of the unit */
    size_t count, room;
    struct decl_file *files; /* ascending by entry */
    size_t file_count, file_room;
    size_t unit; /* offset */
    unsigned version, address_size;
};

/* ------------------------------------------------------- reading --- */

static bool has_decl_bytes(struct decl_reader *reader, uint64_t count)
{
    if (count > reader->size - reader->at)
        reader->failed = true;
    return !reader->failed;
}

static uint64_t read_fixed(struct decl_reader *reader, size_t size)
{
    uint64_t value = 0;

    if (!has_decl_bytes(reader, size))
        return 0;
    memcpy(&value, reader->bytes + reader->at, size);
    reader->at += size;
    return value;
}

static uint64_t read_uleb128(struct decl_reader *reader)
{
    uint64_t value = 0;

    for (unsigned shift = 0; has_decl_bytes(reader, 1); shift += 7) {
        uint8_t byte = reader->bytes[reader->at++];

        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    return 0;
}

static void skip(struct decl_reader *reader, uint64_t count)
{
    if (has_decl_bytes(reader, count))
        reader->at += count;
}

static void skip_text(struct decl_reader *reader)
{
    const uint8_t *end =
        reader->failed ? NULL : memchr(reader->bytes + reader->at, 0, reader->size - reader->at);

    if (end)
        reader->at = (size_t)(end - reader->bytes) + 1;
    else
        reader->failed = true;
}

/* Read the value of an attribute; of one that is no small number 0. `constant` is that of the abbreviation. */
static uint64_t read_value(struct decl_walk *walk, uint64_t form, uint64_t constant)
{
    struct decl_reader *info = &walk->info;

    switch (form) {
    case FORM_DATA1:
    case FORM_REF1:
    case FORM_FLAG:
    case FORM_STRX1:
    case FORM_ADDRX1:
        return read_fixed(info, 1);
    case FORM_DATA2:
    case FORM_REF2:
    case FORM_STRX2:
    case FORM_ADDRX2:
        return read_fixed(info, 2);
    case FORM_STRX3:
    case FORM_ADDRX3:
        return read_fixed(info, 3);
    case FORM_DATA4:
    case FORM_REF4:
    case FORM_STRP:
    case FORM_LINE_STRP:
    case FORM_SEC_OFFSET:
    case FORM_REF_SUP4:
    case FORM_STRP_SUP:
    case FORM_STRX4:
    case FORM_ADDRX4:
        return read_fixed(info, 4);
    case FORM_DATA8:
    case FORM_REF8:
    case FORM_REF_SIG8:
    case FORM_REF_SUP8:
        return read_fixed(info, 8);
    case FORM_DATA16:
        skip(info, 16);
        return 0;
    case FORM_ADDR:
        return read_fixed(info, walk->address_size);
    case FORM_REF_ADDR:
        return read_fixed(info, walk->version == 2 ? walk->address_size : 4);
    case FORM_UDATA:
    case FORM_SDATA:
    case FORM_REF_UDATA:
    case FORM_STRX:
    case FORM_ADDRX:
    case FORM_LOCLISTX:
    case FORM_RNGLISTX:
        return read_uleb128(info);
    case FORM_STRING:
        skip_text(info);
        return 0;
    case FORM_BLOCK1:
        skip(info, read_fixed(info, 1));
        return 0;
    case FORM_BLOCK2:
        skip(info, read_fixed(info, 2));
        return 0;
    case FORM_BLOCK4:
        skip(info, read_fixed(info, 4));
        return 0;
    case FORM_BLOCK:
    case FORM_EXPRLOC:
        skip(info, read_uleb128(info));
        return 0;
    case FORM_FLAG_PRESENT:
        return 0;
    case FORM_IMPLICIT_CONST:
        return constant;
    default:
        info->failed = true;
        return 0;
    }
}

/* ------------------------------------------------- abbreviations --- */

static bool grow_decl_list(void **list, size_t *room, size_t count, size_t size)
{
    size_t more = *room ? 2 * *room : 64;
    void *longer;

    if (count < *room)
        return true;
    longer = realloc(*list, more * size);
    if (!longer)
        return false;
    *list = longer;
    *room = more;
    return true;
}

/* Read one attribute of an abbreviation. Return false at the list's end. */
static bool next_attribute(struct decl_reader *reader, uint64_t *name, uint64_t *form,
                           uint64_t *constant)
{
    *name = read_uleb128(reader);
    *form = read_uleb128(reader);
    *constant = *form == FORM_IMPLICIT_CONST ? read_uleb128(reader) : 0;
    return !reader->failed && (*name || *form);
}

static void read_abbreviations(struct decl_walk *walk, uint64_t offset)
{
    struct decl_reader *reader = &walk->abbreviations;
    uint64_t code, name, form, constant;

    walk->count = 0;
    reader->at = 0;
    skip(reader, offset);
    while (!reader->failed && (code = read_uleb128(reader)) != 0) {
        read_uleb128(reader); /* tag */
        skip(reader, 1);      /* DW_CHILDREN */
        if (!grow_decl_list((void **)&walk->list, &walk->room, walk->count, sizeof(*walk->list))) {
            reader->failed = true;
            return;
        }
        walk->list[walk->count++] = (struct decl_abbreviation){code, reader->at};
        while (next_attribute(reader, &name, &form, &constant))
            continue;
    }
}

static const struct decl_abbreviation *find_abbreviation(const struct decl_walk *walk,
                                                         uint64_t code)
{
    if (code <= walk->count && walk->list[code - 1].code == code)
        return &walk->list[code - 1];
    for (size_t i = 0; i < walk->count; i++)
        if (walk->list[i].code == code)
            return &walk->list[i];
    return NULL;
}

/* ------------------------------------------------------- entries --- */

static void note_file(struct decl_walk *walk, size_t entry, uint64_t file)
{
    if (!grow_decl_list((void **)&walk->files, &walk->file_room, walk->file_count,
                        sizeof(*walk->files)))
        walk->info.failed = true;
    else
        walk->files[walk->file_count++] = (struct decl_file){entry, file};
}

static int compare_files(const void *key, const void *element)
{
    size_t entry = *(const size_t *)key;
    const struct decl_file *file = element;

    return entry < file->entry ? -1 : entry > file->entry;
}

/* Return the file of an entry that was read, or of the entry that it completes. */
static const struct decl_file *file_of(const struct decl_walk *walk, uint64_t offset)
{
    size_t entry = walk->unit + offset;

    return walk->file_count
               ? bsearch(&entry, walk->files, walk->file_count, sizeof(*walk->files), compare_files)
               : NULL;
}

/* Write the number in its place, if it fits there. */
static void write_place(uint8_t *bytes, const struct decl_number *number, uint64_t value)
{
    size_t size = number->end - number->begin;

    if (number->form == FORM_UDATA) {
        if (7 * size < 64 && value >> (7 * size))
            return;
        for (size_t i = 0; i < size; i++)
            bytes[number->begin + i] =
                (uint8_t)((i < 10 ? value >> (7 * i) & 0x7f : 0) | (i + 1 < size ? 0x80 : 0));
        return;
    }
    if (number->form != FORM_DATA1 && number->form != FORM_DATA2 && number->form != FORM_DATA4 &&
        number->form != FORM_DATA8)
        return;
    if (size < 8 && value >> (8 * size))
        return;
    memcpy(bytes + number->begin, &value, size);
}

static void change_line(struct decl_walk *walk, const struct decl_number *line, uint64_t file)
{
    int role = file < walk->table->file_count ? walk->table->roles[file] : LINE_FILE_OTHER;
    uint64_t value;

    if (role == LINE_FILE_OTHER)
        return;
    value = line_map_find(walk->map, (unsigned)role, line->value);
    if (value != line->value)
        write_place(walk->bytes, line, value);
}

/* The numbers of an entry that matter. */
struct decl_numbers {
    struct decl_number file, line, call_file, call_line, origin;
};

static struct decl_number *decl_number_of(struct decl_numbers *numbers, uint64_t name)
{
    switch (name) {
    case AT_DECL_FILE:
        return &numbers->file;
    case AT_DECL_LINE:
        return &numbers->line;
    case AT_CALL_FILE:
        return &numbers->call_file;
    case AT_CALL_LINE:
        return &numbers->call_line;
    case AT_ABSTRACT_ORIGIN:
    case AT_SPECIFICATION:
        return &numbers->origin;
    default:
        return NULL;
    }
}

static void read_numbers(struct decl_walk *walk, const struct decl_abbreviation *abbreviation,
                         struct decl_numbers *numbers)
{
    struct decl_reader *info = &walk->info;
    uint64_t name, form, constant;

    walk->abbreviations.at = abbreviation->attributes;
    while (!info->failed && next_attribute(&walk->abbreviations, &name, &form, &constant)) {
        size_t begin = info->at;
        uint64_t value = read_value(walk, form, constant);
        struct decl_number *number = decl_number_of(numbers, name);

        if (number)
            *number = (struct decl_number){true, value, form, begin, info->at};
    }
}

/* Read the entry at the reader's place, and change its lines. */
static void change_entry(struct decl_walk *walk)
{
    struct decl_reader *info = &walk->info;
    struct decl_numbers numbers = {0};
    const struct decl_abbreviation *abbreviation;
    const struct decl_file *origin;
    size_t entry = info->at;
    uint64_t code = read_uleb128(info);

    if (!code)
        return;
    abbreviation = find_abbreviation(walk, code);
    if (!abbreviation) {
        info->failed = true;
        return;
    }
    read_numbers(walk, abbreviation, &numbers);
    if (info->failed)
        return;
    if (!numbers.file.there && numbers.origin.there && numbers.origin.form == FORM_REF4 &&
        (origin = file_of(walk, numbers.origin.value)))
        numbers.file = (struct decl_number){.there = true, .value = origin->file};
    if (numbers.file.there)
        note_file(walk, entry, numbers.file.value);
    if (numbers.line.there && numbers.file.there)
        change_line(walk, &numbers.line, numbers.file.value);
    if (numbers.call_line.there && numbers.call_file.there)
        change_line(walk, &numbers.call_line, numbers.call_file.value);
}

/* ------------------------------------------------------- units --- */

/* Read an offset in another section. */
static uint64_t read_offset(struct decl_walk *walk)
{
    size_t count, place = walk->info.at;
    const struct rel_relocation *relocation = rel_relocations_in(walk->section, place, 4, &count);
    uint64_t offset = read_fixed(&walk->info, 4);

    if (count == 1 && relocation->offset == place)
        offset = walk->object->symbols[relocation->symbol].value + (uint64_t)relocation->addend;
    return offset;
}

/* Read a unit's header. Return its end. */
static size_t begin_unit(struct decl_walk *walk)
{
    struct decl_reader *info = &walk->info;
    uint64_t length, type = 0, offset;
    size_t end;

    walk->unit = info->at;
    length = read_fixed(info, 4);
    if (!has_decl_bytes(info, length)) /* 64-bit DWARF is longer than any section */
        return info->at;
    end = info->at + length;
    walk->version = (unsigned)read_fixed(info, 2);
    if (walk->version < 2 || walk->version > 5)
        info->failed = true;
    if (walk->version == 5) {
        type = read_fixed(info, 1);
        walk->address_size = (unsigned)read_fixed(info, 1);
    }
    offset = read_offset(walk);
    if (walk->version < 5)
        walk->address_size = (unsigned)read_fixed(info, 1);
    if (type == UNIT_SKELETON || type == UNIT_SPLIT_COMPILE)
        skip(info, 8);
    else if (type == UNIT_TYPE || type == UNIT_SPLIT_TYPE)
        skip(info, 12);
    if (walk->address_size > 8)
        info->failed = true;
    if (!info->failed)
        read_abbreviations(walk, offset);
    return end;
}

void decl_lines_change(uint8_t *bytes, const struct rel_object *object,
                       const struct line_table *table, const struct line_map *map)
{
    const struct rel_section *info = &object->sections[rel_section_named(object, ".debug_info")];
    const struct rel_section *abbreviations =
        &object->sections[rel_section_named(object, ".debug_abbrev")];
    struct decl_walk walk = {
        .info = {.bytes = info->bytes, .size = info->size},
        .abbreviations = {.bytes = abbreviations->bytes, .size = abbreviations->size},
        .object = object,
        .section = info,
        .table = table,
        .map = map};

    if (!info->bytes || !abbreviations->bytes ||
        ((info->flags | abbreviations->flags) & SHF_COMPRESSED))
        return;
    walk.bytes = bytes + (info->bytes - object->bytes);
    while (walk.info.at < walk.info.size && !walk.info.failed) {
        size_t end = begin_unit(&walk);

        while (walk.info.at < end && !walk.info.failed && !walk.abbreviations.failed)
            change_entry(&walk);
        walk.info.failed |= walk.abbreviations.failed;
    }
    free(walk.list);
    free(walk.files);
}
