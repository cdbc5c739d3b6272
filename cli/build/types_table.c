/*
 * types_table.c - see types_table.h.
 *
 * Each DIE gets its index before its content is read, and the contents are read in a queue: so cycles end, and no depth of
 * the source is a depth of the stack.
 */
#include "cli/build/types_table.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "cli/debug/dwarf_text.h"
#include "cli/debug/dwarf_units.h"
#include "cli/output/output.h"

#define SCOPE_MAX 32      /* namespaces and classes in one another */
#define PEEL_MAX 64       /* typedefs and qualifiers on one another */
#define DIMENSIONS_MAX 64 /* of one array */
#define BITS 8

/* ---------------------------------------------------------- attributes --- */

static bool attribute_number(Dwarf_Die *die, unsigned name, uint64_t *out)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value;

    if (!dwarf_attr(die, name, &attribute) || dwarf_formudata(&attribute, &value) != 0)
        return false;
    *out = value;
    return true;
}

static bool attribute_flag(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    bool value = false;

    return dwarf_attr(die, name, &attribute) && dwarf_formflag(&attribute, &value) == 0 && value;
}

static unsigned decl_line(Dwarf_Die *die)
{
    int line = 0;

    return dwarf_decl_line(die, &line) == 0 && line > 0 ? (unsigned)line : 0;
}

/* --------------------------------------------------------------- growth --- */

static size_t slot_of(const struct type_table *table, const void *addr)
{
    uint64_t hash = (uint64_t)(uintptr_t)addr * UINT64_C(0x9e3779b97f4a7c15);
    size_t slot = (size_t)(hash >> 32) & (table->slot_count - 1);

    while (table->slots[slot] && table->nodes[table->slots[slot]].die.addr != addr)
        slot = (slot + 1) & (table->slot_count - 1);
    return slot;
}

static void hash_again(struct type_table *table)
{
    free(table->slots);
    table->slot_count = table->slot_count ? 2 * table->slot_count : 1024;
    table->slots = allocate(table->slot_count * sizeof(*table->slots));
    memset(table->slots, 0, table->slot_count * sizeof(*table->slots));
    for (size_t i = 1; i < table->count; i++)
        if (table->nodes[i].die.addr)
            table->slots[slot_of(table, table->nodes[i].die.addr)] = (uint32_t)i;
}

static uint32_t add_node(struct type_table *table, Dwarf_Die *die)
{
    if (table->count == table->capacity) {
        table->capacity = table->capacity ? 2 * table->capacity : 256;
        table->nodes = reallocate(table->nodes, table->capacity * sizeof(*table->nodes));
    }
    table->nodes[table->count] = (struct type_node){.kind = TYPE_OTHER};
    if (die)
        table->nodes[table->count].die = *die;
    return (uint32_t)table->count++;
}

static void add_member(struct type_table *table, uint32_t node, const struct type_member *member)
{
    if (table->member_count == table->member_capacity) {
        table->member_capacity = table->member_capacity ? 2 * table->member_capacity : 1024;
        table->members =
            reallocate(table->members, table->member_capacity * sizeof(*table->members));
    }
    table->members[table->member_count++] = *member;
    table->nodes[node].count++;
}

static const char *keep_name(struct type_table *table, char *name)
{
    if (table->name_count == table->name_capacity) {
        table->name_capacity = table->name_capacity ? 2 * table->name_capacity : 64;
        table->names = reallocate(table->names, table->name_capacity * sizeof(*table->names));
    }
    table->names[table->name_count++] = name;
    return name;
}

/* ---------------------------------------------------------------- names --- */

static bool is_scope(int tag)
{
    return tag == DW_TAG_namespace || tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
           tag == DW_TAG_union_type;
}

/* Give a node its name; one in a namespace or a class has the names of these before it. */
static void name_node(struct type_table *table, uint32_t node, const char *scope, bool local)
{
    struct type_node *it = &table->nodes[node];
    const char *name = debug_die_name(&it->die);

    it->local = local;
    if (name && scope)
        name = keep_name(table, format_text("%s::%s", scope, name));
    it->name = name;
}

