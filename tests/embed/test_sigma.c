/*
 * test_sigma.c - sigma.h: each way in which a pack is refused, sessions and
 * their failures, counters, and threads that share a pack.
 */
#include "sigma.h"
#include "sign/sign.h"
#include "support/test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/sigcc-sigma-XXXXXX";

/* -------- files ---------------------------------------------------------- */

/* In the test's folder; lasts until the call after the next three. */
static const char *in_folder(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void put_file(const char *path, const void *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");

    CHECK(file != NULL && fwrite(bytes, 1, len, file) == len);
    if (file != NULL)
        (void)fclose(file);
}

/* All of a file; *len is its size. The caller frees it. */
static char *get_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    struct stat st = {0};

    CHECK(file != NULL && fstat(fileno(file), &st) == 0);
    *len = (size_t)st.st_size;
    char *bytes = malloc(*len + 1);

    CHECK(bytes != NULL && fread(bytes, 1, *len, file) == *len);
    (void)fclose(file);
    return bytes;
}

static void put_key(const char *path, const sr_public *key)
{
    sg_buf text = {0};

    sr_public_put(&text, key);
    put_file(path, text.ptr, text.len);
    sg_buf_free(&text);
}

static void sign(const char *path, const sr_secret *key)
{
    uint8_t digest[SR_BLAKE2B_MOST];
    char beside[160];
    sg_buf text = {0};
    size_t len;
    char *bytes = get_file(path, &len);

    sr_blake2b((sg_str){bytes, len}, digest, sizeof(digest));
    sr_signature_put(&text, key, digest, SG_S("a test"));
    (void)snprintf(beside, sizeof(beside), "%s.minisig", path);
    put_file(beside, text.ptr, text.len);
    sg_buf_free(&text);
    free(bytes);
}

/* -------- opening -------------------------------------------------------- */

/* The status of opening; the pack is closed again. Tells the reason when it is
 * not what is wanted. */
static void opens(const char *path, const char *key, sigma_status want,
                  const char *why)
{
    const sigma_open_options options = {sizeof(options), key};
    sigma_error error = {""};
    sigma_pack *pack = NULL;
    const sigma_status have = sigma_open(path, &options, &pack, &error);

    CHECK_INT(have, want);
    CHECK((pack != NULL) == (have == SIGMA_OK));
    if (have != want || strstr(error.text, why) == NULL) {
        CHECK(!"the reason");
        printf("  %s: have '%s', want '%s'\n", path, error.text, why);
    }
    sigma_close(pack);
}

static void test_arguments(void)
{
    sigma_open_options options = {sizeof(options), NULL};
    struct {
        sigma_open_options known;
        const void *unknown;
    } newer = {{sizeof(newer), NULL}, NULL};
    sigma_pack *pack = NULL;
    sigma_error error;

    CHECK_INT(sigma_open(NULL, NULL, &pack, &error), SIGMA_E_ARGUMENT);
    CHECK(strcmp(error.text, sigma_status_text(SIGMA_E_ARGUMENT)) == 0);
    CHECK_INT(sigma_open(PACK, NULL, NULL, NULL), SIGMA_E_ARGUMENT);
    options.size = 0;
    CHECK_INT(sigma_open(PACK, &options, &pack, NULL), SIGMA_E_ARGUMENT);
    /* A program of a later header: what it leaves 0 is not asked for. */
    CHECK_INT(sigma_open(PACK, &newer.known, &pack, NULL), SIGMA_OK);
    sigma_close(pack);
    pack = NULL;
    newer.unknown = &error;
    CHECK_INT(sigma_open(PACK, &newer.known, &pack, NULL), SIGMA_E_ARGUMENT);
    /* One of an earlier header knows fewer members. */
    options.size = sizeof(size_t);
    options.public_key = "not looked at";
    CHECK_INT(sigma_open(PACK, &options, &pack, NULL), SIGMA_OK);
    sigma_close(pack);
    sigma_close(NULL);
    CHECK(sigma_rule_count(NULL) == 0 && sigma_rule_at(NULL, 0) == NULL);
    CHECK(sigma_manifest(NULL).len == 0);
    for (int i = 0; i <= SIGMA_STATUS_COUNT; i++)
        CHECK(*sigma_status_text((sigma_status)i) != '\0');
    CHECK(strcmp(sigma_version(), "0.1.0") == 0);
}

