#include "internal.h"

#include <inttypes.h>
#include <string.h>

void store_derive_id(struct store *s)
{
    char hash[FINGERPRINT_HEX];

    /* Out of the key, so that it outlives a database that had to be made anew: the markers on the
     * slaves name it. The hash tells nothing of the key. */
    fingerprint_bytes(&s->key, "store id", "", 0, hash);
    memcpy(s->id, hash, STORE_ID_HEX);
    s->id[STORE_ID_HEX] = '\0';
}

/* ---- Connection --------------------------------------------------------------------------------
 */

/* Percent-encodes what a file: URI reads as something else. */
static const char *file_uri(struct arena *a, const char *path)
{
    struct buf b = BUF_INIT(1 << 20);
    struct err ignored = ERR_INIT;

    (void)buf_addstr(&b, "file:", &ignored);
    for (const char *p = path; *p != '\0'; p++) {
        if (strchr("%?#", *p) != NULL)
            (void)buf_addf(&b, &ignored, "%%%02X", (unsigned)(unsigned char)*p);
        else
            (void)buf_add(&b, p, 1, &ignored);
    }
    (void)buf_addstr(&b, "?immutable=1", &ignored);
    const char *uri = arena_strdup(a, buf_str(&b));
    buf_release(&b);
    return uri;
}

static enum err_code connect(struct store *s, const char *path, bool immutable, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    int flags = s->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;

    if (immutable)
        flags |= SQLITE_OPEN_URI;
    /* One connection behind our own mutex: SQLite's would be a second one. */
    int rc = sqlite3_open_v2(immutable ? file_uri(a, path) : path, &s->db,
                             flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return db_fail(s, rc, e);
    (void)sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    return ERR_OK;
}

enum err_code db_open(struct store *s, const char *path, bool immutable, struct err *e)
{
    TRY(connect(s, path, immutable, e));
    return db_exec(s,
                   "PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON;"
                   "PRAGMA temp_store = MEMORY; PRAGMA synchronous = FULL;"
                   "PRAGMA journal_size_limit = 4194304;",
                   e);
}

enum err_code db_use_wal(struct store *s, struct err *e)
{
    CLEANUP(stmt_release) sqlite3_stmt *st = NULL;
    bool row = false;

    TRY(db_prepare(s, "PRAGMA journal_mode = WAL", &st, e));
    TRY(db_step(s, st, &row, e));
    if (!row || !str_eq((const char *)sqlite3_column_text(st, 0), "wal"))
        return err_set(e, ERR_IO, "state in '%s': the file system takes no write-ahead log",
                       s->dir);
    return ERR_OK;
}

/* ---- Checks ------------------------------------------------------------------------------------
 */

static enum err_code quick_check(struct store *s, struct err *e)
{
    CLEANUP(stmt_release) sqlite3_stmt *st = NULL;
    bool row = false;

    TRY(db_prepare(s, "PRAGMA quick_check(1)", &st, e));
    TRY(db_step(s, st, &row, e));
    const char *word = row ? (const char *)sqlite3_column_text(st, 0) : NULL;
    if (!str_eq(word, "ok"))
        return store_damaged(s->dir, e, "%s", word == NULL ? "no answer to quick_check" : word);
    return ERR_OK;
}

static enum err_code check_header(struct store *s, int *out_version, struct err *e)
{
    int64_t application = 0, version = 0;

    TRY(db_number(s, "PRAGMA application_id", &application, e));
    TRY(db_number(s, "PRAGMA user_version", &version, e));
    if (application != SCHEMA_APPLICATION_ID)
        return store_damaged(s->dir, e, "state.db is not a database of mirrorctl");
    if (version > SCHEMA_VERSION)
        return err_set(e, ERR_DAMAGED,
                       "state in '%s' was written by a newer mirrorctl (schema %" PRId64
                       ", this one knows %d): run that one; nothing was done",
                       s->dir, version, SCHEMA_VERSION);
    if (version < 1)
        return store_damaged(s->dir, e, "state.db has no schema");
    *out_version = (int)version;
    return ERR_OK;
}

static enum err_code check_meta(struct txn *t, int version, int64_t seq, struct err *e)
{
    struct store *s = t->s;
    char hash[FINGERPRINT_HEX];
    struct meta m;

    /* First the one row that tells a foreign key from a changed row. */
    if (meta_get(t, META_STORE, &m, e) != ERR_OK)
        return err_wrap(e, "state.db and state.key do not belong together, or");
    if (!str_eq(m.text, s->id))
        return store_damaged(s->dir, e, "state.db belongs to another store");
    if (m.num < seq)
        return store_damaged(s->dir, e,
                             "it is older than it should be (%" PRId64 " of %" PRId64
                             " commits): state.db was put back, or state.db-wal was lost",
                             m.num, seq);
    TRY(meta_get(t, META_SCHEMA, &m, e));
    TRY(schema_hash(s, hash, e));
    if (m.num != version || !str_eq(m.text, hash))
        return store_damaged(s->dir, e, "the schema is not what was written");
    TRY(meta_get(t, META_STATUS, &m, e));
    TRY(meta_get(t, META_SELF, &m, e));
    return slaves_check(t, e);
}

static enum err_code check_content(struct store *s, int version, int64_t seq, struct err *e)
{
    CLEANUP(txn_end) struct txn t = TXN_INIT(s);

    TRY(txn_read(&t, e));
    if (s->walked == 0) {
        TRY(quick_check(s, e));
        s->walked = clock_wall(s->clock).s;
    }
    return check_meta(&t, version, seq, e);
}

/* Under the lock, so that no older program of ours is at work with the schema that it knows. */
static enum err_code migrate(struct store *s, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(lock_drop) int lock = -1;
    CLEANUP(txn_end) struct txn t = TXN_INIT(s);
    struct meta m = {.num = SCHEMA_VERSION};
    char hash[FINGERPRINT_HEX];
    int64_t from = 0;

    TRY(lock_take(path_join(a, s->dir, "lock"), s->clock, (struct ms){STORE_BUSY_MS}, &lock, e));
    TRY(txn_write(&t, e));
    TRY(db_number(s, "PRAGMA user_version", &from, e)); /* again: somebody may have been quicker */
    if (from >= SCHEMA_VERSION)
        return ERR_OK;
    TRY(schema_migrate(s, (int)from, e));
    TRY(schema_hash(s, hash, e));
    tally_init(&m.tally);
    m.text = hash;
    TRY(meta_put(&t, META_SCHEMA, &m, e));
    return txn_commit(&t, e);
}

enum err_code store_check(struct store *s, int64_t seq, struct err *e)
{
    int version = 0;

    TRY(check_header(s, &version, e));
    TRY(check_content(s, version, seq, e));
    if (s->read_only && version < SCHEMA_VERSION)
        return err_set(
            e, ERR_REFUSED,
            "state in '%s' is of an older mirrorctl (schema %d, this one writes %d): any "
            "command that writes brings it up to date",
            s->dir, version, SCHEMA_VERSION);
    if (s->read_only)
        return ERR_OK;
    TRY(db_use_wal(s, e)); /* not before it is known to be sound: it may write */
    return version < SCHEMA_VERSION ? migrate(s, e) : ERR_OK;
}
