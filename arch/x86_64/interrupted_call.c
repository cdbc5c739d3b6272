/*
 * interrupted_call.c - see base/interrupted_call.h.
 *
 * A call that is over has its result in rax, and the pc is after the instruction. If SA_RESTART applies, the kernel
 * has put the pc back to the instruction, and the number into rax. The instruction leaves the address after it in
 * rcx. The number of a call that is over is not recorded: it is read from the code before the instruction
 * (call_number.h).
 */
#include "base/interrupted_call.h"

#include <errno.h>
#include <ucontext.h>

#include "arch/x86_64/call_number.h"
#include "base/call_site.h"
#include "base/host_calls.h"
#include "base/sys.h"
#include "base/unwind.h"

enum { SYSCALL_BYTES = 2, PAGE = 4096 };

static greg_t *registers_of(const void *context)
{
    return ((ucontext_t *)(uintptr_t)context)->uc_mcontext.gregs;
}

/* Return whether the instruction sets rcx. FRED, the kernel entry of newer processors, does not change rcx. */
static bool instruction_sets_rcx(void)
{
    unsigned long rcx = 0;
    long result;

    __asm__ volatile("syscall" : "=a"(result), "+c"(rcx) : "0"(SYS_getpid) : "r11", "memory");
    return rcx != 0;
}

/* Return the mark in rcx that the doorbell's handler has ended the call with EINTR. A system call changes rcx. */
static greg_t mark_of_ended(greg_t pc)
{
    return ~pc;
}

bool interrupted_call_is_over(const void *context, uint64_t *instruction)
{
    const greg_t *registers = registers_of(context);
    uint64_t pc = (uint64_t)registers[REG_RIP];

    *instruction = pc - SYSCALL_BYTES;
    if (registers[REG_RCX] == mark_of_ended(registers[REG_RIP]))
        return false;
    if ((uint64_t)registers[REG_RCX] == pc)
        return call_site_is_syscall(*instruction);
    return !instruction_sets_rcx() && registers[REG_RAX] == -EINTR &&
           call_site_is_syscall(*instruction);
}

bool interrupted_call_is_again(const void *context, uint64_t *instruction)
{
    const greg_t *registers = registers_of(context);
    uint64_t pc = (uint64_t)registers[REG_RIP];

    *instruction = pc;
    return ((uint64_t)registers[REG_RCX] == pc + SYSCALL_BYTES || !instruction_sets_rcx()) &&
           call_site_is_syscall(pc);
}

long interrupted_call_result(const void *context)
{
    return (long)registers_of(context)[REG_RAX];
}

long interrupted_call_number(const void *context)
{
    return (long)registers_of(context)[REG_RAX];
}

long interrupted_call_number_before(const void *context, uint64_t instruction)
{
    uint64_t page = instruction & ~(uint64_t)(PAGE - 1), from = instruction - CALL_NUMBER_BYTES;
    uint8_t code[CALL_NUMBER_BYTES];

    if (instruction == (uintptr_t)by_number_here || instruction == (uintptr_t)sys_call_here)
        return *(const long *)(uintptr_t)(registers_of(context)[REG_RSP] - 8);
    if (!unwind_read(NULL, from, code, sizeof(code))) {
        from = page; /* the page before cannot be read */
        if (instruction - from > sizeof(code) || !unwind_read(NULL, from, code, instruction - from))
            return -1;
    }
    return call_number(code, instruction - from);
}

void interrupted_call_arguments(const void *context, long arguments[6])
{
    static const int order[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};

    for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
        arguments[i] = (long)registers_of(context)[order[i]];
}

void interrupted_call_set_result(void *context, uint64_t instruction, long result)
{
    greg_t *registers = registers_of(context);

    registers[REG_RIP] = (greg_t)(instruction + SYSCALL_BYTES);
    registers[REG_RCX] = result == -EINTR ? mark_of_ended(registers[REG_RIP]) : registers[REG_RIP];
    registers[REG_RAX] = (greg_t)result;
}

void interrupted_call_put_back(void *context, uint64_t instruction, long number)
{
    registers_of(context)[REG_RIP] = (greg_t)instruction;
    registers_of(context)[REG_RAX] = (greg_t)number;
}
