/* Each guard holds back for its own reason and no other, and lets go by its own cure. */
#include "fixture.h"

static enum err_code guarded(struct world *w)
{
    world_plan(w);
    plan_guard(&w->in, &w->plan);
    if (w->plan.refused == ERR_OK) {
        assert_int_equal(w->plan.n_conditions, 0);
        return ERR_OK;
    }
    const struct condition *c = &w->plan.conditions[w->plan.n_conditions - 1];
    assert_int_equal(c->level, COND_BLOCKED);
    assert_int_equal(c->err, w->plan.refused);
    assert_non_null(c->cure);
    assert_false(c->about_kind);
    return w->plan.refused;
}

static void marked(struct world *w)
{
    world_init(w);
    w->facts.marker = w->facts.last_marker = OID_A;
    w->facts.controller = "me";
    w->facts.epoch = w->facts.last_epoch = 4;
    w->facts.repo_id = w->facts.last_repo_id = 17;
}

static void a_quiet_slave_passes(void **state UNUSED)
{
    struct world w;
    marked(&w);
    assert_int_equal(guarded(&w), ERR_OK);
    world_release(&w);

    world_init(&w); /* the first time: no marker, nothing known */
    w.facts.repo_id = 17;
    assert_int_equal(guarded(&w), ERR_OK);
    world_release(&w);
}

static void a_promoted_slave_is_fenced_whatever_is_said(void **state UNUSED)
{
    struct world w;
    marked(&w);
    w.facts.marker_role = ROLE_TEMPORARY_MASTER;
    w.in.takeover = true;
    assert_int_equal(guarded(&w), ERR_FENCED);
    assert_non_null(find_condition(&w, "fenced-promoted"));
    assert_string_equal(w.plan.conditions[0].text,
                        "the slave is TEMPORARY_MASTER (epoch 4): nothing is written to it");
    w.facts.marker_role = ROLE_MASTER;
    assert_int_equal(guarded(&w), ERR_FENCED);
    world_release(&w);
}

static void a_grown_epoch_fences(void **state UNUSED)
{
    struct world w;
    marked(&w);
    w.facts.epoch = 5;
    assert_int_equal(guarded(&w), ERR_FENCED);
    assert_non_null(find_condition(&w, "fenced-epoch"));
    w.in.takeover = true;
    assert_int_equal(guarded(&w), ERR_OK);
    w.in.takeover = false;
    w.facts.last_marker = NULL; /* never seen before: nothing to have grown from */
    assert_int_equal(guarded(&w), ERR_OK);
    world_release(&w);
}

static void a_marker_that_vanished_fences(void **state UNUSED)
{
    struct world w;
    marked(&w);
    w.facts.marker = NULL;
    assert_int_equal(guarded(&w), ERR_FENCED);
    assert_non_null(find_condition(&w, "fenced-marker-gone"));
    w.facts.last_marker = NULL;
    (void)ours(&w, KIND_ROLE, "role", "SLAVE");
    assert_int_equal(guarded(&w), ERR_FENCED);
    w.in.takeover = true;
    w.ledger.n = 0;
    w.facts.last_marker = OID_A;
    assert_int_equal(guarded(&w), ERR_OK);
    world_release(&w);
}

static void a_marker_that_cannot_be_read_stops_the_slave(void **state UNUSED)
{
    struct world w;
    marked(&w);
    (void)want(&w, KIND_ROLE, "role", "SLAVE");
    w.observed.state[KIND_ROLE] = VIEW_FAILED;
    view_set_error(&w.observed, KIND_ROLE, &(struct err){ERR_UNAVAILABLE, "away"});
    assert_int_equal(guarded(&w), ERR_UNAVAILABLE);
    view_set_error(&w.observed, KIND_ROLE, &(struct err)ERR_INIT);
    assert_int_equal(guarded(&w), ERR_FENCED);
    assert_non_null(find_condition(&w, "marker-unreadable"));
    world_release(&w);
}

static void another_controller_locks(void **state UNUSED)
{
    struct world w;
    marked(&w);
    w.facts.controller = "them";
    assert_int_equal(guarded(&w), ERR_LOCKED);
    w.in.takeover = true;
    assert_int_equal(guarded(&w), ERR_OK);
    w.in.takeover = false;
    w.in.controller = NULL; /* a diff before the first apply has no store */
    assert_int_equal(guarded(&w), ERR_LOCKED);
    world_release(&w);
}

