/*
 * A server that does its worst, against the promise of the fault table: no crash, no hang beyond
 * the deadline, nothing written twice, the right error, and the token nowhere but on the wire.
 */
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

/* ---- What the server does ---------------------------------------------------------------------
 */

static bool silent(struct peer_call *c)
{
    peer_sleep(c, 60000);
    return false;
}

static bool drip_headers(struct peer_call *c)
{
    static const char TEXT[] = "HTTP/1.1 200 OK\r\nX-A: ";
    for (size_t i = 0;; i++) {
        if (!peer_send(c, i < sizeof(TEXT) - 1 ? &TEXT[i] : "a", 1))
            return false;
        peer_sleep(c, 10);
    }
}

static bool drip_body(struct peer_call *c)
{
    if (!peer_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"))
        return false;
    while (peer_say(c, "a"))
        peer_sleep(c, 10);
    return false;
}

static bool half_then_silent(struct peer_call *c)
{
    (void)peer_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    peer_sleep(c, 60000);
    return false;
}

static bool reset_at_once(struct peer_call *c)
{
    peer_reset(c);
    return false;
}

static bool closes(struct peer_call *c UNUSED)
{
    return false;
}

static bool truncated(struct peer_call *c)
{
    (void)peer_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    return false;
}

static bool truncated_chunks(struct peer_call *c)
{
    (void)peer_say(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    return false;
}

static bool huge(struct peer_call *c)
{
    char block[16384];
    memset(block, 'x', sizeof(block));
    (void)peer_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n");
    while (peer_send(c, block, sizeof(block)))
        ;
    return false;
}

static bool header_flood(struct peer_call *c)
{
    (void)peer_say(c, "HTTP/1.1 200 OK\r\n");
    while (peer_say(c, "X-Flood: 0123456789012345678901234567890123456789\r\n"))
        ;
    return false;
}

static bool interim_flood(struct peer_call *c)
{
    while (peer_say(c, "HTTP/1.1 103 Early Hints\r\nX-A: 0123456789012345678901234567890\r\n\r\n"))
        ;
    return false;
}

static bool one_endless_header(struct peer_call *c)
{
    (void)peer_say(c, "HTTP/1.1 200 OK\r\nX-Flood: ");
    while (peer_say(c, "0123456789012345678901234567890123456789012345678901234567890123456789"))
        ;
    return false;
}

static bool not_http(struct peer_call *c)
{
    (void)peer_say(c, "SSH-2.0-OpenSSH_9.2\r\nwhat is this\r\n");
    return false;
}

static bool bad_gzip(struct peer_call *c)
{
    return peer_reply(c, "200 OK", "Content-Encoding: gzip\r\n", "this is no gzip at all");
}

static bool negative_length(struct peer_call *c)
{
    (void)peer_say(c, "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello");
    return false;
}

static bool html_502(struct peer_call *c)
{
    return peer_reply(c, "502 Bad Gateway", "Content-Type: text/html\r\n", "<html>Unicorn</html>");
}

/* ---- The table --------------------------------------------------------------------------------
 */

static const struct fault {
    const char *what;
    bool (*answer)(struct peer_call *);
    enum err_code code;
    int reads, writes; /* requests that reach the server for one GET, for one PUT */
} FAULTS[] = {
    {"silent", silent, ERR_TIMEOUT, 1, 1},
    {"drip of headers", drip_headers, ERR_TIMEOUT, 1, 1},
    {"drip of a body", drip_body, ERR_TIMEOUT, 1, 1},
    {"half, then silent", half_then_silent, ERR_TIMEOUT, 1, 1},
    {"reset", reset_at_once, ERR_UNAVAILABLE, 3, 1},
    {"closed", closes, ERR_UNAVAILABLE, 3, 1},
    {"truncated", truncated, ERR_UNAVAILABLE, 3, 1},
    {"truncated chunks", truncated_chunks, ERR_UNAVAILABLE, 3, 1},
    {"502 with HTML", html_502, ERR_UNAVAILABLE, 3, 1},
    {"100 MB", huge, ERR_LIMIT, 1, 1},
    {"flood of headers", header_flood, ERR_LIMIT, 1, 1},
    {"flood of interims", interim_flood, ERR_LIMIT, 1, 1},
    {"one endless header", one_endless_header, ERR_LIMIT, 1, 1},
    {"not HTTP", not_http, ERR_INVALID, 1, 1},
    {"no gzip", bad_gzip, ERR_INVALID, 1, 1},
    {"negative length", negative_length, ERR_INVALID, 1, 1},
};

struct bench {
    struct peer peer;
    struct http *http;
    struct secret *token;
    struct http_request rq;
    struct http_reply rp;
    struct err e;
    volatile int interrupted;
};

static void set_up(struct bench *b, bool (*answer)(struct peer_call *), void *ctx)
{
    memset(b, 0, sizeof(*b));
    struct http_config cfg = {
        .user_agent = "t", .interrupted = &b->interrupted, .connect_timeout = {300}};
    assert_int_equal(secrets_init(&b->e), ERR_OK);
    b->token = secret_new(CANARY, strlen(CANARY));
    peer_start(&b->peer, answer, ctx);
    assert_int_equal(http_new(&cfg, &b->http, &b->e), ERR_OK);
    b->rq = (struct http_request){.method = "GET",
                                  .url = b->peer.url,
                                  .lane = http_lane(b->http, b->token, b->peer.url),
                                  .auth = HTTP_AUTH_BEARER,
                                  .body = "{}",
                                  .deadline = {4000}};
}

static void tear_down(struct bench *b)
{
    http_reply_release(&b->rp);
    http_free(b->http);
    peer_stop(&b->peer);
    secret_free(b->token);
}

static int64_t now(void)
{
    return clock_mono(&clock_system).ms;
}

static void run_fault(const struct fault *f, const char *method, int expected)
{
    CLEANUP(tear_down) struct bench b;
    set_up(&b, f->answer, NULL);
    b.rq.method = method;
    b.rq.body_len = str_eq(method, "GET") ? 0 : 2;
    if (f->code == ERR_TIMEOUT)
        b.rq.deadline.v = 300;
    int64_t start = now();
    enum err_code r = http_do(b.http, &b.rq, &b.rp, &b.e);
    int64_t took = now() - start;
    if (r != f->code || atomic_load(&b.peer.requests) != expected || took > b.rq.deadline.v + 250)
        fail_msg("%s, %s: %s (%s), %d requests, %lld ms", f->what, method, err_code_name(r),
                 b.e.text, atomic_load(&b.peer.requests), (long long)took);
    assert_null(strstr(b.e.text, CANARY));
    assert_int_equal(b.rp.status, 0);
    assert_null(b.rp.body.data);
}

static void test_faults_of_reads(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(FAULTS); i++)
        run_fault(&FAULTS[i], "GET", FAULTS[i].reads);
}

static void test_faults_of_writes(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(FAULTS); i++)
        run_fault(&FAULTS[i], "PUT", FAULTS[i].writes);
}

