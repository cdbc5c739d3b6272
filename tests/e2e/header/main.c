/* main.c - includes the header and declares nothing; the host may be a library beside it. */
#include <hotpatch.h>
#include <stdlib.h>

HOTPATCH_C_BEGIN
__attribute__((visibility("default"))) int host_main(int preloaded);
HOTPATCH_C_END

int main(int argc, char **argv)
{
    return host_main(argc > 1 ? atoi(argv[1]) : 0);
}
