/* has no manifest: the request names what replaces what */
int plain_answer(void);

int plain_answer(void)
{
    return 8;
}
