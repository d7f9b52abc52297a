/* The state file belongs to somebody else. */
#include "mirrorctl/record.h"

#include <setjmp.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static struct slave_status slaves[2];
static struct status status;

static void reset(void)
{
    memset(slaves, 0, sizeof(slaves));
    slaves[0] = (struct slave_status){
        .id = "github-backup",
        .type = "github",
        .repo = "backup-account/continuity-orchestrator",
        .role = ROLE_SLAVE,
        .health = HEALTH_OK,
        .last_check = {1770440400},
        .layers = {
            [LAYER_CODE] = {.status = SYNC_OK, .last_sync = {1770440400}, .commit = "abc123"},
            [LAYER_SECRETS] = {.status = SYNC_OK, .last_sync = {1770438600}, .count = 5},
            [LAYER_VARIABLES] = {.status = SYNC_OK, .last_sync = {1770438600}, .count = 3},
            [LAYER_WORKFLOWS] = {.status = SYNC_OFF}}};
    status = (struct status){.self_role = ROLE_MASTER, .slaves = slaves, .n = 1};
}

static const char *merge(struct arena *a, const char *old, bool *changed)
{
    CLEANUP(buf_release) struct buf out = BUF_INIT(LIMIT_STATE_FILE);
    struct err e = ERR_INIT;
    enum err_code r =
        mirrors_record_merge(old, old != NULL ? strlen(old) : 0, &status, &out, changed, &e);
    if (r != ERR_OK)
        fail_msg("%s", e.text);
    return arena_strdup(a, buf_str(&out));
}

/* The example of the original design, with workflows beside the other layers. */
static void the_object_is_that_of_the_original_design(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    bool changed = false;
    reset();
    const char *text = merge(a, NULL, &changed);
    assert_true(changed);
    assert_string_equal(text, "{\n"
                              "  \"mirrors\": {\n"
                              "    \"schema\": 1,\n"
                              "    \"self_role\": \"MASTER\",\n"
                              "    \"slaves\": [\n"
                              "      {\n"
                              "        \"id\": \"github-backup\",\n"
                              "        \"type\": \"github\",\n"
                              "        \"repo\": \"backup-account/continuity-orchestrator\",\n"
                              "        \"role\": \"SLAVE\",\n"
                              "        \"sync\": {\n"
                              "          \"code\": {\n"
                              "            \"last_sync_iso\": \"2026-02-07T05:00:00Z\",\n"
                              "            \"status\": \"ok\",\n"
                              "            \"last_commit\": \"abc123\"\n"
                              "          },\n"
                              "          \"secrets\": {\n"
                              "            \"last_sync_iso\": \"2026-02-07T04:30:00Z\",\n"
                              "            \"status\": \"ok\",\n"
                              "            \"synced_count\": 5\n"
                              "          },\n"
                              "          \"variables\": {\n"
                              "            \"last_sync_iso\": \"2026-02-07T04:30:00Z\",\n"
                              "            \"status\": \"ok\",\n"
                              "            \"synced_count\": 3\n"
                              "          },\n"
                              "          \"workflows\": {\n"
                              "            \"last_sync_iso\": null,\n"
                              "            \"status\": \"off\",\n"
                              "            \"synced_count\": 0\n"
                              "          }\n"
                              "        },\n"
                              "        \"last_health_check_iso\": \"2026-02-07T05:00:00Z\",\n"
                              "        \"health\": \"ok\"\n"
                              "      }\n"
                              "    ]\n"
                              "  }\n"
                              "}\n");
}

