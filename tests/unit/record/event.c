#include "mirrorctl/record.h"

#include <setjmp.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

static void one_event_is_one_line_of_json(void **state UNUSED)
{
    CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 16);
    struct err e = ERR_INIT;
    const struct action a = {.act = ACT_CREATE,
                             .kind = KIND_VARIABLE,
                             .phase = PHASE_VARIABLES,
                             .name = "V",
                             .to = "two\nlines"};
    const struct condition c = {.level = COND_WARNING, .code = "x", .text = "y"};
    const struct plan_counts n = {.create = 3, .update = 2, .destroy = 1};
    const struct apply_event events[] = {
        {.event = "slave", .slave = "eu"},
        {.event = "action", .slave = "eu", .action = &a, .result = "failed", .error = "409"},
        {.event = "condition", .slave = "eu", .condition = &c},
        {.event = "done", .counts = &n, .exit_code = 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        buf_clear(&out);
        assert_int_equal(apply_event_write(&events[i], &out, &e), ERR_OK);
        assert_ptr_equal(strchr(buf_str(&out), '\n'), buf_str(&out) + out.len - 1);
        json_t *j = json_loads(buf_str(&out), 0, NULL);
        assert_non_null(j);
        assert_int_equal(json_integer_value(json_object_get(j, "schema")), 1);
        assert_string_equal(json_string_value(json_object_get(j, "event")), events[i].event);
        assert_int_equal(json_object_get(j, "exit_code") != NULL, i == 3);
        assert_int_equal(json_object_get(j, "action") != NULL, i == 1);
        json_decref(j);
    }
    assert_string_equal(
        buf_str(&out),
        "{\"schema\":1,\"event\":\"done\",\"counts\":{\"create\":3,\"update\":2,\"delete\":1,"
        "\"slaves_changed\":0,\"slaves_in_sync\":0,\"slaves_refused\":0,\"slaves_blocked\":0},"
        "\"exit_code\":0}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_event_is_one_line_of_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