/* Add what is declared among the children of `parent`: of a unit all named types, of a namespace and a class likewise. */
static void add_scope(struct type_table *table, Dwarf_Die *parent, const char *scope,
                      unsigned depth);

static uint32_t find_or_add(struct type_table *table, Dwarf_Die *die, const char *scope, bool local)
{
    size_t slot;
    uint32_t node;

    if (2 * (table->count + 1) >= table->slot_count)
        hash_again(table);
    slot = slot_of(table, die->addr);
    if (table->slots[slot])
        return table->slots[slot];
    node = add_node(table, die);
    table->slots[slot] = node;
    name_node(table, node, scope, local);
    return node;
}

static void add_scoped(struct type_table *table, Dwarf_Die *die, const char *scope, unsigned depth)
{
    int tag = dwarf_tag(die);
    const char *name;

    if (tag == DW_TAG_namespace) {
        name = debug_die_name(die) ? debug_die_name(die) : "(anonymous namespace)";
        if (scope)
            name = keep_name(table, format_text("%s::%s", scope, name));
        add_scope(table, die, name, depth + 1);
        return;
    }
    if (!is_scope(tag) && tag != DW_TAG_enumeration_type && tag != DW_TAG_typedef)
        return;
    name = table->nodes[find_or_add(table, die, scope, false)].name;
    if (is_scope(tag) && name)
        add_scope(table, die, name, depth + 1);
}

static void add_scope(struct type_table *table, Dwarf_Die *parent, const char *scope,
                      unsigned depth)
{
    Dwarf_Die die;

    if (depth > SCOPE_MAX || dwarf_child(parent, &die) != 0)
        return;
    do
        add_scoped(table, &die, scope, depth);
    while (debug_next_sibling(&die));
}

/* ------------------------------------------------------------- contents --- */

/* Return the index of a type that is met elsewhere: a type of the units has its name already, others are in a function. */
static uint32_t reference(struct type_table *table, Dwarf_Die *die)
{
    int tag = dwarf_tag(die);
    bool named = is_scope(tag) || tag == DW_TAG_enumeration_type || tag == DW_TAG_typedef;

    if (tag == DW_TAG_unspecified_type && !debug_die_name(die))
        return 0;
    return find_or_add(table, die, NULL, named && table->units_read);
}

static uint32_t typed(struct type_table *table, Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    Dwarf_Die type;

    if (!dwarf_attr_integrate(die, DW_AT_type, &attribute) || !dwarf_formref_die(&attribute, &type))
        return 0;
    return reference(table, &type);
}

/* Return where a member begins. DWARF 4 counts a bit field's bits from the most significant bit of a storage unit
 * (DWARF 4, 5.5.6); from DWARF 5 on they are counted from the start of the structure. */
static uint64_t member_offset(Dwarf_Die *die, uint64_t bit_size)
{
    uint64_t at = 0, bits = 0, unit = 0;

    if (attribute_number(die, DW_AT_data_bit_offset, &bits))
        return bits;
    attribute_number(die, DW_AT_data_member_location, &at);
    if (!attribute_number(die, DW_AT_bit_offset, &bits))
        return at * BITS;
    attribute_number(die, DW_AT_byte_size, &unit);
    return at * BITS + unit * BITS - bits - bit_size;
}

static void read_field(struct type_table *table, uint32_t node, Dwarf_Die *die)
{
    struct type_member member = {.name = debug_die_name(die), .line = decl_line(die)};
    uint64_t bit_size = 0;

    if (attribute_flag(die, DW_AT_external) || attribute_flag(die, DW_AT_declaration))
        return; /* a static member of C++: a variable */
    attribute_number(die, DW_AT_bit_size, &bit_size);
    member.bit_size = (uint32_t)bit_size;
    member.bit_offset = member_offset(die, bit_size);
    member.type = typed(table, die);
    if (dwarf_tag(die) == DW_TAG_inheritance && member.type)
        member.name = table->nodes[member.type].name;
    add_member(table, node, &member);
}

