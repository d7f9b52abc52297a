#include "internal.h"

#include <string.h>

enum { META_KEY, META_TEXT, META_NUM, META_N, META_SUM, META_COLUMNS };

enum err_code meta_get(struct txn *t, const char *key, struct meta *out, struct err *e)
{
    CLEANUP(stmt_rest) sqlite3_stmt *st = NULL;
    struct cell c[META_COLUMNS];
    char hash[FINGERPRINT_HEX];
    bool row = false;

    TRY(db_kept(t->s, "SELECT * FROM meta WHERE key = ?", &st, e));
    bind_text(st, 1, key);
    TRY(db_step(t->s, st, &row, e));
    if (!row)
        return store_damaged(t->s->dir, e, "the row '%s' of table 'meta' is missing", key);
    TRY(row_get(t->s, st, &TABLE_META, t->arena, c, hash, e));
    *out = (struct meta){.text = c[META_TEXT].text, .num = c[META_NUM].num};
    tally_init(&out->tally);
    out->tally.n = c[META_N].num;
    memcpy(out->tally.sum, c[META_SUM].text, sizeof(out->tally.sum));
    return ERR_OK;
}

enum err_code meta_put(struct txn *t, const char *key, const struct meta *m, struct err *e)
{
    CLEANUP(stmt_rest) sqlite3_stmt *st = NULL;
    char hash[FINGERPRINT_HEX];
    const struct cell c[META_COLUMNS] = {
        [META_KEY] = CELL_T(key),          [META_TEXT] = CELL_T(m->text),
        [META_NUM] = CELL_I(m->num),       [META_N] = CELL_I(m->tally.n),
        [META_SUM] = CELL_T(m->tally.sum),
    };

    TRY(db_kept(t->s, TABLE_META.insert, &st, e));
    return row_put(t->s, st, &TABLE_META, c, hash, e);
}
