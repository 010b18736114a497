/*
 * pack.c - packs: verified, loaded, checked, and what is in them. Also what all
 * calls of sigma.h share.
 */
#include "embed/embed.h"

#include "eval/eval.h"
#include "output/output.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -------- shared --------------------------------------------------------- */

static const char *const texts[SIGMA_STATUS_COUNT] = {
#define STATUS(name, text) [SIGMA_##name] = (text),
#include "sigma_status.def"
#undef STATUS
};

const char *sigma_status_text(sigma_status status)
{
    return (unsigned)status < SIGMA_STATUS_COUNT ? texts[status]
                                                 : "this status is not known";
}

const char *sigma_version(void)
{
    return SIGCC_VERSION;
}

sigma_status sr_failed(sigma_error *error, sigma_status status,
                       const char *path, const char *why)
{
    sg_buf text = {0};

    if (error == NULL)
        return status;
    if (path != NULL) {
        sr_put_shown(&text, sg_str_of(path));
        sg_buf_put(&text, SG_S(": "));
    }
    sr_put_shown(&text,
                 sg_str_of(why != NULL ? why : sigma_status_text(status)));
    const size_t len =
        text.len < sizeof(error->text) - 1 ? text.len : sizeof(error->text) - 1;

    memcpy(error->text, text.ptr, len);
    error->text[len] = '\0';
    sg_buf_free(&text);
    return status;
}

bool sr_take_options(void *own, size_t size, const void *given)
{
    const unsigned char *bytes = given;
    size_t have;

    memcpy(&have, given, sizeof(have));
    if (have < sizeof(have))
        return false;
    for (size_t i = size; i < have; i++)
        if (bytes[i] != 0)
            return false;
    memcpy(own, given, have < size ? have : size);
    return true;
}

/* -------- loading -------------------------------------------------------- */

/* The loader takes an object that it knows by the same name for the same one.
 * Should it have kept one whose descriptor had this number, take another. */
