#include "internal.h"

#include <string.h>

enum {
    LEDGER_SLAVE,
    LEDGER_KIND,
    LEDGER_NAME,
    LEDGER_VALUE,
    LEDGER_STAMP,
    LEDGER_DETAIL,
    LEDGER_ID,
    LEDGER_COLUMNS
};

/* ---- Reading -----------------------------------------------------------------------------------
 */

static enum err_code take(struct txn *t, sqlite3_stmt *st, struct view *v, struct tally *found,
                          struct err *e)
{
    struct cell c[LEDGER_COLUMNS];
    char hash[FINGERPRINT_HEX];
    enum kind kind;

    TRY(row_get(t->s, st, &TABLE_LEDGER, v->arena, c, hash, e));
    if (!kind_from_name(c[LEDGER_KIND].text, &kind))
        return store_damaged(t->s->dir, e, "the ledger knows the kind '%s', this program does not",
                             c[LEDGER_KIND].text);
    struct resource *r = view_add(v, kind, c[LEDGER_NAME].text, c[LEDGER_VALUE].text);
    r->stamp = c[LEDGER_STAMP].text;
    r->detail = c[LEDGER_DETAIL].text;
    r->id = c[LEDGER_ID].num;
    tally_add(found, hash);
    return ERR_OK;
}

static enum err_code read_all(struct txn *t, const char *slave, struct view *v, struct err *e)
{
    CLEANUP(stmt_rest) sqlite3_stmt *st = NULL;
    struct slave_row row;
    struct tally found;
    bool there = false;

    TRY(slave_get(t, slave, &row, e));
    tally_init(&found);
    if (row.ledger.n > 0 && row.ledger.n <= LIMIT_REFS)
        view_reserve(v, (size_t)row.ledger.n);
    TRY(db_kept(t->s, "SELECT * FROM ledger WHERE slave = ?", &st, e));
    bind_text(st, 1, slave);
    for (;;) {
        TRY(db_step(t->s, st, &there, e));
        if (!there)
            break;
        TRY(take(t, st, v, &found, e));
    }
    if (!tally_eq(&found, &row.ledger))
        return store_damaged(t->s->dir, e, "ledger rows of slave '%s' are missing or out of date",
                             slave);
    return ERR_OK;
}

enum err_code store_ledger(struct store *s, const char *slave, struct view *out, struct err *e)
{
    CLEANUP(txn_end) struct txn t = TXN_INIT(s);
    struct view v;

    TRY(txn_read(&t, e));
    view_init(&v, out->arena);
    TRY(read_all(&t, slave, &v, e));
    view_sort(&v);
    for (size_t k = 0; k < KIND_COUNT; k++)
        v.state[k] = VIEW_COMPLETE;
    *out = v;
    return ERR_OK;
}

enum err_code store_ledger_slaves(struct store *s, struct arena *a, const char *const **out,
                                  struct err *e)
{
    CLEANUP(txn_end) struct txn t = TXN_INIT(s);
    CLEANUP(stmt_rest) sqlite3_stmt *st = NULL;
    const char **names = NULL;
    size_t n = 0, cap = 0;
    bool there = false;

    TRY(txn_read(&t, e));
    TRY(slaves_check(&t, e));
    TRY(db_kept(s, "SELECT id FROM slave WHERE ledger_n > 0 ORDER BY id", &st, e));
    for (;;) {
        TRY(db_step(s, st, &there, e));
        names = arena_grow(a, names, n, &cap, sizeof(*names));
        if (!there)
            break;
        names[n++] = arena_strdup(a, (const char *)sqlite3_column_text(st, 0));
    }
    names[n] = NULL;
    *out = names;
    return ERR_OK;
}

/* ---- Writing -----------------------------------------------------------------------------------
 */

void ledger_writer_end(struct ledger_writer *w)
{
    stmt_rest(&w->find);
    stmt_rest(&w->put);
    stmt_rest(&w->drop);
}

