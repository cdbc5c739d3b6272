/* wraps functions of many shapes: the moved prologue must do what the entry did */
#include <hotpatch.h>

HOTPATCH_MODULE("entry-shapes", "1");

#define WRAP(name)                            \
    HOTPATCH_REPLACE(int, name, (void))       \
    {                                         \
        return 4 + HOTPATCH_ORIGINAL(name)(); \
    }

WRAP(straddles_word)
WRAP(straddles_line)
WRAP(straddles_page)
WRAP(reads_near)
WRAP(padded)
WRAP(calls_first)
WRAP(short_four)

HOTPATCH_REPLACE(int, branches, (int sign))
{
    int original = HOTPATCH_ORIGINAL(branches)(sign < 0 ? 0 : sign);
    int other = HOTPATCH_ORIGINAL(branches)(-1);

    return original == 1 && other == 7 ? 5 : 0;
}