static void test_not_a_pack(void)
{
    size_t len;
    char *bytes = get_file(PACK, &len);

    opens(PACK, NULL, SIGMA_OK, "");
    opens(in_folder("nothing"), NULL, SIGMA_E_FILE, "No such file");
    opens(folder, NULL, SIGMA_E_FILE, "it is no regular file");
    opens("/dev/zero", NULL, SIGMA_E_FILE, "it is no regular file");
    put_file(in_folder("empty"), "", 0);
    opens(in_folder("empty"), NULL, SIGMA_E_FILE, "it is empty");
    put_file(in_folder("text"), "sigma\n", 6);
    opens(in_folder("text"), NULL, SIGMA_E_NOT_A_PACK, "no shared object");
    opens(FOREIGN, NULL, SIGMA_E_NOT_A_PACK, "no manifest");
    opens(PACK_PLAIN, NULL, SIGMA_E_NOT_A_PACK, "--emit so");
    opens(PACK_ABI, NULL, SIGMA_E_ABI, "the pack has ABI 99");
    opens(PACK_BROKEN, NULL, SIGMA_E_BROKEN, "");
    /* What is cut off never comes to the system's loader. */
    for (size_t cut = 1; cut < len && cut < 3000; cut += 37) {
        put_file(in_folder("cut"), bytes, cut);
        opens(in_folder("cut"), NULL, SIGMA_E_NOT_A_PACK, "");
    }
    put_file(in_folder("\x1b[31m.so"), bytes, 100);
    opens(in_folder("\x1b[31m.so"), NULL, SIGMA_E_NOT_A_PACK, "\\x1B[31m");
    free(bytes);
}

static void test_signatures(void)
{
    sr_public mine, other;
    sr_secret secret, other_secret;
    size_t len, sig_len;

    sr_keys_make(&mine, &secret);
    sr_keys_make(&other, &other_secret);
    put_key(in_folder("mine.pub"), &mine);
    put_key(in_folder("other.pub"), &other);
    char *bytes = get_file(PACK, &len);
    char path[128], key[128];

    (void)strcpy(path, in_folder("pack.so"));
    (void)strcpy(key, in_folder("mine.pub"));
    put_file(path, bytes, len);
    opens(path, key, SIGMA_E_UNSIGNED, "the pack has no signature");
    sign(path, &secret);
    opens(path, key, SIGMA_OK, "");
    opens(path, in_folder("other.pub"), SIGMA_E_FOREIGN, "another key");
    opens(path, in_folder("nothing"), SIGMA_E_FILE, "nothing: No such file");
    opens(path, path, SIGMA_E_FILE, "too large");
    put_file(in_folder("no.pub"), "no key\n", 7);
    opens(path, in_folder("no.pub"), SIGMA_E_KEY, "no public key");

    /* The key's id without its signature. */
    sr_secret forged = other_secret;

    memcpy(forged.id, mine.id, sizeof(forged.id));
    sign(path, &forged);
    opens(path, key, SIGMA_E_ALTERED, "it is not what was signed");
    sign(path, &secret);

    /* Each byte counts; nothing of an altered pack is loaded. */
    for (size_t at = 0; at < len; at += len / 50 + 1) {
        bytes[at] ^= 1;
        put_file(path, bytes, len);
        opens(path, key, SIGMA_E_ALTERED, "it is not what was signed");
        bytes[at] ^= 1;
    }
    put_file(path, bytes, len - 1);
    opens(path, key, SIGMA_E_ALTERED, "");
    put_file(path, "#!/bin/sh\n", 10);
    opens(path, key, SIGMA_E_ALTERED, "");
    put_file(path, bytes, len);

    /* A signature that is cut off anywhere is none. */
    char beside[160];

    (void)snprintf(beside, sizeof(beside), "%s.minisig", path);
    char *text = get_file(beside, &sig_len);

    for (size_t cut = 0; cut < sig_len - 1; cut++) {
        put_file(beside, text, cut);
        opens(path, key, SIGMA_E_SIGNATURE, "");
    }
    put_file(beside, text, sig_len);
    strstr(text, "a test")[0] = 'b';
    put_file(beside, text, sig_len);
    opens(path, key, SIGMA_E_SIGNATURE, "comment of the signature was altered");
    free(text);
    free(bytes);
}

/* -------- sessions ------------------------------------------------------- */

typedef struct seen {
    sigma_session *session; /* for the call that is refused */
    char text[1 << 14];
    size_t len;
    unsigned of[3];
    const char *busy; /* what such a call came to */
} seen;

