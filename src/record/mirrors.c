/* The `mirrors` object in somebody else's state file. */
#include "json.h"

#include <string.h>

#define KEY "mirrors"

/* ---- The object, as the original design has it --------------------------------------------- */

static json_t *layer_json(struct json_build *b, enum layer l, const struct layer_status *s)
{
    json_t *o = json_object();

    record_put(b, o, "last_sync_iso", record_time(s->last_sync));
    record_put(b, o, "status", record_string(sync_status_name(s->status)));
    if (l == LAYER_CODE)
        record_put(b, o, "last_commit", record_string(s->commit));
    else
        record_put(b, o, "synced_count", json_integer(s->count));
    return o;
}

static json_t *slave_json(struct json_build *b, const struct slave_status *s)
{
    json_t *o = json_object(), *sync = json_object();

    for (enum layer l = 0; l < LAYER_COUNT; l++)
        record_put(b, sync, layer_name(l), layer_json(b, l, &s->layers[l]));
    record_put(b, o, "id", record_string(s->id));
    record_put(b, o, "type", record_string(s->type));
    record_put(b, o, "repo", record_string(s->repo));
    record_put(b, o, "role", record_string(role_name(s->role)));
    record_put(b, o, "sync", sync);
    record_put(b, o, "last_health_check_iso", record_time(s->last_check));
    record_put(b, o, "health", record_string(health_name(s->health)));
    return o;
}

static json_t *mirrors_json(struct json_build *b, const struct status *s)
{
    json_t *o = json_object(), *slaves = json_array();

    for (size_t i = 0; i < s->n; i++)
        record_append(b, slaves, slave_json(b, &s->slaves[i]));
    record_put(b, o, "schema", json_integer(RECORD_SCHEMA));
    record_put(b, o, "self_role", record_string(role_name(s->self_role)));
    record_put(b, o, "slaves", slaves);
    return o;
}

/* ---- Has anything happened? ---------------------------------------------------------------- */

/* These move with every pass, or with every commit of the file itself. */
static bool is_ignored(const char *key)
{
    return str_eq(key, "last_sync_iso") || str_eq(key, "last_health_check_iso") ||
           str_eq(key, "last_commit");
}

static bool same(json_t *a, json_t *b);

static size_t compared_members(json_t *o)
{
    const char *key;
    json_t *value;
    size_t n = 0;
    json_object_foreach(o, key, value)
    {
        n += !is_ignored(key);
    }
    return n;
}

static bool same_object(json_t *a, json_t *b)
{
    const char *key;
    json_t *value;

    if (compared_members(a) != compared_members(b))
        return false;
    json_object_foreach(a, key, value)
    {
        if (!is_ignored(key) && !same(value, json_object_get(b, key)))
            return false;
    }
    return true;
}

static bool same(json_t *a, json_t *b)
{
    if (a == NULL || b == NULL || json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_object(a))
        return same_object(a, b);
    if (!json_is_array(a))
        return json_equal(a, b);
    if (json_array_size(a) != json_array_size(b))
        return false;
    for (size_t i = 0; i < json_array_size(a); i++) {
        if (!same(json_array_get(a, i), json_array_get(b, i)))
            return false;
    }
    return true;
}

/* ---- Style of the text --------------------------------------------------------------------- */

struct style {
    const char *unit; /* one level of indentation; NULL: all on one line */
    int unit_len;
    const char *newline;
    bool compact; /* one line, without blanks */
};

static const struct style NEW_FILE = {.unit = "  ", .unit_len = 2, .newline = "\n"};

/* How the text behind the first brace is set is how everything else is. */
static struct style style_of(const char *old, const struct json_document *doc)
{
    const char *p = doc->open + 1, *end = doc->close;
    const char *newline = memchr(p, '\n', (size_t)(end - p));

    if (doc->last_end == NULL)
        return NEW_FILE;
    if (newline == NULL) {
        const char *colon = memchr(p, ':', (size_t)(end - p));
        return (struct style){.compact = colon != NULL && colon[1] != ' '};
    }
    const char *unit = newline + 1;
    size_t n = strspn(unit, " \t");
    bool crlf = newline > old && newline[-1] == '\r';
    if (n == 0 || n > 16)
        return (struct style){.unit = "  ", .unit_len = 2, .newline = crlf ? "\r\n" : "\n"};
    return (struct style){.unit = unit, .unit_len = (int)n, .newline = crlf ? "\r\n" : "\n"};
}

