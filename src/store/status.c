#include "internal.h"

#include <string.h>

enum {
    STATUS_SLAVE,
    STATUS_SEQ, /* place in the manifest */
    STATUS_TYPE,
    STATUS_REPO,
    STATUS_ROLE,
    STATUS_EPOCH,
    STATUS_HEALTH,
    STATUS_CHECK,
    STATUS_ERROR,
    STATUS_CURE,
    STATUS_EXPIRES,
    STATUS_LAYERS, /* from here on LAYER_ columns for each layer */
};
enum { LAYER_STATUS, LAYER_SYNC, LAYER_N, LAYER_WANTED, LAYER_COMMIT, LAYER_ERROR, LAYER_COLUMNS };
enum { STATUS_COLUMNS = STATUS_LAYERS + (int)LAYER_COUNT * (int)LAYER_COLUMNS };
_Static_assert(STATUS_COLUMNS == 35, "a new layer needs a migration of table status");

/* ---- Writing -----------------------------------------------------------------------------------
 */

static void encode(const struct slave_status *x, int64_t seq, struct cell c[static STATUS_COLUMNS])
{
    c[STATUS_SLAVE] = CELL_T(x->id);
    c[STATUS_SEQ] = CELL_I(seq);
    c[STATUS_TYPE] = CELL_T(x->type);
    c[STATUS_REPO] = CELL_T(x->repo);
    c[STATUS_ROLE] = CELL_T(role_name(x->role));
    c[STATUS_EPOCH] = CELL_I(x->epoch);
    c[STATUS_HEALTH] = CELL_T(health_name(x->health));
    c[STATUS_CHECK] = CELL_I(x->last_check.s);
    c[STATUS_ERROR] = CELL_T(x->error);
    c[STATUS_CURE] = CELL_T(x->cure);
    c[STATUS_EXPIRES] = CELL_I(x->token_expires.s);
    for (size_t i = 0; i < LAYER_COUNT; i++) {
        const struct layer_status *l = &x->layers[i];
        struct cell *to = c + STATUS_LAYERS + i * LAYER_COLUMNS;
        to[LAYER_STATUS] = CELL_T(sync_status_name(l->status));
        to[LAYER_SYNC] = CELL_I(l->last_sync.s);
        to[LAYER_N] = CELL_I(l->count);
        to[LAYER_WANTED] = CELL_I(l->wanted);
        to[LAYER_COMMIT] = CELL_T(l->commit);
        to[LAYER_ERROR] = CELL_T(l->error);
    }
}

struct status_writer {
    struct txn *t;
    sqlite3_stmt *find, *put;
    struct tally tally;
    int64_t next_seq;
};

static void status_writer_end(struct status_writer *w)
{
    stmt_release(&w->find);
    stmt_release(&w->put);
}

static enum err_code status_begin(struct status_writer *w, bool all, const struct tally *before,
                                  struct err *e)
{
    struct store *s = w->t->s;
    int64_t last = -1;

    if (all)
        TRY(db_exec(s, "DELETE FROM status", e));
    else
        TRY(db_number(s, "SELECT coalesce(max(seq), -1) FROM status", &last, e));
    tally_init(&w->tally);
    if (!all)
        w->tally = *before;
    w->next_seq = last + 1;
    TRY(db_prepare(s, "SELECT seq, hash FROM status WHERE slave = ?", &w->find, e));
    return db_prepare(s, TABLE_STATUS.insert, &w->put, e);
}

/* A slave that is there keeps its place. Its row is not checked: it is about to be replaced. */
static enum err_code write_one(struct status_writer *w, const struct slave_status *x, struct err *e)
{
    struct cell c[STATUS_COLUMNS];
    char hash[FINGERPRINT_HEX] = "";
    int64_t seq = w->next_seq;
    bool there = false;

    bind_text(w->find, 1, x->id);
    TRY(db_step(w->t->s, w->find, &there, e));
    if (there) {
        const char *old = (const char *)sqlite3_column_text(w->find, 1);
        if (old == NULL || strlen(old) != FINGERPRINT_HEX - 1)
            return store_damaged(w->t->s->dir, e, "a row of table 'status' has no hash");
        seq = sqlite3_column_int64(w->find, 0);
        tally_drop(&w->tally, old);
    }
    (void)sqlite3_reset(w->find);
    encode(x, seq, c);
    TRY(row_put(w->t->s, w->put, &TABLE_STATUS, c, hash, e));
    tally_add(&w->tally, hash);
    if (!there)
        w->next_seq++;
    return ERR_OK;
}

