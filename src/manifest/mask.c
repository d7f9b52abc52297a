/*
 * What must not be shown. A manifest holds no secrets, but people put them there by mistake, and
 * the message about that mistake ends up in logs of CI.
 */
#include "room.h"

#include <ctype.h>
#include <string.h>

enum {
    TOKEN_REST = 4,  /* characters behind a prefix that make it a token; "ghp_" alone is talk */
    BASE64_RUN = 40, /* so many without a space are a key, not a word */
    PEM_HEADER = 64, /* bytes in which the header of a PEM block ends */
};

static bool is_word(char c)
{
    return isalnum((unsigned char)c) != 0 || c == '_';
}

static size_t token_rest(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && (is_word(s[i]) || s[i] == '-' || s[i] == '.'))
        i++;
    return i;
}

static bool is_pem(const char *s, size_t n)
{
    static const char begin[] = "-----BEGIN ", end[] = "PRIVATE KEY";
    size_t window = n < PEM_HEADER ? n : PEM_HEADER;

    return n >= sizeof(begin) - 1 && memcmp(s, begin, sizeof(begin) - 1) == 0 &&
           memmem(s, window, end, sizeof(end) - 1) != NULL;
}

static bool is_token(const char *s, size_t n)
{
    /* GitHub's and GitLab's own prefixes, made for this purpose. */
    static const char *const prefixes[] = {"ghp_", "gho_",        "ghu_",  "ghs_",
                                           "ghr_", "github_pat_", "glpat-"};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        size_t len = strlen(prefixes[i]);
        if (n >= len + TOKEN_REST && memcmp(s, prefixes[i], len) == 0 &&
            token_rest(s + len, n - len) >= TOKEN_REST)
            return true;
    }
    return is_pem(s, n);
}

size_t mask_find_token(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((s[i] == 'g' || s[i] == '-') && (i == 0 || !is_word(s[i - 1])) &&
            is_token(s + i, n - i))
            return i;
    return n;
}

/* Whether the part between "://" and "@" is more than a user's name. */
static bool tells_password(const char *s, size_t scheme_end, const char *userinfo, size_t len)
{
    const char *colon = memchr(userinfo, ':', len);
    if (colon != NULL)
        return (size_t)(colon - userinfo) + 1 < len;
    bool http = (scheme_end >= 4 && memcmp(s + scheme_end - 4, "http", 4) == 0) ||
                (scheme_end >= 5 && memcmp(s + scheme_end - 5, "https", 5) == 0);
    return http && len > 0;
}

size_t mask_find_url_password(const char *s, size_t n)
{
    for (size_t i = 0; i + 3 < n; i++) {
        if (s[i] != ':' || s[i + 1] != '/' || s[i + 2] != '/')
            continue;
        size_t from = i + 3, to = from, at = 0;
        while (to < n && strchr("/?# \t\r\n\"'", s[to]) == NULL) {
            if (s[to] == '@')
                at = to;
            to++;
        }
        if (at > from && tells_password(s, i, s + from, at - from))
            return from;
    }
    return n;
}

/* Whether the word that ends at `end` names something that holds a credential. */
static bool is_secret_key(const char *line, size_t end)
{
    static const char *const words[] = {"token", "from", "secret", "password", "passwd", "key"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t len = strlen(words[i]);
        if (end >= len && strncasecmp(line + end - len, words[i], len) == 0)
            return true;
    }
    return false;
}

/* Where the value of `token: value` or TOKEN=value begins; n when there is none. */
static size_t find_secret_value(const char *line, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (line[i] != ':' && line[i] != '=')
            continue;
        size_t end = i;
        while (end > 0 && (line[end - 1] == '"' || line[end - 1] == '\'' || line[end - 1] == ' '))
            end--;
        if (!is_secret_key(line, end))
            continue;
        size_t value = i + 1;
        while (value < n && (line[value] == ' ' || line[value] == '\t'))
            value++;
        if (value < n && strchr("{[#\r\n", line[value]) == NULL)
            return value;
    }
    return n;
}

static size_t find_base64(const char *line, size_t n)
{
    size_t run = 0;
    for (size_t i = 0; i < n; i++) {
        run = is_word(line[i]) || strchr("+/=-", line[i]) != NULL ? run + 1 : 0;
        if (run >= BASE64_RUN)
            return i + 1 - run;
    }
    return n;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t mask_guess(const char *line, size_t n)
{
    size_t known = least(mask_find_token(line, n), mask_find_url_password(line, n));
    return least(known, least(find_secret_value(line, n), find_base64(line, n)));
}
