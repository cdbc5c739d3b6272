/*
 * object_dwarf_content.c - see object_dwarf_content.h.
 *
 * Compilers put the place of a static variable of a function into the function's abstract entry where it is inlined, and
 * else into the concrete one (gcc 12, clang 14): both are read, the copies (DW_TAG_inlined_subroutine) have none.
 */
#include "cli/build/object_dwarf_content.h"

#include <dwarf.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "cli/build/types_spell.h"
#include "cli/debug/dwarf_text.h"
#include "cli/debug/dwarf_units.h"
#include "cli/output/output.h"

#define DEPTH_MAX 256 /* blocks, namespaces and classes in one another */

struct type_table *dwarf_content_types(const struct object_dwarf *dwarf)
{
    if (!dwarf->content->types_read)
        type_table_read(&dwarf->content->types, dwarf->dwarf);
    dwarf->content->types_read = true;
    return &dwarf->content->types;
}

/* ----------------------------------------------------------------- places --- */

/* Take the address and what follows it from a location: DW_OP_addr and the like, or a constant and the operation that makes
 * it a thread-local's. Locations of another form are not places. */
static bool location_address(Dwarf_Attribute *attribute, const Dwarf_Op *operation, uint64_t *out)
{
    Dwarf_Attribute indirect;
    Dwarf_Addr address;
    Dwarf_Word number;

    switch (operation->atom) {
    case DW_OP_addr:
    case DW_OP_const8u:
    case DW_OP_const8s:
    case DW_OP_const4u:
        *out = operation->number;
        return true;
    case DW_OP_addrx:
    case DW_OP_GNU_addr_index:
    case DW_OP_constx:
    case DW_OP_GNU_const_index:
        if (dwarf_getlocation_attr(attribute, operation, &indirect) != 0)
            return false;
        if (dwarf_formaddr(&indirect, &address) == 0) {
            *out = address;
            return true;
        }
        if (dwarf_formudata(&indirect, &number) != 0)
            return false;
        *out = number;
        return true;
    default:
        return false;
    }
}

static bool is_tls_operation(const Dwarf_Op *operation)
{
    return operation->atom == DW_OP_form_tls_address ||
           operation->atom == DW_OP_GNU_push_tls_address;
}

static bool variable_place(Dwarf_Die *die, struct dwarf_place *place, bool *tls)
{
    Dwarf_Attribute attribute;
    Dwarf_Op *operations;
    Dwarf_Block block;
    size_t count;
    uint64_t address;

    if (!dwarf_attr(die, DW_AT_location, &attribute) ||
        (dwarf_whatform(&attribute) != DW_FORM_exprloc &&
         dwarf_formblock(&attribute, &block) != 0) ||
        dwarf_getlocation(&attribute, &operations, &count) != 0 || count == 0 || count > 2 ||
        !location_address(&attribute, &operations[0], &address))
        return false;
    *tls = count == 2 && is_tls_operation(&operations[1]);
    if (count == 2 && operations[1].atom == DW_OP_plus_uconst)
        address += operations[1].number;
    else if (count == 2 && !*tls)
        return false;
    else if (count == 1 && operations[0].atom != DW_OP_addr && operations[0].atom != DW_OP_addrx &&
             operations[0].atom != DW_OP_GNU_addr_index)
        return false;
    *place = dwarf_place_of(address);
    return place->section != 0;
}

/* ---------------------------------------------------------------- content --- */

static const char *keep_text(struct dwarf_content *content, char *text)
{
    if (content->text_count == content->text_capacity) {
        content->text_capacity = content->text_capacity ? 2 * content->text_capacity : 64;
        content->texts =
            reallocate(content->texts, content->text_capacity * sizeof(*content->texts));
    }
    content->texts[content->text_count++] = text;
    return text;
}

static bool is_external(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    bool external = false;

    return dwarf_attr_integrate(die, DW_AT_external, &attribute) &&
           dwarf_formflag(&attribute, &external) == 0 && external;
}

static unsigned line_of(Dwarf_Die *die)
{
    int line = 0;

    return dwarf_decl_line(die, &line) == 0 && line > 0 ? (unsigned)line : 0;
}

/* Where a walk is. */
struct place_in_source {
    const char *function;
    unsigned block; /* of the walk */
    unsigned *blocks;
    unsigned depth;
};

