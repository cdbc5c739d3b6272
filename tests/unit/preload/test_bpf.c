/* test_bpf.c - seccomp filters are evaluated as the kernel evaluates them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "preload/bpf.h"

static void a_filter_answers_as_the_kernel_would(void **state)
{
    static const struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x10, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_LD | BPF_IMM, SECCOMP_RET_ERRNO),
        BPF_STMT(BPF_ST, 3),
        BPF_STMT(BPF_LDX | BPF_MEM, 3),
        BPF_STMT(BPF_LD | BPF_IMM, 7),
        BPF_STMT(BPF_ALU | BPF_OR | BPF_X, 0),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    const unsigned count = sizeof(code) / sizeof(*code);

    (void)state;
    assert_int_equal(bpf_run(code, count, &(struct bpf_call){SYS_prctl, 1, {0x110}}),
                     SECCOMP_RET_TRAP);
    assert_int_equal(bpf_run(code, count, &(struct bpf_call){SYS_prctl, 1, {0x10f}}),
                     SECCOMP_RET_ALLOW);
    assert_int_equal(bpf_run(code, count, &(struct bpf_call){SYS_prctl, 0, {0}}), SECCOMP_RET_TRAP);
    assert_int_equal(bpf_run(code, count, &(struct bpf_call){SYS_read, 0, {0}}),
                     SECCOMP_RET_ERRNO | 7);
    assert_int_equal(bpf_run(code, 3, &(struct bpf_call){SYS_prctl, 1, {0}}), BPF_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filter_answers_as_the_kernel_would),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
