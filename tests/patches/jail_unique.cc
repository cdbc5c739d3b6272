// of a function that only the program's symbols name; has data that g++ marks STB_GNU_UNIQUE
#include <hotpatch.h>

HOTPATCH_MODULE("jail-unique", "1");

inline int answer_step = 4;

HOTPATCH_REPLACE(int, answer, (int x))
{
    return x + answer_step;
}
