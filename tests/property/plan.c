/* What is true of every plan. */
#include "plan_world.h"

#include <string.h>

/* ---- Convergence --------------------------------------------------------------------------- */

static size_t remote_actions(const struct slave_plan *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        n += act_is_remote(p->actions[i].act);
    return n;
}

static const char *first_remote(const struct slave_plan *p)
{
    for (size_t i = 0; i < p->n; i++) {
        if (act_is_remote(p->actions[i].act))
            return p->actions[i].name;
    }
    return "";
}

static bool told(const struct slave_plan *p, const char *code)
{
    for (size_t i = 0; i < p->n_conditions; i++) {
        if (str_eq(p->conditions[i].code, code))
            return true;
    }
    return false;
}

/*
 * plan(apply(plan)) writes nothing; once the ledger has seen what came by itself (a workflow that
 * is active at once, the default branch of a first push), nothing at all is left to do. Only when a
 * default branch lay in the way of another ref does it take a pass more: it can go when another one
 * has taken its place.
 */
static void converges(uint64_t seed)
{
    struct random r = {seed};
    struct world w;
    world_init(&w, seed);
    world_fill(&w, &r);
    world_plan(&w);
    bool more = told(&w.plan, "ref-in-the-way");
    world_apply(&w);
    world_plan(&w);
    check(&w, more || remote_actions(&w.plan) == 0, "%s is done twice", first_remote(&w.plan));
    world_apply(&w);
    world_plan(&w);
    check(&w, remote_actions(&w.plan) == 0, "%s is done thrice", first_remote(&w.plan));
    world_apply(&w);
    world_plan(&w);
    check(&w, w.plan.n == 0, "%s: %s", act_name(w.plan.actions[0].act), w.plan.actions[0].name);
    world_release(&w);
}

static void applying_once_is_applying_twice(void **state UNUSED)
{
    run_rounds("converges", 20000, converges);
}

/* A pass that is killed anywhere: what was done is done, and the next pass does the rest. */
static void converges_after_a_kill(uint64_t seed)
{
    struct random r = {seed};
    struct world w;
    world_init(&w, seed);
    world_fill(&w, &r);
    for (int kill = 0; kill < 3; kill++) {
        world_plan(&w);
        w.plan.n = pick(&r, (unsigned)w.plan.n + 1);
        world_apply(&w);
    }
    for (int pass = 0; pass < 2; pass++) {
        world_plan(&w);
        world_apply(&w);
    }
    world_plan(&w);
    check(&w, remote_actions(&w.plan) == 0, "%s is still to do", first_remote(&w.plan));
    world_release(&w);
}

static void a_killed_pass_is_finished_by_the_next(void **state UNUSED)
{
    run_rounds("killed", 10000, converges_after_a_kill);
}

/* ---- What is not ours ---------------------------------------------------------------------- */

static void check_foreign_ref(const struct world *w, const struct action *a,
                              const struct resource *there, bool wrote)
{
    const struct ref_policy *p = &w->policy.refs;
    bool tag = there->relation == REF_TAG_MOVED;

    if (!a->forced) {
        check(w, there->relation == REF_BEHIND, "%s", a->name);
        return;
    }
    if (tag)
        check(w, p->move_tags, "%s", a->name);
    else if (!wrote)
        check(w, p->on_divergence != DIVERGENCE_REFUSE, "%s is lost", a->name);
    if (p->on_divergence == DIVERGENCE_RESCUE && !wrote)
        check(w, a->rescue, "%s is not rescued", a->name);
}

static void check_foreign(const struct world *w, const struct action *a)
{
    const struct resource *there = view_find(&w->observed, a->kind, a->name);
    const struct resource *wanted = view_find(&w->desired, a->kind, a->name);
    const struct resource *ours = view_find(&w->ledger, a->kind, a->name);
    bool wrote = ours != NULL && there != NULL && str_eq(ours->value, there->value);

    if (!act_is_remote(a->act) || there == NULL || (there->flags & RES_GHOST) != 0)
        return;
    if (a->act == ACT_DELETE) {
        check(w, ours != NULL && wanted == NULL, "%s is not ours to delete", a->name);
        return;
    }
    if (a->kind == KIND_REF && (ours == NULL || there->relation == REF_DIVERGED))
        check_foreign_ref(w, a, there, wrote);
    if ((a->kind == KIND_SECRET || a->kind == KIND_VARIABLE) && ours == NULL)
        check(w, (wanted->flags & RES_ADOPT) != 0, "%s is overwritten", a->name);
    check(w, a->kind != KIND_ROLE, "a marker is overwritten");
}

static void leaves_foreign_things(uint64_t seed)
{
    struct random r = {seed};
    struct world w;
    world_init(&w, seed);
    world_fill(&w, &r);
    world_plan(&w);
    for (size_t i = 0; i < w.plan.n; i++)
        check_foreign(&w, &w.plan.actions[i]);
    world_release(&w);
}

