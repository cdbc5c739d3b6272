/*
 * function_rows.h - one function of a list of slots as JSON, of a file or of a process.
 */
#ifndef HOTPATCH_FUNCTION_ROWS_H
#define HOTPATCH_FUNCTION_ROWS_H

#include "cli/debug/file_functions.h"

struct json_object;

struct function_row {
    const struct function *function;
    const char *name;
    const struct function_code *code;
    const char *object;
    const char *object_path; /* of a process; NULL: of a file that does not run */
    const char *
        import_only; /* begins the reason where no entry can be had, but calls through imports switch; or NULL */
};

/* Return the row. The members have the order in which a process lists its own functions
 * (loader/slots/function_list.c). */
struct json_object *function_row_new(struct file_functions *functions,
                                     const struct function_row *row);

#endif
