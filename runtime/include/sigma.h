/*
 * sigma.h - packs of compiled Sigma rules inside a program of your own. Link
 * with libsigccrt.so (pkg-config sigma).
 *
 *   sigma_open      a pack: what `sigcc build --emit so` has made
 *   sigma_start     a session: one stream of events
 *   sigma_feed      an event; alerts come through a function of yours
 *   sigma_finish    there are no more events: what waited for that comes
 *   sigma_end, sigma_close
 *
 * Threads. A pack never changes once it is open: any number of threads may use
 * it at once. A session belongs to one thread at a time; different sessions,
 * also of one pack, share nothing that changes. The library has no global
 * state, sets no signal handlers, writes nothing to standard output or standard
 * error, and opens no file but those it is given. It reads the environment when
 * sessions start (SIGCC_SIMD and others, see a detector's --help): do not
 * change that meanwhile.
 *
 * Memory. When memory runs out the process ends, with a message on standard
 * error and exit code 3, as a detector does. What correlations hold is bounded
 * by the options --max-memory and --max-groups of a session.
 *
 * Stability. What is declared here stays as it is while the library is
 * libsigccrt.so.0. Structures that you fill begin with their size, and may get
 * further members, which are 0 in programs that do not know them; structures
 * that the library fills may, too, and you never allocate one. A pack is bound
 * to the ABI of sigma_abi.h instead: a library of another one refuses it
 * (SIGMA_E_ABI).
 *
 * The functions may be called from C++. One that fails leaves the pack or
 * session it was to give as it was, and fills nothing but the error.
 */
#ifndef SIGMA_H
#define SIGMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sigma_status {
#define STATUS(name, text) SIGMA_##name,
#include "sigma_status.def"
#undef STATUS
    SIGMA_STATUS_COUNT /* of this header; a library may know more */
} sigma_status;

/* What a status means in general; never NULL. */
const char *sigma_status_text(sigma_status status);
/* The version of the library that runs, such as "0.1.0". */
const char *sigma_version(void);

/* Text of a pack or of the library: len bytes of UTF-8, and a NUL behind them.
 * Text that is absent has len 0. */
typedef struct sigma_text {
    const char *ptr;
    size_t len;
} sigma_text;

/* Takes the reason of a failure: one line without its end, cut off where the
 * buffer ends, fit for a terminal whatever files and rules hold. */
typedef struct sigma_error {
    char text[512];
} sigma_error;

/* -------- packs ---------------------------------------------------------- */

typedef struct sigma_pack sigma_pack;

typedef struct sigma_open_options {
    size_t size; /* sizeof(sigma_open_options) */
    /* Path of a public key as minisign and `sigcc keygen` write it, or NULL.
     * With it a pack is loaded only if PATH.minisig is that key's signature of
     * it; else it is refused before any of its code runs: E_UNSIGNED (there is
     * no such file), E_SIGNATURE, E_FOREIGN or E_ALTERED. Without it the pack
     * is trusted: it is code, and runs with the rights of the program. */
    const char *public_key;
} sigma_open_options;

/* Load a pack. The file is read once, and what was read is what is verified
 * and loaded: changing the file meanwhile, or later, changes nothing. Needs
 * /proc. The pack goes to *out; `options` and `error` may be NULL. */
sigma_status sigma_open(const char *path, const sigma_open_options *options,
                        sigma_pack **out, sigma_error *error);
/* Let go of the pack, which lasts until the sessions that use it have ended.
 * Accepts NULL. */
void sigma_close(sigma_pack *pack);

/* A rule or a correlation of a pack; lasts as long as the pack. */
typedef struct sigma_rule_info {
    size_t index; /* among all of the pack */
    bool correlation;
    bool hidden; /* feeds correlations, raises no alert of its own */
    sigma_text id, name, title, level, status;
    sigma_text sha256; /* of its text, in hexadecimal */
    sigma_text digest; /* of what it computes, likewise */
} sigma_rule_info;

/* What is in the pack, rules first; NULL when there is no such index. */
size_t sigma_rule_count(const sigma_pack *pack);
const sigma_rule_info *sigma_rule_at(const sigma_pack *pack, size_t index);
/* What the pack was made from: JSON, as a detector's --manifest has it. */
sigma_text sigma_manifest(const sigma_pack *pack);

/* -------- sessions ------------------------------------------------------- */

typedef struct sigma_session sigma_session;

typedef enum sigma_kind {
    SIGMA_DETECTION,   /* an event matches a rule */
    SIGMA_CORRELATION, /* a correlation holds */
    SIGMA_ROW          /* a row of a correlation's report (--mode search) */
} sigma_kind;

/* What is found; lasts until the function returns. */
typedef struct sigma_alert {
    sigma_kind kind;
    const sigma_rule_info *rule; /* lasts as long as the pack */
    sigma_text json;             /* as a detector writes it, without line end */
} sigma_alert;

/* Called in the middle of sigma_feed and sigma_finish, in their thread, in the
 * order in which a detector writes. It may not use the session, and returns
 * normally: no longjmp, no exception. */
typedef void sigma_alert_fn(void *context, const sigma_alert *alert);

typedef struct sigma_start_options {
    size_t size; /* sizeof(sigma_start_options) */
    sigma_alert_fn *on_alert;
    void *context;      /* for on_alert */
    const char *source; /* alerts have it as source.path; NULL: "-" */
    /* Words as on a detector's command line, of the options that are about
     * what events mean: --mode, --time-field, --allowed-lateness,
     * --every-firing, --no-event, --max-groups, --max-memory, --exact-values,
     * --lookup, --max-enrich, --no-prefilter. E_OPTION for others. */
    const char *const *words;
    size_t word_count;
} sigma_start_options;

/* Begin a session. What `options` points to need not last, but for the
 * context. It goes to *out; `error` may be NULL. */
sigma_status sigma_start(sigma_pack *pack, const sigma_start_options *options,
                         sigma_session **out, sigma_error *error);
/* Forget the session, and what it has not told; sigma_finish comes before it
 * for whoever wants that. Accepts NULL. */
void sigma_end(sigma_session *session);

/* One event: a JSON object, of at most 16 MiB, on one line. Any bytes may be
 * given; a line end behind it, or none, makes no difference, and what is blank
 * is passed over. E_UNREADABLE: it is no event; that is counted, and the
 * session goes on. `json` may be NULL when len is 0. */
sigma_status sigma_feed(sigma_session *session, const char *json, size_t len);
/* All events have come: alerts that waited for later ones (--allowed-lateness,
 * --mode search) come now. Then only counters can be asked for. */
sigma_status sigma_finish(sigma_session *session);
/* Why the latest call on the session failed, as in sigma_error; empty when it
 * did not. Lasts until the next. */
const char *sigma_reason(const sigma_session *session);

/* -------- counters ------------------------------------------------------- */

/* What was counted so far: those of a detector's --stats, under the same
 * names. This structure stays as it is. */
typedef struct sigma_counter {
    const char *name, *meaning; /* last as long as the library */
    uint64_t value;
    bool loss; /* when it is not 0 something was left out */
} sigma_counter;

/* All of them; *count says how many. They last until the next call on the
 * session. NULL in the middle of another call. */
const sigma_counter *sigma_counters(sigma_session *session, size_t *count);

#ifdef __cplusplus
}
#endif

#endif
