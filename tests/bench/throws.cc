/*
 * throws.cc - for throws.sh: two threads throw and catch, none through a function of which hotpatch
 * knows. Prints ns for each, the fastest of many rounds.
 */
#include <chrono>
#include <cstdio>
#include <thread>

extern "C" long ask_weigh(long x);

/* As in tests/hosts/throws_kept.cc: a caller that relies on rcx. */
__asm__(".pushsection .text\n.p2align 4\n.globl weigh\n.type weigh, @function\nweigh:\n"
        "lea (%rdi,%rdi,2), %rax\nret\nnopl 8(%rax)\n.size weigh, . - weigh\n"
        ".globl ask_weigh\n.type ask_weigh, @function\nask_weigh:\n.cfi_startproc\nsub $8, %rsp\n"
        ".cfi_def_cfa_offset 16\nmov $11, %ecx\ncall weigh\ncmp $11, %rcx\nje 1f\nmov $-1, %rax\n"
        "1:\nadd $8, %rsp\n.cfi_def_cfa_offset 8\nret\n.cfi_endproc\n"
        ".size ask_weigh, . - ask_weigh\n.popsection\n");

__attribute__((noinline)) static void thrower(int n)
{
    throw n;
}

static double round_ns()
{
    const int count = 5000;
    auto begun = std::chrono::steady_clock::now();

    for (int i = 0; i < count; i++)
        try {
            thrower(i);
        } catch (int) {
        }
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begun)
               .count() / count;
}

int main()
{
    double best[2] = {1e9, 1e9};
    std::thread other[2];

    for (int i = 0; i < 2; i++)
        other[i] = std::thread([&best, i] {
            for (int k = 0; k < 40; k++) {
                double ns = round_ns();
                if (ns < best[i])
                    best[i] = ns;
            }
        });
    for (auto &thread : other)
        thread.join();
    printf("%.0f %ld\n", (best[0] + best[1]) / 2, ask_weigh(7));
}
