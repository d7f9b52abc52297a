/* http_do over a scripted wire: redirects, next pages and sinks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scripted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Redirects --------------------------------------------------------------------------------
 */

static void test_follows(void **state UNUSED)
{
    BENCH(b, {.status = 301, .headers = "Location: https://h.example/repositories/515436299\r\n"},
          {.status = 200, .body = "{}"});
    assert_int_equal(run(&b), ERR_OK);
    assert_true(b.rp.moved);
    assert_string_equal(b.rp.final_url, "https://h.example/repositories/515436299");
    assert_true(wire_has(&b, 1, "Authorization: Bearer " CANARY));
}

static void test_follows_writes(void **state UNUSED)
{
    BENCH(b, {.status = 307, .headers = "location: /repositories/1/x\r\n"},
          {.status = 308, .headers = "location: /repositories/2/x\r\n"}, {.status = 204});
    b.rq.method = "PATCH";
    b.rq.body = "{}";
    b.rq.body_len = 2;
    assert_int_equal(run(&b), ERR_OK);
    assert_string_equal(b.wire.method[2], "PATCH");
    assert_string_equal(b.wire.body[2], "{}");
    assert_string_equal(b.wire.url[2], "https://h.example/repositories/2/x");
}

static void test_redirects_not_followed(void **state UNUSED)
{
    static const char *const ELSEWHERE[] = {
        "https://evil.example/x",   "https://h.example:444/x", "http://h.example/x",
        "//evil.example/x",         "http://localhost/x",      "https://u:p@h.example/x",
        "https://h.example.evil/x", "file:///etc/passwd",      "https://h.example @evil/x",
    };
    for (size_t i = 0; i < ARRAY_LEN(ELSEWHERE); i++) {
        char header[256];
        (void)snprintf(header, sizeof(header), "Location: %s\r\n", ELSEWHERE[i]);
        const struct fake_reply reply[] = {{.status = 307, .headers = header}, {.status = 200}};
        CLEANUP(tear_down) struct bench b;
        set_up(&b, reply, 2);
        open_http(&b);
        assert_int_equal(run(&b), ERR_REFUSED);
        assert_int_equal(b.wire.calls, 1);
    }
}

static void test_redirect_loop(void **state UNUSED)
{
    BENCH(b, {.status = 302, .headers = "Location: " URL "\r\n"});
    assert_int_equal(run(&b), ERR_REFUSED);
    assert_int_equal(b.wire.calls, 4);
    b.rq.method = "POST"; /* 301 of a write is the caller's business */
    static const struct fake_reply MOVED = {.status = 301, .headers = "Location: /x\r\n"};
    b.wire.script = &MOVED;
    b.wire.calls = 0;
    assert_int_equal(run(&b), ERR_OK);
    assert_int_equal(b.rp.status, 301);
}

static void test_next_page_elsewhere(void **state UNUSED)
{
    BENCH(b, {.status = 200, .headers = "Link: <https://evil.example/?page=2>; rel=\"next\"\r\n"});
    assert_int_equal(run(&b), ERR_OK);
    assert_null(b.rp.link_next);
}

/* ---- Sinks ------------------------------------------------------------------------------------
 */

struct drain {
    size_t n;
    enum err_code end;
};

static enum err_code drain(void *ctx, const void *bytes UNUSED, size_t n, struct err *e)
{
    struct drain *d = ctx;
    d->n += n;
    return d->end == ERR_OK ? ERR_OK : err_set(e, d->end, "enough");
}

static void test_sink(void **state UNUSED)
{
    BENCH(b, {.status = 200, .body = "0123456789"}, {.status = 404, .body = "not for the sink"});
    struct drain d = {0};
    b.rq.sink = drain;
    b.rq.sink_ctx = &d;
    b.rq.max_body = 5; /* bounds what is kept, not what flows through */
    assert_int_equal(run(&b), ERR_OK);
    assert_int_equal(d.n, 10);
    assert_int_equal(b.rp.body.len, 0);
    b.rq.max_body = 0;
    assert_int_equal(run(&b), ERR_OK);
    assert_int_equal(d.n, 10);
    assert_string_equal(b.rp.body.data, "not for the sink");
    d.end = ERR_INVALID;
    b.wire.calls = 0;
    assert_int_equal(run(&b), ERR_INVALID);
    assert_int_equal(b.wire.calls, 1);
}

static void test_body_limit(void **state UNUSED)
{
    BENCH(b, {.status = 200, .body = "0123456789"});
    b.rq.max_body = 9;
    assert_int_equal(run(&b), ERR_LIMIT);
    assert_int_equal(b.wire.calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_follows),
        cmocka_unit_test(test_follows_writes),
        cmocka_unit_test(test_redirects_not_followed),
        cmocka_unit_test(test_redirect_loop),
        cmocka_unit_test(test_next_page_elsewhere),
        cmocka_unit_test(test_sink),
        cmocka_unit_test(test_body_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
