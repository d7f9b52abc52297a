
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "internal.h"

#include <stdlib.h>
#include <string.h>

static void parse(struct buf *b, const char *text, struct head *out)
{
    struct err e = ERR_INIT;
    assert_int_equal(buf_addstr(b, text, &e), ERR_OK);
    head_parse(b, out);
}

static void test_all_fields(void **state UNUSED)
{
    CLEANUP(buf_release) struct buf b = BUF_INIT(4096);
    struct head h;

    parse(
        &b,
        "etag: W/\"0cf5dd\"\r\nLINK:   <https://h/x>; rel=\"next\"  \r\nlocation: /y\r\n"
        "Content-Type: Application/JSON; charset=utf-8\r\nretry-after:60\r\nx-oauth-scopes:\r\n"
        "X-Accepted-GitHub-Permissions: secrets=write\r\nx-github-sso: required; url=https://u\r\n"
        "gh-limited-by: search\r\nx-ratelimit-limit: 5000\r\nx-ratelimit-remaining: 0\r\n"
        "x-ratelimit-reset: 1790000100\r\nDate: Mon, 21 Sep 2026 14:13:20 GMT\r\n"
        "github-authentication-token-expiration: 2024-12-14 02:28:22 UTC\r\n",
        &h);
    assert_string_equal(h.etag, "W/\"0cf5dd\"");
    assert_string_equal(h.link, "<https://h/x>; rel=\"next\"");
    assert_string_equal(h.location, "/y");
    assert_string_equal(h.retry_after, "60");
    assert_string_equal(h.oauth_scopes, "");
    assert_string_equal(h.permissions, "secrets=write");
    assert_string_equal(h.sso, "required; url=https://u");
    assert_string_equal(h.limited_by, "search");
    assert_int_equal(h.limit, 5000);
    assert_int_equal(h.remaining, 0);
    assert_int_equal(h.reset, 1790000100);
    assert_int_equal(h.date.s, 1790000000);
    assert_string_equal(h.token_expires, "2024-12-14 02:28:22 UTC");
}

static void test_nonsense(void **state UNUSED)
{
    static const char *const T[] = {
        "",
        "\r\n",
        "no colon\r\n",
        ":\r\n",
        ": value\r\n",
        "etag\r\n: x\n\n\n",
        "Date: never\r\n",
        "x-ratelimit-remaining: -5\r\n",
        "x-ratelimit-remaining: 99999999999999999999\r\n",
        "x-ratelimit-reset: soon",
    };
    for (size_t i = 0; i < ARRAY_LEN(T); i++) {
        CLEANUP(buf_release) struct buf b = BUF_INIT(4096);
        struct head h;
        parse(&b, T[i], &h);
        assert_null(h.etag);
        assert_int_equal(h.remaining, -1);
        assert_int_equal(h.reset, -1);
        assert_int_equal(h.date.s, 0);
    }
    struct buf none = BUF_INIT(1);
    struct head h;
    head_parse(&none, &h);
    assert_null(h.link);
}

static void test_token_expires(void **state UNUSED)
{
    assert_int_equal(head_token_expires("2024-12-14 02:28:22 UTC").s, 1734143302);
    assert_int_equal(head_token_expires("2024-12-13 19:28:22 -0700").s, 1734143302);
    assert_int_equal(head_token_expires("2024-12-14 02:28:22 +0000").s, 1734143302);
    static const char *const BAD[] = {"",
                                      "never",
                                      "2024-12-14",
                                      "2024-12-14 02:28:22",
                                      "2024-12-14 02:28:22 ",
                                      "2024-13-14 02:28:22 UTC",
                                      "2024-12-14 02:28:22 UTC or later or what"};
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
        assert_int_equal(head_token_expires(BAD[i]).s, 0);
}

static void test_link(void **state UNUSED)
{
    static const struct {
        const char *link, *next;
    } T[] = {
        {"<https://h/r/1?page=2>; rel=\"next\", <https://h/r/1?page=9>; rel=\"last\"",
         "https://h/r/1?page=2"},
        {"<https://h/p1>; rel=\"prev\", <https://h/p3>; rel=\"next\"", "https://h/p3"},
        {"<https://h/p3>;rel=next", "https://h/p3"},
        {"<https://h/p3> ; title=\"a,b;c\" ; REL=\"last NEXT\"", "https://h/p3"},
        {"<https://h/a,b;c>; rel=\"next\"", "https://h/a,b;c"},
        {"<https://h/p1>; rel=\"nextish\"", NULL},
        {"<https://h/p1>; xrel=\"next\"", NULL},
        {"<https://h/p1>; title=\"rel=next\"", NULL},
        {"<https://h/p1", NULL},
        {"", NULL},
        {"<>; rel=", NULL},
        {"<x>; rel=\"next", "x"},
        {"<x>;;;;rel", NULL},
        {"; rel=next <y>", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(T); i++) {
        char *next = link_next(T[i].link);
        if (!str_eq(next, T[i].next))
            fail_msg("%s gave %s", T[i].link, next == NULL ? "(null)" : next);
        free(next);
    }
}

static void test_media_type(void **state UNUSED)
{
    char *type = head_media_type("Application/JSON; charset=utf-8");
    assert_string_equal(type, "application/json");
    free(type);
    assert_null(head_media_type(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_fields),    cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_token_expires), cmocka_unit_test(test_link),
        cmocka_unit_test(test_media_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
