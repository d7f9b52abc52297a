/* Members that nobody reads are left out; everything else says what it said before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "internal.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text, *slim;
} ROWS[] = {
    {"{}", "{}"},
    {" [ ] ", "[]"},
    {"{\"id\":1}", "{\"id\":1}"},
    {"{\"url\":\"x\",\"id\":1,\"node_id\":\"y\"}", "{\"id\":1}"},
    {"{ \"id\" : 1 , \"name\" : \"a\\\"b\" }", "{\"id\":1,\"name\":\"a\\\"b\"}"},
    {"{\"owner\":{\"id\":7,\"x\":[1,{\"a\":\"}]\"}]},\"name\":\"n\"}", "{\"name\":\"n\"}"},
    {"{\"permissions\":{\"admin\":true,\"pull\":false}}", "{\"permissions\":{\"admin\":true}}"},
    {"{\"total_count\":2,\"secrets\":[{\"name\":\"A\",\"created_at\":\"t\"},{\"name\":\"B\"}]}",
     "{\"total_count\":2,\"secrets\":[{\"name\":\"A\"},{\"name\":\"B\"}]}"},
    {"{\"n\\u0061me\":\"x\",\"names\":1,\"nam\":2}", "{\"n\\u0061me\":\"x\"}"},
    {"{\"value\":\"\\\\\",\"x\":\"\\\\\"}", "{\"value\":\"\\\\\"}"},
    {"{\"id\":-1.5e3,\"key\":null}", "{\"id\":-1.5e3,\"key\":null}"},
};

static const char *const NO_JSON[] = {
    "",       "{",           "}",          "{\"id\":1",  "{\"id\":}",   "{\"id\" 1}",
    "{id:1}", "{\"id\":1,}", "{\"x\":1,}", "[1,]",       "[1",          "{\"x\":[1,{}",
    "\"open", "{\"x\":\"op", "{} {}",      "{\"x\":1}]", "{\"x\":\"\\", "<html>x</html>",
};

static void test_slim(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        size_t n = 0;
        char *slim = github_slim(ROWS[i].text, strlen(ROWS[i].text), &n);
        assert_non_null(slim);
        assert_int_equal(n, strlen(ROWS[i].slim));
        assert_memory_equal(slim, ROWS[i].slim, n);
        free(slim);
    }
}

static void test_given_up(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(NO_JSON); i++) {
        size_t n = strlen(NO_JSON[i]), slim_n = 0;
        char *text = malloc(n); /* without a NUL behind it: a step too far is seen */
        memcpy(text, NO_JSON[i], n);
        char *slim = github_slim(text, n, &slim_n);
        if (slim != NULL) { /* what is left must not be taken for JSON either */
            json_error_t why;
            json_t *j = json_loadb(slim, slim_n, 0, &why);
            if (j != NULL)
                fail_msg("taken for JSON: %s", NO_JSON[i]);
        }
        free(slim);
        free(text);
    }
}

/* Every text cut off at every place: no step beyond its end. */
static void test_cut_off(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++)
        for (size_t n = 0; n < strlen(ROWS[i].text); n++) {
            size_t slim_n = 0;
            char *text = malloc(n + 1);
            memcpy(text, ROWS[i].text, n);
            text = realloc(text, n > 0 ? n : 1);
            free(github_slim(text, n, &slim_n));
            free(text);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slim),
        cmocka_unit_test(test_given_up),
        cmocka_unit_test(test_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
