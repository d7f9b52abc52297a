#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench.h"

#include <string.h>

static void test_names(void **state UNUSED)
{
    static const char *const GOOD[] = {"A",  "_",      "a1",          "API_KEY",
                                       "_9", "GITHUB", "MY_GITHUB_X", "githubx"};
    static const char *const BAD[] = {"",         "1A",       "A-B",      "A B",          "A.B",
                                      "\xc3\xa4", "GITHUB_X", "github_x", "GitHub_Token", "A\n",
                                      "A/B"};
    struct err e = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(GOOD); i++)
        assert_int_equal(github_check_name(GOOD[i], &e), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        assert_int_equal(github_check_name(BAD[i], &e), ERR_INVALID);
        assert_non_null(strstr(e.text, "name"));
    }
}

static void test_upper(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    assert_string_equal(github_upper(a, "mynewvariable_1"), "MYNEWVARIABLE_1");
    assert_string_equal(github_upper(a, ""), "");
}

static void test_api(void **state UNUSED)
{
    static const struct {
        const char *url, *api;
    } T[] = {
        {"https://github.com", "https://api.github.com"},
        {"https://github.com/", "https://api.github.com"},
        {"HTTPS://GitHub.com", "https://api.github.com"},
        {"https://api.github.com", "https://api.github.com"},
        {"https://octo.ghe.com", "https://api.octo.ghe.com"},
        {"https://api.octo.ghe.com/", "https://api.octo.ghe.com"},
        {"https://ghes.example", "https://ghes.example/api/v3"},
        {"https://ghes.example:8443/", "https://ghes.example:8443/api/v3"},
        {"https://notgithub.com", "https://notgithub.com/api/v3"},
        {"https://github.com.evil", "https://github.com.evil/api/v3"},
        {"http://localhost:8080", "http://localhost:8080/api/v3"},
        {"https://ghes.example/git/", "https://ghes.example/git/api/v3"},
        {"https://", "https:/api/v3"},
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(T); i++)
        assert_string_equal(github_api_from_url(a, T[i].url), T[i].api);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_upper),
        cmocka_unit_test(test_api),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
