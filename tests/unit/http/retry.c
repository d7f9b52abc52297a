
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "internal.h"

enum { NOW = 1790000000 }; /* Mon, 21 Sep 2026 14:13:20 GMT */

#define SECONDARY                                                                                  \
    "{\"message\":\"You have exceeded a secondary rate limit. Please wait a few minutes before "   \
    "you try again.\",\"documentation_url\":\"https://docs.github.com/free-pro-team@latest/rest/"  \
    "overview/rate-limits-for-the-rest-api#about-secondary-rate-limits\"}"

struct row {
    const char *what;
    int status;
    const char *retry_after, *limited_by, *text;
    int64_t remaining, reset, date;
    bool write;
    int attempts, rate_waits;
    enum retry_act act;
    enum err_code code;
    int64_t wait_s; /* of RETRY_LIMIT */
};

/* github.md 4.3 in its order, 5.5, and the variants of section 9. */
static const struct row ROWS[] = {
    {"ok", 200, NULL, NULL, "{}", 4000, -1, 0, false, 1, 0, RETRY_DONE, ERR_OK, 0},
    {"created", 201, NULL, NULL, "{}", 4000, -1, 0, true, 1, 0, RETRY_DONE, ERR_OK, 0},
    {"no content", 204, NULL, NULL, "", 4000, -1, 0, true, 1, 0, RETRY_DONE, ERR_OK, 0},
    {"ok, the last one", 200, NULL, NULL, "{}", 0, -1, 0, false, 1, 0, RETRY_DONE, ERR_OK, 0},
    {"not modified", 304, NULL, NULL, "", 4000, -1, 0, false, 1, 0, RETRY_DONE, ERR_OK, 0},
    {"moved", 301, NULL, NULL, "", 4000, -1, 0, false, 1, 0, RETRY_DONE, ERR_OK, 0},
    {"bad request", 400, NULL, NULL, "", 4000, -1, 0, false, 1, 0, RETRY_DONE, ERR_OK, 0},
    {"bad credentials", 401, NULL, NULL, "{\"message\":\"Bad credentials\"}", 59, -1, 0, false, 1,
     0, RETRY_FAIL, ERR_AUTH, 0},
    {"401 of a write", 401, NULL, NULL, "", -1, -1, 0, true, 1, 0, RETRY_FAIL, ERR_AUTH, 0},
    {"not found", 404, NULL, NULL, "", 4000, -1, 0, false, 1, 0, RETRY_DONE, ERR_OK, 0},
    {"conflict", 409, NULL, NULL, "", 4000, -1, 0, true, 1, 0, RETRY_DONE, ERR_OK, 0},
    {"gone", 410, NULL, NULL, "", 4000, -1, 0, false, 1, 0, RETRY_DONE, ERR_OK, 0},
    {"unprocessable", 422, NULL, NULL, "", 4000, -1, 0, true, 1, 0, RETRY_DONE, ERR_OK, 0},
    {"legal", 451, NULL, NULL, "", 4000, -1, 0, false, 1, 0, RETRY_DONE, ERR_OK, 0},

    {"1: seconds", 403, "60", NULL, SECONDARY, 4000, -1, 0, false, 1, 0, RETRY_LIMIT, ERR_RATE, 60},
    {"1: seconds, 429", 429, "7", NULL, "", 4000, -1, 0, false, 1, 0, RETRY_LIMIT, ERR_RATE, 7},
    {"1: before 2", 403, "7", NULL, "", 0, NOW + 999, 0, false, 1, 0, RETRY_LIMIT, ERR_RATE, 7},
    {"1: a write waits too", 403, "7", NULL, "", 4000, -1, 0, true, 1, 0, RETRY_LIMIT, ERR_RATE, 7},
    {"1: a date, our clock", 403, "Mon, 21 Sep 2026 14:14:20 GMT", NULL, "", 4000, -1, 0, false, 1,
     0, RETRY_LIMIT, ERR_RATE, 60},
    {"1: a date, their clock", 403, "Mon, 21 Sep 2026 14:14:20 GMT", NULL, "", 4000, -1, NOW + 50,
     false, 1, 0, RETRY_LIMIT, ERR_RATE, 10},
    {"1: a date gone by", 403, "Mon, 21 Sep 2020 14:14:20 GMT", NULL, "", 4000, -1, 0, false, 1, 0,
     RETRY_LIMIT, ERR_RATE, 1},
    {"1: a date far away", 403, "Mon, 21 Sep 2037 14:14:20 GMT", NULL, "", 4000, -1, 0, false, 1, 0,
     RETRY_LIMIT, ERR_RATE, 3600},
    {"1: nothing", 403, "0", NULL, "", 4000, -1, 0, false, 1, 0, RETRY_LIMIT, ERR_RATE, 1},
    {"1: absurd", 403, "31536000", NULL, "", 4000, -1, 0, false, 1, 0, RETRY_LIMIT, ERR_RATE, 3600},
    {"1: more absurd", 403, "99999999999999999999999", NULL, "", 4000, -1, 0, false, 1, 0,
     RETRY_LIMIT, ERR_RATE, 3600},
    {"1: negative", 403, "-5", NULL, "", 4000, -1, 0, false, 1, 0, RETRY_LIMIT, ERR_RATE, 60},
    {"1: empty", 403, "", NULL, "", 4000, -1, 0, false, 1, 0, RETRY_LIMIT, ERR_RATE, 60},
    {"1: words", 403, "later", NULL, "", 4000, -1, 0, false, 1, 0, RETRY_LIMIT, ERR_RATE, 60},

    {"2: primary", 403, NULL, NULL, "{\"message\":\"API rate limit exceeded for user ID 1.\"}", 0,
     NOW + 100, 0, false, 1, 0, RETRY_LIMIT, ERR_RATE, 101},
    {"2: primary, 429", 429, NULL, NULL, "", 0, NOW + 100, 0, false, 1, 0, RETRY_LIMIT, ERR_RATE,
     101},
    {"2: their clock", 403, NULL, NULL, "", 0, NOW + 100, NOW + 90, false, 1, 0, RETRY_LIMIT,
     ERR_RATE, 11},
    {"2: reset gone by", 403, NULL, NULL, "", 0, NOW - 100, 0, false, 1, 0, RETRY_LIMIT, ERR_RATE,
     1},
    {"2: reset absurd", 403, NULL, NULL, "", 0, NOW + 99999, 0, false, 1, 0, RETRY_LIMIT, ERR_RATE,
     3600},
    {"2: no reset", 403, NULL, NULL, "", 0, -1, 0, false, 1, 0, RETRY_LIMIT, ERR_RATE, 3600},
    {"2: before 3", 403, NULL, NULL, SECONDARY, 0, NOW + 5, 0, false, 1, 0, RETRY_LIMIT, ERR_RATE,
     6},

    {"3: by message", 403, NULL, NULL, SECONDARY, 4000, -1, 0, false, 1, 0, RETRY_LIMIT, ERR_RATE,
     60},
    {"3: by message, 429", 429, NULL, NULL, SECONDARY, 4000, -1, 0, false, 1, 0, RETRY_LIMIT,
     ERR_RATE, 60},
    {"3: no budget seen", 403, NULL, NULL, SECONDARY, -1, -1, 0, false, 1, 0, RETRY_LIMIT, ERR_RATE,
     60},
    {"3: by upper case", 403, NULL, NULL, "a SECONDARY Rate limit", 4000, -1, 0, false, 1, 0,
     RETRY_LIMIT, ERR_RATE, 60},
    {"3: abuse", 403, NULL, NULL, "You have triggered an abuse detection mechanism", 4000, -1, 0,
     false, 1, 0, RETRY_LIMIT, ERR_RATE, 60},
    {"3: by URL", 403, NULL, NULL, "{\"documentation_url\":\"https://x#abuse-rate-limits\"}", 4000,
     -1, 0, false, 1, 0, RETRY_LIMIT, ERR_RATE, 60},
    {"3: by header", 403, NULL, "gh", "", 4000, -1, 0, false, 1, 0, RETRY_LIMIT, ERR_RATE, 60},
    {"3: second time", 403, NULL, NULL, SECONDARY, 4000, -1, 0, false, 1, 1, RETRY_LIMIT, ERR_RATE,
     120},
    {"3: third time", 403, NULL, NULL, SECONDARY, 4000, -1, 0, false, 1, 2, RETRY_LIMIT, ERR_RATE,
     240},
    {"3: given up", 403, NULL, NULL, SECONDARY, 4000, -1, 0, false, 1, HTTP_RATE_WAITS, RETRY_FAIL,
     ERR_RATE, 960},
    {"3: git's 429", 429, NULL, NULL, "This request was rate-limited due to too many requests.", -1,
     -1, 0, false, 1, 0, RETRY_LIMIT, ERR_RATE, 60},
    {"1: given up", 403, "1", NULL, "", 4000, -1, 0, false, 1, HTTP_RATE_WAITS, RETRY_FAIL,
     ERR_RATE, 1},

    {"4: integration", 403, NULL, NULL, "Resource not accessible by integration", 4000, -1, 0,
     false, 1, 0, RETRY_DONE, ERR_OK, 0},
    {"4: fine-grained", 403, NULL, NULL, "Resource not accessible by personal access token", 4000,
     -1, 0, true, 1, 0, RETRY_DONE, ERR_OK, 0},
    {"4: admin", 403, NULL, NULL, "Must have admin rights to Repository.", 4000, -1, 0, true, 1, 0,
     RETRY_DONE, ERR_OK, 0},
    {"4: not active", 403, NULL, NULL, "Unable to disable a workflow that is not active.", 4857, -1,
     0, true, 1, 0, RETRY_DONE, ERR_OK, 0},
    {"4: archived", 403, NULL, NULL, "Repository was archived so is read-only.", 4000, -1, 0, true,
     1, 0, RETRY_DONE, ERR_OK, 0},
    {"4: blocked", 403, NULL, NULL, "Repository access blocked", 4000, -1, 0, false, 1, 0,
     RETRY_DONE, ERR_OK, 0},
    {"4: no headers at all", 403, NULL, NULL, "", -1, -1, 0, false, 1, 0, RETRY_DONE, ERR_OK, 0},

    {"502 of a read", 502, NULL, NULL, "<html>Unicorn", -1, -1, 0, false, 1, 0, RETRY_AGAIN,
     ERR_UNAVAILABLE, 0},
    {"again", 503, NULL, NULL, "", -1, -1, 0, false, 2, 0, RETRY_AGAIN, ERR_UNAVAILABLE, 0},
    {"and given up", 500, NULL, NULL, "", -1, -1, 0, false, 3, 0, RETRY_FAIL, ERR_UNAVAILABLE, 0},
    {"504 of a write", 504, NULL, NULL, "", -1, -1, 0, true, 1, 0, RETRY_FAIL, ERR_UNAVAILABLE, 0},
    {"408", 408, NULL, NULL, "", -1, -1, 0, false, 1, 0, RETRY_AGAIN, ERR_UNAVAILABLE, 0},
};

