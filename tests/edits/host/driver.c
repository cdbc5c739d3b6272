/*
 * driver.c - the part of every host of tests/edits that no edit changes: it asks the edited unit.
 *
 * A line of the standard input is a number; the answer ends with a line of one full stop.
 */
#include <stdio.h>
#include <stdlib.h>

void answer(int n);

int main(void)
{
    char line[64];
    while (fgets(line, sizeof(line), stdin)) {
        answer(atoi(line));
        printf("\n.\n");
        fflush(stdout);
    }
    return 0;
}
