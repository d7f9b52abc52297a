#include "json.h"

enum err_code role_record_write(const struct role_record *r, struct buf *out, struct err *e)
{
    struct json_build b = {false};
    CLEANUP(record_json_release) json_t *o = json_object();

    record_put(&b, o, "schema", json_integer(RECORD_SCHEMA));
    record_put(&b, o, "role", record_string(role_name(r->role)));
    record_put(&b, o, "phase", record_string(r->phase));
    record_put(&b, o, "held", json_boolean(r->held));
    record_put(&b, o, "by", record_string(r->by));
    record_put(&b, o, "epoch", json_integer(r->epoch));
    record_put(&b, o, "since", record_time(r->since));
    record_put(&b, o, "reason", record_string(r->reason));
    record_put(&b, o, "controller", record_string(r->controller));
    TRY(record_dump(o, &b, JSON_INDENT(2), out, e));
    return buf_addstr(out, "\n", e);
}

/* What decides about fencing (role, epoch) must be there and make sense; the rest is for people. */
enum err_code role_record_read(const char *json, size_t n, struct arena *a, struct role_record *out,
                               struct err *e)
{
    CLEANUP(record_json_release) json_t *o = NULL;
    struct role_record r = {.role = ROLE_SLAVE};
    const char *role = NULL;

    TRY(record_parse("role.json", json, n, &o, e));
    const struct json_fields f = {.what = "role.json", .object = o, .arena = a};
    TRY(field_string(&f, "role", true, &role, e));
    if (!role_from_name(role, &r.role))
        return err_set(e, ERR_INVALID,
                       "role.json: 'role' is \"%s\", not MASTER, SLAVE or TEMPORARY_MASTER", role);
    TRY(field_integer(&f, "epoch", true, &r.epoch, e));
    if (r.epoch < 0)
        return err_set(e, ERR_INVALID, "role.json: 'epoch' is negative");
    TRY(field_string(&f, "phase", false, &r.phase, e));
    TRY(field_bool(&f, "held", &r.held, e));
    TRY(field_string(&f, "by", false, &r.by, e));
    TRY(field_time(&f, "since", &r.since, e));
    TRY(field_string(&f, "reason", false, &r.reason, e));
    TRY(field_string(&f, "controller", false, &r.controller, e));
    *out = r;
    return ERR_OK;
}
