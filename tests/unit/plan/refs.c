/* Refs and the default branch. */
#include "fixture.h"

/* Every relation against every policy, ours and not ours. */
static void relations_are_judged_as_the_policy_says(void **state UNUSED)
{
    enum { NOT = -1, UPDATE, FORCE, RESCUE };
    static const struct {
        enum ref_relation relation;
        enum on_divergence policy;
        bool move_tags;
        const char *ledger;
        int outcome;
        const char *code;
    } ROWS[] = {
        {REF_BEHIND, DIVERGENCE_REFUSE, false, OID_A, UPDATE, NULL},
        {REF_BEHIND, DIVERGENCE_REFUSE, false, NULL, UPDATE, NULL},
        {REF_BEHIND, DIVERGENCE_REFUSE, false, OID_C, UPDATE, NULL},
        {REF_REWOUND, DIVERGENCE_REFUSE, false, OID_A, FORCE, NULL},
        {REF_REWOUND, DIVERGENCE_REFUSE, false, OID_C, FORCE, NULL},
        {REF_REWOUND, DIVERGENCE_REFUSE, false, NULL, NOT, "ref-foreign"},
        {REF_REWOUND, DIVERGENCE_OVERWRITE, false, NULL, FORCE, NULL},
        {REF_DIVERGED, DIVERGENCE_REFUSE, false, OID_A, FORCE, NULL},
        {REF_DIVERGED, DIVERGENCE_REFUSE, false, OID_C, NOT, "ref-diverged"},
        {REF_DIVERGED, DIVERGENCE_REFUSE, false, NULL, NOT, "ref-diverged"},
        {REF_DIVERGED, DIVERGENCE_RESCUE, false, OID_C, RESCUE, NULL},
        {REF_DIVERGED, DIVERGENCE_RESCUE, false, OID_A, FORCE, NULL},
        {REF_DIVERGED, DIVERGENCE_OVERWRITE, false, NULL, FORCE, NULL},
        {REF_RELATION_NONE, DIVERGENCE_REFUSE, false, OID_C, NOT, "ref-diverged"},
        {REF_TAG_MOVED, DIVERGENCE_REFUSE, false, OID_A, NOT, "tag-moved"},
        {REF_TAG_MOVED, DIVERGENCE_OVERWRITE, false, NULL, NOT, "tag-moved"},
        {REF_TAG_MOVED, DIVERGENCE_REFUSE, true, OID_A, FORCE, NULL},
        {REF_TAG_MOVED, DIVERGENCE_RESCUE, true, OID_C, RESCUE, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct world w;
        world_init(&w);
        w.policy.refs.on_divergence = ROWS[i].policy;
        w.policy.refs.move_tags = ROWS[i].move_tags;
        ref3(&w, MAIN, OID_B, OID_A, ROWS[i].relation, ROWS[i].ledger);
        world_plan(&w);
        const struct action *a = find_action(&w, KIND_REF, MAIN);
        if ((a == NULL) != (ROWS[i].outcome == NOT))
            fail_msg("row %zu: %zu actions", i, w.plan.n);
        if (a == NULL) {
            assert_non_null(find_condition(&w, ROWS[i].code));
        } else {
            if (a->forced != (ROWS[i].outcome != UPDATE) ||
                a->rescue != (ROWS[i].outcome == RESCUE))
                fail_msg("row %zu: forced %d, rescue %d", i, a->forced, a->rescue);
            assert_int_equal(a->act, ACT_UPDATE);
            assert_string_equal(a->from, OID_A);
            assert_string_equal(a->to, OID_B);
            assert_int_equal(a->phase, PHASE_CODE);
        }
        world_release(&w);
    }
}

static void a_divergence_names_both_sides_and_the_cure(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    ref3(&w, MAIN, OID_B, OID_A, REF_DIVERGED, NULL);
    world_plan(&w);
    const struct condition *c = find_condition(&w, "ref-diverged");
    assert_int_equal(c->level, COND_BLOCKED);
    assert_int_equal(c->err, ERR_REFUSED);
    assert_string_equal(c->text, "refs/heads/main: the slave has commits that the master does not "
                                 "know (slave aaaaaaaa, master bbbbbbbb)");
    assert_non_null(strstr(c->cure, "refs.on_divergence"));
    world_release(&w);
}

static void equal_refs_are_adopted_without_a_word(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    ref3(&w, MAIN, OID_A, OID_A, REF_SAME, NULL);
    ref3(&w, "refs/tags/v1", OID_B, OID_B, REF_SAME, OID_B);
    world_plan(&w);
    assert_int_equal(w.plan.n, 1);
    assert_int_equal(w.plan.actions[0].act, ACT_ADOPT);
    assert_string_equal(w.plan.actions[0].to, OID_A);
    assert_int_equal(w.plan.n_conditions, 0);
    world_release(&w);
}

static void details_tell_what_a_push_brings(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    ref3(&w, MAIN, OID_B, OID_A, REF_BEHIND, OID_A);
    ref3(&w, "refs/heads/new", OID_B, NULL, REF_RELATION_NONE, NULL);
    ref3(&w, "refs/heads/one", OID_B, OID_A, REF_BEHIND, OID_A);
    for (size_t i = 0; i < w.observed.n; i++) {
        w.observed.items[i].count = i == 0 ? 12 : 1;
        w.observed.items[i].detail = i == 0 ? "Fix the tick" : NULL;
    }
    world_plan(&w);
    assert_string_equal(find_action(&w, KIND_REF, MAIN)->detail, "12 commits, \"Fix the tick\"");
    assert_string_equal(find_action(&w, KIND_REF, "refs/heads/one")->detail, "1 commit");
    assert_null(find_action(&w, KIND_REF, "refs/heads/new")->detail);
    world_release(&w);
}

/* ---- Deleting ------------------------------------------------------------------------------ */

static void only_our_own_covered_refs_are_pruned(void **state UNUSED)
{
    static const char *const EXCLUDE[] = {"refs/heads/wip/*", NULL};
    struct world w;
    world_init(&w);
    w.policy.refs.prune = true;
    w.policy.refs.exclude = EXCLUDE;
    ref3(&w, MAIN, OID_A, OID_A, REF_SAME, OID_A);
    ref3(&w, "refs/heads/gone", NULL, OID_A, REF_RELATION_NONE, OID_A);
    ref3(&w, "refs/heads/theirs", NULL, OID_A, REF_RELATION_NONE, NULL);
    ref3(&w, "refs/heads/wip/x", NULL, OID_A, REF_RELATION_NONE, OID_A);
    ref3(&w, "refs/pull/1/head", NULL, OID_A, REF_RELATION_NONE, OID_A);
    ref3(&w, "refs/mirrorctl/role", NULL, OID_A, REF_RELATION_NONE, OID_A);
    world_plan(&w);
    assert_int_equal(w.plan.n, 1);
    const struct action *a = find_action(&w, KIND_REF, "refs/heads/gone");
    assert_int_equal(a->act, ACT_DELETE);
    assert_int_equal(a->phase, PHASE_DELETE);
    assert_string_equal(a->from, OID_A);
    assert_null(a->to);
    assert_string_equal(find_condition(&w, "foreign-kept")->text,
                        "1 ref not created by mirrorctl, left alone: refs/heads/theirs");
    world_release(&w);
}

static void without_prune_it_is_only_said(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    ref3(&w, "refs/heads/gone", NULL, OID_A, REF_RELATION_NONE, OID_A);
    ref3(&w, "refs/heads/theirs", NULL, OID_A, REF_RELATION_NONE, NULL);
    world_plan(&w);
    assert_int_equal(w.plan.n, 0);
    assert_int_equal(w.plan.n_conditions, 1);
    assert_non_null(find_condition(&w, "not-pruned"));

    w.in.prune = true;
    world_plan(&w);
    assert_int_equal(w.plan.n, 1);
    world_release(&w);
}

static void the_default_branch_is_not_deleted_under_the_slave(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    w.policy.refs.prune = true;
    ref3(&w, MAIN, OID_A, OID_A, REF_SAME, OID_A);
    ref3(&w, "refs/heads/old", NULL, OID_A, REF_RELATION_NONE, OID_A);
    (void)there(&w, KIND_DEFAULT_BRANCH, "default-branch", "old");
    world_plan(&w);
    assert_int_equal(w.plan.n, 0);
    assert_int_equal(find_condition(&w, "default-branch-kept")->level, COND_WARNING);

    /* It changes in this plan: first that, then the deletion. */
    (void)want(&w, KIND_DEFAULT_BRANCH, "default-branch", "main");
    world_plan(&w);
    assert_int_equal(w.plan.n, 2);
    assert_int_equal(w.plan.actions[0].kind, KIND_DEFAULT_BRANCH);
    assert_int_equal(w.plan.actions[1].act, ACT_DELETE);

    /* It should, and may not. */
    w.facts.admin = TRI_NO;
    world_plan(&w);
    assert_int_equal(w.plan.n, 0);
    assert_non_null(find_condition(&w, "default-branch-kept"));
    assert_non_null(find_condition(&w, "default-branch-admin"));
    world_release(&w);
}

static void work_on_a_pruned_branch_is_not_lost(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    w.policy.refs.prune = true;
    ref3(&w, "refs/heads/gone", NULL, OID_B, REF_RELATION_NONE, OID_A);
    world_plan(&w);
    assert_int_equal(w.plan.n, 0);
    assert_int_equal(find_condition(&w, "ref-diverged")->level, COND_BLOCKED);

    w.policy.refs.on_divergence = DIVERGENCE_RESCUE;
    world_plan(&w);
    assert_int_equal(w.plan.n, 1);
    assert_true(w.plan.actions[0].rescue);

    w.policy.refs.on_divergence = DIVERGENCE_OVERWRITE;
    world_plan(&w);
    assert_int_equal(w.plan.n, 1);
    assert_false(w.plan.actions[0].rescue);
    world_release(&w);
}

/* ---- refs/heads/a and refs/heads/a/b cannot both be ---------------------------------------- */

static void check_way(const char *wanted, const char *in_the_way, bool prune, bool is_ours)
{
    struct world w;
    world_init(&w);
    w.policy.refs.prune = prune;
    ref3(&w, wanted, OID_B, NULL, REF_RELATION_NONE, NULL);
    ref3(&w, in_the_way, NULL, OID_A, REF_RELATION_NONE, is_ours ? OID_A : NULL);
    ref3(&w, "refs/heads/a-side", OID_A, OID_A, REF_SAME, OID_A); /* sorts between them */
    ref3(&w, "refs/heads/a0", OID_A, OID_A, REF_SAME, OID_A);
    world_plan(&w);
    if (prune && is_ours) {
        assert_int_equal(w.plan.n, 2);
        assert_int_equal(w.plan.actions[0].act, ACT_DELETE);
        assert_int_equal(w.plan.actions[0].phase, PHASE_QUIET);
        assert_int_equal(w.plan.actions[1].act, ACT_CREATE);
        assert_int_equal(w.plan.actions[1].phase, PHASE_CODE);
        assert_int_equal(w.plan.n_conditions, 0);
    } else {
        assert_int_equal(w.plan.n, 0);
        const struct condition *c = find_condition(&w, "ref-in-the-way");
        assert_non_null(c);
        assert_non_null(strstr(c->text, in_the_way));
    }
    world_release(&w);
}

static void a_ref_in_the_way_goes_first_or_blocks(void **state UNUSED)
{
    for (int bits = 0; bits < 4; bits++) {
        check_way("refs/heads/a/b", "refs/heads/a", (bits & 1) != 0, (bits & 2) != 0);
        check_way("refs/heads/a", "refs/heads/a/b", (bits & 1) != 0, (bits & 2) != 0);
        check_way("refs/heads/a", "refs/heads/a/b/c", (bits & 1) != 0, (bits & 2) != 0);
    }
}

/* Excluded from everything, so from being deleted too, even for a wanted ref's sake. */
static void an_excluded_ref_in_the_way_stays(void **state UNUSED)
{
    static const char *const WIP[] = {"refs/heads/wip/*", NULL};
    struct world w;
    world_init(&w);
    w.policy.refs.prune = true;
    w.policy.refs.exclude = WIP;
    ref3(&w, "refs/heads/wip", OID_B, NULL, REF_RELATION_NONE, NULL);
    ref3(&w, "refs/heads/wip/x", NULL, OID_A, REF_RELATION_NONE, OID_A);
    world_plan(&w);
    assert_int_equal(w.plan.n, 0);
    assert_non_null(find_condition(&w, "ref-in-the-way"));
    world_release(&w);
}

/*
 * The default branch cannot go before another one has taken its place, and not at all when its
 * place is to be taken by what it keeps from being created.
 */
static void a_default_branch_in_the_way_goes_last(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    w.policy.refs.prune = true;
    ref3(&w, "refs/heads/a/b", OID_B, NULL, REF_RELATION_NONE, NULL);
    ref3(&w, "refs/heads/a", NULL, OID_A, REF_RELATION_NONE, OID_A);
    ref3(&w, MAIN, OID_A, OID_A, REF_SAME, OID_A);
    (void)there(&w, KIND_DEFAULT_BRANCH, "default-branch", "a");
    (void)want(&w, KIND_DEFAULT_BRANCH, "default-branch", "main");
    world_plan(&w);
    assert_int_equal(w.plan.n, 2);
    assert_int_equal(w.plan.actions[0].kind, KIND_DEFAULT_BRANCH);
    assert_int_equal(w.plan.actions[1].phase, PHASE_DELETE);
    assert_non_null(find_condition(&w, "ref-in-the-way"));

    (void)want(&w, KIND_DEFAULT_BRANCH, "default-branch", "a/b"); /* the later one wins */
    world_plan(&w);
    assert_int_equal(w.plan.n, 0);
    assert_non_null(find_condition(&w, "ref-in-the-way"));
    assert_non_null(find_condition(&w, "default-branch-kept"));
    world_release(&w);
}

/* ---- Order, and the default branch --------------------------------------------------------- */

static void the_default_branch_is_pushed_first(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    w.facts.empty = true;
    ref3(&w, "refs/heads/a", OID_A, NULL, REF_RELATION_NONE, NULL);
    ref3(&w, "refs/heads/trunk", OID_A, NULL, REF_RELATION_NONE, NULL);
    ref3(&w, "refs/heads/b", OID_A, NULL, REF_RELATION_NONE, NULL);
    (void)want(&w, KIND_DEFAULT_BRANCH, "default-branch", "trunk");
    (void)there(&w, KIND_DEFAULT_BRANCH, "default-branch", "main");
    world_plan(&w);
    static const char *const ORDER[] = {"refs/heads/trunk", "refs/heads/a", "refs/heads/b",
                                        "default-branch"};
    assert_int_equal(w.plan.n, ARRAY_LEN(ORDER));
    for (size_t i = 0; i < w.plan.n; i++)
        assert_string_equal(w.plan.actions[i].name, ORDER[i]);

    /* Without the right to change it nothing is lost: the first push decides. */
    w.facts.admin = TRI_NO;
    world_plan(&w);
    assert_int_equal(w.plan.n, 3);
    assert_int_equal(w.plan.n_conditions, 0);
    world_release(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relations_are_judged_as_the_policy_says),
        cmocka_unit_test(a_divergence_names_both_sides_and_the_cure),
        cmocka_unit_test(equal_refs_are_adopted_without_a_word),
        cmocka_unit_test(details_tell_what_a_push_brings),
        cmocka_unit_test(only_our_own_covered_refs_are_pruned),
        cmocka_unit_test(without_prune_it_is_only_said),
        cmocka_unit_test(the_default_branch_is_not_deleted_under_the_slave),
        cmocka_unit_test(work_on_a_pruned_branch_is_not_lost),
        cmocka_unit_test(a_ref_in_the_way_goes_first_or_blocks),
        cmocka_unit_test(an_excluded_ref_in_the_way_stays),
        cmocka_unit_test(a_default_branch_in_the_way_goes_last),
        cmocka_unit_test(the_default_branch_is_pushed_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
