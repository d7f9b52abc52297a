/*
 * What nobody reads is left out of a reply before it is kept and parsed. Of the hundred members of
 * a repository eight are of use, and jansson takes 10 to 20 times as long to build a member as it
 * takes to step over it; parsing used to be a fifth of an idle pass.
 *
 * Only members of objects are left out, by name, at any depth. A text in which anything is
 * unexpected is given up, and jansson gets the whole of it, to say what is wrong.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* Every member that this room reads of a reply; github_member_... assert that theirs is one. */
#define MEMBERS_READ(X)                                                                            \
    X(admin) X(archived) X(default_branch) X(disabled) X(enabled) X(fork) X(full_name) X(id)       \
    X(key) X(key_id) X(name) X(path) X(permissions) X(private) X(push) X(secrets) X(state)         \
    X(total_count) X(updated_at) X(value) X(variables) X(workflows)
#define QUOTED(member) #member,
#define IN_A_LIST(member) #member " "

static const char *const READ[] = {MEMBERS_READ(QUOTED)};

struct scan {
    const char *p, *end; /* what is left of the text */
    char *out;           /* at most as long as the text */
    size_t n;
};

static bool is_read(const char *key, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(READ); i++)
        if (strncmp(READ[i], key, n) == 0 && READ[i][n] == '\0')
            return true;
    return memchr(key, '\\', n) != NULL; /* spelled with escapes: jansson knows what it says */
}

bool github_reads_member(const char *key)
{
    return is_read(key, strlen(key));
}

static void emit(struct scan *s, const char *from, size_t n)
{
    memcpy(s->out + s->n, from, n);
    s->n += n;
}

static void skip_space(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

static bool take(struct scan *s, char c)
{
    skip_space(s);
    if (s->p >= s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

/* Behind the closing quote; false when there is none. */
static bool skip_string(struct scan *s)
{
    if (!take(s, '"'))
        return false;
    for (; s->p < s->end; s->p++) {
        if (*s->p == '"')
            return s->p++, true;
        if (*s->p == '\\' && s->end - s->p > 1)
            s->p++;
    }
    return false;
}

static bool skip_scalar(struct scan *s)
{
    skip_space(s);
    if (s->p < s->end && *s->p == '"')
        return skip_string(s);
    const char *from = s->p;
    while (s->p < s->end && strchr(",:[]{}\" \t\r\n", *s->p) == NULL)
        s->p++;
    return s->p > from;
}

static bool skip_value(struct scan *s)
{
    int depth = 0;

    do {
        skip_space(s);
        if (s->p >= s->end)
            return false;
        if (*s->p == '{' || *s->p == '[') {
            depth++;
            s->p++;
        } else if (*s->p == '}' || *s->p == ']') {
            depth--;
            s->p++;
        } else if (depth > 0 && (*s->p == ',' || *s->p == ':')) {
            s->p++;
        } else if (!skip_scalar(s)) {
            return false;
        }
    } while (depth > 0);
    return depth == 0;
}

static bool copy_value(struct scan *s);

static bool copy_member(struct scan *s, bool *first)
{
    skip_space(s);
    const char *key = s->p;
    if (!skip_string(s))
        return false;
    size_t n = (size_t)(s->p - key);
    if (!take(s, ':'))
        return false;
    if (!is_read(key + 1, n - 2))
        return skip_value(s);
    if (!*first)
        emit(s, ",", 1);
    *first = false;
    emit(s, key, n);
    emit(s, ":", 1);
    return copy_value(s);
}

static bool copy_object(struct scan *s)
{
    bool first = true;

    emit(s, "{", 1);
    if (!take(s, '}')) {
        do
            if (!copy_member(s, &first))
                return false;
        while (take(s, ','));
        if (!take(s, '}'))
            return false;
    }
    emit(s, "}", 1);
    return true;
}

static bool copy_array(struct scan *s)
{
    emit(s, "[", 1);
    if (!take(s, ']')) {
        for (;;) {
            if (!copy_value(s))
                return false;
            if (!take(s, ','))
                break;
            emit(s, ",", 1);
        }
        if (!take(s, ']'))
            return false;
    }
    emit(s, "]", 1);
    return true;
}

/* Recursion is bounded: github_slim has looked at the depth. */
static bool copy_value(struct scan *s)
{
    if (take(s, '{'))
        return copy_object(s);
    if (take(s, '['))
        return copy_array(s);
    skip_space(s);
    const char *from = s->p;
    if (!skip_scalar(s))
        return false;
    emit(s, from, (size_t)(s->p - from));
    return true;
}

char *github_slim(const char *text, size_t n, size_t *out_n)
{
    if (github_too_deep(text, n))
        return NULL;
    struct scan s = {.p = text, .end = text + n, .out = mem_realloc(NULL, n + 1)};
    bool whole = copy_value(&s);

    skip_space(&s);
    if (!whole || s.p != s.end) {
        free(s.out);
        return NULL;
    }
    *out_n = s.n;
    return s.out;
}

const struct http_extract github_extract = {.what = MEMBERS_READ(IN_A_LIST), .cut = github_slim};
