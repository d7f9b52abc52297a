/* Workflows, the Actions switch, the role marker. */
#include "fixture.h"

static struct resource *listed(struct world *w, const char *file, const char *state)
{
    bool on = str_eq(state, "active");
    struct resource *r = there(w, KIND_WORKFLOW, file, on ? "on" : "off");
    r->detail = state;
    r->id = 7;
    if (str_eq(state, "deleted"))
        r->flags = RES_GHOST;
    return r;
}

static void workflows_are_switched_as_the_role_wants(void **state UNUSED)
{
    static const struct {
        const char *wanted, *state, *ledger, *reason; /* reason NULL: no remote action */
        enum phase phase;
    } ROWS[] = {
        {"off", "active", NULL, "must not run in role SLAVE", PHASE_QUIET},
        {"off", "active", "off", "somebody switched it on", PHASE_QUIET},
        {"off", "active", "on", "its role changed here", PHASE_QUIET},
        {"off", "disabled_manually", NULL, NULL, PHASE_LEDGER},
        {"off", "disabled_inactivity", "off", NULL, PHASE_LEDGER},
        {"on", "active", NULL, NULL, PHASE_LEDGER},
        {"on", "disabled_manually", "on", "somebody switched it off", PHASE_WORKFLOWS},
        {"on", "disabled_inactivity", "on", "the server switched it off for inactivity",
         PHASE_WORKFLOWS},
        {"on", "disabled_fork", NULL, "the server keeps it off because it is in a fork",
         PHASE_WORKFLOWS},
        {"on", "disabled_manually", "off", "its role changed here", PHASE_WORKFLOWS},
        {"on", "whatever_comes", NULL, "runs in role SLAVE", PHASE_WORKFLOWS},
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct world w;
        world_init(&w);
        (void)want(&w, KIND_WORKFLOW, "x.yml", ROWS[i].wanted);
        (void)listed(&w, "x.yml", ROWS[i].state);
        if (ROWS[i].ledger != NULL)
            (void)ours(&w, KIND_WORKFLOW, "x.yml", ROWS[i].ledger);
        world_plan(&w);
        const struct action *a = find_action(&w, KIND_WORKFLOW, "x.yml");
        if (ROWS[i].reason == NULL) {
            if (a != NULL && act_is_remote(a->act))
                fail_msg("row %zu: %s", i, a->reason);
        } else {
            if (a == NULL || !str_eq(a->reason, ROWS[i].reason) || a->phase != ROWS[i].phase)
                fail_msg("row %zu: %s", i, a != NULL ? a->reason : "no action");
            assert_int_equal(a->id, 7);
            assert_string_equal(a->to, ROWS[i].wanted);
        }
        world_release(&w);
    }
}

static void files_that_arrive_are_quieted_behind_the_push(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    ref3(&w, MAIN, OID_B, OID_A, REF_BEHIND, OID_A);
    want(&w, KIND_WORKFLOW, "new.yml", "off")->flags = RES_ARRIVES;
    want(&w, KIND_WORKFLOW, "again.yml", "off")->flags = RES_ARRIVES;
    want(&w, KIND_WORKFLOW, "runs.yml", "on")->flags = RES_ARRIVES;
    (void)listed(&w, "again.yml", "deleted");
    world_plan(&w);
    assert_int_equal(w.plan.n, 3);
    for (size_t i = 1; i < 3; i++) {
        assert_int_equal(w.plan.actions[i].phase, PHASE_WORKFLOWS);
        assert_int_equal(w.plan.actions[i].act, ACT_UPDATE);
        assert_true(w.plan.actions[i].arrives);
        assert_string_equal(w.plan.actions[i].to, "off");
        assert_string_equal(w.plan.actions[i].reason, "its file arrives with the code");
    }
    assert_int_equal(w.plan.n_conditions, 0);
    world_release(&w);
}

