#include "fixture.h"

static void keeps_what_was_written(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct store *s = fixture_open(f);
    struct resource rows[] = {
        {KIND_WORKFLOW, "cron.yml", "off", NULL, "disabled_manually", 77, 0, REF_SAME, RES_GHOST},
        {KIND_SECRET, "B", "fingerprint", "2026-01-01T00:00:00Z", NULL, 0, 0, 0, 0},
        {KIND_SECRET, "A", NULL, NULL, NULL, 0, 0, 0, 0},
        {KIND_VARIABLE, "A", "", "", "", -1, 0, 0, 0},
        {KIND_REF, "refs/heads/'; DROP TABLE ledger; --", "\xc3\xa9\n\t", NULL, NULL, 0, 0, 0, 0},
    };
    struct ledger_change c[ARRAY_LEN(rows)] = {0};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        c[i].put = &rows[i];
    assert_ok(store_ledger_change(s, "eu", c, ARRAY_LEN(rows), &e));
    store_close(s);
    s = fixture_open(f);
    struct view v = fixture_ledger(s, "eu", f->arena);
    assert_int_equal(v.n, ARRAY_LEN(rows));
    for (size_t i = 1; i < v.n; i++)
        assert_true(resource_compare(&v.items[i - 1], &v.items[i]) < 0);
    for (size_t k = 0; k < KIND_COUNT; k++)
        assert_int_equal(v.state[k], VIEW_COMPLETE);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct resource *r = view_find(&v, rows[i].kind, rows[i].name);
        assert_non_null(r);
        assert_true(str_eq(r->value, rows[i].value));
        assert_true(str_eq(r->stamp, rows[i].stamp));
        assert_true(str_eq(r->detail, rows[i].detail));
        assert_int_equal(r->id, rows[i].id);
        assert_int_equal(r->flags, 0); /* of the other views */
    }
    store_close(s);
}

static void changes_replace_and_drop(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct store *s = fixture_open(f);
    struct resource one = fixture_resource(KIND_SECRET, "ONE", "1");
    struct resource two = fixture_resource(KIND_SECRET, "ONE", "2");
    struct resource other = fixture_resource(KIND_VARIABLE, "ONE", "v");
    const struct ledger_change changes[] = {
        {.put = &one},
        {.put = &other},
        {.put = &two},
        {.drop_kind = KIND_SECRET, .drop_name = "NONE"},
        {.drop_kind = KIND_VARIABLE, .drop_name = "ONE"},
    };

    assert_int_equal(fixture_ledger(s, "eu", f->arena).n, 0);
    assert_ok(store_ledger_change(s, "eu", changes, ARRAY_LEN(changes), &e));
    assert_ok(store_ledger_change(s, "eu", changes, 0, &e));
    struct view v = fixture_ledger(s, "eu", f->arena);
    assert_int_equal(v.n, 1);
    assert_string_equal(v.items[0].value, "2");
    fixture_put(s, "eu", one);
    assert_string_equal(fixture_ledger(s, "eu", f->arena).items[0].value, "1");
    assert_int_equal(fixture_ledger(s, "EU", f->arena).n, 0); /* ids are what they are */

    const struct ledger_change gone = {.drop_kind = KIND_SECRET, .drop_name = "ONE"};
    assert_ok(store_ledger_change(s, "eu", &gone, 1, &e));
    assert_int_equal(fixture_ledger(s, "eu", f->arena).n, 0);
    store_close(s);
    s = fixture_open(f);
    assert_int_equal(fixture_ledger(s, "eu", f->arena).n, 0);
    store_close(s);
}

static void lists_slaves(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    const char *const *names = NULL;
    const struct ledger_change gone = {.drop_kind = KIND_SECRET, .drop_name = "A"};
    const struct store_slave row = {.repo_id = 1};
    struct store *s = fixture_open(f);

    assert_ok(store_ledger_slaves(s, f->arena, &names, &e));
    assert_null(names[0]);
    fixture_put(s, "us", fixture_resource(KIND_SECRET, "A", "1"));
    fixture_put(s, "eu", fixture_resource(KIND_SECRET, "A", "1"));
    fixture_put(s, "ap", fixture_resource(KIND_SECRET, "A", "1"));
    assert_ok(store_slave_put(s, "only-known", &row, &e));
    assert_ok(store_ledger_change(s, "ap", &gone, 1, &e));
    assert_ok(store_ledger_slaves(s, f->arena, &names, &e));
    assert_string_equal(names[0], "eu");
    assert_string_equal(names[1], "us");
    assert_null(names[2]);
    store_close(s);
}

