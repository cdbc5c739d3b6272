/* thin_lines.c - see thin_lines.h. */
#include "cli/build/thin_lines.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base_name.h"
#include "base/refusal.h"
#include "cli/build/selection.h"
#include "cli/build/thin_meta.h"
#include "elf/rel_object.h"
#include "elf/thin_digest.h"
#include "elf/thin_file.h"
#include "resolve/baseline.h"

/* Write a field. A control character, which would end the field or the line, becomes a question mark. */
static void put_field(FILE *file, const char *text)
{
    fputc('\t', file);
    for (const unsigned char *p = (const unsigned char *)(text ? text : ""); *p; p++)
        fputc(iscntrl(*p) ? '?' : *p, file);
}

static void put_line(FILE *file, const char *word, const char *text)
{
    fputs(word, file);
    put_field(file, text);
    fputc('\n', file);
}

static void put_target(FILE *file, const struct thin_meta *meta)
{
    fputs("target", file);
    put_field(file, base_name(meta->target_path));
    put_field(file, meta->build_id);
    put_field(file, meta->target_path);
    fputc('\n', file);
}

static void put_replacement(FILE *file, const struct selected_function *function, uint32_t symbol)
{
    fprintf(file, "replace\t%u\t%" PRIx64 "\t%" PRIx64, symbol, function->host,
            function->host_size);
    put_field(file, function->name);
    put_field(file, function->source ? base_name(function->source) : "");
    fprintf(file, "\t%u", function->line);
    if (function->signature)
        put_field(file, function->signature);
    fputc('\n', file);
}

static void put_imported(FILE *file, const struct symbol_choice *choice, uint32_t symbol,
                         const char *kind)
{
    fprintf(file, "import\t%u\t%s\t%" PRIx64, symbol, kind, choice->at);
    if (choice->has_call)
        fprintf(file, "\t%" PRIx64, choice->call);
    fputc('\n', file);
}

static void put_dynamic(FILE *file, const struct symbol_choice *choice, uint32_t symbol)
{
    fprintf(file, "import\t%u\tdynamic", symbol);
    if (choice->version)
        put_field(file, choice->version);
    fputc('\n', file);
}

static void put_own(FILE *file, const struct symbol_choice *choice, uint32_t symbol)
{
    if (choice->has_host)
        fprintf(file, "address\t%u\t%" PRIx64 "\n", symbol, choice->host);
    if (choice->keep) {
        fprintf(file, "keep\t%u", symbol);
        put_field(file, choice->keep);
        fputc('\n', file);
    }
}

/* Return whether the symbol is of a debug section that is written, whatever was chosen for it. */
static bool is_of_debug(const struct rel_object *object, const struct rel_symbol *symbol)
{
    return symbol->section < object->section_count && symbol->section != REL_UNDEFINED &&
           !(object->sections[symbol->section].flags & 2 /* SHF_ALLOC */);
}

static void put_symbol(FILE *file, const struct selected_unit *unit, size_t index, uint32_t symbol)
{
    const struct symbol_choice *choice = &unit->symbols[index];

    if (is_of_debug(unit->object, &unit->object->symbols[index]))
        return;
    switch (choice->kind) {
    case CHOICE_OWN:
        put_own(file, choice, symbol);
        break;
    case CHOICE_HOST:
        put_imported(file, choice, symbol, "address");
        break;
    case CHOICE_HOST_GOT:
        put_imported(file, choice, symbol, "got");
        break;
    case CHOICE_TLS:
        put_imported(file, choice, symbol, "tls");
        break;
    case CHOICE_DYNAMIC:
        put_dynamic(file, choice, symbol);
        break;
    case CHOICE_UNIT:
    case CHOICE_DISCARDED:
        break;
    }
}

static void put_symbols(FILE *file, const struct selection *selection,
                        const struct thin_numbers *units)
{
    for (size_t u = 0; u < selection->unit_count; u++) {
        const struct selected_unit *unit = &selection->units[u];

        for (size_t i = 1; i < unit->object->symbol_count; i++)
            if (units[u].symbols[i])
                put_symbol(file, unit, i, units[u].symbols[i]);
    }
}

