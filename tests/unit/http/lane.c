/* Lanes under several threads and a real clock, and the gap between writes under a fake one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake.h"

#include <pthread.h>
#include <string.h>

enum { THREADS = 16, ROUNDS = 5 };

/* A transport that measures how many are inside at once. */
struct gauge {
    atomic_int reads, writes, most_reads, most_writes, calls;
};

static void up(atomic_int *n, atomic_int *most)
{
    int now = atomic_fetch_add(n, 1) + 1, seen = atomic_load(most);
    while (now > seen && !atomic_compare_exchange_weak(most, &seen, now))
        ;
}

static enum err_code gauge_transport(void *ctx, struct http_exchange *x, struct err *e UNUSED)
{
    struct gauge *g = ctx;
    bool read = str_eq(x->method, "GET");

    up(read ? &g->reads : &g->writes, read ? &g->most_reads : &g->most_writes);
    atomic_fetch_add(&g->calls, 1);
    clock_sleep(&clock_system, (struct ms){5});
    atomic_fetch_sub(read ? &g->reads : &g->writes, 1);
    x->reply_status = 200;
    return ERR_OK;
}

struct job {
    struct http *http;
    struct http_lane *lane;
    const char *method;
    enum err_code result;
};

static void *work(void *ctx)
{
    struct job *job = ctx;
    struct err e = ERR_INIT;

    for (int i = 0; i < ROUNDS && job->result == ERR_OK; i++) {
        struct http_request rq = {
            .method = job->method, .url = "https://h.example/x", .lane = job->lane};
        CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
        job->result = http_do(job->http, &rq, &rp, &e);
    }
    return NULL;
}

static void test_parallel(void **state UNUSED)
{
    struct gauge g = {0};
    struct http_config cfg = {
        .user_agent = "t", .reads = 3, .transport = gauge_transport, .transport_ctx = &g};
    struct job jobs[THREADS];
    pthread_t threads[THREADS];
    struct err e = ERR_INIT;
    CLEANUP(http_freep) struct http *h = NULL;

    assert_int_equal(http_new(&cfg, &h, &e), ERR_OK);
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (struct job){h, http_lane(h, NULL, "https://H.example:443/api"),
                               i % 4 == 0 ? "PUT" : "GET", ERR_OK};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
        assert_int_equal(jobs[i].result, ERR_OK);
        assert_ptr_equal(jobs[i].lane, jobs[0].lane);
    }
    assert_int_equal(atomic_load(&g.calls), THREADS * ROUNDS);
    assert_int_equal(atomic_load(&g.most_writes), 1);
    assert_in_range(atomic_load(&g.most_reads), 2, 3);
    assert_int_equal(http_get_stats(h).requests, THREADS * ROUNDS);
    assert_int_equal(http_get_stats(h).writes, THREADS / 4 * ROUNDS);
}

/* A lane is (credential, origin); equal tokens are one credential. */
static void test_identity(void **state UNUSED)
{
    struct gauge g = {0};
    struct http_config cfg = {.user_agent = "t", .transport = gauge_transport, .transport_ctx = &g};
    struct err e = ERR_INIT;
    CLEANUP(http_freep) struct http *h = NULL;

    assert_int_equal(http_new(&cfg, &h, &e), ERR_OK);
    CLEANUP(secret_freep) struct secret *a = secret_new("a", 1);
    CLEANUP(secret_freep) struct secret *also_a = secret_new("a", 1);
    CLEANUP(secret_freep) struct secret *b = secret_new("b", 1);
    struct http_lane *lane = http_lane(h, a, "https://api.github.com");
    assert_ptr_equal(lane, http_lane(h, also_a, "https://API.github.com:443/x"));
    assert_ptr_not_equal(lane, http_lane(h, b, "https://api.github.com"));
    assert_ptr_not_equal(lane, http_lane(h, NULL, "https://api.github.com"));
    assert_ptr_not_equal(lane, http_lane(h, a, "https://github.com"));
    assert_int_equal(http_lane_budget(lane).remaining, -1);
    assert_int_equal(http_lane_token_expires(lane).s, 0);
    assert_null(http_lane_scopes(lane));
}

