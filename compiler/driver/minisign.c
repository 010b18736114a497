/*
 * minisign.c - minisign's formats. Each file is lines: a comment that nobody
 * signs, base64; of a signature also a comment that is signed, and base64.
 * Only signatures of the file's BLAKE2b digest are written and taken ("ED"), as
 * minisign makes them today.
 */
#include "driver/minisign.h"

#include <string.h>

enum {
    CHECKSUM = 32,
    PLAIN = SC_KEY_ID + SC_SECRET_KEY + CHECKSUM, /* what is encrypted */
    /* libsodium's "sensitive", as minisign uses it: a second and 1 GiB. */
    OPS = 33554432,
    MEMORY = 1 << 30
};

static const char UNTRUSTED[] = "untrusted comment: ";
static const char TRUSTED[] = "trusted comment: ";

typedef struct public_line {
    char algorithm[2];
    uint8_t id[SC_KEY_ID], key[SC_PUBLIC_KEY];
} public_line;

typedef struct secret_line {
    char algorithm[2], kdf[2], checksum[2];
    uint8_t salt[SC_SALT], ops[8], memory[8], body[PLAIN];
} secret_line;

typedef struct signature_line {
    char algorithm[2];
    uint8_t id[SC_KEY_ID], signature[SC_SIGNATURE];
} signature_line;

_Static_assert(sizeof(public_line) == 42 && sizeof(secret_line) == 158 &&
                   sizeof(signature_line) == 74,
               "nothing between the members");

static sg_str str_of(const void *bytes, size_t len)
{
    return (sg_str){bytes, len};
}

