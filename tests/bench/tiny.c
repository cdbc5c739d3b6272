/* tiny.c - the smallest program there is, for what its start costs. */
int main(void)
{
    return 0;
}