enum err_code store_status_put(struct store *s, const struct status *status, bool all,
                               struct err *e)
{
    CLEANUP(txn_end) struct txn t = TXN_INIT(s);
    CLEANUP(status_writer_end) struct status_writer w = {.t = &t};
    struct meta head, self;

    TRY(txn_write(&t, e));
    TRY(meta_get(&t, META_STATUS, &head, e));
    TRY(meta_get(&t, META_SELF, &self, e));
    TRY(status_begin(&w, all, &head.tally, e));
    for (size_t i = 0; i < status->n; i++)
        TRY(write_one(&w, &status->slaves[i], e));
    head.text = status->master;
    head.num = status->at.s;
    head.tally = w.tally;
    TRY(meta_put(&t, META_STATUS, &head, e));
    self.text = role_name(status->self_role);
    TRY(meta_put(&t, META_SELF, &self, e));
    return txn_commit(&t, e);
}

/* ---- Reading -----------------------------------------------------------------------------------
 */

static bool decode_layer(const struct cell *c, struct layer_status *out)
{
    *out = (struct layer_status){
        .last_sync = {c[LAYER_SYNC].num},
        .count = c[LAYER_N].num,
        .wanted = c[LAYER_WANTED].num,
        .commit = c[LAYER_COMMIT].text,
        .error = c[LAYER_ERROR].text,
    };
    return sync_status_from_name(c[LAYER_STATUS].text, &out->status);
}

static enum err_code decode(struct store *s, const struct cell *c, struct slave_status *out,
                            struct err *e)
{
    struct slave_status x = {
        .id = c[STATUS_SLAVE].text,
        .type = c[STATUS_TYPE].text,
        .repo = c[STATUS_REPO].text,
        .epoch = c[STATUS_EPOCH].num,
        .last_check = {c[STATUS_CHECK].num},
        .error = c[STATUS_ERROR].text,
        .cure = c[STATUS_CURE].text,
        .token_expires = {c[STATUS_EXPIRES].num},
    };
    bool good = role_from_name(c[STATUS_ROLE].text, &x.role) &&
                health_from_name(c[STATUS_HEALTH].text, &x.health);

    for (size_t i = 0; good && i < LAYER_COUNT; i++)
        good = decode_layer(c + STATUS_LAYERS + i * LAYER_COLUMNS, &x.layers[i]);
    if (!good)
        return store_damaged(s->dir, e, "the status of slave '%s' has a word that nobody knows",
                             x.id);
    *out = x;
    return ERR_OK;
}

static enum err_code read_slaves(struct txn *t, struct arena *a, const struct tally *wanted,
                                 struct status *out, struct err *e)
{
    CLEANUP(stmt_release) sqlite3_stmt *st = NULL;
    struct tally found;
    size_t cap = 0;
    bool there = false;

    tally_init(&found);
    TRY(db_prepare(t->s, "SELECT * FROM status ORDER BY seq, slave", &st, e));
    for (;;) {
        struct cell c[STATUS_COLUMNS];
        char hash[FINGERPRINT_HEX];
        TRY(db_step(t->s, st, &there, e));
        if (!there)
            break;
        TRY(row_get(t->s, st, &TABLE_STATUS, a, c, hash, e));
        tally_add(&found, hash);
        out->slaves = arena_grow(a, out->slaves, out->n, &cap, sizeof(*out->slaves));
        TRY(decode(t->s, c, &out->slaves[out->n++], e));
    }
    if (!tally_eq(&found, wanted))
        return store_damaged(t->s->dir, e, "rows of table 'status' are missing or out of date");
    return ERR_OK;
}

enum err_code store_status_get(struct store *s, struct arena *a, struct status *out, struct err *e)
{
    CLEANUP(txn_end) struct txn t = TXN_INIT(s);
    struct meta head, self;
    struct status x = {.n = 0};

    TRY(txn_read(&t, e));
    TRY(meta_get(&t, META_STATUS, &head, e));
    TRY(meta_get(&t, META_SELF, &self, e));
    TRY(read_slaves(&t, a, &head.tally, &x, e));
    x.at.s = head.num;
    x.master = arena_strdup(a, head.text);
    if (self.text != NULL && !role_from_name(self.text, &x.self_role))
        return store_damaged(s->dir, e, "the role '%s' is not one", self.text);
    *out = x;
    return ERR_OK;
}
