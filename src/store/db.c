#include "internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* ---- Errors ------------------------------------------------------------------------------------
 */

enum err_code store_damaged(const char *dir, struct err *e, const char *fmt, ...)
{
    char what[LIMIT_ERR_TEXT / 2];
    va_list args;

    va_start(args, fmt);
    if (vsnprintf(what, sizeof(what), fmt, args) < 0)
        what[0] = '\0';
    va_end(args);
    return err_set(
        e, ERR_DAMAGED,
        "state in '%s' is damaged: %s; nothing was done. `mirrorctl state rebuild` puts it "
        "aside and observes everything again",
        dir, what);
}

/* By primary result code. What is not listed cannot happen to SQL that fits its schema. */
static const struct {
    int rc;
    enum err_code code;
    const char *what;
} FAILURES[] = {
    {SQLITE_FULL, ERR_IO, "the disk is full: free some space and run again"},
    {SQLITE_IOERR, ERR_IO, "the disk does not read or write"},
    {SQLITE_READONLY, ERR_IO, "it may not be written"},
    {SQLITE_CANTOPEN, ERR_IO, "it cannot be opened"},
    {SQLITE_PERM, ERR_IO, "it may not be opened"},
    {SQLITE_AUTH, ERR_IO, "it may not be opened"},
    {SQLITE_NOLFS, ERR_IO, "the file system takes no file of this size"},
    {SQLITE_NOMEM, ERR_IO, "out of memory"},
    {SQLITE_TOOBIG, ERR_LIMIT, "a text is too large"},
    {SQLITE_BUSY, ERR_LOCKED, "another process is writing it"},
    {SQLITE_LOCKED, ERR_LOCKED, "another process is writing it"},
    {SQLITE_PROTOCOL, ERR_LOCKED, "another process is writing it"},
};

enum err_code db_fail(struct store *s, int rc, struct err *e)
{
    int error = s->db == NULL ? 0 : sqlite3_system_errno(s->db);

    for (size_t i = 0; i < ARRAY_LEN(FAILURES); i++) {
        if (FAILURES[i].rc != (rc & 0xff))
            continue;
        if (FAILURES[i].code == ERR_IO && error != 0)
            return err_set(e, ERR_IO, "state in '%s': %s (%s)", s->dir, FAILURES[i].what,
                           strerror(error));
        return err_set(e, FAILURES[i].code, "state in '%s': %s", s->dir, FAILURES[i].what);
    }
    return store_damaged(s->dir, e, "%s",
                         s->db == NULL ? sqlite3_errstr(rc) : sqlite3_errmsg(s->db));
}

/* ---- Statements --------------------------------------------------------------------------------
 */

void stmt_release(sqlite3_stmt **st)
{
    (void)sqlite3_finalize(*st);
    *st = NULL;
}

enum err_code db_prepare(struct store *s, const char *sql, sqlite3_stmt **out, struct err *e)
{
    int rc = sqlite3_prepare_v2(s->db, sql, -1, out, NULL);
    return rc == SQLITE_OK ? ERR_OK : db_fail(s, rc, e);
}

enum err_code db_kept(struct store *s, const char *sql, sqlite3_stmt **out, struct err *e)
{
    size_t i = 0;

    while (i < s->n_kept && s->kept[i].sql != sql)
        i++;
    if (i == s->n_kept) {
        assert(i < STORE_KEPT);
        int rc =
            sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->kept[i].st, NULL);
        if (rc != SQLITE_OK)
            return db_fail(s, rc, e);
        s->kept[s->n_kept++].sql = sql;
    }
    assert(!sqlite3_stmt_busy(s->kept[i].st));
    *out = s->kept[i].st;
    return ERR_OK;
}

void stmt_rest(sqlite3_stmt **st)
{
    if (*st == NULL)
        return;
    (void)sqlite3_reset(*st); /* gives the step's error again */
    (void)sqlite3_clear_bindings(*st);
    *st = NULL;
}

void db_close(struct store *s)
{
    while (s->n_kept > 0)
        (void)sqlite3_finalize(s->kept[--s->n_kept].st);
    (void)sqlite3_close(s->db);
    s->db = NULL;
}

enum err_code db_step(struct store *s, sqlite3_stmt *st, bool *out_row, struct err *e)
{
    int rc = sqlite3_step(st);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return db_fail(s, rc, e);
    *out_row = rc == SQLITE_ROW;
    return ERR_OK;
}

enum err_code db_run(struct store *s, sqlite3_stmt *st, struct err *e)
{
    bool row = false;

    enum err_code r = db_step(s, st, &row, e);
    (void)sqlite3_reset(st); /* gives the same error again */
    (void)sqlite3_clear_bindings(st);
    return r;
}

enum err_code db_exec(struct store *s, const char *sql, struct err *e)
{
    int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? ERR_OK : db_fail(s, rc, e);
}

enum err_code db_number(struct store *s, const char *sql, int64_t *out_n, struct err *e)
{
    CLEANUP(stmt_release) sqlite3_stmt *st = NULL;
    bool row = false;

    TRY(db_prepare(s, sql, &st, e));
    TRY(db_step(s, st, &row, e));
    *out_n = row ? sqlite3_column_int64(st, 0) : 0;
    return ERR_OK;
}

void bind_text(sqlite3_stmt *st, int i, const char *text)
{
    if (text == NULL)
        (void)sqlite3_bind_null(st, i);
    else
        (void)sqlite3_bind_text(st, i, text, -1, SQLITE_STATIC);
}

/* ---- Transactions ------------------------------------------------------------------------------
 */

static enum err_code begin(struct txn *t, const char *sql, struct err *e)
{
    (void)pthread_mutex_lock(&t->s->mutex);
    t->arena = arena_new();
    return db_exec(t->s, sql, e);
}

static enum err_code begin_write(struct txn *t, struct err *e)
{
    t->writes = true;
    return begin(t,
                 t->hurries ? "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE"
                            : "PRAGMA synchronous = FULL; BEGIN IMMEDIATE",
                 e);
}

enum err_code txn_read(struct txn *t, struct err *e)
{
    return begin(t, "BEGIN", e);
}

enum err_code txn_write(struct txn *t, struct err *e)
{
    return begin_write(t, e);
}

enum err_code txn_write_hurried(struct txn *t, struct err *e)
{
    t->hurries = true;
    return begin_write(t, e);
}

enum err_code txn_commit(struct txn *t, struct err *e)
{
    struct meta m;

    TRY(meta_get(t, META_STORE, &m, e));
    m.num++;
    TRY(meta_put(t, META_STORE, &m, e));
    TRY(db_exec(t->s, "COMMIT", e));
    /* After the commit: noted before it, a crash between the two would look like a lost commit. */
    return t->hurries ? ERR_OK : seq_note(t->s, m.num, e);
}

void txn_end(struct txn *t)
{
    if (t->arena == NULL)
        return;
    /* After some errors SQLite has rolled back by itself. */
    if (sqlite3_get_autocommit(t->s->db) == 0)
        (void)sqlite3_exec(t->s->db, "ROLLBACK", NULL, NULL, NULL);
    arena_free(t->arena);
    t->arena = NULL;
    (void)pthread_mutex_unlock(&t->s->mutex);
}