static void on_alert(void *context, const sigma_alert *alert)
{
    seen *s = context;

    s->of[alert->kind]++;
    if (s->session != NULL) {
        size_t count;

        CHECK_INT(sigma_feed(s->session, "{}", 2), SIGMA_E_BUSY);
        CHECK_INT(sigma_finish(s->session), SIGMA_E_BUSY);
        CHECK(sigma_counters(s->session, &count) == NULL);
    }
    if (strlen(alert->json.ptr) == alert->json.len &&
        memchr(alert->json.ptr, '\n', alert->json.len) == NULL &&
        alert->json.len < sizeof(s->text) - s->len) {
        memcpy(s->text + s->len, alert->json.ptr, alert->json.len + 1);
        s->len += alert->json.len;
    }
}

static sigma_pack *open_pack(void)
{
    sigma_pack *pack = NULL;

    CHECK_INT(sigma_open(PACK, NULL, &pack, NULL), SIGMA_OK);
    return pack;
}

static sigma_session *start(sigma_pack *pack, seen *to,
                            const char *const *words, size_t count)
{
    const sigma_start_options options = {.size = sizeof(options),
                                         .on_alert = on_alert,
                                         .context = to,
                                         .source = "here",
                                         .words = words,
                                         .word_count = count};
    sigma_session *session = NULL;
    sigma_error error = {""};

    *to = (seen){.len = 0};
    if (sigma_start(pack, &options, &session, &error) != SIGMA_OK)
        printf("%s\n", error.text);
    return session;
}

static sigma_status feed(sigma_session *s, const char *text)
{
    return sigma_feed(s, text, strlen(text));
}

static uint64_t counter(sigma_session *s, const char *name)
{
    size_t count = 0;
    const sigma_counter *counters = sigma_counters(s, &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(counters[i].name, name) == 0)
            return counters[i].value;
    CHECK(!"a counter of that name");
    return 0;
}

#define FAIL(second, user)                                                     \
    "{\"ts\":\"2026-01-02T03:04:" second "Z\",\"kind\":\"FAIL\",\"user\":"     \
    "\"" user "\",\"port\":25}"

static void test_rules(void)
{
    sigma_pack *pack = open_pack();
    const sigma_rule_info *rule = sigma_rule_at(pack, 0);

    CHECK_INT(sigma_rule_count(pack), 4);
    CHECK(rule != NULL && rule->index == 0 && !rule->correlation);
    CHECK(strcmp(rule->title.ptr, "Failed") == 0 && rule->title.len == 6);
    CHECK(strcmp(rule->level.ptr, "high") == 0 && rule->name.len == 0);
    CHECK(sigma_rule_at(pack, 1)->hidden);
    rule = sigma_rule_at(pack, 2);
    CHECK(rule->index == 2 && rule->correlation && !rule->hidden);
    CHECK(strcmp(rule->title.ptr, "many") == 0);
    CHECK(sigma_rule_at(pack, 4) == NULL);
    CHECK(strstr(sigma_manifest(pack).ptr, "sigcc.manifest/1") != NULL);
    sigma_close(pack);
}

