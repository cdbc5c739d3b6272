/*
 * slot_table_file.h - find the slot table of an object that does not export it.
 */
#ifndef HOTPATCH_SLOT_TABLE_FILE_H
#define HOTPATCH_SLOT_TABLE_FILE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Where the table is by the section headers of an object's file, which a mapped image does not
 * have: programs do not export the symbol, and strip(1) leaves the section. Reads the headers
 * alone (the file may be large), by pread(2). False: the file has none, or is damaged.
 */
bool slot_table_find_in_file(int fd, uint64_t *address);

#endif
