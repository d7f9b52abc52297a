#include "json.h"

#include <stdlib.h>
#include <string.h>

void record_json_release(json_t **j)
{
    json_decref(*j);
    *j = NULL;
}

/* ---- Building ------------------------------------------------------------------------------ */

json_t *record_string(const char *s)
{
    static const char HEX[] = "0123456789abcdef";

    if (s == NULL)
        return json_null();
    json_t *j = json_string(s);
    if (j != NULL)
        return j;

    char *ascii = mem_alloc(strlen(s) * 4 + 1), *p = ascii;
    for (const unsigned char *u = (const unsigned char *)s; *u != '\0'; u++) {
        if (*u < 0x80) {
            *p++ = (char)*u;
            continue;
        }
        *p++ = '\\';
        *p++ = 'x';
        *p++ = HEX[*u >> 4];
        *p++ = HEX[*u & 15];
    }
    j = json_string(ascii);
    free(ascii);
    return j;
}

json_t *record_time(struct wall t)
{
    char iso[24];
    return t.s == 0 ? json_null() : json_string(wall_format(t, iso));
}

void record_put(struct json_build *b, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        b->failed = true;
}

void record_append(struct json_build *b, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        b->failed = true;
}

struct dump_target {
    struct buf *out;
    struct err *e;
    enum err_code code;
};

static int dump_some(const char *bytes, size_t n, void *ctx)
{
    struct dump_target *t = ctx;
    t->code = buf_add(t->out, bytes, n, t->e);
    return t->code == ERR_OK ? 0 : -1;
}

enum err_code record_dump(const json_t *j, const struct json_build *b, size_t flags,
                          struct buf *out, struct err *e)
{
    struct dump_target t = {.out = out, .e = e};

    if (b->failed || j == NULL)
        return err_set(e, ERR_LIMIT, "JSON: no memory for it");
    if (json_dump_callback(j, dump_some, &t, flags) == 0)
        return ERR_OK;
    return t.code != ERR_OK ? t.code : err_set(e, ERR_LIMIT, "JSON: it could not be written");
}

/* ---- Reading ------------------------------------------------------------------------------- */

/* jansson's own limit is 2048 levels of recursion; ours is checked before it starts. */
static bool too_deep(const char *json, size_t n)
{
    size_t depth = 0;
    bool string = false;

    for (size_t i = 0; i < n; i++) {
        if (string && json[i] == '\\')
            i++;
        else if (json[i] == '"')
            string = !string;
        else if (!string && (json[i] == '{' || json[i] == '['))
            depth++;
        else if (!string && (json[i] == '}' || json[i] == ']') && depth > 0)
            depth--;
        if (depth > LIMIT_JSON_DEPTH)
            return true;
    }
    return false;
}

static enum err_code check_schema(const char *what, json_t *object, struct err *e)
{
    const json_t *schema = json_object_get(object, "schema");

    if (schema == NULL)
        return ERR_OK;
    if (!json_is_integer(schema))
        return err_set(e, ERR_INVALID, "%s: 'schema' is not a number", what);
    if (json_integer_value(schema) == RECORD_SCHEMA)
        return ERR_OK;
    return err_set(e, ERR_INVALID,
                   "%s: schema %" JSON_INTEGER_FORMAT " is not known here; a newer mirrorctl may "
                   "have written it",
                   what, json_integer_value(schema));
}

enum err_code record_parse(const char *what, const char *json, size_t n, json_t **out,
                           struct err *e)
{
    json_error_t why;

    if (too_deep(json, n))
        return err_set(e, ERR_INVALID, "%s: nested deeper than %d levels", what, LIMIT_JSON_DEPTH);
    CLEANUP(record_json_release) json_t *j = json_loadb(json, n, JSON_REJECT_DUPLICATES, &why);
    if (j == NULL)
        return err_set(e, ERR_INVALID, "%s: line %d: %s", what, why.line, why.text);
    if (!json_is_object(j))
        return err_set(e, ERR_INVALID, "%s: not a JSON object", what);
    TRY(check_schema(what, j, e));
    *out = j;
    j = NULL;
    return ERR_OK;
}

/* The value, NULL when absent or null. */
static enum err_code field(const struct json_fields *f, const char *key, bool needed, json_t **out,
                           struct err *e)
{
    json_t *j = json_object_get(f->object, key);

    *out = json_is_null(j) ? NULL : j;
    if (*out == NULL && needed)
        return err_set(e, ERR_INVALID, "%s: '%s' is missing", f->what, key);
    return ERR_OK;
}

enum err_code field_string(const struct json_fields *f, const char *key, bool needed,
                           const char **out, struct err *e)
{
    json_t *j = NULL;
    TRY(field(f, key, needed, &j, e));
    if (j != NULL && !json_is_string(j))
        return err_set(e, ERR_INVALID, "%s: '%s' is not a string", f->what, key);
    *out = arena_strdup(f->arena, json_string_value(j));
    return ERR_OK;
}

enum err_code field_integer(const struct json_fields *f, const char *key, bool needed, int64_t *out,
                            struct err *e)
{
    json_t *j = NULL;
    TRY(field(f, key, needed, &j, e));
    if (j != NULL && !json_is_integer(j))
        return err_set(e, ERR_INVALID, "%s: '%s' is not a whole number", f->what, key);
    *out = json_integer_value(j);
    return ERR_OK;
}

enum err_code field_bool(const struct json_fields *f, const char *key, bool *out, struct err *e)
{
    json_t *j = NULL;
    TRY(field(f, key, false, &j, e));
    if (j != NULL && !json_is_boolean(j))
        return err_set(e, ERR_INVALID, "%s: '%s' is not true or false", f->what, key);
    *out = json_is_true(j);
    return ERR_OK;
}

enum err_code field_time(const struct json_fields *f, const char *key, struct wall *out,
                         struct err *e)
{
    const char *iso = NULL;
    TRY(field_string(f, key, false, &iso, e));
    *out = (struct wall){0};
    if (iso != NULL && wall_parse(iso, out, e) != ERR_OK)
        return err_wrap(e, "%s: '%s'", f->what, key);
    return ERR_OK;
}

enum err_code field_array(const struct json_fields *f, const char *key, json_t **out, struct err *e)
{
    TRY(field(f, key, false, out, e));
    if (*out != NULL && !json_is_array(*out))
        return err_set(e, ERR_INVALID, "%s: '%s' is not a list", f->what, key);
    return ERR_OK;
}
