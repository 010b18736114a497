/*
 * alerts.c - a program that looks for what a pack describes: events in, one
 * JSON object a line, alerts out.
 *
 *   sigcc build rules/ --pack --emit so -o rules.so
 *   cc alerts.c $(pkg-config --cflags --libs sigma) -o alerts
 *   ./alerts rules.so [release.pub] < events.ndjson
 */
#include <sigma.h>
#include <stdio.h>
#include <stdlib.h>

static void print(void *file, const sigma_alert *alert)
{
    fprintf(file, "%s\n", alert->json.ptr);
}

int main(int argc, char **argv)
{
    const sigma_open_options trust = {.size = sizeof(trust),
                                      .public_key = argc > 2 ? argv[2] : NULL};
    const sigma_start_options how = {
        .size = sizeof(how), .on_alert = print, .context = stdout};
    sigma_pack *pack = NULL;
    sigma_session *session = NULL;
    sigma_error error;
    char *line = NULL;
    size_t room = 0, count;
    ssize_t len;

    if (argc < 2 || sigma_open(argv[1], &trust, &pack, &error) != SIGMA_OK ||
        sigma_start(pack, &how, &session, &error) != SIGMA_OK) {
        fprintf(stderr, "%s\n", argc < 2 ? "which pack?" : error.text);
        return 1;
    }
    while ((len = getline(&line, &room, stdin)) >= 0)
        if (sigma_feed(session, line, (size_t)len) != SIGMA_OK)
            fprintf(stderr, "%s\n", sigma_reason(session));
    sigma_finish(session);
    const sigma_counter *counters = sigma_counters(session, &count);
    for (size_t i = 0; i < count; i++)
        if (counters[i].loss && counters[i].value != 0)
            fprintf(stderr, "%s: %llu\n", counters[i].meaning,
                    (unsigned long long)counters[i].value);
    sigma_end(session);
    sigma_close(pack);
    free(line);
    return 0;
}