/* Writes are a second apart on GitHub, and not elsewhere unless it is set. */
static void test_gap(void **state UNUSED)
{
    static const struct {
        const char *url;
        int64_t gap;
        long long expected;
    } T[] = {
        {"https://api.github.com/x", -1, 1000}, {"https://api.x.ghe.com/x", -1, 1000},
        {"https://ghes.example/x", -1, 0},      {"https://notgithub.com/x", -1, 0},
        {"https://ghes.example/x", 300, 300},   {"https://api.github.com/x", 0, 0},
    };
    static const struct fake_reply OK = {.status = 204};

    for (size_t i = 0; i < ARRAY_LEN(T); i++) {
        struct fake_clock clock;
        fake_clock_init(&clock);
        struct fake_wire wire = {.script = &OK, .n = 1, .clock = &clock};
        struct http_config cfg = {.user_agent = "t",
                                  .write_gap = {T[i].gap},
                                  .clock = &clock.clock,
                                  .transport = fake_transport,
                                  .transport_ctx = &wire};
        struct err e = ERR_INIT;
        CLEANUP(http_freep) struct http *h = NULL;
        assert_int_equal(http_new(&cfg, &h, &e), ERR_OK);
        static const char *const METHODS[] = {"PUT", "GET", "DELETE", "POST"};
        for (size_t m = 0; m < ARRAY_LEN(METHODS); m++) {
            CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
            struct http_request rq = {
                .method = METHODS[m], .url = T[i].url, .lane = http_lane(h, NULL, T[i].url)};
            assert_int_equal(http_do(h, &rq, &rp, &e), ERR_OK);
        }
        assert_int_equal(wire.at[1] - wire.at[0], 0); /* reads do not wait */
        assert_int_equal(wire.at[2] - wire.at[0], T[i].expected);
        assert_int_equal(wire.at[3] - wire.at[2], T[i].expected);
        assert_int_equal(http_get_stats(h).waited.v, 2 * T[i].expected);
    }
}

/* A write whose turn comes after its deadline ends now, and is never sent. */
static void test_gap_and_deadline(void **state UNUSED)
{
    static const struct fake_reply OK = {.status = 204};
    struct fake_clock clock;
    fake_clock_init(&clock);
    struct fake_wire wire = {.script = &OK, .n = 1, .clock = &clock};
    struct http_config cfg = {.user_agent = "t",
                              .write_gap = {60000},
                              .clock = &clock.clock,
                              .transport = fake_transport,
                              .transport_ctx = &wire};
    struct err e = ERR_INIT;
    CLEANUP(http_freep) struct http *h = NULL;
    CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
    const char *url = "https://h.example/x";

    assert_int_equal(http_new(&cfg, &h, &e), ERR_OK);
    struct http_request rq = {
        .method = "PUT", .url = url, .lane = http_lane(h, NULL, url), .deadline = {30000}};
    assert_int_equal(http_do(h, &rq, &rp, &e), ERR_OK);
    assert_int_equal(http_do(h, &rq, &rp, &e), ERR_TIMEOUT);
    assert_int_equal(wire.calls, 1);
    assert_int_equal(atomic_load(&clock.slept), 0);
}

static struct http *held_http;
static atomic_int held, release_held;

static enum err_code holding_transport(void *ctx UNUSED, struct http_exchange *x,
                                       struct err *e UNUSED)
{
    atomic_store(&held, 1);
    while (atomic_load(&release_held) == 0)
        clock_sleep(&clock_system, (struct ms){1});
    x->reply_status = 204;
    return ERR_OK;
}

static void *hold(void *ctx)
{
    struct http_request *rq = ctx;
    struct err e = ERR_INIT;
    CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
    (void)http_do(held_http, rq, &rp, &e);
    return NULL;
}

/* Waiting for a place ends with the deadline, and at once when the user stops the program. */
static void test_waiting_for_a_place(void **state UNUSED)
{
    static volatile int interrupted;
    struct http_config cfg = {
        .user_agent = "t", .transport = holding_transport, .interrupted = &interrupted};
    struct err e = ERR_INIT;
    CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
    const char *url = "https://h.example/x";
    pthread_t thread;

    atomic_store(&held, 0);
    atomic_store(&release_held, 0);
    assert_int_equal(http_new(&cfg, &held_http, &e), ERR_OK);
    struct http_request rq = {
        .method = "PUT", .url = url, .lane = http_lane(held_http, NULL, url), .deadline = {200}};
    assert_int_equal(pthread_create(&thread, NULL, hold, &rq), 0);
    while (atomic_load(&held) == 0)
        clock_sleep(&clock_system, (struct ms){1});

    struct mono start = clock_mono(&clock_system);
    assert_int_equal(http_do(held_http, &rq, &rp, &e), ERR_TIMEOUT);
    assert_in_range(clock_mono(&clock_system).ms - start.ms, 190, 400);

    struct http_request longer = rq;
    longer.deadline.v = 60000;
    __atomic_store_n(&interrupted, 1, __ATOMIC_RELAXED);
    assert_int_equal(http_do(held_http, &longer, &rp, &e), ERR_INTERRUPTED);
    atomic_store(&release_held, 1);
    (void)pthread_join(thread, NULL);
    http_free(held_http);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parallel),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_gap_and_deadline),
        cmocka_unit_test(test_waiting_for_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
