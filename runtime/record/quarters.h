/*
 * quarters.h - what levels of four registers tell of 64 bytes in the same way.
 * A level that includes this has defined `quarters`, `load` and `equal`.
 */

static inline uint64_t spaces(const char *p)
{
    const quarters q = load(p);

    return equal(q, ' ') | equal(q, '\t') | equal(q, '\n') | equal(q, '\r');
}

/* What a backslash may have behind it, but for u, quote and backslash. */
static inline uint64_t letters(const char *p)
{
    const quarters q = load(p);

    return equal(q, 'b') | equal(q, 'f') | equal(q, 'n') | equal(q, 'r') |
           equal(q, 't') | equal(q, '/');
}
