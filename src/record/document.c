/*
 * A walk over a JSON text that says where things stand and changes nothing: the state file belongs
 * to somebody else, and a parser that turns 1.10 into 1.1, or refuses integers of more than 64
 * bits, could not give it back as it was.
 */
#include "json.h"

#include <ctype.h>
#include <string.h>

struct walker {
    const char *text, *at, *end;
    int depth;
    struct err *e;
};

static enum err_code wrong(const struct walker *w, const char *what)
{
    int line = 1;
    for (const char *p = w->text; p < w->at && p < w->end; p++)
        line += *p == '\n';
    return err_set(w->e, ERR_INVALID, "line %d: %s", line, what);
}

static void skip_blank(struct walker *w)
{
    while (w->at < w->end && (*w->at == ' ' || *w->at == '\t' || *w->at == '\n' || *w->at == '\r'))
        w->at++;
}

static bool next_is(const struct walker *w, char c)
{
    return w->at < w->end && *w->at == c;
}

static bool digit_next(const struct walker *w)
{
    return w->at < w->end && *w->at >= '0' && *w->at <= '9';
}

static enum err_code skip_escape(struct walker *w)
{
    w->at++; /* the backslash */
    if (w->at >= w->end || strchr("\"\\/bfnrtu", *w->at) == NULL || *w->at == '\0')
        return wrong(w, "a string has an unknown escape");
    if (*w->at++ != 'u')
        return ERR_OK;
    for (int i = 0; i < 4; i++) {
        if (w->at >= w->end || !isxdigit((unsigned char)*w->at))
            return wrong(w, "a string has a broken \\u escape");
        w->at++;
    }
    return ERR_OK;
}

static enum err_code skip_string(struct walker *w)
{
    if (!next_is(w, '"'))
        return wrong(w, "a string was expected");
    for (w->at++; w->at < w->end && *w->at != '"';) {
        if (*w->at == '\\')
            TRY(skip_escape(w));
        else if ((unsigned char)*w->at < 0x20)
            return wrong(w, "a string holds a control character");
        else
            w->at++;
    }
    if (w->at >= w->end)
        return wrong(w, "a string does not end");
    w->at++;
    return ERR_OK;
}

static enum err_code skip_digits(struct walker *w)
{
    if (!digit_next(w))
        return wrong(w, "a value was expected");
    while (digit_next(w))
        w->at++;
    return ERR_OK;
}

static enum err_code skip_number(struct walker *w)
{
    if (next_is(w, '-'))
        w->at++;
    if (next_is(w, '0'))
        w->at++;
    else
        TRY(skip_digits(w));
    if (next_is(w, '.')) {
        w->at++;
        TRY(skip_digits(w));
    }
    if (next_is(w, 'e') || next_is(w, 'E')) {
        w->at++;
        if (next_is(w, '+') || next_is(w, '-'))
            w->at++;
        TRY(skip_digits(w));
    }
    return ERR_OK;
}

static bool skip_word(struct walker *w, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(w->end - w->at) < n || memcmp(w->at, word, n) != 0)
        return false;
    w->at += n;
    return true;
}

static enum err_code skip_value(struct walker *w);

static enum err_code skip_array(struct walker *w)
{
    w->at++;
    skip_blank(w);
    if (next_is(w, ']')) {
        w->at++;
        return ERR_OK;
    }
    for (;;) {
        TRY(skip_value(w));
        skip_blank(w);
        if (next_is(w, ']')) {
            w->at++;
            return ERR_OK;
        }
        if (!next_is(w, ','))
            return wrong(w, "',' or ']' was expected");
        w->at++;
    }
}

/* One `"key": value`; *out tells where it stands. */
static enum err_code skip_member(struct walker *w, struct json_member *out)
{
    skip_blank(w);
    out->key = w->at;
    TRY(skip_string(w));
    skip_blank(w);
    if (!next_is(w, ':'))
        return wrong(w, "':' was expected");
    w->at++;
    skip_blank(w);
    out->value = w->at;
    TRY(skip_value(w));
    out->end = w->at;
    return ERR_OK;
}

static bool is_named(const struct json_member *m, const char *key)
{
    size_t n = strlen(key);
    return strncmp(m->key + 1, key, n) == 0 && m->key[n + 1] == '"';
}

/* doc is NULL for objects further inside. */
static enum err_code skip_object(struct walker *w, struct json_document *doc, const char *key)
{
    w->at++;
    skip_blank(w);
    for (bool first = true; !(first && next_is(w, '}')); first = false) {
        struct json_member m = {.found = true};
        TRY(skip_member(w, &m));
        if (doc != NULL) {
            doc->last_end = m.end;
            if (is_named(&m, key))
                doc->wanted = m;
        }
        skip_blank(w);
        if (next_is(w, '}'))
            break;
        if (!next_is(w, ','))
            return wrong(w, "',' or '}' was expected");
        w->at++;
    }
    w->at++;
    return ERR_OK;
}

static enum err_code skip_value(struct walker *w)
{
    enum err_code r;

    skip_blank(w);
    if (++w->depth > LIMIT_JSON_DEPTH)
        return wrong(w, "nested too deep");
    if (next_is(w, '{'))
        r = skip_object(w, NULL, NULL);
    else if (next_is(w, '['))
        r = skip_array(w);
    else if (next_is(w, '"'))
        r = skip_string(w);
    else if (skip_word(w, "true") || skip_word(w, "false") || skip_word(w, "null"))
        r = ERR_OK;
    else
        r = skip_number(w);
    w->depth--;
    return r;
}

enum err_code document_find(const char *text, size_t n, const char *key, struct json_document *out,
                            struct err *e)
{
    struct walker w = {.text = text, .at = text, .end = text + n, .depth = 1, .e = e};
    struct json_document doc = {.open = NULL};

    skip_blank(&w);
    if (!next_is(&w, '{'))
        return wrong(&w, "not a JSON object");
    doc.open = w.at;
    TRY(skip_object(&w, &doc, key));
    doc.close = w.at - 1;
    skip_blank(&w);
    if (w.at != w.end)
        return wrong(&w, "something stands behind the JSON object");
    *out = doc;
    return ERR_OK;
}
