/* The engine over real sockets: what works. What goes wrong stands in faults.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake.h"
#include "peer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench {
    struct peer peer;
    struct http *http;
    struct secret *token;
    struct http_request rq;
    struct http_reply rp;
    struct err e;
};

static void set_up(struct bench *b, bool (*answer)(struct peer_call *), void *ctx)
{
    struct http_config cfg = {.user_agent = "mirrorctl/test", .reads = 1000};

    memset(b, 0, sizeof(*b));
    assert_int_equal(secrets_init(&b->e), ERR_OK);
    b->token = secret_new(CANARY, strlen(CANARY));
    peer_start(&b->peer, answer, ctx);
    assert_int_equal(http_new(&cfg, &b->http, &b->e), ERR_OK);
    b->rq = (struct http_request){.method = "GET",
                                  .url = b->peer.url,
                                  .lane = http_lane(b->http, b->token, b->peer.url),
                                  .auth = HTTP_AUTH_BEARER,
                                  .deadline = {5000}};
}

static void tear_down(struct bench *b)
{
    http_reply_release(&b->rp);
    http_free(b->http);
    peer_stop(&b->peer);
    secret_free(b->token);
}

static enum err_code run(struct bench *b)
{
    enum err_code r = http_do(b->http, &b->rq, &b->rp, &b->e);
    if (r != ERR_OK)
        print_message("          %s\n", b->e.text);
    return r;
}

/* Answers with the request itself. */
static bool echo(struct peer_call *c)
{
    char *both = calloc(1, strlen(c->head) + c->body_len + 1);
    memcpy(both, c->head, strlen(c->head));
    memcpy(both + strlen(c->head), c->body, c->body_len);
    bool on = peer_reply(c, "200 OK", "Content-Type: text/plain\r\n", both);
    free(both);
    return on;
}

static void test_request_on_the_wire(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    static const char *const HEADERS[] = {"Accept: application/vnd.github+json", NULL};
    set_up(&b, echo, NULL);
    b.rq.headers = HEADERS;
    assert_int_equal(run(&b), ERR_OK);
    const char *text = b.rp.body.data;
    assert_true(str_starts_with(text, "GET / HTTP/1.1\r\n"));
    assert_non_null(strstr(text, "\r\nUser-Agent: mirrorctl/test\r\n"));
    assert_non_null(strstr(text, "\r\nAuthorization: Bearer " CANARY "\r\n"));
    assert_non_null(strstr(text, "\r\nAccept: application/vnd.github+json\r\n"));
    assert_non_null(strstr(text, "\r\nAccept-Encoding: gzip\r\n"));
    assert_null(strstr(text, "Expect"));
    assert_null(strstr(text, "Content-"));
    assert_string_equal(b.rp.content_type, "text/plain");
}

static void test_methods(void **state UNUSED)
{
    static const struct {
        const char *method, *body, *expected;
    } T[] = {
        {"PUT", "{\"a\":1}", "Content-Length: 7\r\n"}, {"POST", "x", "Content-Length: 1\r\n"},
        {"PATCH", "yy", "Content-Length: 2\r\n"},      {"PUT", "", "Content-Length: 0\r\n"},
        {"POST", "", "Content-Length: 0\r\n"},         {"DELETE", "", "\r\n\r\n"},
    };
    CLEANUP(tear_down) struct bench b;
    set_up(&b, echo, NULL);
    for (size_t i = 0; i < ARRAY_LEN(T); i++) {
        b.rq.method = T[i].method;
        b.rq.body = T[i].body;
        b.rq.body_len = strlen(T[i].body);
        assert_int_equal(run(&b), ERR_OK);
        assert_true(str_starts_with(b.rp.body.data, T[i].method));
        assert_non_null(strstr(b.rp.body.data, T[i].expected));
        assert_null(strstr(b.rp.body.data, "Content-Type"));
        assert_true(str_ends_with(b.rp.body.data, T[i].body));
    }
    assert_int_equal(atomic_load(&b.peer.connections), 1);
    assert_int_equal(atomic_load(&b.peer.requests), ARRAY_LEN(T));
    struct http_stats stats = http_get_stats(b.http);
    assert_int_equal(stats.writes, ARRAY_LEN(T));
    assert_true(stats.bytes_in > 100 && stats.bytes_out > 100);
}

static void test_body_from_descriptor(void **state UNUSED)
{
    enum { N = 300000 };
    CLEANUP(tear_down) struct bench b;
    set_up(&b, echo, NULL);
    FILE *f = tmpfile();
    for (int i = 0; i < N; i++)
        assert_int_not_equal(fputc('a' + i % 26, f), EOF);
    assert_int_equal(fflush(f), 0);
    b.rq.method = "POST";
    b.rq.http1 = true;
    b.rq.body = "0042";
    b.rq.body_len = 4;
    b.rq.body_fd = fileno(f);
    b.rq.body_fd_len = N;
    for (int round = 0; round < 2; round++) {
        assert_int_equal(run(&b), ERR_OK);
        const char *body = strstr(b.rp.body.data, "\r\n\r\n") + 4;
        assert_int_equal(strlen(body), N + 4);
        assert_memory_equal(body, "0042abcdefghijklmnopqrstuvwxyzab", 32);
        assert_non_null(strstr(b.rp.body.data, "Content-Length: 300004\r\n"));
        assert_null(strstr(b.rp.body.data, "hunked"));
    }
    b.rq.body_fd_len = N + 1; /* shorter than announced */
    assert_int_equal(run(&b), ERR_IO);
    (void)fclose(f);
}

