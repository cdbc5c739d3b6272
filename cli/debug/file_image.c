/* file_image.c - see file_image.h. */
#include "cli/debug/file_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output/output.h"
#include "resolve/elf_refusal.h"

#define FILE_MAX (16L << 30)
#define COPY_MAX (32L << 20)

static int read_fully(int fd, void *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, (char *)bytes + done, size - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? ESTALE : errno;
            return -1;
        }
        done += (size_t)n;
    }
    return 0;
}

static int image_bytes_copy(struct file_image *file, int fd, const char *path, struct refusal *why)
{
    file->bytes = allocate(file->size);
    if (read_fully(fd, file->bytes, file->size) == 0)
        return 0;
    return refuse(why, errno == ESTALE ? HP_CHANGED : HP_OPEN, "read %s: %s", path,
                  errno == ESTALE ? "it became shorter" : strerror(errno));
}

static int image_bytes_map(struct file_image *file, int fd, const char *path, struct refusal *why)
{
    void *bytes = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, fd, 0);

    if (bytes == MAP_FAILED)
        return refuse(why, HP_OPEN, "map %s: %s", path, strerror(errno));
    file->bytes = bytes;
    file->mapped = true;
    return 0;
}

static int image_bytes_read(struct file_image *file, const char *path, off_t copy_max,
                            struct refusal *why)
{
    /* O_NONBLOCK: a FIFO of that name must not hold the command up. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    int status = -1;

    if (fd < 0 || fstat(fd, &st) != 0)
        refuse(why, HP_OPEN, "open %s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        refuse(why, HP_NOT_REGULAR, "%s is not a regular file", path);
    else if (st.st_size > FILE_MAX)
        refuse(why, HP_TOO_LARGE, "%s has %lld bytes", path, (long long)st.st_size);
    else {
        file->size = (size_t)st.st_size;
        status = st.st_size > copy_max ? image_bytes_map(file, fd, path, why)
                                       : image_bytes_copy(file, fd, path, why);
    }
    if (fd >= 0)
        close(fd);
    return status;
}

int file_image_bytes(struct file_image *file, const char *path, struct refusal *why)
{
    memset(file, 0, sizeof(*file));
    if (image_bytes_read(file, path, FILE_MAX, why) == 0)
        return 0;
    file_image_close(file);
    return -1;
}

static int open_image(struct file_image *file, const char *path, uint16_t require_type,
                      off_t copy_max, struct refusal *why)
{
    struct elf_error error = {0};

    memset(file, 0, sizeof(*file));
    if (image_bytes_read(file, path, copy_max, why) != 0) {
        file_image_close(file);
        return -1;
    }
    if (image_open(&file->image, file->bytes, file->size, require_type, &error) == 0)
        return 0;
    file->image = NULL;
    file_image_close(file);
    return refuse(why, elf_refusal_code(&error), "%s: %s", path, error.text);
}

int file_image_open(struct file_image *file, const char *path, uint16_t require_type,
                    struct refusal *why)
{
    return open_image(file, path, require_type, COPY_MAX, why);
}

int file_image_copy(struct file_image *file, const char *path, uint16_t require_type,
                    struct refusal *why)
{
    return open_image(file, path, require_type, FILE_MAX, why);
}

void file_image_close(struct file_image *file)
{
    image_close(file->image);
    if (file->mapped)
        munmap(file->bytes, file->size);
    else
        free(file->bytes);
    memset(file, 0, sizeof(*file));
}
