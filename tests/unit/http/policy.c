/* http_do over a scripted wire and a fake clock: what it sends, repeats, refuses, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scripted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Sending ----------------------------------------------------------------------------------
 */

static void test_plain(void **state UNUSED)
{
    BENCH(b, {.status = 200,
              .headers = "Content-Type: application/json; charset=utf-8\r\n"
                         "Link: </next?page=2>; rel=\"next\"\r\nX-OAuth-Scopes: repo, workflow\r\n"
                         "X-RateLimit-Limit: 5000\r\nX-RateLimit-Remaining: 4999\r\n"
                         "X-RateLimit-Reset: 1790003600\r\nX-GitHub-SSO: partial\r\n"
                         "X-Accepted-GitHub-Permissions: metadata=read\r\n"
                         "Date: Mon, 21 Sep 2026 14:13:20 GMT\r\n"
                         "GitHub-Authentication-Token-Expiration: 2026-12-14 02:28:22 UTC\r\n",
              .body = "{}"});
    static const char *const HEADERS[] = {"Accept: application/json", NULL};
    b.rq.headers = HEADERS;
    assert_int_equal(run(&b), ERR_OK);
    assert_string_equal(b.wire.method[0], "GET");
    assert_string_equal(b.wire.url[0], URL);
    assert_true(wire_has(&b, 0, "User-Agent: mirrorctl/test"));
    assert_true(wire_has(&b, 0, "Accept: application/json"));
    assert_true(wire_has(&b, 0, "Authorization: Bearer " CANARY));
    assert_int_equal(b.rp.status, 200);
    assert_string_equal(b.rp.content_type, "application/json");
    assert_string_equal(b.rp.link_next, "https://h.example/next?page=2");
    assert_string_equal(b.rp.permissions, "metadata=read");
    assert_string_equal(b.rp.sso, "partial");
    assert_string_equal(b.rp.final_url, URL);
    assert_false(b.rp.moved);
    assert_false(b.rp.not_modified);
    assert_int_equal(b.rp.date.s, FAKE_WALL);
    assert_string_equal(b.rp.body.data, "{}");
    assert_string_equal(http_lane_scopes(b.rq.lane), "repo, workflow");
    assert_int_equal(http_lane_token_expires(b.rq.lane).s, 1797215302);
    struct http_budget budget = http_lane_budget(b.rq.lane);
    assert_int_equal(budget.limit, 5000);
    assert_int_equal(budget.remaining, 4999);
    assert_int_equal(budget.reset.s, 1790003600);
}

static void test_basic(void **state UNUSED)
{
    BENCH(b, {.status = 200});
    secret_free(b.token);
    b.token = secret_new("ghs_1", 5);
    b.rq.lane = http_lane(b.http, b.token, URL);
    b.rq.auth = HTTP_AUTH_BASIC;
    assert_int_equal(run(&b), ERR_OK);
    assert_true(wire_has(&b, 0, "Authorization: Basic eC1hY2Nlc3MtdG9rZW46Z2hzXzE="));
    b.rq.auth = HTTP_AUTH_NONE;
    assert_int_equal(run(&b), ERR_OK);
    assert_null(strstr(b.wire.headers[1], "Authorization"));
}

/* A token of any length and its padding, against what libsodium's neighbour would say. */
static void test_basic_padding(void **state UNUSED)
{
    static const struct {
        const char *token, *header;
    } T[] = {
        {"a", "Authorization: Basic eC1hY2Nlc3MtdG9rZW46YQ=="},
        {"ab", "Authorization: Basic eC1hY2Nlc3MtdG9rZW46YWI="},
        {"abc", "Authorization: Basic eC1hY2Nlc3MtdG9rZW46YWJj"},
        {"abcd", "Authorization: Basic eC1hY2Nlc3MtdG9rZW46YWJjZA=="},
    };
    for (size_t i = 0; i < ARRAY_LEN(T); i++) {
        BENCH(b, {.status = 200});
        CLEANUP(secret_freep) struct secret *token = secret_new(T[i].token, strlen(T[i].token));
        b.rq.lane = http_lane(b.http, token, URL);
        b.rq.auth = HTTP_AUTH_BASIC;
        assert_int_equal(run(&b), ERR_OK);
        assert_true(wire_has(&b, 0, T[i].header));
    }
}

