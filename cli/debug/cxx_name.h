/* cxx_name.h - compares a mangled symbol with a C++ name as a person types it. Mangled names are those of the
 * Itanium C++ ABI. The C++ library's own __cxa_demangle reads them; it is loaded when the first name has to be
 * read, since few commands need it. */
#ifndef HOTPATCH_CXX_NAME_H
#define HOTPATCH_CXX_NAME_H

#include <stdbool.h>

/* The closer the match, the greater the value. */
enum cxx_match {
    CXX_OTHER,
    CXX_OVERLOAD,           /* that name with other parameters than those typed */
    CXX_WITHOUT_PARAMETERS, /* none were typed */
    CXX_WITHOUT_QUALIFIERS, /* all but a const, & or [abi:..] behind the parameters */
    CXX_SAME
};

struct cxx_wish {
    char *name;       /* as typed without parameters, blanks that mean nothing left out */
    char *parameters; /* "(int,char const*)" and what follows; "" where none were typed */
    char *word;       /* every mangled name of it holds this; "" where that cannot be said */
};

void cxx_wish_make(struct cxx_wish *wish, const char *typed);
void cxx_wish_free(struct cxx_wish *wish);

/* Compare. `*demangled` is malloc'd where the result is not CXX_OTHER. */
enum cxx_match cxx_compare(const struct cxx_wish *wish, const char *mangled, char **demangled);
/* Return the C++ name of a symbol, malloc'd; NULL: it is no C++ name. */
char *cxx_demangled(const char *symbol);

#endif
