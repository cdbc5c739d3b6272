/* thin_meta.h - what a thin object says of itself and of its target. */
#ifndef HOTPATCH_THIN_META_H
#define HOTPATCH_THIN_META_H

struct thin_meta {
    const char *name;        /* the module's name: one word without a slash */
    const char *version;     /* or "" */
    const char *target_path; /* the object that is patched */
    const char *build_id;    /* hex */
};

#endif
