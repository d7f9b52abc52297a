#include "fixture.h"

static void errors_have_the_codes_of_the_page(void **state UNUSED)
{
    static const struct {
        enum err_code err;
        int exit;
    } ROWS[] = {
        {ERR_OK, 0},
        {ERR_USAGE, 2},
        {ERR_UNAVAILABLE, 3},
        {ERR_CONFLICT, 3},
        {ERR_NOT_FOUND, 3},
        {ERR_AUTH, 4},
        {ERR_PERMISSION, 4},
        {ERR_RATE, 5},
        {ERR_TIMEOUT, 5},
        {ERR_LOCKED, 6},
        {ERR_REFUSED, 7},
        {ERR_FENCED, 8},
        {ERR_INTERRUPTED, 130},
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++)
        assert_int_equal(err_exit_code(ROWS[i].err), ROWS[i].exit);
    for (enum err_code c = ERR_USAGE; c < ERR_CODE_COUNT; c++)
        assert_true(err_exit_code(c) >= 2); /* an error is never 0 and never 1 */
    assert_int_equal(err_exit_code(ERR_CODE_COUNT), 3);
}

static void the_worst_wins_in_either_order(void **state UNUSED)
{
    static const int ORDER[] = {0, 1, 2, 3, 6, 5, 4, 7, 8, 130, 143};
    for (size_t i = 0; i < ARRAY_LEN(ORDER); i++) {
        for (size_t k = 0; k < ARRAY_LEN(ORDER); k++) {
            int worst = ORDER[i > k ? i : k];
            assert_int_equal(exit_code_worst(ORDER[i], ORDER[k]), worst);
        }
    }
    assert_int_equal(exit_code_worst(99, 0), 99);
    assert_int_equal(exit_code_worst(99, 4), 4);
}

static void a_plan_s_code_is_that_of_its_worst_part(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct slave_plan s[2];
    slave_plan_init(&s[0], "a", a);
    slave_plan_init(&s[1], "b", a);
    const struct plan p = {.slaves = s, .n = 2};
    assert_int_equal(plan_exit_code(&p), 0);

    slave_plan_add(&s[0])->act = ACT_ADOPT;
    slave_plan_condition(&s[0], (struct condition){.level = COND_WARNING});
    assert_int_equal(plan_exit_code(&p), 0);
    slave_plan_add(&s[0])->act = ACT_CREATE;
    assert_int_equal(plan_exit_code(&p), 1);
    slave_plan_condition(&s[0], (struct condition){.level = COND_ERROR, .err = ERR_UNAVAILABLE});
    assert_int_equal(plan_exit_code(&p), 3);
    s[1].refused = ERR_LOCKED;
    assert_int_equal(plan_exit_code(&p), 6);
    slave_plan_condition(&s[0], (struct condition){.level = COND_ERROR, .err = ERR_PERMISSION});
    assert_int_equal(plan_exit_code(&p), 4);
    slave_plan_condition(&s[0], (struct condition){.level = COND_BLOCKED, .err = ERR_REFUSED});
    assert_int_equal(plan_exit_code(&p), 7);
    s[1].refused = ERR_FENCED;
    assert_int_equal(plan_exit_code(&p), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_have_the_codes_of_the_page),
        cmocka_unit_test(the_worst_wins_in_either_order),
        cmocka_unit_test(a_plan_s_code_is_that_of_its_worst_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
