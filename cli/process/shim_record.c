/* shim_record.c - see shim_record.h. */
#include "cli/process/shim_record.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output/output.h"
#include "cli/process/proc_maps.h"

#define SEGMENT_MAX (1ul << 20) /* of a writable mapping, also with a sanitizer */
#define RECORD_ALIGNMENT 4

int shim_memory_open(const struct process *process, int access)
{
    return process_file_open(process->view, "mem", access);
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
    char *rest = maps;
    struct proc_map map;
    uint64_t found = 0;

    while (!found && proc_map_next(&rest, &map))
        if (map.readable && map.writable && strcmp(map.path, process->shim) == 0)
            found = find_between(memory, map.begin, map.end, magic);
    free(maps);
    return found;
}
