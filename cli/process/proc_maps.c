/* proc_maps.c - see proc_maps.h. */
#include "cli/process/proc_maps.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DELETED " (deleted)"

/* Cut off " (deleted)", which the kernel writes behind the path of a file without a name. */
static bool cut_deleted(char *path)
{
    size_t length = strlen(path);

    if (length <= strlen(DELETED) || strcmp(path + length - strlen(DELETED), DELETED) != 0)
        return false;
    path[length - strlen(DELETED)] = '\0';
    return true;
}

static bool parse_line(char *line, struct proc_map *map)
{
    unsigned major, minor;
    char protection[3];
    int path = 0;

    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %c%c%c%*c %" SCNx64 " %x:%x %" SCNu64 " %n",
               &map->begin, &map->end, &protection[0], &protection[1], &protection[2], &map->offset,
               &major, &minor, &map->inode, &path) < 9)
        return false;
    map->device = (uint64_t)major << 32 | minor;
    map->readable = protection[0] == 'r';
    map->writable = protection[1] == 'w';
    map->executable = protection[2] == 'x';
    map->path = path > 0 ? line + path : line + strlen(line);
    map->deleted = cut_deleted(map->path);
    return true;
}

bool proc_map_next(char **rest, struct proc_map *map)
{
    while (*rest && **rest) {
        char *line = *rest, *end = line + strcspn(line, "\n");

        *rest = *end ? end + 1 : end;
        *end = '\0';
        if (parse_line(line, map))
            return true;
    }
    return false;
}

bool proc_map_at(char *maps, uint64_t address, struct proc_map *map)
{
    while (proc_map_next(&maps, map))
        if (address >= map->begin && address < map->end)
            return true;
    return false;
}
