#include "internal.h"

enum { EVENT_ID, EVENT_AT, EVENT_SLAVE, EVENT_WHAT, EVENT_TEXT, EVENT_COLUMNS };

enum err_code store_event_add(struct store *s, const struct store_event *ev, struct err *e)
{
    CLEANUP(txn_end) struct txn t = TXN_INIT(s);
    CLEANUP(stmt_release) sqlite3_stmt *put = NULL;
    CLEANUP(stmt_release) sqlite3_stmt *prune = NULL;
    char hash[FINGERPRINT_HEX];
    int64_t last = 0;

    TRY(txn_write(&t, e));
    TRY(db_number(s, "SELECT max(id) FROM event", &last, e));
    const struct cell c[EVENT_COLUMNS] = {
        [EVENT_ID] = CELL_I(last + 1),
        [EVENT_AT] = CELL_I(ev->at.s != 0 ? ev->at.s : clock_wall(s->clock).s),
        [EVENT_SLAVE] = CELL_T(ev->slave),
        [EVENT_WHAT] = CELL_T(ev->what),
        [EVENT_TEXT] = CELL_T(ev->text),
    };
    TRY(db_prepare(s, TABLE_EVENT.insert, &put, e));
    TRY(row_put(s, put, &TABLE_EVENT, c, hash, e));
    TRY(db_prepare(s, "DELETE FROM event WHERE id <= ?", &prune, e));
    (void)sqlite3_bind_int64(prune, 1, last + 1 - STORE_EVENTS_MAX);
    TRY(db_run(s, prune, e));
    return txn_commit(&t, e);
}

enum err_code store_events(struct store *s, struct arena *a, size_t max, struct store_event **out,
                           size_t *out_n, struct err *e)
{
    CLEANUP(txn_end) struct txn t = TXN_INIT(s);
    CLEANUP(stmt_release) sqlite3_stmt *st = NULL;
    struct store_event *events = NULL;
    size_t n = 0, cap = 0;
    bool there = false;

    TRY(txn_read(&t, e));
    TRY(db_prepare(s, "SELECT * FROM event ORDER BY id DESC LIMIT ?", &st, e));
    (void)sqlite3_bind_int64(st, 1, max > STORE_EVENTS_MAX ? STORE_EVENTS_MAX : (int64_t)max);
    for (;;) {
        struct cell c[EVENT_COLUMNS];
        char hash[FINGERPRINT_HEX];
        TRY(db_step(s, st, &there, e));
        if (!there)
            break;
        TRY(row_get(s, st, &TABLE_EVENT, a, c, hash, e));
        events = arena_grow(a, events, n, &cap, sizeof(*events));
        events[n++] = (struct store_event){
            .at = {c[EVENT_AT].num},
            .slave = c[EVENT_SLAVE].text,
            .what = c[EVENT_WHAT].text,
            .text = c[EVENT_TEXT].text,
        };
    }
    *out = events;
    *out_n = n;
    return ERR_OK;
}
