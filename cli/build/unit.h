/*
 * unit.h - a source file of the target: the commands that compile it, and its objects in memory.
 */
#ifndef HOTPATCH_UNIT_H
#define HOTPATCH_UNIT_H

#include "cli/build/command_line.h"
#include "elf/rel_object.h"

struct baseline;
struct binary;
struct object_dwarf;

/* What a compilation gave. */
struct compiled {
    char *bytes;
    size_t size;
    struct rel_object *object;
    struct object_dwarf *dwarf;
    struct word_list spelled; /* the files that it read, as the compiler names them */
    struct word_list files;   /* the same, path_real(); those of a tree under their names outside */
    bool cached;              /* it was made by an earlier command */
    bool escapes;             /* a relative name leads out of the project */
};

/* A command for the file. A file may have several: for static and shared libraries, for several programs. */
struct candidate {
    struct command_line line;
    struct compiled *old; /* of the unedited source; NULL: not compiled yet */
    struct baseline *baseline;
    bool chosen;             /* its unedited object is in the target */
    struct compiled *edited; /* of the last edit */
    char *edited_key;        /* the texts that it was compiled from */
    bool untouched;          /* the edited object is all that the target has of the unit */
    bool plain;              /* its hunks have no names (hunk_names.h) */
};

struct unit {
    char *file; /* as the compile commands name it, absolute */
    char *real; /* path_real() */
    struct candidate *candidates;
    size_t candidate_count;
    bool added;       /* an edit has the file, and the binary does not */
    char *like;       /* of an added unit: path of the unit that has the same commands; or NULL */
    bool stranger;    /* the target does not come from it */
    bool knows_files; /* `files` is filled */
    struct word_list files; /* path_real() of what the unedited source is compiled from */
};

struct units {
    struct unit *list;
    size_t count;
    struct word_list
        unread; /* path_real() of a source, and why its command cannot be read; another ... */
};

/* Make the units of the compile commands. Commands that cannot be read are noted in `unread`. */
int units_make(struct units *units, const struct compile_commands *commands, struct refusal *why);
void units_free(struct units *units);
/* Add a unit for `file`, with the commands of `like`. */
struct unit *units_add_like(struct units *units, const char *file, const struct unit *like);
struct unit *units_find(const struct units *units, const char *real);
/* Return whether the edited source reads the file, by its last compilation. */
bool unit_edited_reads(const struct unit *unit, const char *real);

/* Open the object in memory, which is taken. Return NULL with the refusal. */
struct compiled *compiled_take(char *bytes, size_t size, const char *name, struct refusal *why);
void compiled_free(struct compiled *compiled);
/* Return whether the list has the file. */
bool word_list_has(const struct word_list *files, const char *real);

#endif