static void nothing_foreign_is_deleted_or_overwritten(void **state UNUSED)
{
    run_rounds("foreign", 20000, leaves_foreign_things);
}

/* ---- Order --------------------------------------------------------------------------------- */

static bool before(const struct world *w, const struct action *a, const struct action *b)
{
    const struct resource *def = view_find(&w->desired, KIND_DEFAULT_BRANCH, "default-branch");
    const char *first = def != NULL ? arena_printf(w->arena, "refs/heads/%s", def->value) : "";

    if (a->phase != b->phase)
        return a->phase < b->phase;
    if (a->phase == PHASE_CODE && str_eq(a->name, first) != str_eq(b->name, first))
        return str_eq(a->name, first);
    if (a->kind != b->kind)
        return (a->kind < b->kind) == (a->phase != PHASE_DELETE);
    return strcmp(a->name, b->name) < 0;
}

static void shuffle(struct view *v, struct random *r)
{
    for (size_t i = v->n; i > 1; i--) {
        size_t k = pick(r, (unsigned)i);
        struct resource t = v->items[k];
        v->items[k] = v->items[i - 1];
        v->items[i - 1] = t;
    }
}

static bool same_action(const struct action *a, const struct action *b)
{
    return a->phase == b->phase && a->act == b->act && a->kind == b->kind && a->drift == b->drift &&
           str_eq(a->name, b->name) && str_eq(a->from, b->from) && str_eq(a->to, b->to) &&
           str_eq(a->stamp, b->stamp) && str_eq(a->reason, b->reason) && a->forced == b->forced &&
           a->rescue == b->rescue && a->arrives == b->arrives && a->id == b->id;
}

static void is_ordered(uint64_t seed)
{
    struct random r = {seed};
    struct world w;
    world_init(&w, seed);
    world_fill(&w, &r);
    world_plan(&w);
    struct slave_plan first = w.plan;
    for (size_t i = 1; i < first.n; i++)
        check(&w, before(&w, &first.actions[i - 1], &first.actions[i]), "%s before %s",
              first.actions[i - 1].name, first.actions[i].name);

    shuffle(&w.desired, &r);
    shuffle(&w.observed, &r);
    shuffle(&w.ledger, &r);
    world_plan(&w);
    check(&w, w.plan.n == first.n && w.plan.n_conditions == first.n_conditions, "another plan");
    for (size_t i = 0; i < first.n; i++)
        check(&w, same_action(&w.plan.actions[i], &first.actions[i]), "%s", first.actions[i].name);
    for (size_t i = 0; i < first.n_conditions; i++)
        check(&w, str_eq(w.plan.conditions[i].text, first.conditions[i].text), "another condition");
    world_release(&w);
}

static void order_is_total_and_independent_of_the_input_s(void **state UNUSED)
{
    run_rounds("order", 10000, is_ordered);
}

/* ---- Views that are not complete ----------------------------------------------------------- */

static void respects_views(uint64_t seed)
{
    struct random r = {seed};
    struct world w;
    world_init(&w, seed);
    world_fill(&w, &r);
    for (enum kind k = 0; k < KIND_COUNT; k++) {
        if (chance(&r, 30))
            w.desired.state[k] = (enum view_state)pick(&r, 4);
        if (chance(&r, 30))
            w.observed.state[k] = (enum view_state)pick(&r, 4);
    }
    world_plan(&w);
    for (size_t i = 0; i < w.plan.n; i++) {
        enum kind k = w.plan.actions[i].kind;
        check(&w, w.desired.state[k] == VIEW_COMPLETE && w.observed.state[k] == VIEW_COMPLETE,
              "%s %s out of a view that is not complete", act_name(w.plan.actions[i].act),
              w.plan.actions[i].name);
    }
    for (size_t i = 0; i < w.plan.n_conditions; i++) {
        const struct condition *c = &w.plan.conditions[i];
        check(&w, c->about_kind && c->code != NULL && c->text != NULL, "condition %zu", i);
        check(&w, (c->level >= COND_BLOCKED) == (c->err != ERR_OK), "%s", c->code);
    }
    world_release(&w);
}

static void absence_is_not_evidence(void **state UNUSED)
{
    run_rounds("views", 20000, respects_views);
}

/* ---- Guards -------------------------------------------------------------------------------- */

static void random_facts(struct world *w, struct random *r)
{
    struct slave_facts *f = &w->facts;
    f->marker = chance(r, 70) ? "m1" : NULL;
    f->last_marker = chance(r, 70) ? "m1" : NULL;
    f->marker_role = chance(r, 80) ? ROLE_SLAVE : ROLE_TEMPORARY_MASTER;
    f->epoch = pick(r, 3);
    f->last_epoch = pick(r, 3);
    f->controller = chance(r, 80) ? "me" : chance(r, 50) ? "them" : NULL;
    f->archived = chance(r, 10);
    f->repo_id = pick(r, 3);
    f->last_repo_id = pick(r, 3);
    w->in.allow_replaced = chance(r, 50);
    w->policy.guards.max_deletes = (int)pick(r, 6);
    w->policy.guards.max_delete_share = (int)pick(r, 101);
}

