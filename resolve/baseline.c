/*
 * baseline.c - see baseline.h.
 */
#include "resolve/baseline.h"

#include <stdlib.h>
#include <string.h>

#include "resolve/baseline_content.h"
#include "resolve/baseline_functions.h"
#include "resolve/baseline_references.h"
#include "resolve/baseline_symbols.h"
#include "resolve/baseline_whole.h"

/* ------------------------------------------------------- the file's own symbols --- */

/* Return the last component of a path: compilers write it, or the whole path, as the name of the file. */
static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Count for each group of that file name how many of the object's local symbols it has. */
static size_t count_locals(struct baseline_work *work, uint32_t *counts, uint32_t *best)
{
    size_t groups = 0;

    *best = 0;
    for (size_t i = 0; i < binary_symbol_count(work->binary); i++) {
        const struct binary_symbol *symbol = binary_symbol(work->binary, i);
        if (!symbol->group || strcmp(last_component(symbol->file), work->file) != 0)
            continue;
        uint32_t own = rel_symbol_named(work->object, symbol->name);
        groups += counts[symbol->group] == 0;
        counts[symbol->group] += own && work->object->symbols[own].binding == STB_LOCAL ? 2 : 1;
        if (counts[symbol->group] > counts[*best])
            *best = symbol->group;
    }
    return groups;
}

/* Return the group of that file name that references of the file's global functions lead to most; 0: none. */
static uint32_t voted_group(struct baseline_work *work, const uint32_t *counts, size_t groups)
{
    uint32_t best = 0;

    work->group = 0;
    functions_compare(work, true);
    for (size_t i = 1; i <= groups; i++) {
        if (counts[i] && work->votes[i] > work->votes[best])
            best = (uint32_t)i;
    }
    functions_forget(work);
    return best;
}

/* Return how many functions are equal with the symbols of a group. */
static size_t equal_in_group(struct baseline_work *work, uint32_t group)
{
    size_t equal = 0;

    work->group = group;
    functions_compare(work, false);
    for (size_t i = 0; i < work->result->function_count; i++)
        equal += work->result->functions[i].verdict == BASELINE_EQUAL;
    functions_forget(work);
    return equal;
}

/* Of several files of one name: that to which the global functions lead, else that in which most is equal. */
static uint32_t choose_group(struct baseline_work *work, const uint32_t *counts, size_t all)
{
    uint32_t best = voted_group(work, counts, all);
    size_t most = 0;

    for (size_t i = 1; best == 0 && i <= all; i++) {
        size_t equal = counts[i] ? equal_in_group(work, (uint32_t)i) : 0;
        if (equal > most) {
            most = equal;
            best = (uint32_t)i;
        }
    }
    return best;
}

static int find_file_group(struct baseline_work *work)
{
    size_t all = binary_group_count(work->binary);
    uint32_t *counts = calloc(all + 1, sizeof *counts), best;

    work->votes = calloc(all + 1, sizeof *work->votes);
    if (!counts || !work->votes) {
        free(counts);
        return -1;
    }
    size_t groups = count_locals(work, counts, &best);
    if (groups > 1)
        best = choose_group(work, counts, all);
    work->group = best;
    work->result->group = best;
    work->result->file = best ? work->file : NULL;
    free(counts);
    return work->no_memory ? -1 : 0;
}

/* ------------------------------------------------------- the comparison --- */

static int prepare_work(struct baseline_work *work)
{
    struct baseline *result = work->result;
    size_t count = work->object->symbol_count;

    result->symbol_count = count;
    result->symbols = calloc(count, sizeof *result->symbols);
    work->verified = calloc(count, sizeof *work->verified);
    work->is_verified = calloc(count, sizeof *work->is_verified);
    if (!result->symbols || !work->verified || !work->is_verified || functions_list(work) ||
        content_index(work))
        return -1;
    work->has_tls_base = binary_tls_offset(work->binary, &work->tls_base);
    return find_file_group(work);
}

