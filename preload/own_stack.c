/* own_stack.c - see own_stack.h. The stack takes no memory until its pages are written. */
#include "preload/own_stack.h"

#include <stdatomic.h>
#include <sys/types.h>

#include "base/stack_switch.h"
#include "base/state.h"
#include "base/sys.h"

enum { SIZE = 64 << 10 };

static char stack[SIZE] __attribute__((aligned(64)));
static _Atomic pid_t taken
    STATE; /* set by a thread of this process; it stays set in a child that another thread forks */

void own_stack_call(void (*function)(void *), void *argument)
{
    pid_t self = sys_getpid(), other = atomic_load(&taken);

    if (other == self || !atomic_compare_exchange_strong(&taken, &other, self)) {
        function(argument);
        return;
    }
    stack_switch_call(function, argument, stack + SIZE);
    atomic_store_explicit(&taken, 0, memory_order_release);
}
