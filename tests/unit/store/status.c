#include "fixture.h"

#include <pthread.h>
#include <time.h>

static void keeps_the_last_pass(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct status got;
    struct slave_status slaves[] = {
        {.id = "zz",
         .type = "github",
         .repo = "o/n",
         .role = ROLE_TEMPORARY_MASTER,
         .epoch = 4,
         .health = HEALTH_DEGRADED,
         .last_check = {11},
         .error = "bad",
         .cure = "do",
         .token_expires = {99}},
        {.id = "aa", .type = "git", .repo = "ssh://x"},
    };
    struct status st = {
        .self_role = ROLE_SLAVE, .master = "m/r", .slaves = slaves, .n = 2, .at = {1790000000}};
    struct store *s = fixture_open(f);

    assert_ok(store_status_get(s, f->arena, &got, &e));
    assert_int_equal(got.n, 0);
    assert_int_equal(got.at.s, 0);
    assert_null(got.master);
    for (size_t i = 0; i < LAYER_COUNT; i++)
        slaves[0].layers[i] = (struct layer_status){
            (enum sync_status)(SYNC_OK + i), {(int64_t)i + 5}, 3, 4, "0123", "why"};
    assert_ok(store_status_put(s, &st, true, &e));
    store_close(s);
    s = fixture_open(f);
    assert_ok(store_status_get(s, f->arena, &got, &e));
    assert_int_equal(got.self_role, ROLE_SLAVE);
    assert_string_equal(got.master, "m/r");
    assert_int_equal(got.at.s, 1790000000);
    assert_int_equal(got.n, 2);
    const struct slave_status *x = &got.slaves[0]; /* the manifest's order, not the alphabet's */
    assert_string_equal(x->id, "zz");
    assert_string_equal(x->type, "github");
    assert_string_equal(x->repo, "o/n");
    assert_int_equal(x->role, ROLE_TEMPORARY_MASTER);
    assert_int_equal(x->epoch, 4);
    assert_int_equal(x->health, HEALTH_DEGRADED);
    assert_int_equal(x->last_check.s, 11);
    assert_string_equal(x->error, "bad");
    assert_string_equal(x->cure, "do");
    assert_int_equal(x->token_expires.s, 99);
    for (size_t i = 0; i < LAYER_COUNT; i++) {
        assert_int_equal(x->layers[i].status, SYNC_OK + i);
        assert_int_equal(x->layers[i].last_sync.s, i + 5);
        assert_int_equal(x->layers[i].count, 3);
        assert_int_equal(x->layers[i].wanted, 4);
        assert_string_equal(x->layers[i].commit, "0123");
        assert_string_equal(x->layers[i].error, "why");
    }
    assert_null(got.slaves[1].error);
    assert_int_equal(got.slaves[1].layers[0].status, SYNC_NEVER);
    store_close(s);
}

static void a_partial_pass_keeps_the_others(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct status got;
    struct slave_status three[] = {{.id = "c"}, {.id = "a"}, {.id = "b"}};
    struct slave_status some[] = {{.id = "new"}, {.id = "a", .error = "now"}};
    struct status all = {.slaves = three, .n = 3, .at = {1}},
                  part = {.slaves = some, .n = 2, .at = {2}};
    struct store *s = fixture_open(f);

    assert_ok(store_status_put(s, &all, true, &e));
    assert_ok(store_status_put(s, &part, false, &e));
    assert_ok(store_status_get(s, f->arena, &got, &e));
    static const char *const ORDER[] = {"c", "a", "b", "new"};
    assert_int_equal(got.n, ARRAY_LEN(ORDER));
    for (size_t i = 0; i < ARRAY_LEN(ORDER); i++)
        assert_string_equal(got.slaves[i].id, ORDER[i]);
    assert_string_equal(got.slaves[1].error, "now");
    assert_int_equal(got.at.s, 2);
    assert_ok(store_status_put(s, &part, true, &e));
    assert_ok(store_status_get(s, f->arena, &got, &e));
    assert_int_equal(got.n, 2);
    part.n = 0;
    assert_ok(store_status_put(s, &part, true, &e));
    assert_ok(store_status_get(s, f->arena, &got, &e));
    assert_int_equal(got.n, 0);
    store_close(s);
}

