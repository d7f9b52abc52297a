
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "internal.h"

#include <stdlib.h>
#include <string.h>

static void test_good_urls(void **state UNUSED)
{
    static const char *const GOOD[] = {
        "https://api.github.com",
        "https://HOST.example/api/v3/",
        "https://[2001:db8::1]:8443/x",
        "http://localhost:8080/x",
        "http://127.0.0.1/",
        "http://127.9.8.7:1/",
        "http://[::1]:80/",
        "HTTPS://api.github.com/a?b=c%2Fd",
    };
    for (size_t i = 0; i < ARRAY_LEN(GOOD); i++) {
        struct err e = ERR_INIT;
        if (http_check_url(GOOD[i], &e) != ERR_OK)
            fail_msg("%s: %s", GOOD[i], e.text);
    }
}

static void test_bad_urls(void **state UNUSED)
{
    static const char *const BAD[] = {
        "",
        "api.github.com",
        "http://api.github.com/",
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/",
        "http://10.0.0.1/",
        "http://[::2]/",
        "ftp://localhost/",
        "file:///etc/passwd",
        "https://",
        "https:///x",
        "https://a b/",
        "https://host/\r\nX: y",
        "https://user@host/",
        "https://user:hunter2@host/",
        "https://user:hunt er2@host/",
        "http://127.0.0.1:99999/",
    };
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct err e = ERR_INIT;
        if (http_check_url(BAD[i], &e) != ERR_USAGE)
            fail_msg("accepted: %s", BAD[i]);
        assert_null(strstr(e.text, "hunt"));
    }
}

static void test_origin(void **state UNUSED)
{
    static const struct {
        const char *url, *origin;
    } T[] = {
        {"https://API.GitHub.com/x", "https://api.github.com:443"},
        {"https://api.github.com:443/", "https://api.github.com:443"},
        {"https://api.github.com:8443/y", "https://api.github.com:8443"},
        {"http://127.0.0.1/", "http://127.0.0.1:80"},
        {"http://[::1]:81/", "http://[::1]:81"},
    };
    for (size_t i = 0; i < ARRAY_LEN(T); i++) {
        struct err e = ERR_INIT;
        char *origin = NULL;
        assert_int_equal(url_origin(T[i].url, &origin, &e), ERR_OK);
        assert_string_equal(origin, T[i].origin);
        free(origin);
    }
    assert_true(url_origin_is_under("https://api.github.com:443", "github.com"));
    assert_true(url_origin_is_under("https://github.com:443", "github.com"));
    assert_false(url_origin_is_under("https://evilgithub.com:443", "github.com"));
    assert_false(url_origin_is_under("https://github.com.evil:443", "github.com"));
    assert_true(url_origin_is_loopback("http://[::1]:81"));
    assert_true(url_origin_is_loopback("https://127.0.0.1:443"));
    assert_false(url_origin_is_loopback("https://api.github.com:443"));
}

static void test_resolve(void **state UNUSED)
{
    static const struct {
        const char *base, *location, *url;
    } T[] = {
        {"https://h/a/b?c", "/repositories/1", "https://h/repositories/1"},
        {"https://h/a/b", "c?d=e", "https://h/a/c?d=e"},
        {"https://h/a", "https://x/y%2Fz", "https://x/y%2Fz"},
        {"https://h/a", "https://u:p@h/", NULL},
        {"https://h/a", "https://h /x", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(T); i++) {
        struct err e = ERR_INIT;
        char *url = NULL;
        enum err_code r = url_resolve(T[i].base, T[i].location, &url, &e);
        assert_int_equal(r, T[i].url == NULL ? ERR_REFUSED : ERR_OK);
        if (T[i].url != NULL)
            assert_string_equal(url, T[i].url);
        free(url);
    }
}

static void test_escape(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    assert_string_equal(http_escape(a, ""), "");
    assert_string_equal(http_escape(a, "aZ09-._~"), "aZ09-._~");
    assert_string_equal(http_escape(a, "a/b c%d?&#+\xc3\xa4"), "a%2Fb%20c%25d%3F%26%23%2B%C3%A4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_urls), cmocka_unit_test(test_bad_urls),
        cmocka_unit_test(test_origin),    cmocka_unit_test(test_resolve),
        cmocka_unit_test(test_escape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
