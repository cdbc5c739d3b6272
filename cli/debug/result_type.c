/* result_type.c - see result_type.h. */
#include "cli/debug/result_type.h"

#include <dwarf.h>
#include <stdlib.h>

#include "cli/debug/dwarf_text.h"
#include "cli/debug/dwarf_units.h"
#include "cli/output/output.h"

#define REGISTER_BYTES 8

/* Find the innermost function that has code at `address`, not one that was inlined into it. */
static bool function_at(struct debug_info *info, uint64_t address, Dwarf_Die *function)
{
    Dwarf_Addr bias;
    Dwarf_Die storage, split, *scopes = NULL;
    Dwarf_Die *unit = debug_info_unit(info, address, &storage, &bias);
    int count = unit ? dwarf_getscopes(debug_unit_whole(unit, &split), address - bias, &scopes) : 0;
    bool found = false;

    for (int i = 0; i < count && !found; i++) {
        *function = scopes[i];
        found = dwarf_tag(function) == DW_TAG_subprogram;
    }
    free(scopes);
    return found;
}

static bool type_attribute(Dwarf_Die *die, Dwarf_Die *type)
{
    Dwarf_Attribute attribute;

    return dwarf_attr_integrate(die, DW_AT_type, &attribute) &&
           dwarf_formref_die(&attribute, type) != NULL;
}

static bool base_is_unfit(Dwarf_Die *type)
{
    Dwarf_Attribute attribute;
    Dwarf_Word encoding;

    if (dwarf_bytesize(type) > REGISTER_BYTES)
        return true;
    if (!dwarf_attr_integrate(type, DW_AT_encoding, &attribute) ||
        dwarf_formudata(&attribute, &encoding) != 0)
        return false;
    return encoding == DW_ATE_float || encoding == DW_ATE_complex_float ||
           encoding == DW_ATE_imaginary_float || encoding == DW_ATE_decimal_float;
}

static bool is_unfit(Dwarf_Die *type)
{
    switch (dwarf_tag(type)) {
    case DW_TAG_base_type:
        return base_is_unfit(type);
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type:
    case DW_TAG_array_type: /* a vector */
        return true;
    default:
        return false;
    }
}

static char *spell(Dwarf_Die *type, Dwarf_Die *peeled)
{
    const char *name = debug_die_name(type) ? debug_die_name(type) : debug_die_name(peeled);
    bool tagged = dwarf_tag(type) == DW_TAG_structure_type || dwarf_tag(type) == DW_TAG_union_type;

    return format_text("%s%s",
                       !tagged                                    ? ""
                       : dwarf_tag(type) == DW_TAG_structure_type ? "struct "
                                                                  : "union ",
                       name ? name : "(without a name)");
}

char *result_type_unfit(struct debug_info *info, uint64_t address)
{
    Dwarf_Die function, type, peeled;

    if (!function_at(info, address, &function) || !type_attribute(&function, &type) ||
        dwarf_peel_type(&type, &peeled) != 0 || !is_unfit(&peeled))
        return NULL;
    return spell(&type, &peeled);
}