/* jansson's text with one blank a level, set again in the file's own style one level further in. */
static enum err_code put_indented(const char *json, const struct style *s, struct buf *out,
                                  struct err *e)
{
    while (*json != '\0') {
        size_t n = strcspn(json, "\n");
        TRY(buf_add(out, json, n, e));
        json += n;
        if (*json == '\0')
            break;
        json++;
        size_t level = strspn(json, " ") + 1;
        TRY(buf_addstr(out, s->newline, e));
        for (size_t i = 0; i < level; i++)
            TRY(buf_add(out, s->unit, (size_t)s->unit_len, e));
        json += level - 1;
    }
    return ERR_OK;
}

static enum err_code put_mirrors(const json_t *mirrors, const struct json_build *b,
                                 const struct style *s, struct buf *out, struct err *e)
{
    if (s->unit == NULL)
        return record_dump(mirrors, b, s->compact ? JSON_COMPACT : 0, out, e);
    CLEANUP(buf_release) struct buf text = BUF_INIT(LIMIT_STATE_FILE);
    TRY(record_dump(mirrors, b, JSON_INDENT(1), &text, e));
    return put_indented(buf_str(&text), s, out, e);
}

/* The member behind the last one, or the only one. */
static enum err_code put_member(const char *before, const json_t *mirrors,
                                const struct json_build *b, const struct style *s, struct buf *out,
                                struct err *e)
{
    TRY(buf_addstr(out, before, e));
    if (s->unit != NULL)
        TRY(buf_addf(out, e, "%s%.*s", s->newline, s->unit_len, s->unit));
    else if (!s->compact && *before != '\0')
        TRY(buf_addstr(out, " ", e));
    TRY(buf_addf(out, e, "\"%s\":%s", KEY, s->compact ? "" : " "));
    return put_mirrors(mirrors, b, s, out, e);
}

/* ---- Merge --------------------------------------------------------------------------------- */

static enum err_code write_new(const json_t *mirrors, const struct json_build *b, struct buf *out,
                               struct err *e)
{
    TRY(buf_addstr(out, "{", e));
    TRY(put_member("", mirrors, b, &NEW_FILE, out, e));
    return buf_addstr(out, "\n}\n", e);
}

static enum err_code splice(const char *old, size_t n, const struct json_document *doc,
                            const json_t *mirrors, const struct json_build *b, struct buf *out,
                            struct err *e)
{
    const struct style s = style_of(old, doc);
    const char *end = old + n;

    if (doc->wanted.found) {
        TRY(buf_add(out, old, (size_t)(doc->wanted.value - old), e));
        TRY(put_mirrors(mirrors, b, &s, out, e));
        return buf_add(out, doc->wanted.end, (size_t)(end - doc->wanted.end), e);
    }
    const char *cut = doc->last_end != NULL ? doc->last_end : doc->open + 1;
    TRY(buf_add(out, old, (size_t)(cut - old), e));
    TRY(put_member(doc->last_end != NULL ? "," : "", mirrors, b, &s, out, e));
    if (doc->last_end != NULL)
        return buf_add(out, cut, (size_t)(end - cut), e);
    TRY(buf_addstr(out, "\n", e));
    return buf_add(out, doc->close, (size_t)(end - doc->close), e);
}

static bool is_blank(const char *text, size_t n)
{
    for (size_t i = 0; text != NULL && i < n; i++) {
        if (text[i] == '\0' || strchr(" \t\r\n", text[i]) == NULL)
            return false;
    }
    return true;
}

enum err_code mirrors_record_merge(const char *old, size_t n, const struct status *s,
                                   struct buf *out, bool *out_changed, struct err *e)
{
    struct json_build b = {false};
    struct json_document doc = {.open = NULL};
    CLEANUP(record_json_release) json_t *mirrors = mirrors_json(&b, s);

    if (is_blank(old, n)) {
        TRY(write_new(mirrors, &b, out, e));
        *out_changed = true;
        return ERR_OK;
    }
    TRY(document_find(old, n, KEY, &doc, e));
    if (doc.wanted.found) {
        size_t len = (size_t)(doc.wanted.end - doc.wanted.value);
        CLEANUP(record_json_release)
        json_t *was = json_loadb(doc.wanted.value, len, JSON_DECODE_ANY, NULL);
        if (same(was, mirrors)) {
            *out_changed = false;
            return ERR_OK;
        }
    }
    TRY(splice(old, n, &doc, mirrors, &b, out, e));
    *out_changed = true;
    return ERR_OK;
}
