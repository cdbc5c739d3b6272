/*
 * files.h - files that tests read, write and remove. An error fails the running test.
 */
#ifndef FILES_H
#define FILES_H

#include <stddef.h>
#include <sys/types.h>

struct file {
    unsigned char *bytes;
    size_t size;
};

struct file file_read(const char *path);
void file_write(const char *path, const void *bytes, size_t size, mode_t mode);
void file_free(struct file *file);
void copy_file(const char *from, const char *to);
char *file_text(const char *path);  /* NUL-terminated, malloc'd */
void remove_tree(const char *path); /* a directory with its contents */
/* Return the number of names in the directory, without . and .. */
int directory_entries(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
