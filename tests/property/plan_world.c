#include "plan_world.h"

#include <string.h>

static const char *const OIDS[] = {
    "1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222",
    "3333333333333333333333333333333333333333", "4444444444444444444444444444444444444444"};
static const char *const REFS[] = {"refs/heads/a",     "refs/heads/a/b",    "refs/heads/a/c",
                                   "refs/heads/b",     "refs/heads/main",   "refs/heads/old",
                                   "refs/heads/wip/x", "refs/tags/v1",      "refs/tags/v2",
                                   "refs/pull/1/head", "refs/notes/commits"};
static const char *const NAMES[] = {"ALPHA", "BETA", "GAMMA", "DELTA", "EPSILON"};
static const char *const FILES[] = {"cron.yml", "deploy.yml", "new.yml", "sentinel.yml"};
static const char *const VALUES[] = {"", "x", "y", "z"};

void world_init(struct world *w, uint64_t seed)
{
    *w = (struct world){.seed = seed, .arena = arena_new()};
    struct view *const views[] = {&w->desired, &w->observed, &w->ledger};
    for (size_t i = 0; i < ARRAY_LEN(views); i++) {
        view_init(views[i], w->arena);
        for (enum kind k = 0; k < KIND_COUNT; k++)
            views[i]->state[k] = VIEW_COMPLETE;
    }
    for (enum layer l = 0; l < LAYER_COUNT; l++)
        w->policy.sync[l] = w->in.only[l] = true;
    w->policy.guards = (struct guards){.max_deletes = 1000, .max_delete_share = 100};
    w->facts = (struct slave_facts){.marker_role = ROLE_SLAVE, .admin = TRI_YES};
    w->in = (struct plan_input){.slave = "eu",
                                .role = ROLE_SLAVE,
                                .desired = &w->desired,
                                .observed = &w->observed,
                                .ledger = &w->ledger,
                                .facts = &w->facts,
                                .policy = &w->policy,
                                .controller = "me",
                                .only = {true, true, true, true}};
}

void world_release(struct world *w)
{
    arena_free(w->arena);
}

void world_plan(struct world *w)
{
    view_sort(&w->desired);
    view_sort(&w->observed);
    view_sort(&w->ledger);
    slave_plan_init(&w->plan, w->in.slave, w->arena);
    w->in.desired = &w->desired;
    w->in.observed = &w->observed;
    w->in.ledger = &w->ledger;
    w->in.facts = &w->facts;
    w->in.policy = &w->policy;
    plan_slave(&w->in, &w->plan);
}

/* ---- Refs ---------------------------------------------------------------------------------- */

/* Of refs/heads/a and refs/heads/a/b a repository has one. */
static bool fits_beside(const struct view *v, const char *name)
{
    for (size_t i = 0; i < v->n; i++) {
        const char *other = v->items[i].name;
        size_t n = strlen(name), m = strlen(other);
        if (v->items[i].kind != KIND_REF)
            continue;
        if ((n < m && strncmp(name, other, n) == 0 && other[n] == '/') ||
            (m < n && strncmp(name, other, m) == 0 && name[m] == '/'))
            return false;
    }
    return true;
}

static void fill_refs(struct world *w, struct random *r)
{
    static const char *const WIP[] = {"refs/heads/wip/*", NULL};
    static const char *const EVERY[] = {"refs/*", NULL};

    w->policy.refs = (struct ref_policy){.include = chance(r, 20) ? EVERY : NULL,
                                         .exclude = chance(r, 50) ? WIP : NULL,
                                         .prune = chance(r, 50),
                                         .move_tags = chance(r, 50),
                                         .on_divergence = (enum on_divergence)pick(r, 3)};
    w->facts.empty = chance(r, 20);
    for (size_t n = 0; n < ARRAY_LEN(REFS); n++) {
        /* In any order, so that now the folder and now the file is first. */
        const char *name = REFS[(n + w->seed) % ARRAY_LEN(REFS)];
        if (chance(r, 60) && ref_policy_covers(&w->policy.refs, name) &&
            fits_beside(&w->desired, name))
            (void)view_add(&w->desired, KIND_REF, name, OIDS[pick(r, 4)]);
        if (chance(r, 60) && !w->facts.empty && fits_beside(&w->observed, name))
            (void)view_add(&w->observed, KIND_REF, name, OIDS[pick(r, 4)]);
        if (chance(r, 50))
            (void)view_add(&w->ledger, KIND_REF, name, OIDS[pick(r, 4)]);
    }
}

static const char *some_head(struct random *r, const struct view *v)
{
    const char *found = NULL;
    for (size_t i = 0, heads = 1; i < v->n; i++) {
        if (str_starts_with(v->items[i].name, "refs/heads/") && pick(r, (unsigned)heads++) == 0)
            found = v->items[i].name + strlen("refs/heads/");
    }
    return found;
}

static void fill_default_branch(struct world *w, struct random *r)
{
    const char *wanted = some_head(r, &w->desired);
    const char *is = w->facts.empty ? "master" : some_head(r, &w->observed);

    w->facts.admin = (enum tristate)pick(r, 3);
    w->facts.default_branch = is;
    if (wanted != NULL && chance(r, 80))
        (void)view_add(&w->desired, KIND_DEFAULT_BRANCH, "default-branch", wanted);
    if (is != NULL)
        (void)view_add(&w->observed, KIND_DEFAULT_BRANCH, "default-branch", is);
    if (chance(r, 50))
        (void)view_add(&w->ledger, KIND_DEFAULT_BRANCH, "default-branch", "main");
}

