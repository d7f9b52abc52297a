/* A slave on paper: three views, facts and a policy in which nothing is wrong, until a test changes
 * it. */
#ifndef MIRRORCTL_TESTS_UNIT_PLAN_FIXTURE_H
#define MIRRORCTL_TESTS_UNIT_PLAN_FIXTURE_H

#include "mirrorctl/plan.h"

#include <setjmp.h>

#include <cmocka.h>

#include <string.h>

#define OID_A "aaaaaaaa00000000000000000000000000000000"
#define OID_B "bbbbbbbb00000000000000000000000000000000"
#define OID_C "cccccccc00000000000000000000000000000000"
#define MAIN  "refs/heads/main"

struct world {
    struct arena *arena;
    struct view desired, observed, ledger;
    struct slave_facts facts;
    struct slave_policy policy;
    struct plan_input in;
    struct slave_plan plan;
};

static inline void world_init(struct world *w)
{
    *w = (struct world){.arena = arena_new()};
    struct view *const views[] = {&w->desired, &w->observed, &w->ledger};
    for (size_t i = 0; i < ARRAY_LEN(views); i++) {
        view_init(views[i], w->arena);
        for (enum kind k = 0; k < KIND_COUNT; k++)
            views[i]->state[k] = VIEW_COMPLETE;
    }
    for (enum layer l = 0; l < LAYER_COUNT; l++)
        w->policy.sync[l] = w->in.only[l] = true;
    w->policy.guards = (struct guards){.max_deletes = 10, .max_delete_share = 50};
    w->facts = (struct slave_facts){.marker_role = ROLE_SLAVE, .admin = TRI_YES};
    w->in.slave = "eu";
    w->in.role = ROLE_SLAVE;
    w->in.controller = "me";
    w->in.desired = &w->desired;
    w->in.observed = &w->observed;
    w->in.ledger = &w->ledger;
    w->in.facts = &w->facts;
    w->in.policy = &w->policy;
}

static inline void world_release(struct world *w)
{
    arena_free(w->arena);
}

UNUSED static inline struct resource *want(struct world *w, enum kind k, const char *name,
                                           const char *value)
{
    return view_add(&w->desired, k, name, value);
}

UNUSED static inline struct resource *there(struct world *w, enum kind k, const char *name,
                                            const char *value)
{
    return view_add(&w->observed, k, name, value);
}

UNUSED static inline struct resource *ours(struct world *w, enum kind k, const char *name,
                                           const char *value)
{
    return view_add(&w->ledger, k, name, value);
}

/* A ref on all three sides. */
UNUSED static inline void ref3(struct world *w, const char *name, const char *wanted,
                               const char *observed, enum ref_relation relation, const char *ledger)
{
    if (wanted != NULL)
        (void)want(w, KIND_REF, name, wanted);
    if (observed != NULL)
        there(w, KIND_REF, name, observed)->relation = relation;
    if (ledger != NULL)
        (void)ours(w, KIND_REF, name, ledger);
}

static inline void world_plan(struct world *w)
{
    view_sort(&w->desired);
    view_sort(&w->observed);
    view_sort(&w->ledger);
    slave_plan_init(&w->plan, w->in.slave, w->arena);
    plan_slave(&w->in, &w->plan);
}

UNUSED static inline const struct action *find_action(const struct world *w, enum kind k,
                                                      const char *name)
{
    for (size_t i = 0; i < w->plan.n; i++) {
        if (w->plan.actions[i].kind == k && str_eq(w->plan.actions[i].name, name))
            return &w->plan.actions[i];
    }
    return NULL;
}

UNUSED static inline const struct condition *find_condition(const struct world *w, const char *code)
{
    for (size_t i = 0; i < w->plan.n_conditions; i++) {
        if (str_eq(w->plan.conditions[i].code, code))
            return &w->plan.conditions[i];
    }
    return NULL;
}

#endif
