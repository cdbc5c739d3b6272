/* test_call_number.c - the number of a system call is read from the code that loads it, or not at all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/harness.h"

#include "arch/x86_64/call_number.h"

struct code {
    const char *name, *bytes;
    size_t size;
    long number;
};

#define CODE(name, bytes, number)              \
    {                                          \
        name, bytes, sizeof(bytes) - 1, number \
    }

static const struct code CODES[] = {
    CODE("mov $7, %eax", "\xb8\x07\0\0\0", 7),
    CODE("xor %eax, %eax", "\x31\xc0", 0),
    CODE("mov $35, %rax", "\x48\xc7\xc0\x23\0\0\0", 35),
    CODE("a move between", "\xb8\xe8\0\0\0\x44\x89\xc6", 232),
    CODE("a load between (pselect of libc)", "\xb8\x0e\x01\0\0\x8b\x7c\x24\x1c", 270),
    CODE("r8 is no number (ppoll of libc)", "\xb8\x0f\x01\0\0\x41\xb8\x08\0\0\0", 271),
    CODE("r8 alone", "\x41\xb8\x08\0\0\0", -1),
    CODE("xor %r8d, %r8d between", "\xb8\x2d\0\0\0\x45\x31\xc0\x45\x31\xc9", 45),
    CODE("xor %eax, %eax after a load", "\xb8\x07\0\0\0\x31\xc0", 0),
    CODE("eax written after the load", "\xb8\x07\0\0\0\x89\xd8", -1),
    CODE("mov (%rsp), %rax after the load", "\xb8\x07\0\0\0\x48\x8b\x04\x24", -1),
    CODE("add $1, %eax after the load", "\xb8\x07\0\0\0\x83\xc0\x01", -1),
    CODE("a store between", "\xb8\x01\0\0\0\x48\x89\x84\x24\x80\0\0\0", 1),
    CODE("by the pc between", "\xb8\x01\0\0\0\x48\x8d\x3d\0\x10\0\0", 1),
    CODE("a call between", "\xb8\x07\0\0\0\xe8\0\0\0\0", -1),
    CODE("a jump between", "\xb8\x07\0\0\0\x74\x00", -1),
    CODE("mov %edi, %eax", "\x89\xf8", -1),
    CODE("too large", "\xb8\0\x10\0\0", -1),
    CODE("nothing", "", -1),
};

static void each_form_of_the_load_is_read_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(CODES) / sizeof(*CODES); i++) {
        long number = call_number((const uint8_t *)CODES[i].bytes, CODES[i].size);

        if (number != CODES[i].number)
            fail_msg("%s: %ld", CODES[i].name, number);
    }
}

/* What objdump shows: each instruction `syscall` of libc after `mov $NUMBER,%eax` at once, or after moves. */
static size_t read_libc(char *path, size_t size, uint8_t *text, size_t room)
{
    FILE *find = popen("ldd /bin/sh | sed -n 's/.*=> \\(.*libc[.]so[^ ]*\\).*/\\1/p'", "r"),
         *library;
    size_t loaded;

    assert_non_null(fgets(path, (int)size, find));
    pclose(find);
    path[strcspn(path, "\n")] = '\0';
    library = fopen(path, "r");
    assert_non_null(library);
    loaded = fread(text, 1, room, library);
    fclose(library);
    return loaded;
}

static void no_call_of_libc_is_read_wrong(void **state)
{
    static uint8_t text[4 << 20];
    char line[256], path[256] = "", command[320];
    size_t loaded = read_libc(path, sizeof(path), text, sizeof(text));
    int right = 0;
    long last = -1;
    FILE *listing;

    (void)state;
    need_program("objdump");
    snprintf(command, sizeof(command), "objdump -d --no-show-raw-insn %s", path);
    listing = popen(command, "r");
    while (fgets(line, sizeof(line), listing)) {
        unsigned long at =
            strtoul(line, NULL, 16); /* in the file too: text is mapped at its offset */
        const char *code = strchr(line, '\t');
        long number;

        if (!code)
            continue;
        if (strncmp(code + 1, "mov", 3) == 0 &&
            (strstr(code, ",%eax\n") || strstr(code, ",%rax\n")) && strchr(code, '$'))
            last = strtol(strchr(code, '$') + 1, NULL, 0);
        if (strncmp(code + 1, "xor    %eax,%eax", 16) == 0)
            last = 0;
        if (strncmp(code + 1, "syscall", 7) != 0 || at >= loaded || at < CALL_NUMBER_BYTES)
            continue;
        number = call_number(text + at - CALL_NUMBER_BYTES, CALL_NUMBER_BYTES);
        if (number >= 0 && number != last)
            fail_msg("%lx: %ld, not %ld", at, number, last);
        right += number >= 0;
    }
    pclose(listing);
    assert_true(right > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_of_the_load_is_read_or_refused),
        cmocka_unit_test(no_call_of_libc_is_read_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