static struct retry_verdict decide(const struct row *r, int64_t jitter)
{
    struct head head = {.retry_after = r->retry_after,
                        .limited_by = r->limited_by,
                        .remaining = r->remaining,
                        .reset = r->reset,
                        .limit = -1,
                        .date = {.s = r->date}};
    struct retry_facts f = {.status = r->status,
                            .head = &head,
                            .text = r->text,
                            .now = {.s = NOW},
                            .write = r->write,
                            .authenticated = true,
                            .attempts = r->attempts,
                            .rate_waits = r->rate_waits,
                            .jitter = jitter};
    return retry_decide(&f);
}

static void test_table(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct retry_verdict v = decide(&ROWS[i], 0);
        if (v.act != ROWS[i].act || v.code != ROWS[i].code)
            fail_msg("%s: act %d, code %s", ROWS[i].what, v.act, err_code_name(v.code));
        if (v.code == ERR_RATE) {
            if (v.wait.v != ROWS[i].wait_s * 1000)
                fail_msg("%s: waits %lld ms", ROWS[i].what, (long long)v.wait.v);
            assert_non_null(v.what);
        }
    }
}

/* Every status gets a verdict, and no wait is endless, none or negative. */
static void test_total(void **state UNUSED)
{
    for (int status = 100; status < 1000; status++)
        for (int attempts = 1; attempts < 9; attempts++)
            for (int64_t remaining = -1; remaining < 2; remaining++) {
                struct row r = {.status = status,
                                .text = "",
                                .remaining = remaining,
                                .reset = NOW + 77,
                                .attempts = attempts,
                                .rate_waits = attempts - 1};
                struct retry_verdict v = decide(&r, 500);
                if (v.act == RETRY_LIMIT || v.act == RETRY_AGAIN)
                    assert_in_range(v.wait.v, 1, HTTP_WAIT_MAX_MS);
                if (v.act != RETRY_DONE)
                    assert_int_not_equal(v.code, ERR_OK);
            }
}

