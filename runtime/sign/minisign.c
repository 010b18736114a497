/*
 * minisign.c - minisign's formats. Each file is lines: a comment that nobody
 * signs, base64; of a signature also a comment that is signed, and base64.
 * Only signatures of the file's BLAKE2b digest are written and taken ("ED"), as
 * minisign makes them today.
 */
#include "sign/crypto.h"

#include <string.h>

enum {
    CHECKSUM = 32,
    PLAIN = SR_KEY_ID + SR_SECRET_KEY + CHECKSUM, /* what is encrypted */
    /* libsodium's "sensitive", as minisign uses it: a second and 1 GiB. */
    OPS = 33554432,
    MEMORY = 1 << 30
};

static const char UNTRUSTED[] = "untrusted comment: ";
static const char TRUSTED[] = "trusted comment: ";

typedef struct public_line {
    char algorithm[2];
    uint8_t id[SR_KEY_ID], key[SR_PUBLIC_KEY];
} public_line;

typedef struct secret_line {
    char algorithm[2], kdf[2], checksum[2];
    uint8_t salt[SR_SALT], ops[8], memory[8], body[PLAIN];
} secret_line;

typedef struct signature_line {
    char algorithm[2];
    uint8_t id[SR_KEY_ID], signature[SR_SIGNATURE];
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
           sr_unbase64(next_line(&text), out, len);
}

static void put_id(sg_buf *out, const uint8_t id[SR_KEY_ID])
{
    for (unsigned i = SR_KEY_ID; i-- != 0;)
        sg_buf_printf(out, "%02X", id[i]);
}

/* -------- keys ----------------------------------------------------------- */

void sr_keys_make(sr_public *pub, sr_secret *secret)
{
    sr_random(pub->id, sizeof(pub->id));
    memcpy(secret->id, pub->id, sizeof(pub->id));
    sr_key_pair(pub->key, secret->key);
}

void sr_public_put(sg_buf *out, const sr_public *pub)
{
    public_line line = {{'E', 'd'}, {0}, {0}};

    memcpy(line.id, pub->id, sizeof(line.id));
    memcpy(line.key, pub->key, sizeof(line.key));
    sg_buf_printf(out, "%sminisign public key ", UNTRUSTED);
    put_id(out, pub->id);
    sg_buf_putc(out, '\n');
    sr_put_base64(out, &line, sizeof(line));
    sg_buf_putc(out, '\n');
}

const char *sr_public_get(sg_str text, sr_public *pub)
{
    public_line line;
    sg_str rest = text;

    if (!get_body(text, &line, sizeof(line)) &&
        !sr_unbase64(next_line(&rest), &line, sizeof(line)))
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
    uint8_t text[2 + SR_KEY_ID + SR_SECRET_KEY] = {'E', 'd'};

    memcpy(text + 2, body, sizeof(text) - 2);
    sr_blake2b(str_of(text, sizeof(text)), body + sizeof(text) - 2, CHECKSUM);
    sr_wipe(text, sizeof(text));
}

/* Encrypt or decrypt. */
static bool cover(secret_line *line, sg_str password)
{
    sg_reader ops = {str_of(line->ops, 8), false};
    sg_reader memory = {str_of(line->memory, 8), false};
    uint8_t stream[PLAIN];
    const uint64_t most = sg_read_u64(&memory);

    if (most > 2 * (uint64_t)MEMORY ||
        !sr_scrypt(password, line->salt, sg_read_u64(&ops), most, stream,
                   sizeof(stream)))
        return false;
    for (size_t i = 0; i < PLAIN; i++)
        line->body[i] ^= stream[i];
    sr_wipe(stream, sizeof(stream));
    return true;
}

bool sr_secret_put(sg_buf *out, const sr_secret *secret, sg_str password)
{
    secret_line line = {.algorithm = {'E', 'd'}, .checksum = {'B', '2'}};
    sg_buf numbers = {0};
    bool done = true;

    memcpy(line.body, secret->id, SR_KEY_ID);
    memcpy(line.body + SR_KEY_ID, secret->key, SR_SECRET_KEY);
    if (password.len != 0) {
        put_checksum(line.body);
        memcpy(line.kdf, "Sc", 2);
        sr_random(line.salt, sizeof(line.salt));
        sg_put_u64(&numbers, OPS);
        sg_put_u64(&numbers, MEMORY);
        memcpy(line.ops, numbers.ptr, sizeof(line.ops) + sizeof(line.memory));
        done = cover(&line, password);
    }
    sg_buf_printf(out, "%sminisign %ssecret key\n", UNTRUSTED,
                  password.len != 0 ? "encrypted " : "");
    sr_put_base64(out, &line, sizeof(line));
    sg_buf_putc(out, '\n');
    sg_buf_free(&numbers);
    sr_wipe(&line, sizeof(line));
    return done;
}

