/*
 * file_facts.h - read facts from the file of a host or a library.
 */
#ifndef HOTPATCH_FILE_FACTS_H
#define HOTPATCH_FILE_FACTS_H

const char *build_id_of(const char *path); /* valid until the next call */
/* Return the address of a symbol of BUILD/hosts/PROGRAM, before load bias. */
unsigned long symbol_of(const char *program, const char *name);

#endif