enum err_code ledger_begin(struct ledger_writer *w, struct txn *t, const char *slave, struct err *e)
{
    w->t = t;
    TRY(slave_get(t, slave, &w->slave, e));
    TRY(db_kept(t->s, "SELECT * FROM ledger WHERE slave = ? AND kind = ? AND name = ?", &w->find,
                e));
    TRY(db_kept(t->s, TABLE_LEDGER.insert, &w->put, e));
    return db_kept(t->s, "DELETE FROM ledger WHERE slave = ? AND kind = ? AND name = ?", &w->drop,
                   e);
}

static void bind_key(sqlite3_stmt *st, const char *slave, enum kind k, const char *name)
{
    bind_text(st, 1, slave);
    bind_text(st, 2, kind_name(k));
    bind_text(st, 3, name);
}

/* Takes the row that is there out of the tally. */
static enum err_code take_out(struct ledger_writer *w, enum kind k, const char *name,
                              bool *out_there, struct err *e)
{
    struct cell c[LEDGER_COLUMNS];
    char hash[FINGERPRINT_HEX];

    bind_key(w->find, w->slave.id, k, name);
    enum err_code r = db_step(w->t->s, w->find, out_there, e);
    if (r == ERR_OK && *out_there)
        r = row_get(w->t->s, w->find, &TABLE_LEDGER, w->t->arena, c, hash, e);
    (void)sqlite3_reset(w->find);
    if (r == ERR_OK && *out_there)
        tally_drop(&w->slave.ledger, hash);
    return r;
}

enum err_code ledger_put(struct ledger_writer *w, const struct resource *r, struct err *e)
{
    char hash[FINGERPRINT_HEX];
    bool there = false;
    const struct cell c[LEDGER_COLUMNS] = {
        [LEDGER_SLAVE] = CELL_T(w->slave.id), [LEDGER_KIND] = CELL_T(kind_name(r->kind)),
        [LEDGER_NAME] = CELL_T(r->name),      [LEDGER_VALUE] = CELL_T(r->value),
        [LEDGER_STAMP] = CELL_T(r->stamp),    [LEDGER_DETAIL] = CELL_T(r->detail),
        [LEDGER_ID] = CELL_I(r->id),
    };

    TRY(take_out(w, r->kind, r->name, &there, e));
    TRY(row_put(w->t->s, w->put, &TABLE_LEDGER, c, hash, e));
    tally_add(&w->slave.ledger, hash);
    w->changed = true;
    return ERR_OK;
}

enum err_code ledger_drop(struct ledger_writer *w, enum kind k, const char *name, struct err *e)
{
    bool there = false;

    TRY(take_out(w, k, name, &there, e));
    if (!there)
        return ERR_OK;
    bind_key(w->drop, w->slave.id, k, name);
    TRY(db_run(w->t->s, w->drop, e));
    w->changed = true;
    return ERR_OK;
}

enum err_code ledger_finish(struct ledger_writer *w, struct err *e)
{
    return w->changed ? slave_put(w->t, &w->slave, e) : ERR_OK;
}

enum err_code store_ledger_change(struct store *s, const char *slave,
                                  const struct ledger_change *changes, size_t n, struct err *e)
{
    CLEANUP(txn_end) struct txn t = TXN_INIT(s);
    CLEANUP(ledger_writer_end) struct ledger_writer w = {.t = NULL};

    if (n == 0)
        return ERR_OK;
    TRY(txn_write(&t, e));
    TRY(ledger_begin(&w, &t, slave, e));
    for (size_t i = 0; i < n; i++) {
        if (changes[i].put != NULL)
            TRY(ledger_put(&w, changes[i].put, e));
        else
            TRY(ledger_drop(&w, changes[i].drop_kind, changes[i].drop_name, e));
    }
    TRY(ledger_finish(&w, e));
    return txn_commit(&t, e);
}