/* Return the function that a static variable of clang is in, by its symbol, FUNCTION.VARIABLE: clang 14 puts the variable of
 * an inlined function into an entry that says nothing else. */
static const char *function_by_symbol(const struct object_dwarf *dwarf, struct dwarf_place place,
                                      const char *variable)
{
    uint32_t index = place.section & DWARF_SYMBOL
                         ? 0
                         : rel_symbol_around(dwarf->object, place.section, place.offset);
    const char *name = dwarf->object->symbols[index].name;
    const char *dot = name ? strchr(name, '.') : NULL;
    size_t length = strlen(variable);

    if (!dot || dot == name || strncmp(dot + 1, variable, length) != 0 ||
        (dot[1 + length] && dot[1 + length] != '.'))
        return NULL;
    return keep_text(dwarf->content, format_text("%.*s", (int)(dot - name), name));
}

/* Find the place of a variable of another object: its undefined symbol. */
static bool undefined_place(const struct object_dwarf *dwarf, Dwarf_Die *die,
                            const struct place_in_source *in, struct dwarf_place *place, bool *tls)
{
    const char *name = debug_linkage_name(die) ? debug_linkage_name(die) : debug_die_name(die);
    uint32_t index;

    if (in->function || !dwarf_hasattr(die, DW_AT_declaration) || !is_external(die))
        return false;
    index = rel_symbol_named(dwarf->object, name);
    if (!index || dwarf->object->symbols[index].section != REL_UNDEFINED)
        return false;
    *place = (struct dwarf_place){DWARF_SYMBOL | index, 0};
    *tls = dwarf->object->symbols[index].type == STT_TLS;
    return true;
}

/* Spell a location without its addresses; NULL: it has none, as that of a local variable. */
static char *location_form(Dwarf_Attribute *attribute)
{
    Dwarf_Op *operations;
    size_t count;
    char *form = format_text("%s", ""), *longer;
    bool has_address = false;
    uint64_t address;

    if (dwarf_getlocation(attribute, &operations, &count) != 0)
        count = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_address = operations[i].atom == DW_OP_addr || operations[i].atom == DW_OP_addrx;

        has_address |= is_address && location_address(attribute, &operations[i], &address);
        longer = format_text("%s%x:%jx ", form, (unsigned)operations[i].atom,
                             is_address ? 0 : (uintmax_t)operations[i].number);
        free(form);
        form = longer;
    }
    if (has_address)
        return form;
    free(form);
    return NULL;
}

static void read_formed_die(const struct object_dwarf *dwarf, Dwarf_Die *die,
                            const struct place_in_source *in)
{
    struct dwarf_content *content = dwarf->content;
    Dwarf_Attribute attribute;
    char *form;

    if (dwarf_hasattr(die, DW_AT_abstract_origin) || dwarf_hasattr(die, DW_AT_declaration))
        return;
    form = dwarf_attr(die, DW_AT_location, &attribute) ? location_form(&attribute)
                                                       : format_text("%s", "");
    if (!form)
        return;
    if (content->formed_count == content->formed_capacity) {
        content->formed_capacity = content->formed_capacity ? 2 * content->formed_capacity : 64;
        content->formed =
            reallocate(content->formed, content->formed_capacity * sizeof(*content->formed));
    }
    content->formed[content->formed_count++] = (struct dwarf_formed){
        .name = debug_die_name(die), .function = in->function, .form = keep_text(content, form)};
}

static void read_variable_die(const struct object_dwarf *dwarf, Dwarf_Die *die,
                              const struct place_in_source *in)
{
    struct dwarf_content *content = dwarf->content;
    struct type_table *types;
    struct dwarf_place place;
    uint32_t type;
    bool tls;

    if (!debug_die_name(die))
        return;
    if (!variable_place(die, &place, &tls) && !undefined_place(dwarf, die, in, &place, &tls)) {
        read_formed_die(dwarf, die, in);
        return;
    }
    if (content->variable_count == content->variable_capacity) {
        content->variable_capacity =
            content->variable_capacity ? 2 * content->variable_capacity : 64;
        content->variables = reallocate(content->variables,
                                        content->variable_capacity * sizeof(*content->variables));
    }
    types = dwarf_content_types(dwarf);
    type = type_table_typed(types, die);
    content->variables[content->variable_count++] = (struct dwarf_variable){
        .place = place,
        .name = debug_die_name(die),
        .linkage = debug_linkage_name(die),
        .function = in->function || !in->blocks
                        ? in->function
                        : function_by_symbol(dwarf, place, debug_die_name(die)),
        .block = in->block,
        .type = keep_text(content, type_spell(types, type, NULL)),
        .size = type_table_size(types, type),
        .file = debug_decl_file(die),
        .line = line_of(die),
        .tls = tls,
        .external = is_external(die),
        .type_index = type,
    };
}

