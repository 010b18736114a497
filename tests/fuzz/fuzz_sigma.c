/*
 * fuzz_sigma.c - any bytes as events of a session, through sigma.h as a program
 * would: each event is a length in two bytes and what follows. Nothing is lost
 * without being counted, and each alert is one line of text.
 */
#include "sigma.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void on_alert(void *context, const sigma_alert *alert)
{
    uint64_t *alerts = context;

    demand(strlen(alert->json.ptr) == alert->json.len, "a NUL in an alert");
    demand(memchr(alert->json.ptr, '\n', alert->json.len) == NULL,
           "an alert of several lines");
    demand(alert->rule != NULL && !alert->rule->hidden, "no rule's alert");
    ++*alerts;
}

static uint64_t counter(sigma_session *s, const char *name)
{
    size_t count = 0;
    const sigma_counter *counters = sigma_counters(s, &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(counters[i].name, name) == 0)
            return counters[i].value;
    abort();
}

/* Feed the event from memory of its own, so that reading beyond it is found;
 * returns whether it was refused. */
static bool feed(sigma_session *s, const uint8_t *bytes, size_t len)
{
    char *copy = malloc(len);

    if (copy != NULL && len != 0)
        memcpy(copy, bytes, len);
    const sigma_status status = sigma_feed(s, copy, len);

    free(copy);
    demand(status == SIGMA_OK || status == SIGMA_E_UNREADABLE, "the status");
    demand((*sigma_reason(s) == '\0') == (status == SIGMA_OK), "the reason");
    return status != SIGMA_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sigma_pack *pack;
    static const char *const words[] = {"--mode=search",
                                        "--allowed-lateness=5s"};
    uint64_t alerts = 0, lines = 0, refused = 0;
    sigma_session *s = NULL;
    sigma_start_options options = {.size = sizeof(options),
                                   .on_alert = on_alert,
                                   .context = &alerts,
                                   .words = words};

    if (pack == NULL)
        demand(sigma_open(PACK, NULL, &pack, NULL) == SIGMA_OK, "the pack");
    if (size != 0) {
        options.words += *data % 2;
        options.word_count = *data % 4 < 2;
        data++;
        size--;
    }
    demand(sigma_start(pack, &options, &s, NULL) == SIGMA_OK, "a session");
    while (size >= 2) {
        size_t len = data[0] | (size_t)data[1] << 8;

        len = len < size - 2 ? len : size - 2;
        refused += feed(s, data + 2, len);
        lines++;
        data += 2 + len;
        size -= 2 + len;
    }
    demand(sigma_finish(s) == SIGMA_OK, "the end");
    demand(counter(s, "lines") == lines, "lines");
    demand(counter(s, "unreadable") == refused, "unreadable");
    demand(counter(s, "events") <= lines - refused, "events");
    demand(counter(s, "alerts") == alerts, "alerts");
    sigma_end(s);
    return 0;
}
