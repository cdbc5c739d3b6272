/*
 * record.h - read the structures of hotpatch.h out of an image, field by field.
 *
 * Inside elf/ only: what slot_table.c and manifest.c share. All functions return 0, or -1
 * with the error that the reader names.
 */
#ifndef HOTPATCH_RECORD_H
#define HOTPATCH_RECORD_H

#include "elf/elf_error.h"
#include "elf/image_parts.h"

#define RECORD_STRING_MAX 4096 /* bytes without the NUL */
#define RECORD_COUNT_MAX 65536 /* entries of one array */

struct record_reader {
    const struct image *image;
    struct elf_error *error;
    enum elf_error_code code; /* of every error */
    char what[48];            /* "slot 3": begins every sentence */
};

enum record_null { NULL_REFUSED, NULL_ALLOWED };

/* Find the structure: the symbol's address, else the section's. False: there is none. */
bool record_find(const struct image *image, const char *symbol, const char *section,
                 uint64_t *address);

#define record_error(...) (record_set_error(__VA_ARGS__), -1)
void record_set_error(const struct record_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Copy `size` bytes; for numbers, whose words no relocation changes. */
int record_copy(const struct record_reader *reader, uint64_t address, void *out, size_t size);

/* Read a pointer: an address in the object; 0 for a null pointer. `field` names the pointer in the error. */
int record_pointer(const struct record_reader *reader, uint64_t address, const char *field,
                   enum record_null null, uint64_t *out);
/* Read a pointer into a PT_LOAD that has all of `flags` (PF_X: a function) for `size` bytes. */
int record_pointer_to(const struct record_reader *reader, uint64_t address, const char *field,
                      enum record_null null, uint32_t flags, size_t size, uint64_t *out);
/* Read a string of at most RECORD_STRING_MAX bytes; NULL where allowed. */
int record_string(const struct record_reader *reader, uint64_t address, const char *field,
                  enum record_null null, const char **out);
/* Read a string that is not empty. */
int record_name(const struct record_reader *reader, uint64_t address, const char *field,
                const char **out);
/* Read the array between the pointers at `address` and `address + 8`. */
int record_array(const struct record_reader *reader, uint64_t address, const char *field,
                 size_t entry_size, size_t alignment, uint64_t *begin, size_t *count);

#endif
