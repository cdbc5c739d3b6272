/*
 * relies.c - a test host whose functions write few registers. Their callers rely on that, as with gcc's -fipa-ra and
 * -fipa-stack-alignment. The code is in assembler, so that each compiler makes the same.
 *
 * A question is a function's name. The answer has the function's result, and the number of registers that its caller
 * relied on and that had changed.
 */
#include "loop.h"

#define FUNCTION(name, body)                                                                      \
    ".p2align 4\n.globl " #name "\n.type " #name ", @function\n" #name ":\n.cfi_startproc\n" body \
    "\n.cfi_endproc\n.size " #name ", . - " #name "\n"

/* Set registers, call, and compare. eax gets the number of changed registers, plus 1,000 times the result. */
#define SET(register, value) "mov $" #value ", %" #register "\n"
#define SEE(register, value) "cmp $" #value ", %" #register "\njne 1f\nsub $1, %r11d\n1:\n"
#define SET_XMM(n) "mov $1" #n ", %eax\nmovd %eax, %xmm" #n "\n"
#define SEE_XMM(n) "movd %xmm" #n ", %ecx\ncmp $1" #n ", %ecx\njne 1f\nsub $1, %r11d\n1:\n"
#define ENTER "sub $8, %rsp\n.cfi_def_cfa_offset 16\n"
#define LEAVE "add $8, %rsp\n.cfi_def_cfa_offset 8\nret\n"
#define ANSWER "imul $1000, %eax, %eax\nadd %r11d, %eax\n"

__asm__(".text\n"
        /* 3 x: rax alone. */
        FUNCTION(general, "lea (%rdi,%rdi,2), %rax\nret\nnopl 8(%rax)")
            FUNCTION(ask_general,
                     ENTER SET(ecx, 11) SET(edx, 12) SET(esi, 13) SET(r8d, 14) SET(r9d, 15)
                         SET(r10d, 16) "mov $7, %edi\ncall general\nmov $7, %r11d\n" SEE(ecx, 11)
                             SEE(edx, 12) SEE(esi, 13) SEE(r8d, 14) SEE(r9d, 15) SEE(r10d, 16)
                                 SEE(edi, 7) ANSWER LEAVE));
__asm__(
    ".text\n"
    /* The same over a tail jump, and two calls up. */
    FUNCTION(deep, "lea (%rdi,%rdi,2), %rax\nret\nnopl 8(%rax)") FUNCTION(
        hands_on, "lea (%rdi), %rdi\njmp deep") FUNCTION(passes_on, ENTER "call hands_on\n" LEAVE)
        FUNCTION(ask_deep,
                 ENTER SET(ecx, 11)
                     SET(r9d, 15) "mov $7, %edi\ncall passes_on\nmov $2, %r11d\n" SEE(ecx, 11)
                         SEE(r9d, 15) ANSWER LEAVE)
            FUNCTION(vectors, "lea (%rdi,%rdi,2), %rax\nret\nnopl 8(%rax)")
                FUNCTION(ask_vectors,
                         ENTER SET_XMM(0) SET_XMM(5)
                             SET_XMM(15) "mov $7, %edi\ncall vectors\nmov $3, %r11d\n" SEE_XMM(0)
                                 SEE_XMM(5) SEE_XMM(15) ANSWER LEAVE));
__asm__(".text\n"
        /* The caller's stack is not aligned. */
        FUNCTION(unaligned, "lea (%rdi,%rdi,2), %rax\nret\nnopl 8(%rax)")
            FUNCTION(ask_unaligned, "mov $7, %edi\ncall unaligned\nimul $1000, %eax, %eax\nret\n"));
