/* replaces second; tells on standard error of its hooks, and adds an entry from one */
#include <hotpatch.h>

#include <string.h>
#include <unistd.h>

HOTPATCH_MODULE("hook-agrees", "1");

static int one_more(void)
{
    return 3;
}

static void tell(const char *text)
{
    if (write(2, text, strlen(text)) < 0)
        _exit(9);
}

HOTPATCH_REPLACE(int, second, (void))
{
    return 20;
}

HOTPATCH_HOOK(before_apply)
{
    tell("hook before_apply\n");
    return hotpatch_context_replace(context, "exported_answer", "int (void)",
                                    (hotpatch_function)one_more);
}

HOTPATCH_HOOK(after_apply)
{
    (void)context;
    tell("hook after_apply\n");
    return 0;
}
