#include "internal.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

/* The fields of struct head that are taken as text, by the header that carries them. */
static const struct {
    const char *name;
    size_t offset;
} TEXTS[] = {
    {"ETag", offsetof(struct head, etag)},
    {"Link", offsetof(struct head, link)},
    {"Location", offsetof(struct head, location)},
    {"Content-Type", offsetof(struct head, content_type)},
    {"Retry-After", offsetof(struct head, retry_after)},
    {"X-OAuth-Scopes", offsetof(struct head, oauth_scopes)},
    {"X-Accepted-GitHub-Permissions", offsetof(struct head, permissions)},
    {"X-GitHub-SSO", offsetof(struct head, sso)},
    {"GH-Limited-By", offsetof(struct head, limited_by)},
    {"GitHub-Authentication-Token-Expiration", offsetof(struct head, token_expires)},
};

static const struct {
    const char *name;
    size_t offset;
} NUMBERS[] = {
    {"X-RateLimit-Limit", offsetof(struct head, limit)},
    {"X-RateLimit-Remaining", offsetof(struct head, remaining)},
    {"X-RateLimit-Reset", offsetof(struct head, reset)},
};

static void take(struct head *out, const char *name, const char *value)
{
    struct err ignored;

    for (size_t i = 0; i < ARRAY_LEN(TEXTS); i++)
        if (str_eq_nocase(name, TEXTS[i].name)) {
            memcpy((char *)out + TEXTS[i].offset, &value, sizeof(value));
            return;
        }
    for (size_t i = 0; i < ARRAY_LEN(NUMBERS); i++)
        if (str_eq_nocase(name, NUMBERS[i].name)) {
            int64_t n = -1;
            if (str_to_i64(value, 0, INT64_MAX, &n, &ignored) == ERR_OK)
                memcpy((char *)out + NUMBERS[i].offset, &n, sizeof(n));
            return;
        }
    if (str_eq_nocase(name, "Date")) {
        time_t t = curl_getdate(value, NULL);
        out->date.s = t > 0 ? (int64_t)t : 0;
    }
}

/* Blanks off both ends, in place. */
static char *trim(char *s)
{
    s += strspn(s, " \t");
    size_t n = strlen(s);
    while (n > 0 && strchr(" \t\r", s[n - 1]) != NULL)
        s[--n] = '\0';
    return s;
}

void head_parse(struct buf *lines, struct head *out)
{
    *out = (struct head){.limit = -1, .remaining = -1, .reset = -1};
    for (char *line = lines->data; line != NULL && *line != '\0';) {
        char *end = strchr(line, '\n');
        if (end != NULL)
            *end++ = '\0';
        char *colon = strchr(line, ':');
        if (colon != NULL) {
            *colon = '\0';
            take(out, trim(line), trim(colon + 1));
        }
        line = end;
    }
}

struct wall head_token_expires(const char *text)
{
    char iso[sizeof("2024-12-14T02:28:22+0000")] = "";
    struct wall t = {0};
    struct err ignored;
    size_t n = strlen(text);

    if (n < 20 || n > 25 || text[10] != ' ' || text[19] != ' ')
        return t;
    memcpy(iso, text, 19);
    iso[10] = 'T';
    const char *zone = text + 20;
    size_t zone_len = strlen(zone);
    if (str_eq(zone, "UTC"))
        iso[19] = 'Z';
    else if (zone_len < sizeof(iso) - 19)
        memcpy(iso + 19, zone, zone_len);
    if (wall_parse(iso, &t, &ignored) != ERR_OK)
        t.s = 0;
    return t;
}

char *head_media_type(const char *content_type)
{
    if (content_type == NULL)
        return NULL;
    size_t n = strcspn(content_type, "; \t");
    char *type = mem_alloc(n + 1);
    for (size_t i = 0; i < n; i++) {
        char ch = content_type[i];
        type[i] = ch >= 'A' && ch <= 'Z' ? (char)(ch - 'A' + 'a') : ch;
    }
    return type;
}
