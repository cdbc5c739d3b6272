/* proc_files.c - see proc_files.h. */
#include "cli/process/proc_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/proc_text.h"
#include "cli/output/output.h"

char *read_small_file(const char *path, size_t *length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t size = 0, capacity = 4096;
    char *text;
    ssize_t n;

    if (fd < 0)
        return NULL;
    text = allocate(capacity);
    while ((n = read(fd, text + size, capacity - size - 1)) > 0) {
        size += (size_t)n;
        if (size + 1 == capacity)
            text = reallocate(text, capacity *= 2);
    }
    if (n < 0) {
        int saved = errno;

        free(text);
        close(fd);
        errno = saved;
        return NULL;
    }
    close(fd);
    text[size] = 0;
    if (length)
        *length = size;
    return text;
}

char *process_file(pid_t pid, pid_t tid, const char *name, size_t *length)
{
    char path[96];

    if (tid)
        snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, name);
    else
        snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    return read_small_file(path, length);
}

int process_file_open(pid_t pid, const char *name, int flags)
{
    char path[96];

    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    return open(path, flags | O_CLOEXEC);
}

bool process_mask(pid_t pid, pid_t tid, const char *label, uint64_t *mask)
{
    char *status = process_file(pid, tid, "status", NULL);
    const char *value = status ? proc_field(status, label) : "";
    bool found = *value != '\0';

    if (found)
        *mask = proc_number(value, 16);
    free(status);
    return found;
}

long process_status_number(pid_t pid, pid_t tid, const char *label)
{
    char *status = process_file(pid, tid, "status", NULL);
    const char *value = status ? proc_field(status, label) : "";
    long number = *value ? (long)proc_number(value, 10) : -1;

    free(status);
    return number;
}

bool process_call(pid_t pid, pid_t tid, struct process_call *call)
{
    char *text = process_file(pid, tid, "syscall", NULL);
    bool readable = text != NULL;

    *call = (struct process_call){.number = -1};
    if (text && sscanf(text, "%ld %*x %*x %*x %llx", &call->number, &call->fourth) < 1)
        call->number = -1; /* "running" */
    free(text);
    return readable;
}
