/*
 * reap.h - what the fast scanner takes of a block whose grammar was checked:
 * members and elements that somebody wants. A part of walk.h, which has the
 * terms.
 */

/* The top frame has changed: what is wanted of it? */
static void note_top(walk *w)
{
    const sr_plan *plan = w->s->plan;
    const sr_frame *top;

    w->takes_keys = w->takes_values = 0;
    if (w->s->depth == 0 || w->dead != 0)
        return;
    top = &w->s->work->frames[w->s->depth - 1];
    if (top->close == '}')
        w->takes_keys = ALL;
    else
        w->takes_values = ALL;
    w->node = top->node == SIGMA_NONE ? NULL : &plan->nodes[top->node];
    w->every_key = plan->keywords != SIGMA_NONE || w->node == NULL ||
                   w->node->wild != SIGMA_NONE;
    w->ends = w->every_key || w->node->spaced || w->node->many
                  ? &sr_any_ends
                  : &plan->ends[top->node];
}

/* The member's value has been read. */
static void member_done(sr_scan *s, sr_frame *frame)
{
    sr_end_member(s, frame);
    frame->child = frame->seen = SIGMA_NONE;
}

/* A member with this key: its value, unless that is a container. A string is
 * only begun: the masks of blocks tell where it ends. */
static bool take_member(walk *w, sr_frame *frame, sg_str key, bool guessed)
{
    sr_scan *s = w->s;
    const char *start;
    sr_kind kind = SR_NULL;

    if (guessed)
        sr_begin_guessed(s, frame);
    else if (!sr_begin_member(s, frame, key))
        return false;
    if (frame->child == SIGMA_NONE && frame->seen == SIGMA_NONE)
        return true;
    s->p = key.ptr + key.len + 1;
    sr_skip_space(s);
    if (s->p == s->end || *s->p != ':')
        return false;
    s->p++;
    sr_skip_space(s);
    start = s->p;
    if (s->p == s->end)
        return false;
    if (*start == '{' || *start == '[')
        return true; /* its bracket finds frame->child */
    if (*start == '"') {
        w->open = start;
        w->slashed = false;
        return true;
    }
    if (!sr_scan_scalar(s, &kind) ||
        !sr_take_scalar(s, frame->child, kind,
                        (sg_str){start, (size_t)(s->p - start)}))
        return false;
    member_done(s, frame);
    return true;
}

/* The keys and the values of a block. */
typedef struct wanted {
    const char *base;
    uint64_t key_open, key_close;
    uint64_t values; /* strings, numbers and words, keys too */
    uint64_t quote_close, slash;
} wanted;

/* The wanted string that goes on, as far as the block has it. */
static bool take_string(walk *w, const wanted *b)
{
    const ptrdiff_t at = w->open - b->base;
    const uint64_t behind_it = at < 0 ? ALL : at >= 63 ? 0 : ALL << (at + 1);
    const uint64_t close = lowest(b->quote_close & behind_it);
    sr_scan *s = w->s;
    sr_frame *frame = &s->work->frames[s->depth - 1];
    sg_str raw = {w->open, 0};

    w->slashed = w->slashed || (b->slash & behind_it & (close - 1)) != 0;
    if (close == 0)
        return true;
    raw.len = (size_t)(b->base + index_of(close) + 1 - w->open);
    w->open = NULL;
    s->escaped = w->slashed;
    if (!sr_take_scalar(s, frame->child, SR_STRING, raw))
        return false;
    member_done(s, frame);
    return true;
}

static inline bool may_want(const walk *w, sg_str key)
{
    return w->every_key || sr_node_may_have(w->s->plan, w->node, key) ||
           (w->node->spaced && sr_has_blank(key));
}

/* Members of the top frame whose keys end in the given places. */
static bool take_members(walk *w, const wanted *b, uint64_t ends)
{
    sr_frame *frame = &w->s->work->frames[w->s->depth - 1];

    for (; ends != 0; ends &= ends - 1) {
        const uint64_t before = b->key_open & (lowest(ends) - 1);
        const char *end = b->base + index_of(ends);
        const char *start = b->base;
        if (before != 0)
            start += SR_BLOCK - __builtin_clzll(before);
        else /* in an earlier block; without escapes there is but one quote */
            while (start[-1] != '"')
                start--;
        const sg_str key = {start, (size_t)(end - start)};
        const bool guessed =
            !w->every_key && sr_is_guessed(w->s, frame, w->node, key);
        if (!guessed && !may_want(w, key))
            continue;
        if (!take_member(w, frame, key, guessed) ||
            (w->open != NULL && !take_string(w, b)))
            return false;
    }
    return true;
}

