/*
 * record: the JSON that lasts. Marker, plan file, status, and the `mirrors` object of the state file.
 *
 * Everything written carries "schema": 1 and only grows. Reading is strict about what it needs and silent
 * about what it does not know. Depth and size are limited (LIMIT_JSON_DEPTH, LIMIT_PLAN_FILE).
 */
#ifndef MIRRORCTL_RECORD_H
#define MIRRORCTL_RECORD_H

#include "mirrorctl/model.h"

/* ---- role.json of the marker (docs/architecture.md, failover) ---------------------------------- */

struct role_record {
    enum role role;
    const char *phase;  /* "watching"; later rooms know more */
    bool held;
    const char *by;     /* "controller", "sentinel", "operator", "drill" */
    int64_t epoch;
    struct wall since;
    const char *reason;
    const char *controller; /* id of the store that writes this slave */
};
enum err_code role_record_write(const struct role_record *r, struct buf *out, struct err *e);
/* ERR_INVALID with the field that is wrong. Strings in the arena. */
enum err_code role_record_read(const char *json, size_t n, struct arena *a, struct role_record *out,
                               struct err *e);

/* ---- Plan file and -o json ----------------------------------------------------------------------- */

/*
 * A plan is bound to what was observed: every action carries its precondition, the file a digest over
 * manifest and observed views. Reading checks the digest of the file itself (ERR_DAMAGED when edited).
 */
struct plan_binding {
    const char *manifest_digest; /* BLAKE2b of the manifest's bytes, hex */
    const char *observed_digest; /* of all observed views, hex */
    const char *version;         /* of mirrorctl */
    struct wall at;
};
enum err_code plan_record_write(const struct plan *p, const struct plan_binding *b, struct buf *out,
                                struct err *e);
enum err_code plan_record_read(const char *json, size_t n, struct arena *a, struct plan *out,
                               struct plan_binding *out_binding, struct err *e);

/* One event of `apply -o json`: one object, one line, newline included. */
struct apply_event {
    const char *event; /* "slave", "action", "condition", "done" */
    const char *slave;
    const struct action *action;       /* or NULL */
    const struct condition *condition; /* or NULL */
    const char *result;                /* "done", "failed", "refused", "skipped"; or NULL */
    const char *error;                 /* or NULL */
    const struct plan_counts *counts;  /* or NULL */
    int exit_code;                     /* with event "done" */
};
enum err_code apply_event_write(const struct apply_event *ev, struct buf *out, struct err *e);

/* ---- Status ------------------------------------------------------------------------------------- */

enum err_code status_record_write(const struct status *s, struct buf *out, struct err *e);
/* The same as YAML-compatible block text. */
enum err_code status_record_write_yaml(const struct status *s, struct buf *out, struct err *e);

/*
 * The `mirrors` object of the original design, put into the JSON document `old` (NULL or empty: a new
 * document): every other key of it stays, in its order. *out_changed is false when nothing but times and
 * last_commit differ from what stands there: then the file must not be written, or each new time would
 * make a new commit, a new sync, and so on without end. ERR_INVALID when old is not a JSON object.
 */
enum err_code mirrors_record_merge(const char *old, size_t n, const struct status *s, struct buf *out,
                                   bool *out_changed, struct err *e);

#endif
