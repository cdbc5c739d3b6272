/*
 * types_report.h - the words for what differs between the types of an unedited and an edited object.
 */
#ifndef HOTPATCH_TYPES_REPORT_H
#define HOTPATCH_TYPES_REPORT_H

#include <stdint.h>

#include "cli/build/types_pairs.h"

/* Return "struct job (work.h:3) has another layout: 16 bytes became 24; long done is new at 16; int a at 0 became float a at
 * 0", malloc'd. At most eight members are named. */
char *type_pair_text(struct type_comparison *comparison, uint32_t pair);

/* Return "struct job (work.h:3)", malloc'd, of the older of the pair. */
char *type_pair_name(const struct type_comparison *comparison, uint32_t pair);

#endif
