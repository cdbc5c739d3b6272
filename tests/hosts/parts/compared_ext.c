/* compared_ext.c - see compared.c: what it takes from another file. */
int shared_counter = 9;
__thread int extern_tls = 2;
__thread int other_tls[20];

int weak_elsewhere(int a)
{
    return a - shared_counter;
}

int other_function(int x)
{
    return x + shared_counter + extern_tls + other_tls[3];
}
