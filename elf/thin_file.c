/* thin_file.c - see thin_file.h. */
#include "elf/thin_file.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elf/rel_object_read.h"

enum { FIELDS_MAX = 8 };

struct thin_reader {
    struct thin_file *thin;
    struct elf_error *error;
    unsigned line;
    char *fields[FIELDS_MAX]; /* of the line; "" from `count` on */
    size_t count;
};

static int line_fails(const struct thin_reader *reader, const char *what)
{
    return elf_fail(reader->error, ELF_THIN_DAMAGED, "line %u of section %s: %s", reader->line,
                    THIN_SECTION, what);
}

/* ---- fields ---- */

static bool thin_read_number(const char *text, int base, uint64_t *value)
{
    char *end;

    if (!isxdigit((unsigned char)*text))
        return false;
    errno = 0;
    *value = strtoull(text, &end, base);
    return *end == '\0' && errno == 0;
}

/* Read the field that names a symbol. Return 0 for what is no symbol. */
static uint32_t thin_read_symbol(const struct thin_reader *reader)
{
    uint64_t number;

    if (!thin_read_number(reader->fields[1], 10, &number) ||
        number >= reader->thin->object->symbol_count)
        return 0;
    return (uint32_t)number;
}

static const struct rel_section *section_of_symbol(const struct thin_file *thin, uint32_t symbol)
{
    const struct rel_symbol *s = &thin->object->symbols[symbol];

    return rel_symbol_placed(s) ? &thin->object->sections[s->section] : NULL;
}

/* ---- lines ---- */

static int thin_read_text(struct thin_reader *reader, const char **text)
{
    if (*text || reader->count != 2)
        return line_fails(reader, "there is one digest, one name, one version, one target");
    *text = reader->fields[1];
    return 0;
}

static int thin_read_digest(struct thin_reader *reader)
{
    return thin_read_text(reader, &reader->thin->digest);
}

static int thin_read_name(struct thin_reader *reader)
{
    return thin_read_text(reader, &reader->thin->name);
}

static int thin_read_version(struct thin_reader *reader)
{
    return thin_read_text(reader, &reader->thin->version);
}

static int thin_read_target(struct thin_reader *reader)
{
    struct thin_file *thin = reader->thin;

    if (thin->target || reader->count != 4 || !*reader->fields[1])
        return line_fails(reader, "there is one target, with build-id and path");
    for (const char *p = reader->fields[2]; *p; p++)
        if (!isxdigit((unsigned char)*p))
            return line_fails(reader, "the build-id is no hexadecimal number");
    thin->target = reader->fields[1];
    thin->build_id = reader->fields[2];
    thin->target_path = reader->fields[3];
    return 0;
}

static int thin_read_replace(struct thin_reader *reader)
{
    struct thin_file *thin = reader->thin;
    struct thin_replacement *replacements =
        realloc(thin->replacements, (thin->replacement_count + 1) * sizeof(*thin->replacements));
    struct thin_replacement r = {
        .symbol = thin_read_symbol(reader), .name = reader->fields[4], .file = reader->fields[5]};
    const struct rel_section *section = section_of_symbol(thin, r.symbol);
    uint64_t line = 0;

    if (!replacements)
        return elf_fail(reader->error, ELF_NO_MEMORY, "no memory");
    thin->replacements = replacements;
    if (!section || !(section->flags & SHF_ALLOC) || !(section->flags & SHF_EXECINSTR) ||
        thin->object->symbols[r.symbol].value >= section->size)
        return line_fails(reader, "a replacement is no placed function");
    if (!thin_read_number(reader->fields[2], 16, &r.offset) ||
        !thin_read_number(reader->fields[3], 16, &r.size) || !*r.name || strchr(r.file, '/') ||
        (*reader->fields[6] && !thin_read_number(reader->fields[6], 10, &line)))
        return line_fails(reader, "a replacement has an offset, a size, a name and a file");
    r.line = (unsigned)line;
    r.signature = *reader->fields[7] ? reader->fields[7] : NULL;
    thin->replacements[thin->replacement_count++] = r;
    return 0;
}

static int thin_read_address(struct thin_reader *reader)
{
    uint32_t symbol = thin_read_symbol(reader);
    struct thin_symbol *s = &reader->thin->symbols[symbol];

    if (!section_of_symbol(reader->thin, symbol) || s->has_host ||
        !thin_read_number(reader->fields[2], 16, &s->host))
        return line_fails(reader, "a placed symbol has one address in the target");
    s->has_host = true;
    return 0;
}