static void remembers_slaves(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct store_slave got, row = {7, "owner/name", "0123", INT64_MAX};
    struct store *s = fixture_open(f);

    assert_ok(store_slave_get(s, "eu", f->arena, &got, &e));
    assert_int_equal(got.repo_id, 0);
    assert_null(got.full_name);
    assert_null(got.marker);
    assert_int_equal(got.epoch, 0);
    assert_ok(store_slave_put(s, "eu", &row, &e));
    fixture_put(s, "eu", fixture_resource(KIND_SECRET, "A", "1")); /* shares the row on disk */
    assert_ok(store_slave_get(s, "eu", f->arena, &got, &e));
    assert_int_equal(got.repo_id, 7);
    assert_string_equal(got.full_name, "owner/name");
    assert_string_equal(got.marker, "0123");
    assert_true(got.epoch == INT64_MAX);
    row.marker = NULL;
    row.epoch = -1;
    assert_ok(store_slave_put(s, "eu", &row, &e));
    assert_ok(store_slave_put(s, "eu", &row, &e));
    assert_ok(store_slave_get(s, "eu", f->arena, &got, &e));
    assert_null(got.marker);
    assert_int_equal(got.epoch, -1);
    assert_int_equal(fixture_ledger(s, "eu", f->arena).n, 1);
    store_close(s);
}

static void takes_large_rows(void **state)
{
    struct fixture *f = *state;
    char *value = mem_alloc(LIMIT_VARIABLE_BYTES + 1);
    struct store *s = fixture_open(f);

    memset(value, 'v', LIMIT_VARIABLE_BYTES);
    fixture_put(s, "eu", fixture_resource(KIND_VARIABLE, "BIG", value));
    assert_string_equal(fixture_ledger(s, "eu", f->arena).items[0].value, value);
    store_close(s);
    free(value);
}

/* Random changes against a plain array that does the same. */
static void agrees_with_a_model(void **state)
{
    enum { NAMES = 30, ROUNDS = 300 };
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    int truth[NAMES];
    unsigned seed = 20260807;
    struct store *s = fixture_open(f);

    print_message("seed %u\n", seed);
    memset(truth, -1, sizeof(truth));
    srand(seed);
    for (int round = 0; round < ROUNDS; round++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct ledger_change c[5] = {0};
        struct resource r[5];
        for (size_t i = 0; i < ARRAY_LEN(c); i++) {
            int name = rand() % NAMES, value = rand() % 3 - 1;
            r[i] = fixture_resource(KIND_VARIABLE, arena_printf(a, "N%d", name),
                                    arena_printf(a, "%d", value));
            c[i].put = value < 0 ? NULL : &r[i];
            c[i].drop_kind = KIND_VARIABLE;
            c[i].drop_name = r[i].name;
            truth[name] = value;
        }
        assert_ok(store_ledger_change(s, "eu", c, ARRAY_LEN(c), &e));
        if (round % 50 == 0) {
            store_close(s);
            s = fixture_open(f);
        }
        struct view v = fixture_ledger(s, "eu", a);
        size_t n = 0;
        for (int i = 0; i < NAMES; i++) {
            const struct resource *x = view_find(&v, KIND_VARIABLE, arena_printf(a, "N%d", i));
            assert_int_equal(x != NULL, truth[i] >= 0);
            n += x != NULL ? 1 : 0;
            if (x != NULL)
                assert_string_equal(x->value, arena_printf(a, "%d", truth[i]));
        }
        assert_int_equal(v.n, n);
    }
    store_close(s);
}

#define test(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(keeps_what_was_written), test(changes_replace_and_drop), test(lists_slaves),
        test(remembers_slaves),       test(takes_large_rows),         test(agrees_with_a_model),
    };
    return cmocka_run_group_tests_name("store ledger", tests, NULL, NULL);
}
