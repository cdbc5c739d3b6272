/*
 * thin_file.h - the reader of thin objects (.hpo): what `hotpatch build` writes and the engine links into a process.
 *
 * A thin object is an ET_REL file: the placed sections of one or more compiled files, their unwinding and debug
 * information, one symbol table, and a section `hotpatch_thin` that says what each undefined symbol is. The section is
 * text, one fact a line, with tabs between the fields; the first line is the format's version:
 *
 *   hotpatch-thin 1
 *   digest   HEX                          thin_digest.h
 *   name     NAME
 *   version  VERSION
 *   target   OBJECT BUILD-ID PATH         base name, build-id in hex, and path of the object that is patched
 *   replace  SYMBOL OFFSET SIZE NAME FILE LINE [SIGNATURE]   the entry at OFFSET of the target leads to SYMBOL
 *   address  SYMBOL OFFSET                SYMBOL is placed, and as an address stands for this one of the target
 *   import   SYMBOL address OFFSET [CALL] an address of the target; branches lead to CALL, if given
 *   import   SYMBOL got OFFSET [CALL]     the target's word at OFFSET holds the address
 *   import   SYMBOL tls OFFSET            OFFSET of the target's PT_TLS segment
 *   import   SYMBOL dynamic [VERSION]     the dynamic linker finds it by its name
 *   callers  BEGIN END                    code of the target that was compiled together with functions that are
 *                                         replaced: calls from elsewhere rely on the ABI alone. 0 0: there is none
 *   private  NAME OFFSET                  no other object may be bound to the target's NAME, the function at OFFSET:
 *                                         its callers are in this file, and its old entry stays as it is
 *   old      OFFSET NAME                  the target's function at OFFSET is old code, and keeps its entry: a clone, a part, or
 *                                         a function all of whose callers are in this file or gone
 *   keep     SYMBOL KEY                   new writable data: its value is kept over reloads by KEY
 *
 * SYMBOL is an index of .symtab, decimal. OFFSET, CALL and SIZE are hexadecimal: virtual addresses before load bias of
 * the object with that build-id. An undefined symbol without a line is not placed: only debug information refers to it.
 * FILE is a base name.
 *
 * Used by the command and by the engine. Any thread.
 */
#ifndef HOTPATCH_THIN_FILE_H
#define HOTPATCH_THIN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf/elf_error.h"

struct rel_object;

#define THIN_SECTION "hotpatch_thin"
#define THIN_FIRST_LINE "hotpatch-thin 1"

enum thin_import {
    THIN_NONE, /* placed, absolute, or not placed at all */
    THIN_ADDRESS,
    THIN_GOT,
    THIN_TLS,
    THIN_DYNAMIC,
};

/* What the section says of one symbol. */
struct thin_symbol {
    enum thin_import import;
    uint64_t at;
    bool has_call;
    uint64_t call;
    bool has_host; /* a placed function, whose address is `host` of the target */
    uint64_t host;
    const char *version; /* THIN_DYNAMIC; or NULL */
    const char *keep;    /* or NULL */
};

struct thin_replacement {
    uint32_t symbol; /* a function in a placed section */
    uint64_t offset, size;
    const char *name;
    const char *file;      /* "": not known */
    unsigned line;         /* 0: not known */
    const char *signature; /* how it is called: types that are passed in the same way; or NULL */
};

/* Code of the target: [begin, end). */
struct thin_code {
    uint64_t begin, end;
};

/* A function of the target that nothing outside of the patch may call. */
struct thin_private {
    const char *name;
    uint64_t offset;
};

/* A function of the target that old code alone calls. */
struct thin_old {
    const char *name;
    uint64_t offset;
};

struct thin_file {
    struct rel_object *object;
    const char *digest; /* or NULL; what it says is for thin_digest.h */
    const char *name, *version;
    const char *target, *build_id, *target_path;
    struct thin_symbol *symbols; /* by index of the object's symbol */
    struct thin_replacement *replacements;
    size_t replacement_count;
    bool callers_known; /* there are lines on callers */
    struct thin_code *callers;
    size_t caller_count;
    struct thin_private *privates;
    size_t private_count;
    struct thin_old *olds;
    size_t old_count;
    char *text; /* the section, with NUL at the ends of fields; the strings above lie here */
};

/* Return whether the bytes are an ET_REL file with that section, whether or not the rest can be read. */
bool thin_file_is(const void *bytes, size_t size);

/* Read a thin object. The bytes must outlive it. Return 0, or -1 with `error`: ELF_THIN_DAMAGED for what is not a thin
 * object of this version. Every index, offset and string of the result is checked. */
int thin_file_open(struct thin_file **out, const void *bytes, size_t size, struct elf_error *error);
void thin_file_close(struct thin_file *thin); /* NULL does nothing */

#endif
