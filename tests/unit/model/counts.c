#include "mirrorctl/model.h"

#include <setjmp.h>

#include <cmocka.h>

static void add(struct slave_plan *s, enum act act)
{
    slave_plan_add(s)->act = act;
}

static void a_plan_is_counted_by_what_will_be_done(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct slave_plan s[6];
    static const char *const NAMES[] = {"master", "a", "b", "c", "d", "e"};
    for (size_t i = 0; i < ARRAY_LEN(s); i++)
        slave_plan_init(&s[i], NAMES[i], a);

    s[0].is_master = true;
    add(&s[0], ACT_UPDATE);
    add(&s[1], ACT_CREATE);
    add(&s[1], ACT_DELETE);
    slave_plan_condition(&s[1], (struct condition){.level = COND_BLOCKED});
    add(&s[2], ACT_ADOPT);
    slave_plan_condition(&s[2], (struct condition){.level = COND_WARNING});
    add(&s[3], ACT_CREATE); /* refused: shown, never done */
    s[3].refused = ERR_FENCED;
    slave_plan_condition(&s[4], (struct condition){.level = COND_ERROR});

    const struct plan p = {.slaves = s, .n = ARRAY_LEN(s)};
    struct plan_counts c = plan_count(&p);
    assert_int_equal(c.create, 1);
    assert_int_equal(c.update, 1);
    assert_int_equal(c.destroy, 1);
    assert_int_equal(c.slaves_changed, 1);
    assert_int_equal(c.slaves_in_sync, 2);
    assert_int_equal(c.slaves_refused, 1);
    assert_int_equal(c.slaves_blocked, 1);
}

static void many_actions_keep_their_content(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct slave_plan s;
    slave_plan_init(&s, "x", a);
    for (int i = 0; i < 1000; i++)
        slave_plan_add(&s)->id = i;
    assert_int_equal(s.n, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(s.actions[i].id, i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_is_counted_by_what_will_be_done),
        cmocka_unit_test(many_actions_keep_their_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
