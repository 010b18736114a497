/*
 * sign.c - `sigcc keygen`, `sigcc sign` and `sigcc verify`: detectors, or any
 * other files, that can be trusted wherever they were.
 */
#include "sign/sign.h"
#include "driver/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { PASSWORD_MOST = 1024 };

static int fail(sg_str path, const char *what, const char *why)
{
    return sc_fail_file(SC_EXIT_REJECTED, what, path, why);
}

/* -------- passwords ------------------------------------------------------ */

/* One line from the terminal, which does not show it. */
static bool ask(const char *question, char *out)
{
    FILE *tty = fopen("/dev/tty", "r+e");
    struct termios shown, hidden;

    if (tty == NULL || tcgetattr(fileno(tty), &shown) != 0) {
        if (tty != NULL)
            (void)fclose(tty);
        return false;
    }
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    (void)tcsetattr(fileno(tty), TCSAFLUSH, &hidden);
    (void)fprintf(tty, "%s: ", question);
    (void)fflush(tty);
    const bool done = fgets(out, PASSWORD_MOST, tty) != NULL;

    (void)fputc('\n', tty);
    (void)tcsetattr(fileno(tty), TCSAFLUSH, &shown);
    (void)fclose(tty);
    if (done)
        out[strcspn(out, "\r\n")] = '\0';
    return done;
}

/* From the environment, or who sits there; asked twice for a new key. */
static bool get_password(bool twice, char *out)
{
    const char *set = getenv("SIGCC_PASSWORD");
    char again[PASSWORD_MOST];

    if (set != NULL && strlen(set) < PASSWORD_MOST) {
        (void)strcpy(out, set);
        return true;
    }
    if (!ask(twice ? "Password for the new key" : "Password of the key", out) ||
        (twice && !ask("The same again", again)))
        return false;
    const bool same = !twice || strcmp(out, again) == 0;

    sr_wipe(again, sizeof(again));
    return same;
}

/* -------- keygen --------------------------------------------------------- */

/* A file that must not be there yet. */
static const char *create(const char *path, mode_t mode, sg_str text)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

    if (fd < 0)
        return strerror(errno);
    const char *why =
        sc_write_all(fd, text) && fsync(fd) == 0 ? NULL : strerror(errno);

    (void)close(fd);
    if (why != NULL)
        (void)unlink(path);
    return why;
}

static int write_keys(sc_session *s, sg_str name, sg_str password)
{
    const sg_str key = sg_arena_printf(&s->arena, "%.*s.key", SG_FMT(name));
    const sg_str pub = sg_arena_printf(&s->arena, "%.*s.pub", SG_FMT(name));
    sg_buf text = {0}, public_text = {0};
    sr_public public_key;
    sr_secret secret;
    int code = SC_EXIT_OK;

    sr_keys_make(&public_key, &secret);
    sr_public_put(&public_text, &public_key);
    const char *why = sr_secret_put(&text, &secret, password)
                          ? create(key.ptr, 0600, sg_buf_str(&text))
                          : "not enough memory to encrypt it";

    if (why != NULL) {
        code = fail(key, "cannot write", why);
    } else if ((why = create(pub.ptr, 0644, sg_buf_str(&public_text))) !=
               NULL) {
        (void)unlink(key.ptr);
        code = fail(pub, "cannot write", why);
    }
    sr_wipe(&secret, sizeof(secret));
    sr_wipe(text.ptr, text.len);
    sg_buf_free(&text);
    sg_buf_free(&public_text);
    return code;
}

int sc_cmd_keygen(sc_session *s, const sc_options *o)
{
    char password[PASSWORD_MOST] = "";

    if (o->paths.count > 1)
        return sc_fail(SC_EXIT_USAGE, "name one key at a time");
    if (!o->no_password && !get_password(true, password))
        return sc_fail(SC_EXIT_FAILED,
                       "no password: there is no terminal and no "
                       "$SIGCC_PASSWORD, or the two differ");
    const int code = write_keys(s, o->paths.items[0], sg_str_of(password));

    sr_wipe(password, sizeof(password));
    return code;
}

/* -------- sign ----------------------------------------------------------- */

/* A file of keys or a signature: never large. */
static const char *read_text(const char *path, sg_buf *out)
{
    FILE *file = fopen(path, "rbe");

    if (file == NULL)
        return strerror(errno);
    sg_buf_reserve(out, SR_SIGN_TEXT);
    out->len = fread(out->ptr, 1, SR_SIGN_TEXT, file);
    const char *why = ferror(file) != 0          ? strerror(errno)
                      : out->len == SR_SIGN_TEXT ? "it is too large for that"
                                                 : NULL;

    (void)fclose(file);
    return why;
}

static const char *digest_of(const char *path, uint8_t out[SR_BLAKE2B_MOST])
{
    FILE *file = fopen(path, "rbe");

    if (file == NULL)
        return strerror(errno);
    const bool done = sr_blake2b_file(file, out);
    const char *why = done ? NULL : strerror(errno);

    (void)fclose(file);
    return why;
}

