/* thin_kept.c - see thin_kept.h. */
#include "loader/module/thin_kept.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct kept_variable {
    struct kept_variable *next;
    char *build_id, *key;
    uint64_t at;
};

static struct kept_variable *kept_variables;

bool thin_kept_find(const char *build_id, const char *key, uint64_t *at)
{
    for (const struct kept_variable *v = kept_variables; v; v = v->next)
        if (strcmp(v->key, key) == 0 && strcmp(v->build_id, build_id) == 0) {
            *at = v->at;
            return true;
        }
    return false;
}

int thin_kept_add(const char *build_id, const char *key, uint64_t at)
{
    struct kept_variable *variable;
    uint64_t before;

    if (thin_kept_find(build_id, key, &before))
        return 0;
    variable = malloc(sizeof(*variable));
    if (!variable)
        return -1;
    *variable = (struct kept_variable){kept_variables, text_copy(build_id), text_copy(key), at};
    if (variable->build_id && variable->key) {
        kept_variables = variable;
        return 0;
    }
    free(variable->build_id);
    free(variable->key);
    free(variable);
    return -1;
}
