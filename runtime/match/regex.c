/*
 * regex.c - regular expressions by PCRE2; the only file that knows it.
 *
 * Event text is hostile and PCRE2 backtracks: every search is bounded, and
 * one that meets its bound ends as SR_RE_LIMIT, never as "no". The bound is
 * counted in work, not in time, so that the same search ends the same way at
 * any speed and load. PCRE2 does not tell the work it did. So a search first
 * tries runs whose work cannot be large: few steps for each place where a match
 * may start, on a short subject or on a short piece of a long one.
 * What does not end there is searched in linear time (linear.c) where pattern
 * and subject allow it, else by a second code that calls back at each item of
 * the pattern, where its work is metered.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "match/linear.h"
#include "match/match.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STACK_START = 32 * 1024,       /* of the JIT, per thread */
    STACK_MOST = 16 * 1024 * 1024, /* reserved, used only when needed */
    HEAP_KIB = 16 * 1024,          /* of the interpreter, per thread */
    DEPTH_MOST = 1000000,          /* of the interpreter */
    WHOLE_MOST = 512, /* places of a subject searched without pieces */
    PIECE = 64,       /* places of a piece */
    AHEAD = 64,       /* bytes behind them that it shows */
    PIECE_STEPS = 16, /* steps a place of a piece may take */
    STEPS_LEAST = 16, /* ... of a whole subject, see steps_of */
    STEPS_MOST = 4096,
    WHOLE_LOG = 26,        /* log2 of bytes an unmetered run may run over, */
    WHOLE_LOG_LINEAR = 18, /* ... when there is a linear search */
    STEP_WORK = 16,        /* of a step; a byte run over is 1 */
    SEARCH_WORK = 1 << 25, /* of a search, */
    BYTE_WORK = 256,       /* and more for each byte of the subject */
    REPEAT_SHIFT = 3       /* log2 of repeats counted as one byte run over */
};

struct sr_regex {
    pcre2_code *code;
    pcre2_code *metered; /* the same with a callout before each item */
    sr_linear *linear;   /* the same for yes or no, or NULL */
    bool anchored;       /* can only match where the search begins */
    bool refers;         /* has back references */
    int required;        /* byte that any match needs, or -1 */
    uint32_t least;      /* characters that any match has */
    uint32_t repeats;    /* most that an item must repeat, see meter_step */
};

/* -------- work space of a thread ------------------------------------------ */

/* Work a search may still do. */
typedef struct meter {
    const sr_regex *regex;
    size_t at;     /* where the last step was */
    uint64_t left; /* a byte run over, or the like, is 1 */
} meter;

typedef struct work {
    pcre2_match_context *context;
    pcre2_match_data *data;
    pcre2_jit_stack *stack;
    meter meter;
} work;

static int meter_step(pcre2_callout_block *block, void *arg);

static pthread_once_t work_once = PTHREAD_ONCE_INIT;
static pthread_key_t work_key;
static _Thread_local work *thread_work;

static void free_work(void *arg)
{
    work *w = arg;

    pcre2_match_data_free(w->data);
    pcre2_match_context_free(w->context);
    pcre2_jit_stack_free(w->stack);
    free(w);
    thread_work = NULL;
}

static void make_key(void)
{
    if (pthread_key_create(&work_key, free_work) != 0)
        sg_fatal("no thread-specific data for regular expressions");
}

static work *make_work(void)
{
    work *w = calloc(1, sizeof(*w));

    pthread_once(&work_once, make_key);
    if (w == NULL)
        sg_fatal("out of memory");
    w->context = pcre2_match_context_create(NULL);
    w->data = pcre2_match_data_create(SR_REGEX_GROUPS, NULL);
    /* NULL where the JIT is not supported: then it is not used either. */
    w->stack = pcre2_jit_stack_create(STACK_START, STACK_MOST, NULL);
    if (w->context == NULL || w->data == NULL)
        sg_fatal("out of memory");
    pcre2_set_heap_limit(w->context, HEAP_KIB);
    pcre2_set_depth_limit(w->context, DEPTH_MOST);
    pcre2_set_callout(w->context, meter_step, &w->meter);
    if (w->stack != NULL)
        pcre2_jit_stack_assign(w->context, NULL, w->stack);
    if (pthread_setspecific(work_key, w) != 0)
        sg_fatal("out of memory");
    thread_work = w;
    return w;
}

static work *my_work(void)
{
    return thread_work != NULL ? thread_work : make_work();
}

/* -------- compiling --------------------------------------------------------*/

/* PCRE2 calls this per level of nesting; non-zero refuses. */
static int guard_nesting(uint32_t depth, void *unused)
{
    (void)unused;
    return depth > SR_REGEX_NEST;
}

