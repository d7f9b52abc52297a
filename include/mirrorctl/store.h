/*
 * store: what this installation remembers. Ledger, journal, history, status, lock; the queue comes with
 * the daemon. The door is narrow on purpose: another engine (PostgreSQL, for fleets that outgrow one
 * machine) can stand behind it.
 *
 *     struct store *st;
 *     TRY(store_open(dir, &cfg, &st, e));     // creates, migrates, checks
 *     TRY(store_lock(st, e));                 // ERR_LOCKED: names the holder
 *     TRY(store_ledger(st, slave, &view, e));
 *     TRY(store_journal_begin(st, slave, &action, &id, e));    // intent, durable
 *     ... act ...
 *     TRY(store_journal_end(st, id, &outcome, e));             // outcome and ledger row in one step
 *
 * On disk, in dir (0700): state.db (SQLite, WAL, synchronous=FULL), state.key (0600, 32 bytes: keys the
 * row hashes and, in separate domains, the fingerprints of secrets), state.seq (which commit was the
 * newest), state.clean (how state.db looked when it was closed in order), lock, and folders that other rooms own (etag/, cache/). Each row carries a keyed BLAKE2b of its
 * content, and each set of rows that decides something a tally; what does not check out, is missing, or
 * is older than it was makes the store ERR_DAMAGED, never empty. Migrations are append-only; a newer
 * schema is refused.
 * Way out: `mirrorctl state rebuild` observes everything again; secrets are then written once more.
 *
 * Thread-safe: one connection behind a lock.
 */
#ifndef MIRRORCTL_STORE_H
#define MIRRORCTL_STORE_H

#include "mirrorctl/model.h"
#include "mirrorctl/secrets.h"

struct store;

struct store_config {
    const struct clock *clock; /* NULL = clock_system */
    bool read_only;            /* status: never creates, never migrates; ERR_NOT_FOUND when absent */
};

/*
 * ERR_DAMAGED: integrity check, row hash, or key file of a wrong size (with the cure in the sentence);
 * also a database without its key, a key without its database, or a newer schema. ERR_IO: disk full,
 * read-only, not ours, a folder in which others may write. ERR_REFUSED: a key file that others may read;
 * read_only and an older schema. ERR_LOCKED: another process is making or writing it, for over 5 s.
 * secrets_init must have been called.
 *
 * Every function below may also give ERR_DAMAGED, ERR_IO and (those that write) ERR_LOCKED. What fails
 * leaves the state as it was, but for one case: ERR_IO about state.seq comes behind a commit.
 */
enum err_code store_open(const char *dir, const struct store_config *cfg, struct store **out,
                         struct err *e);
void store_close(struct store *s); /* releases the lock */
void store_closep(struct store **s);

/*
 * For `mirrorctl state rebuild`: moves a store that is refused into <dir>/damaged-<time>, so that the next
 * store_open begins with an empty one. A sound state.key stays, and with it store_id: the markers on the
 * slaves go on naming this installation. Survives a crash at any point. *out_where is in the arena.
 * ERR_NOT_FOUND: nothing there. ERR_LOCKED, ERR_IO.
 */
enum err_code store_set_aside(const char *dir, const struct clock *clock, struct arena *a,
                              const char **out_where, struct err *e);

/* 32 hex digits, made once per store: names this installation in markers. */
const char *store_id(const struct store *s);
const struct fingerprint_key *store_key(const struct store *s);
const char *store_dir(const struct store *s);

/* Held until store_unlock or the process ends (kill -9 included). ERR_LOCKED: pid and host of the holder. */
enum err_code store_lock(struct store *s, struct err *e);
void store_unlock(struct store *s);

/* ---- Ledger: what mirrorctl itself last wrote there -------------------------------------------- */

/* All rows of a slave as a sorted view (state COMPLETE for every kind), strings in the view's arena: *out
 * must have been view_init'ed, and is replaced. Kept of a resource: kind, name, value, stamp, detail, id. */