static void test_session(void)
{
    static seen got;
    sigma_pack *pack = open_pack();
    sigma_session *s = start(pack, &got, NULL, 0);

    /* The pack lasts as long as the session. */
    sigma_close(pack);
    got.session = s;
    CHECK_INT(feed(s, FAIL("05", "ann")), SIGMA_OK);
    CHECK_INT(got.of[SIGMA_DETECTION], 1);
    CHECK(strstr(got.text, "\"source\":{\"path\":\"here\",\"line\":1}") !=
          NULL);
    CHECK_INT(feed(s, FAIL("06", "ann") "\r\n"), SIGMA_OK);
    CHECK_INT(got.of[SIGMA_CORRELATION], 1);
    CHECK_INT(feed(s, " \t"), SIGMA_OK);
    CHECK_INT(sigma_feed(s, NULL, 0), SIGMA_OK);
    CHECK_INT(sigma_feed(s, NULL, 1), SIGMA_E_ARGUMENT);
    CHECK_INT(sigma_feed(NULL, "", 0), SIGMA_E_ARGUMENT);
    CHECK(*sigma_reason(s) == '\0');
    CHECK_INT(feed(s, "{\"a\":"), SIGMA_E_UNREADABLE);
    CHECK(strstr(sigma_reason(s), "here:5:6: unreadable: ") != NULL);
    CHECK_INT(feed(s, "{\"a\":1,\n\"b\":2}"), SIGMA_E_UNREADABLE);
    CHECK(strcmp(sigma_reason(s), "here:6:8: unreadable: a line feed inside of "
                                  "the event") == 0);
    CHECK_INT(sigma_feed(s, "{\"a\":\"\0\"}", 9), SIGMA_E_UNREADABLE);
    CHECK_INT(feed(s, "{}"), SIGMA_OK);
    CHECK(*sigma_reason(s) == '\0');
    CHECK_INT(counter(s, "lines"), 8);
    CHECK_INT(counter(s, "events"), 3);
    CHECK_INT(counter(s, "unreadable"), 3);
    CHECK_INT(counter(s, "alerts"), 3);
    CHECK_INT(counter(s, "alerts"), 3);
    CHECK_INT(sigma_finish(s), SIGMA_OK);
    CHECK_INT(sigma_finish(s), SIGMA_E_FINISHED);
    CHECK_INT(feed(s, "{}"), SIGMA_E_FINISHED);
    CHECK_INT(sigma_finish(NULL), SIGMA_E_ARGUMENT);
    CHECK_INT(counter(s, "groups"), 2);
    sigma_end(s);
    sigma_end(NULL);
}

static void test_longest(void)
{
    enum { MOST = 16 << 20 };
    static seen got;
    sigma_pack *pack = open_pack();
    sigma_session *s = start(pack, &got, NULL, 0);
    char *event = malloc(MOST + 1);

    CHECK(event != NULL);
    memset(event, ' ', MOST + 1);
    memcpy(event, "{}", 2);
    CHECK_INT(sigma_feed(s, event, MOST), SIGMA_OK);
    CHECK_INT(sigma_feed(s, event, MOST + 1), SIGMA_E_UNREADABLE);
    CHECK(strstr(sigma_reason(s), "longer than 16 MiB") != NULL);
    free(event);
    sigma_end(s);
    sigma_close(pack);
}

static void test_search(void)
{
    static const char *const words[] = {"--mode", "search", "--no-event"};
    static seen got;
    sigma_pack *pack = open_pack();
    sigma_session *s = start(pack, &got, words, 3);

    CHECK_INT(feed(s, FAIL("05", "ann")), SIGMA_OK);
    CHECK_INT(feed(s, FAIL("06", "ann")), SIGMA_OK);
    CHECK_INT(got.of[SIGMA_DETECTION], 2);
    CHECK(strstr(got.text, "\"event\"") == NULL);
    CHECK_INT(got.of[SIGMA_ROW], 0);
    CHECK_INT(sigma_finish(s), SIGMA_OK);
    CHECK_INT(got.of[SIGMA_ROW], 1);
    CHECK(strstr(got.text, "\"Count\":2") != NULL);
    sigma_end(s);
    sigma_close(pack);
}

static void test_lateness(void)
{
    static const char *const words[] = {"--allowed-lateness=10s"};
    static seen got;
    sigma_pack *pack = open_pack();
    sigma_session *s = start(pack, &got, words, 1);

    CHECK_INT(feed(s, FAIL("06", "ann")), SIGMA_OK);
    CHECK_INT(feed(s, FAIL("05", "ann")), SIGMA_OK);
    CHECK_INT(got.of[SIGMA_CORRELATION], 0);
    CHECK_INT(sigma_finish(s), SIGMA_OK);
    CHECK_INT(got.of[SIGMA_CORRELATION], 1);
    sigma_end(s);
    sigma_close(pack);
}