/* Of a virtual function its name and its place in the table of virtual functions (DW_AT_vtable_elem_location). */
static void read_virtual(struct type_table *table, uint32_t node, Dwarf_Die *die)
{
    struct type_member member = {.line = decl_line(die)};
    Dwarf_Attribute attribute;
    Dwarf_Op *operation;
    size_t count;
    const char *name = debug_die_name(die);

    if (!dwarf_attr(die, DW_AT_vtable_elem_location, &attribute) ||
        dwarf_getlocation(&attribute, &operation, &count) != 0 || count == 0)
        return;
    member.name = keep_name(table, format_text("virtual %s", name ? name : ""));
    member.value = (int64_t)operation[0].number;
    add_member(table, node, &member);
}

static void read_enumerator(struct type_table *table, uint32_t node, Dwarf_Die *die)
{
    struct type_member member = {.name = debug_die_name(die), .line = decl_line(die)};
    Dwarf_Attribute attribute;
    Dwarf_Sword value = 0;

    if (dwarf_attr(die, DW_AT_const_value, &attribute))
        dwarf_formsdata(&attribute, &value);
    member.value = value;
    add_member(table, node, &member);
}

static void read_parameter(struct type_table *table, uint32_t node, Dwarf_Die *die)
{
    struct type_member member = {.name = debug_die_name(die)};

    member.type = typed(table, die);
    add_member(table, node, &member);
}

static void read_dimension(struct type_table *table, uint32_t node, Dwarf_Die *die)
{
    struct type_member member = {.value = -1};
    uint64_t value, lower = 0;

    if (table->nodes[node].count >= DIMENSIONS_MAX)
        return;
    attribute_number(die, DW_AT_lower_bound, &lower);
    if (attribute_number(die, DW_AT_count, &value))
        member.value = (int64_t)value;
    else if (attribute_number(die, DW_AT_upper_bound, &value))
        member.value = (int64_t)(value - lower + 1);
    add_member(table, node, &member);
}

static void read_child(struct type_table *table, uint32_t node, Dwarf_Die *die)
{
    switch (dwarf_tag(die)) {
    case DW_TAG_member:
    case DW_TAG_inheritance:
        read_field(table, node, die);
        break;
    case DW_TAG_subprogram:
        if (table->nodes[node].kind == TYPE_STRUCT)
            read_virtual(table, node, die);
        break;
    case DW_TAG_enumerator:
        read_enumerator(table, node, die);
        break;
    case DW_TAG_formal_parameter:
        read_parameter(table, node, die);
        break;
    case DW_TAG_unspecified_parameters:
        table->nodes[node].varargs = true;
        break;
    case DW_TAG_subrange_type:
        read_dimension(table, node, die);
        break;
    default:
        break;
    }
}

static enum type_kind kind_of_tag(int tag)
{
    switch (tag) {
    case DW_TAG_base_type:
        return TYPE_BASE;
    case DW_TAG_pointer_type:
    case DW_TAG_reference_type:
    case DW_TAG_rvalue_reference_type:
        return TYPE_POINTER;
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
        return TYPE_STRUCT;
    case DW_TAG_union_type:
        return TYPE_UNION;
    case DW_TAG_enumeration_type:
        return TYPE_ENUM;
    case DW_TAG_typedef:
        return TYPE_TYPEDEF;
    case DW_TAG_array_type:
        return TYPE_ARRAY;
    case DW_TAG_subroutine_type:
    case DW_TAG_subprogram:
        return TYPE_FUNCTION;
    case DW_TAG_const_type:
        return TYPE_CONST;
    case DW_TAG_volatile_type:
        return TYPE_VOLATILE;
    case DW_TAG_restrict_type:
        return TYPE_RESTRICT;
    case DW_TAG_atomic_type:
        return TYPE_ATOMIC;
    default:
        return TYPE_OTHER;
    }
}

static bool has_children(enum type_kind kind)
{
    return kind == TYPE_STRUCT || kind == TYPE_UNION || kind == TYPE_ENUM || kind == TYPE_ARRAY ||
           kind == TYPE_FUNCTION;
}

