/* lookup_internal.h - the objects that lookup_objects.c opens and lookup.c searches. */
#ifndef HOTPATCH_LOOKUP_INTERNAL_H
#define HOTPATCH_LOOKUP_INTERNAL_H

#include "cli/debug/debug_info.h"
#include "cli/debug/lookup.h"
#include "cli/debug/self_calls.h"

struct object {
    char *path;
    uint64_t device, inode;
    struct debug_info *info;       /* NULL: it cannot be read, or is no ELF file */
    struct self_calls *self_calls; /* read when first asked for */
    bool self_calls_tried;
};

struct lookup {
    struct debug_files given;
    struct object **objects; /* all that were ever met */
    size_t object_count;
    struct object **mapped; /* those of the process, the program first where `has_program` */
    size_t mapped_count;
    bool has_program;
};

#endif
