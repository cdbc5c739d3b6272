/* whole_file.c - see whole_file.h. */
#include "cli/verbs/whole_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "cli/debug/file_image.h"
#include "elf/thin_file.h"

/* Return the FNV-1a hash, which tells contents apart and does not authenticate them. */
static uint64_t hash_of(const void *bytes, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (const unsigned char *p = bytes; size--; p++)
        hash = (hash ^ *p) * UINT64_C(0x100000001b3);
    return hash;
}

/* Return whether the section headers lie in the file. Linkers write them last. */
static bool sections_inside(const struct file_image *file)
{
    Elf64_Ehdr header;

    if (file->size < sizeof(header))
        return false;
    memcpy(&header, file->bytes, sizeof(header));
    return header.e_shoff <= file->size &&
           (uint64_t)header.e_shnum * header.e_shentsize <= file->size - header.e_shoff;
}

/*
 * The kernel grants a read lease of a file that no descriptor and no mapping can write to (fcntl(2),
 * "Leases"). It is given back at once: a writer that comes meanwhile waits for that, and the SIGIO that says
 * so is ignored (follow.c). To others' files, and on many network file systems, there are none.
 */
enum whole whole_writers(int fd, struct refusal *why)
{
    if (fd < 0)
        return WHOLE_UNSURE;
    if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
        fcntl(fd, F_SETLEASE, F_UNLCK);
        return WHOLE;
    }
    if (errno != EAGAIN)
        return WHOLE_UNSURE;
    refuse(why, HP_CHANGED, "it is open for writing");
    return WHOLE_WRITTEN;
}

static enum whole look_for_writers(const char *path, struct refusal *why)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    enum whole whole = whole_writers(fd, why);

    if (fd >= 0)
        close(fd);
    return whole;
}

static enum whole read_whole(const char *path, uint64_t *hash, struct refusal *why)
{
    struct file_image file;
    enum whole whole = WHOLE;

    if (file_image_bytes(&file, path, why) != 0)
        return WHOLE_PART;
    if (!thin_file_is(file.bytes, file.size)) {
        file_image_close(&file);
        if (file_image_copy(&file, path, ET_DYN, why) != 0)
            return WHOLE_PART;
    }
    *hash = hash_of(file.bytes, file.size);
    if (!sections_inside(&file)) {
        refuse(why, HP_ELF_CORRUPT, "%s: its section headers lie beyond its end", path);
        whole = WHOLE_PART;
    }
    file_image_close(&file);
    return whole;
}

enum whole whole_file(const char *path, uint64_t *hash, struct refusal *why)
{
    if (look_for_writers(path, why) == WHOLE_WRITTEN)
        return WHOLE_WRITTEN;
    if (read_whole(path, hash, why) != WHOLE)
        return WHOLE_PART;
    /* Again: a writer may have come while it was read. */
    return look_for_writers(path, why);
}
