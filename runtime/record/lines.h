/*
 * lines.h - the fast scanner over many lines: how many of them are good. Where
 * the end of a line is plain to see the next one is gone on with at once, so
 * that nobody looks for ends or begins a walk. What is not plain in a line, up
 * to its end, is walked as it would be in a line by itself. A part of walk.h,
 * which has the terms.
 */

/* The rest from p on of the line that begins at s->line. Returns where the next
 * one does; NULL: it is not good. */
SR_TARGET static __attribute__((noinline)) const char *
finish_line(walk *w, carry *c, const char *p, const char *end)
{
    sr_scan *s = w->s;
    const char *feed = memchr(p, '\n', (size_t)(end - p));

    if (feed == NULL)
        return NULL;
    s->end = feed;
    if (p == s->line)
        return walk_line(s) ? feed + 1 : NULL;
    while (s->end != p && sr_is_space(s->end[-1]))
        s->end--;
    if (s->end == p || s->end[-1] != '}')
        return NULL;
    return walk_on(w, c, p, s->end, CHECK) ? feed + 1 : NULL;
}

/* The line that begins at s->line. Returns the same. */
SR_TARGET INLINE const char *pass_line(walk *w, const char *end)
{
    const char *p = w->s->line, *next = NULL;
    carry c;

    w->s->end = end;
    start_carry(&c);
    if (end - p > SR_BLOCK && p[0] == '{' && p[1] == '"') {
        begin_object(w, &c);
        p = check_run(w, &c, p + 1, end, &next);
    }
    return next != NULL ? next : finish_line(w, &c, p, end);
}

SR_TARGET static sr_good walk_lines(const sr_plan *plan, sg_str text)
{
    sr_fault fault;
    sr_scan s = {.line = text.ptr, .plan = plan, .fault = &fault};
    const char *const end = text.ptr + text.len;
    sr_good good = {.flat = true};
    const char *next;
    walk w;

    start_walk(&w, &s, text.ptr);
    while (s.line != end && (next = pass_line(&w, end)) != NULL) {
        good.ends += next - s.line > 1 && next[-2] == '\r' ? 2 : 1;
        good.lines++;
        good.flat = !s.nested;
        s.line = next;
    }
    good.len = (size_t)(s.line - text.ptr);
    return good;
}
