#include "json.h"

/* What an event does not have is left out: a stream of lines is read by eye as well. */
enum err_code apply_event_write(const struct apply_event *ev, struct buf *out, struct err *e)
{
    struct json_build b = {false};
    CLEANUP(record_json_release) json_t *o = json_object();

    record_put(&b, o, "schema", json_integer(RECORD_SCHEMA));
    record_put(&b, o, "event", record_string(ev->event));
    if (ev->slave != NULL)
        record_put(&b, o, "slave", record_string(ev->slave));
    if (ev->action != NULL)
        record_put(&b, o, "action", record_action(&b, ev->action));
    if (ev->condition != NULL)
        record_put(&b, o, "condition", record_condition(&b, ev->condition));
    if (ev->result != NULL)
        record_put(&b, o, "result", record_string(ev->result));
    if (ev->error != NULL)
        record_put(&b, o, "error", record_string(ev->error));
    if (ev->counts != NULL)
        record_put(&b, o, "counts", record_counts(&b, ev->counts));
    if (str_eq(ev->event, "done"))
        record_put(&b, o, "exit_code", json_integer(ev->exit_code));
    TRY(record_dump(o, &b, JSON_COMPACT, out, e));
    return buf_addstr(out, "\n", e);
}