static size_t deletes(const struct slave_plan *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        n += p->actions[i].act == ACT_DELETE;
    return n;
}

/* What may happen to a slave that no guard holds back. */
static void guards_hold(uint64_t seed)
{
    struct random r = {seed};
    struct world w;
    const struct slave_facts *f = &w.facts;
    world_init(&w, seed);
    world_fill(&w, &r);
    random_facts(&w, &r);
    world_plan(&w);
    size_t actions = w.plan.n, conditions = w.plan.n_conditions;
    plan_guard(&w.in, &w.plan);
    check(&w, w.plan.n == actions, "a guard changed the plan");
    check(&w, w.plan.n_conditions - conditions == (w.plan.refused != ERR_OK), "one reason each");
    if (w.plan.refused == ERR_OK) {
        check(&w, f->marker == NULL || f->marker_role == ROLE_SLAVE, "promoted");
        check(&w, f->marker != NULL || f->last_marker == NULL || w.in.takeover, "marker gone");
        check(&w,
              f->marker == NULL || f->controller == NULL || str_eq(f->controller, "me") ||
                  w.in.takeover,
              "another's");
        check(&w, !f->archived, "archived");
        check(&w,
              f->repo_id == 0 || f->last_repo_id == 0 || f->repo_id == f->last_repo_id ||
                  w.in.allow_replaced,
              "replaced");
        check(&w, deletes(&w.plan) <= (size_t)w.policy.guards.max_deletes, "too many");
    }
    struct plan p = {.slaves = &w.plan, .n = 1};
    check(&w, plan_exit_code(&p) >= (w.plan.refused != ERR_OK ? 6 : 0), "%d", plan_exit_code(&p));
    world_release(&w);
}

static void no_guard_lets_through_what_it_is_for(void **state UNUSED)
{
    run_rounds("guards", 20000, guards_hold);
}

/* ---- All rows, exhaustively ---------------------------------------------------------------- */

static void one_of_each(struct world *w, int wanted, int there, int ours, bool adopt, bool prune)
{
    static const char *const VALUES[] = {"x", "y"};
    static const enum kind KINDS[] = {KIND_SECRET, KIND_VARIABLE};

    world_init(w, 0);
    w->in.prune = prune;
    for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
        bool secret = KINDS[i] == KIND_SECRET;
        if (wanted > 0)
            view_add(&w->desired, KINDS[i], "N", VALUES[wanted - 1])->flags = adopt ? RES_ADOPT : 0;
        if (there > 0)
            view_add(&w->observed, KINDS[i], "N", secret ? NULL : VALUES[there - 1])->stamp =
                VALUES[there - 1];
        if (ours > 0)
            view_add(&w->ledger, KINDS[i], "N", VALUES[ours - 1])->stamp = VALUES[ours - 1];
    }
}

static void every_combination_of_three_sides_converges(void **state UNUSED)
{
    for (int bits = 0; bits < 27 * 4; bits++) {
        int wanted = bits % 3, there = bits / 3 % 3, ours = bits / 9 % 3;
        bool adopt = bits / 27 % 2 == 1, prune = bits / 54 == 1;
        struct world w;
        one_of_each(&w, wanted, there, ours, adopt, prune);
        world_plan(&w);
        for (size_t i = 0; i < w.plan.n; i++)
            check_foreign(&w, &w.plan.actions[i]);
        world_apply(&w);
        world_plan(&w);
        check(&w, w.plan.n == 0, "wanted %d, there %d, ours %d", wanted, there, ours);
        /* What is wanted is there, unless something says why not. */
        const struct resource *v = view_find(&w.observed, KIND_VARIABLE, "N");
        if (wanted > 0 && w.plan.n_conditions == 0)
            check(&w, v != NULL && str_eq(v->value, wanted == 1 ? "x" : "y"), "bits %d", bits);
        if (wanted == 0 && ours > 0 && prune)
            check(&w, v == NULL, "bits %d", bits);
        if (wanted == 0 && ours == 0)
            check(&w, (v != NULL) == (there > 0), "bits %d", bits);
        world_release(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(applying_once_is_applying_twice),
        cmocka_unit_test(a_killed_pass_is_finished_by_the_next),
        cmocka_unit_test(nothing_foreign_is_deleted_or_overwritten),
        cmocka_unit_test(order_is_total_and_independent_of_the_input_s),
        cmocka_unit_test(absence_is_not_evidence),
        cmocka_unit_test(no_guard_lets_through_what_it_is_for),
        cmocka_unit_test(every_combination_of_three_sides_converges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
