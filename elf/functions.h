/*
 * functions.h - the functions of one object: what it exports, what .symtab of its file names, and
 * what its unwind table (.eh_frame_hdr, one entry for each FDE) says begins somewhere.
 *
 * elf/ as image.h says: input is outside input, nothing here logs, exits or keeps a descriptor.
 */
#ifndef HOTPATCH_FUNCTIONS_H
#define HOTPATCH_FUNCTIONS_H

#include "elf/image.h"

enum { FUNCTION_NAME_MAX = 1024 };

struct functions;

struct function {
    uint64_t address; /* virtual address, before load bias */
    uint64_t size; /* bytes, from the FDE, else the symbol, else up to the next start; 0: unknown */
    bool sized;    /* an FDE or the symbol says that size */
    const char *name;    /* NULL: only an FDE tells that it begins here */
    const char *file;    /* of a local symbol: its STT_FILE ("reader.c"), else NULL */
    const char *version; /* of a .dynsym symbol, or NULL */
    bool default_version;
    bool local, weak;
    bool ifunc; /* STT_GNU_IFUNC; or, of a look-up by address, a resolver that a relocation names */
    bool exported; /* in .dynsym */
    /* The FDE of a signal frame covers it: the kernel returns from a signal handler there. glibc's
     * begins one byte before the code. It is no function: functions_each() leaves it out. */
    bool signal_frame;
};

/* Return the image that .dynsym and the unwind table are read from; NULL: a debug file. It lives as long as
 * `functions`. */
const struct image *functions_image(const struct functions *functions);

/*
 * Each function called `name`, aliases and statics of several files included; `each` returns
 * non-zero to stop, which is returned. Fast: a hash look-up after the first call. Where nothing has
 * the name, those called `name`.ifunc: so clang calls the indirect function (IFUNC) that it makes of
 * target_clones and target_version.
 */
typedef int function_visit(const struct function *function, void *context);
int functions_named(struct functions *functions, const char *name, function_visit *each,
                    void *context);
/* Write `name`.ifunc to `indirect`; false: too long. */
bool function_indirect_name(const char *name, char indirect[FUNCTION_NAME_MAX]);
/* Return NAME, in `buffer`, of NAME.ifunc; else the name itself. */
const char *function_source_name(const char *name, char buffer[FUNCTION_NAME_MAX]);
/* Call `each` for every function that is no signal frame, in address order; several names of one address
 * follow each other. Return what `each` returned, or -1: no memory. */
int functions_each(struct functions *functions, function_visit *each, void *context);
/* Call `each` for every name of `address`, as functions_each() does. Return what `each` returned, or -1: no
 * memory. */
int functions_by_address(struct functions *functions, uint64_t address, function_visit *each,
                         void *context);
/* Find the function that begins at `address`, or the signal frame that covers it. */
bool function_begins_at(struct functions *functions, uint64_t address, struct function *out);
/* Find the function whose bytes contain `address`. */
bool function_around(struct functions *functions, uint64_t address, struct function *out);
/* Find the last function that begins before `address`: `start`. False: none does. */
bool function_previous_start(struct functions *functions, uint64_t address, uint64_t *start);
/* Return where the next function after `address` begins, or its executable memory ends. */
uint64_t function_next_start(struct functions *functions, uint64_t address);

#endif
