/*
 * peer_nothing.c - does nothing: linked statically, what starting a program
 * costs at least. A peer to measure against.
 */
int main(void)
{
    return 0;
}
