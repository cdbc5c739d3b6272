// replaces answer; has data of every kind that g++ marks STB_GNU_UNIQUE. NAME, LIMIT, FACTOR: see test_unique.c
#include <hotpatch.h>

#include <sstream>

#include "unique.h"

HOTPATCH_MODULE(NAME, "1");

static int start()
{
    return LIMIT;
}

/* constant, and with a guard */
inline int &limit()
{
    static int value = LIMIT;
    return value;
}

inline int &guarded()
{
    static int value = start();
    return value;
}

template <class T> struct rule {
    static int factor;
};
template <class T> int rule<T>::factor = FACTOR;

inline int plain = FACTOR;

/* 0: own data; 1: the program's; 2: the library's; 3: iostreams and the program's locale */
HOTPATCH_REPLACE_AS(int, answer_of_patch, (int which), "answer")
{
    if (which == 0)
        return limit() * 1000 + guarded() * 100 + rule<int>::factor * 10 + plain;
    if (which == 1)
        return ++shared<of_program>::value;
    if (which == 2)
        return ++shared<of_library>::value;
    std::ostringstream text;
    text << std::use_facet<unit>(std::locale()).size << std::flush;
    return std::stoi(text.str());
}