/* The next line, without its end. */
static sg_str next_line(sg_str *rest)
{
    const size_t end = sg_str_find(*rest, SG_S("\n"));
    sg_str line = sg_str_sub(*rest, 0, end);

    *rest = end == SIZE_MAX ? SG_S("") : sg_str_sub(*rest, end + 1, rest->len);
    if (line.len != 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* The line of base64 below the comment. */
static bool get_body(sg_str text, void *out, size_t len)
{
    return sg_str_starts(next_line(&text), sg_str_of(UNTRUSTED)) &&
           sc_unbase64(next_line(&text), out, len);
}

static void put_id(sg_buf *out, const uint8_t id[SC_KEY_ID])
{
    for (unsigned i = SC_KEY_ID; i-- != 0;)
        sg_buf_printf(out, "%02X", id[i]);
}

/* -------- keys ----------------------------------------------------------- */

void sc_keys_make(sc_public *pub, sc_secret *secret)
{
    sc_random(pub->id, sizeof(pub->id));
    memcpy(secret->id, pub->id, sizeof(pub->id));
    sc_key_pair(pub->key, secret->key);
}

void sc_public_put(sg_buf *out, const sc_public *pub)
{
    public_line line = {{'E', 'd'}, {0}, {0}};

    memcpy(line.id, pub->id, sizeof(line.id));
    memcpy(line.key, pub->key, sizeof(line.key));
    sg_buf_printf(out, "%sminisign public key ", UNTRUSTED);
    put_id(out, pub->id);
    sg_buf_putc(out, '\n');
    sc_put_base64(out, &line, sizeof(line));
    sg_buf_putc(out, '\n');
}

const char *sc_public_get(sg_str text, sc_public *pub)
{
    public_line line;
    sg_str rest = text;

    if (!get_body(text, &line, sizeof(line)) &&
        !sc_unbase64(next_line(&rest), &line, sizeof(line)))
        return "it is no public key of minisign's";
    if (memcmp(line.algorithm, "Ed", 2) != 0)
        return "its algorithm is not known";
    memcpy(pub->id, line.id, sizeof(pub->id));
    memcpy(pub->key, line.key, sizeof(pub->key));
    return NULL;
}

/* What tells a wrong password from a right one. */
static void put_checksum(uint8_t body[PLAIN])
{
    uint8_t text[2 + SC_KEY_ID + SC_SECRET_KEY] = {'E', 'd'};

    memcpy(text + 2, body, sizeof(text) - 2);
    sc_blake2b(str_of(text, sizeof(text)), body + sizeof(text) - 2, CHECKSUM);
    sc_wipe(text, sizeof(text));
}

/* Encrypt or decrypt. */
static bool cover(secret_line *line, sg_str password)
{
    sg_reader ops = {str_of(line->ops, 8), false};
    sg_reader memory = {str_of(line->memory, 8), false};
    uint8_t stream[PLAIN];
    const uint64_t most = sg_read_u64(&memory);

    if (most > 2 * (uint64_t)MEMORY ||
        !sc_scrypt(password, line->salt, sg_read_u64(&ops), most, stream,
                   sizeof(stream)))
        return false;
    for (size_t i = 0; i < PLAIN; i++)
        line->body[i] ^= stream[i];
    sc_wipe(stream, sizeof(stream));
    return true;
}

bool sc_secret_put(sg_buf *out, const sc_secret *secret, sg_str password)
{
    secret_line line = {.algorithm = {'E', 'd'}, .checksum = {'B', '2'}};
    sg_buf numbers = {0};
    bool done = true;

    memcpy(line.body, secret->id, SC_KEY_ID);
    memcpy(line.body + SC_KEY_ID, secret->key, SC_SECRET_KEY);
    if (password.len != 0) {
        put_checksum(line.body);
        memcpy(line.kdf, "Sc", 2);
        sc_random(line.salt, sizeof(line.salt));
        sg_put_u64(&numbers, OPS);
        sg_put_u64(&numbers, MEMORY);
        memcpy(line.ops, numbers.ptr, sizeof(line.ops) + sizeof(line.memory));
        done = cover(&line, password);
    }
    sg_buf_printf(out, "%sminisign %ssecret key\n", UNTRUSTED,
                  password.len != 0 ? "encrypted " : "");
    sc_put_base64(out, &line, sizeof(line));
    sg_buf_putc(out, '\n');
    sg_buf_free(&numbers);
    sc_wipe(&line, sizeof(line));
    return done;
}

bool sc_secret_encrypted(sg_str text)
{
    secret_line line;
    const bool is =
        get_body(text, &line, sizeof(line)) && memcmp(line.kdf, "Sc", 2) == 0;

    sc_wipe(&line, sizeof(line));
    return is;
}

static const char *open_secret(secret_line *line, sg_str password,
                               sc_secret *secret)
{
    uint8_t copy[PLAIN];

    if (memcmp(line->algorithm, "Ed", 2) != 0 ||
        memcmp(line->checksum, "B2", 2) != 0 ||
        (memcmp(line->kdf, "Sc", 2) != 0 && memcmp(line->kdf, "\0\0", 2) != 0))
        return "its algorithm is not known";
    if (line->kdf[0] != '\0' && !cover(line, password))
        return "there is not enough memory to decrypt it";
    memcpy(copy, line->body, PLAIN);
    put_checksum(copy);
    /* Keys without a password have none. */
    const bool same =
        line->kdf[0] == '\0' || memcmp(copy, line->body, PLAIN) == 0;

    sc_wipe(copy, sizeof(copy));
    if (!same)
        return "the password is wrong";
    memcpy(secret->id, line->body, SC_KEY_ID);
    memcpy(secret->key, line->body + SC_KEY_ID, SC_SECRET_KEY);
    return NULL;
}

const char *sc_secret_get(sg_str text, sg_str password, sc_secret *secret)
{
    secret_line line;
    const char *why = get_body(text, &line, sizeof(line))
                          ? open_secret(&line, password, secret)
                          : "it is no secret key of minisign's";

    sc_wipe(&line, sizeof(line));
    return why;
}

/* -------- signatures ----------------------------------------------------- */

/* What the second signature is of. */
static void put_signed(sg_buf *out, const uint8_t signature[SC_SIGNATURE],
                       sg_str comment)
{
    sg_buf_put(out, str_of(signature, SC_SIGNATURE));
    sg_buf_put(out, comment);
}

void sc_signature_put(sg_buf *out, const sc_secret *secret,
                      const uint8_t digest[SC_BLAKE2B_MOST], sg_str comment)
{
    signature_line line = {.algorithm = {'E', 'D'}};
    uint8_t whole[SC_SIGNATURE];
    sg_buf both = {0};

    memcpy(line.id, secret->id, sizeof(line.id));
    sc_sign(str_of(digest, SC_BLAKE2B_MOST), secret->key, line.signature);
    put_signed(&both, line.signature, comment);
    sc_sign(sg_buf_str(&both), secret->key, whole);
    sg_buf_free(&both);
    sg_buf_printf(out, "%ssignature from a sigcc secret key\n", UNTRUSTED);
    sc_put_base64(out, &line, sizeof(line));
    sg_buf_printf(out, "\n%s%.*s\n", TRUSTED, SG_FMT(comment));
    sc_put_base64(out, whole, sizeof(whole));
    sg_buf_putc(out, '\n');
}

const char *sc_signature_check(sg_str text, const sc_public *pub,
                               const uint8_t digest[SC_BLAKE2B_MOST],
                               sg_str *comment)
{
    signature_line line;
    uint8_t whole[SC_SIGNATURE];
    sg_buf both = {0};

    if (!get_body(text, &line, sizeof(line)))
        return "the signature is damaged";
    (void)next_line(&text);
    (void)next_line(&text);
    *comment = next_line(&text);
    if (!sg_str_starts(*comment, sg_str_of(TRUSTED)) ||
        !sc_unbase64(next_line(&text), whole, sizeof(whole)))
        return "the signature is damaged";
    *comment = sg_str_sub(*comment, sizeof(TRUSTED) - 1, comment->len);
    if (memcmp(line.algorithm, "ED", 2) != 0)
        return "the signature is not of a digest (minisign -H)";
    if (memcmp(line.id, pub->id, sizeof(line.id)) != 0)
        return "it was signed with another key";
    if (!sc_signed(str_of(digest, SC_BLAKE2B_MOST), pub->key, line.signature))
        return "it is not what was signed";
    put_signed(&both, line.signature, *comment);
    const bool sound = sc_signed(sg_buf_str(&both), pub->key, whole);

    sg_buf_free(&both);
    return sound ? NULL : "the comment of the signature was altered";
}
