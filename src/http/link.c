/* The Link header (RFC 8288), as far as paging needs it: <target>; rel="next", ... */
#include "internal.h"

#include <string.h>

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* Whether the blank-separated list of n bytes holds the word "next". */
static bool has_next(const char *list, size_t n)
{
    while (n > 0) {
        size_t word = 0;
        while (word < n && list[word] != ' ')
            word++;
        if (word == 4 && strncasecmp(list, "next", 4) == 0)
            return true;
        size_t step = word < n ? word + 1 : word;
        list += step;
        n -= step;
    }
    return false;
}

/* Reads one parameter at *p (behind its ';') and moves *p behind it. */
static bool param_is_rel_next(const char **p)
{
    const char *name = skip_blanks(*p);
    size_t name_len = strcspn(name, "=;, \t");
    const char *at = skip_blanks(name + name_len), *value = "";
    size_t value_len = 0;

    if (*at == '=') {
        value = skip_blanks(at + 1);
        if (*value == '"') {
            value++;
            value_len = strcspn(value, "\"");
            at = value + value_len + (value[value_len] == '"' ? 1 : 0);
        } else {
            value_len = strcspn(value, ";, \t");
            at = value + value_len;
        }
    }
    *p = skip_blanks(at);
    return name_len == 3 && strncasecmp(name, "rel", 3) == 0 && has_next(value, value_len);
}

char *link_next(const char *link)
{
    const char *p = link;

    while ((p = strchr(p, '<')) != NULL) {
        const char *target = ++p;
        size_t n = strcspn(target, ">");
        if (target[n] == '\0')
            return NULL;
        bool found = false;
        p = skip_blanks(target + n + 1);
        while (*p == ';') {
            p++;
            found = param_is_rel_next(&p) || found;
        }
        if (found) {
            char *next = mem_alloc(n + 1);
            memcpy(next, target, n);
            return next;
        }
        p += strcspn(p, ",<");
    }
    return NULL;
}
