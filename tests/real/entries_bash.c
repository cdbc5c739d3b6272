/*
 * entries_bash.c - bash's echo: replaced or, with -DWRAP, wrapped. What it prints begins with TEXT.
 */
#include <hotpatch.h>

#include <stdio.h>

HOTPATCH_MODULE("entries", TEXT);

/* What is used of command.h of bash 5. */
struct word {
    char *text;
    int flags;
};
struct word_list {
    struct word_list *next;
    struct word *word;
};

HOTPATCH_REPLACE(int, echo_builtin, (struct word_list * list))
{
    fputs(TEXT, stdout);
#ifdef WRAP
    putchar(' ');
    return HOTPATCH_ORIGINAL(echo_builtin)(list);
#else
    for (; list; list = list->next)
        printf(" %s", list->word->text);
    putchar('\n');
    return fflush(stdout) == 0 ? 0 : 1;
#endif
}