enum err_code store_ledger(struct store *s, const char *slave, struct view *out, struct err *e);

/* Several rows in one transaction: what a pass adopts or forgets. */
struct ledger_change {
    const struct resource *put; /* or NULL */
    enum kind drop_kind;        /* when put is NULL */
    const char *drop_name;
};
enum err_code store_ledger_change(struct store *s, const char *slave, const struct ledger_change *changes,
                                  size_t n, struct err *e);
/* The slaves that have ledger rows, NULL-terminated, in the arena: to show what left the manifest. */
enum err_code store_ledger_slaves(struct store *s, struct arena *a, const char *const **out,
                                  struct err *e);

/* What is remembered about a slave itself. */
struct store_slave {
    int64_t repo_id;
    const char *full_name;
    const char *marker; /* oid last written or seen, or NULL */
    int64_t epoch;
};
/* Zeroed when there is no row. Strings in the arena. Putting what is there already costs no write. */
enum err_code store_slave_get(struct store *s, const char *slave, struct arena *a,
                              struct store_slave *out, struct err *e);
enum err_code store_slave_put(struct store *s, const char *slave, const struct store_slave *row,
                              struct err *e);

/* ---- Journal: intent, act, outcome -------------------------------------------------------------- */

/* The ids are consecutive. Closed entries older than 30 days, or beyond the newest 50,000, go by and by. */
enum err_code store_journal_begin(struct store *s, const char *slave, const struct action *actions,
                                  size_t n, int64_t *out_first_id, struct err *e);

struct journal_outcome {
    enum err_code code;         /* ERR_OK: done */
    const char *text;           /* the error's sentence, or NULL */
    const struct resource *put; /* done: the ledger row that is true now; NULL with drop */
    bool drop;                  /* done: the row goes */
};
/*
 * Outcomes for ids first_id … first_id+n-1, and their ledger rows, in one transaction. `put` and `drop`
 * count only with ERR_OK; neither of them leaves the ledger as it is. ERR_CONFLICT: an id is not open, or
 * was begun for something else; then nothing is written. Outlives the process at once, and a power cut from
 * the next other write on: until then a power cut leaves the intents open, which costs one more look.
 */
enum err_code store_journal_end(struct store *s, const char *slave, int64_t first_id,
                                const struct action *actions, const struct journal_outcome *outcomes,
                                size_t n, struct err *e);

/* Intents without outcome: a pass that was killed. They are told, then closed as "unknown": the next pass
 * observes and needs no replay. */
struct journal_open {
    const char *slave;
    enum act act;
    enum kind kind;
    const char *name;
    struct wall at;
};
/* What the ledger should say of a name that was begun and never ended; false: as it was. */
typedef bool (*journal_row_fn)(const struct journal_open *open, struct resource *out);
/* Rows and closing are one transaction: killed in here, the next call finds the same. row may be NULL. */
enum err_code store_journal_recover(struct store *s, journal_row_fn row, struct arena *a,
                                    struct journal_open **out, size_t *out_n, struct err *e);

/* ---- History and status ------------------------------------------------------------------------- */

struct store_event {
    struct wall at;
    const char *slave; /* or NULL */
    const char *what;  /* stable word: "applied", "failed", "refused", "fenced", "recovered" */
    const char *text;
};
/* `at` 0 is now. The newest 10,000 are kept. */
enum err_code store_event_add(struct store *s, const struct store_event *ev, struct err *e);
/* The newest first, at most max. */
enum err_code store_events(struct store *s, struct arena *a, size_t max, struct store_event **out,
                           size_t *out_n, struct err *e);

/* The last pass, replaced as a whole in one transaction; slaves not named keep their row unless
 * `all` is true. */
enum err_code store_status_put(struct store *s, const struct status *status, bool all, struct err *e);
/* n = 0 when there was no pass yet. */
enum err_code store_status_get(struct store *s, struct arena *a, struct status *out, struct err *e);

#endif