static void test_bad_tokens(void **state UNUSED)
{
    static const char *const BAD[] = {"", "a b", "a\nb", "a\r\nX: y", "a\tb", "\x7f", "\xc3\xa4"};

    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        BENCH(b, {.status = 200});
        CLEANUP(secret_freep) struct secret *token = secret_new(BAD[i], strlen(BAD[i]));
        b.rq.lane = http_lane(b.http, token, URL);
        assert_int_equal(run(&b), ERR_AUTH);
        assert_int_equal(b.wire.calls, 0);
    }
}

static void test_refused_before_sending(void **state UNUSED)
{
    BENCH(b, {.status = 200});
    b.rq.url = "http://h.example/x";
    assert_int_equal(run(&b), ERR_USAGE);
    b.rq.url = "https://user:" CANARY "@h.example/x";
    assert_int_equal(run(&b), ERR_USAGE);
    b.rq.url = "https://evil.example/x"; /* not the lane's server */
    assert_int_equal(run(&b), ERR_REFUSED);
    b.rq.url = "https://h.example:444/x";
    assert_int_equal(run(&b), ERR_REFUSED);
    static const char *const SMUGGLED[] = {"X: a\r\nY: b", NULL};
    b.rq.url = URL;
    b.rq.headers = SMUGGLED;
    assert_int_equal(run(&b), ERR_USAGE);
    b.rq.headers = NULL;
    b.rq.lane = NULL;
    assert_int_equal(run(&b), ERR_USAGE);
    assert_int_equal(b.wire.calls, 0);
}

static void test_dry_run(void **state UNUSED)
{
    static const char *const WRITES[] = {"PUT", "POST", "PATCH", "DELETE", "get"};
    static const struct fake_reply OK = {.status = 200};
    CLEANUP(tear_down) struct bench b;

    set_up(&b, &OK, 1);
    b.cfg.dry_run = true;
    open_http(&b);
    for (size_t i = 0; i < ARRAY_LEN(WRITES); i++) {
        b.rq.method = WRITES[i];
        assert_int_equal(run(&b), ERR_REFUSED);
    }
    assert_int_equal(b.wire.calls, 0);
    b.rq.method = "GET";
    assert_int_equal(run(&b), ERR_OK);
    b.rq.method = "HEAD";
    assert_int_equal(run(&b), ERR_OK);
    b.rq.method = "POST";
    b.rq.read_only = true;
    assert_int_equal(run(&b), ERR_OK);
    assert_int_equal(http_get_stats(b.http).writes, 0);
}

static void test_body_from_descriptor(void **state UNUSED)
{
    BENCH(b, {.status = 307, .headers = "Location: /two\r\n"}, {.status = 200});
    FILE *f = tmpfile();
    assert_non_null(f);
    assert_int_equal(fputs("PACK", f) >= 0, 1);
    assert_int_equal(fflush(f), 0);
    b.rq.method = "POST";
    b.rq.body = "0042";
    b.rq.body_len = 4;
    b.rq.body_fd = fileno(f);
    b.rq.body_fd_len = 4;
    assert_int_equal(run(&b), ERR_OK);
    assert_string_equal(b.wire.body[0], "0042PACK");
    assert_string_equal(b.wire.body[1], "0042PACK"); /* the same again for the redirect */
    b.rq.body_fd_len = 5;
    assert_int_equal(run(&b), ERR_IO);
    (void)fclose(f);
}

/* ---- Statuses ---------------------------------------------------------------------------------
 */

static void test_401_closes(void **state UNUSED)
{
    BENCH(b, {.status = 401, .body = "{\"message\":\"Bad credentials\"}"}, {.status = 200});
    assert_int_equal(run(&b), ERR_AUTH);
    assert_non_null(strstr(b.e.text, "GET " URL ": 401"));
    for (int i = 0; i < 5; i++)
        assert_int_equal(run(&b), ERR_AUTH);
    b.rq.method = "PUT";
    assert_int_equal(run(&b), ERR_AUTH);
    assert_int_equal(b.wire.calls, 1); /* GitHub locks out who tries again (github.md 0) */
    CLEANUP(secret_freep) struct secret *other = secret_new("x", 1);
    b.rq.lane = http_lane(b.http, other, URL);
    assert_int_equal(run(&b), ERR_OK);
}

static void test_401_expired(void **state UNUSED)
{
    BENCH(b, {.status = 401,
              .headers = "github-authentication-token-expiration: 2026-09-01 00:00:00 UTC\r\n"});
    assert_int_equal(run(&b), ERR_AUTH);
    assert_non_null(strstr(b.e.text, "expired at 2026-09-01T00:00:00Z"));
}

