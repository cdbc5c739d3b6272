/* relocated_functions.h - the functions of relocated_functions.S, and the registers that each function needs. */
#ifndef MOVED_FUNCTIONS_H
#define MOVED_FUNCTIONS_H

#define MOVED_PAGE 4096

#define MOVED_FUNCTIONS(X) \
    X(load, 0)             \
    X(compare, 0)          \
    X(address, 0)          \
    X(store, 0)            \
    X(branch, 0)           \
    X(count, 0)            \
    X(loop, 0)             \
    X(call, 0)             \
    X(call_first, 0)       \
    X(tail, 0)             \
    X(frame, 0)            \
    X(cet, 0)              \
    X(constant, 0)         \
    X(sse, 0)              \
    X(avx, REGISTERS_YMM)  \
    X(avx512, REGISTERS_ZMM)

#endif
