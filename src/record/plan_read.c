#include "plan_file.h"

static enum err_code not_a_word(const struct json_fields *f, const char *key, const char *word,
                                struct err *e)
{
    return err_set(e, ERR_INVALID, "%s: '%s' is \"%s\", which no mirrorctl writes", f->what, key,
                   word);
}

/* An error's word; absent is ERR_OK. */
static enum err_code field_err(const struct json_fields *f, const char *key, enum err_code *out,
                               struct err *e)
{
    const char *word = NULL;
    TRY(field_string(f, key, false, &word, e));
    *out = ERR_OK;
    if (word == NULL)
        return ERR_OK;
    for (enum err_code c = ERR_OK; c < ERR_CODE_COUNT; c++) {
        if (str_eq(err_code_name(c), word)) {
            *out = c;
            return ERR_OK;
        }
    }
    return not_a_word(f, key, word, e);
}

static enum err_code action_words(const struct json_fields *f, struct action *a, struct err *e)
{
    const char *word = NULL;

    TRY(field_string(f, "phase", true, &word, e));
    if (!phase_from_name(word, &a->phase))
        return not_a_word(f, "phase", word, e);
    TRY(field_string(f, "act", true, &word, e));
    if (!act_from_name(word, &a->act))
        return not_a_word(f, "act", word, e);
    TRY(field_string(f, "kind", true, &word, e));
    if (!kind_from_name(word, &a->kind))
        return not_a_word(f, "kind", word, e);
    TRY(field_string(f, "drift", true, &word, e));
    if (!drift_from_name(word, &a->drift))
        return not_a_word(f, "drift", word, e);
    return ERR_OK;
}

static enum err_code read_action(const struct json_fields *f, struct action *a, struct err *e)
{
    TRY(action_words(f, a, e));
    TRY(field_string(f, "name", true, &a->name, e));
    TRY(field_string(f, "from", false, &a->from, e));
    TRY(field_string(f, "to", false, &a->to, e));
    TRY(field_string(f, "stamp", false, &a->stamp, e));
    TRY(field_string(f, "reason", false, &a->reason, e));
    TRY(field_string(f, "detail", false, &a->detail, e));
    TRY(field_integer(f, "id", false, &a->id, e));
    TRY(field_bool(f, "forced", &a->forced, e));
    TRY(field_bool(f, "rescue", &a->rescue, e));
    return field_bool(f, "arrives", &a->arrives, e);
}

static enum err_code read_condition(const struct json_fields *f, struct condition *c, struct err *e)
{
    const char *word = NULL;

    TRY(field_string(f, "level", true, &word, e));
    if (!condition_level_from_name(word, &c->level))
        return not_a_word(f, "level", word, e);
    TRY(field_err(f, "error", &c->err, e));
    TRY(field_string(f, "kind", false, &word, e));
    c->about_kind = word != NULL;
    if (c->about_kind && !kind_from_name(word, &c->kind))
        return not_a_word(f, "kind", word, e);
    TRY(field_string(f, "code", true, &c->code, e));
    TRY(field_string(f, "text", true, &c->text, e));
    return field_string(f, "cure", false, &c->cure, e);
}

static enum err_code must_be_object(const char *what, const json_t *j, struct err *e)
{
    return json_is_object(j) ? ERR_OK : err_set(e, ERR_INVALID, "%s: not an object", what);
}

static enum err_code read_slave(json_t *j, size_t nth, struct arena *a, struct slave_plan *out,
                                struct err *e)
{
    const struct json_fields f = {
        .what = arena_printf(a, "plan: slave %zu", nth + 1), .object = j, .arena = a};
    json_t *actions = NULL, *conditions = NULL, *item;
    const char *id = NULL;
    size_t i;

    TRY(must_be_object(f.what, j, e));
    TRY(field_string(&f, "slave", true, &id, e));
    slave_plan_init(out, id, a);
    TRY(field_bool(&f, "is_master", &out->is_master, e));
    TRY(field_err(&f, "refused", &out->refused, e));
    TRY(field_array(&f, "actions", &actions, e));
    TRY(field_array(&f, "conditions", &conditions, e));
    json_array_foreach(actions, i, item)
    {
        const struct json_fields g = {
            .what = arena_printf(a, "%s: action %zu", f.what, i + 1), .object = item, .arena = a};
        TRY(must_be_object(g.what, item, e));
        TRY(read_action(&g, slave_plan_add(out), e));
    }
    json_array_foreach(conditions, i, item)
    {
        const struct json_fields g = {.what = arena_printf(a, "%s: condition %zu", f.what, i + 1),
                                      .object = item,
                                      .arena = a};
        struct condition c = {.level = COND_NOTE};
        TRY(must_be_object(g.what, item, e));
        TRY(read_condition(&g, &c, e));
        slave_plan_condition(out, c);
    }
    return ERR_OK;
}

static enum err_code check_digest(const struct json_fields *f, struct err *e)
{
    const char *said = NULL;
    char is[PLAN_DIGEST_SIZE];

    TRY(field_string(f, PLAN_DIGEST_KEY, true, &said, e));
    TRY(plan_digest(f->object, is, e));
    if (!str_eq(said, is))
        return err_set(e, ERR_DAMAGED,
                       "plan: it was changed after it was made; make a new one with diff --out");
    return ERR_OK;
}

enum err_code plan_record_read(const char *json, size_t n, struct arena *a, struct plan *out,
                               struct plan_binding *out_binding, struct err *e)
{
    CLEANUP(record_json_release) json_t *o = NULL;
    struct plan_binding b = {.version = NULL};
    struct plan p = {.n = 0};
    json_t *slaves = NULL;

    if (n > LIMIT_PLAN_FILE)
        return err_set(e, ERR_LIMIT, "plan: larger than %d bytes", LIMIT_PLAN_FILE);
    TRY(record_parse("plan", json, n, &o, e));
    const struct json_fields f = {.what = "plan", .object = o, .arena = a};
    TRY(check_digest(&f, e));
    TRY(field_string(&f, "version", false, &b.version, e));
    TRY(field_time(&f, "at_iso", &b.at, e));
    TRY(field_string(&f, "manifest_digest", false, &b.manifest_digest, e));
    TRY(field_string(&f, "observed_digest", false, &b.observed_digest, e));
    TRY(field_array(&f, "slaves", &slaves, e));
    p.n = json_array_size(slaves);
    p.slaves = arena_alloc(a, (p.n + 1) * sizeof(*p.slaves));
    for (size_t i = 0; i < p.n; i++)
        TRY(read_slave(json_array_get(slaves, i), i, a, &p.slaves[i], e));
    *out = p;
    *out_binding = b;
    return ERR_OK;
}
