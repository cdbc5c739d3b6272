// throws, calls what throws, jumps, traces and ends its thread, behind a keeping stub
#include <hotpatch.h>

#include <pthread.h>
#include <stdexcept>
#include <unistd.h>

HOTPATCH_MODULE("throws-kept", "1");

extern "C" {
void trace();
void throw_it(long x);
void jump_back();
}

HOTPATCH_REPLACE(long, weigh, (long x))
{
    long got = HOTPATCH_ORIGINAL(weigh)(x);

    if (x == 't')
        trace();
    if (x == 'x')
        pthread_exit(nullptr);
    if (x == 'c')
        pause();
    if (x == 'j')
        jump_back();
    if (x == 77)
        throw std::logic_error("of the replacement");
    if (x > 9 && x < 77)
        throw_it(x);
    __asm__ volatile("mov $-1, %%rcx" ::: "rcx");
    return got + 1;
}