/* Elements of the top frame, an array, that begin in the given places. */
static bool take_elements(walk *w, const char *base, uint64_t starts)
{
    sr_scan *s = w->s;
    const uint32_t node = s->work->frames[s->depth - 1].node;
    sr_kind kind = SR_NULL;

    for (; starts != 0; starts &= starts - 1) {
        const char *start = base + index_of(starts);
        s->p = start;
        if (!sr_scan_scalar(s, &kind) ||
            !sr_take_scalar(s, node, kind,
                            (sg_str){start, (size_t)(s->p - start)}))
            return false;
    }
    return true;
}

static bool take_opening(walk *w)
{
    sr_scan *s = w->s;
    const sr_frame *top = &s->work->frames[s->depth == 0 ? 0 : s->depth - 1];
    uint32_t node = 0;

    if (w->dead != 0) {
        w->dead++;
        return true;
    }
    if (s->depth != 0)
        node = top->close == '}' ? top->child : top->node;
    if (node == SIGMA_NONE && s->plan->keywords == SIGMA_NONE) {
        w->dead = 1;
        note_top(w);
        return true;
    }
    if (!sr_enter(s, node))
        return false;
    note_top(w);
    return true;
}

static bool take_closing(walk *w)
{
    sr_scan *s = w->s;
    sr_frame *top;

    if (w->dead != 0) {
        w->dead--;
        if (w->dead == 0)
            note_top(w);
        return true;
    }
    if (!sr_leave(s))
        return false;
    if (s->depth != 0) {
        top = &s->work->frames[s->depth - 1];
        top->child = top->seen = SIGMA_NONE;
    }
    note_top(w);
    return true;
}

/* What is wanted of a stretch without brackets. */
static bool take_span(walk *w, const wanted *b, uint64_t span)
{
    const uint64_t keys = b->key_close & span & w->takes_keys;
    const uint64_t values = b->values & span & w->takes_values;

    return (keys == 0 || take_members(w, b, keys)) &&
           (values == 0 || take_elements(w, b->base, values));
}

/* A block with brackets: stretch by stretch. */
static bool take_stretches(walk *w, const wanted *b, uint64_t brackets,
                           uint64_t opening)
{
    uint64_t rest = ALL;

    if (w->open != NULL && !take_string(w, b))
        return false;
    for (; brackets != 0; brackets &= brackets - 1) {
        const uint64_t bit = lowest(brackets);
        if (!take_span(w, b, rest & (bit - 1)))
            return false;
        rest = ~(bit | (bit - 1));
        w->s->p = b->base + index_of(brackets);
        if ((opening & bit) != 0 ? !take_opening(w) : !take_closing(w))
            return false;
    }
    return take_span(w, b, rest);
}

/* A block without brackets. */
static __attribute__((noinline)) bool take_all(walk *w, const wanted *b,
                                               uint64_t keys)
{
    return (w->open == NULL || take_string(w, b)) &&
           (keys == 0 || take_members(w, b, keys)) &&
           (b->values == 0 || take_elements(w, b->base, b->values));
}

/* Note where joints of a block are. How many there are is hard to foretell:
 * they come in pairs, of which the second one may be none. False: too many. */
SR_TARGET INLINE bool list(sr_scan *s, const char *base, uint64_t mask)
{
    sr_joints *joints = s->joints;
    uint32_t *to = joints->at + joints->count;
    const uint32_t at = (uint32_t)(base - s->line);

    if (mask == 0)
        return true;
    joints->count += (uint32_t)__builtin_popcountll(mask);
    if (joints->count > SR_JOINTS_MOST)
        return false;
    do {
        to[0] = at + index_of(mask);
        mask &= mask - 1;
        to[1] = at + index_of(mask | UINT64_C(1) << (SR_BLOCK - 1));
        mask &= mask - 1;
        to += 2;
    } while (mask != 0);
    return true;
}

/* Where keys end in a block without brackets: the first and the last byte tell
 * most of those that are not wanted, unless many are. */
SR_TARGET INLINE uint64_t likely_keys(const walk *w, carry *c, const block *b,
                                      const char *bytes)
{
    uint64_t first, last, keys;

    if (w->ends == &sr_any_ends) {
        c->likely = c->in_key;
        c->last = 1;
        return b->key_close;
    }
    first = members(bytes, &w->ends->first) >> b->shift;
    last = members(bytes, &w->ends->last) >> b->shift;
    keys = b->key_open & (first >> 1 | UINT64_C(1) << 63);
    keys = closing_of(b, keys | c->likely, &c->likely);
    keys &= last << 1 | c->last;
    c->last = last >> 63;
    return keys;
}

/* Take what is wanted of a block without brackets. */
SR_TARGET INLINE bool take_flat(walk *w, carry *c, const block *b,
                                const char *bytes, uint64_t starts)
{
    const uint64_t values = (b->quote_open | starts) & w->takes_values;
    const uint64_t keys = likely_keys(w, c, b, bytes) & w->takes_keys;

    if ((keys | values) == 0 && w->open == NULL)
        return true;
    return take_all(w,
                    &(wanted){b->base, b->key_open, b->key_close, values,
                              b->quote_close, b->slash},
                    keys);
}
