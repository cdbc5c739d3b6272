/*
 * test_site_libc.c - every function of libc with an armed entry, in a process that goes on to use it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "elf/functions_read.h"
#include "elf/image_parts.h"
#include "elf/object_callers.h"
#include "loader/text/site.h"
#include "loader/text/site_find.h"
#include "loader/text/site_place.h"
#include "resolve/function_code.h"
#include "tests/support/harness.h"
#include "tests/support/objects.h"
#include "tests/support/shapes.h"

struct all_armed {
    struct opened libc;
    struct functions *functions;
    struct object_callers *callers;
    struct code_view view;
    uint64_t before;
    size_t armed, listed;
};

static void restore(void *context, uint64_t address, uint8_t *copy, size_t size)
{
    const struct all_armed *all = context;

    sites_restore(all->libc.image->bias + address, copy, size);
}

static void open_libc(struct all_armed *all)
{
    struct elf_error fault = {ELF_OK, ""};
    Dl_info info;
    int file;

    assert_int_not_equal(dladdr((void *)(uintptr_t)getppid, &info), 0);
    all->libc = object_open_mapped(info.dli_fname);
    file = open(info.dli_fname, O_RDONLY | O_CLOEXEC);
    if (functions_of_mapped(&all->functions, all->libc.image, file, &fault) != 0)
        fail_msg("%s", fault.text);
    close(file);
    if (object_callers_open(&all->callers, all->libc.image, all->functions, restore, all, &fault))
        fail_msg("%s", fault.text);
    all->view = (struct code_view){all->functions, all->libc.image,
                                   object_callers_arch(all->callers), sites_restore};
}

/* The word goes on to hold the moved prologue. */
static int arm(const struct function *function, void *context)
{
    struct all_armed *all = context;
    struct site_problem why = {0};
    struct function_code code;
    struct site *site;

    if (function->address == all->before || function->ifunc)
        return 0;
    all->before = function->address;
    all->listed++;
    function_code_read(&all->view, function, &code);
    if (code.problem)
        return 0;
    site = site_at(all->libc.image->bias + function->address, &code, &why);
    if (site && site_prepare(site, &why) == 0 && site_arm(site, soon(), &why) == 0)
        all->armed++;
    else
        fprintf(stderr, "libc+0x%llx: %s\n", (unsigned long long)function->address, why.text);
    return 0;
}

static volatile sig_atomic_t handled;

static void on_usr1(int number)
{
    (void)number;
    handled++;
}

static int handles_signals(const void *argument)
{
    struct all_armed *all = (struct all_armed *)(uintptr_t)argument;

    signal(SIGUSR1, on_usr1);
    functions_each(all->functions, arm, all);
    fprintf(stderr, "%zu of %zu armed\n", all->armed, all->listed);
    for (int i = 0; i < 10; i++)
        raise(SIGUSR1);
    return handled == 10 && all->armed > all->listed / 10 * 9 ? 0 : 1;
}

static void a_handled_signal_comes_back_with_all_of_libc_armed(void **state)
{
    struct all_armed all = {.before = 0};

    (void)state;
    if (sanitized())
        skip();
    open_libc(&all);
    assert_int_equal(in_child(handles_signals, &all), 0);
    object_callers_close(all.callers);
    functions_close(all.functions);
    object_close(&all.libc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handled_signal_comes_back_with_all_of_libc_armed),
    };

    return cmocka_run_group_tests_name("site_libc", tests, NULL, NULL);
}
