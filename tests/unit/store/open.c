#include "fixture.h"

#include <sqlite3.h>
#include <sys/resource.h>

static void sql(struct fixture *f, const char *text)
{
    sqlite3 *db = NULL;
    char *message = NULL;

    assert_int_equal(sqlite3_open(fixture_path(f, "state.db"), &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", text, message);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static unsigned mode_of(struct fixture *f, const char *name)
{
    struct stat st;
    assert_int_equal(stat(fixture_path(f, name), &st), 0);
    return st.st_mode & 07777;
}

static void is_made_and_found_again(void **state)
{
    struct fixture *f = *state;
    char id[64];
    struct store *s = fixture_open(f);

    assert_int_equal(mode_of(f, "."), 0700);
    assert_int_equal(mode_of(f, "state.db"), 0600);
    assert_int_equal(mode_of(f, "state.db-wal"), 0600);
    assert_int_equal(mode_of(f, "state.key"), 0600);
    assert_int_equal(mode_of(f, "state.seq"), 0600);
    assert_false(fixture_has(f, "state.new"));
    assert_false(fixture_has(f, "state.db.new"));
    assert_string_equal(store_dir(s), f->dir);
    assert_non_null(store_key(s)->key);
    assert_int_equal(strlen(store_id(s)), 32);
    (void)snprintf(id, sizeof(id), "%s", store_id(s));
    fill(s);
    store_close(s);
    assert_false(fixture_has(f, "state.db-wal")); /* a clean end leaves one file */

    s = fixture_open(f);
    assert_string_equal(store_id(s), id);
    struct view v = fixture_ledger(s, "eu", f->arena);
    assert_int_equal(v.n, 40);
    store_close(s);
    store_close(NULL);

    struct fixture other = *f;
    other.dir = path_join(f->arena, f->root, "deep/er/state");
    s = fixture_open(&other);
    assert_string_not_equal(store_id(s), id);
    store_close(s);
}

static void reading_makes_nothing(void **state)
{
    struct fixture *f = *state;
    const struct store_config reader = {.read_only = true};
    struct err e = ERR_INIT;
    struct store *s = NULL;

    fixture_refused(f, &reader, ERR_NOT_FOUND, "no state in");
    assert_int_equal(access(f->dir, F_OK), -1);
    assert_int_equal(mkdir(f->dir, 0700), 0);
    fixture_refused(f, &reader, ERR_NOT_FOUND, "no state in");
    assert_false(fixture_has(f, "lock"));

    s = fixture_open(f);
    fill(s);
    struct store *r = NULL;
    assert_ok(store_open(f->dir, &reader, &r, &e)); /* beside a writer */
    assert_int_equal(fixture_ledger(r, "us", f->arena).n, 25);
    struct resource x = fixture_resource(KIND_SECRET, "A", "1");
    struct ledger_change c = {.put = &x};
    assert_int_equal(store_ledger_change(r, "eu", &c, 1, &e), ERR_IO);
    assert_error(&e, ERR_IO, "may not be written");
    store_close(r);
    store_close(s);
}

static void folders_of_others_are_refused(void **state)
{
    static const unsigned BAD[] = {0777, 0770, 0720, 0702, 01777};
    struct fixture *f = *state;

    store_close(fixture_open(f));
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        assert_int_equal(chmod(f->dir, BAD[i]), 0);
        fixture_refused(f, NULL, ERR_IO, "chmod 700");
    }
    assert_int_equal(chmod(f->dir, 0750), 0); /* others may look at the folder */
    store_close(fixture_open(f));

    struct fixture file = *f;
    file.dir = path_join(f->arena, f->root, "file");
    struct err e = ERR_INIT;
    assert_ok(file_write_atomic(file.dir, "", 0, 0600, &e));
    fixture_refused(&file, NULL, ERR_IO, "cannot make folder");
}

static void a_key_is_not_replaced(void **state)
{
    struct fixture *f = *state;
    const struct store_config reader = {.read_only = true};
    struct err e = ERR_INIT;
    const char *key = fixture_path(f, "state.key");
    const char *kept = path_join(f->arena, f->root, "kept");
    struct store *s = fixture_open(f);
    fill(s);
    store_close(s);

    assert_int_equal(rename(key, kept), 0);
    fixture_refused(f, NULL, ERR_DAMAGED, "state.key is missing");
    fixture_refused(f, NULL, ERR_DAMAGED, "mirrorctl state rebuild");
    fixture_refused(f, &reader, ERR_DAMAGED, "state.key is missing");
    assert_false(fixture_has(f, "state.key"));

    assert_ok(file_write_atomic(key, "short", 5, 0600, &e));
    fixture_refused(f, NULL, ERR_DAMAGED, "32 bytes");
    assert_ok(file_write_atomic(key, "0123456789abcdef0123456789abcdef", 32, 0600, &e));
    fixture_refused(f, NULL, ERR_DAMAGED, "mirrorctl state rebuild"); /* another store's */
    assert_int_equal(rename(kept, key), 0);
    assert_int_equal(chmod(key, 0644), 0);
    fixture_refused(f, NULL, ERR_REFUSED, "chmod 600");
    assert_int_equal(chmod(key, 0600), 0);
    store_close(fixture_open(f));
}

static void a_lost_database_is_not_an_empty_one(void **state)
{
    struct fixture *f = *state;
    const struct store_config reader = {.read_only = true};

    store_close(fixture_open(f));
    assert_int_equal(unlink(fixture_path(f, "state.db")), 0);
    fixture_refused(f, NULL, ERR_DAMAGED, "state.db is missing");
    fixture_refused(f, &reader, ERR_DAMAGED, "state.db is missing");
    assert_false(fixture_has(f, "state.db"));
}

/* What a crash leaves at each step of the first creation. */
static void a_creation_is_completed(void **state)
{
    static const char *const LEFT[][5] = {
        {"lock", NULL},
        {"lock", "state.new", NULL},
        {"lock", "state.new", "state.db.new", NULL},
        {"lock", "state.new", "state.db.new", "state.db.new-wal", NULL},
        {"state.db-wal", NULL}, /* of a database that somebody removed together with its key */
    };
    struct fixture *f = *state;
    struct err e = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(LEFT); i++) {
        fixture_wipe(f->dir);
        assert_int_equal(mkdir(f->dir, 0700), 0);
        for (size_t j = 0; LEFT[i][j] != NULL; j++)
            assert_ok(file_write_atomic(fixture_path(f, LEFT[i][j]), "rubbish", 7, 0600, &e));
        struct store *s = fixture_open(f);
        fill(s);
        store_close(s);
        store_close(fixture_open(f));
        assert_false(fixture_has(f, "state.new"));
        assert_false(fixture_has(f, "state.db.new"));
    }

    /* With the key made, and before the database has its name. */
    assert_int_equal(unlink(fixture_path(f, "state.db")), 0);
    assert_ok(file_write_atomic(fixture_path(f, "state.new"), "", 0, 0600, &e));
    const struct store_config reader = {.read_only = true};
    fixture_refused(f, &reader, ERR_NOT_FOUND, "no state in");
    store_close(fixture_open(f));

    /* With everything made but for the last step. */
    assert_ok(file_write_atomic(fixture_path(f, "state.new"), "", 0, 0600, &e));
    struct store *s = fixture_open(f);
    fill(s);
    store_close(s);
    assert_false(fixture_has(f, "state.new"));
    s = fixture_open(f);
    assert_int_equal(fixture_ledger(s, "eu", f->arena).n, 40);
    store_close(s);
}

static void many_may_come_first(void **state)
{
    enum { CHILDREN = 6 };
    struct fixture *f = *state;

    for (int i = 0; i < CHILDREN; i++) {
        if (fork() != 0)
            continue;
        struct err e = ERR_INIT;
        struct store *s = NULL;
        struct store_event ev = {.what = "applied", .text = "x"};
        enum err_code r = store_open(f->dir, NULL, &s, &e);
        if (r == ERR_OK)
            r = store_event_add(s, &ev, &e);
        if (r != ERR_OK)
            (void)fprintf(stderr, "%s\n", e.text);
        store_close(s);
        _exit(r == ERR_OK ? 0 : 1);
    }
    for (int i = 0; i < CHILDREN; i++) {
        int status = 0;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    struct err e = ERR_INIT;
    struct store_event *events = NULL;
    size_t n = 0;
    struct store *s = fixture_open(f);
    assert_ok(store_events(s, f->arena, 100, &events, &n, &e));
    assert_int_equal(n, CHILDREN);
    store_close(s);
}

static void other_schemas_are_refused(void **state)
{
    struct fixture *f = *state;
    const struct store_config reader = {.read_only = true};
    struct store *s = fixture_open(f);
    fill(s);
    store_close(s);

    sql(f, "PRAGMA user_version = 999");
    fixture_refused(f, NULL, ERR_DAMAGED, "newer mirrorctl (schema 999");
    fixture_refused(f, &reader, ERR_DAMAGED, "newer mirrorctl (schema 999");
    sql(f, "PRAGMA user_version = 0");
    fixture_refused(f, NULL, ERR_DAMAGED, "mirrorctl state rebuild");
    sql(f, "PRAGMA user_version = 1; PRAGMA application_id = 1");
    fixture_refused(f, NULL, ERR_DAMAGED, "not a database of mirrorctl");
    sql(f, "PRAGMA application_id = 0x4d697243; CREATE INDEX extra ON event (at)");
    fixture_refused(f, NULL, ERR_DAMAGED, "schema is not what was written");
    sql(f,
        "DROP INDEX extra; CREATE TRIGGER t AFTER INSERT ON event BEGIN DELETE FROM ledger; END");
    fixture_refused(f, NULL, ERR_DAMAGED, "schema is not what was written");
    sql(f, "DROP TRIGGER t");
    store_close(fixture_open(f));
}

/* As a user whose folder is on a read-only medium; a test as root becomes somebody else for it. */
static void reads_where_nothing_may_be_written(void **state)
{
    struct fixture odd = *(struct fixture *)*state, *f = &odd;
    odd.dir = path_join(f->arena, f->root, "a b?c#d%25&e'\"\xc3\xa9"); /* it goes into a URI */
    struct store *s = fixture_open(f);
    fill(s);
    store_close(s);
    assert_int_equal(chmod(f->root, 0755), 0);
    static const char *const FILES[] = {".", "state.db", "state.key", "state.seq", "lock"};
    for (size_t i = 0; geteuid() == 0 && i < ARRAY_LEN(FILES); i++)
        assert_int_equal(chown(fixture_path(f, FILES[i]), 65534, 65534), 0);
    assert_int_equal(chmod(f->dir, 0500), 0);
    assert_int_equal(chmod(fixture_path(f, "state.db"), 0400), 0);
    assert_int_equal(chmod(fixture_path(f, "state.seq"), 0400), 0);

    pid_t pid = fork();
    if (pid == 0) {
        const struct store_config reader = {.read_only = true};
        struct err e = ERR_INIT;
        struct view v;
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        if (store_open(f->dir, NULL, &s, &e) != ERR_IO)
            _exit(3);
        view_init(&v, f->arena);
        if (store_open(f->dir, &reader, &s, &e) != ERR_OK ||
            store_ledger(s, "eu", &v, &e) != ERR_OK || v.n != 40) {
            (void)fprintf(stderr, "%s\n", e.text);
            _exit(4);
        }
        store_close(s);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void belongs_to_its_owner(void **state)
{
    struct fixture *f = *state;
    if (geteuid() != 0)
        skip();

    store_close(fixture_open(f));
    assert_int_equal(chmod(f->root, 0755), 0);
    assert_int_equal(chmod(f->dir, 0755), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct err e = ERR_INIT;
        struct store *s = NULL;
        if (setuid(65534) != 0)
            _exit(2);
        enum err_code r = store_open(f->dir, NULL, &s, &e);
        _exit(r == ERR_IO && strstr(e.text, "another user") != NULL ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void set_aside_begins_anew(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    char id[64];
    const char *where = NULL, *again = NULL;

    assert_int_equal(mkdir(f->dir, 0700), 0);
    assert_int_equal(store_set_aside(f->dir, NULL, f->arena, &where, &e), ERR_NOT_FOUND);
    struct store *s = fixture_open(f);
    fill(s);
    (void)snprintf(id, sizeof(id), "%s", store_id(s));
    assert_ok(store_lock(s, &e));
    assert_int_equal(store_set_aside(f->dir, NULL, f->arena, &where, &e), ERR_LOCKED);
    store_close(s);

    assert_int_equal(truncate(fixture_path(f, "state.db"), 5000), 0);
    fixture_refused(f, NULL, ERR_DAMAGED, "mirrorctl state rebuild");
    assert_ok(store_set_aside(f->dir, NULL, f->arena, &where, &e));
    assert_int_equal(access(path_join(f->arena, where, "state.db"), F_OK), 0);
    s = fixture_open(f);
    assert_string_equal(store_id(s), id);
    assert_int_equal(fixture_ledger(s, "eu", f->arena).n, 0);
    store_close(s);
    store_close(fixture_open(f));

    /* A key that is of no use goes as well; a second time in one second has its own folder. */
    assert_int_equal(truncate(fixture_path(f, "state.key"), 5), 0);
    assert_ok(store_set_aside(f->dir, NULL, f->arena, &again, &e));
    assert_string_not_equal(where, again);
    assert_int_equal(access(path_join(f->arena, again, "state.key"), F_OK), 0);
    s = fixture_open(f);
    assert_string_not_equal(store_id(s), id);
    store_close(s);

    /* A key without its database. */
    assert_int_equal(unlink(fixture_path(f, "state.db")), 0);
    assert_ok(store_set_aside(f->dir, NULL, f->arena, &again, &e));
    store_close(fixture_open(f));
}

#define test(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(is_made_and_found_again),
        test(reading_makes_nothing),
        test(folders_of_others_are_refused),
        test(a_key_is_not_replaced),
        test(a_lost_database_is_not_an_empty_one),
        test(a_creation_is_completed),
        test(many_may_come_first),
        test(other_schemas_are_refused),
        test(reads_where_nothing_may_be_written),
        test(belongs_to_its_owner),
        test(set_aside_begins_anew),
    };
    return cmocka_run_group_tests_name("store open", tests, NULL, NULL);
}
