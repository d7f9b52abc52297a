#include "../../../src/store/internal.h"

#include "fixture.h"

/* What a store that was closed in order tells the next one, and when it tells nothing. */

static const struct action WRITE = {.act = ACT_CREATE, .kind = KIND_SECRET, .name = "A"};

struct hands {
    int64_t now;
};

static struct wall hands_wall(void *ctx)
{
    const struct hands *x = ctx;
    return (struct wall){x->now};
}

static struct store *open_at(struct fixture *f, struct hands *at, struct clock *clock)
{
    struct err e = ERR_INIT;
    struct store *s = NULL;

    *clock = clock_system;
    clock->wall = hands_wall;
    clock->ctx = at;
    assert_ok(store_open(f->dir, &(struct store_config){.clock = clock}, &s, &e));
    return s;
}

static size_t recover(struct fixture *f, struct store *s)
{
    struct err e = ERR_INIT;
    struct journal_open *open = NULL;
    size_t n = 0;

    assert_ok(store_journal_recover(s, NULL, f->arena, &open, &n, &e));
    return n;
}

/* A pass that writes two intents, and closes `end` of them. */
static void pass(struct fixture *f, int64_t now, size_t end)
{
    struct err e = ERR_INIT;
    const struct journal_outcome done = {.code = ERR_OK};
    struct hands at = {now};
    struct clock clock;
    struct store *s = open_at(f, &at, &clock);
    int64_t id;

    assert_ok(store_lock(s, &e));
    (void)recover(f, s);
    for (size_t i = 0; i < 2; i++) {
        assert_ok(store_journal_begin(s, "eu", &WRITE, 1, &id, &e));
        if (i < end)
            assert_ok(store_journal_end(s, "eu", id, &WRITE, &done, 1, &e));
    }
    store_close(s);
}

enum { T0 = 1000000, DAY = 24 * 3600 };

/* `walked`: when all of it was read last, once it is open. */
static void assert_known(struct fixture *f, int64_t now, bool settled, int64_t walked)
{
    struct hands at = {now};
    struct clock clock;
    struct store *s = open_at(f, &at, &clock);

    assert_int_equal(s->settled, settled);
    assert_int_equal(s->walked, walked);
    store_close(s);
}

static void an_orderly_end_is_believed_for_a_day(void **state)
{
    struct fixture *f = *state;

    pass(f, T0, 2);
    assert_true(fixture_has(f, "state.clean"));
    assert_known(f, T0 + 5, true, T0);
    pass(f, T0 + 9, 2);
    assert_known(f, T0 + DAY - 1, true, T0);
    assert_known(f, T0 + DAY, true, T0 + DAY); /* looked again, and had no lock to say so */
    assert_known(f, T0 - 1, true, T0 - 1);     /* a clock that was put back proves nothing */
    pass(f, T0 + DAY, 2);
    assert_known(f, T0 + DAY + 5, true, T0 + DAY);
}

static void what_was_touched_is_read_again(void **state)
{
    struct fixture *f = *state;
    static const char *const HARM[] = {
        "cp state.db x; mv x state.db",
        "touch state.db",
        "printf x >>state.clean",
        "echo rubbish >state.clean",
        "sed -i 's/walked 1/walked 2/' state.clean",
        ": >state.clean",
        "rm state.clean",
    };

    for (size_t i = 0; i < ARRAY_LEN(HARM); i++) {
        pass(f, T0 + 1000 * (int64_t)i, 2);
        assert_int_equal(system(arena_printf(f->arena, "cd '%s' && %s", f->dir, HARM[i])), 0);
        assert_known(f, T0 + 1000 * (int64_t)i + 5, false, T0 + 1000 * (int64_t)i + 5);
    }
}

static void open_intents_are_looked_for(void **state)
{
    struct fixture *f = *state;
    struct hands at = {T0};
    struct clock clock;

    for (size_t end = 0; end < 2; end++) {
        pass(f, T0, 2);
        pass(f, T0 + 1, end);
        struct store *s = open_at(f, &at, &clock);
        assert_false(s->settled);
        assert_int_equal(recover(f, s), 2 - end);
        assert_true(s->settled);
        store_close(s);
    }
}

/* Nobody else's intents are known to one who does not hold the lock. */
static void only_the_holder_of_the_lock_says_so(void **state)
{
    struct fixture *f = *state;
    struct hands at = {T0};
    struct clock clock;
    struct store *s = open_at(f, &at, &clock);

    (void)recover(f, s);
    store_close(s);
    assert_false(fixture_has(f, "state.clean"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_orderly_end_is_believed_for_a_day, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(what_was_touched_is_read_again, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(open_intents_are_looked_for, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(only_the_holder_of_the_lock_says_so, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