static void add_code_range(struct dwarf_content *content, const struct dwarf_function *function)
{
    if (content->function_count == content->function_capacity) {
        content->function_capacity =
            content->function_capacity ? 2 * content->function_capacity : 64;
        content->functions = reallocate(content->functions,
                                        content->function_capacity * sizeof(*content->functions));
    }
    content->functions[content->function_count++] = *function;
}

static Dwarf_Die abstract_origin(Dwarf_Die *die)
{
    Dwarf_Die origin = *die, next;
    Dwarf_Attribute attribute;

    for (int i = 0; i < 4; i++) {
        if (!dwarf_attr(&origin, DW_AT_abstract_origin, &attribute) ||
            !dwarf_formref_die(&attribute, &next))
            break;
        origin = next;
    }
    return origin;
}

/* Keep the entry of a function by its symbol's name. */
static void keep_named(struct dwarf_content *content, Dwarf_Die *die)
{
    const char *name = debug_linkage_name(die) ? debug_linkage_name(die) : debug_die_name(die);

    if (!name)
        return;
    if (content->named_count == content->named_capacity) {
        content->named_capacity = content->named_capacity ? 2 * content->named_capacity : 64;
        content->named =
            reallocate(content->named, content->named_capacity * sizeof(*content->named));
    }
    content->named[content->named_count++] = (struct named_die){name, *die};
}

static int compare_named_dies(const void *a, const void *b)
{
    const struct named_die *left = a, *right = b;

    return strcmp(left->name, right->name);
}

static struct dwarf_function function_entry(Dwarf_Die *die)
{
    return (struct dwarf_function){
        .name = debug_die_name(die),
        .linkage = debug_linkage_name(die),
        .file = debug_decl_file(die),
        .line = line_of(die),
        .external = is_external(die),
        .die = *die,
        .origin = abstract_origin(die),
    };
}

/* Add a row for each range of the function's code: its own, and its .cold part. */
static void read_function_die(const struct object_dwarf *dwarf, Dwarf_Die *die)
{
    struct dwarf_function function = function_entry(die);
    Dwarf_Addr base, begin, end;
    ptrdiff_t at = 0;

    if (!dwarf_hasattr(die, DW_AT_abstract_origin))
        keep_named(dwarf->content, die);
    while (function.name && (at = dwarf_ranges(die, at, &base, &begin, &end)) > 0) {
        function.place = dwarf_place_of(begin);
        if (function.place.section)
            add_code_range(dwarf->content, &function);
        function.part = true;
    }
}

static void walk(const struct object_dwarf *dwarf, Dwarf_Die *parent, struct place_in_source in);

static void walk_function(const struct object_dwarf *dwarf, Dwarf_Die *die,
                          struct place_in_source in)
{
    unsigned blocks = 0;

    read_function_die(dwarf, die);
    in.function = debug_die_name(die);
    in.block = 0;
    in.blocks = &blocks;
    walk(dwarf, die, in);
}

static void walk_child(const struct object_dwarf *dwarf, Dwarf_Die *die, struct place_in_source in)
{
    switch (dwarf_tag(die)) {
    case DW_TAG_variable:
        read_variable_die(dwarf, die, &in);
        break;
    case DW_TAG_subprogram:
        walk_function(dwarf, die, in);
        break;
    case DW_TAG_lexical_block:
        if (in.blocks)
            in.block = ++*in.blocks;
        walk(dwarf, die, in);
        break;
    case DW_TAG_namespace:
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
        walk(dwarf, die, in);
        break;
    default:
        break;
    }
}

static void walk(const struct object_dwarf *dwarf, Dwarf_Die *parent, struct place_in_source in)
{
    Dwarf_Die die;

    if (++in.depth > DEPTH_MAX || !dwarf_haschildren(parent) || dwarf_child(parent, &die) != 0)
        return;
    do
        walk_child(dwarf, &die, in);
    while (debug_next_sibling(&die));
}

