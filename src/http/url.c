#include "internal.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void url_freep(CURLU **u)
{
    curl_url_cleanup(*u);
}

static void part_freep(char **part)
{
    curl_free(*part);
}

/* A URL that may hold a password is not repeated in a message. */
static enum err_code bad_url(struct err *e, const char *url, const char *why)
{
    if (strchr(url, '@') != NULL)
        return err_set(e, ERR_USAGE, "the URL %s", why);
    return err_set(e, ERR_USAGE, "the URL '%s' %s", url, why);
}

static bool host_is_loopback(const char *host)
{
    struct in_addr four;

    if (str_eq(host, "localhost") || str_eq(host, "[::1]"))
        return true;
    return inet_pton(AF_INET, host, &four) == 1 && ntohl(four.s_addr) >> 24 == 127;
}

static void lower(char *s)
{
    for (; *s != '\0'; s++)
        if (*s >= 'A' && *s <= 'Z')
            *s = (char)(*s - 'A' + 'a');
}

/* The checks of http_check_url, and the parts that make an origin. */
static enum err_code parse(const char *url, char **out_scheme, char **out_host, char **out_port,
                           struct err *e)
{
    CLEANUP(url_freep) CURLU *u = curl_url();
    CURLUcode rc = curl_url_set(u, CURLUPART_URL, url,
                                CURLU_NON_SUPPORT_SCHEME | CURLU_DISALLOW_USER | CURLU_PATH_AS_IS);

    if (rc == CURLUE_USER_NOT_ALLOWED)
        return err_set(e, ERR_USAGE, "the URL holds a user name or password: leave it out");
    if (rc != CURLUE_OK)
        return bad_url(e, url, "cannot be understood");
    if (strstr(url, ":///") != NULL) /* curl would take the first folder for the host */
        return bad_url(e, url, "names no host");
    CLEANUP(part_freep) char *scheme = NULL;
    CLEANUP(part_freep) char *host = NULL;
    CLEANUP(part_freep) char *port = NULL;
    if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        (!str_eq(scheme, "https") && !str_eq(scheme, "http")))
        return bad_url(e, url, "does not start with https://");
    if (curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK || host[0] == '\0' ||
        curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
        return bad_url(e, url, "names no host");
    lower(host);
    if (str_eq(scheme, "http") && !host_is_loopback(host))
        return bad_url(e, url, "is not encrypted: http:// is for this machine only, use https://");
    *out_scheme = mem_strdup(scheme);
    *out_host = mem_strdup(host);
    *out_port = mem_strdup(port);
    return ERR_OK;
}

static void text_freep(char **text)
{
    free(*text);
}

enum err_code url_origin(const char *url, char **out_origin, struct err *e)
{
    CLEANUP(text_freep) char *scheme = NULL;
    CLEANUP(text_freep) char *host = NULL;
    CLEANUP(text_freep) char *port = NULL;

    TRY(parse(url, &scheme, &host, &port, e));
    size_t n = strlen(scheme) + strlen(host) + strlen(port) + sizeof(":///:");
    char *origin = mem_alloc(n);
    (void)snprintf(origin, n, "%s://%s:%s", scheme, host, port);
    *out_origin = origin;
    return ERR_OK;
}

enum err_code http_check_url(const char *url, struct err *e)
{
    CLEANUP(text_freep) char *origin = NULL;
    return url_origin(url, &origin, e);
}

/* The host part of "scheme://host:port". */
static const char *origin_host(const char *origin, size_t *out_n)
{
    const char *host = strstr(origin, "://");
    host = host == NULL ? origin : host + 3;
    const char *port = strrchr(host, ':');
    *out_n = port == NULL ? strlen(host) : (size_t)(port - host);
    return host;
}

bool url_origin_is_loopback(const char *origin)
{
    size_t n;
    const char *host = origin_host(origin, &n);
    CLEANUP(text_freep) char *copy = mem_alloc(n + 1);

    memcpy(copy, host, n);
    return host_is_loopback(copy);
}

bool url_origin_is_under(const char *origin, const char *domain)
{
    size_t n, m = strlen(domain);
    const char *host = origin_host(origin, &n);

    if (n < m || memcmp(host + n - m, domain, m) != 0)
        return false;
    return n == m || host[n - m - 1] == '.';
}

enum err_code url_resolve(const char *base, const char *location, char **out_url, struct err *e)
{
    CLEANUP(url_freep) CURLU *u = curl_url();
    CLEANUP(part_freep) char *whole = NULL;
    unsigned flags = CURLU_NON_SUPPORT_SCHEME | CURLU_DISALLOW_USER | CURLU_PATH_AS_IS;

    if (curl_url_set(u, CURLUPART_URL, base, flags) != CURLUE_OK ||
        curl_url_set(u, CURLUPART_URL, location, flags) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_URL, &whole, 0) != CURLUE_OK)
        return err_set(e, ERR_REFUSED, "the server redirects to something that is no URL of ours");
    *out_url = mem_strdup(whole);
    return ERR_OK;
}

char *http_escape(struct arena *a, const char *s)
{
    static const char PLAIN[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    static const char HEX[] = "0123456789ABCDEF";
    char *out = arena_alloc(a, strlen(s) * 3 + 1);
    char *p = out;

    for (; *s != '\0'; s++) {
        unsigned char ch = (unsigned char)*s;
        if (strchr(PLAIN, ch) != NULL) {
            *p++ = *s;
        } else {
            *p++ = '%';
            *p++ = HEX[ch >> 4];
            *p++ = HEX[ch & 15];
        }
    }
    return out;
}
