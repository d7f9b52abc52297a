#include "fixture.h"

static const struct action ACTIONS[] = {
    {.act = ACT_CREATE, .kind = KIND_SECRET, .name = "A", .to = "fp-a"},
    {.act = ACT_UPDATE, .kind = KIND_VARIABLE, .name = "B", .from = "1", .to = "2"},
    {.act = ACT_DELETE, .kind = KIND_REF, .name = "refs/heads/x", .from = "0123"},
};

static void outcomes_reach_the_ledger(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct store *s = fixture_open(f);
    struct resource a = fixture_resource(KIND_SECRET, "A", "fp-a");
    struct resource b = fixture_resource(KIND_VARIABLE, "B", "2");
    int64_t id = 0, next = 0;

    fixture_put(s, "eu", fixture_resource(KIND_REF, "refs/heads/x", "0123"));
    fixture_put(s, "eu", fixture_resource(KIND_VARIABLE, "B", "1"));
    assert_ok(store_journal_begin(s, "eu", ACTIONS, ARRAY_LEN(ACTIONS), &id, &e));
    assert_int_equal(id, 1);
    assert_int_equal(fixture_ledger(s, "eu", f->arena).n, 2); /* an intent is no outcome */
    const struct journal_outcome outcomes[] = {
        {.code = ERR_OK, .put = &a},
        {.code = ERR_CONFLICT, .text = "moved", .put = &b},
        {.code = ERR_OK, .drop = true},
    };
    assert_ok(store_journal_end(s, "eu", id, ACTIONS, outcomes, ARRAY_LEN(outcomes), &e));
    struct view v = fixture_ledger(s, "eu", f->arena);
    assert_int_equal(v.n, 2);
    assert_string_equal(view_find(&v, KIND_SECRET, "A")->value, "fp-a");
    assert_string_equal(view_find(&v, KIND_VARIABLE, "B")->value, "1"); /* it failed */

    assert_ok(store_journal_begin(s, "eu", ACTIONS, 1, &next, &e));
    assert_int_equal(next, id + (int64_t)ARRAY_LEN(ACTIONS));
    const struct journal_outcome nothing = {.code = ERR_OK};
    assert_ok(store_journal_end(s, "eu", next, ACTIONS, &nothing, 1, &e));
    assert_int_equal(fixture_ledger(s, "eu", f->arena).n, 2);
    assert_ok(store_journal_begin(s, "eu", ACTIONS, 0, &next, &e));
    assert_ok(store_journal_end(s, "eu", next, ACTIONS, &nothing, 0, &e));
    store_close(s);
}

static void an_end_needs_its_beginning(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct store *s = fixture_open(f);
    struct resource a = fixture_resource(KIND_SECRET, "A", "fp-a");
    const struct journal_outcome good[] = {{.put = &a}, {.code = ERR_OK}, {.code = ERR_OK}};
    int64_t id = 0;

    assert_int_equal(store_journal_end(s, "eu", 1, ACTIONS, good, 1, &e), ERR_CONFLICT);
    assert_ok(store_journal_begin(s, "eu", ACTIONS, 2, &id, &e));
    assert_int_equal(store_journal_end(s, "us", id, ACTIONS, good, 1, &e), ERR_CONFLICT);
    assert_int_equal(store_journal_end(s, "eu", id, ACTIONS + 1, good, 1, &e), ERR_CONFLICT);
    /* The third was never begun: the first two may not stay half done. */
    assert_int_equal(store_journal_end(s, "eu", id, ACTIONS, good, 3, &e), ERR_CONFLICT);
    assert_error(&e, ERR_CONFLICT, "journal entry 3 is not open");
    assert_int_equal(fixture_ledger(s, "eu", f->arena).n, 0);
    assert_ok(store_journal_end(s, "eu", id, ACTIONS, good, 2, &e));
    assert_int_equal(store_journal_end(s, "eu", id, ACTIONS, good, 1, &e), ERR_CONFLICT);
    assert_int_equal(fixture_ledger(s, "eu", f->arena).n, 1);
    store_close(s);
}