static void a_file_that_is_not_there_is_a_condition(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    (void)want(&w, KIND_WORKFLOW, "on.yml", "on");
    (void)want(&w, KIND_WORKFLOW, "off.yml", "off");
    (void)want(&w, KIND_WORKFLOW, "ghost.yml", "off");
    (void)listed(&w, "ghost.yml", "deleted");
    world_plan(&w);
    assert_int_equal(w.plan.n, 0);
    assert_int_equal(w.plan.n_conditions, 2);
    assert_string_equal(w.plan.conditions[0].text, "workflow 'off.yml': there is no such file");
    assert_int_equal(w.plan.conditions[0].level, COND_NOTE);
    assert_string_equal(w.plan.conditions[1].text, "workflow 'on.yml': there is no such file");
    assert_int_equal(w.plan.conditions[1].level, COND_WARNING);
    assert_string_equal(w.plan.conditions[1].code, "workflow-missing");
    assert_int_equal(w.plan.conditions[1].err, ERR_OK);
    world_release(&w);
}

/* The code is there already: no push will bring the file, and there is nothing to switch. */
static void a_file_that_the_server_does_not_list_is_told(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    ref3(&w, MAIN, OID_A, OID_A, REF_SAME, OID_A);
    want(&w, KIND_WORKFLOW, "x.yml", "off")->flags = RES_ARRIVES;
    world_plan(&w);
    assert_int_equal(w.plan.n, 0);
    assert_int_equal(find_condition(&w, "workflow-unlisted")->level, COND_WARNING);
    world_release(&w);
}

static void workflows_are_never_deleted(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    w.in.prune = true;
    (void)listed(&w, "x.yml", "active");
    (void)listed(&w, "y.yml", "active");
    (void)ours(&w, KIND_WORKFLOW, "x.yml", "off");
    world_plan(&w);
    assert_int_equal(w.plan.n, 0);
    assert_int_equal(w.plan.n_conditions, 0);
    world_release(&w);
}

/* ---- The Actions switch -------------------------------------------------------------------- */

static void seed(struct world *w, const char *observed, const char *ledger)
{
    world_init(w);
    w->facts.empty = true;
    ref3(w, MAIN, OID_A, NULL, REF_RELATION_NONE, NULL);
    want(w, KIND_ACTIONS, "actions", "on")->flags = RES_SEEDING;
    want(w, KIND_WORKFLOW, "cron.yml", "off")->flags = RES_ARRIVES;
    if (observed != NULL)
        (void)there(w, KIND_ACTIONS, "actions", observed);
    if (ledger != NULL)
        (void)ours(w, KIND_ACTIONS, "actions", ledger);
}

static void check_order(const struct world *w, const char *const *names, const char *const *to,
                        size_t n)
{
    assert_int_equal(w->plan.n, n);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(w->plan.actions[i].name, names[i]);
        assert_string_equal(w->plan.actions[i].to, to[i]);
    }
}

static void a_first_push_is_made_with_actions_off(void **state UNUSED)
{
    static const char *const NAMES[] = {"actions", MAIN, "actions", "cron.yml"};
    static const char *const TO[] = {"off", OID_A, "on", "off"};
    struct world w;
    seed(&w, "on", NULL);
    world_plan(&w);
    check_order(&w, NAMES, TO, 4);
    assert_int_equal(w.plan.actions[0].phase, PHASE_QUIET);
    assert_string_equal(w.plan.actions[0].from, "on");
    assert_string_equal(w.plan.actions[2].from, "off");
    world_release(&w);

    seed(&w, "off", "off"); /* killed between switch and push */
    world_plan(&w);
    check_order(&w, NAMES + 1, TO + 1, 3);
    world_release(&w);
}

static void an_interrupted_seeding_is_ended(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    (void)want(&w, KIND_ACTIONS, "actions", "on");
    (void)there(&w, KIND_ACTIONS, "actions", "off");
    (void)ours(&w, KIND_ACTIONS, "actions", "off");
    world_plan(&w);
    assert_int_equal(w.plan.n, 1);
    assert_string_equal(w.plan.actions[0].to, "on");
    assert_int_equal(w.plan.actions[0].phase, PHASE_WORKFLOWS);
    assert_string_equal(w.plan.actions[0].reason,
                        "was switched off for a first push that did not end");
    world_release(&w);
}

