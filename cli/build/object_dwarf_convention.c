/* object_dwarf_convention.c - see object_dwarf_convention.h. The numbers are those of the psABI, figure 3.36. */
#include "cli/build/object_dwarf_convention.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

static const uint8_t integers[] = {5, 4, 1, 2, 8, 9};
enum { FIRST_VECTOR = 17, VECTORS = 8 };

/* The registers that the arguments so far have taken. */
struct taken {
    size_t integer_count, vector_count;
};

static bool is_next_register(struct taken *taken, unsigned number)
{
    if (taken->integer_count < sizeof(integers) && number == integers[taken->integer_count]) {
        taken->integer_count++;
        return true;
    }
    if (taken->vector_count < VECTORS && number == FIRST_VECTOR + taken->vector_count) {
        taken->vector_count++;
        return true;
    }
    return false;
}

static bool in_convention(Dwarf_Die *parameter, uint64_t entry, struct taken *taken)
{
    Dwarf_Attribute attribute;
    Dwarf_Op *operations;
    size_t count;

    if (!dwarf_attr_integrate(parameter, DW_AT_location, &attribute) ||
        dwarf_getlocation_addr(&attribute, entry, &operations, &count, 1) != 1 || count != 1)
        return false;
    if (operations[0].atom == DW_OP_fbreg)
        return true;
    if (operations[0].atom == DW_OP_regx)
        return is_next_register(taken, (unsigned)operations[0].number);
    return operations[0].atom >= DW_OP_reg0 && operations[0].atom <= DW_OP_reg31 &&
           is_next_register(taken, operations[0].atom - DW_OP_reg0);
}

bool object_dwarf_has_convention(const struct object_dwarf *dwarf, struct dwarf_place place)
{
    const struct dwarf_function *function =
        object_dwarf_function_at(dwarf, place.section, place.offset);
    struct taken taken = {0};
    Dwarf_Die child;
    Dwarf_Addr entry;

    if (!function || dwarf_lowpc((Dwarf_Die *)&function->die, &entry) != 0)
        return false;
    if (dwarf_child((Dwarf_Die *)&function->die, &child) != 0)
        return true;
    do {
        if (dwarf_tag(&child) == DW_TAG_unspecified_parameters)
            return false;
        if (dwarf_tag(&child) == DW_TAG_formal_parameter && !in_convention(&child, entry, &taken))
            return false;
    } while (dwarf_siblingof(&child, &child) == 0);
    return true;
}
