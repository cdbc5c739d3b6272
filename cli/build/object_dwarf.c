/* object_dwarf.c - see object_dwarf.h. */
#include "cli/build/object_dwarf.h"

int object_dwarf_open(struct object_dwarf **out, const char *name, const struct rel_object *object,
                      struct refusal *why)
{
    (void)object;
    *out = NULL;
    return refuse(why, HP_LATER, "the debug information of %s cannot be read", name);
}

void object_dwarf_close(struct object_dwarf *dwarf)
{
    (void)dwarf;
}

bool object_dwarf_has_types(const struct object_dwarf *dwarf)
{
    (void)dwarf;
    return false;
}

const struct dwarf_variable *object_dwarf_variables(const struct object_dwarf *dwarf, size_t *count)
{
    (void)dwarf;
    *count = 0;
    return NULL;
}

const struct dwarf_variable *object_dwarf_variable_at(const struct object_dwarf *dwarf,
                                                      uint32_t section, uint64_t offset)
{
    (void)dwarf;
    (void)section;
    (void)offset;
    return NULL;
}

const struct dwarf_function *object_dwarf_functions(const struct object_dwarf *dwarf, size_t *count)
{
    (void)dwarf;
    *count = 0;
    return NULL;
}

const struct dwarf_function *object_dwarf_function_at(const struct object_dwarf *dwarf,
                                                      uint32_t section, uint64_t offset)
{
    (void)dwarf;
    (void)section;
    (void)offset;
    return NULL;
}

const char *object_dwarf_where(const struct object_dwarf *dwarf, uint32_t section, uint64_t offset,
                               unsigned *line)
{
    (void)dwarf;
    (void)section;
    (void)offset;
    *line = 0;
    return NULL;
}

const char *object_dwarf_producer(const struct object_dwarf *dwarf)
{
    (void)dwarf;
    return NULL;
}

const char *object_dwarf_whole_program(const struct object_dwarf *dwarf)
{
    (void)dwarf;
    return NULL;
}

bool object_dwarf_is_cxx(const struct object_dwarf *dwarf)
{
    (void)dwarf;
    return false;
}

Dwarf *object_dwarf_handle(const struct object_dwarf *dwarf)
{
    (void)dwarf;
    return NULL;
}

struct dwarf_place object_dwarf_place(uint64_t address)
{
    return (struct dwarf_place){(uint32_t)(address >> 32), address & UINT32_MAX};
}
