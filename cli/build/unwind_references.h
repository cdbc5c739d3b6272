/*
 * unwind_references.h - what the unwinding information of a section's code refers to: its personality routine and its
 * table of exceptions.
 */
#ifndef HOTPATCH_UNWIND_REFERENCES_H
#define HOTPATCH_UNWIND_REFERENCES_H

#include "cli/build/object_view.h"

typedef void unwind_reference_visit(const struct object_reference *reference, void *context);

/* Call `each` for the references of .eh_frame's records of that section's code, and of the records that these name
 * (CIE), but not for those to the code itself. */
void unwind_references(const struct object_view *view, uint32_t code, unwind_reference_visit *each,
                       void *context);

#endif
