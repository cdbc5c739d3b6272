/* unique.h - data that exists once in a process: shared by unique.cc, libunique.cc and the patch. */
#ifndef UNIQUE_H
#define UNIQUE_H

#include <locale>

/* a static member of a template */
template <class T> struct shared {
    static int value;
};
template <class T> int shared<T>::value = 5;

/* a facet with its own id: use_facet() finds it if both sides have the same id */
struct unit : std::locale::facet {
    static inline std::locale::id id;
    int size;

    explicit unit(int n) : size(n)
    {
    }
};

struct of_program;
struct of_library;

#endif