static void test_401_without_a_token(void **state UNUSED)
{
    BENCH(b, {.status = 401}, {.status = 200});
    b.rq.lane = http_lane(b.http, NULL, URL);
    assert_int_equal(run(&b), ERR_AUTH);
    assert_int_equal(run(&b), ERR_OK); /* no credential, nothing to close */
}

static void test_other_statuses_are_answers(void **state UNUSED)
{
    static const int STATUSES[] = {204, 303, 400, 403, 404, 409, 410, 415, 422, 451};
    for (size_t i = 0; i < ARRAY_LEN(STATUSES); i++) {
        const struct fake_reply reply = {.status = STATUSES[i], .body = "text"};
        CLEANUP(tear_down) struct bench b;
        set_up(&b, &reply, 1);
        open_http(&b);
        b.rq.method = "PUT";
        assert_int_equal(run(&b), ERR_OK);
        assert_int_equal(b.rp.status, STATUSES[i]);
        assert_int_equal(b.wire.calls, 1);
    }
}

static void test_5xx_of_a_read(void **state UNUSED)
{
    BENCH(b, {.status = 502, .body = "<html>Unicorn"}, {.status = 503}, {.status = 200});
    assert_int_equal(run(&b), ERR_OK);
    assert_int_equal(b.wire.calls, 3);
    assert_int_equal(http_get_stats(b.http).retries, 2);
    assert_in_range(b.wire.at[1] - b.wire.at[0], 500, 750);
    assert_in_range(b.wire.at[2] - b.wire.at[1], 1000, 1500);
}

static void test_5xx_for_ever(void **state UNUSED)
{
    BENCH(b, {.status = 500});
    assert_int_equal(run(&b), ERR_UNAVAILABLE);
    assert_int_equal(b.wire.calls, 3);
    assert_non_null(strstr(b.e.text, ": 500: "));
}

static void test_5xx_of_a_write(void **state UNUSED)
{
    BENCH(b, {.status = 502}, {.status = 204});
    b.rq.method = "PUT";
    assert_int_equal(run(&b), ERR_UNAVAILABLE);
    assert_int_equal(b.wire.calls, 1);
}

static void test_lost_connections(void **state UNUSED)
{
    BENCH(b, {.fail = ERR_UNAVAILABLE}, {.fail = ERR_UNAVAILABLE}, {.status = 200});
    assert_int_equal(run(&b), ERR_OK);
    assert_int_equal(b.wire.calls, 3);
    b.wire.calls = 0;
    b.rq.method = "POST";
    assert_int_equal(run(&b), ERR_UNAVAILABLE);
    assert_int_equal(b.wire.calls, 1);
}

static void test_backoff_within_the_deadline(void **state UNUSED)
{
    BENCH(b, {.status = 503});
    b.rq.deadline.v = 700;
    assert_int_equal(run(&b), ERR_UNAVAILABLE);
    assert_in_range(atomic_load(&b.clock.ms), 1000, 1700);
    static const struct fake_reply LATER[] = {{.status = 503, .headers = "Retry-After: 120\r\n"}};
    b.wire.script = LATER;
    b.wire.n = 1;
    b.wire.calls = 0;
    b.rq.deadline.v = 60000;
    assert_int_equal(run(&b), ERR_UNAVAILABLE);
    assert_int_equal(b.wire.calls, 1);
}

/* ---- Rate limits ------------------------------------------------------------------------------
 */

static void test_waits_for_a_limit(void **state UNUSED)
{
    BENCH(b, {.status = 429, .headers = "Retry-After: 10\r\n"}, {.status = 204});
    b.rq.method = "PUT";
    assert_int_equal(run(&b), ERR_OK);
    assert_int_equal(b.wire.calls, 2);
    assert_int_equal(b.wire.at[1] - b.wire.at[0], 10000);
    assert_int_equal(http_get_stats(b.http).waited.v, 10000);
}

static void test_limit_longer_than_the_deadline(void **state UNUSED)
{
    BENCH(
        b,
        {.status = 403, .headers = "x-ratelimit-remaining: 0\r\nx-ratelimit-reset: 1790000999\r\n"},
        {.status = 200});
    assert_int_equal(run(&b), ERR_RATE);
    assert_non_null(strstr(b.e.text, "2026-09-21T14:30:00Z"));
    assert_int_equal(atomic_load(&b.clock.slept), 0);
    assert_int_equal(run(&b), ERR_RATE); /* the whole lane pauses: nothing is sent */
    assert_int_equal(b.wire.calls, 1);
    atomic_fetch_add(&b.clock.ms, 1000000);
    assert_int_equal(run(&b), ERR_OK);
}