__asm__(".text\n"
        /* Eight arguments. */
        FUNCTION(stacked, "mov 8(%rsp), %rax\nadd 16(%rsp), %rax\nadd %rdi, %rax\nret") FUNCTION(
            ask_stacked, ENTER
            "push $20\n.cfi_adjust_cfa_offset 8\n"
            "push $10\n.cfi_adjust_cfa_offset 8\n" SET(ecx, 11)
                SET(r9d,
                    15) "mov $7, %edi\ncall stacked\nadd $16, %rsp\n.cfi_adjust_cfa_offset -16\n"
                        "mov $2, %r11d\n" SEE(ecx, 11) SEE(r9d, 15) ANSWER LEAVE));
__asm__(".text\n"
        /* The function takes the address of its stack arguments. */
        FUNCTION(indexed, "lea 8(%rsp), %rax\nmov (%rax,%rdi,8), %rax\nret") FUNCTION(
            ask_indexed, ENTER
            "push $20\n.cfi_adjust_cfa_offset 8\n"
            "push $10\n.cfi_adjust_cfa_offset 8\n" SET(
                ecx, 11) "mov $1, %edi\ncall indexed\nadd $16, %rsp\n.cfi_adjust_cfa_offset -16\n"
                         "mov $1, %r11d\n" SEE(ecx, 11) ANSWER LEAVE));
__asm__(".text\n"
        /* Writes rax only on one path; its caller knows that this path is not taken. */
        FUNCTION(sometimes,
                 "test %edi, %edi\nje 1f\nlea (%rdi,%rdi,2), %rax\n1:\nret\nnopl 8(%rax)")
            FUNCTION(ask_sometimes, ENTER "mov $5, %eax\nxor %edi, %edi\ncall sometimes\n"
                                          "imul $1000, %eax, %eax\n" LEAVE));
__asm__(".text\n"
        /* Writes no register. */
        FUNCTION(nothing, "test %edi, %edi\nret\nnopl 8(%rax)\nnopl 8(%rax)")
            FUNCTION(ask_nothing, ENTER
                     "mov $5, %eax\nmov $7, %edi\n" SET(ecx, 11) "call nothing\n"
                                                                 "mov $1, %r11d\n" SEE(ecx, 11)
                                                                     ANSWER LEAVE));
__asm__(".text\n"
        /* The C library has a function of that name, which returns twice. */
        FUNCTION(savectx, "lea (%rdi,%rdi,2), %rax\nret\nnopl 8(%rax)")
            FUNCTION(ask_savectx,
                     ENTER SET(ecx, 11) "mov $7, %edi\ncall savectx\nmov $1, %r11d\n" SEE(ecx, 11)
                         ANSWER LEAVE));
__asm__(".text\n"
        /* The caller relies only on the ABI. */
        FUNCTION(ordinary, "lea (%rdi,%rdi,2), %rax\nret\nnopl 8(%rax)")
            FUNCTION(ask_ordinary,
                     ENTER "mov $7, %edi\ncall ordinary\nimul $1000, %eax, %eax\n" LEAVE));

int ask_general(void), ask_deep(void), ask_vectors(void), ask_unaligned(void), ask_stacked(void);
int ask_indexed(void), ask_sometimes(void), ask_nothing(void), ask_savectx(void);
int ask_ordinary(void);

static const struct {
    const char *name;
    int (*ask)(void);
} questions[] = {
    {"general", ask_general},     {"deep", ask_deep},       {"vectors", ask_vectors},
    {"unaligned", ask_unaligned}, {"stacked", ask_stacked}, {"indexed", ask_indexed},
    {"sometimes", ask_sometimes}, {"nothing", ask_nothing}, {"savectx", ask_savectx},
    {"ordinary", ask_ordinary},
};

static void command(const char *word, char *rest)
{
    (void)rest;
    if (strcmp(word, "answer") == 0 || strcmp(word, "pointer") == 0) {
        say("1");
        return;
    }
    if (strcmp(word, "greeting") == 0) {
        say("hello");
        return;
    }
    for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++)
        if (strcmp(questions[i].name, word) == 0) {
            int answer = questions[i].ask();

            say("%d, %d changed", answer / 1000, answer % 1000);
            return;
        }
    say("?");
}

int main(void)
{
    return loop();
}
