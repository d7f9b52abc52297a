#include "plan_file.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- Parts, which the events of apply use as well ------------------------------------------ */

json_t *record_action(struct json_build *b, const struct action *a)
{
    json_t *o = json_object();

    record_put(b, o, "phase", record_string(phase_name(a->phase)));
    record_put(b, o, "act", record_string(act_name(a->act)));
    record_put(b, o, "kind", record_string(kind_name(a->kind)));
    record_put(b, o, "name", record_string(a->name));
    record_put(b, o, "drift", record_string(drift_name(a->drift)));
    record_put(b, o, "from", record_string(a->from));
    record_put(b, o, "to", record_string(a->to));
    record_put(b, o, "stamp", record_string(a->stamp));
    record_put(b, o, "reason", record_string(a->reason));
    record_put(b, o, "detail", record_string(a->detail));
    record_put(b, o, "id", json_integer(a->id));
    record_put(b, o, "forced", json_boolean(a->forced));
    record_put(b, o, "rescue", json_boolean(a->rescue));
    record_put(b, o, "arrives", json_boolean(a->arrives));
    return o;
}

json_t *record_condition(struct json_build *b, const struct condition *c)
{
    json_t *o = json_object();

    record_put(b, o, "level", record_string(condition_level_name(c->level)));
    record_put(b, o, "code", record_string(c->code));
    record_put(b, o, "error",
               c->err == ERR_OK ? json_null() : record_string(err_code_name(c->err)));
    record_put(b, o, "kind", c->about_kind ? record_string(kind_name(c->kind)) : json_null());
    record_put(b, o, "text", record_string(c->text));
    record_put(b, o, "cure", record_string(c->cure));
    return o;
}

static json_t *count(size_t n)
{
    return json_integer((json_int_t)n);
}

json_t *record_counts(struct json_build *b, const struct plan_counts *c)
{
    json_t *o = json_object();

    record_put(b, o, "create", count(c->create));
    record_put(b, o, "update", count(c->update));
    record_put(b, o, "delete", count(c->destroy));
    record_put(b, o, "slaves_changed", count(c->slaves_changed));
    record_put(b, o, "slaves_in_sync", count(c->slaves_in_sync));
    record_put(b, o, "slaves_refused", count(c->slaves_refused));
    record_put(b, o, "slaves_blocked", count(c->slaves_blocked));
    return o;
}

/* ---- The file ------------------------------------------------------------------------------ */

static int hash_some(const char *bytes, size_t n, void *ctx)
{
    uint64_t *h = ctx;
    for (size_t i = 0; i < n; i++)
        *h = (*h ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return 0;
}

enum err_code plan_digest(json_t *document, char out[static PLAN_DIGEST_SIZE], struct err *e)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    (void)json_object_del(document, PLAN_DIGEST_KEY);
    if (json_dump_callback(document, hash_some, &h, JSON_COMPACT) != 0)
        return err_set(e, ERR_LIMIT, "plan: no memory for its digest");
    (void)snprintf(out, PLAN_DIGEST_SIZE, "%016" PRIx64, h);
    return ERR_OK;
}

static json_t *slave_json(struct json_build *b, const struct slave_plan *s)
{
    json_t *o = json_object(), *actions = json_array(), *conditions = json_array();

    for (size_t i = 0; i < s->n; i++)
        record_append(b, actions, record_action(b, &s->actions[i]));
    for (size_t i = 0; i < s->n_conditions; i++)
        record_append(b, conditions, record_condition(b, &s->conditions[i]));
    record_put(b, o, "slave", record_string(s->slave));
    record_put(b, o, "is_master", json_boolean(s->is_master));
    record_put(b, o, "refused",
               s->refused == ERR_OK ? json_null() : record_string(err_code_name(s->refused)));
    record_put(b, o, "actions", actions);
    record_put(b, o, "conditions", conditions);
    return o;
}

enum err_code plan_record_write(const struct plan *p, const struct plan_binding *binding,
                                struct buf *out, struct err *e)
{
    struct json_build b = {false};
    struct plan_counts counts = plan_count(p);
    CLEANUP(record_json_release) json_t *o = json_object();
    json_t *slaves = json_array();
    char digest[PLAN_DIGEST_SIZE];

    for (size_t i = 0; i < p->n; i++)
        record_append(&b, slaves, slave_json(&b, &p->slaves[i]));
    record_put(&b, o, "schema", json_integer(RECORD_SCHEMA));
    record_put(&b, o, "version", record_string(binding->version));
    record_put(&b, o, "at_iso", record_time(binding->at));
    record_put(&b, o, "manifest_digest", record_string(binding->manifest_digest));
    record_put(&b, o, "observed_digest", record_string(binding->observed_digest));
    record_put(&b, o, "counts", record_counts(&b, &counts));
    record_put(&b, o, "slaves", slaves);
    if (!b.failed) {
        TRY(plan_digest(o, digest, e));
        record_put(&b, o, PLAN_DIGEST_KEY, json_string(digest));
    }
    TRY(record_dump(o, &b, JSON_INDENT(2), out, e));
    return buf_addstr(out, "\n", e);
}
