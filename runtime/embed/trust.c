/*
 * trust.c - whether a pack is what the owner of a key has signed.
 */
#include "embed/embed.h"

#include "sign/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A file of a key or a signature: NULL, or why it cannot be read. */
static const char *read_text(const char *path, sg_buf *out)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = 1;

    if (fd < 0)
        return strerror(errno);
    sg_buf_reserve(out, SR_SIGN_TEXT);
    while (got != 0 && out->len < SR_SIGN_TEXT) {
        got = read(fd, out->ptr + out->len, SR_SIGN_TEXT - out->len);
        if (got < 0 && errno != EINTR)
            break;
        out->len += got < 0 ? 0 : (size_t)got;
    }
    const char *why = got < 0                    ? strerror(errno)
                      : out->len == SR_SIGN_TEXT ? "it is too large for that"
                                                 : NULL;

    (void)close(fd);
    return why;
}

static sigma_status read_key(const char *path, sr_public *key,
                             sigma_error *error)
{
    sg_buf text = {0};
    sigma_status status = SIGMA_OK;
    const char *why = read_text(path, &text);

    if (why != NULL)
        status = sr_failed(error, SIGMA_E_FILE, path, why);
    else if ((why = sr_public_get(sg_buf_str(&text), key)) != NULL)
        status = sr_failed(error, SIGMA_E_KEY, path, why);
    sg_buf_free(&text);
    return status;
}

static sigma_status status_of(sr_verdict verdict)
{
    switch (verdict) {
    case SR_SIGNED:
        return SIGMA_OK;
    case SR_OTHER_KEY:
        return SIGMA_E_FOREIGN;
    case SR_ALTERED:
        return SIGMA_E_ALTERED;
    case SR_DAMAGED:
    case SR_ALGORITHM:
    case SR_COMMENT:
    default:
        return SIGMA_E_SIGNATURE;
    }
}

/* Judge the text of the signature. */
static sigma_status judge(const char *path, sg_str text, sg_str bytes,
                          const sr_public *key, sigma_error *error)
{
    uint8_t digest[SR_BLAKE2B_MOST];
    sg_str comment;

    sr_blake2b(bytes, digest, sizeof(digest));
    const sr_verdict verdict = sr_signature_check(text, key, digest, &comment);

    return verdict == SR_SIGNED ? SIGMA_OK
                                : sr_failed(error, status_of(verdict), path,
                                            sr_verdict_text(verdict));
}

sigma_status sr_trust(const char *path, sg_str bytes, const char *key_path,
                      sigma_error *error)
{
    sg_buf beside = {0}, text = {0};
    sr_public key;
    sigma_status status = read_key(key_path, &key, error);

    if (status != SIGMA_OK)
        return status;
    sg_buf_printf(&beside, "%s.minisig", path);
    sg_buf_putc(&beside, '\0');
    const char *why = read_text(beside.ptr, &text);

    if (why == NULL)
        status = judge(path, sg_buf_str(&text), bytes, &key, error);
    else if (errno == ENOENT)
        status = sr_failed(error, SIGMA_E_UNSIGNED, path, NULL);
    else
        status = sr_failed(error, SIGMA_E_FILE, beside.ptr, why);
    sg_buf_free(&beside);
    sg_buf_free(&text);
    return status;
}
