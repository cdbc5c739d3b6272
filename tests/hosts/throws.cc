/*
 * throws.cc - a test host without hotpatch declarations: C++ exceptions, backtraces and threads that end, all through
 * functions that begin with a call or with a frame.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <execinfo.h>
#include <pthread.h>
#include <stdexcept>
#include <string>

#define OUT_OF_LINE __attribute__((noinline, noclone, noipa))

static int destroyed;

struct guard {
    ~guard()
    {
        destroyed++;
    }
};

/* Print the functions from here to main(); ? stands for a function without a name. */
static OUT_OF_LINE void trace()
{
    void *frames[64];
    int count = backtrace(frames, 64);
    char **names = backtrace_symbols(frames, count);

    for (int i = 1; names && i < count; i++) {
        const char *begin = strchr(names[i], '('), *end = begin ? strchr(begin, '+') : nullptr;
        std::string name = end && end > begin + 1 ? std::string(begin + 1, end) : "?";

        printf("%s ", name.c_str());
        if (name == "main")
            break;
    }
    free(names);
}

/* 0 to 9: return the number. "t": print a backtrace. "x": end the thread. Else throw. */
extern "C" OUT_OF_LINE int bottom(int n)
{
    if (n == 't')
        trace();
    if (n == 'x')
        pthread_exit(nullptr);
    if (n > 9 && n != 't')
        throw std::runtime_error("from " + std::to_string(n));
    return n;
}

extern "C" int call_first(int n);

/* Functions that begin with a call. There are two, so that the stack is aligned in bottom(). */
#define CALL_FIRST(name, next)                                                             \
    ".globl " #name "\n.type " #name ", @function\n" #name ":\n.cfi_startproc\ncall " next \
    "\nret\n"                                                                              \
    ".cfi_endproc\n.size " #name ", . - " #name "\n"
__asm__(".pushsection .text\n.p2align 4\n" CALL_FIRST(call_first, "call_next")
            CALL_FIRST(call_next, "bottom") ".popsection\n");

extern "C" OUT_OF_LINE int in_frame(int n)
{
    guard g;

    return bottom(n) + 0 * destroyed;
}

extern "C" OUT_OF_LINE int catches(int n)
{
    try {
        return bottom(n);
    } catch (const std::runtime_error &) {
        return -1;
    }
}

typedef int function(int);

static const struct {
    const char *name;
    function *call;
} functions[] = {{"call_first", call_first}, {"in_frame", in_frame}, {"catches", catches}};

static function *named(const char *name)
{
    for (const auto &f : functions)
        if (strcmp(f.name, name) == 0)
            return f.call;
    return bottom;
}

struct thread_call {
    function *call;
    int n;
};

static void *in_thread(void *argument)
{
    const thread_call *c = static_cast<thread_call *>(argument);
    guard g;

    c->call(c->n);
    return nullptr;
}

/* Answer "FUNCTION N" or "FUNCTION t" or "FUNCTION x". */
static void ask(char *line)
{
    char *rest = strchr(line, ' ');
    thread_call c;
    pthread_t thread;

    if (rest)
        *rest++ = '\0';
    c = {named(line), rest && *rest > '9' ? *rest : atoi(rest ? rest : "0")};
    destroyed = 0;
    if (c.n == 'x') {
        pthread_create(&thread, nullptr, in_thread, &c);
        pthread_join(thread, nullptr);
        printf("ended %d\n", destroyed);
        return;
    }
    try {
        int got = c.call(c.n);

        printf("%d\n", got == 't' ? 0 : got);
    } catch (const std::exception &e) {
        printf("caught %s, %d\n", e.what(), destroyed);
    }
}

extern "C" int main()
{
    char line[256];

    setvbuf(stdout, nullptr, _IOLBF, 0);
    puts("ready");
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        ask(line);
    }
    return 0;
}