static void free_work(struct baseline_work *work)
{
    for (size_t i = 0; work->functions && i < work->result->function_count; i++)
        arch_compared_free(&work->functions[i].compared);
    free(work->functions);
    free(work->function_of);
    free(work->votes);
    free(work->verified);
    free(work->is_verified);
    free(work->evidence.items);
    free(work->places.items);
    free(work->seen);
    free(work->bounds);
}

int baseline_compare(struct baseline **out, struct binary *binary, const struct rel_object *object,
                     const char *file_name, struct refusal *why)
{
    struct baseline *result = calloc(1, sizeof *result);
    struct baseline_work work = {
        .binary = binary,
        .object = object,
        .result = result,
        .check_data = reference_check_data,
        .file = last_component(file_name ? file_name : object->file),
    };

    *out = NULL;
    if (!binary_has_symbols(binary) || !binary_has_files(binary)) {
        free(result);
        return refuse(why, HP_NO_SYMBOLS, "the binary has no %s",
                      binary_has_symbols(binary) ? "names of source files (STT_FILE)"
                                                 : "symbol table");
    }
    if (!result || prepare_work(&work))
        goto no_memory;
    functions_compare(&work, false);
    functions_finish(&work);
    symbols_apply(&work);
    result->whole = whole_check(&work);
    if (work.no_memory)
        goto no_memory;
    free_work(&work);
    *out = result;
    return 0;
no_memory:
    if (result)
        free_work(&work);
    baseline_free(result);
    return refuse(why, HP_MEMORY, "no memory to compare %s with the binary", work.file);
}

/* ------------------------------------------------------- the verdict --- */

static const struct baseline_function *first_different(const struct baseline *baseline)
{
    for (size_t i = 0; i < baseline->function_count; i++) {
        if (baseline->functions[i].verdict == BASELINE_DIFFERS)
            return &baseline->functions[i];
    }
    return NULL;
}

/* Return whether the object has static functions or variables, and the binary none of its file: strip -x took them. */
static bool lacks_locals(const struct baseline *baseline, const struct rel_object *object)
{
    if (baseline->group || baseline->equal == 0)
        return false;
    for (uint32_t i = 1; i < object->symbol_count; i++) {
        const struct rel_symbol *symbol = &object->symbols[i];
        if (symbol->binding == STB_LOCAL && rel_symbol_placed(symbol) &&
            symbol->type != STT_SECTION && symbol->size > 0 && !is_label_name(symbol->name))
            return true;
    }
    return false;
}

int baseline_make(struct baseline **out, struct binary *binary, const struct rel_object *object,
                  const char *file_name, struct refusal *why)
{
    if (baseline_compare(out, binary, object, file_name, why))
        return -1;
    const struct baseline_function *function = first_different(*out);
    if (!function && (*out)->function_count > 0 &&
        (*out)->equal + (*out)->content + (*out)->shared == 0) {
        refuse(why, HP_BASELINE, "%s: no function of it is in the binary",
               file_name ? file_name : object->file);
        goto refused;
    }
    if (!function)
        return 0;
    if (lacks_locals(*out, object)) {
        refuse(why, HP_NO_SYMBOLS, "%s: the binary has no static functions and variables of it",
               file_name ? file_name : object->file);
        goto refused;
    }
    refuse(why, HP_BASELINE, "%s: %s %s (%zu of %zu functions differ)",
           file_name ? file_name : object->file, object->symbols[function->symbol].name,
           function->reason ? function->reason : "differs", (*out)->differs,
           (*out)->function_count);
refused:
    baseline_free(*out);
    *out = NULL;
    return -1;
}

void baseline_free(struct baseline *baseline)
{
    if (!baseline)
        return;
    for (size_t i = 0; i < baseline->function_count; i++)
        free(baseline->functions[i].reason);
    free(baseline->functions);
    free(baseline->symbols);
    free(baseline);
}

const struct baseline_function *baseline_function(const struct baseline *baseline, uint32_t symbol)
{
    size_t low = 0, high = baseline->function_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (baseline->functions[middle].symbol < symbol)
            low = middle + 1;
        else
            high = middle;
    }
    return low < baseline->function_count && baseline->functions[low].symbol == symbol
               ? &baseline->functions[low]
               : NULL;
}