void world_relate(struct world *w, struct random *r)
{
    view_sort(&w->desired);
    for (size_t i = 0; i < w->observed.n; i++) {
        struct resource *there = &w->observed.items[i];
        const struct resource *wanted = view_find(&w->desired, KIND_REF, there->name);
        if (there->kind != KIND_REF)
            continue;
        if (wanted == NULL)
            there->relation = REF_RELATION_NONE;
        else if (str_eq(wanted->value, there->value))
            there->relation = REF_SAME;
        else if (r != NULL && str_starts_with(there->name, "refs/tags/"))
            there->relation = REF_TAG_MOVED;
        else if (r != NULL)
            there->relation = (enum ref_relation)(REF_BEHIND + pick(r, 3));
    }
}

/* ---- The rest ------------------------------------------------------------------------------ */

static void fill_secrets(struct world *w, struct random *r)
{
    w->policy.prune[KIND_SECRET] = chance(r, 50);
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        if (chance(r, 60))
            view_add(&w->desired, KIND_SECRET, NAMES[i],
                     chance(r, 95) ? VALUES[1 + pick(r, 2)] : NULL)
                ->flags = chance(r, 30) ? RES_ADOPT : 0;
        if (chance(r, 60))
            view_add(&w->observed, KIND_SECRET, NAMES[i], NULL)->stamp = VALUES[1 + pick(r, 2)];
        if (chance(r, 60))
            view_add(&w->ledger, KIND_SECRET, NAMES[i], VALUES[pick(r, 3)])->stamp =
                VALUES[1 + pick(r, 2)];
    }
}

static void fill_variables(struct world *w, struct random *r)
{
    w->policy.prune[KIND_VARIABLE] = chance(r, 50);
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        if (chance(r, 60))
            view_add(&w->desired, KIND_VARIABLE, NAMES[i], VALUES[pick(r, 4)])->flags =
                (chance(r, 30) ? RES_ADOPT : 0u) | (chance(r, 50) ? RES_ALLOW_EMPTY : 0u);
        if (chance(r, 60))
            view_add(&w->observed, KIND_VARIABLE, NAMES[i], VALUES[pick(r, 4)])->stamp = "s";
        if (chance(r, 60))
            (void)view_add(&w->ledger, KIND_VARIABLE, NAMES[i], VALUES[pick(r, 4)]);
    }
}

static void fill_workflows(struct world *w, struct random *r)
{
    static const char *const STATES[] = {"active", "disabled_manually", "disabled_inactivity",
                                         "deleted"};
    for (size_t i = 0; i < ARRAY_LEN(FILES); i++) {
        const char *state = chance(r, 60) && !w->facts.empty ? STATES[pick(r, 4)] : NULL;
        bool absent = state == NULL || str_eq(state, "deleted");
        if (state != NULL) {
            struct resource *there = view_add(&w->observed, KIND_WORKFLOW, FILES[i],
                                              str_eq(state, "active") ? "on" : "off");
            there->detail = state;
            there->id = (int64_t)i + 1;
            there->flags = absent ? RES_GHOST : 0;
        }
        if (chance(r, 70))
            view_add(&w->desired, KIND_WORKFLOW, FILES[i], chance(r, 50) ? "on" : "off")->flags =
                absent && chance(r, 70) ? RES_ARRIVES : 0;
        if (chance(r, 40))
            (void)view_add(&w->ledger, KIND_WORKFLOW, FILES[i], chance(r, 50) ? "on" : "off");
    }
}

/* As reconcile wants it: around a first push, or when a pass was killed in that moment. */
static void fill_actions(struct world *w, struct random *r)
{
    const char *last = chance(r, 30) ? (chance(r, 50) ? "off" : "on") : NULL;
    bool seeding = w->facts.empty;

    if (last != NULL)
        (void)view_add(&w->ledger, KIND_ACTIONS, "actions", last);
    if (!seeding && !str_eq(last, "off")) {
        w->desired.state[KIND_ACTIONS] = w->observed.state[KIND_ACTIONS] = VIEW_UNSEEN;
        return;
    }
    view_add(&w->desired, KIND_ACTIONS, "actions", "on")->flags = seeding ? RES_SEEDING : 0;
    (void)view_add(&w->observed, KIND_ACTIONS, "actions", chance(r, 50) ? "on" : "off");
}

static void fill_role(struct world *w, struct random *r)
{
    (void)view_add(&w->desired, KIND_ROLE, "role", "SLAVE");
    if (chance(r, 50)) {
        view_add(&w->observed, KIND_ROLE, "role", "SLAVE")->stamp = OIDS[pick(r, 2)];
        w->facts.marker = OIDS[0];
    }
    if (chance(r, 50))
        view_add(&w->ledger, KIND_ROLE, "role", "SLAVE")->stamp = OIDS[pick(r, 2)];
}

void world_fill(struct world *w, struct random *r)
{
    fill_refs(w, r);
    fill_default_branch(w, r);
    world_relate(w, r);
    fill_secrets(w, r);
    fill_variables(w, r);
    fill_workflows(w, r);
    fill_actions(w, r);
    fill_role(w, r);
    w->in.prune = chance(r, 20);
    w->in.takeover = chance(r, 10);
}
