/*
 * check.h - runs of flat blocks of which nobody wants more than that they are
 * good, within a line or over the ends of many. A part of walk.h, which has the
 * terms.
 */

/* `}` and LF or CR LF. */
typedef struct line_end {
    unsigned brace;   /* where in the block */
    const char *next; /* behind the LF; NULL: there is none */
} line_end;

/* Over blocks of a run without escapes. */
SR_TARGET static __attribute__((noinline)) const char *
run_plain(run *r, const char *p, const char *end)
{
    run now = *r;

    for (size_t left = (size_t)(end - p) / SR_BLOCK; left != 0; left--) {
        const sr_masks m = classify(p);
        block b;

        if (has_rare(p) || !run_parts(&now, &m, m.quote, ALL, &b))
            break;
        p += SR_BLOCK;
    }
    *r = now;
    return p;
}

/* The first line feed of the block, if it and the brace before are an end. */
SR_TARGET INLINE line_end find_line_end(const char *p)
{
    const uint64_t feeds = equal(load(p), '\n');
    const unsigned feed = feeds == 0 ? 0 : index_of(feeds);
    const unsigned len = feed > 1 && p[feed - 1] == '\r' ? 2 : 1;

    if (feed < len || p[feed - len] != '}')
        return (line_end){0, NULL};
    return (line_end){feed - len, p + feed + 1};
}

/* Where the next line begins, if the run goes on up to the first line's end in
 * the block and that line may end there; else NULL. What comes before is a
 * block of fewer bytes, the brace a comma. */
SR_TARGET static __attribute__((noinline)) const char *
run_to_end(const walk *w, run r, uint64_t was_escaped, const char *p)
{
    const line_end end = find_line_end(p);
    const uint64_t brace = UINT64_C(1) << end.brace, before = brace - 1;
    sr_masks m = classify(p);
    carry next = {.escaped = was_escaped};
    block b = {.base = p};
    uint64_t quote;

    if (end.next == NULL || (m.odd & before) != 0)
        return NULL;
    m.comma |= brace;
    m.slash &= before; /* what is escaped behind is not of this line */
    if (!unescape(w, &next, &m, &b, p, &quote) ||
        !run_parts(&r, &m, quote, brace | before, &b) || (b.comma & brace) == 0)
        return NULL;
    return end.next;
}

/* As many flat blocks as there are. Returns where the first other one begins.
 * If `next_line` is not NULL the text may go on behind the line: where that
 * ends plainly, *next_line is set to where the next one begins. */
SR_TARGET INLINE const char *check_run(walk *w, carry *c, const char *p,
                                       const char *end, const char **next_line)
{
    uint64_t was_escaped = c->escaped;
    run r;
    bool runs = run_enter(&r, c);

    if (runs && was_escaped == 0)
        p = run_plain(&r, p, end);
    for (; end - p >= SR_BLOCK; p += SR_BLOCK) {
        const sr_masks m = classify(p); /* two of them seldom computed */
        uint64_t quote = m.quote, odd = 0;
        carry next = {.escaped = was_escaped};
        block b = {.base = p};

        if (has_rare(p) || was_escaped != 0) {
            odd = m.odd;
            if (odd != 0 && next_line != NULL && runs &&
                (*next_line = run_to_end(w, r, was_escaped, p)) != NULL)
                return p;
            if (!unescape(w, &next, &m, &b, p, &quote))
                break;
        }
        if (((quote | odd) == 0 && (r.in_string & r.value) != 0) ||
            (odd == 0 && runs && run_parts(&r, &m, quote, ALL, &b))) {
            was_escaped = next.escaped;
            continue;
        }
        run_leave(&r, c);
        c->escaped = was_escaped;
        if (flat_block(w, c, p, CHECK) != FITS)
            return p;
        runs = run_enter(&r, c);
        was_escaped = c->escaped;
    }
    run_leave(&r, c);
    c->escaped = was_escaped;
    return p;
}