/* ---- Single ones ------------------------------------------------------------------------------
 */

/* 64 MB of zeros in gzip, made of one deflate block that is sent again and again. */
static bool gzip_bomb(struct peer_call *c)
{
    const struct buf *bomb = c->peer->ctx;
    char head[128];
    (void)snprintf(head, sizeof(head),
                   "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
                   bomb->len);
    return peer_say(c, head) && peer_send(c, bomb->data, bomb->len);
}

static void test_gzip_bomb(void **state UNUSED)
{
    CLEANUP(child_result_release) struct child_result bomb = child_result_init(1 << 20);
    CLEANUP(tear_down) struct bench b; /* ends before the bomb, which its server sends */
    struct child_spec spec = CHILD_SPEC_INIT;
    const char *const argv[] = {"sh", "-c", "head -c 67108864 /dev/zero | gzip -9", NULL};
    struct err e = ERR_INIT;
    spec.argv = argv;
    spec.deadline.v = 30000;
    assert_int_equal(child_run(&spec, &bomb, &e), ERR_OK);
    assert_in_range(bomb.out.len, 1000, 100000);
    set_up(&b, gzip_bomb, &bomb.out);
    assert_int_equal(http_do(b.http, &b.rq, &b.rp, &b.e), ERR_LIMIT);
}

/* Silence is noticed long before the deadline. */
static void test_idle(void **state UNUSED)
{
    static bool (*const SILENT[])(struct peer_call *) = {silent, half_then_silent};
    for (size_t i = 0; i < ARRAY_LEN(SILENT); i++) {
        CLEANUP(tear_down) struct bench b;
        set_up(&b, SILENT[i], NULL);
        b.rq.idle.v = 200;
        int64_t start = now();
        assert_int_equal(http_do(b.http, &b.rq, &b.rp, &b.e), ERR_TIMEOUT);
        assert_non_null(strstr(b.e.text, "silent for 0.2 s"));
        assert_in_range(now() - start, 190, 600);
    }
}

/* A drip is no silence: it ends with the deadline, not before. */
static void test_drip_is_not_idle(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    set_up(&b, drip_body, NULL);
    b.rq.idle.v = 150;
    b.rq.deadline.v = 600;
    int64_t start = now();
    assert_int_equal(http_do(b.http, &b.rq, &b.rp, &b.e), ERR_TIMEOUT);
    assert_in_range(now() - start, 590, 850);
}

