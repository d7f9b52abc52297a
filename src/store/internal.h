/*
 * Private to store.
 *
 * How damage is seen, from the outside in:
 *
 *   state.seq     a generation that is written after each commit: a database which is older than it
 *                 has lost commits (its WAL, or all of it to a stale copy)
 *   meta          the schema's fingerprint, the generation, and a tally (count and XOR of the keyed
 * row hashes) of the tables slave and status; checked at open slave         one row a slave, with
 * the tally of its ledger rows; all checked at open ledger        checked against that tally
 * whenever a slave's rows are read every row     its own keyed hash over its content and its table,
 * whenever it is read
 *
 * So a row that was changed, lost, doubled or put back to an earlier version is noticed before
 * anything is done because of it, and opening costs no walk over the whole ledger. SQLite's own
 * quick_check walks over everything once a day, and whenever the last one did not close in order.
 */
#ifndef MIRRORCTL_STORE_INTERNAL_H
#define MIRRORCTL_STORE_INTERNAL_H

#include "mirrorctl/store.h"

#include <pthread.h>
#include <sqlite3.h>

enum {
    STORE_ID_HEX = 32,               /* digits of a store's name; 128 bits */
    STORE_BUSY_MS = 5000,            /* for another process's write to end; it takes milliseconds */
    STORE_KEPT = 16,                 /* statements; one too many is caught by an assertion */
    STORE_EVENTS_MAX = 10000,        /* newest kept */
    STORE_JOURNAL_MAX = 50000,       /* newest kept, once closed */
    STORE_JOURNAL_S = 30 * 24 * 3600 /* closed entries older than this many seconds go */
};

/* A statement that is compiled once: compiling takes longer than most of them run. */
struct kept {
    const char *sql;
    sqlite3_stmt *st;
};

struct store {
    char *dir;
    sqlite3 *db;
    pthread_mutex_t mutex;        /* held by a struct txn */
    struct buf scratch;           /* for row_hash; under the mutex */
    struct kept kept[STORE_KEPT]; /* under the mutex */
    size_t n_kept;
    struct fingerprint_key key;
    char id[STORE_ID_HEX + 1];
    const struct clock *clock;
    bool read_only;
    int64_t walked; /* wall time when quick_check last read all of it; 0: has to be done */
    bool settled;   /* when it was opened, or since store_journal_recover, no intent was open */
    int64_t open_intents; /* since then */
    int seq_fd;           /* state.seq; -1 when read-only */
    int lock_fd;          /* -1: not held */
};

/* ---- Folder and files (create.c) ---------------------------------------------------------------
 */

/* What is there. Filled by paths_look. */
struct paths {
    const char *dir, *db, *wal, *shm, *key, *seq, *clean, *lock;
    const char *marker; /* state.new: a creation has begun and did not end */
    bool has_db, has_key, has_marker;
};

void paths_init(struct paths *p, struct arena *a, const char *dir);
enum err_code paths_look(struct paths *p, struct err *e);
/* The folder is there, ours, and nobody else may write in it. */
enum err_code folder_check(const char *dir, struct err *e);
/* Makes what is not there yet, or waits for the process that is making it. */
enum err_code store_create(struct store *s, struct paths *p, struct err *e);

/* ---- Opening (check.c) -------------------------------------------------------------------------
 */

/* Reads nothing of the content: connection, pragmas. */
enum err_code db_open(struct store *s, const char *path, bool immutable, struct err *e);
enum err_code db_use_wal(struct store *s, struct err *e);
void store_derive_id(struct store *s);
/* Everything that is known before the first row is believed. Needs key and db. */
enum err_code store_check(struct store *s, int64_t seq, struct err *e);

/* ---- Schema (schema.c) -------------------------------------------------------------------------
 */

extern const int SCHEMA_VERSION;
enum { SCHEMA_APPLICATION_ID = 0x4d697243 }; /* "MirC" */

