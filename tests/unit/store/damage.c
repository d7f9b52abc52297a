#include "fixture.h"

#include <sqlite3.h>

enum {
    FLIPS = 1400, /* of state.db: one to three bits each */
    CUTS = 400,   /* truncations */
    SMEARS = 200, /* a run of bytes overwritten, as a lost sector is */
    FILE_BYTES = 1 << 20,
};

static unsigned long long random_state = 20260807;

static size_t draw(size_t below)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (size_t)(random_state >> 33) % below;
}

/* ---- Files kept and put back -------------------------------------------------------------------
 */

struct copy {
    const char *path;
    char *bytes;
    size_t n;
};

static struct copy copy_of(struct fixture *f, const char *name)
{
    struct err e = ERR_INIT;
    struct buf b = BUF_INIT(FILE_BYTES);
    struct copy c = {.path = fixture_path(f, name)};

    assert_ok(file_read(c.path, &b, &e));
    c.bytes = arena_alloc(f->arena, b.len + 1);
    memcpy(c.bytes, b.data, b.len);
    c.n = b.len;
    buf_release(&b);
    return c;
}

/* Without fsync: 2,000 rounds are to end today. */
static void put(const char *path, const char *bytes, size_t n)
{
    CLEANUP(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
}

static void put_copy(const struct copy *c)
{
    put(c->path, c->bytes, c->n);
}

/* What the store says of itself now; ERR_OK only when every question was answered. */
static enum err_code look(struct fixture *f, struct buf *out, struct err *e)
{
    struct store *s = NULL;

    buf_clear(out);
    enum err_code r = store_open(f->dir, NULL, &s, e);
    if (r == ERR_OK)
        r = describe(s, SLAVES, out, e);
    store_close(s);
    return r;
}

/* ---- Random damage -----------------------------------------------------------------------------
 */

static void damage(char *bytes, size_t *n, int round)
{
    if (round < FLIPS) {
        for (size_t i = 0, bits = 1 + draw(3); i < bits; i++)
            bytes[draw(*n)] ^= (char)(1 << draw(8));
    } else if (round < FLIPS + CUTS) {
        /* Half of them at a page's end, where SQLite has least to notice. */
        *n = round % 2 == 0 ? draw(*n) : draw(*n / 4096) * 4096;
    } else {
        size_t from = draw(*n), len = 1 + draw(512);
        memset(bytes + from, round % 2 == 0 ? 0 : 0xff, len < *n - from ? len : *n - from);
    }
}

static void damage_is_refused_or_harmless(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf truth = BUF_INIT(FILE_BYTES), seen = BUF_INIT(FILE_BYTES);
    int refused = 0, harmless = 0;
    struct store *s = fixture_open(f);
    fill(s);
    store_close(s);
    assert_ok(look(f, &truth, &e));
    const struct copy db = copy_of(f, "state.db"), seq = copy_of(f, "state.seq");
    char *bytes = arena_alloc(f->arena, db.n);

    print_message("seed %llu, %zu bytes\n", random_state, db.n);
    for (int round = 0; round < FLIPS + CUTS + SMEARS; round++) {
        size_t n = db.n;
        memcpy(bytes, db.bytes, db.n);
        damage(bytes, &n, round);
        (void)unlink(fixture_path(f, "state.db-wal"));
        (void)unlink(fixture_path(f, "state.db-shm"));
        put(db.path, bytes, n);
        put_copy(&seq);
        e = (struct err)ERR_INIT;
        enum err_code r = look(f, &seen, &e);
        if (r == ERR_OK) {
            if (!str_eq(buf_str(&truth), buf_str(&seen)))
                fail_msg("round %d: believed\n%s", round, buf_str(&seen));
            harmless++;
            continue;
        }
        refused++;
        if (r != ERR_DAMAGED && r != ERR_IO)
            fail_msg("round %d: %s: %s", round, err_code_name(r), e.text);
    }
    print_message("%d refused, %d harmless\n", refused, harmless);
    assert_true(refused > harmless);
}

/* ---- The write-ahead log -----------------------------------------------------------------------
 */

/* A store whose last process was killed: everything but the schema is still in the WAL. */
static void leave_wal(struct fixture *f)
{
    store_close(fixture_open(f));
    pid_t pid = fork();
    if (pid == 0) {
        struct err e = ERR_INIT;
        struct store *s = NULL;
        if (store_open(f->dir, NULL, &s, &e) != ERR_OK)
            _exit(1);
        fill(s);
        (void)raise(SIGKILL);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

static void a_lost_commit_is_noticed(void **state)
{
    enum { ROUNDS = 300 };
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf truth = BUF_INIT(FILE_BYTES), seen = BUF_INIT(FILE_BYTES);
    int refused = 0;

    leave_wal(f);
    const struct copy db = copy_of(f, "state.db"), wal = copy_of(f, "state.db-wal"),
                      seq = copy_of(f, "state.seq");
    char *bytes = arena_alloc(f->arena, wal.n);
    assert_ok(look(f, &truth, &e));
    for (int whole = 0; whole < 2; whole++) { /* what is put back unharmed is believed */
        put_copy(&db);
        put_copy(&seq);
        put_copy(&wal);
        (void)unlink(fixture_path(f, "state.db-shm"));
        assert_ok(look(f, &seen, &e));
        assert_string_equal(buf_str(&truth), buf_str(&seen));
    }
    for (int round = 0; round < ROUNDS; round++) {
        size_t n = wal.n;
        memcpy(bytes, wal.bytes, wal.n);
        if (round % 3 == 0)
            n = round == 0 ? 0 : draw(n);
        else
            bytes[draw(n)] ^= (char)(1 << draw(8));
        (void)unlink(fixture_path(f, "state.db-shm"));
        put_copy(&db);
        put_copy(&seq);
        put(wal.path, bytes, n);
        enum err_code r = look(f, &seen, &e);
        if (r == ERR_OK && !str_eq(buf_str(&truth), buf_str(&seen)))
            fail_msg("round %d: believed\n%s", round, buf_str(&seen));
        if (r != ERR_OK) {
            assert_int_equal(r, ERR_DAMAGED);
            refused++;
        }
    }
    print_message("%d of %d refused\n", refused, ROUNDS);
    assert_true(refused > ROUNDS / 2);

    put_copy(&db);
    put_copy(&seq);
    (void)unlink(wal.path);
    (void)unlink(fixture_path(f, "state.db-shm"));
    fixture_refused(f, NULL, ERR_DAMAGED, "state.db-wal was lost");
}

static void an_old_copy_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct store *s = fixture_open(f);
    fill(s);
    store_close(s);
    const struct copy db = copy_of(f, "state.db"), seq = copy_of(f, "state.seq");

    s = fixture_open(f);
    fixture_put(s, "eu", fixture_resource(KIND_SECRET, "NEW", "1"));
    store_close(s);
    put_copy(&db);
    fixture_refused(f, NULL, ERR_DAMAGED, "older than it should be");
    put_copy(&seq); /* a backup of both is whole */
    store_close(fixture_open(f));
}

static void the_count_of_commits_is_guarded(void **state)
{
    struct fixture *f = *state;
    struct store *s = fixture_open(f);
    fill(s);
    store_close(s);
    const struct copy seq = copy_of(f, "state.seq");
    char *bytes = arena_alloc(f->arena, seq.n);

    for (size_t slot = 0; slot < 2; slot++) { /* one torn slot leaves the other */
        memcpy(bytes, seq.bytes, seq.n);
        bytes[slot * (seq.n / 2) + 19] ^= 1;
        put(seq.path, bytes, seq.n);
        store_close(fixture_open(f));
    }
    memset(bytes, 0, seq.n);
    put(seq.path, bytes, seq.n);
    fixture_refused(f, NULL, ERR_DAMAGED, "state.seq");
    put(seq.path, seq.bytes, 0);
    fixture_refused(f, NULL, ERR_DAMAGED, "state.seq");
    assert_int_equal(unlink(seq.path), 0);
    fixture_refused(f, NULL, ERR_DAMAGED, "state.seq is missing");
}

/* ---- A hand at the database --------------------------------------------------------------------
 */

static const char *const TAMPERINGS[] = {
    "UPDATE ledger SET value = 'mine' WHERE slave = 'eu' AND name = 'NAME_3'",
    "UPDATE ledger SET value = NULL WHERE slave = 'eu' AND name = 'NAME_3'",
    "UPDATE ledger SET stamp = '' WHERE slave = 'eu' AND name = 'NAME_3'",
    "UPDATE ledger SET id = 7 WHERE slave = 'eu' AND name = 'NAME_3'",
    "UPDATE ledger SET name = 'NAME_333' WHERE slave = 'eu' AND name = 'NAME_3'",
    "UPDATE ledger SET slave = 'never-seen' WHERE slave = 'eu' AND name = 'NAME_3'",
    "UPDATE ledger SET slave = 'ue' WHERE slave = 'eu'",
    "UPDATE ledger SET hash = (SELECT hash FROM ledger WHERE name = 'NAME_4') WHERE name = "
    "'NAME_3'",
    "UPDATE ledger SET hash = ''",
    "DELETE FROM ledger WHERE slave = 'us' AND name = 'NAME_3'",
    "DELETE FROM ledger",
    "INSERT INTO ledger VALUES ('eu', 'secret', 'X', 'v', NULL, NULL, 0, '')",
    "INSERT INTO ledger SELECT 'never-seen', kind, name, value, stamp, detail, id, hash FROM ledger"
    " WHERE slave = 'eu'",
    "UPDATE slave SET epoch = 4 WHERE id = 'eu'",
    "UPDATE slave SET marker = NULL",
    "UPDATE slave SET id = 'ue' WHERE id = 'eu'",
    "DELETE FROM slave WHERE id = 'archive'",
    "DELETE FROM slave",
    "DELETE FROM meta",
    "DELETE FROM meta WHERE key = 'self'",
    "UPDATE meta SET num = num + 1 WHERE key = 'store'",
    "UPDATE meta SET sum = (SELECT sum FROM meta WHERE key = 'status') WHERE key = 'slaves'",
    "UPDATE status SET role = 'MASTER'",
    "UPDATE status SET role = 'KING'",
    "DELETE FROM status WHERE slave = 'us'",
    "DELETE FROM status",
    "DROP TABLE ledger",
    "DROP TABLE journal",
    "ALTER TABLE ledger RENAME COLUMN value TO worth",
};

static void tampering_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf seen = BUF_INIT(FILE_BYTES);
    struct store *s = fixture_open(f);
    fill(s);
    store_close(s);
    const struct copy db = copy_of(f, "state.db"), seq = copy_of(f, "state.seq");

    for (size_t i = 0; i < ARRAY_LEN(TAMPERINGS); i++) {
        sqlite3 *hand = NULL;
        char *message = NULL;
        (void)unlink(fixture_path(f, "state.db-wal"));
        (void)unlink(fixture_path(f, "state.db-shm"));
        put_copy(&db);
        put_copy(&seq);
        assert_int_equal(sqlite3_open(db.path, &hand), SQLITE_OK);
        if (sqlite3_exec(hand, TAMPERINGS[i], NULL, NULL, &message) != SQLITE_OK)
            fail_msg("%s: %s", TAMPERINGS[i], message);
        assert_int_equal(sqlite3_close(hand), SQLITE_OK);
        if (look(f, &seen, &e) != ERR_DAMAGED)
            fail_msg("not noticed: %s", TAMPERINGS[i]);
        assert_error(&e, ERR_DAMAGED, "mirrorctl state rebuild");
    }
}

/* Rows that are only shown are still not shown when they are not what was written. */
static void history_is_checked_when_read(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct store_event ev = {.what = "applied", .text = "x"}, *events = NULL;
    struct action act = {.act = ACT_CREATE, .kind = KIND_SECRET, .name = "A"};
    struct journal_open *open = NULL;
    size_t n = 0;
    int64_t id = 0;
    sqlite3 *hand = NULL;
    struct store *s = fixture_open(f);

    assert_ok(store_event_add(s, &ev, &e));
    assert_ok(store_journal_begin(s, "eu", &act, 1, &id, &e));
    assert_int_equal(sqlite3_open(fixture_path(f, "state.db"), &hand), SQLITE_OK);
    assert_int_equal(sqlite3_exec(hand,
                                  "UPDATE event SET text = 'y';"
                                  "UPDATE journal SET name = 'B'",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(hand), SQLITE_OK);
    assert_int_equal(store_events(s, f->arena, 10, &events, &n, &e), ERR_DAMAGED);
    assert_int_equal(store_journal_recover(s, NULL, f->arena, &open, &n, &e), ERR_DAMAGED);
    const struct journal_outcome done = {.code = ERR_OK};
    assert_int_equal(store_journal_end(s, "eu", id, &act, &done, 1, &e), ERR_DAMAGED);
    store_close(s);
}

#define test(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(damage_is_refused_or_harmless), test(a_lost_commit_is_noticed),
        test(an_old_copy_is_noticed),        test(the_count_of_commits_is_guarded),
        test(tampering_is_noticed),          test(history_is_checked_when_read),
    };
    return cmocka_run_group_tests_name("store damage", tests, NULL, NULL);
}
