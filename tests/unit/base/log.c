#include "mirrorctl/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* stderr goes to a file while something is logged; the file is the answer. */
struct capture {
    FILE *file;
    int saved;
};

static struct capture capture_start(void)
{
    struct capture c = {.file = tmpfile(), .saved = dup(STDERR_FILENO)};
    assert_non_null(c.file);
    assert_int_equal(dup2(fileno(c.file), STDERR_FILENO), STDERR_FILENO);
    return c;
}

static char *capture_end(struct capture *c)
{
    enum { MOST = 1 << 20 };
    char *text = mem_alloc(MOST);

    (void)dup2(c->saved, STDERR_FILENO);
    fd_closep(&c->saved);
    rewind(c->file);
    size_t n = fread(text, 1, MOST - 1, c->file);
    text[n] = '\0';
    (void)fclose(c->file);
    return text;
}

/* Behind "HH:MM:SS " or {"time":"…Z". */
static const char *behind_stamp(const char *line, bool json)
{
    if (json) {
        assert_memory_equal(line, "{\"time\":\"20", 11);
        assert_memory_equal(line + 28, "Z\",", 3);
        return line + 31;
    }
    assert_true(line[2] == ':' && line[5] == ':' && line[8] == ' ');
    return line + 9;
}

static void assert_line(bool json, const char *event, const struct log_field *fields, size_t n,
                        const char *expected)
{
    log_setup(LOG_DEBUG, json);
    struct capture c = capture_start();
    log_write(LOG_WARN, event, fields, n);
    char *text = capture_end(&c);
    assert_string_equal(behind_stamp(text, json), expected);
    free(text);
}

static void text_form(void **state UNUSED)
{
    const struct log_field fields[] = {
        LOG_STR("slave", "eu"),       LOG_INT("actions", -3), LOG_STR("why", "two words"),
        LOG_STR("none", NULL),        LOG_STR("empty", ""),   LOG_STR("quote", "a\"b"),
        LOG_STR("lines", "a\nb\x1b"), LOG_STR("eq", "a=b"),   LOG_STR("utf8", "\xc3\xa4"),
    };
    assert_line(false, "pass done", fields, ARRAY_LEN(fields),
                "warn pass done slave=eu actions=-3 why=\"two words\" none=- empty=\"\" "
                "quote=\"a\\\"b\" lines=\"a\\nb\\u001b\" eq=\"a=b\" utf8=\xc3\xa4\n");
    assert_line(false, "a\nb", NULL, 0, "warn a\\nb\n");
}

static void json_form(void **state UNUSED)
{
    const struct log_field fields[] = {
        LOG_STR("slave", "eu"),
        LOG_INT("least", INT64_MIN),
        LOG_STR("none", NULL),
        LOG_STR("esc", "\"\\\b\f\n\r\t\x01/"),
        LOG_STR("utf8", "\xf0\x9f\x98\x80"),
        LOG_STR("k\"y", ""),
    };
    assert_line(true, "pass done", fields, ARRAY_LEN(fields),
                "\"level\":\"warn\",\"event\":\"pass done\",\"slave\":\"eu\","
                "\"least\":-9223372036854775808,\"none\":null,"
                "\"esc\":\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001/\","
                "\"utf8\":\"\xf0\x9f\x98\x80\",\"k\\\"y\":\"\"}\n");
}

static void bytes_that_are_no_utf8_are_replaced(void **state UNUSED)
{
#define BAD "\xef\xbf\xbd"
    const struct log_field fields[] = {
        LOG_STR("stray", "a\x80z"),
        LOG_STR("torn", "a\xe2\x82"),
        LOG_STR("overlong", "\xc0\xaf"),
        LOG_STR("surrogate", "\xed\xa0\x80"),
        LOG_STR("beyond", "\xf4\x90\x80\x80"),
    };
    assert_line(true, "x", fields, ARRAY_LEN(fields),
                "\"level\":\"warn\",\"event\":\"x\",\"stray\":\"a" BAD "z\",\"torn\":\"a" BAD BAD
                "\",\"overlong\":\"" BAD BAD "\",\"surrogate\":\"" BAD BAD BAD
                "\",\"beyond\":\"" BAD BAD BAD BAD "\"}\n");
}

static void endless_values_are_cut(void **state UNUSED)
{
    char *value = mem_alloc(100001);
    memset(value, 'v', 100000);
    log_setup(LOG_INFO, true);
    struct capture c = capture_start();
    log_event(LOG_INFO, "x", LOG_STR("long", value));
    char *text = capture_end(&c);
    assert_true(strlen(text) < 4300);
    assert_true(str_ends_with(text, "v\xe2\x80\xa6\"}\n"));
    free(text);
    free(value);
}

static void levels(void **state UNUSED)
{
    log_setup(LOG_WARN, false);
    struct capture c = capture_start();
    log_write(LOG_INFO, "no", NULL, 0);
    log_write(LOG_DEBUG, "no", NULL, 0);
    log_write(LOG_WARN, "yes", NULL, 0);
    log_write(LOG_ERROR, "yes", NULL, 0);
    char *text = capture_end(&c);
    assert_null(strstr(text, "no"));
    assert_non_null(strstr(text, " warn yes\n"));
    assert_non_null(strstr(text, " error yes\n"));
    free(text);
}

static void *log_many(void *arg)
{
    for (int i = 0; i < 200; i++)
        log_event(LOG_INFO, "tick", LOG_STR("who", arg), LOG_INT("n", i));
    return NULL;
}

static void lines_of_threads_stay_whole(void **state UNUSED)
{
    static char names[4][2] = {"a", "b", "c", "d"};
    pthread_t threads[4];
    size_t lines = 0;

    log_setup(LOG_INFO, true);
    struct capture c = capture_start();
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, names[i]), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    char *text = capture_end(&c);
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0'; lines++) {
        assert_true(str_starts_with(line, "{\"time\":"));
        assert_true(str_ends_with(line, "}"));
    }
    assert_int_equal(lines, 800);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_form),
        cmocka_unit_test(json_form),
        cmocka_unit_test(bytes_that_are_no_utf8_are_replaced),
        cmocka_unit_test(endless_values_are_cut),
        cmocka_unit_test(levels),
        cmocka_unit_test(lines_of_threads_stay_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