static int refuse_callout(pcre2_callout_enumerate_block *block, void *arg)
{
    size_t *offset = arg;

    *offset = block->pattern_position;
    return 1;
}

static pcre2_compile_context *compile_context(void)
{
    pcre2_compile_context *c = pcre2_compile_context_create(NULL);

    if (c == NULL)
        sg_fatal("out of memory");
    pcre2_set_max_pattern_length(c, SR_REGEX_MAX);
    pcre2_set_parens_nest_limit(c, SR_REGEX_NEST);
    pcre2_set_compile_recursion_guard(c, guard_nesting, NULL);
    pcre2_set_newline(c, PCRE2_NEWLINE_LF);
    pcre2_set_bsr(c, PCRE2_BSR_UNICODE);
    return c;
}

static uint32_t options_of(uint32_t flags)
{
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF |
                       PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY |
                       PCRE2_USE_OFFSET_LIMIT;

    if ((flags & SIGMA_F_RE_I) != 0)
        options |= PCRE2_CASELESS;
    if ((flags & SIGMA_F_RE_M) != 0)
        options |= PCRE2_MULTILINE;
    if ((flags & SIGMA_F_RE_S) != 0)
        options |= PCRE2_DOTALL;
    return options;
}

/* The code, or NULL with what PCRE2 says. */
static pcre2_code *compile_code(sg_str pattern, uint32_t options, char *reason,
                                size_t reason_size, size_t *offset)
{
    pcre2_compile_context *context = compile_context();
    PCRE2_UCHAR text[256];
    int error = 0;
    PCRE2_SIZE at = 0;
    const char *bytes = pattern.len == 0 ? "" : pattern.ptr;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)bytes, pattern.len, options,
                                     &error, &at, context);

    pcre2_compile_context_free(context);
    if (code != NULL)
        return code;
    if (pcre2_get_error_message(error, text, sizeof(text)) < 0)
        text[0] = '\0';
    (void)snprintf(reason, reason_size, "%s", (const char *)text);
    *offset = at < pattern.len ? at : pattern.len;
    return NULL;
}

/* What would mean something else when the subject is searched by pieces: \G
 * and verbs that say where to search on. Their offset, or SIZE_MAX. */
static size_t find_unsupported(sg_str pattern)
{
    for (size_t i = 0; i + 1 < pattern.len; i++) {
        const sg_str rest = sg_str_sub(pattern, i, pattern.len);
        if (sg_str_starts(rest, SG_S("\\G")) ||
            sg_str_starts(rest, SG_S("(*COMMIT")) ||
            sg_str_starts(rest, SG_S("(*SKIP")))
            return i;
        i += pattern.ptr[i] == '\\';
    }
    return SIZE_MAX;
}

/* The largest n of X{n}, X{n,} and X{n,m}, or more. */
static uint32_t find_repeats(sg_str pattern)
{
    uint32_t most = 1;

    for (size_t i = 0; i < pattern.len; i++) {
        uint32_t n = 0;
        if (pattern.ptr[i] != '{')
            continue;
        while (i + 1 < pattern.len && pattern.ptr[i + 1] >= '0' &&
               pattern.ptr[i + 1] <= '9' && n < UINT16_MAX)
            n = n * 10 + (uint32_t)(pattern.ptr[++i] - '0');
        most = n > most ? n : most;
    }
    return most;
}

/* A byte that every match holds, or -1. PCRE2 does not tell whether case
 * matters. */
static int find_required(const pcre2_code *code)
{
    uint32_t known = 0;
    uint32_t unit = 0;

    (void)pcre2_pattern_info(code, PCRE2_INFO_LASTCODETYPE, &known);
    (void)pcre2_pattern_info(code, PCRE2_INFO_LASTCODEUNIT, &unit);
    return known != 0 && unit < 0x80 ? (int)unit : -1;
}

/* The JIT of PCRE2 up to 10.42 does not let \D, \S and \W match characters
 * beyond ASCII, but lets [\D] and so on. So they are written as classes: what
 * begins at `at` is appended, `in_class` kept; returns where it ends. */
