#include "mirrorctl/roles.h"

#include <setjmp.h>

#include <cmocka.h>

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void a_name_beats_a_glob_and_leaving_alone_beats_both(void **state UNUSED)
{
    const struct {
        struct role_policy policy;
        const char *file;
        enum workflow_wish wish;
    } rows[] = {
        {{.enabled = NULL}, "a.yml", WORKFLOW_IGNORED},
        {{.enabled = LIST("a.yml")}, "a.yml", WORKFLOW_ON},
        {{.enabled = LIST("a.yml")}, "b.yml", WORKFLOW_IGNORED},
        {{.disabled = LIST("*")}, "a.yml", WORKFLOW_OFF},
        {{.enabled = LIST("a.yml"), .disabled = LIST("*")}, "a.yml", WORKFLOW_ON},
        {{.enabled = LIST("*"), .disabled = LIST("a.yml")}, "a.yml", WORKFLOW_OFF},
        {{.ignored = LIST("*"), .disabled = LIST("a.yml")}, "a.yml", WORKFLOW_OFF},
        {{.ignored = LIST("a.yml"), .enabled = LIST("*")}, "a.yml", WORKFLOW_IGNORED},
        {{.ignored = LIST("a*"), .enabled = LIST("a*")}, "a.yml", WORKFLOW_IGNORED},
        {{.enabled = LIST("a*"), .disabled = LIST("*")}, "a.yml", WORKFLOW_ON},
        {{.ignored = LIST("a.yml"), .enabled = LIST("a.yml")}, "a.yml", WORKFLOW_IGNORED},
        {{.enabled = LIST("a.yml"), .disabled = LIST("a.yml")}, "a.yml", WORKFLOW_ON},
        {{.enabled = LIST("x", "[ab].yml"), .disabled = LIST("*")}, "b.yml", WORKFLOW_ON},
        {{.enabled = LIST("?.yml")}, "ab.yml", WORKFLOW_IGNORED},
        {{.enabled = LIST("a.yml")}, "A.yml", WORKFLOW_IGNORED},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (role_wants_workflow(&rows[i].policy, rows[i].file) != rows[i].wish)
            fail_msg("row %zu", i);
    }
}

/* The table of the original design, "Pipeline Swapping". */
static void the_defaults_are_the_original_design(void **state UNUSED)
{
    static const char *const FILES[] = {"cron.yml", "deploy-site.yml", "test.yml", "sentinel.yml"};
    static const enum workflow_wish WISHES[ROLE_COUNT][ARRAY_LEN(FILES)] = {
        [ROLE_MASTER] = {WORKFLOW_ON, WORKFLOW_ON, WORKFLOW_ON, WORKFLOW_OFF},
        [ROLE_SLAVE] = {WORKFLOW_OFF, WORKFLOW_OFF, WORKFLOW_OFF, WORKFLOW_ON},
        [ROLE_TEMPORARY_MASTER] = {WORKFLOW_ON, WORKFLOW_ON, WORKFLOW_IGNORED, WORKFLOW_ON},
    };
    for (enum role r = 0; r < ROLE_COUNT; r++) {
        for (size_t i = 0; i < ARRAY_LEN(FILES); i++)
            assert_int_equal(role_wants_workflow(role_default_policy(r), FILES[i]), WISHES[r][i]);
    }
}

static void literal_patterns_have_no_wildcards(void **state UNUSED)
{
    assert_true(role_pattern_is_literal("cron.yml"));
    assert_true(role_pattern_is_literal(""));
    assert_false(role_pattern_is_literal("*"));
    assert_false(role_pattern_is_literal("a?.yml"));
    assert_false(role_pattern_is_literal("[ab].yml"));
}

static void a_variable_has_a_value_per_role(void **state UNUSED)
{
    const struct variable_policy v = {
        .name = "MOCK", .value = "true", .in = {[ROLE_TEMPORARY_MASTER] = "false"}};
    assert_string_equal(role_wants_variable(&v, ROLE_SLAVE), "true");
    assert_string_equal(role_wants_variable(&v, ROLE_TEMPORARY_MASTER), "false");

    const struct variable_policy only = {.name = "X", .in = {[ROLE_MASTER] = ""}};
    assert_string_equal(role_wants_variable(&only, ROLE_MASTER), "");
    assert_null(role_wants_variable(&only, ROLE_SLAVE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_beats_a_glob_and_leaving_alone_beats_both),
        cmocka_unit_test(the_defaults_are_the_original_design),
        cmocka_unit_test(literal_patterns_have_no_wildcards),
        cmocka_unit_test(a_variable_has_a_value_per_role),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
