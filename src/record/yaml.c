/* JSON values as YAML block text. Every string that YAML could read as something else is quoted. */
#include "json.h"

#include <string.h>

/* Letters only, so that neither a number nor a time can come of it, and no word of YAML 1.1. */
static bool is_plain(const char *s)
{
    static const char *const WORDS[] = {"y",   "n",    "yes",   "no",  "on",
                                        "off", "true", "false", "null"};
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-/");

    if (n == 0 || s[n] != '\0' || s[0] == '-')
        return false;
    for (size_t i = 0; i < ARRAY_LEN(WORDS); i++) {
        if (str_eq_nocase(WORDS[i], s))
            return false;
    }
    return true;
}

static enum err_code put_scalar(const json_t *j, struct buf *out, struct err *e)
{
    const struct json_build good = {false};

    if (json_is_string(j) && is_plain(json_string_value(j)))
        return buf_addstr(out, json_string_value(j), e);
    /* A JSON scalar, and an empty list or object, is a YAML one. */
    return record_dump(j, &good, JSON_ENCODE_ANY | JSON_COMPACT, out, e);
}

static enum err_code put_value(json_t *j, int depth, bool in_list, struct buf *out, struct err *e);

static bool is_block(const json_t *j)
{
    return json_object_size(j) > 0 || json_array_size(j) > 0;
}

static enum err_code put_object(json_t *j, int depth, bool in_list, struct buf *out, struct err *e)
{
    const char *key;
    json_t *value;

    json_object_foreach(j, key, value)
    {
        if (!in_list) /* the first key of a list's item stands behind its dash */
            TRY(buf_addf(out, e, "%*s", depth * 2, ""));
        in_list = false;
        TRY(buf_addf(out, e, "%s:%s", key, is_block(value) ? "\n" : " "));
        TRY(put_value(value, json_is_array(value) ? depth : depth + 1, false, out, e));
    }
    return ERR_OK;
}

static enum err_code put_value(json_t *j, int depth, bool in_list, struct buf *out, struct err *e)
{
    if (!is_block(j)) {
        TRY(put_scalar(j, out, e));
        return buf_addstr(out, "\n", e);
    }
    if (json_is_object(j))
        return put_object(j, depth, in_list, out, e);
    for (size_t i = 0; i < json_array_size(j); i++) {
        TRY(buf_addf(out, e, "%*s- ", depth * 2, ""));
        TRY(put_value(json_array_get(j, i), depth + 1, true, out, e));
    }
    return ERR_OK;
}

enum err_code status_record_write_yaml(const struct status *s, struct buf *out, struct err *e)
{
    struct json_build b = {false};
    CLEANUP(record_json_release) json_t *o = record_status(&b, s);

    if (b.failed || o == NULL)
        return err_set(e, ERR_LIMIT, "status: no memory for it");
    return put_value(o, 0, false, out, e);
}
