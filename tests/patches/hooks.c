/* tells of every hook on standard error */
#include <hotpatch.h>

#include <string.h>
#include <unistd.h>

static void tell(const char *text)
{
    if (write(2, text, strlen(text)) < 0)
        _exit(9);
}

HOTPATCH_MODULE("hooks", "1");

HOTPATCH_REPLACE(int, answer, (void))
{
    return 2;
}

HOTPATCH_HOOK(before_apply)
{
    tell(context->change_count == 1 ? "hook before_apply 1\n" : "hook before_apply ?\n");
    return 0;
}

HOTPATCH_HOOK(after_apply)
{
    (void)context;
    tell("hook after_apply\n");
    return 0;
}

HOTPATCH_HOOK(before_revert)
{
    (void)context;
    tell("hook before_revert\n");
    return 0;
}

HOTPATCH_HOOK(after_revert)
{
    (void)context;
    tell("hook after_revert\n");
    return 0;
}