/* ---- the units' code in the target ---- */

static int by_begin(const void *a, const void *b)
{
    const struct thin_code *left = a, *right = b;

    return left->begin < right->begin ? -1 : left->begin > right->begin;
}

enum { CODE_GAP = 4096 }; /* functions of a unit lie together; a range may have others' code */

static void put_callers(FILE *file, struct thin_code *codes, size_t count)
{
    fputs("callers\t0\t0\n", file);
    qsort(codes, count, sizeof(*codes), by_begin);
    for (size_t i = 0, k; i < count; i = k) {
        uint64_t end = codes[i].end;

        for (k = i + 1; k < count && codes[k].begin < end + CODE_GAP; k++)
            end = codes[k].end > end ? codes[k].end : end;
        fprintf(file, "callers\t%" PRIx64 "\t%" PRIx64 "\n", codes[i].begin, end);
    }
}

static int put_units(FILE *file, const struct selection *selection,
                     const struct thin_numbers *units)
{
    struct thin_code *codes;
    size_t count = 0;

    for (size_t u = 0; u < selection->unit_count; u++)
        if (selection->units[u].baseline)
            count += selection->units[u].baseline->function_count;
    codes = calloc(count + 1, sizeof(*codes));
    if (!codes)
        return -1;
    count = 0;
    for (size_t u = 0; u < selection->unit_count; u++) {
        const struct baseline *baseline = selection->units[u].baseline;

        for (size_t i = 0; units[u].placed && baseline && !selection->units[u].follows_abi &&
                           i < baseline->function_count;
             i++)
            if (baseline->functions[i].address)
                codes[count++] = (struct thin_code){baseline->functions[i].address,
                                                    baseline->functions[i].address +
                                                        baseline->functions[i].size};
    }
    put_callers(file, codes, count);
    free(codes);
    return 0;
}

static void put_privates(FILE *file, const struct selection *selection)
{
    for (size_t i = 0; i < selection->private_count; i++) {
        fputs("private", file);
        put_field(file, selection->privates[i].name);
        fprintf(file, "\t%" PRIx64 "\n", selection->privates[i].host);
    }
}

static void put_olds(FILE *file, const struct selection *selection)
{
    for (size_t i = 0; i < selection->old_count; i++) {
        fprintf(file, "old\t%" PRIx64, selection->olds[i].host);
        put_field(file, selection->olds[i].name);
        fputc('\n', file);
    }
}

static int put_all_lines(FILE *file, const struct selection *selection,
                         const struct thin_meta *meta, const struct thin_numbers *units,
                         struct refusal *why)
{
    fprintf(file, THIN_FIRST_LINE "\n" THIN_DIGEST "\t%0*d\n", THIN_DIGEST_SIZE, 0);
    put_line(file, "name", meta->name);
    put_line(file, "version", meta->version);
    put_target(file, meta);
    if (put_units(file, selection, units) != 0)
        return -1;
    for (size_t i = 0; i < selection->function_count; i++) {
        const struct selected_function *function = &selection->functions[i];
        uint32_t symbol = units[function->unit].symbols[function->symbol];

        if (!function->replaces)
            continue;
        if (!symbol)
            return refuse(why, HP_INTERNAL, "%s is to be replaced and is not placed",
                          function->name);
        put_replacement(file, function, symbol);
    }
    put_privates(file, selection);
    put_olds(file, selection);
    put_symbols(file, selection, units);
    return 0;
}

int thin_lines(char **lines, size_t *size, const struct selection *selection,
               const struct thin_meta *meta, const struct thin_numbers *units, struct refusal *why)
{
    FILE *file = open_memstream(lines, size);
    int result;

    if (!file)
        return -1;
    result = put_all_lines(file, selection, meta, units, why);
    if (ferror(file))
        result = -1;
    return fclose(file) == 0 ? result : -1;
}