static void test_nobody_there(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    set_up(&b, closes, NULL);
    struct peer gone;
    peer_start(&gone, closes, NULL);
    peer_stop(&gone);
    b.rq.url = gone.url;
    b.rq.lane = http_lane(b.http, b.token, gone.url);
    static const char *const METHODS[] = {"GET", "POST"}; /* no byte was sent: a write may repeat */
    for (size_t i = 0; i < ARRAY_LEN(METHODS); i++) {
        b.rq.method = METHODS[i];
        assert_int_equal(http_do(b.http, &b.rq, &b.rp, &b.e), ERR_UNAVAILABLE);
        assert_int_equal(http_get_stats(b.http).retries, 2 * (i + 1));
    }
}

static bool once_then_close(struct peer_call *c)
{
    return c->on_line == 0 ? peer_reply(c, "200 OK", "", "ok") : false;
}

/*
 * The server takes a second request on a kept connection and dies without a word. curl by itself
 * would send it again; a write may have been done, so it must not be.
 */
static void test_write_on_a_dying_connection(void **state UNUSED)
{
    static const char *const METHODS[] = {"PUT", "POST", "PATCH", "DELETE"};
    for (size_t i = 0; i < ARRAY_LEN(METHODS); i++) {
        CLEANUP(tear_down) struct bench b;
        set_up(&b, once_then_close, NULL);
        assert_int_equal(http_do(b.http, &b.rq, &b.rp, &b.e), ERR_OK);
        b.rq.method = METHODS[i];
        b.rq.body_len = i < 3 ? 2 : 0;
        assert_int_equal(http_do(b.http, &b.rq, &b.rp, &b.e), ERR_UNAVAILABLE);
        assert_int_equal(atomic_load(&b.peer.requests), 2);
    }
}

static void test_read_on_a_dying_connection(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    set_up(&b, once_then_close, NULL);
    for (int i = 0; i < 5; i++)
        assert_int_equal(http_do(b.http, &b.rq, &b.rp, &b.e), ERR_OK);
}

static enum err_code swallow(void *ctx, const void *bytes UNUSED, size_t n, struct err *e UNUSED)
{
    size_t *sum = ctx;
    *sum += n;
    return ERR_OK;
}

/* What a sink has seen cannot be taken back: no second attempt. */
static void test_sink_and_truncation(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    size_t sum = 0;
    set_up(&b, truncated, NULL);
    b.rq.sink = swallow;
    b.rq.sink_ctx = &sum;
    assert_int_equal(http_do(b.http, &b.rq, &b.rp, &b.e), ERR_UNAVAILABLE);
    assert_int_equal(sum, 4);
    assert_int_equal(atomic_load(&b.peer.requests), 1);
}

static void *stop_soon(void *ctx)
{
    volatile int *interrupted = ctx;
    clock_sleep(&clock_system, (struct ms){150});
    __atomic_store_n(interrupted, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void test_interrupted(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    pthread_t thread;
    set_up(&b, silent, NULL);
    int64_t start = now();
    int *flag;
    volatile int *shared = &b.interrupted;
    memcpy(&flag, &shared, sizeof(flag));
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, flag), 0);
    assert_int_equal(http_do(b.http, &b.rq, &b.rp, &b.e), ERR_INTERRUPTED);
    assert_in_range(now() - start, 140, 300);
    (void)pthread_join(thread, NULL);
}

/* A listening port whose queue is full never answers: the connect timeout holds, the engine goes
 * on. */
static bool crosses_over(struct peer_call *c)
{
    return peer_reply(c, "307 Temporary Redirect", "Location: http://127.0.0.2:1/\r\n", "");
}

static void test_cross_host(void **state UNUSED)
{
    CLEANUP(tear_down) struct bench b;
    set_up(&b, crosses_over, NULL);
    assert_int_equal(http_do(b.http, &b.rq, &b.rp, &b.e), ERR_REFUSED);
    assert_int_equal(atomic_load(&b.peer.requests), 1);
}

/* The proxy of the environment is not for this machine: a token in plain text would reach it. */
static void test_no_proxy_for_loopback(void **state UNUSED)
{
    struct peer proxy;
    peer_start(&proxy, closes, NULL);
    assert_int_equal(setenv("http_proxy", proxy.url, 1), 0);
    CLEANUP(tear_down) struct bench b;
    set_up(&b, once_then_close, NULL);
    assert_int_equal(http_do(b.http, &b.rq, &b.rp, &b.e), ERR_OK);
    assert_int_equal(atomic_load(&proxy.bytes), 0);
    assert_int_equal(unsetenv("http_proxy"), 0);
    peer_stop(&proxy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_of_reads),
        cmocka_unit_test(test_faults_of_writes),
        cmocka_unit_test(test_gzip_bomb),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_drip_is_not_idle),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_write_on_a_dying_connection),
        cmocka_unit_test(test_read_on_a_dying_connection),
        cmocka_unit_test(test_sink_and_truncation),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_cross_host),
        cmocka_unit_test(test_no_proxy_for_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
