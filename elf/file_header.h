/*
 * file_header.h - what elf/ checks of a file before libelf reads it: the ELF header, where the header tables lie,
 * and notes. For the files of elf/ alone; any thread.
 */
#ifndef HOTPATCH_FILE_HEADER_H
#define HOTPATCH_FILE_HEADER_H

#include "elf/elf_error.h"
#include "elf/image_parts.h"

/* Check the first 64 bytes of a file of `size` bytes, and where its header tables lie. 0, or -1 with
 * `error`. */
int image_check_file_header(const uint8_t *bytes, size_t size, uint16_t require_type,
                            Elf64_Ehdr *header, struct elf_error *error);
int image_check_header_tables(const Elf64_Ehdr *header, size_t size, struct elf_error *error);
/* Write the build-id among notes as hex digits to `out`, which begins as "" and stays so where there is
 * none. */
int image_notes_build_id(const uint8_t *notes, uint64_t size, uint64_t alignment,
                         char out[IMAGE_BUILD_ID_TEXT], struct elf_error *error);

#endif
