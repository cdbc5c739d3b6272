/* libunique.cc - a library that a host opens for itself alone, with data of which a process has one. */
#include "unique.h"

extern "C" int get()
{
    return shared<of_library>::value;
}
