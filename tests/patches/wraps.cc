// wraps functions of C++ that throw; counts what passes, throws itself, and cleans up in between
#include <hotpatch.h>

#include <stdexcept>

HOTPATCH_MODULE("wraps", "1");

struct passing {
    int *way;
    ~passing()
    {
        ++*way;
    }
};

static int passed;

#define WRAP(name)                                          \
    HOTPATCH_REPLACE(int, name, (int n))                    \
    {                                                       \
        passing p = {&passed};                              \
        if (n == 77)                                        \
            throw std::logic_error("of the replacement");   \
        return 100 * (n < 10) + HOTPATCH_ORIGINAL(name)(n); \
    }

WRAP(bottom)
WRAP(call_first)
WRAP(in_frame)
WRAP(catches)