static bool thin_read_kind(const char *word, enum thin_import *kind)
{
    static const char *const words[] = {[THIN_ADDRESS] = "address",
                                        [THIN_GOT] = "got",
                                        [THIN_TLS] = "tls",
                                        [THIN_DYNAMIC] = "dynamic"};

    for (size_t i = THIN_ADDRESS; i < sizeof(words) / sizeof(*words); i++)
        if (strcmp(word, words[i]) == 0) {
            *kind = (enum thin_import)i;
            return true;
        }
    return false;
}

static int thin_read_import(struct thin_reader *reader)
{
    uint32_t symbol = thin_read_symbol(reader);
    const struct rel_symbol *named = &reader->thin->object->symbols[symbol];
    struct thin_symbol *s = &reader->thin->symbols[symbol];

    if (symbol == 0 || named->section != REL_UNDEFINED || s->import != THIN_NONE)
        return line_fails(reader, "an import is an undefined symbol, named once");
    if (!thin_read_kind(reader->fields[2], &s->import))
        return line_fails(reader, "an import is an address, a got word, a tls offset, or dynamic");
    if (s->import == THIN_DYNAMIC) {
        s->version = *reader->fields[3] ? reader->fields[3] : NULL;
        return *named->name ? 0 : line_fails(reader, "a dynamic import has a name");
    }
    s->has_call = *reader->fields[4] != '\0';
    if (!thin_read_number(reader->fields[3], 16, &s->at) ||
        (s->has_call && !thin_read_number(reader->fields[4], 16, &s->call)))
        return line_fails(reader, "an import has an offset");
    return 0;
}

static int thin_read_callers(struct thin_reader *reader)
{
    struct thin_file *thin = reader->thin;
    struct thin_code *callers = realloc(thin->callers, (thin->caller_count + 1) * sizeof(*callers)),
                     code;

    if (!callers)
        return elf_fail(reader->error, ELF_NO_MEMORY, "no memory");
    thin->callers = callers;
    if (!thin_read_number(reader->fields[1], 16, &code.begin) ||
        !thin_read_number(reader->fields[2], 16, &code.end) || code.begin > code.end)
        return line_fails(reader, "callers are a range of addresses");
    thin->callers_known = true;
    if (code.begin < code.end)
        callers[thin->caller_count++] = code;
    return 0;
}

static int thin_read_private(struct thin_reader *reader)
{
    struct thin_file *thin = reader->thin;
    struct thin_private *privates =
                            realloc(thin->privates, (thin->private_count + 1) * sizeof(*privates)),
                        one = {.name = reader->fields[1]};

    if (!privates)
        return elf_fail(reader->error, ELF_NO_MEMORY, "no memory");
    thin->privates = privates;
    if (!*one.name || !thin_read_number(reader->fields[2], 16, &one.offset))
        return line_fails(reader, "a private function has a name and an offset");
    privates[thin->private_count++] = one;
    return 0;
}

static int thin_read_old(struct thin_reader *reader)
{
    struct thin_file *thin = reader->thin;
    struct thin_old *olds = realloc(thin->olds, (thin->old_count + 1) * sizeof(*olds)),
                    one = {.name = reader->fields[2]};

    if (!olds)
        return elf_fail(reader->error, ELF_NO_MEMORY, "no memory");
    thin->olds = olds;
    if (!*one.name || !thin_read_number(reader->fields[1], 16, &one.offset))
        return line_fails(reader, "an old function has an offset and a name");
    olds[thin->old_count++] = one;
    return 0;
}

static int thin_read_keep(struct thin_reader *reader)
{
    uint32_t symbol = thin_read_symbol(reader);
    const struct rel_section *section = section_of_symbol(reader->thin, symbol);
    struct thin_symbol *s = &reader->thin->symbols[symbol];

    if (!section || !(section->flags & SHF_WRITE) || (section->flags & (SHF_EXECINSTR | SHF_TLS)) ||
        reader->thin->object->symbols[symbol].value != 0)
        return line_fails(reader, "data that is kept begins a writable section");
    if (s->keep || !*reader->fields[2])
        return line_fails(reader, "data that is kept has one key");
    s->keep = reader->fields[2];
    return 0;
}

static const struct {
    const char *word;
    int (*read)(struct thin_reader *reader);
} thin_words[] = {
    {"digest", thin_read_digest},   {"name", thin_read_name},       {"version", thin_read_version},
    {"target", thin_read_target},   {"replace", thin_read_replace}, {"address", thin_read_address},
    {"import", thin_read_import},   {"keep", thin_read_keep},       {"callers", thin_read_callers},
    {"private", thin_read_private}, {"old", thin_read_old},
};

