/* picture.c - see picture.h. */
#include "tests/support/picture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/harness.h"

/* Record a mapping. Adjacent mappings with the same protection are recorded as one mapping, because the kernel may keep
 * them as several. */
static void note_mapping(struct picture *picture, const char *line)
{
    unsigned long begin, end, last_end = 0;
    char protection[8], last[8] = "";
    size_t length = strlen(picture->maps);
    const char *path = strchr(line, '/');
    int at = 0;

    assert_int_equal(sscanf(line, "%lx-%lx %7s", &begin, &end, protection), 3);
    while (length > 0 && picture->maps[length - 1] != '\n')
        length--;
    if (sscanf(picture->maps + length, "-%lx %7s%n", &last_end, last, &at) == 2 &&
        last_end == begin && strcmp(last, protection) == 0)
        picture->maps[length] = '\0';
    else
        sprintf(picture->maps + strlen(picture->maps), "%.*s%lx\n", (int)strcspn(path, "\n"), path,
                begin);
    sprintf(picture->maps + strlen(picture->maps), "-%lx %s", end, protection);
}

static void read_code(struct picture *picture, int memory, unsigned long begin, unsigned long end)
{
    size_t size = end - begin;

    picture->code = realloc(picture->code, picture->size + size);
    assert_non_null(picture->code);
    assert_int_equal(pread(memory, picture->code + picture->size, size, (off_t)begin), size);
    picture->size += size;
}

struct picture picture_take(pid_t pid)
{
    struct picture picture = {0};
    char path[64], line[1024], protection[8];
    unsigned long begin, end;
    FILE *maps;
    int memory;

    snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
    memory = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    maps = fopen(path, "re");
    assert_true(memory >= 0 && maps);
    while (fgets(line, sizeof(line), maps)) {
        if (!strstr(line, "/hosts/"))
            continue;
        assert_true(strlen(picture.maps) + strlen(line) + 64 < sizeof(picture.maps));
        note_mapping(&picture, line);
        assert_int_equal(sscanf(line, "%lx-%lx %7s", &begin, &end, protection), 3);
        if (protection[2] == 'x')
            read_code(&picture, memory, begin, end);
    }
    fclose(maps);
    close(memory);
    assert_true(picture.size > 0);
    return picture;
}

void picture_free(struct picture *picture)
{
    free(picture->code);
}

/* Return how many bytes of code differ. Mappings and protections must not differ. */
static size_t bytes_changed(const struct picture *before, const struct picture *after)
{
    size_t changed = 0;

    assert_string_equal(before->maps, after->maps);
    assert_int_equal(before->size, after->size);
    for (size_t i = 0; i < before->size; i++)
        changed += before->code[i] != after->code[i];
    return changed;
}

size_t picture_changes(const struct picture *before, pid_t pid)
{
    struct picture after = picture_take(pid);
    size_t changed = bytes_changed(before, &after);

    picture_free(&after);
    return changed;
}
