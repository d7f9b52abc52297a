#include "mirrorctl/record.h"

#include <setjmp.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

static struct slave_status slaves[] = {
    {
        .id = "github-backup",
        .type = "github",
        .repo = "backup-account/continuity-orchestrator",
        .role = ROLE_SLAVE,
        .epoch = 3,
        .health = HEALTH_OK,
        .last_check = {1795386146},
        .token_expires = {1803254400},
        .layers =
            {
                [LAYER_CODE] = {.status = SYNC_OK,
                                .last_sync = {1795386146},
                                .count = 4,
                                .wanted = 4,
                                .commit = "1234567"},
                [LAYER_SECRETS] = {.status = SYNC_BLOCKED,
                                   .count = 1,
                                   .wanted = 2,
                                   .error = "secret 'X' exists: \"no\""},
                [LAYER_VARIABLES] = {.status = SYNC_NEVER},
                [LAYER_WORKFLOWS] = {.status = SYNC_OFF},
            },
    },
};
static const struct status STATUS = {
    .self_role = ROLE_MASTER, .master = "a/b", .slaves = slaves, .n = 1, .at = {1795386150}};

static void status_is_json_that_grows(void **state UNUSED)
{
    CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 16);
    struct err e = ERR_INIT;
    assert_int_equal(status_record_write(&STATUS, &out, &e), ERR_OK);
    json_t *j = json_loads(buf_str(&out), 0, NULL);
    assert_non_null(j);
    const json_t *s = json_array_get(json_object_get(j, "slaves"), 0);
    const json_t *code = json_object_get(json_object_get(s, "sync"), "code");
    assert_int_equal(json_integer_value(json_object_get(j, "schema")), 1);
    assert_string_equal(json_string_value(json_object_get(j, "at_iso")), "2026-11-22T22:22:30Z");
    assert_string_equal(json_string_value(json_object_get(s, "health")), "ok");
    assert_string_equal(json_string_value(json_object_get(code, "last_commit")), "1234567");
    assert_int_equal(json_integer_value(json_object_get(code, "synced_count")), 4);
    json_decref(j);
}

static void yaml_says_the_same_and_quotes_what_it_must(void **state UNUSED)
{
    CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 16);
    struct err e = ERR_INIT;
    assert_int_equal(status_record_write_yaml(&STATUS, &out, &e), ERR_OK);
    assert_string_equal(buf_str(&out), "schema: 1\n"
                                       "at_iso: \"2026-11-22T22:22:30Z\"\n"
                                       "self_role: MASTER\n"
                                       "master: a/b\n"
                                       "slaves:\n"
                                       "- id: github-backup\n"
                                       "  type: github\n"
                                       "  repo: backup-account/continuity-orchestrator\n"
                                       "  role: SLAVE\n"
                                       "  epoch: 3\n"
                                       "  health: ok\n"
                                       "  last_health_check_iso: \"2026-11-22T22:22:26Z\"\n"
                                       "  token_expires_iso: \"2027-02-22T00:00:00Z\"\n"
                                       "  error: null\n"
                                       "  cure: null\n"
                                       "  sync:\n"
                                       "    code:\n"
                                       "      last_sync_iso: \"2026-11-22T22:22:26Z\"\n"
                                       "      status: ok\n"
                                       "      last_commit: \"1234567\"\n"
                                       "      synced_count: 4\n"
                                       "      wanted_count: 4\n"
                                       "      error: null\n"
                                       "    secrets:\n"
                                       "      last_sync_iso: null\n"
                                       "      status: blocked\n"
                                       "      synced_count: 1\n"
                                       "      wanted_count: 2\n"
                                       "      error: \"secret 'X' exists: \\\"no\\\"\"\n"
                                       "    variables:\n"
                                       "      last_sync_iso: null\n"
                                       "      status: never\n"
                                       "      synced_count: 0\n"
                                       "      wanted_count: 0\n"
                                       "      error: null\n"
                                       "    workflows:\n"
                                       "      last_sync_iso: null\n"
                                       "      status: \"off\"\n"
                                       "      synced_count: 0\n"
                                       "      wanted_count: 0\n"
                                       "      error: null\n");
}

static void nothing_yet_is_an_empty_list(void **state UNUSED)
{
    CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 16);
    struct err e = ERR_INIT;
    const struct status none = {.self_role = ROLE_MASTER};
    assert_int_equal(status_record_write_yaml(&none, &out, &e), ERR_OK);
    assert_string_equal(buf_str(&out),
                        "schema: 1\nat_iso: null\nself_role: MASTER\nmaster: null\nslaves: []\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_is_json_that_grows),
        cmocka_unit_test(yaml_says_the_same_and_quotes_what_it_must),
        cmocka_unit_test(nothing_yet_is_an_empty_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
