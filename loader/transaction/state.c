/* state.c - see state.h. */
#include "loader/transaction/state.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/text.h"

void transaction_warn(struct transaction *transaction, const char *format, ...)
{
    va_list arguments;
    char *text;

    if (transaction->warning_count ==
        sizeof(transaction->warnings) / sizeof(transaction->warnings[0]))
        return;
    va_start(arguments, format);
    text = text_format_list(format, arguments);
    va_end(arguments);
    if (text)
        transaction->warnings[transaction->warning_count++] = text;
}

void transaction_forget_warnings(struct transaction *transaction)
{
    while (transaction->warning_count > 0)
        free(transaction->warnings[--transaction->warning_count]);
}

struct change *change_for(struct transaction *transaction, struct slot *slot)
{
    struct change *change = slot_change(slot);

    if (change)
        return change;
    change = change_new(slot);
    if (!change)
        return NULL;
    *transaction->last_change = change;
    transaction->last_change = &change->next;
    return change;
}

void changes_forget(struct transaction *transaction)
{
    while (transaction->changes) {
        struct change *change = transaction->changes;

        transaction->changes = change->next;
        change_free(change);
    }
}
