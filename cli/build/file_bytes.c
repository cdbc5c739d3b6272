/* file_bytes.c - see file_bytes.h. */
#include "cli/build/file_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output/output.h"

#define FILE_MAX ((off_t)1 << 30)

static int read_up_to(int file, char *bytes, size_t size, size_t *got)
{
    for (*got = 0; *got < size;) {
        ssize_t n = read(file, bytes + *got, size - *got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return 0;
}

static int check_regular(const struct stat *facts)
{
    if (!S_ISREG(facts->st_mode))
        return errno = S_ISDIR(facts->st_mode) ? EISDIR : EINVAL, -1;
    return facts->st_size > FILE_MAX ? (errno = EFBIG, -1) : 0;
}

int file_bytes_read(const char *path, char **bytes, size_t *size, struct stat *facts)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), error;
    struct stat own;
    char *text;

    if (file < 0)
        return -1;
    if (!facts)
        facts = &own;
    if (fstat(file, facts) != 0 || check_regular(facts) != 0)
        goto failed;
    text = allocate((size_t)facts->st_size + 1);
    if (read_up_to(file, text, (size_t)facts->st_size, size) != 0) {
        free(text);
        goto failed;
    }
    text[*size] = '\0';
    *bytes = text;
    close(file);
    return 0;
failed:
    error = errno;
    close(file);
    errno = error;
    return -1;
}

/* Return 0, or -1 with errno: EFBIG for what has no end. */
static int read_to_end(int file, char **bytes, size_t *size)
{
    size_t room = 1 << 16, got;

    *bytes = allocate(room);
    *size = 0;
    for (;;) {
        if (read_up_to(file, *bytes + *size, room - 1 - *size, &got) != 0)
            return -1;
        *size += got;
        (*bytes)[*size] = '\0';
        if (*size < room - 1)
            return 0;
        if (room >= (size_t)FILE_MAX)
            return errno = EFBIG, -1;
        *bytes = reallocate(*bytes, room *= 2);
    }
}

int file_bytes_read_stream(const char *path, char **bytes, size_t *size)
{
    bool input = strcmp(path, "-") == 0;
    int file = input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), result, error;

    if (file < 0)
        return -1;
    result = read_to_end(file, bytes, size);
    error = errno;
    if (!input)
        close(file);
    if (result != 0)
        free(*bytes);
    errno = error;
    return result;
}

static int bytes_write_out(int file, const char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = write(file, bytes + done, size - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

/* Close a file after a step with that result. Return -1 where either failed, with its errno. */
static int close_after(int file, int result)
{
    int error = errno;

    if (close(file) != 0 && result == 0)
        return -1;
    errno = error;
    return result;
}

int file_bytes_write(const char *path, const char *bytes, size_t size)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    return file < 0 ? -1 : close_after(file, bytes_write_out(file, bytes, size));
}

int file_bytes_exchange(const char *path, const char *bytes, size_t size, mode_t mode)
{
    char *temporary = format_text("%s.XXXXXX", path);
    int file = mkostemp(temporary, O_CLOEXEC), result = -1, error = errno;

    if (file >= 0) {
        result =
            close_after(file, fchmod(file, mode) == 0 ? bytes_write_out(file, bytes, size) : -1);
        if (result == 0)
            result = rename(temporary, path);
        error = errno;
        if (result != 0)
            unlink(temporary);
    }
    free(temporary);
    errno = error;
    return result;
}