static void split(struct thin_reader *reader, char *line)
{
    static char none[1];

    reader->count = 0;
    for (char *rest = line; rest && reader->count < FIELDS_MAX; reader->count++)
        reader->fields[reader->count] = strsep(&rest, "\t");
    for (size_t i = reader->count; i < FIELDS_MAX; i++)
        reader->fields[i] = none;
}

static int thin_read_line(struct thin_reader *reader, char *line)
{
    if (++reader->line == 1)
        return strcmp(line, THIN_FIRST_LINE) == 0
                   ? 0
                   : elf_fail(reader->error, ELF_THIN_DAMAGED,
                              "section %s is not of the version that is known (%s)", THIN_SECTION,
                              THIN_FIRST_LINE);
    split(reader, line);
    for (size_t i = 0; i < sizeof(thin_words) / sizeof(*thin_words); i++)
        if (strcmp(reader->fields[0], thin_words[i].word) == 0)
            return thin_words[i].read(reader);
    return line_fails(reader, "its first word is not known");
}

/* ---- the file ---- */

/* Two symbols of one writable section would be kept separately, and the section has one place. */
static int check_keeps(struct thin_reader *reader)
{
    const struct rel_object *object = reader->thin->object;
    bool *kept = calloc(object->section_count + 1, sizeof(*kept));
    int result = 0;

    if (!kept)
        return elf_fail(reader->error, ELF_NO_MEMORY, "no memory");
    for (size_t i = 1; i < object->symbol_count && result == 0; i++) {
        if (!reader->thin->symbols[i].keep)
            continue;
        if (kept[object->symbols[i].section])
            result = elf_fail(reader->error, ELF_THIN_DAMAGED,
                              "section %s: two variables that are kept lie in one section",
                              THIN_SECTION);
        kept[object->symbols[i].section] = true;
    }
    free(kept);
    return result;
}

static int thin_read_lines(struct thin_reader *reader, const struct rel_section *section)
{
    struct thin_file *thin = reader->thin;

    thin->text = malloc(section->size + 1);
    thin->symbols = calloc(thin->object->symbol_count + 1, sizeof(*thin->symbols));
    if (!thin->text || !thin->symbols)
        return elf_fail(reader->error, ELF_NO_MEMORY, "no memory");
    if (section->size)
        memcpy(thin->text, section->bytes, section->size);
    thin->text[section->size] = '\0';
    if (strlen(thin->text) != section->size || section->size == 0 ||
        thin->text[section->size - 1] != '\n')
        return elf_fail(reader->error, ELF_THIN_DAMAGED, "section %s is no text", THIN_SECTION);
    for (char *rest = thin->text; *rest;)
        if (thin_read_line(reader, strsep(&rest, "\n")) != 0)
            return -1;
    if (!thin->name || !thin->version || !thin->target)
        return elf_fail(reader->error, ELF_THIN_DAMAGED,
                        "section %s lacks a name, a version or a target", THIN_SECTION);
    return check_keeps(reader);
}

static int read_all_of(struct thin_reader *reader)
{
    const struct rel_object *object = reader->thin->object;
    uint32_t section = rel_section_named(object, THIN_SECTION);

    if (!section || (object->sections[section].size && !object->sections[section].bytes))
        return elf_fail(reader->error, ELF_THIN_DAMAGED, "it has no section %s", THIN_SECTION);
    return thin_read_lines(reader, &object->sections[section]);
}

bool thin_file_is(const void *bytes, size_t size)
{
    const Elf64_Ehdr *header = bytes;

    return size > sizeof(*header) && memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
           header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_type == ET_REL &&
           memmem(bytes, size, THIN_SECTION, sizeof(THIN_SECTION)) != NULL;
}

int thin_file_open(struct thin_file **out, const void *bytes, size_t size, struct elf_error *error)
{
    struct thin_file *thin = calloc(1, sizeof(*thin));
    struct thin_reader reader = {.thin = thin, .error = error};

    *out = NULL;
    if (!thin)
        return elf_fail(error, ELF_NO_MEMORY, "no memory");
    if (rel_object_open(&thin->object, bytes, size, error) != 0 || read_all_of(&reader) != 0) {
        thin_file_close(thin);
        return -1;
    }
    *out = thin;
    return 0;
}

void thin_file_close(struct thin_file *thin)
{
    if (!thin)
        return;
    rel_object_close(thin->object);
    free(thin->symbols);
    free(thin->replacements);
    free(thin->callers);
    free(thin->privates);
    free(thin->olds);
    free(thin->text);
    free(thin);
}
