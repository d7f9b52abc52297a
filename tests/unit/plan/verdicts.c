/* The eight rows, and secrets and variables, which follow them most plainly. */
#include "fixture.h"

#include "../../../src/plan/verdict.h"

static void the_table_is_total_and_knows_its_own_rows(void **state UNUSED)
{
    bool used[VERDICT_COUNT] = {false};
    for (int bits = 0; bits < 8; bits++) {
        bool wanted = (bits & 4) != 0, is_there = (bits & 2) != 0, is_ours = (bits & 1) != 0;
        const struct verdict_row *r = plan_verdict(wanted, is_there, is_ours);
        assert_int_equal(r->wanted, wanted);
        assert_int_equal(r->there, is_there);
        assert_int_equal(r->ours, is_ours);
        assert_non_null(r->sentence);
        assert_false(used[r->verdict]);
        used[r->verdict] = true;
    }
}

static void every_kind_has_a_complete_rule(void **state UNUSED)
{
    for (enum kind k = 0; k < KIND_COUNT; k++) {
        const struct kind_rule *r = plan_rule(k);
        assert_int_equal(r->kind, k);
        assert_non_null(r->many);
        assert_non_null(r->equal);
        assert_non_null(r->drift);
        assert_non_null(r->missing);
        assert_non_null(r->change);
        assert_non_null(r->destroy);
        assert_true(!r->deletable || r->gone != NULL);
        assert_true(k == KIND_ROLE || (r->here && r->there && r->both && r->taken));
    }
}

