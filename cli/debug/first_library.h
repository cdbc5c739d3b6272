/*
 * first_library.h - a library of a program that must come first in LD_PRELOAD: AddressSanitizer's ends the
 * program otherwise (asan_linux.cpp).
 */
#ifndef HOTPATCH_FIRST_LIBRARY_H
#define HOTPATCH_FIRST_LIBRARY_H

/* Return its soname, which ld.so looks for as the program's own DT_NEEDED; malloc'd. NULL: the program does not
 * need it. */
char *first_library(const char *program);

#endif
