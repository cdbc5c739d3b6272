/* shop.c - prints a price. The program itself has no function tax(); a patch provides it. */
#include <hotpatch.h>

#include <stdio.h>
#include <unistd.h>

HOTPATCH_REQUIRE(int, tax, (int cents));

HOTPATCH_FUNCTION(int, price, (int cents))
{
    return cents;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (;;) {
        printf("price %d, tax %s\n", price(1000), HOTPATCH_BOUND(tax) ? "known" : "unknown");
        usleep(100000);
    }
}
