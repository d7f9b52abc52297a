#include "internal.h"

#include <string.h>

/* GitHub REST, 2022-11-28 (github.md 2). */
enum err_code github_check_name(const char *name, struct err *e)
{
    static const char FIRST[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    static const char REST[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

    if (name[0] == '\0')
        return err_set(e, ERR_INVALID, "a name is empty");
    if (strspn(name, REST) != strlen(name))
        return err_set(e, ERR_INVALID,
                       "the name '%s' may hold only letters, digits and underscores", name);
    if (strchr(FIRST, name[0]) == NULL)
        return err_set(e, ERR_INVALID, "the name '%s' may not start with a digit", name);
    if (strncasecmp(name, "GITHUB_", 7) == 0)
        return err_set(e, ERR_INVALID, "the name '%s' may not start with GITHUB_", name);
    return ERR_OK;
}

char *github_upper(struct arena *a, const char *name)
{
    char *copy = arena_strdup(a, name);

    for (char *p = copy; *p != '\0'; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
    return copy;
}

/* The host of an https URL without a path, lower-case; NULL when it is not one. */
static char *bare_host(struct arena *a, const char *url)
{
    static const char HTTPS[] = "https://";
    size_t n = strlen(url), scheme = sizeof(HTTPS) - 1;

    if (n <= scheme || strncasecmp(url, HTTPS, scheme) != 0)
        return NULL;
    while (url[n - 1] == '/')
        n--;
    if (n <= scheme)
        return NULL;
    char *host = arena_strndup(a, url + scheme, n - scheme);
    for (char *p = host; *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return strchr(host, '/') == NULL ? host : NULL;
}

/* github.md 0: github.com, ghe.com (data residency) and GHES. */
char *github_api_from_url(struct arena *a, const char *url)
{
    const char *host = bare_host(a, url);
    size_t n = strlen(url);

    if (str_eq(host, "github.com") || str_eq(host, "www.github.com") ||
        str_eq(host, "api.github.com"))
        return arena_strdup(a, "https://api.github.com");
    if (host != NULL && str_ends_with(host, ".ghe.com"))
        return arena_printf(a, "https://%s%s", str_starts_with(host, "api.") ? "" : "api.", host);
    while (n > 0 && url[n - 1] == '/')
        n--;
    return arena_printf(a, "%.*s/api/v3", (int)n, url);
}