static void test_last_of_the_budget(void **state UNUSED)
{
    BENCH(b,
          {.status = 200,
           .headers = "x-ratelimit-limit: 60\r\nx-ratelimit-remaining: 0\r\n"
                      "x-ratelimit-reset: 1790000030\r\n"},
          {.status = 200});
    assert_int_equal(run(&b), ERR_OK);
    assert_int_equal(atomic_load(&b.clock.slept), 0);
    assert_int_equal(run(&b), ERR_OK);
    assert_int_equal(b.wire.at[1] - b.wire.at[0], 30000); /* one second has gone, one is added */
}

static void test_secondary_grows(void **state UNUSED)
{
    BENCH(b,
          {.status = 403, .body = "{\"message\":\"You have exceeded a secondary rate limit.\"}"});
    b.rq.deadline.v = 3600000;
    assert_int_equal(run(&b), ERR_RATE);
    assert_int_equal(b.wire.calls, 5);
    assert_int_equal(b.wire.at[1] - b.wire.at[0], 60000);
    assert_int_equal(b.wire.at[2] - b.wire.at[1], 120000);
    assert_int_equal(b.wire.at[3] - b.wire.at[2], 240000);
}

static void test_pass_deadline(void **state UNUSED)
{
    static const struct fake_reply SLOW = {.status = 429, .headers = "Retry-After: 10\r\n"};
    CLEANUP(tear_down) struct bench b;
    set_up(&b, &SLOW, 1);
    b.cfg.pass_deadline.ms = 1000 + 15000;
    open_http(&b);
    assert_int_equal(run(&b), ERR_RATE);
    assert_int_equal(b.wire.calls, 2);
    atomic_store(&b.clock.ms, 16000);
    b.rq.lane = http_lane(b.http, NULL, URL);
    assert_int_equal(run(&b), ERR_TIMEOUT);
    assert_int_equal(b.wire.calls, 2);
}

static void test_interrupted(void **state UNUSED)
{
    BENCH(b, {.status = 200});
    b.interrupted = 1;
    assert_int_equal(run(&b), ERR_INTERRUPTED);
    assert_int_equal(b.wire.calls, 0);
}

static void test_config(void **state UNUSED)
{
    struct err e = ERR_INIT;
    struct http *h = NULL;
    struct http_config no_agent = {.transport = fake_transport};
    assert_int_equal(http_new(&no_agent, &h, &e), ERR_USAGE);
    struct http_config bad_agent = {.user_agent = "a\r\nb", .transport = fake_transport};
    assert_int_equal(http_new(&bad_agent, &h, &e), ERR_USAGE);
    struct http_config no_key = {
        .user_agent = "a", .etag_dir = "/nowhere", .transport = fake_transport};
    assert_int_equal(http_new(&no_key, &h, &e), ERR_USAGE);
    struct http_config no_ca = {.user_agent = "a", .ca_file = "/nowhere/ca.pem"};
    assert_int_equal(http_new(&no_ca, &h, &e), ERR_NOT_FOUND);
    assert_null(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_basic),
        cmocka_unit_test(test_basic_padding),
        cmocka_unit_test(test_bad_tokens),
        cmocka_unit_test(test_refused_before_sending),
        cmocka_unit_test(test_dry_run),
        cmocka_unit_test(test_body_from_descriptor),
        cmocka_unit_test(test_401_closes),
        cmocka_unit_test(test_401_expired),
        cmocka_unit_test(test_401_without_a_token),
        cmocka_unit_test(test_other_statuses_are_answers),
        cmocka_unit_test(test_5xx_of_a_read),
        cmocka_unit_test(test_5xx_for_ever),
        cmocka_unit_test(test_5xx_of_a_write),
        cmocka_unit_test(test_lost_connections),
        cmocka_unit_test(test_backoff_within_the_deadline),
        cmocka_unit_test(test_waits_for_a_limit),
        cmocka_unit_test(test_limit_longer_than_the_deadline),
        cmocka_unit_test(test_last_of_the_budget),
        cmocka_unit_test(test_secondary_grows),
        cmocka_unit_test(test_pass_deadline),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
