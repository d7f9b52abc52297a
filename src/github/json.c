#include "internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void json_freep(json_t **j)
{
    json_decref(*j);
    *j = NULL;
}

/* jansson recurses up to 2,048 levels; this stops far below, before it begins. */
bool github_too_deep(const char *p, size_t n)
{
    int depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < n; i++) {
        if (in_string) {
            if (p[i] == '\\')
                i++;
            else if (p[i] == '"')
                in_string = false;
        } else if (p[i] == '"') {
            in_string = true;
        } else if (p[i] == '[' || p[i] == '{') {
            if (++depth > LIMIT_JSON_DEPTH)
                return true;
        } else if (p[i] == ']' || p[i] == '}') {
            depth--;
        }
    }
    return false;
}

enum err_code github_parse(const struct buf *body, json_t **out, struct err *e)
{
    json_error_t why;

    if (github_too_deep(buf_str(body), body->len))
        return err_set(e, ERR_INVALID, "the reply's JSON is nested deeper than %d",
                       LIMIT_JSON_DEPTH);
    json_t *j = json_loadb(buf_str(body), body->len, 0, &why);
    if (j == NULL)
        return err_set(e, ERR_INVALID, "the reply is no JSON: %s", why.text);
    *out = j;
    return ERR_OK;
}

enum err_code github_parse_object(const struct call *c, const struct http_reply *rp, json_t **out,
                                  struct err *e)
{
    CLEANUP(json_freep) json_t *j = NULL;
    enum err_code r = github_parse(&rp->body, &j, e);

    if (r == ERR_OK && !json_is_object(j))
        r = err_set(e, ERR_INVALID, "the reply is no JSON object");
    if (r != ERR_OK)
        return err_wrap(e, "%s %.*s", c->method, (int)strcspn(c->url, "?"), c->url);
    *out = j;
    j = NULL;
    return ERR_OK;
}

enum err_code github_member_text(struct arena *a, const json_t *object, const char *key,
                                 const char **out, struct err *e)
{
    assert(github_reads_member(key));
    const json_t *value = json_object_get(object, key);

    if (!json_is_string(value))
        return err_set(e, ERR_INVALID, "the reply has no text '%s'", key);
    *out = arena_strndup(a, json_string_value(value), json_string_length(value));
    return ERR_OK;
}

enum err_code github_member_int(const json_t *object, const char *key, int64_t *out, struct err *e)
{
    assert(github_reads_member(key));
    const json_t *value = json_object_get(object, key);

    if (!json_is_integer(value))
        return err_set(e, ERR_INVALID, "the reply has no number '%s'", key);
    *out = json_integer_value(value);
    return ERR_OK;
}

bool github_member_true(const json_t *object, const char *key)
{
    assert(github_reads_member(key));
    return json_is_true(json_object_get(object, key));
}

enum tristate github_member_tristate(const json_t *object, const char *key)
{
    assert(github_reads_member(key));
    const json_t *value = json_object_get(object, key);

    if (!json_is_boolean(value))
        return TRI_UNKNOWN;
    return json_is_true(value) ? TRI_YES : TRI_NO;
}