static void without_the_right_the_window_is_told(void **state UNUSED)
{
    struct world w;
    seed(&w, "on", NULL);
    w.facts.admin = TRI_NO;
    world_plan(&w);
    assert_null(find_action(&w, KIND_ACTIONS, "actions"));
    assert_int_equal(find_condition(&w, "seeding-window")->level, COND_WARNING);
    assert_non_null(find_action(&w, KIND_REF, MAIN));
    world_release(&w);

    seed(&w, NULL, NULL); /* may not even look */
    w.observed.state[KIND_ACTIONS] = VIEW_FAILED;
    view_set_error(&w.observed, KIND_ACTIONS, &(struct err){ERR_PERMISSION, "403"});
    world_plan(&w);
    assert_int_equal(w.plan.n_conditions, 1);
    assert_int_equal(find_condition(&w, "seeding-window")->err, ERR_OK);
    assert_non_null(find_action(&w, KIND_REF, MAIN));
    world_release(&w);
}

static void actions_off_by_its_owner_stays_off(void **state UNUSED)
{
    struct world w;
    seed(&w, "off", NULL);
    world_plan(&w);
    assert_null(find_action(&w, KIND_ACTIONS, "actions"));
    assert_int_equal(find_condition(&w, "actions-off")->level, COND_WARNING);
    world_release(&w);
}

/* An empty master: nothing is pushed, so nothing is switched, in this pass or any other. */
static void nothing_is_switched_for_a_push_of_nothing(void **state UNUSED)
{
    static const char *const STATES[] = {"on", "off"};
    for (size_t i = 0; i < ARRAY_LEN(STATES); i++) {
        struct world w;
        world_init(&w);
        w.facts.empty = true;
        want(&w, KIND_ACTIONS, "actions", "on")->flags = RES_SEEDING;
        (void)there(&w, KIND_ACTIONS, "actions", STATES[i]);
        world_plan(&w);
        for (size_t k = 0; k < w.plan.n; k++)
            assert_false(act_is_remote(w.plan.actions[k].act));
        assert_int_equal(w.plan.n_conditions, 0);
        world_release(&w);
    }
}

/* ---- The marker ---------------------------------------------------------------------------- */

static void a_marker_is_made_once_and_never_changed(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    (void)want(&w, KIND_ROLE, "role", "SLAVE");
    world_plan(&w);
    assert_int_equal(w.plan.n, 1);
    assert_int_equal(w.plan.actions[0].act, ACT_CREATE);
    assert_int_equal(w.plan.actions[0].phase, PHASE_ROLE);
    assert_string_equal(w.plan.actions[0].to, "SLAVE");

    ours(&w, KIND_ROLE, "role", "SLAVE")->stamp = OID_A; /* was there, and is gone */
    world_plan(&w);
    assert_int_equal(w.plan.n, 0);
    w.in.takeover = true;
    world_plan(&w);
    assert_int_equal(w.plan.n, 1);
    w.in.takeover = false;

    there(&w, KIND_ROLE, "role", "TEMPORARY_MASTER")->stamp = OID_B;
    world_plan(&w);
    assert_int_equal(w.plan.n, 0);
    world_release(&w);
}

static void the_ledger_follows_a_marker_of_the_same_role(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    (void)want(&w, KIND_ROLE, "role", "SLAVE");
    there(&w, KIND_ROLE, "role", "SLAVE")->stamp = OID_B;
    ours(&w, KIND_ROLE, "role", "SLAVE")->stamp = OID_A;
    world_plan(&w);
    assert_int_equal(w.plan.n, 1);
    assert_int_equal(w.plan.actions[0].act, ACT_ADOPT);
    assert_string_equal(w.plan.actions[0].stamp, OID_B);
    world_release(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workflows_are_switched_as_the_role_wants),
        cmocka_unit_test(files_that_arrive_are_quieted_behind_the_push),
        cmocka_unit_test(a_file_that_is_not_there_is_a_condition),
        cmocka_unit_test(a_file_that_the_server_does_not_list_is_told),
        cmocka_unit_test(workflows_are_never_deleted),
        cmocka_unit_test(a_first_push_is_made_with_actions_off),
        cmocka_unit_test(an_interrupted_seeding_is_ended),
        cmocka_unit_test(without_the_right_the_window_is_told),
        cmocka_unit_test(actions_off_by_its_owner_stays_off),
        cmocka_unit_test(nothing_is_switched_for_a_push_of_nothing),
        cmocka_unit_test(a_marker_is_made_once_and_never_changed),
        cmocka_unit_test(the_ledger_follows_a_marker_of_the_same_role),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
