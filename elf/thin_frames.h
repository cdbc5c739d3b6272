/*
 * thin_frames.h - unwinding tables of a linked thin object: .eh_frame of the placed functions alone, and its
 * sorted table. For the files of elf/ alone.
 */
#ifndef HOTPATCH_THIN_FRAMES_H
#define HOTPATCH_THIN_FRAMES_H

#include "elf/thin_link_parts.h"

/* Choose the records of placed functions, and set the sizes of both parts. Return 0, or -1 with the link's error. */
int thin_frames_plan(struct thin_link *link);
int thin_frames_write(const struct thin_link *link);

#endif