static void *load(sr_image *image)
{
    char name[32];
    void *other;

    for (;;) {
        (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", image->fd);
        other = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
        if (other == NULL)
            return dlopen(name, RTLD_NOW | RTLD_LOCAL);
        (void)dlclose(other);
        const int fd = fcntl(image->fd, F_DUPFD_CLOEXEC, image->fd + 1);

        if (fd < 0)
            return NULL;
        (void)close(image->fd);
        image->fd = fd;
    }
}

typedef const sigma_detector *get_fn(void);

static sigma_status find_detector(sigma_pack *pack, const char *path,
                                  sigma_error *error)
{
    void *symbol = dlsym(pack->object, "sigma_pack_detector");
    char reason[256];
    get_fn *get;

    if (symbol == NULL)
        return sr_failed(error, SIGMA_E_NOT_A_PACK, path,
                         "it was not built with --emit so");
    memcpy(&get, &symbol, sizeof(get));
    const sigma_detector *file = get(), *d = file;

    if (d != NULL && (d->abi != SIGMA_ABI || d->size != sizeof(*d))) {
        (void)snprintf(reason, sizeof(reason),
                       "the pack has ABI %u, this library has ABI %u",
                       (unsigned)d->abi, (unsigned)SIGMA_ABI);
        return sr_failed(error, SIGMA_E_ABI, path, reason);
    }
    d = sr_detector_decode(d, &pack->arena);
    if (!sr_detector_check(d, reason, sizeof(reason)))
        return sr_failed(error, SIGMA_E_BROKEN, path, reason);
    pack->detector = d;
    pack->manifest = sr_detector_manifest(file, &pack->arena);
    return SIGMA_OK;
}

static sigma_status load_pack(sigma_pack *pack, const char *path,
                              sigma_error *error)
{
    const char *fault = sr_image_fault(&pack->image);

    if (fault != NULL)
        return sr_failed(error, SIGMA_E_NOT_A_PACK, path, fault);
    sr_image_unmap(&pack->image);
    pack->object = load(&pack->image);
    if (pack->object == NULL) {
        const char *why = dlerror();

        return sr_failed(error, SIGMA_E_LOAD, path, why);
    }
    return find_detector(pack, path, error);
}

/* -------- what is in it -------------------------------------------------- */

static sigma_text text_of(sigma_pack *pack, sigma_ref ref)
{
    const sg_str copy =
        sg_arena_dup(&pack->arena, sr_text_of(pack->detector, ref));

    return (sigma_text){copy.ptr, copy.len};
}

static void add_rule(sigma_pack *pack, const sigma_meta *meta, sigma_ref digest,
                     bool correlation, bool hidden)
{
    pack->rules[pack->rule_count] = (sigma_rule_info){
        .index = pack->rule_count,
        .correlation = correlation,
        .hidden = hidden,
        .id = text_of(pack, meta->id),
        .name = text_of(pack, meta->name),
        .title = text_of(pack, meta->title),
        .level = text_of(pack, meta->level),
        .status = text_of(pack, meta->status),
        .sha256 = text_of(pack, meta->sha256),
        .digest = text_of(pack, digest),
    };
    pack->rule_count++;
}

static void list_rules(sigma_pack *pack)
{
    const sigma_detector *d = pack->detector;

    pack->rules = sg_new_n(&pack->arena, sigma_rule_info,
                           (size_t)d->rule_count + d->correlation_count);
    for (uint32_t i = 0; i < d->rule_count; i++)
        add_rule(pack, &d->rules[i].meta, d->rules[i].digest, false,
                 (d->rules[i].flags & SIGMA_RULE_HIDDEN) != 0);
    for (uint32_t i = 0; i < d->correlation_count; i++)
        add_rule(pack, &d->correlations[i].meta, d->correlations[i].digest,
                 true, (d->correlations[i].flags & SIGMA_CORR_HIDDEN) != 0);
}

size_t sigma_rule_count(const sigma_pack *pack)
{
    return pack == NULL ? 0 : pack->rule_count;
}

const sigma_rule_info *sigma_rule_at(const sigma_pack *pack, size_t index)
{
    return index < sigma_rule_count(pack) ? &pack->rules[index] : NULL;
}

sigma_text sigma_manifest(const sigma_pack *pack)
{
    const char *text = pack == NULL ? "" : pack->manifest;

    return (sigma_text){text, strlen(text)};
}

/* -------- opening and closing -------------------------------------------- */

static sigma_status open_pack(sigma_pack *pack, const char *path,
                              const char *key, sigma_error *error)
{
    sigma_status status = sr_image_read(path, &pack->image, error);

    if (status == SIGMA_OK && key != NULL)
        status = sr_trust(path, pack->image.bytes, key, error);
    if (status == SIGMA_OK)
        status = load_pack(pack, path, error);
    if (status == SIGMA_OK)
        list_rules(pack);
    return status;
}

sigma_status sigma_open(const char *path, const sigma_open_options *options,
                        sigma_pack **out, sigma_error *error)
{
    sigma_open_options own = {.size = sizeof(own)};

    if (path == NULL || out == NULL ||
        (options != NULL && !sr_take_options(&own, sizeof(own), options)))
        return sr_failed(error, SIGMA_E_ARGUMENT, NULL, NULL);
    sigma_pack *pack = calloc(1, sizeof(*pack));

    if (pack == NULL)
        sg_fatal("out of memory");
    atomic_init(&pack->users, 1);
    const sigma_status status = open_pack(pack, path, own.public_key, error);

    if (status == SIGMA_OK)
        *out = pack;
    else
        sr_pack_drop(pack);
    return status;
}

void sr_pack_hold(sigma_pack *pack)
{
    atomic_fetch_add(&pack->users, 1);
}

void sr_pack_drop(sigma_pack *pack)
{
    if (atomic_fetch_sub(&pack->users, 1) != 1)
        return;
    if (pack->object != NULL)
        (void)dlclose(pack->object);
    sr_image_close(&pack->image);
    sg_arena_free(&pack->arena);
    free(pack);
}

void sigma_close(sigma_pack *pack)
{
    if (pack != NULL)
        sr_pack_drop(pack);
}
