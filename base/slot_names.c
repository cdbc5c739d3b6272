/* slot_names.c - see slot_names.h. */
#include "base/slot_names.h"

#include <string.h>

#include "include/hotpatch.h"

/* Arrays, not pointers: ld.so would relocate these in each process that starts, and copy their page. */
static const char kinds[][12] = {
    [SLOT_DECLARED] = "declared", [SLOT_IMPORT] = "import", [SLOT_ENTRY] = "entry"};
static const char types[][12] = {
    "unknown", [HOTPATCH_KIND_FUNCTION] = "function", [HOTPATCH_KIND_DATA] = "data",
    [HOTPATCH_KIND_REQUIRED] = "required", [HOTPATCH_KIND_UNTYPED] = "untyped"};

const char *slot_kind_name(enum slot_kind kind)
{
    return kinds[kind];
}

bool slot_kind_asked(const char *name, enum slot_kind kind)
{
    return !name || strcmp(name, kinds[kind]) == 0;
}

bool slot_kind_known(const char *name)
{
    return slot_kind_asked(name, SLOT_DECLARED) || slot_kind_asked(name, SLOT_IMPORT) ||
           slot_kind_asked(name, SLOT_ENTRY);
}

const char *slot_type_name(uint32_t type)
{
    return types[type < sizeof(types) / sizeof(types[0]) ? type : 0];
}