/* In a transaction of the caller's: all migrations behind `from`. */
enum err_code schema_migrate(struct store *s, int from, struct err *e);
/* Keyed hash of what sqlite_schema says. */
enum err_code schema_hash(struct store *s, char out[static FINGERPRINT_HEX], struct err *e);

/* ---- SQLite (db.c) -----------------------------------------------------------------------------
 */

/* ERR_DAMAGED with what is the matter, and the cure behind it. */
enum err_code store_damaged(const char *dir, struct err *e, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Translates the result of the last call on the connection. */
enum err_code db_fail(struct store *s, int rc, struct err *e);

void stmt_release(sqlite3_stmt **st); /* for CLEANUP */
/* One of the store's own, within a transaction: the literal's address is its name. Give it back
 * with stmt_rest before it is asked for again. */
enum err_code db_kept(struct store *s, const char *sql, sqlite3_stmt **out, struct err *e);
void stmt_rest(sqlite3_stmt **st); /* for CLEANUP */
void db_close(struct store *s);
enum err_code db_prepare(struct store *s, const char *sql, sqlite3_stmt **out, struct err *e);
/* *out_row tells whether a row is there. */
enum err_code db_step(struct store *s, sqlite3_stmt *st, bool *out_row, struct err *e);
/* Steps a statement that gives no rows, and makes it ready for the next time. */
enum err_code db_run(struct store *s, sqlite3_stmt *st, struct err *e);
enum err_code db_exec(struct store *s, const char *sql, struct err *e);
/* The one number of a query such as PRAGMA user_version. */
enum err_code db_number(struct store *s, const char *sql, int64_t *out_n, struct err *e);
void bind_text(sqlite3_stmt *st, int i, const char *text); /* must outlive the step; NULL is NULL */

/*
 * One transaction, and the store's lock, until the end of the block:
 *
 *     CLEANUP(txn_end) struct txn t = TXN_INIT(s);
 *     TRY(txn_write(&t, e));
 *     ...
 *     return txn_commit(&t, e);
 *
 * What is not committed is rolled back. The arena lives as long as the transaction.
 */
struct txn {
    struct store *s;
    struct arena *arena; /* not NULL: begun */
    bool writes;
    bool hurries;
};
#define TXN_INIT(store)                                                                            \
    {                                                                                              \
        .s = (store), .arena = NULL, .writes = false, .hurries = false                             \
    }
enum err_code txn_read(struct txn *t, struct err *e);
enum err_code txn_write(struct txn *t, struct err *e);
/*
 * For what may be lost with the power, since what is then left leads to the same end: the commit
 * does not wait for the disk, and reaches it with the next that does (WAL keeps their order). It is
 * not noted in state.seq.
 */
enum err_code txn_write_hurried(struct txn *t, struct err *e);
enum err_code txn_commit(struct txn *t, struct err *e); /* of a write */
void txn_end(struct txn *t);

/* ---- Rows (row.c) ------------------------------------------------------------------------------
 */

struct cell {
    enum { CELL_TEXT, CELL_INT } type;
    const char *text; /* may be NULL */
    int64_t num;
};
#define CELL_T(x) ((struct cell){.type = CELL_TEXT, .text = (x)})
#define CELL_I(x) ((struct cell){.type = CELL_INT, .num = (int64_t)(x)})

/* A table whose last column is the hash of those before it. */
struct table {
    const char *name;
    const char *shape;  /* a letter a column, without the hash: t text or NULL, i integer */
    const char *insert; /* INSERT OR REPLACE of all columns */
};
enum { TABLE_COLUMNS_MAX = 40 };
extern const struct table TABLE_META, TABLE_SLAVE, TABLE_LEDGER, TABLE_JOURNAL, TABLE_EVENT,
    TABLE_STATUS;

/* Binds the cells and their hash to t->insert and runs it. */
enum err_code row_put(struct store *s, sqlite3_stmt *st, const struct table *t,
                      const struct cell *cells, char out_hash[static FINGERPRINT_HEX],
                      struct err *e);
/*
 * The row on which st stands, checked. Its columns are those of SELECT *. Texts are copied into the
 * arena. ERR_DAMAGED names the table.
 */
enum err_code row_get(struct store *s, sqlite3_stmt *st, const struct table *t, struct arena *a,
                      struct cell *out_cells, char out_hash[static FINGERPRINT_HEX], struct err *e);

/* How many rows, and the XOR of their hashes. */
struct tally {
    int64_t n;
    char sum[FINGERPRINT_HEX];
};
void tally_init(struct tally *t);
void tally_add(struct tally *t, const char *hash);
void tally_drop(struct tally *t, const char *hash);
bool tally_eq(const struct tally *a, const struct tally *b);

/* ---- Meta (meta.c) -----------------------------------------------------------------------------
 */

/* Rows that are there from the first day on. */
#define META_STORE  "store"  /* text: id; num: generation */
#define META_SCHEMA "schema" /* text: schema_hash; num: version */
#define META_SLAVES "slaves" /* tally of the table slave */
#define META_STATUS                                                                                \
    "status"             /* text: master; num: end of the last pass; tally of the table status */
#define META_SELF "self" /* text: role of the master */

struct meta {
    const char *text;
    int64_t num;
    struct tally tally;
};
enum err_code meta_get(struct txn *t, const char *key, struct meta *out, struct err *e);
enum err_code meta_put(struct txn *t, const char *key, const struct meta *m, struct err *e);

/* ---- Generation (seq.c) ------------------------------------------------------------------------
 */

enum err_code seq_create(struct store *s, const char *path, struct err *e);
/* The newest generation that was noted; opens the file for writing unless read-only. */
enum err_code seq_open(struct store *s, const char *path, int64_t *out_generation, struct err *e);
enum err_code seq_note(struct store *s, int64_t generation, struct err *e);
void seq_close(struct store *s);

/* ---- Clean close (clean.c) ---------------------------------------------------------------------
 */

/* Before the database is opened: sets `settled` and `walked` when the last one who wrote closed it
 * in order, and nobody has touched it since. Anything else sets nothing. */
void clean_look(struct store *s, const struct paths *p);
/* After the database was closed. */
void clean_leave(const struct store *s);

/* ---- Lock file (lock.c) ------------------------------------------------------------------------
 */

/* ERR_LOCKED when somebody else still has it after `wait`. */
enum err_code lock_take(const char *path, const struct clock *clock, struct ms wait, int *out_fd,
                        struct err *e);
void lock_drop(int *fd); /* also for CLEANUP; ignores -1 */

/* ---- Slaves (slave.c) --------------------------------------------------------------------------
 */

struct slave_row {
    const char *id;
    bool known; /* store_slave_put was called */
    struct store_slave data;
    struct tally ledger;
    bool stored; /* is in the table, with this hash */
    char hash[FINGERPRINT_HEX];
};
/* A row with nothing in it when there is none. Strings in the transaction's arena. */
enum err_code slave_get(struct txn *t, const char *id, struct slave_row *out, struct err *e);
enum err_code slave_put(struct txn *t, struct slave_row *row, struct err *e);
/* All rows check out and add up to what meta says. */
enum err_code slaves_check(struct txn *t, struct err *e);

/* ---- Ledger (ledger.c) -------------------------------------------------------------------------
 */

/* Several changes of one slave's rows within one transaction. */
struct ledger_writer {
    struct txn *t;
    struct slave_row slave;
    sqlite3_stmt *find, *put, *drop;
    bool changed;
};
void ledger_writer_end(struct ledger_writer *w); /* for CLEANUP */
enum err_code ledger_begin(struct ledger_writer *w, struct txn *t, const char *slave,
                           struct err *e);
enum err_code ledger_put(struct ledger_writer *w, const struct resource *r, struct err *e);
enum err_code ledger_drop(struct ledger_writer *w, enum kind k, const char *name, struct err *e);
enum err_code ledger_finish(struct ledger_writer *w, struct err *e);

#endif
