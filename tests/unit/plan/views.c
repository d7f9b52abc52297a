/* What is not seen, not wanted, or switched off. */
#include "fixture.h"

/* One of each kind to be created, updated and deleted. */
static void fill(struct world *w)
{
    world_init(w);
    w->in.prune = true;
    static const enum kind KINDS[] = {KIND_REF, KIND_SECRET, KIND_VARIABLE};
    for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
        bool ref = KINDS[i] == KIND_REF;
        const char *create = ref ? "refs/heads/c" : "C", *update = ref ? "refs/heads/u" : "U";
        const char *destroy = ref ? "refs/heads/d" : "D";
        (void)want(w, KINDS[i], create, OID_A);
        (void)want(w, KINDS[i], update, OID_A);
        there(w, KINDS[i], update, OID_B)->relation = REF_BEHIND;
        (void)ours(w, KINDS[i], update, OID_B);
        (void)there(w, KINDS[i], destroy, OID_B);
        (void)ours(w, KINDS[i], destroy, OID_B);
    }
    (void)want(w, KIND_WORKFLOW, "w.yml", "off");
    (void)there(w, KIND_WORKFLOW, "w.yml", "on");
    (void)want(w, KIND_DEFAULT_BRANCH, "default-branch", "u");
    (void)there(w, KIND_DEFAULT_BRANCH, "default-branch", "master");
    (void)want(w, KIND_ROLE, "role", "SLAVE");
}

static size_t count_kind(const struct world *w, enum kind k)
{
    size_t n = 0;
    for (size_t i = 0; i < w->plan.n; i++)
        n += w->plan.actions[i].kind == k;
    return n;
}

static void order_is_phase_kind_name_with_deletions_last(void **state UNUSED)
{
    static const char *const ORDER[] = {
        "w.yml", "refs/heads/u", "refs/heads/c", "default-branch", "C", "U", "C", "U", "role", "D",
        "D",     "refs/heads/d"};
    struct world w;
    fill(&w);
    world_plan(&w);
    assert_int_equal(w.plan.n, ARRAY_LEN(ORDER));
    for (size_t i = 0; i < w.plan.n; i++)
        assert_string_equal(w.plan.actions[i].name, ORDER[i]);
    assert_int_equal(w.plan.actions[9].kind, KIND_VARIABLE); /* reverse order of kinds */
    assert_int_equal(w.plan.actions[10].kind, KIND_SECRET);
    world_release(&w);
}

static void a_kind_that_is_not_complete_is_left_alone(void **state UNUSED)
{
    static const enum view_state STATES[] = {VIEW_UNSEEN, VIEW_INCOMPLETE, VIEW_FAILED};
    for (enum kind k = KIND_REF; k < KIND_COUNT; k++) {
        for (size_t s = 0; s < ARRAY_LEN(STATES); s++) {
            for (int side = 0; side < 2; side++) {
                struct world w;
                fill(&w);
                struct view *v = side == 0 ? &w.desired : &w.observed;
                v->state[k] = STATES[s];
                if (STATES[s] == VIEW_FAILED)
                    view_set_error(v, k, &(struct err){ERR_PERMISSION, "403: no"});
                world_plan(&w);
                assert_int_equal(count_kind(&w, k), 0);
                assert_true(w.plan.n >= 8);
                const struct condition *c = find_condition(
                    &w, STATES[s] == VIEW_FAILED ? "view-failed" : "view-incomplete");
                bool guarded = k == KIND_ROLE && side == 1; /* the guard speaks of the marker */
                assert_int_equal(c == NULL, STATES[s] == VIEW_UNSEEN || guarded);
                if (c != NULL) {
                    assert_int_equal(c->level, COND_ERROR);
                    assert_int_equal(c->err,
                                     STATES[s] == VIEW_FAILED ? ERR_PERMISSION : ERR_CONFLICT);
                    assert_int_equal(c->kind, k);
                }
                world_release(&w);
            }
        }
    }
}

static void a_layer_that_is_off_is_left_alone_without_a_word(void **state UNUSED)
{
    for (enum layer l = 0; l < LAYER_COUNT; l++) {
        for (int how = 0; how < 2; how++) {
            struct world w;
            fill(&w);
            (how == 0 ? w.policy.sync : w.in.only)[l] = false;
            for (enum kind k = 0; k < KIND_COUNT; k++) {
                if (kind_layer(k) == l)
                    w.observed.state[k] = VIEW_FAILED;
            }
            world_plan(&w);
            for (enum kind k = 0; k < KIND_COUNT; k++) {
                if (kind_layer(k) == l)
                    assert_int_equal(count_kind(&w, k), 0);
            }
            assert_int_equal(w.plan.n_conditions, 0);
            assert_true(w.plan.n > 0);
            world_release(&w);
        }
    }
}

static void of_the_master_only_workflows_are_planned(void **state UNUSED)
{
    struct world w;
    fill(&w);
    w.in.is_master = true;
    w.in.role = ROLE_MASTER;
    w.policy = (struct slave_policy){.sync = {false}};
    world_plan(&w);
    assert_true(w.plan.is_master);
    assert_int_equal(w.plan.n, 1);
    assert_int_equal(w.plan.actions[0].kind, KIND_WORKFLOW);
    assert_string_equal(w.plan.actions[0].reason, "must not run in role MASTER");
    w.facts.marker = OID_A;
    w.facts.marker_role = ROLE_TEMPORARY_MASTER;
    plan_guard(&w.in, &w.plan);
    assert_int_equal(w.plan.refused, ERR_OK);
    world_release(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_phase_kind_name_with_deletions_last),
        cmocka_unit_test(a_kind_that_is_not_complete_is_left_alone),
        cmocka_unit_test(a_layer_that_is_off_is_left_alone_without_a_word),
        cmocka_unit_test(of_the_master_only_workflows_are_planned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
