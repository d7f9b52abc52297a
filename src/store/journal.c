#include "internal.h"

#include <inttypes.h>

enum {
    JOURNAL_ID,
    JOURNAL_SLAVE,
    JOURNAL_ACT,
    JOURNAL_KIND,
    JOURNAL_NAME,
    JOURNAL_FROM,
    JOURNAL_TO,
    JOURNAL_AT,
    JOURNAL_ENDED, /* 0: open */
    JOURNAL_CODE,
    JOURNAL_TEXT,
    JOURNAL_COLUMNS
};

/* ---- Intents -----------------------------------------------------------------------------------
 */

/*
 * The oldest of what is closed goes: each call looks at a few more rows than it adds, so that the
 * journal stays within its bounds and no call ever pays for a long past.
 */
static enum err_code prune(struct txn *t, int64_t last_id, size_t added, struct err *e)
{
    CLEANUP(stmt_rest) sqlite3_stmt *st = NULL;

    TRY(db_kept(t->s,
                "DELETE FROM journal WHERE id IN (SELECT id FROM journal ORDER BY id LIMIT ?)"
                " AND ended <> 0 AND (at < ? OR id <= ?)",
                &st, e));
    (void)sqlite3_bind_int64(st, 1, (int64_t)added + 200);
    (void)sqlite3_bind_int64(st, 2, clock_wall(t->s->clock).s - STORE_JOURNAL_S);
    (void)sqlite3_bind_int64(st, 3, last_id - STORE_JOURNAL_MAX);
    return db_run(t->s, st, e);
}

static enum err_code write_intent(struct txn *t, sqlite3_stmt *st, int64_t id, const char *slave,
                                  const struct action *x, struct err *e)
{
    char hash[FINGERPRINT_HEX];
    const struct cell c[JOURNAL_COLUMNS] = {
        [JOURNAL_ID] = CELL_I(id),
        [JOURNAL_SLAVE] = CELL_T(slave),
        [JOURNAL_ACT] = CELL_T(act_name(x->act)),
        [JOURNAL_KIND] = CELL_T(kind_name(x->kind)),
        [JOURNAL_NAME] = CELL_T(x->name),
        [JOURNAL_FROM] = CELL_T(x->from),
        [JOURNAL_TO] = CELL_T(x->to),
        [JOURNAL_AT] = CELL_I(clock_wall(t->s->clock).s),
        [JOURNAL_ENDED] = CELL_I(0),
        [JOURNAL_CODE] = CELL_T(NULL),
        [JOURNAL_TEXT] = CELL_T(NULL),
    };
    return row_put(t->s, st, &TABLE_JOURNAL, c, hash, e);
}

enum err_code store_journal_begin(struct store *s, const char *slave, const struct action *actions,
                                  size_t n, int64_t *out_first_id, struct err *e)
{
    CLEANUP(txn_end) struct txn t = TXN_INIT(s);
    CLEANUP(stmt_rest) sqlite3_stmt *st = NULL;
    int64_t last = 0;

    TRY(txn_write(&t, e));
    TRY(db_number(s, "SELECT max(id) FROM journal", &last, e));
    if (n > 0) {
        s->open_intents += (int64_t)n;
        TRY(db_kept(s, TABLE_JOURNAL.insert, &st, e));
        for (size_t i = 0; i < n; i++)
            TRY(write_intent(&t, st, last + 1 + (int64_t)i, slave, &actions[i], e));
        TRY(prune(&t, last + (int64_t)n, n, e));
        TRY(txn_commit(&t, e));
    }
    *out_first_id = last + 1;
    return ERR_OK;
}

/* ---- Outcomes ----------------------------------------------------------------------------------
 */

struct journal_stmts {
    sqlite3_stmt *find, *put;
};

static void journal_stmts_release(struct journal_stmts *x)
{
    stmt_rest(&x->find);
    stmt_rest(&x->put);
}

static enum err_code journal_stmts_open(struct store *s, struct journal_stmts *x, struct err *e)
{
    TRY(db_kept(s, "SELECT * FROM journal WHERE id = ?", &x->find, e));
    return db_kept(s, TABLE_JOURNAL.insert, &x->put, e);
}

static enum err_code find_intent(struct txn *t, struct journal_stmts *x, int64_t id,
                                 struct cell c[static JOURNAL_COLUMNS], struct err *e)
{
    char hash[FINGERPRINT_HEX];
    bool there = false;

    (void)sqlite3_bind_int64(x->find, 1, id);
    enum err_code r = db_step(t->s, x->find, &there, e);
    if (r == ERR_OK && there)
        r = row_get(t->s, x->find, &TABLE_JOURNAL, t->arena, c, hash, e);
    (void)sqlite3_reset(x->find);
    TRY(r);
    if (!there || c[JOURNAL_ENDED].num != 0)
        return err_set(e, ERR_CONFLICT, "journal entry %" PRId64 " is not open", id);
    return ERR_OK;
}

/* 0 means open, so a clock that stands at 0 must not close with it. */
static int64_t closing_time(const struct store *s)
{
    int64_t now = clock_wall(s->clock).s;
    return now == 0 ? 1 : now;
}

static enum err_code close_intent(struct txn *t, struct journal_stmts *x, struct cell *c,
                                  const char *code, const char *text, struct err *e)
{
    char hash[FINGERPRINT_HEX];

    c[JOURNAL_ENDED] = CELL_I(closing_time(t->s));
    c[JOURNAL_CODE] = CELL_T(code);
    c[JOURNAL_TEXT] = CELL_T(text);
    return row_put(t->s, x->put, &TABLE_JOURNAL, c, hash, e);
}

