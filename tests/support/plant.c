/* plant.c - see plant.h. */
#include "tests/support/plant.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

uintptr_t plant_address(struct host *host, const char *function)
{
    return strtoull(host_ask(host, "address %s", function), NULL, 16);
}

static int open_memory(struct host *host, int flags)
{
    char name[64];
    int memory;

    snprintf(name, sizeof(name), "/proc/%d/mem", (int)host->pid);
    memory = open(name, flags | O_CLOEXEC);
    assert_true(memory >= 0);
    return memory;
}

void plant_read(struct host *host, uintptr_t at, void *to, size_t size)
{
    int memory = open_memory(host, O_RDONLY);

    assert_int_equal(pread(memory, to, size, (off_t)at), size);
    close(memory);
}

void plant(struct host *host, uintptr_t at, const void *bytes, size_t size)
{
    int memory = open_memory(host, O_WRONLY);

    assert_int_equal(pwrite(memory, bytes, size, (off_t)at), size);
    close(memory);
}

void plant_byte(struct host *host, uintptr_t at, unsigned char byte)
{
    plant(host, at, &byte, 1);
}