/* A second merge into the first one's text changes nothing but what is asked to change. */
static void times_alone_are_no_change(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    bool changed = false;
    reset();
    const char *text = merge(a, NULL, &changed);

    slaves[0].last_check.s += 60;
    slaves[0].layers[LAYER_CODE].last_sync.s += 60;
    slaves[0].layers[LAYER_CODE].commit = "def456";
    slaves[0].layers[LAYER_WORKFLOWS].last_sync.s = 1;
    changed = true;
    assert_string_equal(merge(a, text, &changed), "");
    assert_false(changed);

    slaves[0].layers[LAYER_SECRETS].count = 6;
    const char *next = merge(a, text, &changed);
    assert_true(changed);
    assert_non_null(strstr(next, "def456")); /* what was held back comes along */
    (void)merge(a, next, &changed);
    assert_false(changed);

    slaves[0].health = HEALTH_DEGRADED;
    (void)merge(a, next, &changed);
    assert_true(changed);
    reset();
    status.n = 2;
    slaves[1] = slaves[0];
    (void)merge(a, text, &changed);
    assert_true(changed);
}

/* Text around the object comes back byte for byte: what stands before and behind it. */
static void the_rest_of_the_file_is_untouched(void **state UNUSED)
{
    static const struct {
        const char *before, *old_value, *behind;
    } ROWS[] = {
        {"{\n    \"meta\": {\"x\": 1.10, \"big\": 123456789012345678901234567890},\n    "
         "\"mirrors\": ",
         "{}", ",\n    \"z\": [1e400, -0, 0.1, \"\\u00e4\\/\"],\n    \"a\": null\n}\n"},
        {"{\"mirrors\":", "null", ",\"b\":{\"mirrors\":{\"deep\":true}}}"},
        {"  {\n\t\"a\": 1,\n\t\"mirrors\": ", "[1, 2]", "\n}"},
        {"{\r\n  \"mirrors\" : ", "\"old\"", "\r\n}\r\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        bool changed = false;
        reset();
        const char *old =
            arena_printf(a, "%s%s%s", ROWS[i].before, ROWS[i].old_value, ROWS[i].behind);
        const char *text = merge(a, old, &changed);
        assert_true(changed);
        assert_true(str_starts_with(text, ROWS[i].before));
        assert_true(str_ends_with(text, ROWS[i].behind));
        (void)merge(a, text, &changed);
        assert_false(changed);
    }
}

static void a_new_member_is_set_as_the_others_are(void **state UNUSED)
{
    static const struct {
        const char *old, *start, *end;
    } ROWS[] = {
        {"{}", "{\n  \"mirrors\": {\n    \"schema\": 1,\n", "\n  }\n}"},
        {" {  } \n", " {\n  \"mirrors\": {\n", "\n  }\n} \n"},
        {"{\n    \"a\": 1\n}\n", "{\n    \"a\": 1,\n    \"mirrors\": {\n        \"schema\": 1,\n",
         "\n    }\n}\n"},
        {"{\n\t\"a\": 1\n}", "{\n\t\"a\": 1,\n\t\"mirrors\": {\n\t\t\"schema\": 1,\n", "\n\t}\n}"},
        {"{\"a\":1}", "{\"a\":1,\"mirrors\":{\"schema\":1,", "\"health\":\"ok\"}]}}"},
        {"{\"a\": 1}", "{\"a\": 1, \"mirrors\": {\"schema\": 1, ", "\"health\": \"ok\"}]}}"},
        {"{\r\n  \"a\": 1\r\n}\r\n",
         "{\r\n  \"a\": 1,\r\n  \"mirrors\": {\r\n    \"schema\": 1,\r\n", "\r\n  }\r\n}\r\n"},
        {"{\n\"a\": 1\n}", "{\n\"a\": 1,\n  \"mirrors\": {\n", "\n  }\n}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        bool changed = false;
        reset();
        const char *text = merge(a, ROWS[i].old, &changed);
        assert_true(changed);
        if (!str_starts_with(text, ROWS[i].start))
            fail_msg("row %zu:\n%s", i, text);
        if (!str_ends_with(text, ROWS[i].end))
            fail_msg("row %zu:\n%s", i, text);
        json_t *j = json_loads(text, 0, NULL);
        assert_non_null(j);
        json_decref(j);
        (void)merge(a, text, &changed);
        assert_false(changed);
    }
}

static void a_file_that_is_no_object_is_left_as_it_is(void **state UNUSED)
{
    static const struct {
        const char *old, *text;
    } ROWS[] = {
        {"[]", "line 1: not a JSON object"},
        {"null", "line 1: not a JSON object"},
        {"{", "line 1: a string was expected"},
        {"{\n\"a\": }", "line 2: a value was expected"},
        {"{\n\n\"a\" 1}", "line 3: ':' was expected"},
        {"{\"a\": 1,}", "line 1: a string was expected"},
        {"{\"a\": [1 2]}", "line 1: ',' or ']' was expected"},
        {"{\"a\": 1 \"b\": 2}", "line 1: ',' or '}' was expected"},
        {"{\"a\": 01}", "line 1: ',' or '}' was expected"},
        {"{\"a\": 1.}", "line 1: a value was expected"},
        {"{\"a\": tru}", "line 1: a value was expected"},
        {"{\"a\": \"x\n\"}", "line 1: a string holds a control character"},
        {"{\"a\": \"\\x\"}", "line 1: a string has an unknown escape"},
        {"{\"a\": \"\\u12g4\"}", "line 1: a string has a broken \\u escape"},
        {"{\"a\": \"", "line 1: a string does not end"},
        {"{} {}", "line 1: something stands behind"},
        {"// comment\n{}", "line 1: not a JSON object"},
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        CLEANUP(buf_release) struct buf out = BUF_INIT(LIMIT_STATE_FILE);
        struct err e = ERR_INIT;
        bool changed = true;
        reset();
        enum err_code r =
            mirrors_record_merge(ROWS[i].old, strlen(ROWS[i].old), &status, &out, &changed, &e);
        if (r != ERR_INVALID || !str_starts_with(e.text, ROWS[i].text))
            fail_msg("row %zu: %s", i, e.text);
        assert_int_equal(out.len, 0);
        assert_true(changed);
    }
}

/* Every cut of a good file: refused, and nothing read behind its end. */
static void no_cut_file_is_taken(void **state UNUSED)
{
    static const char OLD[] = "{\"a\": [1, {\"b\": \"\\u00e4\"}], \"mirrors\": {}, \"c\": -1.5e+3}";
    for (size_t n = 1; n < sizeof(OLD) - 1; n++) {
        CLEANUP(buf_release) struct buf out = BUF_INIT(LIMIT_STATE_FILE);
        struct err e = ERR_INIT;
        bool changed;
        reset();
        char *exact = mem_alloc(n); /* not terminated: the sanitizer watches its end */
        memcpy(exact, OLD, n);
        assert_int_equal(mirrors_record_merge(exact, n, &status, &out, &changed, &e), ERR_INVALID);
        free(exact);
    }
}

static void depth_is_limited(void **state UNUSED)
{
    CLEANUP(buf_release) struct buf old = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    bool changed;
    reset();
    assert_int_equal(buf_addstr(&old, "{\"a\":", &e), ERR_OK);
    for (int i = 0; i < 200000; i++)
        assert_int_equal(buf_addstr(&old, "[", &e), ERR_OK);
    assert_int_equal(mirrors_record_merge(buf_str(&old), old.len, &status, &out, &changed, &e),
                     ERR_INVALID);
    assert_string_equal(e.text, "line 1: nested too deep");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_object_is_that_of_the_original_design),
        cmocka_unit_test(times_alone_are_no_change),
        cmocka_unit_test(the_rest_of_the_file_is_untouched),
        cmocka_unit_test(a_new_member_is_set_as_the_others_are),
        cmocka_unit_test(a_file_that_is_no_object_is_left_as_it_is),
        cmocka_unit_test(no_cut_file_is_taken),
        cmocka_unit_test(depth_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