static enum err_code end_one(struct txn *t, struct journal_stmts *x, struct ledger_writer *w,
                             int64_t id, const struct action *action,
                             const struct journal_outcome *o, struct err *e)
{
    struct cell c[JOURNAL_COLUMNS];

    TRY(find_intent(t, x, id, c, e));
    if (!str_eq(c[JOURNAL_SLAVE].text, w->slave.id) ||
        !str_eq(c[JOURNAL_KIND].text, kind_name(action->kind)) ||
        !str_eq(c[JOURNAL_NAME].text, action->name))
        return err_set(e, ERR_CONFLICT, "journal entry %" PRId64 " is about something else", id);
    TRY(close_intent(t, x, c, err_code_name(o->code), o->text, e));
    if (o->code != ERR_OK)
        return ERR_OK;
    if (o->drop)
        return ledger_drop(w, action->kind, action->name, e);
    return o->put == NULL ? ERR_OK : ledger_put(w, o->put, e);
}

enum err_code store_journal_end(struct store *s, const char *slave, int64_t first_id,
                                const struct action *actions,
                                const struct journal_outcome *outcomes, size_t n, struct err *e)
{
    CLEANUP(txn_end) struct txn t = TXN_INIT(s);
    CLEANUP(journal_stmts_release) struct journal_stmts x = {NULL, NULL};
    CLEANUP(ledger_writer_end) struct ledger_writer w = {.t = NULL};

    if (n == 0)
        return ERR_OK;
    /* Without it the intent is open, and its outcome unknown: the next pass looks, and acts again.
     */
    TRY(txn_write_hurried(&t, e));
    TRY(journal_stmts_open(s, &x, e));
    TRY(ledger_begin(&w, &t, slave, e));
    for (size_t i = 0; i < n; i++)
        TRY(end_one(&t, &x, &w, first_id + (int64_t)i, &actions[i], &outcomes[i], e));
    TRY(ledger_finish(&w, e));
    TRY(txn_commit(&t, e));
    s->open_intents -= (int64_t)n;
    return ERR_OK;
}

/* ---- Recovery ----------------------------------------------------------------------------------
 */

static enum err_code describe(struct txn *t, const struct cell *c, struct arena *a,
                              struct journal_open *out, struct err *e)
{
    struct journal_open x = {
        .slave = arena_strdup(a, c[JOURNAL_SLAVE].text),
        .name = arena_strdup(a, c[JOURNAL_NAME].text),
        .at = {c[JOURNAL_AT].num},
    };

    if (!act_from_name(c[JOURNAL_ACT].text, &x.act) ||
        !kind_from_name(c[JOURNAL_KIND].text, &x.kind))
        return store_damaged(t->s->dir, e, "the journal says '%s %s', which nobody knows",
                             c[JOURNAL_ACT].text, c[JOURNAL_KIND].text);
    *out = x;
    return ERR_OK;
}

/* The row that whoever recovers wants for this name, in the same transaction. */
static enum err_code put_recovered(struct txn *t, journal_row_fn row,
                                   const struct journal_open *open, struct err *e)
{
    CLEANUP(ledger_writer_end) struct ledger_writer w = {.t = NULL};
    struct resource r;

    if (row == NULL || !row(open, &r))
        return ERR_OK;
    TRY(ledger_begin(&w, t, open->slave, e));
    TRY(ledger_put(&w, &r, e));
    return ledger_finish(&w, e);
}

enum err_code store_journal_recover(struct store *s, journal_row_fn row, struct arena *a,
                                    struct journal_open **out, size_t *out_n, struct err *e)
{
    CLEANUP(txn_end) struct txn t = TXN_INIT(s);
    CLEANUP(journal_stmts_release) struct journal_stmts x = {NULL, NULL};
    CLEANUP(stmt_rest) sqlite3_stmt *st = NULL;
    struct journal_open *found = NULL;
    size_t n = 0, cap = 0;
    bool there = false;

    *out = NULL;
    *out_n = 0;
    TRY(txn_write(&t, e));
    if (s->settled && s->open_intents == 0)
        return ERR_OK;
    TRY(journal_stmts_open(s, &x, e));
    TRY(db_kept(s, "SELECT * FROM journal WHERE ended = 0 AND id > ? ORDER BY id LIMIT 1", &st, e));
    for (int64_t last = 0;;) {
        struct cell c[JOURNAL_COLUMNS];
        char hash[FINGERPRINT_HEX];
        (void)sqlite3_bind_int64(st, 1, last);
        TRY(db_step(s, st, &there, e));
        if (!there)
            break;
        TRY(row_get(s, st, &TABLE_JOURNAL, t.arena, c, hash, e));
        (void)sqlite3_reset(st); /* before the row under it is written */
        found = arena_grow(a, found, n, &cap, sizeof(*found));
        TRY(describe(&t, c, a, &found[n++], e));
        TRY(put_recovered(&t, row, &found[n - 1], e));
        TRY(close_intent(&t, &x, c, "unknown", "the program ended before the outcome was known",
                         e));
        last = c[JOURNAL_ID].num;
    }
    if (n > 0)
        TRY(txn_commit(&t, e));
    s->settled = true;
    s->open_intents = 0;
    *out = found;
    *out_n = n;
    return ERR_OK;
}
