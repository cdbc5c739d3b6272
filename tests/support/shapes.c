/* shapes.c - see shapes.h. */
#include "tests/support/shapes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader/text/site_find.h"
#include "loader/text/site_place.h"
#include "tests/support/harness.h"

#include "base/clock.h"

/* A shape whose code begins `lead` bytes after a 64-byte boundary, so that the entry crosses the intended boundary. */
#define SHAPE_AT(name, place, prologue, epilogue)                                                \
    __asm__(".text\n" place "\n.globl code_" #name "\n.hidden code_" #name "\n.type code_" #name \
            ", @function\ncode_" #name ":\n" prologue                                            \
            "\n imul $10, %rdi, %rax\n add $1, %rax\n" epilogue "\n ret\n.globl end_" #name      \
            "\n.hidden end_" #name "\nend_" #name ":\n.size code_" #name ", .-code_" #name       \
            "\n.skip 16, 0xcc\n");                                                               \
    extern shape_function code_##name;                                                           \
    extern const char end_##name[];
#define SHAPE(name, lead, prologue, epilogue) \
    SHAPE_AT(name, ".balign 64\n.fill " #lead ", 1, 0xcc", prologue, epilogue)

SHAPE(push_mov, 0, "push %rbp\n mov %rsp, %rbp\n sub $16, %rsp", "leave")
SHAPE(pushes, 0, "push %r15\n push %r14\n push %r13\n push %r12\n push %rbp",
      "pop %rbp\n pop %r12\n pop %r13\n pop %r14\n pop %r15")
SHAPE(single_pushes, 0, "push %rbp\n push %rbx\n push %rax\n push %rcx\n push %rdx",
      "pop %rdx\n pop %rcx\n pop %rbx\n pop %rbx\n pop %rbp")
SHAPE(five_nops, 0, "nop\n nop\n nop\n nop\n nop", "")
SHAPE(one_nop, 0, ".byte 0x0f, 0x1f, 0x44, 0, 0", "")
SHAPE(nop_astray, 5, ".byte 0x0f, 0x1f, 0x44, 0, 0", "")
SHAPE(relative, 0, "push %rbx\n lea code_relative(%rip), %rbx", "pop %rbx")
SHAPE(branch, 0, "test %rdi, %rdi\n je 1f\n nop\n nop\n1:\n nop\n nop", "")
SHAPE(sub, 0, "sub $24, %rsp\n mov %rdi, %rdx", "add $24, %rsp")
SHAPE(endbr, 0, "endbr64\n push %rbp\n mov %rsp, %rbp\n nop\n nop", "pop %rbp")
__asm__(".text\ncallee: ret\n");
SHAPE(call_first, 0, "call callee", "")
SHAPE(word, 6, "push %rbp\n mov %rsp, %rbp\n sub $16, %rsp", "leave")
SHAPE(line, 62, "sub $24, %rsp\n mov %rdi, %rdx", "add $24, %rsp")
SHAPE(line_single, 61, "mov $7, %eax", "")
SHAPE_AT(page, ".balign 4096\n.skip 4093, 0xcc", "push %rbp\n mov %rsp, %rbp\n sub $16, %rsp",
         "leave")
/* A shape with padding before and after it: 16 bytes at BEFORE or BEHIND from the entry. */
enum { BEFORE = -32, BEHIND = 64 };
#define SHORT_SHAPE(name, prologue, epilogue)                        \
    SHAPE_AT(name, ".balign 64\n.skip 64, 0xcc", prologue, epilogue) \
    __asm__(".text\n.org code_" #name " + 64\n.skip 16, 0xcc\n");
SHORT_SHAPE(short_two, "mov %edi, %edx", "")
SHORT_SHAPE(short_three, "mov %rdi, %rdx", "")
SHORT_SHAPE(short_four, "sub $24, %rsp", "add $24, %rsp")
SHORT_SHAPE(short_five, "mov $7, %eax", "")
SHORT_SHAPE(short_nop, ".byte 0x0f, 0x1f, 0x44, 0, 0", "")
SHORT_SHAPE(short_endbr, "endbr64\n mov %rdi, %rdx", "")
SHORT_SHAPE(short_relative, "lea code_short_relative(%rip), %rdx", "")
SHORT_SHAPE(short_branch, "jmp 1f\n1:", "")
SHORT_SHAPE(short_call, "call callee", "")
/* Loops once for each byte of the argument, to a boundary after the first instruction. */
SHORT_SHAPE(short_loop, "mov %rdi, %rdx\n1: shr $8, %rdx\n test %rdx, %rdx\n jne 1b", "")
/* Three shapes that share the padding after the last shape. */
#define SHARING(name)                                                                             \
    ".globl code_" #name "\n.hidden code_" #name "\n.type code_" #name ", @function\ncode_" #name \
    ": mov %edi, %edx\n imul $10, %rdi, %rax\n add $1, %rax\n ret\n.globl end_" #name             \
    "\n.hidden end_" #name "\nend_" #name ":\n.size code_" #name ", .-code_" #name                \
    "\n.balign 16\n"
__asm__(".text\n.balign 64\n" SHARING(share_one) SHARING(share_two)
            SHARING(share_three) ".skip 16, 0xcc\n");
extern shape_function code_share_one, code_share_two, code_share_three;
extern const char end_share_one[], end_share_two[], end_share_three[];
__asm__(".text\n.skip 16384, 0xcc\n");
SHAPE(alone, 0, "push %rbp\n push %rbx\n push %rax\n push %rcx\n push %rdx",
      "pop %rdx\n pop %rcx\n pop %rbx\n pop %rbx\n pop %rbp")
__asm__(".text\n.skip 16384, 0xcc\n");
SHAPE(waits, 0, "push %rbx\n1: cmpb $0, (%rdi)\n je 1b\n pop %rbx\n xor %edi, %edi", "")
SHAPE(waits_spinnable, 0, "xor %eax, %eax\n1: cmp %al, (%rdi)\n je 1b\n xor %edi, %edi", "")
SHAPE(spins, 0, "push %rbp\n mov %rsp, %rbp\n nop\n1: cmpl $0, (%rdi)\n je 1b\n pop %rbp", "")

#define ROW(name, endbr)                            \
    {                                               \
#name, code_##name, end_##name, endbr, 0, 0 \
    }
#define PADDED(name, endbr, at)                              \
    {                                                        \
#name, code_##name, end_##name, endbr, at, (at) + 16 \
    }
const struct shape shapes[] = {ROW(push_mov, 0),
                               ROW(pushes, 0),
                               ROW(single_pushes, 0),
                               ROW(five_nops, 0),
                               ROW(one_nop, 0),
                               ROW(nop_astray, 0),
                               ROW(relative, 0),
                               ROW(branch, 0),
                               ROW(sub, 0),
                               ROW(endbr, 4),
                               ROW(call_first, 0),
                               ROW(word, 0),
                               ROW(line, 0),
                               ROW(line_single, 0),
                               ROW(page, 0),
                               PADDED(short_two, 0, BEFORE),
                               PADDED(short_three, 0, BEHIND),
                               PADDED(short_four, 0, BEFORE),
                               PADDED(short_five, 0, BEHIND),
                               PADDED(short_nop, 0, BEHIND),
                               PADDED(short_endbr, 4, BEHIND),
                               PADDED(short_relative, 0, BEFORE),
                               PADDED(short_branch, 0, BEHIND),
                               PADDED(short_call, 0, BEHIND),
                               PADDED(short_loop, 0, BEHIND),
                               PADDED(share_one, 0, 48),
                               PADDED(share_two, 0, 32),
                               PADDED(share_three, 0, 16)};
const size_t shapes_short = 15;
const size_t shapes_count = sizeof(shapes) / sizeof(*shapes);
const struct shape shape_alone = ROW(alone, 0);
const struct shape shape_waits = ROW(waits, 0);
const struct shape shape_waits_spinnable = ROW(waits_spinnable, 0);
const struct shape shape_spins = ROW(spins, 0);

long shape_replacement(long argument)
{
    return argument * 100;
}

const struct shape *shape_named(const char *name)
{
    for (size_t i = 0; i < shapes_count; i++)
        if (strcmp(shapes[i].name, name) == 0)
            return &shapes[i];
    fail_msg("no shape %s", name);
    return NULL;
}

size_t shape_size(const struct shape *shape)
{
    return (size_t)(shape->end - (const char *)(uintptr_t)shape->call);
}

uintptr_t shape_jump(const struct shape *shape)
{
    return (uintptr_t)shape->call + shape->endbr;
}

bool shape_falls_through(const struct shape *shape)
{
    return strcmp(shape->name, "short_call") != 0;
}

long shape_call(const struct shape *shape, long argument)
{
    shape_function *volatile function = shape->call;

    return function(argument);
}

uint64_t soon(void)
{
    return clock_ms() + 20000;
}

static struct site *shape_site_or_not(const struct shape *shape, struct site_problem *why)
{
    struct function_code code = {.size = shape_size(shape)};

    if (shape->pad_begin != shape->pad_end) {
        code.padding.count = 1;
        code.padding.gaps[0].begin = (int16_t)shape->pad_begin;
        code.padding.gaps[0].end = (int16_t)shape->pad_end;
    }

    return site_at((uintptr_t)shape->call, &code, why);
}

struct site *shape_site(const struct shape *shape)
{
    struct site_problem why = {0};
    struct site *site = shape_site_or_not(shape, &why);

    if (!site || site_prepare(site, &why) != 0)
        fail_msg("%s: %s", shape->name, why.text);
    return site;
}

void shape_arm(const struct shape *shape)
{
    struct site_problem why = {0};

    if (site_arm(shape_site(shape), soon(), &why) != 0)
        fail_msg("arm %s: %s", shape->name, why.text);
}

void shape_disarm(const struct shape *shape)
{
    struct site_problem why = {0};

    if (site_disarm(shape_site(shape), soon(), &why) != 0)
        fail_msg("disarm %s: %s", shape->name, why.text);
}

const char *shape_there_and_back(const struct shape *shape)
{
    static struct site_problem why;
    struct site *site = shape_site_or_not(shape, &why);

    if (!site || site_prepare(site, &why) != 0 || site_arm(site, soon(), &why) != 0)
        return why.text;
    if (shape_call(shape, 300) != 3001)
        return "wrong once armed";
    site_switch(site, (uintptr_t)shape_replacement, false);
    if (shape_call(shape, 300) != 30000)
        return "wrong once switched";
    site_switch(site, site_original(site), false);
    if (site_disarm(site, soon(), &why) != 0)
        return why.text;
    return shape_call(shape, 300) == 3001 ? NULL : "wrong once disarmed";
}

int shapes_there_and_back(void)
{
    int wrong = 0;

    for (size_t i = 0; i < shapes_count; i++) {
        const char *what = shape_there_and_back(&shapes[i]);

        if (what)
            fprintf(stderr, "%s: %s\n", shapes[i].name, what);
        wrong += what != NULL;
    }
    return wrong;
}

static bool take(uintptr_t begin, uintptr_t end)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
    void *at = mmap((void *)begin, end - begin, PROT_NONE, flags, -1, 0);

    if (at == MAP_FAILED && errno != EEXIST)
        fail_msg("the place of a stub: %s", strerror(errno));
    return at != MAP_FAILED;
}

/* Map all free pages of the window. Mapped pages are no free places, either. */
static void take_all(const struct arch_window *window)
{
    uintptr_t begin = window->low & ~UINT64_C(4095), end = (window->high + 4096) & ~UINT64_C(4095);

    if (window->low > window->high || take(begin, end))
        return;
    for (; begin < end; begin += 4096)
        take(begin, begin + 4096);
}

void shape_take_places(const struct shape *shape, unsigned choices)
{
    struct arch_prologue prologue;
    struct arch_window window;

    assert_int_equal(arch_prologue_read((const uint8_t *)(uintptr_t)shape->call, shape_size(shape),
                                        (uintptr_t)shape->call, &prologue),
                     ARCH_OK);
    do {
        arch_stub_window(&prologue, &window);
        take_all(&window);
    } while (--choices > 0 && arch_stub_other(&prologue));
}

void shape_take_hold_places(const struct shape *shape)
{
    struct arch_prologue prologue;
    struct arch_window window;

    assert_int_equal(arch_prologue_read((const uint8_t *)(uintptr_t)shape->call, shape_size(shape),
                                        (uintptr_t)shape->call, &prologue),
                     ARCH_OK);
    assert_true(arch_hold_first(&prologue));
    do {
        arch_stub_window(&prologue, &window);
        take_all(&window);
    } while (arch_stub_other(&prologue));
}

int in_child(int (*body)(const void *), const void *argument)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        _exit(body(argument));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}
