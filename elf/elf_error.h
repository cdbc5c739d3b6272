/*
 * elf_error.h - why reading an ELF object failed: a code and one sentence. resolve/elf_refusal.h gives the
 * HP- code of each. Any thread.
 */
#ifndef HOTPATCH_ELF_ERROR_H
#define HOTPATCH_ELF_ERROR_H

enum elf_error_code {
    ELF_OK,
    ELF_NOT,           /* not an ELF file */
    ELF_CLASS_WRONG,   /* not 64-bit little-endian */
    ELF_MACHINE_WRONG, /* another machine than this one */
    ELF_TYPE_WRONG,    /* neither ET_DYN nor ET_EXEC */
    ELF_DAMAGED,       /* structures contradict each other or point out of the file */
    ELF_NO_MANIFEST,
    ELF_MANIFEST_DAMAGED, /* magic, sizes, counts or pointers */
    ELF_MANIFEST_VERSION, /* of another ABI version */
    ELF_TABLE_DAMAGED,    /* a slot table likewise */
    ELF_THIN_DAMAGED,     /* the section of a thin object likewise, or of another version */
    ELF_THIN_RELOCATION,  /* a relocation of a thin object is not known, or does not fit */
    ELF_THIN_UNDEFINED,   /* a symbol of a thin object that nothing defines */
    ELF_OTHER_BINARY,     /* debug information of another file */
    ELF_NO_MEMORY
};

/* Why a call failed: a code and one sentence without a newline. */
struct elf_error {
    enum elf_error_code code;
    char text[256];
};

/* Record why a call fails. elf_fail() is -1, so that `return elf_fail(...)` reads as one statement; it is a
 * macro, so that compilers and analyzers see the -1 in other files. */
#define elf_fail(...) (elf_error_set(__VA_ARGS__), -1)
void elf_error_set(struct elf_error *error, enum elf_error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