static void an_archived_or_replaced_repository_is_refused(void **state UNUSED)
{
    struct world w;
    marked(&w);
    w.facts.archived = true;
    assert_int_equal(guarded(&w), ERR_REFUSED);
    assert_non_null(find_condition(&w, "archived"));
    w.facts.archived = false;
    w.facts.repo_id = 18;
    assert_int_equal(guarded(&w), ERR_REFUSED);
    assert_non_null(find_condition(&w, "repository-replaced"));
    w.in.allow_replaced = true;
    assert_int_equal(guarded(&w), ERR_OK);
    world_release(&w);
}

static void a_master_without_refs_is_not_believed(void **state UNUSED)
{
    struct world w;
    marked(&w);
    ref3(&w, MAIN, NULL, OID_A, REF_RELATION_NONE, OID_A);
    w.in.prune = true;
    assert_int_equal(guarded(&w), ERR_REFUSED);
    assert_non_null(find_condition(&w, "master-empty"));
    w.policy.sync[LAYER_CODE] = false;
    assert_int_equal(guarded(&w), ERR_OK);
    world_release(&w);
}

static void an_emptied_kind_is_not_believed(void **state UNUSED)
{
    struct world w;
    marked(&w);
    (void)there(&w, KIND_SECRET, "A", NULL);
    (void)ours(&w, KIND_SECRET, "A", "f");
    w.in.prune = true;
    assert_int_equal(guarded(&w), ERR_REFUSED);
    assert_string_equal(find_condition(&w, "kind-emptied")->text,
                        "no secrets are wanted any more, and the last one would be deleted");
    world_release(&w);
}

/* n secrets of ours to be deleted beside `kept` that stay. */
static void deleting(struct world *w, int n, int kept)
{
    marked(w);
    w->policy.prune[KIND_SECRET] = true;
    for (int i = 0; i < n + kept; i++) {
        const char *name = arena_printf(w->arena, "S%03d", i);
        there(w, KIND_SECRET, name, NULL)->stamp = "s";
        ours(w, KIND_SECRET, name, "f")->stamp = "s";
        if (i >= n)
            (void)want(w, KIND_SECRET, name, "f");
    }
}

static void deletions_are_limited_by_count_and_share(void **state UNUSED)
{
    static const struct {
        int deletes, kept, max, share;
        const char *code; /* NULL: passes */
    } ROWS[] = {
        {10, 90, 10, 50, NULL},
        {11, 90, 10, 50, "too-many-deletes"},
        {11, 90, 11, 50, NULL},
        {1, 9, 0, 50, "too-many-deletes"},
        {4, 1, 10, 50, NULL},
        {5, 5, 10, 50, NULL},
        {5, 4, 10, 50, "too-large-a-share"},
        {6, 5, 10, 50, "too-large-a-share"},
        {9, 1, 10, 100, NULL},
        {5, 95, 10, 0, "too-large-a-share"},
        {1, 1, -1, 50, "too-many-deletes"},
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct world w;
        deleting(&w, ROWS[i].deletes, ROWS[i].kept);
        w.policy.guards =
            (struct guards){.max_deletes = ROWS[i].max, .max_delete_share = ROWS[i].share};
        enum err_code r = guarded(&w);
        if ((r == ERR_OK) != (ROWS[i].code == NULL))
            fail_msg("row %zu: %s", i, err_code_name(r));
        if (ROWS[i].code != NULL && find_condition(&w, ROWS[i].code) == NULL)
            fail_msg("row %zu: %s", i, w.plan.conditions[0].code);
        assert_int_equal(w.plan.n, ROWS[i].deletes); /* stay, for display */
        world_release(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quiet_slave_passes),
        cmocka_unit_test(a_promoted_slave_is_fenced_whatever_is_said),
        cmocka_unit_test(a_grown_epoch_fences),
        cmocka_unit_test(a_marker_that_vanished_fences),
        cmocka_unit_test(a_marker_that_cannot_be_read_stops_the_slave),
        cmocka_unit_test(another_controller_locks),
        cmocka_unit_test(an_archived_or_replaced_repository_is_refused),
        cmocka_unit_test(a_master_without_refs_is_not_believed),
        cmocka_unit_test(an_emptied_kind_is_not_believed),
        cmocka_unit_test(deletions_are_limited_by_count_and_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
