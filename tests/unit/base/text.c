#include "mirrorctl/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include <string.h>

static void buf_grows_up_to_its_maximum(void **state UNUSED)
{
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf b = BUF_INIT(1000);

    assert_string_equal(buf_str(&b), "");
    for (int i = 0; i < 100; i++)
        assert_int_equal(buf_add(&b, "0123456789", 10, &e), ERR_OK);
    assert_int_equal(b.len, 1000);
    assert_int_equal(b.data[1000], '\0');

    assert_int_equal(buf_addstr(&b, "x", &e), ERR_LIMIT);
    assert_int_equal(buf_addf(&b, &e, "%d", 1), ERR_LIMIT);
    assert_int_equal(b.len, 1000);
    assert_int_equal(strlen(buf_str(&b)), 1000);
    assert_int_equal(buf_add(&b, NULL, 0, &e), ERR_OK);
}

static void buf_formats_clears_and_starts_again(void **state UNUSED)
{
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf b = BUF_INIT(LIMIT_ENV_FILE_BYTES);

    assert_int_equal(buf_addf(&b, &e, "%s=%d", "a", 1), ERR_OK);
    assert_int_equal(buf_addf(&b, &e, ";%0*d", 600, 2), ERR_OK);
    assert_int_equal(b.len, 4 + 600);
    buf_clear(&b);
    assert_string_equal(buf_str(&b), "");
    assert_int_equal(buf_addstr(&b, "new", &e), ERR_OK);
    assert_string_equal(buf_str(&b), "new");
    buf_release(&b);
    assert_string_equal(buf_str(&b), "");
    assert_int_equal(buf_addstr(&b, "again", &e), ERR_OK);
    assert_string_equal(buf_str(&b), "again");
}

static void buf_takes_nul_bytes(void **state UNUSED)
{
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf b = BUF_INIT(16);
    assert_int_equal(buf_add(&b, "a\0b", 3, &e), ERR_OK);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, "a\0b", 4);
}

static void comparisons(void **state UNUSED)
{
    assert_true(str_eq("a", "a"));
    assert_false(str_eq("a", "A"));
    assert_true(str_eq(NULL, NULL));
    assert_false(str_eq("", NULL));
    assert_true(str_starts_with("refs/heads/x", "refs/heads/"));
    assert_true(str_starts_with("a", ""));
    assert_false(str_starts_with("re", "refs"));
    assert_true(str_ends_with("a.git", ".git"));
    assert_true(str_ends_with("a", ""));
    assert_false(str_ends_with("git", ".git"));
    assert_true(str_eq_nocase("ETag", "etAG"));
    assert_false(str_eq_nocase("etag", "etags"));
    assert_false(str_eq_nocase("[", "{"));
    assert_false(str_eq_nocase("\xc3\x84", "\xc3\xa4"));
    assert_true(str_eq_nocase(NULL, NULL));
    assert_false(str_eq_nocase(NULL, ""));
}

static void globs(void **state UNUSED)
{
    assert_true(str_glob("refs/heads/*", "refs/heads/a/b"));
    assert_true(str_glob("*", ""));
    assert_true(str_glob("rel-?.[0-9]", "rel-1.2"));
    assert_true(str_glob("*", ".hidden"));
    assert_false(str_glob("refs/heads/main", "refs/heads/main2"));
}

static void numbers(void **state UNUSED)
{
    static const char *const BAD[] = {"",     "-",   "+1",  " 1", "1 ",  "1x",
                                      "0x10", "--1", "1.0", "11", "-11", "99999999999999999999"};
    struct err e = ERR_INIT;
    int64_t n = 42;

    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        assert_int_equal(str_to_i64(BAD[i], -10, 10, &n, &e), ERR_INVALID);
        assert_int_equal(n, 42);
    }
    assert_int_equal(str_to_i64("-10", -10, 10, &n, &e), ERR_OK);
    assert_int_equal(n, -10);
    assert_int_equal(str_to_i64("010", -10, 10, &n, &e), ERR_OK);
    assert_int_equal(n, 10);
    assert_int_equal(str_to_i64("9223372036854775807", 0, INT64_MAX, &n, &e), ERR_OK);
    assert_true(n == INT64_MAX);
    assert_int_equal(str_to_i64("9223372036854775808", 0, INT64_MAX, &n, &e), ERR_INVALID);
    assert_int_equal(str_to_i64("-9223372036854775808", INT64_MIN, 0, &n, &e), ERR_OK);
    assert_true(n == INT64_MIN);
}

static void suggestions(void **state UNUSED)
{
    static const char *const WORDS[] = {"slaves", "secrets", "variables", "mode", "git", NULL};
    static const char *const NONE[] = {NULL};
    char endless[200];

    assert_string_equal(str_suggest("slvaes", WORDS), "slaves");
    assert_string_equal(str_suggest("secret", WORDS), "secrets");
    assert_string_equal(str_suggest("varibles", WORDS), "variables");
    assert_string_equal(str_suggest("mode", WORDS), "mode");
    assert_string_equal(str_suggest("gti", WORDS), "git"); /* a swap is one edit */
    assert_null(str_suggest("x", WORDS));   /* half the length of a letter is nothing */
    assert_null(str_suggest("gxx", WORDS)); /* 2 edits of 3 letters: another word */
    assert_null(str_suggest("", WORDS));
    assert_null(str_suggest("notifications", WORDS));
    assert_null(str_suggest("mode", NONE));
    memset(endless, 'm', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    assert_null(str_suggest(endless, WORDS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buf_grows_up_to_its_maximum),
        cmocka_unit_test(buf_formats_clears_and_starts_again),
        cmocka_unit_test(buf_takes_nul_bytes),
        cmocka_unit_test(comparisons),
        cmocka_unit_test(globs),
        cmocka_unit_test(numbers),
        cmocka_unit_test(suggestions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
