/*
 * peer_cjson.c - the first detection over FDR lines, written the plain way
 * with cJSON: parse each line into a tree, look at the fields, count groups.
 * Prints the number of groups above two. A peer to measure against.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <cjson/cJSON.h>
#include <fcntl.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct group {
    struct group *next;
    unsigned long count;
    double first, last;
    char key[];
};

static struct group *table[1 << 16];

static const char *text(const cJSON *event, const char *name, char *buf)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(event, name);

    if (cJSON_IsString(v))
        return v->valuestring;
    if (cJSON_IsNumber(v)) {
        snprintf(buf, 32, "%.17g", v->valuedouble);
        return buf;
    }
    return NULL;
}

static const char *protocol(const char *port)
{
    static const char *const names[][2] = {
        {"25", "SMTP"},  {"465", "SMTP"}, {"587", "SMTP"}, {"110", "POP3"},
        {"995", "POP3"}, {"143", "IMAP"}, {"993", "IMAP"}};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(port, names[i][0]) == 0)
            return names[i][1];
    return NULL;
}

static void count(const char *key, double t)
{
    unsigned long h = 5381;
    struct group *g;

    for (const char *p = key; *p != '\0'; p++)
        h = h * 33 + (unsigned char)*p;
    for (g = table[h & 65535]; g != NULL; g = g->next)
        if (strcmp(g->key, key) == 0)
            break;
    if (g == NULL) {
        g = malloc(sizeof(*g) + strlen(key) + 1);
        g->count = 0;
        g->first = g->last = t;
        strcpy(g->key, key);
        g->next = table[h & 65535];
        table[h & 65535] = g;
    }
    g->count++;
    g->first = t < g->first ? t : g->first;
    g->last = t > g->last ? t : g->last;
}

static void look(const cJSON *e, pcre2_code *re, pcre2_match_data *md)
{
    char b[6][32], key[4096];
    const char *name = text(e, "event_simpleName", b[0]);
    const char *port, *image, *proto, *host, *user, *ip, *time;

    if (name == NULL || strcmp(name, "NetworkConnectIP4") != 0)
        return;
    port = text(e, "RemotePort", b[1]);
    proto = port == NULL ? NULL : protocol(port);
    if (proto == NULL)
        return;
    image = text(e, "ImageFileName", b[2]);
    if (image == NULL ||
        pcre2_match(re, (PCRE2_SPTR)image, strlen(image), 0, 0, md, NULL) >= 0)
        return;
    host = text(e, "ComputerName", b[3]);
    user = text(e, "UserName", b[4]);
    ip = text(e, "RemoteAddressIP4", b[5]);
    time = text(e, "ContextTimeStamp", b[0]);
    if (host == NULL || user == NULL || ip == NULL)
        return;
    snprintf(key, sizeof(key), "%s|%s|%s|%s|%s|%s", host, image, ip, port,
             proto, user);
    count(key, time == NULL ? 0 : atof(time));
}

int main(int argc, char **argv)
{
    int fd = open(argv[argc - 1], O_RDONLY), code;
    struct stat st;
    char *data, *p;
    size_t offset;
    unsigned long over = 0;
    pcre2_code *re = pcre2_compile(
        (PCRE2_SPTR) "(?i)(outlook|thunderbird|MailClient|eM.Client|msedge|"
                     "chrome|firefox)\\.exe$",
        PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code, &offset, NULL);
    pcre2_match_data *md = pcre2_match_data_create_from_pattern(re, NULL);

    if (fd < 0 || fstat(fd, &st) != 0)
        return 4;
    pcre2_jit_compile(re, PCRE2_JIT_COMPLETE);
    data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    for (p = data; p < data + st.st_size;) {
        char *end = memchr(p, '\n', (size_t)(data + st.st_size - p));
        cJSON *e;

        if (end == NULL)
            end = data + st.st_size;
        e = cJSON_ParseWithLength(p, (size_t)(end - p));
        if (e != NULL)
            look(e, re, md);
        cJSON_Delete(e);
        p = end + 1;
    }
    for (size_t i = 0; i < 65536; i++)
        for (struct group *g = table[i]; g != NULL; g = g->next)
            over += g->count > 2;
    printf("%lu\n", over);
    return 0;
}