static void test_options(void)
{
    static const struct {
        const char *word, *why;
    } cases[] = {{"--nonsense", "nonsense"},
                 {"--mode=x", "--mode takes"},
                 {"--output=x", "--output has no place in a session"},
                 {"--rejects=x", "--rejects has"},
                 {"--late=x", "--late has"},
                 {"--state=x", "--state has"},
                 {"--threads=2", "--threads has"},
                 {"--follow", "--follow has"},
                 {"--strict", "--strict has"},
                 {"--unchecked", "--unchecked has"},
                 {"--stats", "--stats has"},
                 {"--profile", "--profile has"},
                 {"--format=csv", "--format has"},
                 {"--no-sandbox", "--no-sandbox has"},
                 {"--cpu-limit=1", "--cpu-limit has"},
                 {"--memory-limit=1G", "--memory-limit has"},
                 {"--help", "--list and the like has"},
                 {"map", "map, reduce"},
                 {"file", "FILE has no place"},
                 {"--lookup=a=b", "this detector has no lookup 'a'"}};
    sigma_pack *pack = open_pack();
    sigma_start_options options = {
        .size = sizeof(options), .on_alert = on_alert, .word_count = 1};
    sigma_session *s = NULL;
    sigma_error error;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        options.words = &cases[i].word;
        CHECK_INT(sigma_start(pack, &options, &s, &error), SIGMA_E_OPTION);
        CHECK(strstr(error.text, cases[i].why) != NULL);
    }
    options.words = NULL;
    CHECK_INT(sigma_start(pack, &options, &s, &error), SIGMA_E_ARGUMENT);
    options.word_count = 0;
    CHECK_INT(sigma_start(NULL, &options, &s, &error), SIGMA_E_ARGUMENT);
    CHECK_INT(sigma_start(pack, NULL, &s, &error), SIGMA_E_ARGUMENT);
    CHECK_INT(sigma_start(pack, &options, NULL, NULL), SIGMA_E_ARGUMENT);
    options.on_alert = NULL;
    CHECK_INT(sigma_start(pack, &options, &s, &error), SIGMA_E_ARGUMENT);
    CHECK(s == NULL && *sigma_reason(s) == '\0');
    sigma_close(pack);
}

/* -------- threads -------------------------------------------------------- */

enum { THREADS = 8, ROUNDS = 40 };

typedef struct worker {
    pthread_t thread;
    sigma_pack *pack; /* that all share */
    seen seen;
    bool good;
} worker;

/* TSan does not see what the loader maps, and takes it for what was there
 * before: for it packs come and go one at a time. */
#if defined(__SANITIZE_THREAD__)
#define HAVE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAVE_TSAN 1
#endif
#endif

#ifdef HAVE_TSAN
static pthread_mutex_t loader = PTHREAD_MUTEX_INITIALIZER;

static void lock(void)
{
    (void)pthread_mutex_lock(&loader);
}

static void unlock(void)
{
    (void)pthread_mutex_unlock(&loader);
}
#else
static void lock(void)
{
}

static void unlock(void)
{
}
#endif

static void feed_all(sigma_session *s)
{
    (void)feed(s, FAIL("05", "ann"));
    (void)feed(s, FAIL("06", "ann"));
    (void)feed(s, "no event");
    (void)feed(s, FAIL("07", "bob"));
    (void)sigma_finish(s);
}

static void *run(void *arg)
{
    static const sigma_start_options plain = {.size = sizeof(plain)};
    worker *w = arg;

    w->good = true;
    for (unsigned i = 0; i < ROUNDS; i++) {
        sigma_start_options options = plain;
        sigma_session *s = NULL;
        sigma_pack *own = NULL;

        options.on_alert = on_alert;
        options.context = &w->seen;
        w->seen = (seen){.len = 0};
        lock();
        w->good &= sigma_open(PACK, NULL, &own, NULL) == SIGMA_OK;
        unlock();
        w->good &= sigma_start(i % 2 == 0 ? w->pack : own, &options, &s,
                               NULL) == SIGMA_OK;
        feed_all(s);
        lock();
        sigma_close(own);
        sigma_end(s);
        unlock();
    }
    return NULL;
}

static void test_threads(void)
{
    static worker workers[THREADS];
    sigma_pack *pack = open_pack();

    for (unsigned i = 0; i < THREADS; i++) {
        workers[i].pack = pack;
        CHECK_INT(pthread_create(&workers[i].thread, NULL, run, &workers[i]),
                  0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_join(workers[i].thread, NULL), 0);
        CHECK(workers[i].good && workers[i].seen.of[SIGMA_DETECTION] == 3 &&
              workers[i].seen.of[SIGMA_CORRELATION] == 1);
        CHECK(strcmp(workers[i].seen.text, workers[0].seen.text) == 0);
    }
    sigma_close(pack);
}

int main(void)
{
    char command[64];

    CHECK(mkdtemp(folder) != NULL);
    test_arguments();
    test_not_a_pack();
    test_signatures();
    test_rules();
    test_session();
    test_longest();
    test_search();
    test_lateness();
    test_options();
    test_threads();
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    CHECK(system(command) == 0);
    return TEST_END();
}
