/* plain.h - what the two files of a program without slots (HOTPATCH_DISABLE_SLOTS) share. */
#ifndef TEST_HEADER_PLAIN_H
#define TEST_HEADER_PLAIN_H

#include <hotpatch.h>

HOTPATCH_DECLARE(int, add, (int a, int b));
HOTPATCH_DECLARE(int, provided, (int));
HOTPATCH_DECLARE(int, absent, (int));
HOTPATCH_DECLARE_DATA(int[3], limits);

#endif
