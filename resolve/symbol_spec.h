/*
 * symbol_spec.h - how a patch or a person names what is to be patched:
 * [OBJECT:]NAME[@FILE.c] or [OBJECT:]NAME[@VERSION], or OBJECT+0xOFFSET.
 *
 * Compiled into engine and command. Any thread, no allocation.
 */
#ifndef HOTPATCH_TARGET_SPELLING_H
#define HOTPATCH_TARGET_SPELLING_H

#include <stdbool.h>
#include <stdint.h>

#define TARGET_PART_MAX 512
/* With its NUL: Rust's and C++'s names have thousands of letters. A request has no room for a longer one
 * (REQUEST_MAX), nor a manifest (RECORD_STRING_MAX). */
#define TARGET_NAME_MAX 4097

struct symbol_spec {
    char object[TARGET_PART_MAX]; /* soname, base name, namespace or "exe"; "" where not given */
    char name[TARGET_NAME_MAX];
    char file[TARGET_PART_MAX];    /* "reader.c"; "" where not given */
    char version[TARGET_PART_MAX]; /* symbol version; "" where not given */
    bool by_offset;                /* OBJECT+0xOFFSET: `name` is all of it */
    uint64_t offset;               /* virtual address before load bias */
};

/* Parse a target. 0, or -1 where `text` is not spelled so or a part is too long. */
int symbol_spec_parse(const char *text, struct symbol_spec *out);

/* Return whether OBJECT names this object. A name matches as a whole, never by suffix; any of the names may
 * be NULL. Of `path` the base name counts. */
bool symbol_spec_object_matches(const struct symbol_spec *target, bool is_program, const char *path,
                                const char *soname, const char *name_space);

#endif
