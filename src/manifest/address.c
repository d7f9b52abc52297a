#include "room.h"

#include <ctype.h>
#include <string.h>

static const char *lower(struct arena *a, const char *s, size_t n)
{
    char *copy = arena_strndup(a, s, n);
    for (char *p = copy; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    return copy;
}

/* Whether a text may stand as a host's name: also keeps "-oProxyCommand=…" away from ssh. */
static bool is_host(const char *s, size_t n)
{
    if (n == 0 || s[0] == '-')
        return false;
    for (size_t i = 0; i < n; i++)
        if (isalnum((unsigned char)s[i]) == 0 && strchr(".-_", s[i]) == NULL)
            return false;
    return true;
}

static bool is_port(const char *s)
{
    struct err e = ERR_INIT;
    int64_t n;
    return str_to_i64(s, 1, 65535, &n, &e) == ERR_OK && s[0] != '0';
}

/* [user[:password]@]host[:port], with an IPv6 address in brackets. */
static bool parse_authority(const char *s, size_t n, struct arena *a, struct address *out)
{
    const char *at = memrchr(s, '@', n);

    if (at != NULL) {
        size_t len = (size_t)(at - s);
        const char *colon = memchr(s, ':', len);
        out->password = colon != NULL;
        out->user = arena_strndup(a, s, colon != NULL ? (size_t)(colon - s) : len);
        if (out->user[0] == '-')
            return false;
        n -= len + 1;
        s = at + 1;
    }
    const char *bracket = n > 0 && s[0] == '[' ? memchr(s, ']', n) : NULL;
    size_t host = bracket != NULL ? (size_t)(bracket - s) + 1 : n;
    const char *colon =
        bracket != NULL ? (host < n && s[host] == ':' ? s + host : NULL) : memchr(s, ':', n);
    if (colon != NULL) {
        host = (size_t)(colon - s);
        out->port = arena_strndup(a, colon + 1, n - host - 1);
        if (!is_port(out->port))
            return false;
    } else if (host != n) {
        return false;
    }
    out->host = lower(a, s, host);
    return bracket != NULL ? strspn(out->host, "[]0123456789abcdef:.") == host : is_host(s, host);
}

static bool parse_url(const char *url, const char *rest, struct arena *a, struct address *out)
{
    static const char *const schemes[] = {"https", "http", "ssh", "file"};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        size_t len = strlen(schemes[i]);
        if ((size_t)(rest - url) != len + 3 || strncasecmp(url, schemes[i], len) != 0)
            continue;
        out->scheme = schemes[i];
        size_t authority = strcspn(rest, "/?#");
        out->path = rest + authority;
        if (strpbrk(out->path, "?# ") != NULL)
            return false;
        if (strcmp(schemes[i], "file") == 0)
            return authority == 0 && out->path[0] == '/';
        return parse_authority(rest, authority, a, out);
    }
    return false;
}

/* [user@]host:path, as scp has it. */
static bool parse_scp(const char *s, struct arena *a, struct address *out)
{
    const char *colon = strchr(s, ':');

    if (colon == NULL || colon[1] == '\0' || colon[1] == ':' || strchr(s, ' ') != NULL ||
        memchr(s, '/', (size_t)(colon - s)) != NULL || s[0] == '-')
        return false;
    out->scheme = "ssh";
    out->path = colon + 1;
    size_t n = (size_t)(colon - s);
    const char *at = memchr(s, '@', n);
    if (at != NULL && at == s)
        return false;
    if (at != NULL) {
        out->user = arena_strndup(a, s, (size_t)(at - s));
        n -= (size_t)(at - s) + 1;
        s = at + 1;
    }
    out->host = lower(a, s, n);
    return is_host(s, n);
}

bool address_parse(const char *url, struct arena *a, struct address *out)
{
    struct address ad = {0};
    const char *scheme_end = strstr(url, "://");
    bool ok;

    for (const char *p = url; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return false;
    if (url[0] == '/' || str_starts_with(url, "./") || str_starts_with(url, "../") ||
        str_starts_with(url, "~/")) {
        ad.scheme = "path";
        ad.path = url;
        ok = true;
    } else if (scheme_end != NULL) {
        ok = parse_url(url, scheme_end + 3, a, &ad);
    } else {
        ok = parse_scp(url, a, &ad);
    }
    if (ok)
        *out = ad;
    return ok;
}

bool address_is_loopback(const struct address *ad)
{
    if (ad->host == NULL)
        return false;
    if (strcmp(ad->host, "localhost") == 0 || strcmp(ad->host, "[::1]") == 0)
        return true;
    /* 127.0.0.0/8, and not 127.0.0.1.example.com */
    return str_starts_with(ad->host, "127.") && strspn(ad->host, "0123456789.") == strlen(ad->host);
}

const char *address_identity(const struct address *ad, bool nocase, struct arena *a)
{
    const char *path = ad->path;
    while (*path == '/')
        path++;
    size_t n = strlen(path);
    while (n > 0 && path[n - 1] == '/')
        n--;
    if (n > 4 && strncasecmp(path + n - 4, ".git", 4) == 0)
        n -= 4;
    const char *shown = nocase ? lower(a, path, n) : arena_strndup(a, path, n);
    bool usual = ad->port == NULL ||
                 (strcmp(ad->scheme, "https") == 0 && str_eq(ad->port, "443")) ||
                 (strcmp(ad->scheme, "http") == 0 && str_eq(ad->port, "80")) ||
                 (strcmp(ad->scheme, "ssh") == 0 && str_eq(ad->port, "22"));
    /* A local path keeps what it starts with: /srv/x and ./srv/x are two. */
    const char *host = ad->host != NULL ? ad->host : ad->path[0] == '/' ? "" : ".";
    return arena_printf(a, "%s%s%s/%s", host, usual ? "" : ":", usual ? "" : ad->port, shown);
}
