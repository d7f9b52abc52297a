#include "internal.h"

#include <string.h>

enum {
    SLAVE_ID,
    SLAVE_KNOWN,
    SLAVE_REPO_ID,
    SLAVE_FULL_NAME,
    SLAVE_MARKER,
    SLAVE_EPOCH,
    SLAVE_LEDGER_N,
    SLAVE_LEDGER_SUM,
    SLAVE_COLUMNS
};

static enum err_code take(struct txn *t, sqlite3_stmt *st, struct slave_row *out, struct err *e)
{
    struct cell c[SLAVE_COLUMNS];

    TRY(row_get(t->s, st, &TABLE_SLAVE, t->arena, c, out->hash, e));
    out->id = c[SLAVE_ID].text;
    out->known = c[SLAVE_KNOWN].num != 0;
    out->data = (struct store_slave){
        .repo_id = c[SLAVE_REPO_ID].num,
        .full_name = c[SLAVE_FULL_NAME].text,
        .marker = c[SLAVE_MARKER].text,
        .epoch = c[SLAVE_EPOCH].num,
    };
    out->ledger.n = c[SLAVE_LEDGER_N].num;
    memcpy(out->ledger.sum, c[SLAVE_LEDGER_SUM].text, sizeof(out->ledger.sum));
    out->stored = true;
    return ERR_OK;
}

enum err_code slave_get(struct txn *t, const char *id, struct slave_row *out, struct err *e)
{
    CLEANUP(stmt_rest) sqlite3_stmt *st = NULL;
    struct slave_row row = {.id = id};
    bool there = false;

    tally_init(&row.ledger);
    TRY(db_kept(t->s, "SELECT * FROM slave WHERE id = ?", &st, e));
    bind_text(st, 1, id);
    TRY(db_step(t->s, st, &there, e));
    if (there)
        TRY(take(t, st, &row, e));
    *out = row;
    return ERR_OK;
}

enum err_code slave_put(struct txn *t, struct slave_row *row, struct err *e)
{
    CLEANUP(stmt_rest) sqlite3_stmt *st = NULL;
    struct meta all;
    const struct cell c[SLAVE_COLUMNS] = {
        [SLAVE_ID] = CELL_T(row->id),
        [SLAVE_KNOWN] = CELL_I(row->known),
        [SLAVE_REPO_ID] = CELL_I(row->data.repo_id),
        [SLAVE_FULL_NAME] = CELL_T(row->data.full_name),
        [SLAVE_MARKER] = CELL_T(row->data.marker),
        [SLAVE_EPOCH] = CELL_I(row->data.epoch),
        [SLAVE_LEDGER_N] = CELL_I(row->ledger.n),
        [SLAVE_LEDGER_SUM] = CELL_T(row->ledger.sum),
    };

    TRY(meta_get(t, META_SLAVES, &all, e));
    if (row->stored)
        tally_drop(&all.tally, row->hash);
    TRY(db_kept(t->s, TABLE_SLAVE.insert, &st, e));
    TRY(row_put(t->s, st, &TABLE_SLAVE, c, row->hash, e));
    row->stored = true;
    tally_add(&all.tally, row->hash);
    return meta_put(t, META_SLAVES, &all, e);
}

enum err_code slaves_check(struct txn *t, struct err *e)
{
    CLEANUP(stmt_rest) sqlite3_stmt *st = NULL;
    struct meta all;
    struct tally found;
    bool there = false;

    tally_init(&found);
    TRY(meta_get(t, META_SLAVES, &all, e));
    TRY(db_kept(t->s, "SELECT * FROM slave", &st, e));
    for (;;) {
        struct slave_row row;
        TRY(db_step(t->s, st, &there, e));
        if (!there)
            break;
        TRY(take(t, st, &row, e));
        tally_add(&found, row.hash);
    }
    if (!tally_eq(&found, &all.tally))
        return store_damaged(t->s->dir, e, "rows of table 'slave' are missing or out of date");
    return ERR_OK;
}

enum err_code store_slave_get(struct store *s, const char *slave, struct arena *a,
                              struct store_slave *out, struct err *e)
{
    CLEANUP(txn_end) struct txn t = TXN_INIT(s);
    struct slave_row row;

    TRY(txn_read(&t, e));
    TRY(slave_get(&t, slave, &row, e));
    *out = (struct store_slave){
        .repo_id = row.data.repo_id,
        .full_name = arena_strdup(a, row.data.full_name),
        .marker = arena_strdup(a, row.data.marker),
        .epoch = row.data.epoch,
    };
    return ERR_OK;
}

static bool is_same(const struct store_slave *a, const struct store_slave *b)
{
    return a->repo_id == b->repo_id && a->epoch == b->epoch && str_eq(a->full_name, b->full_name) &&
           str_eq(a->marker, b->marker);
}

enum err_code store_slave_put(struct store *s, const char *slave, const struct store_slave *data,
                              struct err *e)
{
    CLEANUP(txn_end) struct txn t = TXN_INIT(s);
    struct slave_row row;

    TRY(txn_write(&t, e));
    TRY(slave_get(&t, slave, &row, e));
    if (row.known && is_same(&row.data, data))
        return ERR_OK; /* an idle pass costs no sync */
    row.known = true;
    row.data = *data;
    TRY(slave_put(&t, &row, e));
    return txn_commit(&t, e);
}
