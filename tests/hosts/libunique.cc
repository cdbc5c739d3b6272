/* libunique.cc - a library that a host opens with RTLD_LOCAL, with data that exists once in a process. */
#include "unique.h"

extern "C" int get()
{
    return shared<of_library>::value;
}
