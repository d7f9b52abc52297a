#include "address.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { SSH_CONNECT_S = 20 }; /* a host that does not answer for so long is away */

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
/* ssh_config may hand host and user to a shell (ProxyCommand, Match exec): nothing that a shell
 * knows. */
#define USER_CHARACTERS LETTERS_AND_DIGITS "._-+"
#define HOST_CHARACTERS LETTERS_AND_DIGITS "._-:"

static enum err_code usage(struct err *e, const char *url, const char *why)
{
    return err_set(e, ERR_USAGE, "address '%s': %s", url, why);
}

/* Before anything else: such an address must not even be repeated in a message. */
static enum err_code check_characters(const char *url, struct err *e)
{
    if (url == NULL || url[0] == '\0')
        return err_set(e, ERR_USAGE, "the address of a repository is empty");
    for (const char *p = url; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7F)
            return err_set(e, ERR_USAGE, "the address of a repository holds a control character");
    }
    return ERR_OK;
}

static char *lower(struct arena *a, const char *s, size_t n)
{
    char *out = arena_strndup(a, s, n);
    for (char *p = out; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    return out;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %41 → A, as git does for ssh:// and file://. NULL: a bad or an evil escape. */
static char *decode(struct arena *a, const char *s)
{
    char *out = arena_strdup(a, s), *to = out;

    for (const char *p = s; *p != '\0'; p++) {
        if (*p != '%') {
            *to++ = *p;
            continue;
        }
        int high = hex_value(p[1]);
        int low = high < 0 ? -1 : hex_value(p[2]);
        int byte = high * 16 + low;
        if (low < 0 || byte < ' ' || byte == 0x7F)
            return NULL;
        *to++ = (char)byte;
        p += 2;
    }
    *to = '\0';
    return out;
}

/* ---- https ----------------------------------------------------------------------------------- */

static enum err_code parse_http(struct arena *a, const char *url, struct address *out,
                                struct err *e)
{
    const char *authority = strstr(url, "://") + 3;
    size_t n = strcspn(authority, "/?#");

    if (memchr(authority, '@', n) != NULL)
        return err_set(e, ERR_USAGE,
                       "an address must not hold a user or password; "
                       "name the token's source in the manifest instead");
    TRY(http_check_url(url, e));
    if (n == 0)
        return usage(e, url, "names no host");
    if (strpbrk(authority, "?# ") != NULL)
        return usage(e, url, "may not hold a space, '?' or '#'");
    size_t end = strlen(url);
    while (end > 0 && url[end - 1] == '/')
        end--;
    size_t before_path = (size_t)(authority - url) + n;
    if (end <= before_path)
        return usage(e, url, "names a host but no repository");
    *out = (struct address){
        .form = ADDRESS_HTTP,
        .url = arena_strndup(a, url, end),
        .origin = lower(a, url, before_path),
        .host = lower(a, authority, n),
        .path = arena_strndup(a, url + before_path, end - before_path),
    };
    return ERR_OK;
}

/* ---- ssh ------------------------------------------------------------------------------------- */

static enum err_code check_ssh(const char *url, const struct address *at, struct err *e)
{
    int64_t port;

    if (at->host[0] == '\0' || at->host[0] == '-' ||
        at->host[strspn(at->host, HOST_CHARACTERS)] != '\0')
        return usage(e, url, "the host has a character that host names do not have");
    if (at->user != NULL && (at->user[0] == '\0' || at->user[0] == '-' ||
                             at->user[strspn(at->user, USER_CHARACTERS)] != '\0'))
        return usage(e, url, "the user has a character that is not allowed there");
    if (at->port != NULL && str_to_i64(at->port, 1, 65535, &port, e) != ERR_OK)
        return usage(e, url, "the port is not a number from 1 to 65535");
    if (at->path == NULL)
        return usage(e, url, "has a bad %-escape");
    if (at->path[0] == '\0' || str_eq(at->path, "/"))
        return usage(e, url, "names a host but no repository");
    if (at->path[0] == '-')
        return usage(e, url, "the path may not start with '-'");
    return ERR_OK;
}

/* [user@]host or [user@][ipv6]; *rest is left behind it. */
static bool split_host(struct arena *a, const char *s, size_t n, struct address *out,
                       const char **rest)
{
    const char *at = memrchr(s, '@', n), *end = s + n;

    if (at != NULL) {
        out->user = arena_strndup(a, s, (size_t)(at - s));
        s = at + 1;
    }
    if (s < end && *s == '[') {
        const char *close = memchr(s, ']', (size_t)(end - s));
        if (close == NULL)
            return false;
        out->host = lower(a, s + 1, (size_t)(close - s - 1));
        *rest = close + 1;
        return true;
    }
    const char *colon = memchr(s, ':', (size_t)(end - s));
    *rest = colon == NULL ? end : colon;
    out->host = lower(a, s, (size_t)(*rest - s));
    return true;
}

static enum err_code parse_ssh_url(struct arena *a, const char *url, struct address *out,
                                   struct err *e)
{
    const char *authority = strstr(url, "://") + 3, *rest;
    size_t n = strcspn(authority, "/");
    struct address at = {.form = ADDRESS_SSH, .url = arena_strdup(a, url)};

    if (!split_host(a, authority, n, &at, &rest))
        return usage(e, url, "'[' without ']'");
    if (at.user != NULL && strchr(at.user, ':') != NULL)
        return err_set(e, ERR_USAGE, "an address must not hold a password; ssh uses keys");
    if (rest < authority + n) {
        if (*rest != ':')
            return usage(e, url, "the port is not a number from 1 to 65535");
        at.port = arena_strndup(a, rest + 1, (size_t)(authority + n - rest - 1));
    }
    const char *path = authority + n;
    at.path = decode(a, path[0] == '/' && path[1] == '~' ? path + 1 : path);
    TRY(check_ssh(url, &at, e));
    *out = at;
    return ERR_OK;
}

static enum err_code parse_scp(struct arena *a, const char *url, struct address *out, struct err *e)
{
    const char *rest;
    struct address at = {.form = ADDRESS_SSH, .url = arena_strdup(a, url)};
    size_t before_slash = strcspn(url, "/");

    if (!split_host(a, url, before_slash, &at, &rest) || *rest != ':')
        return usage(e, url, "is not an address that is understood here");
    if (at.user != NULL && strchr(at.user, ':') != NULL)
        return err_set(e, ERR_USAGE, "an address must not hold a password; ssh uses keys");
    if (rest[1] == ':') /* ext::program and the like run programs */
        return usage(e, url, "remote helpers are not supported");
    at.path = arena_strdup(a, rest + 1);
    TRY(check_ssh(url, &at, e));
    *out = at;
    return ERR_OK;
}

/* ---- All forms ------------------------------------------------------------------------------- */

static enum err_code parse_local(struct arena *a, const char *url, const char *path,
                                 struct address *out, struct err *e)
{
    if (path == NULL || path[0] != '/')
        return usage(e, url, "a path must be absolute: file:///path or /path");
    *out = (struct address){.form = ADDRESS_LOCAL, .url = arena_strdup(a, url), .path = path};
    return ERR_OK;
}

enum err_code git_address_parse(struct arena *a, const char *url, struct address *out,
                                struct err *e)
{
    TRY(check_characters(url, e));
    if (url[0] == '/')
        return parse_local(a, url, arena_strdup(a, url), out, e);
    if (str_starts_with(url, "file://"))
        return parse_local(a, url, decode(a, url + strlen("file://")), out, e);
    if (str_starts_with(url, "https://") || str_starts_with(url, "http://"))
        return parse_http(a, url, out, e);
    if (str_starts_with(url, "ssh://"))
        return parse_ssh_url(a, url, out, e);
    if (strstr(url, "://") != NULL)
        return usage(e, url, "only https, ssh and file are supported");
    const char *colon = strchr(url, ':');
    if (colon == NULL || memchr(url, '/', (size_t)(colon - url)) != NULL)
        return usage(e, url,
                     "is not an address: https://HOST/PATH, ssh://USER@HOST/PATH, "
                     "USER@HOST:PATH or an absolute path");
    return parse_scp(a, url, out, e);
}

enum err_code git_check_url(const char *url, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct address at;
    return git_address_parse(a, url, &at, e);
}

/* ---- The same repository? -------------------------------------------------------------------- */

static bool same_folder(const char *x, const char *y)
{
    char *a = realpath(x, NULL), *b = realpath(y, NULL);
    bool same = a != NULL && b != NULL && str_eq(a, b);
    free(a);
    free(b);
    return same || str_eq(x, y);
}

/* "/owner/name.git/" → "owner/name" */
static size_t bare_path(const char **path)
{
    while (**path == '/' || **path == '~')
        (*path)++;
    size_t n = strlen(*path);
    while (n > 0 && (*path)[n - 1] == '/')
        n--;
    if (n > 4 && strncmp(*path + n - 4, ".git", 4) == 0)
        n -= 4;
    return n;
}

/* GitHub's ssh also listens on port 443 of a host of its own. */
static const char *known_host(const char *host)
{
    return str_eq(host, "ssh.github.com") ? "github.com" : host;
}

bool address_same(const struct address *x, const struct address *y)
{
    if (x->form == ADDRESS_LOCAL || y->form == ADDRESS_LOCAL)
        return x->form == y->form && same_folder(x->path, y->path);
    const char *a = x->path, *b = y->path;
    size_t n = bare_path(&a), m = bare_path(&b);
    return str_eq(known_host(x->host), known_host(y->host)) && n == m && strncasecmp(a, b, n) == 0;
}

/* ---- Programs -------------------------------------------------------------------------------- */

char *shell_quote(struct arena *a, const char *s)
{
    char *out = arena_alloc(a, 4 * strlen(s) + 3), *to = out;

    *to++ = '\'';
    for (; *s != '\0'; s++) {
        if (*s == '\'' || *s == '!') { /* '!' is history to a csh even within quotes */
            *to++ = '\'';
            *to++ = '\\';
            *to++ = *s;
            *to++ = '\'';
        } else {
            *to++ = *s;
        }
    }
    *to++ = '\'';
    *to = '\0';
    return out;
}

/* A file name in an ssh option: ssh splits it at spaces and expands %-tokens. */
static char *ssh_file(struct arena *a, const char *path, bool quote)
{
    char *out = arena_alloc(a, 2 * strlen(path) + 3), *to = out;

    if (quote)
        *to++ = '"';
    for (; *path != '\0'; path++) {
        if (*path == '%')
            *to++ = '%';
        else if (quote && (*path == '"' || *path == '\\'))
            *to++ = '\\';
        *to++ = *path;
    }
    if (quote)
        *to++ = '"';
    *to = '\0';
    return out;
}

const char **address_ssh_options(struct arena *a, const struct git_credential *c, size_t *out_n)
{
    const char **argv = arena_alloc(a, 20 * sizeof(*argv)); /* 11 here, 6 in ssh_argv */
    size_t n = 0;

    argv[n++] = "ssh";
    argv[n++] = "-oBatchMode=yes"; /* never asks */
    argv[n++] = "-oStrictHostKeyChecking=yes";
    argv[n++] = arena_printf(a, "-oConnectTimeout=%d", SSH_CONNECT_S);
    argv[n++] = "-oServerAliveInterval=15"; /* notices a peer that vanished without a word */
    argv[n++] = "-oServerAliveCountMax=4";
    argv[n++] = "-oForwardAgent=no";
    argv[n++] = "-oClearAllForwardings=yes";
    if (c->known_hosts != NULL)
        argv[n++] = arena_printf(a, "-oUserKnownHostsFile=%s", ssh_file(a, c->known_hosts, true));
    if (c->ssh_key != NULL) {
        argv[n++] = "-oIdentitiesOnly=yes";
        argv[n++] = "-i";
        argv[n++] = ssh_file(a, c->ssh_key, false);
    }
    *out_n = n;
    return argv;
}

static const char *const *ssh_argv(struct arena *a, const struct address *at,
                                   const struct git_credential *c, const char *service)
{
    size_t n;
    const char **argv = address_ssh_options(a, c, &n);

    if (at->port != NULL) {
        argv[n++] = "-p";
        argv[n++] = at->port;
    }
    argv[n++] = "--";
    argv[n++] = at->user == NULL ? at->host : arena_printf(a, "%s@%s", at->user, at->host);
    argv[n++] = arena_printf(a, "%s %s", service, shell_quote(a, at->path));
    argv[n] = NULL;
    return argv;
}

const char *const *address_argv(struct arena *a, const struct address *at,
                                const struct git_credential *c, const char *service)
{
    if (at->form == ADDRESS_SSH)
        return ssh_argv(a, at, c, service);
    const char **argv = arena_alloc(a, 4 * sizeof(*argv));
    argv[0] = "git";
    argv[1] = service + strlen("git-");
    argv[2] = at->path;
    return argv;
}
