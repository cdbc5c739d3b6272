/* threads.h - how many threads a test host has, counted as the entries of /proc/self/task. */
#include <dirent.h>

static int threads(void)
{
    DIR *directory = opendir("/proc/self/task");
    int count = 0;

    for (struct dirent *entry; directory && (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    if (directory)
        closedir(directory);
    return count;
}