static int compare_places(const void *a, const void *b)
{
    const struct place_index *left = a, *right = b;

    if (left->place.section != right->place.section)
        return left->place.section < right->place.section ? -1 : 1;
    if (left->place.offset != right->place.offset)
        return left->place.offset < right->place.offset ? -1 : 1;
    return left->index < right->index ? -1 : left->index > right->index;
}

static struct place_index *sorted(const struct place_index *list, size_t count)
{
    struct place_index *copy = allocate((count + 1) * sizeof(*copy));

    if (count)
        memcpy(copy, list, count * sizeof(*copy));
    qsort(copy, count, sizeof(*copy), compare_places);
    return copy;
}

static void sort_places(struct dwarf_content *content)
{
    size_t room = content->variable_count + content->function_count + 1;
    struct place_index *list = allocate(room * sizeof(*list));

    for (size_t i = 0; i < content->variable_count; i++)
        list[i] = (struct place_index){content->variables[i].place, i};
    free(content->variables_by_place);
    content->variables_by_place = sorted(list, content->variable_count);
    for (size_t i = 0; i < content->function_count; i++)
        list[i] = (struct place_index){content->functions[i].place, i};
    free(content->functions_by_place);
    content->functions_by_place = sorted(list, content->function_count);
    free(list);
}

const struct place_index *dwarf_place_find(const struct place_index *list, size_t count,
                                           struct dwarf_place place)
{
    struct place_index wanted = {place, SIZE_MAX};
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_places(&list[middle], &wanted) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low && list[low - 1].place.section == place.section ? &list[low - 1] : NULL;
}

/* ----------------------------------------------------- functions by symbol --- */

/* `count` rows are sorted. */
static bool has_entry(const struct dwarf_content *content, size_t count, struct dwarf_place place,
                      const char *name)
{
    const struct place_index *found = dwarf_place_find(content->functions_by_place, count, place);

    for (; found && found >= content->functions_by_place && found->place.section == place.section &&
           found->place.offset == place.offset;
         found--) {
        const struct dwarf_function *row = &content->functions[found->index];

        if (strcmp(row->linkage ? row->linkage : row->name, name) == 0)
            return true;
    }
    return false;
}

/* Make sure that the code of a symbol has a row of its function. Where gcc has merged functions of the same code
 * (-fipa-icf), it says of one of them alone where its code is, and names that of the other by it, or not at all. */
static void add_unplaced(struct dwarf_content *content, const struct rel_symbol *symbol,
                         size_t sorted_count)
{
    struct dwarf_place place = {symbol->section, symbol->value};
    char *name = format_text("%.*s", (int)strcspn(symbol->name, "."), symbol->name);
    struct named_die wanted = {.name = name}, *found = NULL;
    struct dwarf_function function;

    if (content->named_count && !has_entry(content, sorted_count, place, name))
        found = bsearch(&wanted, content->named, content->named_count, sizeof(*content->named),
                        compare_named_dies);
    free(name);
    if (!found)
        return;
    function = function_entry(&found->die);
    function.place = place;
    add_code_range(content, &function);
}

static void add_all_unplaced(const struct object_dwarf *dwarf)
{
    struct dwarf_content *content = dwarf->content;
    size_t before = content->function_count;

    if (content->named_count)
        qsort(content->named, content->named_count, sizeof(*content->named), compare_named_dies);
    for (size_t i = 1; i < dwarf->object->symbol_count; i++) {
        const struct rel_symbol *symbol = &dwarf->object->symbols[i];

        if (symbol->type != STT_FUNC || !rel_symbol_placed(symbol) || strstr(symbol->name, ".cold"))
            continue;
        add_unplaced(content, symbol, before);
    }
    if (content->function_count != before)
        sort_places(content);
}

struct dwarf_content *dwarf_content_of(const struct object_dwarf *dwarf)
{
    struct dwarf_content *content = dwarf->content;
    struct place_in_source top = {0};
    Dwarf_CU *unit = NULL;
    Dwarf_Die die, split;
    uint8_t type;

    if (content->read)
        return content;
    content->read = true;
    while (dwarf->dwarf &&
           dwarf_get_units(dwarf->dwarf, unit, &unit, NULL, &type, &die, &split) == 0)
        walk(dwarf, &die, top);
    sort_places(content);
    add_all_unplaced(dwarf);
    return content;
}