static bool chunked_sum(struct peer_call *c)
{
    static const char PIECE[] = "4000\r\n";
    char block[0x4000];
    memset(block, 'z', sizeof(block));
    if (!peer_say(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))
        return false;
    for (int i = 0; i < 1024; i++)
        if (!peer_say(c, PIECE) || !peer_send(c, block, sizeof(block)) || !peer_say(c, "\r\n"))
            return false;
    return peer_say(c, "0\r\n\r\n");
}

static enum err_code add_up(void *ctx, const void *bytes UNUSED, size_t n, struct err *e UNUSED)
{
    size_t *sum = ctx;
    *sum += n;
    return ERR_OK;
}

/* 16 MB flow through a sink, although only 8 may be kept. */
static void test_sink(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    size_t sum = 0;
    set_up(&b, chunked_sum, NULL);
    b.rq.sink = add_up;
    b.rq.sink_ctx = &sum;
    assert_int_equal(run(&b), ERR_OK);
    assert_int_equal(sum, 16 << 20);
    b.rq.sink = NULL;
    assert_int_equal(run(&b), ERR_LIMIT);
}

static bool after_hints(struct peer_call *c)
{
    return peer_say(c,
                    "HTTP/1.1 103 Early Hints\r\nETag: \"wrong\"\r\nLink: <x>; rel=next\r\n\r\n") &&
           peer_reply(c, "200 OK", "Date: Mon, 21 Sep 2026 14:13:20 GMT\r\n", "late");
}

static void test_interim_replies(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    set_up(&b, after_hints, NULL);
    assert_int_equal(run(&b), ERR_OK);
    assert_string_equal(b.rp.body.data, "late");
    assert_null(b.rp.link_next);
    assert_int_equal(b.rp.date.s, 1790000000);
}

/* "hello" in gzip. */
static bool gzipped(struct peer_call *c)
{
    static const unsigned char HELLO[] = {0x1f, 0x8b, 8,    0,    0,    0,    0,    0,    0,
                                          3,    0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x86,
                                          0xa6, 0x10, 0x36, 5,    0,    0,    0};
    char head[128];
    (void)snprintf(head, sizeof(head),
                   "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
                   sizeof(HELLO));
    return peer_say(c, head) && peer_send(c, HELLO, sizeof(HELLO));
}

static void test_gzip(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    set_up(&b, gzipped, NULL);
    assert_int_equal(run(&b), ERR_OK);
    assert_string_equal(b.rp.body.data, "hello");
}

static void test_head_method(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    set_up(&b, after_hints, NULL);
    b.rq.method = "HEAD";
    b.rq.http1 = true;
    assert_int_equal(run(&b), ERR_OK);
    assert_int_equal(b.rp.status, 200);
    assert_int_equal(b.rp.body.len, 0);
}

/* ---- Many at once -----------------------------------------------------------------------------
 */

static bool slowly(struct peer_call *c)
{
    peer_sleep(c, 50);
    return peer_reply(c, "200 OK", "", "ok");
}

enum { FULL = 100 };

/* Holds everybody until the house is full. */
static bool when_full(struct peer_call *c)
{
    for (int i = 0; i < 2000 && atomic_load(&c->peer->most_at_once) < FULL; i++)
        peer_sleep(c, 10);
    peer_settled(c); /* with the reply the client may send the next request */
    return peer_reply(c, "200 OK", "", "ok");
}

struct worker {
    struct bench *b;
    int rounds, good;
};

static void *work(void *ctx)
{
    struct worker *w = ctx;
    for (int i = 0; i < w->rounds; i++) {
        struct err e = ERR_INIT;
        CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
        if (http_do(w->b->http, &w->b->rq, &rp, &e) == ERR_OK && rp.status == 200)
            w->good++;
    }
    return NULL;
}

static int work_with(struct bench *b, int threads, int rounds)
{
    pthread_t ids[128];
    struct worker workers[128];
    int good = 0;

    for (int i = 0; i < threads; i++) {
        workers[i] = (struct worker){b, rounds, 0};
        assert_int_equal(pthread_create(&ids[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < threads; i++) {
        (void)pthread_join(ids[i], NULL);
        good += workers[i].good;
    }
    return good;
}

static void test_hundred_in_flight(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    set_up(&b, when_full, NULL);
    b.rq.deadline.v = 60000;
    b.rq.idle.v = 60000;
    assert_int_equal(work_with(&b, 120, 2), 240);
    assert_int_equal(atomic_load(&b.peer.most_at_once), FULL);
}

static void test_keep_alive(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    set_up(&b, echo, NULL);
    assert_int_equal(work_with(&b, 4, 100), 400);
    assert_in_range(atomic_load(&b.peer.connections), 1, 4);
}

static void *free_it(void *ctx)
{
    http_free(ctx);
    return NULL;
}

/* http_free waits for what is in the air. */
static void test_free_waits(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    pthread_t one, two;
    struct worker w;
    set_up(&b, slowly, NULL);
    w = (struct worker){&b, 1, 0};
    assert_int_equal(pthread_create(&one, NULL, work, &w), 0);
    while (atomic_load(&b.peer.requests) == 0)
        clock_sleep(&clock_system, (struct ms){1});
    assert_int_equal(pthread_create(&two, NULL, free_it, b.http), 0);
    (void)pthread_join(two, NULL);
    (void)pthread_join(one, NULL);
    assert_int_equal(w.good, 1);
    b.http = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_on_the_wire),  cmocka_unit_test(test_methods),
        cmocka_unit_test(test_body_from_descriptor), cmocka_unit_test(test_sink),
        cmocka_unit_test(test_interim_replies),      cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_head_method),          cmocka_unit_test(test_hundred_in_flight),
        cmocka_unit_test(test_keep_alive),           cmocka_unit_test(test_free_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
