/*
 * compared_library.c - see compared.c: a shared library, with thread-locals of the dynamic models.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

__thread int library_tls = 1;
static __thread int static_tls[8];
static __thread int static_tls_too;
__attribute__((visibility("hidden"))) __thread int hidden_tls;
int library_global = 3;
static int library_static = 4;
__attribute__((visibility("hidden"))) int library_hidden = 5;
static const char *const names[] = {"aa", "bb", "cc"};

const char *library_name(int i)
{
    return names[i % 3];
}

__attribute__((noinline)) int library_function(int x)
{
    library_tls += x;
    static_tls[x & 7]++;
    static_tls_too += 2;
    hidden_tls++;
    return library_tls + static_tls[1] + static_tls_too + errno + library_global +
           library_static++ + library_hidden;
}

static __attribute__((noinline)) int static_function(int x)
{
    return library_function(x) + (int)strtol("5", NULL, 10);
}

int (*library_pointer)(int) = library_function;
int (*static_pointer)(int) = static_function;

int library_switch(int v)
{
    switch (v) {
    case 0:
        return puts("zero");
    case 1:
        return puts("one one");
    case 2:
        return library_function(2);
    case 3:
        abort();
    case 4:
        return errno;
    case 5:
        return static_function(5);
    case 6:
        return printf("%d\n", v);
    case 7:
        return 77;
    default:
        return v * 3 + static_function(v);
    }
}