static bool ours_unknown(const struct journal_open *open, struct resource *out)
{
    *out = (struct resource){.kind = open->kind, .name = open->name, .value = "", .stamp = ""};
    return open->act == ACT_CREATE;
}

static void recovery_can_leave_a_row_behind(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct journal_open *open = NULL;
    struct store *s = fixture_open(f);
    int64_t id = 0;
    size_t n = 0;

    assert_ok(store_journal_begin(s, "eu", ACTIONS, 3, &id, &e));
    store_close(s);
    s = fixture_open(f);
    assert_ok(store_journal_recover(s, ours_unknown, f->arena, &open, &n, &e));
    assert_int_equal(n, 3);
    const struct view v = fixture_ledger(s, "eu", f->arena);
    const struct resource *r = view_find(&v, KIND_SECRET, "A");
    assert_non_null(r);
    assert_string_equal(r->value, "");
    store_close(s);
}

static void what_was_left_open_is_told_once(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct journal_open *open = NULL;
    struct store *s = fixture_open(f);
    const struct journal_outcome done = {.code = ERR_OK};
    int64_t id = 0;
    size_t n = 9;

    assert_ok(store_journal_recover(s, NULL, f->arena, &open, &n, &e));
    assert_int_equal(n, 0);
    assert_ok(store_journal_begin(s, "eu", ACTIONS, 3, &id, &e));
    assert_ok(store_journal_end(s, "eu", id + 1, ACTIONS + 1, &done, 1, &e));
    assert_ok(store_journal_begin(s, "us", ACTIONS, 1, &id, &e));
    store_close(s);

    s = fixture_open(f);
    assert_ok(store_journal_recover(s, NULL, f->arena, &open, &n, &e));
    assert_int_equal(n, 3);
    assert_string_equal(open[0].slave, "eu");
    assert_string_equal(open[0].name, "A");
    assert_int_equal(open[0].kind, KIND_SECRET);
    assert_int_equal(open[0].act, ACT_CREATE);
    assert_true(open[0].at.s > 0);
    assert_int_equal(open[1].kind, KIND_REF);
    assert_int_equal(open[1].act, ACT_DELETE);
    assert_string_equal(open[2].slave, "us");
    assert_ok(store_journal_recover(s, NULL, f->arena, &open, &n, &e));
    assert_int_equal(n, 0);
    assert_int_equal(store_journal_end(s, "us", id, ACTIONS, &done, 1, &e), ERR_CONFLICT);
    store_close(s);
}

struct frozen {
    int64_t now;
};

static struct wall frozen_wall(void *ctx)
{
    const struct frozen *x = ctx;
    return (struct wall){x->now};
}

static off_t size_of(struct fixture *f)
{
    struct stat st;
    assert_int_equal(stat(fixture_path(f, "state.db"), &st), 0);
    return st.st_size;
}

/* Closed entries go after 30 days, so that a year of passes fits into the room of a month. */
static void stays_within_bounds(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct frozen x = {1790000000};
    const struct clock clock = {.wall = frozen_wall, .ctx = &x};
    const struct store_config cfg = {.clock = &clock};
    const struct journal_outcome done[3] = {{.code = ERR_OK}, {.code = ERR_OK}, {.code = ERR_OK}};
    off_t after_a_month = 0;
    struct store *s = NULL;

    assert_ok(store_open(f->dir, &cfg, &s, &e));
    for (int day = 0; day < 365; day++) {
        int64_t id = 0;
        assert_ok(store_journal_begin(s, "eu", ACTIONS, 3, &id, &e));
        assert_ok(store_journal_end(s, "eu", id, ACTIONS, done, 3, &e));
        x.now += 24 * 3600;
        if (day == 60) {
            store_close(s);
            after_a_month = size_of(f);
            assert_ok(store_open(f->dir, &cfg, &s, &e));
        }
    }
    store_close(s);
    assert_true(size_of(f) <= after_a_month);
}

#define test(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(outcomes_reach_the_ledger),
        test(an_end_needs_its_beginning),
        test(recovery_can_leave_a_row_behind),
        test(what_was_left_open_is_told_once),
        test(stays_within_bounds),
    };
    return cmocka_run_group_tests_name("store journal", tests, NULL, NULL);
}
