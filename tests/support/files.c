/*
 * files.c - files that tests read, write and remove; see files.h.
 *
 * Called only in the test program.
 */
#include "tests/support/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/harness.h"

struct file file_read(const char *path)
{
    struct file file = {NULL, 0};
    FILE *stream = fopen(path, "re");
    if (!stream)
        fail_msg("open %s: %s", path, strerror(errno));
    struct stat status;
    assert_int_equal(fstat(fileno(stream), &status), 0);
    size_t capacity = (size_t)status.st_size + 65536;
    file.bytes = malloc(capacity);
    assert_non_null(file.bytes);
    file.size = fread(file.bytes, 1, capacity - 1, stream);
    file.bytes[file.size] = '\0';
    fclose(stream);
    return file;
}

void file_free(struct file *file)
{
    free(file->bytes);
    file->bytes = NULL;
}

char *file_text(const char *path)
{
    return (char *)file_read(path).bytes;
}

/* Write a file and rename it, as a linker does. A half-written file never has the final name. */
void file_write(const char *path, const void *bytes, size_t size, mode_t mode)
{
    char temporary[PATH_MAX];
    snprintf(temporary, sizeof(temporary), "%s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        fail_msg("create %s: %s", temporary, strerror(errno));
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    close(fd);
    assert_int_equal(rename(temporary, path), 0);
}

void copy_file(const char *from, const char *to)
{
    struct file file = file_read(from);
    file_write(to, file.bytes, file.size, 0755);
    file_free(&file);
}

void remove_tree(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    while (directory && (entry = readdir(directory))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char name[PATH_MAX];
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (unlink(name) != 0 && (errno == EISDIR || errno == EPERM))
            remove_tree(name);
    }
    if (directory)
        closedir(directory);
    rmdir(path);
}

int directory_entries(const char *format, ...)
{
    char path[PATH_MAX];
    int count = 0;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(path, sizeof(path), format, arguments);
    va_end(arguments);
    DIR *directory = opendir(path);
    if (!directory)
        fail_msg("open %s: %s", path, strerror(errno));
    for (struct dirent *entry; (entry = readdir(directory));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(directory);
    return count;
}
