/* a replacement that calls what it replaces by its own name, by its address, and below itself */
#include <hotpatch.h>

HOTPATCH_MODULE("entry-self", "1");

int exported_answer(void);

HOTPATCH_REPLACE_AS(int, wrapped, (void), "exported_answer")
{
    int (*volatile by_address)(void) = exported_answer;

    return 100 + exported_answer() + by_address() + HOTPATCH_ORIGINAL(wrapped)();
}
