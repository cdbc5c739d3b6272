/* site_problem.c - see site_problem.h. */
#include "loader/text/site_problem.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/refusal.h"
#include "base/sys.h"

int site_refuse(struct site_problem *why, int code, const char *format, ...)
{
    va_list arguments;

    why->code = code;
    why->arch = ARCH_OK;
    va_start(arguments, format);
    vsnprintf(why->text, sizeof(why->text), format, arguments);
    va_end(arguments);
    return -1;
}

int site_refuse_arch(struct site_problem *why, enum arch_problem problem)
{
    site_refuse(why, HP_NOT_PATCHABLE, "%s", arch_problem_text(problem));
    why->arch = problem;
    return -1;
}

int site_refuse_place(struct site_problem *why, int error)
{
    if (error == 0)
        return site_refuse_arch(why, ARCH_OUT_OF_REACH);
    return site_refuse(why, HP_MEMORY, "map a page near the function: %s", sys_error(error));
}
