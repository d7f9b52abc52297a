/* Columns: cleaning, cutting, wrapping. */
#include "fixture.h"

#include "../../../src/plan/columns.h"

#include <string.h>

static void cleaning_escapes_what_deceives(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    static const struct {
        const char *in;
        size_t max;
        bool quoted;
        const char *out;
    } ROWS[] = {
        {"", 0, false, ""},
        {"plain", 0, false, "plain"},
        {"äöü→", 0, false, "äöü→"},
        {"a\nb\tc\rd\033e\x7f", 0, false, "a\\nb\\tc\\rd\\ee\\x7f"},
        {"\xc2\x85", 0, false, "\\x85"},
        {"\xe2\x80\xae\xe2\x81\xa6", 0, false, "\\u202e\\u2066"},
        {"\xe2\x80\x8e\xe2\x80\x8f\xef\xbb\xbf", 0, false, "\\u200e\\u200f\\ufeff"},
        {"\xff\xc3", 0, false, "\\xff\\xc3"},
        {"\xc0\xaf", 0, false, "\\xc0\\xaf"},
        {"\xed\xa0\x80", 0, false, "\\xed\\xa0\\x80"},
        {"\xf4\x90\x80\x80", 0, false, "\\xf4\\x90\\x80\\x80"},
        {"\xf0\x9f\x98\x80", 0, false, "\xf0\x9f\x98\x80"},
        {"say \"\\\"", 0, false, "say \"\\\""},
        {"say \"\\\"", 0, true, "say \\\"\\\\\\\""},
        {"abcdef", 3, false, "abc…"},
        {"abc", 3, false, "abc"},
        {"äöüß", 3, false, "äöü…"},
        {"\n\n\n\n", 2, false, "\\n\\n…"},
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++)
        assert_string_equal(plan_text_clean(a, ROWS[i].in, ROWS[i].max, ROWS[i].quoted),
                            ROWS[i].out);
}

static void cutting_counts_columns(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    assert_string_equal(plan_text_cut(a, "abc", 3), "abc");
    assert_string_equal(plan_text_cut(a, "abcd", 3), "ab…");
    assert_string_equal(plan_text_cut(a, "äöüß", 3), "äö…");
    assert_string_equal(plan_text_cut(a, "abcd", 1), "…");
    assert_string_equal(plan_text_cut(a, "abcd", 0), "abcd");
    assert_int_equal(plan_text_width("a→ä"), 3);
}

static void wrapping_keeps_words_and_width(void **state UNUSED)
{
    for (size_t width = 1; width < 40; width++) {
        CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 16);
        struct err e = ERR_INIT;
        struct columns c = {.out = &out, .e = &e, .width = width};
        const char *text = "the slave has commits that the master does not know";
        assert_int_equal(columns_wrap(&c, PAINT_NONE, text, 4), ERR_OK);
        size_t at = 0, words = 0;
        for (const char *p = buf_str(&out); *p != '\0'; p++) {
            at = *p == '\n' ? 0 : at + 1;
            words += *p != ' ' && *p != '\n' && (p[1] == ' ' || p[1] == '\n' || p[1] == '\0');
            assert_true(at <= width || at <= 4 + strlen("commits"));
        }
        assert_int_equal(words, 10);
    }
}

static void a_word_longer_than_any_is_kept_whole(void **state UNUSED)
{
    CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 16);
    struct err e = ERR_INIT;
    struct columns c = {.out = &out, .e = &e, .width = 20};
    char text[600];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(columns_wrap(&c, PAINT_NONE, text, 4), ERR_OK);
    assert_int_equal(out.len, sizeof(text) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cleaning_escapes_what_deceives),
        cmocka_unit_test(cutting_counts_columns),
        cmocka_unit_test(wrapping_keeps_words_and_width),
        cmocka_unit_test(a_word_longer_than_any_is_kept_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
