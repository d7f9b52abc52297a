#include "json.h"

static json_t *layer_json(struct json_build *b, enum layer l, const struct layer_status *s)
{
    json_t *o = json_object();

    record_put(b, o, "last_sync_iso", record_time(s->last_sync));
    record_put(b, o, "status", record_string(sync_status_name(s->status)));
    if (l == LAYER_CODE)
        record_put(b, o, "last_commit", record_string(s->commit));
    record_put(b, o, "synced_count", json_integer(s->count));
    record_put(b, o, "wanted_count", json_integer(s->wanted));
    record_put(b, o, "error", record_string(s->error));
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
    record_put(b, o, "epoch", json_integer(s->epoch));
    record_put(b, o, "health", record_string(health_name(s->health)));
    record_put(b, o, "last_health_check_iso", record_time(s->last_check));
    record_put(b, o, "token_expires_iso", record_time(s->token_expires));
    record_put(b, o, "error", record_string(s->error));
    record_put(b, o, "cure", record_string(s->cure));
    record_put(b, o, "sync", sync);
    return o;
}

json_t *record_status(struct json_build *b, const struct status *s)
{
    json_t *o = json_object(), *slaves = json_array();

    for (size_t i = 0; i < s->n; i++)
        record_append(b, slaves, slave_json(b, &s->slaves[i]));
    record_put(b, o, "schema", json_integer(RECORD_SCHEMA));
    record_put(b, o, "at_iso", record_time(s->at));
    record_put(b, o, "self_role", record_string(role_name(s->self_role)));
    record_put(b, o, "master", record_string(s->master));
    record_put(b, o, "slaves", slaves);
    return o;
}

enum err_code status_record_write(const struct status *s, struct buf *out, struct err *e)
{
    struct json_build b = {false};
    CLEANUP(record_json_release) json_t *o = record_status(&b, s);

    TRY(record_dump(o, &b, JSON_INDENT(2), out, e));
    return buf_addstr(out, "\n", e);
}