static const char *read_secret(sg_str path, sr_secret *secret)
{
    char password[PASSWORD_MOST] = "";
    sg_buf text = {0};
    const char *why = read_text(path.ptr, &text);

    if (why == NULL && sr_secret_encrypted(sg_buf_str(&text)) &&
        !get_password(false, password))
        why = "no password: there is no terminal and no $SIGCC_PASSWORD";
    if (why == NULL)
        why = sr_secret_get(sg_buf_str(&text), sg_str_of(password), secret);
    sr_wipe(password, sizeof(password));
    sr_wipe(text.ptr, text.len);
    sg_buf_free(&text);
    return why;
}

/* Now, unless the builder says when. */
static uint64_t timestamp(void)
{
    const char *set = getenv("SOURCE_DATE_EPOCH");

    return set != NULL ? strtoull(set, NULL, 10) : (uint64_t)time(NULL);
}

static sg_str base_name(sg_str path)
{
    for (size_t i = path.len; i != 0; i--)
        if (path.ptr[i - 1] == '/')
            return sg_str_sub(path, i, path.len);
    return path;
}

static int sign_file(sc_session *s, sg_str path, const sr_secret *secret)
{
    uint8_t digest[SR_BLAKE2B_MOST];
    sg_buf comment = {0}, out = {0};
    const char *why = digest_of(path.ptr, digest);

    if (why != NULL)
        return fail(path, "cannot read", why);
    sg_buf_printf(&comment, "timestamp:%" PRIu64 "\tfile:", timestamp());
    sc_put_safe(&comment, base_name(path));
    sg_buf_putz(&comment, "\thashed");
    sr_signature_put(&out, secret, digest, sg_buf_str(&comment));
    const bool done = sc_path_write(
        &s->arena, sg_arena_printf(&s->arena, "%.*s.minisig", SG_FMT(path)),
        sg_buf_str(&out));

    sg_buf_free(&comment);
    sg_buf_free(&out);
    return done ? SC_EXIT_OK : SC_EXIT_REJECTED; /* it has said why */
}

int sc_cmd_sign(sc_session *s, const sc_options *o)
{
    sr_secret secret;
    int code = SC_EXIT_OK;

    if (o->key.len == 0)
        return sc_fail(SC_EXIT_USAGE, "which key? --key FILE");
    const char *why = read_secret(o->key, &secret);

    if (why != NULL)
        return fail(o->key, "cannot use the key", why);
    for (uint32_t i = 0; i < o->paths.count && code == SC_EXIT_OK; i++)
        code = sign_file(s, o->paths.items[i], &secret);
    sr_wipe(&secret, sizeof(secret));
    return code;
}

/* -------- verify --------------------------------------------------------- */

/* A file, or the key itself. */
static const char *read_public(sg_str key, sr_public *pub)
{
    sg_buf text = {0};

    if (sr_public_get(key, pub) == NULL)
        return NULL;
    const char *why = read_text(key.ptr, &text);

    if (why == NULL)
        why = sr_public_get(sg_buf_str(&text), pub);
    sg_buf_free(&text);
    return why;
}

static int verify_file(sc_session *s, sg_str path, const sr_public *pub)
{
    const sg_str beside =
        sg_arena_printf(&s->arena, "%.*s.minisig", SG_FMT(path));
    uint8_t digest[SR_BLAKE2B_MOST];
    sg_buf text = {0}, shown = {0};
    sg_str comment = SG_S("");
    const char *why = digest_of(path.ptr, digest);

    if (why == NULL && (why = read_text(beside.ptr, &text)) != NULL)
        why = errno == ENOENT ? "it is not signed" : why;
    if (why == NULL)
        why = sr_verdict_text(
            sr_signature_check(sg_buf_str(&text), pub, digest, &comment));
    if (why == NULL) {
        sc_put_safe(&shown, path);
        sg_buf_putz(&shown, ": ");
        sc_put_safe(&shown, comment);
        printf("%.*s\n", SG_FMT(sg_buf_str(&shown)));
    }
    const int code = why == NULL ? SC_EXIT_OK : fail(path, "do not trust", why);

    sg_buf_free(&text);
    sg_buf_free(&shown);
    return code;
}

int sc_cmd_verify(sc_session *s, const sc_options *o)
{
    sr_public pub;
    int code = SC_EXIT_OK;

    if (o->key.len == 0)
        return sc_fail(SC_EXIT_USAGE, "whose signature? --key FILE");
    const char *why = read_public(o->key, &pub);

    if (why != NULL)
        return fail(o->key, "cannot use the key", why);
    for (uint32_t i = 0; i < o->paths.count; i++)
        if (verify_file(s, o->paths.items[i], &pub) != SC_EXIT_OK)
            code = SC_EXIT_REJECTED;
    return code;
}
