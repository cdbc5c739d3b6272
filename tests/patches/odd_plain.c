/* has no manifest, and functions of names that are very long, or no UTF-8 */
#include "../hosts/parts/odd_names.h"

int fifty(int n) __asm__("fifty" TEN TEN "\xe9");
int fifty(int n)
{
    return n + 50;
}
