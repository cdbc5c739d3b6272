/*
 * file_facts.h - what the file of a host or a library says of itself.
 */
#ifndef HOTPATCH_FILE_FACTS_H
#define HOTPATCH_FILE_FACTS_H

const char *build_id_of(const char *path); /* good until the next call */
/* Where a symbol of BUILD/hosts/PROGRAM lies, before load bias. */
unsigned long symbol_of(const char *program, const char *name);

#endif