/* One variable through all eight rows, twice where pruning makes a difference. */
static void each_row_fires(void **state UNUSED)
{
    static const struct {
        const char *wanted, *observed, *ledger;
        bool prune;
        int act; /* -1: none */
        const char *condition;
    } ROWS[] = {
        {NULL, NULL, NULL, true, -1, NULL},         {NULL, NULL, "v", false, ACT_FORGET, NULL},
        {NULL, "v", NULL, false, -1, NULL},         {NULL, "v", NULL, true, -1, "foreign-kept"},
        {NULL, "v", "v", false, -1, "not-pruned"},  {NULL, "v", "v", true, ACT_DELETE, NULL},
        {"v", NULL, NULL, false, ACT_CREATE, NULL}, {"v", NULL, "v", false, ACT_CREATE, NULL},
        {"v", "v", NULL, false, ACT_ADOPT, NULL},   {"v", "w", NULL, false, -1, "variable-foreign"},
        {"v", "v", "v", false, -1, NULL},           {"v", "w", "w", false, ACT_UPDATE, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct world w;
        world_init(&w);
        if (ROWS[i].wanted != NULL)
            (void)want(&w, KIND_VARIABLE, "V", ROWS[i].wanted);
        if (ROWS[i].observed != NULL)
            (void)there(&w, KIND_VARIABLE, "V", ROWS[i].observed);
        if (ROWS[i].ledger != NULL)
            (void)ours(&w, KIND_VARIABLE, "V", ROWS[i].ledger);
        w.policy.prune[KIND_VARIABLE] = ROWS[i].prune;
        world_plan(&w);
        const struct action *a = find_action(&w, KIND_VARIABLE, "V");
        if (w.plan.n != (ROWS[i].act >= 0) || (a != NULL && (int)a->act != ROWS[i].act))
            fail_msg("row %zu: %zu actions", i, w.plan.n);
        if (w.plan.n_conditions != (ROWS[i].condition != NULL))
            fail_msg("row %zu: %zu conditions", i, w.plan.n_conditions);
        if (ROWS[i].condition != NULL && find_condition(&w, ROWS[i].condition) == NULL)
            fail_msg("row %zu: %s", i, w.plan.conditions[0].code);
        world_release(&w);
    }
}

static void drift_of_a_variable_says_who_moved(void **state UNUSED)
{
    static const struct {
        const char *wanted, *observed, *ledger, *reason;
        enum drift drift;
    } ROWS[] = {
        {"new", "old", "old", "changed here", DRIFT_CHANGED_HERE},
        {"old", "other", "old", "somebody changed it at the slave", DRIFT_CHANGED_THERE},
        {"new", "other", "old", "changed here and at the slave", DRIFT_BOTH},
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct world w;
        world_init(&w);
        (void)want(&w, KIND_VARIABLE, "V", ROWS[i].wanted);
        there(&w, KIND_VARIABLE, "V", ROWS[i].observed)->stamp = "s1";
        (void)ours(&w, KIND_VARIABLE, "V", ROWS[i].ledger);
        world_plan(&w);
        const struct action *a = find_action(&w, KIND_VARIABLE, "V");
        assert_non_null(a);
        assert_int_equal(a->drift, ROWS[i].drift);
        assert_string_equal(a->reason, ROWS[i].reason);
        assert_string_equal(a->from, ROWS[i].observed);
        assert_string_equal(a->to, ROWS[i].wanted);
        assert_string_equal(a->stamp, "s1");
        assert_int_equal(a->phase, PHASE_VARIABLES);
        world_release(&w);
    }
}

static void both_sides_moved_to_the_same_value(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    (void)want(&w, KIND_VARIABLE, "V", "new");
    (void)there(&w, KIND_VARIABLE, "V", "new");
    (void)ours(&w, KIND_VARIABLE, "V", "old");
    world_plan(&w);
    assert_int_equal(w.plan.n, 1);
    assert_int_equal(w.plan.actions[0].act, ACT_ADOPT);
    assert_int_equal(w.plan.actions[0].phase, PHASE_LEDGER);
    assert_string_equal(w.plan.actions[0].to, "new");
    world_release(&w);
}

static void an_empty_variable_needs_a_word(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    (void)want(&w, KIND_VARIABLE, "EMPTY", "");
    want(&w, KIND_VARIABLE, "MEANT", "")->flags = RES_ALLOW_EMPTY;
    world_plan(&w);
    assert_int_equal(w.plan.n, 1);
    assert_non_null(find_action(&w, KIND_VARIABLE, "MEANT"));
    assert_int_equal(find_condition(&w, "value-empty")->level, COND_BLOCKED);
    world_release(&w);
}

/* ---- Secrets ------------------------------------------------------------------------------- */

static void drift_of_a_secret_is_fingerprint_and_stamp(void **state UNUSED)
{
    static const struct {
        const char *wanted, *observed_stamp, *ledger, *ledger_stamp;
        enum drift drift;
        const char *reason; /* NULL: in sync */
    } ROWS[] = {
        {"f1", "s1", "f1", "s1", DRIFT_IN_SYNC, NULL},
        {"f2", "s1", "f1", "s1", DRIFT_CHANGED_HERE, "changed here"},
        {"f1", "s2", "f1", "s1", DRIFT_CHANGED_THERE, "somebody wrote it at the slave"},
        {"f2", "s2", "f1", "s1", DRIFT_BOTH, "changed here and at the slave"},
        {"f1", "s1", "f1", NULL, DRIFT_CHANGED_THERE, "somebody wrote it at the slave"},
        {"f1", NULL, "f1", NULL, DRIFT_IN_SYNC, NULL},
        {"f1", "s1", "", "", DRIFT_BOTH, "its last write was interrupted, so it is written again"},
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct world w;
        world_init(&w);
        (void)want(&w, KIND_SECRET, "S", ROWS[i].wanted);
        there(&w, KIND_SECRET, "S", NULL)->stamp = ROWS[i].observed_stamp;
        ours(&w, KIND_SECRET, "S", ROWS[i].ledger)->stamp = ROWS[i].ledger_stamp;
        world_plan(&w);
        const struct action *a = find_action(&w, KIND_SECRET, "S");
        if ((a != NULL) != (ROWS[i].reason != NULL))
            fail_msg("row %zu: %zu actions", i, w.plan.n);
        if (a != NULL) {
            assert_int_equal(a->act, ACT_UPDATE);
            assert_int_equal(a->drift, ROWS[i].drift);
            assert_string_equal(a->reason, ROWS[i].reason);
            assert_string_equal(a->stamp, ROWS[i].observed_stamp);
        }
        world_release(&w);
    }
}

static void a_foreign_secret_is_taken_over_only_by_adopt(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    (void)want(&w, KIND_SECRET, "KEEP", "f1");
    want(&w, KIND_SECRET, "TAKE", "f2")->flags = RES_ADOPT;
    there(&w, KIND_SECRET, "KEEP", NULL)->stamp = "s";
    there(&w, KIND_SECRET, "TAKE", NULL)->stamp = "s";
    world_plan(&w);
    assert_int_equal(w.plan.n, 1);
    const struct action *a = find_action(&w, KIND_SECRET, "TAKE");
    assert_int_equal(a->act, ACT_UPDATE);
    assert_int_equal(a->drift, DRIFT_FOREIGN);
    assert_string_equal(a->reason, "taken over, as adopt says");
    const struct condition *c = find_condition(&w, "secret-foreign");
    assert_int_equal(c->level, COND_BLOCKED);
    assert_int_equal(c->err, ERR_REFUSED);
    assert_true(c->about_kind);
    assert_int_equal(c->kind, KIND_SECRET);
    assert_string_equal(c->text,
                        "secret 'KEEP' exists at the slave and was not written by mirrorctl");
    assert_string_equal(c->cure, "set adopt: true to take it over");
    world_release(&w);
}

static void a_deleted_secret_comes_back(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    (void)want(&w, KIND_SECRET, "S", "f1");
    ours(&w, KIND_SECRET, "S", "f1")->stamp = "s1";
    world_plan(&w);
    const struct action *a = find_action(&w, KIND_SECRET, "S");
    assert_int_equal(a->act, ACT_CREATE);
    assert_int_equal(a->drift, DRIFT_MISSING);
    assert_string_equal(a->reason, "was deleted at the slave");
    assert_null(a->from);
    world_release(&w);
}

/* Its source failed, which whoever built the view has told. */
static void a_value_that_is_not_known_is_neither_written_nor_deleted(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    w.in.prune = true;
    (void)want(&w, KIND_SECRET, "NEW", NULL);
    (void)want(&w, KIND_SECRET, "OLD", NULL);
    there(&w, KIND_SECRET, "OLD", NULL)->stamp = "s1";
    ours(&w, KIND_SECRET, "OLD", "f1")->stamp = "s1";
    world_plan(&w);
    assert_int_equal(w.plan.n, 0);
    assert_int_equal(w.plan.n_conditions, 0);
    world_release(&w);
}

static void notes_name_a_few_and_count_the_rest(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    static const char *const NAMES[] = {"A", "B", "C", "D", "E"};
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        (void)there(&w, KIND_SECRET, NAMES[i], NULL);
        (void)ours(&w, KIND_SECRET, NAMES[i], "f");
    }
    (void)there(&w, KIND_VARIABLE, "X", "x");
    (void)ours(&w, KIND_VARIABLE, "X", "x");
    world_plan(&w);
    assert_int_equal(w.plan.n, 0);
    assert_int_equal(w.plan.n_conditions, 2);
    assert_string_equal(w.plan.conditions[0].text,
                        "5 secrets no longer wanted and kept: A, B, C and 2 more");
    assert_int_equal(w.plan.conditions[0].level, COND_NOTE);
    assert_string_equal(w.plan.conditions[1].text, "1 variable no longer wanted and kept: X");
    world_release(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_total_and_knows_its_own_rows),
        cmocka_unit_test(every_kind_has_a_complete_rule),
        cmocka_unit_test(each_row_fires),
        cmocka_unit_test(drift_of_a_variable_says_who_moved),
        cmocka_unit_test(both_sides_moved_to_the_same_value),
        cmocka_unit_test(an_empty_variable_needs_a_word),
        cmocka_unit_test(drift_of_a_secret_is_fingerprint_and_stamp),
        cmocka_unit_test(a_foreign_secret_is_taken_over_only_by_adopt),
        cmocka_unit_test(a_deleted_secret_comes_back),
        cmocka_unit_test(a_value_that_is_not_known_is_neither_written_nor_deleted),
        cmocka_unit_test(notes_name_a_few_and_count_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
