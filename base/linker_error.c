/* linker_error.c - see linker_error.h. */
#include "base/linker_error.h"

#include <dlfcn.h>
#include <locale.h>

/* dlerror(3) translates into the calling thread's locale. newlocale(3) of the whole "C" locale allocates
 * nothing, and uselocale(3) changes the calling thread alone. */
const char *linker_error(void)
{
    locale_t before = uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0));
    const char *text = dlerror();

    uselocale(before);
    return text;
}
