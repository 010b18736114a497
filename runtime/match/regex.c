/*
 * regex.c - regular expressions by PCRE2; the only file that knows it.
 *
 * Event text is hostile and PCRE2 backtracks: every search is bounded, and
 * one that meets a bound ends as SR_RE_LIMIT, never as "no". A place where a
 * match may start has a share of steps; one that needs more is tried once more
 * with a large share. PCRE2 does not count the characters that a single step
 * runs over, so long subjects are searched by windows of starting places, and
 * the thread's processor time is looked at between them. The JIT's stack may
 * grow to megabytes; what overflows even that is run by the interpreter.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "match/match.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    STACK_START = 32 * 1024,       /* of the JIT, per thread */
    STACK_MOST = 16 * 1024 * 1024, /* reserved, used only when needed */
    HEAP_KIB = 16 * 1024,          /* of the interpreter, per thread */
    DEPTH_MOST = 1000000,          /* of the interpreter */
    SHARE_LEAST = 512,             /* steps a place may take, see share_of */
    SHARE_MOST = 1 << 20,
    SMALL_LOG = 26,         /* log2 of steps times bytes of the subject */
    LARGE_LOG = 32,         /* ... for a place tried once more */
    WHOLE_MOST = 512,       /* subjects searched without windows */
    WINDOW_BYTES = 1 << 22, /* places times bytes of the subject */
    WINDOW_LEAST = 16,      /* places a window may always grow to */
    QUICK_NS = 1000000,     /* a window that lets the next one grow */
    SLOW_NS = 4000000,      /* ... and one that shrinks it */
    SEARCH_NS = 10000000,   /* processor time of a search, */
    BYTE_NS = 50            /* and more for each byte of the subject */
};

struct sr_regex {
    pcre2_code *code;
    bool anchored; /* can only match where the search begins */
};

/* -------- work space of a thread ------------------------------------------ */

typedef struct work {
    pcre2_match_context *context;
    pcre2_match_data *data;
    pcre2_jit_stack *stack;
} work;

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
static pcre2_code *compile_code(sg_str pattern, uint32_t flags, char *reason,
                                size_t reason_size, size_t *offset)
{
    pcre2_compile_context *context = compile_context();
    PCRE2_UCHAR text[256];
    int error = 0;
    PCRE2_SIZE at = 0;
    const char *bytes = pattern.len == 0 ? "" : pattern.ptr;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)bytes, pattern.len,
                                     options_of(flags), &error, &at, context);

    pcre2_compile_context_free(context);
    if (code != NULL)
        return code;
    if (pcre2_get_error_message(error, text, sizeof(text)) < 0)
        text[0] = '\0';
    (void)snprintf(reason, reason_size, "%s", (const char *)text);
    *offset = at < pattern.len ? at : pattern.len;
    return NULL;
}

/* What would mean something else when the subject is searched by windows: \G
 * and (*COMMIT). Their offset, or SIZE_MAX. */
static size_t find_unsupported(sg_str pattern)
{
    for (size_t i = 0; i + 1 < pattern.len; i++) {
        const sg_str rest = sg_str_sub(pattern, i, pattern.len);
        if (sg_str_starts(rest, SG_S("\\G")) ||
            sg_str_starts(rest, SG_S("(*COMMIT")))
            return i;
        i += pattern.ptr[i] == '\\';
    }
    return SIZE_MAX;
}

static pcre2_code *compile_checked(sg_str pattern, uint32_t flags, char *reason,
                                   size_t reason_size, size_t *offset)
{
    *offset = find_unsupported(pattern);
    if (*offset != SIZE_MAX) {
        (void)snprintf(reason, reason_size,
                       "\\G and (*COMMIT) are not supported");
        return NULL;
    }
    *offset = 0;
    pcre2_code *code =
        compile_code(pattern, flags, reason, reason_size, offset);
    if (code != NULL &&
        pcre2_callout_enumerate(code, refuse_callout, offset) != 0) {
        pcre2_code_free(code);
        (void)snprintf(reason, reason_size, "callouts are not supported");
        return NULL;
    }
    return code;
}

sr_regex *sr_regex_compile(sg_str pattern, uint32_t flags, char *reason,
                           size_t reason_size, size_t *offset)
{
    pcre2_code *code =
        compile_checked(pattern, flags, reason, reason_size, offset);
    uint32_t options = 0;

    if (code == NULL)
        return NULL;
    sr_regex *regex = calloc(1, sizeof(*regex));
    if (regex == NULL)
        sg_fatal("out of memory");
    regex->code = code;
    (void)pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &options);
    regex->anchored = (options & PCRE2_ANCHORED) != 0;
    /* Where the JIT is missing or refuses, the interpreter does the work. */
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    return regex;
}

bool sr_regex_check(sg_str pattern, uint32_t flags, char *reason,
                    size_t reason_size, size_t *offset)
{
    pcre2_code *code =
        compile_checked(pattern, flags, reason, reason_size, offset);

    pcre2_code_free(code);
    return code != NULL;
}

