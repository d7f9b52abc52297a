/*
 * After the work: what was written is read once more. Each listing is read as often as it would be
 * anyway, since the next pass is then answered "304 Not Modified", which costs nothing of the rate
 * limit (github.md 1.2); and what does not read as it was written is said now instead of then.
 */
#include "pass_slave.h"

/* Whose listing a done action changes, beside that of its own kind. A push may bring workflow
 * files, and moves the repository's own times. Secrets are read back by who writes them, for their
 * stamps; only a deletion comes behind that. */
static bool changes(const struct action *a, enum kind listing)
{
    if (!act_is_remote(a->act))
        return false;
    switch (listing) {
    case KIND_DEFAULT_BRANCH:
        return a->kind == KIND_REF || a->kind == KIND_DEFAULT_BRANCH || a->kind == KIND_ACTIONS;
    case KIND_WORKFLOW:
        return a->kind == KIND_WORKFLOW || a->kind == KIND_REF || a->kind == KIND_ACTIONS;
    case KIND_SECRET:
        return a->kind == KIND_SECRET && a->act == ACT_DELETE;
    case KIND_VARIABLE:
        return a->kind == KIND_VARIABLE;
    case KIND_REF:
    case KIND_ROLE:
    case KIND_ACTIONS:
    case KIND_COUNT:
        return false; /* no conditional GET */
    }
    return false;
}

static bool is_changed(const struct pass_slave *s, enum kind listing)
{
    for (size_t i = 0; i < s->plan->n; i++)
        if (s->results[i].state == ACTION_DONE && changes(&s->plan->actions[i], listing))
            return true;
    return false;
}

static bool reads_as_written(const struct view *seen, const struct action *a)
{
    const struct resource *r = view_find(seen, a->kind, a->name);
    if (a->act == ACT_DELETE)
        return r == NULL;
    return r != NULL && (a->kind == KIND_SECRET || str_eq(r->value, a->to));
}

/* Listings are eventual, so this is no failure: the next pass sees, and mends. */
static void tell_late(const struct pass_slave *s, const struct view *seen, enum kind k)
{
    for (size_t i = 0; i < s->plan->n; i++) {
        const struct action *a = &s->plan->actions[i];
        if (a->kind == k && s->results[i].state == ACTION_DONE && act_is_remote(a->act) &&
            !reads_as_written(seen, a))
            log_event(LOG_INFO, "does not read as written yet; the next pass looks again",
                      LOG_STR("slave", s->id), LOG_STR("kind", kind_name(k)),
                      LOG_STR("name", a->name));
    }
}

void read_back(struct pass_slave *s)
{
    static const enum kind LISTINGS[] = {KIND_DEFAULT_BRANCH, KIND_SECRET, KIND_VARIABLE,
                                         KIND_WORKFLOW};
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct kind_context ctx = s->ctx;
    struct github_repo gh = s->gh;
    struct slave_facts facts = s->facts; /* what is remembered is what the plan was made from */
    struct view seen;

    if (!s->has_gh)
        return;
    gh.arena = a;
    ctx.gh = &gh;
    ctx.arena = a;
    ctx.facts = &facts;
    for (size_t i = 0; i < ARRAY_LEN(LISTINGS); i++) {
        struct err e = ERR_INIT;
        if (!is_changed(s, LISTINGS[i]))
            continue;
        if (s->pass->o.interrupted != NULL && *s->pass->o.interrupted != 0)
            return;
        view_init(&seen, a);
        if (kind_row(LISTINGS[i])->observe(&ctx, &seen, &e) != ERR_OK)
            return; /* the next pass meets the same, and has a place to say so */
        view_sort(&seen);
        if (seen.state[LISTINGS[i]] == VIEW_COMPLETE)
            tell_late(s, &seen, LISTINGS[i]);
    }
}