static size_t put_item(sg_buf *out, sg_str pattern, size_t at, bool *in_class)
{
    const sg_str rest = sg_str_sub(pattern, at, pattern.len);
    const bool escape = rest.len > 1 && *rest.ptr == '\\';
    size_t len = escape ? 2 : 1;
    char escaped = '\0';

    if (escape)
        escaped = rest.ptr[1];
    if (escaped == 'Q') {
        const size_t end = sg_str_find(rest, SG_S("\\E"));
        len = end == SIZE_MAX ? rest.len : end;
    } else if (escaped == 'c') {
        len = rest.len > 2 ? 3 : 2;
    } else if (!*in_class && *rest.ptr == '[') {
        *in_class = true;
        len += rest.len > len && rest.ptr[len] == '^';
        len += rest.len > len && rest.ptr[len] == ']';
    } else if (*rest.ptr == ']') {
        *in_class = false;
    } else if (*in_class && sg_str_starts(rest, SG_S("[:"))) {
        const size_t end = sg_str_find(rest, SG_S(":]"));
        len = end == SIZE_MAX ? 1 : end + 2;
    }
    const bool wrap =
        !*in_class && (escaped == 'D' || escaped == 'S' || escaped == 'W');
    sg_buf_putz(out, wrap ? "[" : "");
    sg_buf_put(out, sg_str_sub(rest, 0, len));
    sg_buf_putz(out, wrap ? "]" : "");
    return at + len;
}

/* As compile_code, of the pattern with classes as put_item writes them. */
static pcre2_code *compile_classes(sg_str pattern, uint32_t options,
                                   char *reason, size_t reason_size,
                                   size_t *offset)
{
    sg_buf buf = {0};
    bool in_class = false;
    pcre2_code *code;

    for (size_t at = 0; at < pattern.len;)
        at = put_item(&buf, pattern, at, &in_class);
    code = compile_code(sg_buf_str(&buf), options, reason, reason_size, offset);
    sg_buf_free(&buf);
    /* The offset is to be one in the pattern as it is. */
    return code != NULL
               ? code
               : compile_code(pattern, options, reason, reason_size, offset);
}

/* Both codes; false with the reason when refused. */
static bool compile_both(sr_regex *regex, sg_str pattern, uint32_t flags,
                         char *reason, size_t reason_size, size_t *offset)
{
    const uint32_t options = options_of(flags);

    *offset = find_unsupported(pattern);
    if (*offset != SIZE_MAX) {
        (void)snprintf(reason, reason_size,
                       "\\G, (*COMMIT) and (*SKIP) are not supported");
        return false;
    }
    *offset = 0;
    regex->code =
        compile_classes(pattern, options, reason, reason_size, offset);
    if (regex->code == NULL)
        return false;
    if (pcre2_callout_enumerate(regex->code, refuse_callout, offset) != 0) {
        (void)snprintf(reason, reason_size, "callouts are not supported");
        return false;
    }
    regex->metered = compile_classes(pattern, options | PCRE2_AUTO_CALLOUT,
                                     reason, reason_size, offset);
    return regex->metered != NULL;
}

static void free_codes(sr_regex *regex)
{
    pcre2_code_free(regex->code);
    pcre2_code_free(regex->metered);
}

sr_regex *sr_regex_compile(sg_str pattern, uint32_t flags, char *reason,
                           size_t reason_size, size_t *offset)
{
    uint32_t number = 0;
    sr_regex *regex = calloc(1, sizeof(*regex));

    if (regex == NULL)
        sg_fatal("out of memory");
    if (!compile_both(regex, pattern, flags, reason, reason_size, offset)) {
        sr_regex_free(regex);
        return NULL;
    }
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_ALLOPTIONS, &number);
    regex->anchored = (number & PCRE2_ANCHORED) != 0;
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_BACKREFMAX, &number);
    regex->refers = number != 0;
    regex->required = find_required(regex->code);
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_MINLENGTH, &regex->least);
    regex->repeats = find_repeats(pattern);
    regex->linear = sr_linear_new(pattern, flags);
    /* Where the JIT is missing or refuses, the interpreter does the work. */
    (void)pcre2_jit_compile(regex->code,
                            PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD);
    (void)pcre2_jit_compile(regex->metered, PCRE2_JIT_COMPLETE);
    return regex;
}

bool sr_regex_check(sg_str pattern, uint32_t flags, char *reason,
                    size_t reason_size, size_t *offset)
{
    sr_regex regex = {0};
    const bool ok =
        compile_both(&regex, pattern, flags, reason, reason_size, offset);

    free_codes(&regex);
    return ok;
}

sr_regex_facts sr_regex_describe(const sr_regex *regex)
{
    return (sr_regex_facts){regex->linear != NULL, regex->required};
}

void sr_regex_free(sr_regex *regex)
{
    if (regex == NULL)
        return;
    free_codes(regex);
    sr_linear_free(regex->linear);
    free(regex);
}

/* -------- matching --------------------------------------------------------*/

