#include "mirrorctl/record.h"

#include <setjmp.h>

#include <cmocka.h>

#include <string.h>

static void a_marker_is_written_and_read(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(buf_release) struct buf out = BUF_INIT(4096);
    struct err e = ERR_INIT;
    const struct role_record r = {.role = ROLE_TEMPORARY_MASTER,
                                  .phase = "watching",
                                  .held = true,
                                  .by = "controller",
                                  .epoch = 7,
                                  .since = {1795386146},
                                  .reason = "first sync \"ä\"",
                                  .controller = "0123abcd"};
    struct role_record back;

    assert_int_equal(role_record_write(&r, &out, &e), ERR_OK);
    assert_string_equal(buf_str(&out), "{\n"
                                       "  \"schema\": 1,\n"
                                       "  \"role\": \"TEMPORARY_MASTER\",\n"
                                       "  \"phase\": \"watching\",\n"
                                       "  \"held\": true,\n"
                                       "  \"by\": \"controller\",\n"
                                       "  \"epoch\": 7,\n"
                                       "  \"since\": \"2026-11-22T22:22:26Z\",\n"
                                       "  \"reason\": \"first sync \\\"ä\\\"\",\n"
                                       "  \"controller\": \"0123abcd\"\n"
                                       "}\n");
    assert_int_equal(role_record_read(buf_str(&out), out.len, a, &back, &e), ERR_OK);
    assert_int_equal(back.role, r.role);
    assert_string_equal(back.phase, r.phase);
    assert_true(back.held);
    assert_string_equal(back.by, r.by);
    assert_int_equal(back.epoch, r.epoch);
    assert_int_equal(back.since.s, r.since.s);
    assert_string_equal(back.reason, r.reason);
    assert_string_equal(back.controller, r.controller);
}

/* Absent, null and unknown fields: the future may leave out and add. */
static void a_marker_of_another_time_is_read(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct err e = ERR_INIT;
    struct role_record r;
    static const char TEXT[] =
        "{\"epoch\": 0, \"role\": \"SLAVE\", \"since\": null, \"vars\": [[1.5]],"
        " \"down\": 3}";
    assert_int_equal(role_record_read(TEXT, strlen(TEXT), a, &r, &e), ERR_OK);
    assert_int_equal(r.role, ROLE_SLAVE);
    assert_int_equal(r.since.s, 0);
    assert_null(r.controller);
    assert_null(r.phase);
    assert_false(r.held);
}

static void a_marker_that_cannot_be_believed_is_refused(void **state UNUSED)
{
    static const struct {
        const char *json, *text;
    } ROWS[] = {
        {"", "role.json: line 1"},
        {"[]", "role.json: not a JSON object"},
        {"{\"epoch\": 1}", "role.json: 'role' is missing"},
        {"{\"role\": \"SLAVE\"}", "role.json: 'epoch' is missing"},
        {"{\"role\": \"slave\", \"epoch\": 1}", "role.json: 'role' is \"slave\""},
        {"{\"role\": 1, \"epoch\": 1}", "role.json: 'role' is not a string"},
        {"{\"role\": \"SLAVE\", \"epoch\": 1.5}", "role.json: 'epoch' is not a whole number"},
        {"{\"role\": \"SLAVE\", \"epoch\": -1}", "role.json: 'epoch' is negative"},
        {"{\"role\": \"SLAVE\", \"epoch\": 1, \"held\": 1}",
         "role.json: 'held' is not true or false"},
        {"{\"role\": \"SLAVE\", \"epoch\": 1, \"since\": \"soon\"}", "role.json: 'since'"},
        {"{\"role\": \"SLAVE\", \"epoch\": 1, \"schema\": 2}",
         "role.json: schema 2 is not known here"},
        {"{\"role\": \"SLAVE\", \"epoch\": 1, \"role\": \"MASTER\"}",
         "role.json: line 1: duplicate"},
        {"{\"role\": \"SLAVE\", \"epoch\": 99999999999999999999}", "role.json: line 1: too big"},
        {"{\"role\": \"SLAVE\", \"epoch\": 1} x", "role.json: line 1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct err e = ERR_INIT;
        struct role_record r = {.epoch = 42};
        enum err_code c = role_record_read(ROWS[i].json, strlen(ROWS[i].json), a, &r, &e);
        if (c != ERR_INVALID || !str_starts_with(e.text, ROWS[i].text))
            fail_msg("row %zu: %s", i, e.text);
        assert_int_equal(r.epoch, 42);
    }
}

static void depth_is_limited_and_strings_do_not_count(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(buf_release) struct buf b = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    struct role_record r;

    assert_int_equal(buf_addstr(&b, "{\"x\": \"", &e), ERR_OK);
    for (int i = 0; i < 100; i++)
        assert_int_equal(buf_addstr(&b, "[{\\\"", &e), ERR_OK);
    assert_int_equal(buf_addstr(&b, "\", \"role\": \"SLAVE\", \"epoch\": 1}", &e), ERR_OK);
    assert_int_equal(role_record_read(buf_str(&b), b.len, a, &r, &e), ERR_OK);

    buf_clear(&b);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(buf_addstr(&b, "[", &e), ERR_OK);
    assert_int_equal(role_record_read(buf_str(&b), b.len, a, &r, &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "nested deeper than 64 levels"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_marker_is_written_and_read),
        cmocka_unit_test(a_marker_of_another_time_is_read),
        cmocka_unit_test(a_marker_that_cannot_be_believed_is_refused),
        cmocka_unit_test(depth_is_limited_and_strings_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