/* Printed, not judged: a machine under load fails no test. The goal is 50 ms without sanitizers. */
static void a_thousand_slaves(void **state)
{
    enum { N = 1000 };
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct status got, st = {.master = "m/r", .n = N, .at = {1}};
    struct store *s = fixture_open(f);

    st.slaves = arena_alloc(f->arena, N * sizeof(*st.slaves));
    for (int i = 0; i < N; i++) {
        st.slaves[i] = (struct slave_status){.id = arena_printf(f->arena, "slave-%d", i),
                                             .type = "github",
                                             .repo = "backup/repository"};
        for (size_t l = 0; l < LAYER_COUNT; l++)
            st.slaves[i].layers[l] = (struct layer_status){SYNC_OK, {1}, 17, 17, NULL, NULL};
    }
    int64_t best[2] = {INT64_MAX, INT64_MAX};
    for (int round = 0; round < 6; round++) {
        struct mono from = clock_mono(&clock_system);
        assert_ok(store_status_put(s, &st, round % 2 == 0, &e));
        int64_t ms = clock_mono(&clock_system).ms - from.ms;
        best[round % 2] = ms < best[round % 2] ? ms : best[round % 2];
    }
    print_message("status of %d slaves: whole %" PRId64 " ms, in place %" PRId64 " ms\n", N,
                  best[0], best[1]);
    assert_ok(store_status_get(s, f->arena, &got, &e));
    assert_int_equal(got.n, N);
    store_close(s);
}

static void events_come_newest_first(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct store_event *events = NULL;
    size_t n = 9;
    struct store *s = fixture_open(f);
    struct store_event first = {.at = {5}, .slave = "eu", .what = "applied", .text = "one"};
    struct store_event second = {.what = "failed", .text = NULL};

    assert_ok(store_events(s, f->arena, 10, &events, &n, &e));
    assert_int_equal(n, 0);
    assert_ok(store_event_add(s, &first, &e));
    assert_ok(store_event_add(s, &second, &e));
    assert_ok(store_events(s, f->arena, 10, &events, &n, &e));
    assert_int_equal(n, 2);
    assert_string_equal(events[0].what, "failed");
    assert_null(events[0].slave);
    assert_null(events[0].text);
    assert_true(events[0].at.s > 1700000000);
    assert_string_equal(events[1].text, "one");
    assert_string_equal(events[1].slave, "eu");
    assert_int_equal(events[1].at.s, 5);
    assert_ok(store_events(s, f->arena, 1, &events, &n, &e));
    assert_int_equal(n, 1);
    assert_string_equal(events[0].what, "failed");
    store_close(s);
}

static off_t size_of(struct fixture *f, const char *name)
{
    struct stat st;
    return stat(fixture_path(f, name), &st) == 0 ? st.st_size : 0;
}

static void idle_passes_cost_no_room(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    const struct store_slave row = {42, "backup/repo", "0123456789012345678901234567890123456789",
                                    3};
    struct store *s = fixture_open(f);
    fill(s);
    store_close(s);
    off_t before = size_of(f, "state.db");

    s = fixture_open(f);
    for (int pass = 0; pass < 400; pass++) {
        fill_status(s, 1790000000 + pass);
        assert_ok(store_slave_put(s, "eu", &row, &e));
        assert_true(size_of(f, "state.db-wal") < 8 << 20);
    }
    store_close(s);
    assert_int_equal(size_of(f, "state.db"), before);
}

/* ---- Threads -----------------------------------------------------------------------------------
 */

struct worker {
    struct store *store;
    int number;
    bool failed;
};

static void *work(void *ctx)
{
    struct worker *w = ctx;
    struct err e = ERR_INIT;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const char *slave = arena_printf(a, "slave-%d", w->number);

    for (int i = 0; i < 20 && !w->failed; i++) {
        struct action act = {
            .act = ACT_CREATE, .kind = KIND_VARIABLE, .name = arena_printf(a, "V%d", i)};
        struct resource r = fixture_resource(KIND_VARIABLE, act.name, slave);
        const struct journal_outcome o = {.put = &r};
        struct view v;
        int64_t id = 0;
        view_init(&v, a);
        w->failed = store_journal_begin(w->store, slave, &act, 1, &id, &e) != ERR_OK ||
                    store_journal_end(w->store, slave, id, &act, &o, 1, &e) != ERR_OK ||
                    store_ledger(w->store, slave, &v, &e) != ERR_OK || v.n != (size_t)i + 1;
    }
    return NULL;
}

static void threads_share_a_store(void **state)
{
    enum { N = 4 };
    struct fixture *f = *state;
    struct worker workers[N];
    pthread_t threads[N];
    struct store *s = fixture_open(f);

    for (int i = 0; i < N; i++) {
        workers[i] = (struct worker){s, i, false};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(workers[i].failed);
    }
    store_close(s);
}

#define test(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(keeps_the_last_pass),      test(a_partial_pass_keeps_the_others),
        test(a_thousand_slaves),        test(events_come_newest_first),
        test(idle_passes_cost_no_room), test(threads_share_a_store),
    };
    return cmocka_run_group_tests_name("store status", tests, NULL, NULL);
}