void sr_regex_free(sr_regex *regex)
{
    if (regex == NULL)
        return;
    pcre2_code_free(regex->code);
    free(regex);
}

/* -------- matching --------------------------------------------------------*/

/* A part of the subject where a match may start: [beg, last]. */
typedef struct window {
    size_t beg, last;
} window;

static sr_re_result run(const sr_regex *regex, sg_str subject, window w,
                        uint32_t share)
{
    work *own = my_work();
    PCRE2_SPTR bytes = (PCRE2_SPTR)subject.ptr;

    pcre2_set_match_limit(own->context, share);
    pcre2_set_offset_limit(own->context, w.last);
    int rc = pcre2_match(regex->code, bytes, subject.len, w.beg, 0, own->data,
                         own->context);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
        rc = pcre2_match(regex->code, bytes, subject.len, w.beg, PCRE2_NO_JIT,
                         own->data, own->context);
    if (rc >= 0)
        return SR_RE_YES;
    return rc == PCRE2_ERROR_NOMATCH ? SR_RE_NO : SR_RE_LIMIT;
}

/* The first place behind `at` where a character may begin. */
static size_t next_place(sg_str subject, size_t at)
{
    do
        at++;
    while (at < subject.len && ((unsigned char)subject.ptr[at] & 0xC0) == 0x80);
    return at;
}

/* Steps a starting place may take so that steps times length stay below
 * two to `log`, as a step may run over the whole subject. */
static uint32_t share_of(sg_str subject, unsigned log)
{
    const uint64_t share = (UINT64_C(1) << log) / (subject.len + 1);

    if (share > SHARE_MOST)
        return SHARE_MOST;
    return share < SHARE_LEAST ? SHARE_LEAST : (uint32_t)share;
}

/* Search from one place only; the large share where the small one is not
 * enough. */
static sr_re_result search_place(const sr_regex *regex, sg_str subject,
                                 size_t at)
{
    const window w = {at, at};
    const sr_re_result result =
        run(regex, subject, w, share_of(subject, SMALL_LOG));

    if (result != SR_RE_LIMIT)
        return result;
    return run(regex, subject, w, share_of(subject, LARGE_LOG));
}

static int64_t processor_time(void)
{
    struct timespec t = {0, 0};

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* `width` starting places from `at` on. */
static window window_of(sg_str subject, size_t at, size_t width)
{
    if (width >= subject.len - at)
        return (window){at, subject.len};
    return (window){at, next_place(subject, at + width - 1) - 1};
}

/* How many places to try next: more when the last ones were cheap. */
static size_t next_width(sg_str subject, size_t width, int64_t took)
{
    size_t most = WINDOW_BYTES / (subject.len + 1);

    if (most < WINDOW_LEAST)
        most = WINDOW_LEAST;
    if (took > SLOW_NS)
        return width / 4 + 1;
    if (took < QUICK_NS)
        width *= 2;
    return width < most ? width : most;
}

static sr_re_result search_windows(const sr_regex *regex, sg_str subject,
                                   size_t at)
{
    const uint32_t share = share_of(subject, SMALL_LOG);
    const int64_t most = SEARCH_NS + (int64_t)subject.len * BYTE_NS;
    const int64_t began = processor_time();
    int64_t last = began;
    size_t width = WINDOW_LEAST;

    while (at <= subject.len) {
        const int64_t now = processor_time();
        if (now - began > most)
            return SR_RE_LIMIT;
        width = next_width(subject, width, now - last);
        last = now;
        window w = window_of(subject, at, width);
        sr_re_result result = run(regex, subject, w, share);
        if (result == SR_RE_LIMIT) {
            w = (window){at, at};
            width = 1;
            result = search_place(regex, subject, at);
        }
        if (result != SR_RE_NO)
            return result;
        at = next_place(subject, w.last);
    }
    return SR_RE_NO;
}

static sr_re_result search(const sr_regex *regex, sg_str subject, size_t start)
{
    if (regex->anchored)
        return search_place(regex, subject, start);
    if (subject.len - start > WHOLE_MOST)
        return search_windows(regex, subject, start);
    const window all = {start, subject.len};
    const sr_re_result result =
        run(regex, subject, all, share_of(subject, SMALL_LOG));
    return result == SR_RE_LIMIT ? search_windows(regex, subject, start)
                                 : result;
}

/* PCRE2 takes no NULL subject. */
static sg_str never_null(sg_str subject)
{
    return subject.len == 0 ? SG_S("") : subject;
}

sr_re_result sr_regex_match(const sr_regex *regex, sg_str subject)
{
    return search(regex, never_null(subject), 0);
}

bool sr_regex_exec(const sr_regex *regex, sg_str subject, size_t start,
                   size_t ovector[2 * SR_REGEX_GROUPS], unsigned *groups)
{
    if (start > subject.len ||
        search(regex, never_null(subject), start) != SR_RE_YES)
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