/* The longest text that a back reference may now compare. */
static size_t longest_group(const pcre2_callout_block *block)
{
    size_t most = 0;

    for (uint32_t i = 1; i < block->capture_top; i++) {
        const size_t beg = block->offset_vector[2 * (size_t)i];
        const size_t end = block->offset_vector[2 * (size_t)i + 1];
        if (beg != PCRE2_UNSET && end != PCRE2_UNSET && end > beg + most)
            most = end - beg;
    }
    return most;
}

/* PCRE2 calls this before each item of a metered code, also when it goes back
 * to one. Items that succeed show what they ran over by where they end; those
 * that fail may have run over what they must repeat, or refer to. */
static int meter_step(pcre2_callout_block *block, void *arg)
{
    meter *m = arg;
    const size_t at = block->current_position;
    const size_t rest = block->subject_length - at;
    const uint64_t repeats = m->regex->repeats;
    uint64_t cost = STEP_WORK + block->capture_top;

    cost += (repeats < rest ? repeats : rest) >> REPEAT_SHIFT;
    if (at > m->at)
        cost += at - m->at;
    if (m->regex->refers)
        cost += repeats * longest_group(block);
    m->at = at;
    if (cost > m->left)
        return PCRE2_ERROR_CALLOUT;
    m->left -= cost;
    return 0;
}

/* A part of the subject where a match may start: [beg, last]. */
typedef struct window {
    size_t beg, last;
} window;

static int match_in(work *own, const pcre2_code *code, sg_str subject, window w,
                    uint32_t options)
{
    PCRE2_SPTR bytes = (PCRE2_SPTR)subject.ptr;

    pcre2_set_offset_limit(own->context, w.last);
    int rc = pcre2_match(code, bytes, subject.len, w.beg, options, own->data,
                         own->context);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
        rc = pcre2_match(code, bytes, subject.len, w.beg,
                         options | PCRE2_NO_JIT, own->data, own->context);
    return rc;
}

static sr_re_result result_of(int rc)
{
    if (rc >= 0)
        return SR_RE_YES;
    return rc == PCRE2_ERROR_NOMATCH ? SR_RE_NO : SR_RE_LIMIT;
}

/* Without metering; each place may take `steps`, and each step may run over
 * the whole subject. */
static sr_re_result run_free(const sr_regex *regex, sg_str subject, window w,
                             uint32_t steps)
{
    work *own = my_work();

    pcre2_set_match_limit(own->context, steps);
    return result_of(match_in(own, regex->code, subject, w, 0));
}

static sr_re_result run_metered(const sr_regex *regex, sg_str subject, window w)
{
    work *own = my_work();

    own->meter.regex = regex;
    own->meter.at = w.beg;
    pcre2_set_match_limit(own->context, UINT32_MAX);
    return result_of(match_in(own, regex->metered, subject, w, 0));
}

/* The first place behind `at` where a character may begin. */
static size_t next_place(sg_str subject, size_t at)
{
    do
        at++;
    while (at < subject.len && ((unsigned char)subject.ptr[at] & 0xC0) == 0x80);
    return at;
}

/* `width` starting places from `at` on. */
static window window_of(sg_str subject, size_t at, size_t width)
{
    if (width >= subject.len - at)
        return (window){at, subject.len};
    return (window){at, next_place(subject, at + width - 1) - 1};
}

/* Whether the piece of the subject at the window shows that no match starts
 * there, whatever follows: none of its places came to the end of the piece
 * (PCRE2 would call it a partial match), so none ran far. */
static bool piece_denies(const sr_regex *regex, sg_str subject, window w)
{
    work *own = my_work();

    if (subject.len - w.last > AHEAD)
        subject.len = next_place(subject, w.last + AHEAD - 1);
    pcre2_set_match_limit(own->context, PIECE_STEPS);
    return match_in(own, regex->code, subject, w, PCRE2_PARTIAL_HARD) ==
           PCRE2_ERROR_NOMATCH;
}

static sr_re_result run_linear(const sr_linear *linear, sg_str subject,
                               size_t at)
{
    return linear != NULL ? sr_linear_match(linear, subject, at) : SR_RE_LIMIT;
}

/* By metered windows, which widen while pieces keep failing. */
static sr_re_result search_windows(const sr_regex *regex, sg_str subject,
                                   size_t at)
{
    size_t width = PIECE;

    while (at <= subject.len) {
        window w = window_of(subject, at, PIECE);
        if (piece_denies(regex, subject, w)) {
            width = width > PIECE ? width / 2 : PIECE;
        } else {
            w = window_of(subject, at, width);
            const sr_re_result result = run_metered(regex, subject, w);
            if (result != SR_RE_NO)
                return result;
            width = width < subject.len ? width * 2 : width;
        }
        at = next_place(subject, w.last);
    }
    return SR_RE_NO;
}