bool sr_secret_encrypted(sg_str text)
{
    secret_line line;
    const bool is =
        get_body(text, &line, sizeof(line)) && memcmp(line.kdf, "Sc", 2) == 0;

    sr_wipe(&line, sizeof(line));
    return is;
}

static const char *open_secret(secret_line *line, sg_str password,
                               sr_secret *secret)
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

    sr_wipe(copy, sizeof(copy));
    if (!same)
        return "the password is wrong";
    memcpy(secret->id, line->body, SR_KEY_ID);
    memcpy(secret->key, line->body + SR_KEY_ID, SR_SECRET_KEY);
    return NULL;
}

const char *sr_secret_get(sg_str text, sg_str password, sr_secret *secret)
{
    secret_line line;
    const char *why = get_body(text, &line, sizeof(line))
                          ? open_secret(&line, password, secret)
                          : "it is no secret key of minisign's";

    sr_wipe(&line, sizeof(line));
    return why;
}

/* -------- signatures ----------------------------------------------------- */

/* What the second signature is of. */
static void put_signed(sg_buf *out, const uint8_t signature[SR_SIGNATURE],
                       sg_str comment)
{
    sg_buf_put(out, str_of(signature, SR_SIGNATURE));
    sg_buf_put(out, comment);
}

void sr_signature_put(sg_buf *out, const sr_secret *secret,
                      const uint8_t digest[SR_BLAKE2B_MOST], sg_str comment)
{
    signature_line line = {.algorithm = {'E', 'D'}};
    uint8_t whole[SR_SIGNATURE];
    sg_buf both = {0};

    memcpy(line.id, secret->id, sizeof(line.id));
    sr_sign(str_of(digest, SR_BLAKE2B_MOST), secret->key, line.signature);
    put_signed(&both, line.signature, comment);
    sr_sign(sg_buf_str(&both), secret->key, whole);
    sg_buf_free(&both);
    sg_buf_printf(out, "%ssignature from a sigcc secret key\n", UNTRUSTED);
    sr_put_base64(out, &line, sizeof(line));
    sg_buf_printf(out, "\n%s%.*s\n", TRUSTED, SG_FMT(comment));
    sr_put_base64(out, whole, sizeof(whole));
    sg_buf_putc(out, '\n');
}

sr_verdict sr_signature_check(sg_str text, const sr_public *pub,
                              const uint8_t digest[SR_BLAKE2B_MOST],
                              sg_str *comment)
{
    signature_line line;
    uint8_t whole[SR_SIGNATURE];
    sg_buf both = {0};

    if (!get_body(text, &line, sizeof(line)))
        return SR_DAMAGED;
    (void)next_line(&text);
    (void)next_line(&text);
    *comment = next_line(&text);
    if (!sg_str_starts(*comment, sg_str_of(TRUSTED)) ||
        !sr_unbase64(next_line(&text), whole, sizeof(whole)))
        return SR_DAMAGED;
    *comment = sg_str_sub(*comment, sizeof(TRUSTED) - 1, comment->len);
    if (memcmp(line.algorithm, "ED", 2) != 0)
        return SR_ALGORITHM;
    if (memcmp(line.id, pub->id, sizeof(line.id)) != 0)
        return SR_OTHER_KEY;
    if (!sr_signed(str_of(digest, SR_BLAKE2B_MOST), pub->key, line.signature))
        return SR_ALTERED;
    put_signed(&both, line.signature, *comment);
    const bool sound = sr_signed(sg_buf_str(&both), pub->key, whole);

    sg_buf_free(&both);
    return sound ? SR_SIGNED : SR_COMMENT;
}

const char *sr_verdict_text(sr_verdict verdict)
{
    switch (verdict) {
    case SR_SIGNED:
        return NULL;
    case SR_ALGORITHM:
        return "the signature is not of a digest (minisign -H)";
    case SR_OTHER_KEY:
        return "it was signed with another key";
    case SR_ALTERED:
        return "it is not what was signed";
    case SR_COMMENT:
        return "the comment of the signature was altered";
    case SR_DAMAGED:
    default:
        return "the signature is damaged";
    }
}
