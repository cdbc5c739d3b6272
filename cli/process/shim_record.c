/* shim_record.c - see shim_record.h. */
#include "cli/process/shim_record.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output/output.h"

#define SEGMENT_MAX (1ul << 20) /* of a writable mapping, also with a sanitizer */
#define RECORD_ALIGNMENT 4

int shim_memory_open(const struct process *process, int access)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/mem", process->view);
    return open(path, access | O_CLOEXEC);
}

static uint64_t find_between(int memory, uint64_t begin, uint64_t end, const char *magic)
{
    size_t size = end - begin < SEGMENT_MAX ? end - begin : SEGMENT_MAX;
    char *bytes = allocate(size);
    ssize_t got = pread(memory, bytes, size, (off_t)begin);
    uint64_t found = 0;

    for (ssize_t at = 0; !found && at + SHIM_MAGIC_SIZE <= got; at += RECORD_ALIGNMENT)
        if (memcmp(bytes + at, magic, SHIM_MAGIC_SIZE) == 0)
            found = begin + (uint64_t)at;
    free(bytes);
    return found;
}

uint64_t shim_record_find(const struct process *process, int memory, const char *magic)
{
    char *maps = process->shim ? process_file(process->view, 0, "maps", NULL) : NULL;
    char *line, *rest = NULL;
    uint64_t found = 0;

    for (line = maps ? strtok_r(maps, "\n", &rest) : NULL; line && !found;
         line = strtok_r(NULL, "\n", &rest)) {
        unsigned long begin, end;

        if (strstr(line, " rw") && strstr(line, process->shim) &&
            sscanf(line, "%lx-%lx", &begin, &end) == 2)
            found = find_between(memory, begin, end, magic);
    }
    free(maps);
    return found;
}
