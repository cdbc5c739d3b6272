/*
 * throws_kept.cc - a test host without hotpatch declarations, with a function whose caller relies on rcx. Exceptions of
 * the replacement, and unwinders, pass a keeping stub. With libunwind (HOST_LIBUNWIND) or libgcc, shared or static.
 */
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <pthread.h>
#include <stdexcept>
#include <string>

#ifdef HOST_LIBUNWIND
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#else
#include <execinfo.h>
#endif

extern "C" {
long ask_weigh(long x);
void trace();
void throw_it(long x);
void jump_back();
}

#define FUNCTION(name, body)                                                                      \
    ".p2align 4\n.globl " #name "\n.type " #name ", @function\n" #name ":\n.cfi_startproc\n" body \
    "\n.cfi_endproc\n.size " #name ", . - " #name "\n"

/* weigh: 3 x. ask_weigh: -1 if rcx has changed. */
__asm__(".pushsection .text\n" FUNCTION(weigh, "lea (%rdi,%rdi,2), %rax\nret\nnopl 8(%rax)")
            FUNCTION(ask_weigh, "sub $8, %rsp\n.cfi_def_cfa_offset 16\nmov $11, %ecx\ncall weigh\n"
                                "cmp $11, %rcx\nje 1f\nmov $-1, %rax\n1:\n"
                                "add $8, %rsp\n.cfi_def_cfa_offset 8\nret\n") ".popsection\n");

static int destroyed;
static jmp_buf back;

struct guard {
    ~guard()
    {
        destroyed++;
    }
};

static void print_frame(void *pc)
{
    Dl_info info;

    if (dladdr(pc, &info) && info.dli_sname &&
        (!strcmp(info.dli_sname, "ask_weigh") || !strcmp(info.dli_sname, "main")))
        printf("%s ", info.dli_sname);
}

void trace()
{
#ifdef HOST_LIBUNWIND
    unw_context_t context;
    unw_cursor_t cursor;
    unw_word_t pc;

    unw_getcontext(&context);
    unw_init_local(&cursor, &context);
    while (unw_step(&cursor) > 0 && unw_get_reg(&cursor, UNW_REG_IP, &pc) == 0)
        print_frame((void *)pc);
#else
    void *frames[64];
    int count = backtrace(frames, 64);

    for (int i = 0; i < count; i++)
        print_frame(frames[i]);
#endif
}

void throw_it(long x)
{
    throw std::runtime_error("from " + std::to_string(x));
}

void jump_back()
{
    longjmp(back, 1);
}

static void *in_thread(void *argument)
{
    guard g;

    ask_weigh(*static_cast<long *>(argument));
    return nullptr;
}

static void ask(long x)
{
    pthread_t thread;

    destroyed = 0;
    if (x == 'x' || x == 'c') {
        pthread_create(&thread, nullptr, in_thread, &x);
        if (x == 'c')
            pthread_cancel(thread);
        pthread_join(thread, nullptr);
        printf("ended %d\n", destroyed);
        return;
    }
    if (setjmp(back)) {
        puts("jumped");
        return;
    }
    try {
        guard g;
        long got = ask_weigh(x);

        printf("%ld\n", got);
    } catch (const std::exception &e) {
        printf("caught %s, %d\n", e.what(), destroyed);
    }
}

int main()
{
    char line[256];

    setvbuf(stdout, nullptr, _IOLBF, 0);
    puts("ready");
    while (fgets(line, sizeof(line), stdin))
        ask(*line > '9' ? *line : atol(line));
    return 0;
}