static void test_backoff(void **state UNUSED)
{
    assert_int_equal(retry_backoff(1, 0).v, 500);
    assert_int_equal(retry_backoff(1, 1000).v, 750);
    assert_int_equal(retry_backoff(2, 0).v, 1000);
    assert_int_equal(retry_backoff(2, 500).v, 1250);
    assert_in_range(retry_backoff(1000, 1000).v, 1, HTTP_WAIT_MAX_MS);
    struct row asked = {.status = 503,
                        .retry_after = "30",
                        .text = "",
                        .remaining = -1,
                        .reset = -1,
                        .attempts = 1};
    assert_int_equal(decide(&asked, 0).wait.v, 30000);
}

static void test_redirects(void **state UNUSED)
{
    struct head with = {.location = "/x"}, without = {.location = NULL};

    assert_true(redirect_wanted(301, "GET", &with));
    assert_false(redirect_wanted(301, "PATCH", &with));
    assert_true(redirect_wanted(307, "PATCH", &with));
    assert_true(redirect_wanted(302, "GET", &with));
    assert_true(redirect_wanted(308, "PUT", &with));
    assert_false(redirect_wanted(303, "GET", &with));
    assert_false(redirect_wanted(200, "GET", &with));
    assert_false(redirect_wanted(307, "GET", &without));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_total),
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_redirects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
