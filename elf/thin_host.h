/*
 * thin_host.h - what the link of a thin object (thin_link.h) must know of the process.
 */
#ifndef HOTPATCH_THIN_HOST_H
#define HOTPATCH_THIN_HOST_H

#include <stdbool.h>
#include <stdint.h>

/* Where ld.so finds a symbol. */
struct thin_definition {
    const char *file;    /* the DT_NEEDED name of the object that defines it; NULL: the program */
    const char *version; /* or NULL */
};

/* The target as it lies in the process. Strings outlive the link. */
struct thin_host {
    uint64_t bias;
    uint64_t begin, end; /* its addresses in the process */
    const char *needed;  /* the DT_NEEDED name of a library; NULL: the program */
    uint64_t tls_module; /* dlpi_tls_modid; 0: no thread-locals */
    bool tls_is_static;  /* its thread-locals have fixed offsets from the thread pointer: */
    int64_t tls_offset;  /* the offset of the first */
    /* Return whether ld.so finds the symbol for the target. `version` may be NULL. */
    bool (*definition)(void *context, const char *name, const char *version,
                       struct thin_definition *out);
    /* Return whether data of that key is in the process already, at `at`. */
    bool (*kept)(void *context, const char *key, uint64_t *at);
    void *context;
};

#endif
