/*
 * entries_shapes.h - functions of hosts/entries.c in shapes that no compiler gives at will. Included
 * once.
 */
#ifndef ENTRIES_SHAPES_H
#define ENTRIES_SHAPES_H

/* A function of several short instructions at `at` modulo 2^`bits`. */
#define STRADDLES(name, bits, at)                       \
    int name(void);                                     \
    __asm__(".pushsection .text\n.p2align " #bits "\n"  \
            ".skip " #at ", 0xcc\n"                     \
            ".globl " #name "\n.hidden " #name "\n"     \
            ".type " #name ", @function\n" #name ":\n"  \
            "push %rbp\nmov %rsp, %rbp\n"               \
            "push %rbx\nmov $1, %ebx\n"                 \
            "mov %ebx, %eax\npop %rbx\npop %rbp\nret\n" \
            ".size " #name ", . - " #name "\n.popsection\n")

STRADDLES(straddles_word, 3, 5);
STRADDLES(straddles_line, 6, 61);
STRADDLES(straddles_page, 12, 4093);

#define FUNCTION(name, code)                                                             \
    ".globl " #name "\n.hidden " #name "\n.type " #name ", @function\n" #name ":\n" code \
    "\n.size " #name ", . - " #name "\n"
#define SHAPE(name, code) \
    int name(int);        \
    __asm__(".pushsection .text\n.p2align 4\n" FUNCTION(name, code) ".popsection\n")

/* Shorter than a jump, and behind them what the assembler fills up with. */
SHAPE(short_one, "ret");
SHAPE(short_four, "push $1\npop %rax\nret");
int too_short(int);
__asm__(".pushsection .text\n.p2align 4\n" FUNCTION(too_short, "ret")
            FUNCTION(right_behind, "mov $1, %eax\nret") ".popsection\n");
/* Both need padding, and there is room for one of them. */
int crowded_one(int);
int crowded_two(int);
__asm__(".pushsection .text\n.p2align 4\n" FUNCTION(
    thread_scan_above,
    ".rept 70\nxor %eax, %eax\n.endr\nret") ".skip 5, 0xcc\n" FUNCTION(crowded_one,
                                                                       "push $1\npop %rax\nret")
            FUNCTION(crowded_two, "push $1\npop %rax\nret")
                FUNCTION(thread_scan_below,
                         ".rept 70\nxor %eax, %eax\n.endr\nret") ".popsection\n");
/* One of two statics of one name; the other is in parts/entries_twin.c. */
__asm__(".pushsection .text\n.p2align 4\n.type uneven_twin, @function\n"
        "uneven_twin: ret\n.size uneven_twin, . - uneven_twin\n" FUNCTION(
            right_behind_twin, "mov $1, %eax\nret") ".popsection\n");
/* Callers of the second come in where the first one's jump would lie. */
SHAPE(overlapped, "nop\n" FUNCTION(second_entry, "mov $1, %eax\nret"));
/* A call whose return address would lie inside the jump; nobody calls it. */
SHAPE(call_inside, "push %rax\ncall *(%rsp)\npop %rax\nret");
/* One that ends with the jump's last byte: a thread returns behind it. */
SHAPE(calls_first, "call called_first\nret");
SHAPE(called_first, "mov $1, %eax\nret");
/* So many rounds, which begin among the jump's bytes. */
SHAPE(jumps_back, "mov %edi, %edi\n1: dec %edi\nnop\nmov $3, %eax\ntest %edi, %edi\njg 1b\n"
                  "lea -2(%rax), %eax\nret");
/* The same, and the first instruction has one byte: a trap would stay at the loop's head. */
SHAPE(jumps_back_early, "push %rbx\n1: dec %edi\nnop\nnop\nmov $3, %ebx\ntest %edi, %edi\n"
                        "jg 1b\nlea -2(%rbx), %eax\npop %rbx\nret");
/* As mempcpy goes on in memmove: one function enters another one behind its first instruction. */
SHAPE(jumped_into, "mov %edi, %eax\nmov $1, %eax\nret");
SHAPE(jumps_into, "mov $5, %eax\njmp jumped_into + 2");
/* The first instruction has one byte: a trap would stay where the other function comes in. */
SHAPE(jumped_into_early, "nop\nmov $1, %eax\nret");
SHAPE(jumps_into_early, "mov $5, %eax\njmp jumped_into_early + 1");
/* Shorter than a long jump, longer than a short one. */
SHAPE(short_three, "xor %eax, %eax\nret");
/* Reads relative to where it runs. */
SHAPE(reads_near, "mov near_value(%rip), %eax\nret\nnear_value: .long 1");
/* A short branch among the first bytes. */
SHAPE(branches, "test %edi, %edi\njs 1f\nmov $1, %eax\nret\n1: mov $7, %eax\nret");

#endif
