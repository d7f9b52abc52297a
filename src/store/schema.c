#include "internal.h"

#include <string.h>

/*
 * Append-only: entry i takes the schema from version i to i+1. What stands here has run on
 * somebody's disk and is never edited. Column order is part of it (row.c). The last column of each
 * table is the keyed hash of the others.
 */
static const char *const MIGRATIONS[] = {
    "CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, text TEXT, num INTEGER NOT NULL,"
    " n INTEGER NOT NULL, sum TEXT NOT NULL, hash TEXT NOT NULL) STRICT, WITHOUT ROWID;"

    "CREATE TABLE slave (id TEXT NOT NULL PRIMARY KEY, known INTEGER NOT NULL,"
    " repo_id INTEGER NOT NULL, full_name TEXT, marker TEXT, epoch INTEGER NOT NULL,"
    " ledger_n INTEGER NOT NULL, ledger_sum TEXT NOT NULL, hash TEXT NOT NULL)"
    " STRICT, WITHOUT ROWID;"

    "CREATE TABLE ledger (slave TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT,"
    " stamp TEXT, detail TEXT, id INTEGER NOT NULL, hash TEXT NOT NULL,"
    " PRIMARY KEY (slave, kind, name)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE journal (id INTEGER PRIMARY KEY, slave TEXT NOT NULL, act TEXT NOT NULL,"
    " kind TEXT NOT NULL, name TEXT NOT NULL, from_value TEXT, to_value TEXT,"
    " at INTEGER NOT NULL, ended INTEGER NOT NULL, code TEXT, text TEXT, hash TEXT NOT NULL)"
    " STRICT;"

    "CREATE TABLE event (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, slave TEXT,"
    " what TEXT NOT NULL, text TEXT, hash TEXT NOT NULL) STRICT;"

    "CREATE TABLE status (slave TEXT NOT NULL PRIMARY KEY, seq INTEGER NOT NULL, type TEXT,"
    " repo TEXT, role TEXT NOT NULL, epoch INTEGER NOT NULL, health TEXT NOT NULL,"
    " last_check INTEGER NOT NULL, error TEXT, cure TEXT, token_expires INTEGER NOT NULL,"
    " code_status TEXT NOT NULL, code_sync INTEGER NOT NULL, code_n INTEGER NOT NULL,"
    " code_wanted INTEGER NOT NULL, code_commit TEXT, code_error TEXT,"
    " secrets_status TEXT NOT NULL, secrets_sync INTEGER NOT NULL, secrets_n INTEGER NOT NULL,"
    " secrets_wanted INTEGER NOT NULL, secrets_commit TEXT, secrets_error TEXT,"
    " variables_status TEXT NOT NULL, variables_sync INTEGER NOT NULL,"
    " variables_n INTEGER NOT NULL, variables_wanted INTEGER NOT NULL, variables_commit TEXT,"
    " variables_error TEXT,"
    " workflows_status TEXT NOT NULL, workflows_sync INTEGER NOT NULL,"
    " workflows_n INTEGER NOT NULL, workflows_wanted INTEGER NOT NULL, workflows_commit TEXT,"
    " workflows_error TEXT, hash TEXT NOT NULL) STRICT, WITHOUT ROWID;",
};

const int SCHEMA_VERSION = (int)ARRAY_LEN(MIGRATIONS);

/* PRAGMA takes no parameter. */
static enum err_code set_pragma(struct store *s, const char *name, int n, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    return db_exec(s, arena_printf(a, "PRAGMA %s = %d", name, n), e);
}

enum err_code schema_migrate(struct store *s, int from, struct err *e)
{
    for (int i = from; i < SCHEMA_VERSION; i++)
        TRY(db_exec(s, MIGRATIONS[i], e));
    TRY(set_pragma(s, "application_id", SCHEMA_APPLICATION_ID, e));
    return set_pragma(s, "user_version", SCHEMA_VERSION, e);
}

enum err_code schema_hash(struct store *s, char out[static FINGERPRINT_HEX], struct err *e)
{
    CLEANUP(stmt_release) sqlite3_stmt *st = NULL;
    CLEANUP(buf_release) struct buf text = BUF_INIT(1 << 20);
    bool row = false;

    TRY(db_prepare(s, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name", &st, e));
    for (;;) {
        TRY(db_step(s, st, &row, e));
        if (!row)
            break;
        for (int i = 0; i < 4; i++) {
            const char *part = (const char *)sqlite3_column_text(st, i);
            TRY(buf_addstr(&text, part == NULL ? "" : part, e));
            TRY(buf_add(&text, "\n", 1, e));
        }
    }
    fingerprint_bytes(&s->key, "schema", text.data, text.len, out);
    return ERR_OK;
}