/* From a place that may run far: there alone, then on to the end. */
static sr_re_result search_rest(const sr_regex *regex, const sr_linear *linear,
                                sg_str subject, size_t at)
{
    sr_re_result result = SR_RE_LIMIT;

    if (linear != NULL)
        result = run_free(regex, subject, (window){at, at}, PIECE_STEPS);
    if (result != SR_RE_YES)
        result = run_linear(linear, subject, at);
    return result != SR_RE_LIMIT ? result : search_windows(regex, subject, at);
}

/* By pieces; from the first on that does not tell, by other means. */
static sr_re_result search_pieces(const sr_regex *regex,
                                  const sr_linear *linear, sg_str subject,
                                  size_t at)
{
    while (at <= subject.len) {
        const window w = window_of(subject, at, PIECE);
        if (!piece_denies(regex, subject, w))
            return search_rest(regex, linear, subject, at);
        at = next_place(subject, w.last);
    }
    return SR_RE_NO;
}

static bool lacks_required(const sr_regex *regex, sg_str subject, size_t start)
{
    const int byte = regex->required;
    const char *from = subject.ptr + start;
    const size_t n = subject.len - start;

    if (byte < 0 || memchr(from, byte, n) != NULL)
        return false;
    const int lower = byte | 0x20;
    return lower < 'a' || lower > 'z' || memchr(from, byte ^ 0x20, n) == NULL;
}

/* Steps for each of `places` so that all their runs stay small. */
static uint32_t steps_of(sg_str subject, size_t places, uint32_t work_log)
{
    const uint64_t steps =
        (UINT64_C(1) << work_log) / (places * (subject.len + 1));

    if (steps > STEPS_MOST)
        return STEPS_MOST;
    return steps < STEPS_LEAST ? STEPS_LEAST : (uint32_t)steps;
}

/* A subject of few places. */
static sr_re_result search_whole(const sr_regex *regex, const sr_linear *linear,
                                 sg_str subject, window all)
{
    const size_t places = all.last - all.beg + 1;
    const uint32_t work_log = linear != NULL ? WHOLE_LOG_LINEAR : WHOLE_LOG;
    sr_re_result result =
        run_free(regex, subject, all, steps_of(subject, places, work_log));

    if (result == SR_RE_LIMIT)
        result = run_linear(linear, subject, all.beg);
    return result != SR_RE_LIMIT ? result : run_metered(regex, subject, all);
}

/* `linear` is NULL where it matters where the match is. */
static sr_re_result search(const sr_regex *regex, const sr_linear *linear,
                           sg_str subject, size_t start)
{
    const window all = {start, regex->anchored ? start : subject.len};

    my_work()->meter.left = SEARCH_WORK + (uint64_t)subject.len * BYTE_WORK;
    if (all.last - all.beg < WHOLE_MOST)
        return search_whole(regex, linear, subject, all);
    if (subject.len - start < regex->least ||
        lacks_required(regex, subject, start))
        return SR_RE_NO;
    return search_pieces(regex, linear, subject, start);
}

/* PCRE2 takes no NULL subject. */
static sg_str never_null(sg_str subject)
{
    return subject.len == 0 ? SG_S("") : subject;
}

sr_re_result sr_regex_match(const sr_regex *regex, sg_str subject)
{
    return search(regex, regex->linear, never_null(subject), 0);
}

bool sr_regex_exec(const sr_regex *regex, sg_str subject, size_t start,
                   size_t ovector[2 * SR_REGEX_GROUPS], unsigned *groups)
{
    if (start > subject.len ||
        search(regex, NULL, never_null(subject), start) != SR_RE_YES)
        return false;
    const PCRE2_SIZE *found = pcre2_get_ovector_pointer(my_work()->data);
    uint32_t captures = 0;
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &captures);
    *groups = captures + 1 < SR_REGEX_GROUPS ? captures + 1 : SR_REGEX_GROUPS;
    for (unsigned i = 0; i < 2 * *groups; i++)
        ovector[i] = found[i] == PCRE2_UNSET ? SIZE_MAX : found[i];
    return true;
}

int sr_regex_group(const sr_regex *regex, sg_str name)
{
    char z[64];

    if (name.len == 0 || name.len >= sizeof(z))
        return -1;
    memcpy(z, name.ptr, name.len);
    z[name.len] = '\0';
    const int number =
        pcre2_substring_number_from_name(regex->code, (PCRE2_SPTR)z);
    return number > 0 ? number : -1;
}