static void read_attributes(struct type_table *table, uint32_t node, Dwarf_Die *die)
{
    struct type_node *it = &table->nodes[node];
    uint64_t number = 0;

    it->kind = kind_of_tag(dwarf_tag(die));
    it->declaration = attribute_flag(die, DW_AT_declaration);
    it->prototyped = attribute_flag(die, DW_AT_prototyped);
    it->line = decl_line(die);
    it->file = it->line ? debug_decl_file(die) : NULL;
    if (attribute_number(die, DW_AT_byte_size, &number))
        it->size = number;
    if (it->kind == TYPE_BASE && attribute_number(die, DW_AT_encoding, &number))
        it->encoding = (uint32_t)number;
    if (it->kind == TYPE_OTHER || it->kind == TYPE_POINTER)
        it->encoding = (uint32_t)dwarf_tag(die);
    if (it->kind == TYPE_POINTER)
        it->size = sizeof(void *);
}

static void read_node(struct type_table *table, uint32_t node)
{
    Dwarf_Die die = table->nodes[node].die, child;
    uint32_t target;

    read_attributes(table, node, &die);
    if (table->nodes[node].kind == TYPE_VOID || !die.addr)
        return;
    target = typed(table, &die);
    table->nodes[node].target = target;
    table->nodes[node].first = table->member_count;
    if (!has_children(table->nodes[node].kind) || dwarf_child(&die, &child) != 0)
        return;
    do
        read_child(table, node, &child);
    while (debug_next_sibling(&child));
}

static void read_queue(struct type_table *table)
{
    for (; table->done < table->count; table->done++)
        read_node(table, (uint32_t)table->done);
}

/* ------------------------------------------------------------ interface --- */

void type_table_read(struct type_table *table, Dwarf *dwarf)
{
    Dwarf_CU *unit = NULL;
    Dwarf_Die die, split;
    uint8_t type;

    *table = (struct type_table){.dwarf = dwarf};
    add_node(table, NULL);
    table->nodes[0].kind = TYPE_VOID;
    table->done = 1;
    hash_again(table);
    while (dwarf && dwarf_get_units(dwarf, unit, &unit, NULL, &type, &die, &split) == 0)
        if (type == DW_UT_compile || type == DW_UT_partial)
            add_scope(table, &die, NULL, 0);
    table->unit_types = table->count - 1;
    table->units_read = true;
    read_queue(table);
}

void type_table_free(struct type_table *table)
{
    for (size_t i = 0; i < table->name_count; i++)
        free(table->names[i]);
    free(table->names);
    free(table->nodes);
    free(table->members);
    free(table->slots);
    *table = (struct type_table){0};
}

uint32_t type_table_of(struct type_table *table, Dwarf_Die *type)
{
    uint32_t node = reference(table, type);

    read_queue(table);
    return node;
}

uint32_t type_table_typed(struct type_table *table, Dwarf_Die *die)
{
    uint32_t node = typed(table, die);

    read_queue(table);
    return node;
}

uint32_t type_table_signature(struct type_table *table, Dwarf_Die *subprogram)
{
    return type_table_of(table, subprogram);
}

uint32_t type_table_peel(const struct type_table *table, uint32_t type, unsigned *qualifiers)
{
    unsigned seen = 0;

    for (int i = 0; i < PEEL_MAX; i++) {
        enum type_kind kind = table->nodes[type].kind;

        if (kind != TYPE_TYPEDEF && kind != TYPE_CONST && kind != TYPE_VOLATILE &&
            kind != TYPE_RESTRICT && kind != TYPE_ATOMIC)
            break;
        seen |= 1u << kind;
        type = table->nodes[type].target;
    }
    if (qualifiers)
        *qualifiers = seen;
    return type;
}

uint64_t type_table_size(const struct type_table *table, uint32_t type)
{
    uint64_t count = 1;

    for (int i = 0; i < PEEL_MAX; i++) {
        const struct type_node *node = &table->nodes[type = type_table_peel(table, type, NULL)];

        if (node->kind != TYPE_ARRAY || node->size)
            return node->size * count;
        for (size_t k = 0; k < node->count; k++) {
            int64_t elements = table->members[node->first + k].value;

            count *= elements > 0 ? (uint64_t)elements : 0;
        }
        type = node->target;
    }
    return 0;
}
