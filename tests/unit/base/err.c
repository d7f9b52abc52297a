#include "mirrorctl/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

static void set_fills_code_and_text(void **state UNUSED)
{
    struct err e = ERR_INIT;
    assert_int_equal(err_set(&e, ERR_INVALID, "line %d: '%s'", 7, "x"), ERR_INVALID);
    assert_int_equal(e.code, ERR_INVALID);
    assert_string_equal(e.text, "line 7: 'x'");
}

static void set_errno_appends_and_keeps_errno(void **state UNUSED)
{
    struct err e = ERR_INIT;
    errno = ENOENT;
    assert_int_equal(err_set_errno(&e, ERR_NOT_FOUND, "cannot read '%s'", "f"), ERR_NOT_FOUND);
    assert_string_equal(e.text, "cannot read 'f': No such file or directory");
    assert_int_equal(errno, ENOENT);
}

static void wrap_puts_the_outer_half_first(void **state UNUSED)
{
    struct err e = ERR_INIT;
    (void)err_set(&e, ERR_AUTH, "401");
    assert_int_equal(err_wrap(&e, "slave '%s'", "eu"), ERR_AUTH);
    assert_int_equal(err_wrap(&e, "pass"), ERR_AUTH);
    assert_string_equal(e.text, "pass: slave 'eu': 401");
}

static void text_may_be_its_own_argument(void **state UNUSED)
{
    struct err e = ERR_INIT;
    (void)err_set(&e, ERR_IO, "inner");
    (void)err_set(&e, ERR_IO, "outer (%s)", e.text);
    assert_string_equal(e.text, "outer (inner)");
}

static void text_is_one_line(void **state UNUSED)
{
    struct err e = ERR_INIT;
    (void)err_set(&e, ERR_IO, "a\nb\x1b[31mc\td\x7f");
    assert_string_equal(e.text, "a b [31mc d ");
}

static void longest_text_is_not_cut(void **state UNUSED)
{
    struct err e = ERR_INIT;
    char text[LIMIT_ERR_TEXT];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)err_set(&e, ERR_IO, "%s", text);
    assert_string_equal(e.text, text);
}

/* For each alignment of a three-byte character against the cut. */
static void long_text_is_cut_between_characters(void **state UNUSED)
{
    for (size_t shift = 0; shift < 3; shift++) {
        struct err e = ERR_INIT;
        char text[LIMIT_ERR_TEXT + 64] = "xx";
        for (size_t n = shift; n + 3 < sizeof(text); n += 3)
            memcpy(text + n, "\xe2\x82\xac", 4);
        (void)err_set(&e, ERR_IO, "%s", text);

        size_t n = strlen(e.text);
        assert_true(n < LIMIT_ERR_TEXT && n >= LIMIT_ERR_TEXT - 3);
        assert_true(str_ends_with(e.text, "\xe2\x82\xac\xe2\x80\xa6"));
        assert_int_equal((n - shift) % 3, 0);
    }
}

static void long_wrap_is_cut_too(void **state UNUSED)
{
    struct err e = ERR_INIT;
    char text[LIMIT_ERR_TEXT * 4];
    memset(text, 'y', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)err_set(&e, ERR_IO, "inner");
    (void)err_wrap(&e, "%s", text);
    assert_int_equal(strlen(e.text), LIMIT_ERR_TEXT - 1);
    assert_true(str_ends_with(e.text, "y\xe2\x80\xa6"));
}

static void every_code_has_a_name_of_its_own(void **state UNUSED)
{
    for (int i = 0; i < ERR_CODE_COUNT; i++) {
        const char *name = err_code_name((enum err_code)i);
        assert_string_not_equal(name, "unknown");
        for (int j = 0; j < i; j++)
            assert_string_not_equal(name, err_code_name((enum err_code)j));
    }
    assert_string_equal(err_code_name(ERR_NOT_FOUND), "not-found");
    assert_string_equal(err_code_name(ERR_CODE_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_fills_code_and_text),
        cmocka_unit_test(set_errno_appends_and_keeps_errno),
        cmocka_unit_test(wrap_puts_the_outer_half_first),
        cmocka_unit_test(text_may_be_its_own_argument),
        cmocka_unit_test(text_is_one_line),
        cmocka_unit_test(longest_text_is_not_cut),
        cmocka_unit_test(long_text_is_cut_between_characters),
        cmocka_unit_test(long_wrap_is_cut_too),
        cmocka_unit_test(every_code_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
