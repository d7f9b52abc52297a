/* What stops a slave as a whole: one row a guard, the first that holds speaks. */
#include "verdict.h"

#include <inttypes.h>

/* Writes the sentence and returns true when the guard holds the slave back. */
typedef bool guard_test(const struct plan_input *in, const struct slave_plan *plan,
                        const char **out_text);

struct guard_row {
    enum err_code err; /* ERR_OK: that of the view which could not be read */
    bool slaves_only;  /* the master has no marker */
    const char *code;
    guard_test *holds;
    const char *cure;
};

/* ---- Fencing ------------------------------------------------------------------------------- */

static bool promoted(const struct plan_input *in, const struct slave_plan *plan, const char **out)
{
    const struct slave_facts *f = in->facts;
    if (f->marker == NULL || f->marker_role == ROLE_SLAVE)
        return false;
    *out =
        arena_printf(plan->arena, "the slave is %s (epoch %" PRId64 "): nothing is written to it",
                     role_name(f->marker_role), f->epoch);
    return true;
}

static bool epoch_grew(const struct plan_input *in, const struct slave_plan *plan, const char **out)
{
    const struct slave_facts *f = in->facts;
    if (f->marker == NULL || f->last_marker == NULL || f->epoch <= f->last_epoch || in->takeover)
        return false;
    *out = arena_printf(plan->arena,
                        "the slave was promoted since the last pass: epoch %" PRId64
                        ", known was %" PRId64,
                        f->epoch, f->last_epoch);
    return true;
}

static bool marker_gone(const struct plan_input *in, const struct slave_plan *plan,
                        const char **out)
{
    const struct slave_facts *f = in->facts;
    bool was = f->last_marker != NULL || view_find(in->ledger, KIND_ROLE, "role") != NULL;
    (void)plan;
    if (f->marker != NULL || !was || in->takeover ||
        in->observed->state[KIND_ROLE] != VIEW_COMPLETE)
        return false;
    *out = "the slave's role marker (refs/mirrorctl/role) is gone: nobody knows what it is now";
    return true;
}

/* The ref is there, and what it says could not be read: it may say TEMPORARY_MASTER. */
static bool marker_unreadable(const struct plan_input *in, const struct slave_plan *plan,
                              const char **out)
{
    const struct view *v = in->observed;
    if (in->facts->marker == NULL || v->state[KIND_ROLE] == VIEW_COMPLETE ||
        v->state[KIND_ROLE] == VIEW_UNSEEN)
        return false;
    *out = arena_printf(plan->arena, "the slave's role marker cannot be read: %s",
                        v->error[KIND_ROLE].text);
    return true;
}

static bool other_controller(const struct plan_input *in, const struct slave_plan *plan,
                             const char **out)
{
    const struct slave_facts *f = in->facts;
    if (f->marker == NULL || f->controller == NULL || in->takeover ||
        str_eq(f->controller, in->controller))
        return false;
    *out = arena_printf(plan->arena, "the slave is kept by another mirrorctl (%s)", f->controller);
    return true;
}

/* ---- The repository ------------------------------------------------------------------------ */

static bool archived(const struct plan_input *in, const struct slave_plan *plan, const char **out)
{
    (void)plan;
    if (!in->facts->archived)
        return false;
    *out = "the repository is archived: it takes no writes and could not take over";
    return true;
}

static bool replaced(const struct plan_input *in, const struct slave_plan *plan, const char **out)
{
    const struct slave_facts *f = in->facts;
    if (f->last_repo_id == 0 || f->repo_id == 0 || f->repo_id == f->last_repo_id ||
        in->allow_replaced)
        return false;
    *out = arena_printf(plan->arena,
                        "this is not the repository that it was: its number is %" PRId64
                        ", known was %" PRId64,
                        f->repo_id, f->last_repo_id);
    return true;
}

/* ---- Emptiness and deletions --------------------------------------------------------------- */

static size_t count_kind(const struct view *v, enum kind k)
{
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++)
        n += v->items[i].kind == k;
    return n;
}

static size_t count_deletes(const struct slave_plan *plan, enum kind k)
{
    size_t n = 0;
    for (size_t i = 0; i < plan->n; i++)
        n += plan->actions[i].act == ACT_DELETE && (k == KIND_COUNT || plan->actions[i].kind == k);
    return n;
}

static bool master_empty(const struct plan_input *in, const struct slave_plan *plan,
                         const char **out)
{
    size_t ours = count_kind(in->ledger, KIND_REF);
    if (!plan_kind_complete(in, KIND_REF) || ours == 0 || count_kind(in->desired, KIND_REF) > 0)
        return false;
    *out = arena_printf(
        plan->arena, "the master shows no refs although %zu of its refs are mirrored here", ours);
    return true;
}

static bool kind_emptied(const struct plan_input *in, const struct slave_plan *plan,
                         const char **out)
{
    for (enum kind k = 0; k < KIND_COUNT; k++) {
        size_t n = count_deletes(plan, k);
        if (n == 0 || count_kind(in->desired, k) > 0)
            continue;
        *out = n == 1 ? arena_printf(plan->arena,
                                     "no %s are wanted any more, and the last one would be "
                                     "deleted",
                                     plan_rule(k)->many)
                      : arena_printf(plan->arena,
                                     "no %s are wanted any more, and all %zu would be "
                                     "deleted",
                                     plan_rule(k)->many, n);
        return true;
    }
    return false;
}

static bool too_many(const struct plan_input *in, const struct slave_plan *plan, const char **out)
{
    size_t n = count_deletes(plan, KIND_COUNT);
    int max = in->policy->guards.max_deletes;
    if (n == 0 || (max >= 0 && n <= (size_t)max))
        return false;
    *out = arena_printf(plan->arena, "%zu deletions are more than guards.max_deletes: %d allows", n,
                        max);
    return true;
}

static size_t ours_there(const struct plan_input *in)
{
    size_t n = 0;
    for (size_t i = 0; i < in->ledger->n; i++) {
        const struct resource *r = &in->ledger->items[i];
        n += plan_rule(r->kind)->deletable && view_find(in->observed, r->kind, r->name) != NULL;
    }
    return n;
}

static bool too_much(const struct plan_input *in, const struct slave_plan *plan, const char **out)
{
    enum { FROM = 5 }; /* below that a share says little: 1 of 2 is 50 % */
    size_t n = count_deletes(plan, KIND_COUNT);
    if (n < FROM)
        return false;
    size_t ours = ours_there(in);
    int share = in->policy->guards.max_delete_share;
    if (share >= 0 && n * 100 <= ours * (size_t)share)
        return false;
    *out = arena_printf(plan->arena,
                        "%zu deletions of %zu resources are more than guards.max_delete_share: %d "
                        "allows",
                        n, ours, share);
    return true;
}

/* ---- The table ----------------------------------------------------------------------------- */

/* clang-format off */
static const struct guard_row GUARDS[] = {
    /* First: what is known of markers is about the repository that was there before. */
    {ERR_REFUSED, false, "repository-replaced",  replaced,
     "if it was made anew on purpose, --allow-replaced begins anew"},
    {ERR_FENCED,  true,  "fenced-promoted",      promoted,
     "it hands back by itself when the master lives; leave it alone until then"},
    {ERR_FENCED,  true,  "fenced-epoch",         epoch_grew,
     "see what happened in git log of refs/mirrorctl/role there; --takeover accepts it"},
    {ERR_FENCED,  true,  "fenced-marker-gone",   marker_gone,
     "if it was deleted on purpose, --takeover begins anew"},
    {ERR_OK,      true,  "marker-unreadable",    marker_unreadable,
     "nothing is written to a slave whose role is not known; the next pass reads it again"},
    {ERR_LOCKED,  true,  "other-controller",     other_controller,
     "stop the other one; --takeover makes this one the keeper"},
    {ERR_REFUSED, false, "archived",             archived,
     "unarchive it in the repository's settings, or take it out of the manifest"},
    {ERR_REFUSED, true,  "master-empty",         master_empty,
     "see whether the master is the right one and what became of it"},
    {ERR_REFUSED, true,  "kind-emptied",         kind_emptied,
     "if that is meant, delete the last ones at the slave by hand"},
    {ERR_REFUSED, true,  "too-many-deletes",     too_many,
     "look at them, then raise guards.max_deletes for this pass"},
    {ERR_REFUSED, true,  "too-large-a-share",    too_much,
     "look at them, then raise guards.max_delete_share for this pass"},
};
/* clang-format on */

void plan_guard(const struct plan_input *in, struct slave_plan *out)
{
    for (size_t i = 0; i < ARRAY_LEN(GUARDS); i++) {
        const struct guard_row *g = &GUARDS[i];
        const char *text = NULL;
        if ((g->slaves_only && in->is_master) || !g->holds(in, out, &text))
            continue;
        enum err_code err = g->err != ERR_OK ? g->err : in->observed->error[KIND_ROLE].code;
        out->refused = err != ERR_OK ? err : ERR_FENCED;
        slave_plan_condition(out, (struct condition){.level = COND_BLOCKED,
                                                     .err = out->refused,
                                                     .code = g->code,
                                                     .text = text,
                                                     .cure = g->cure});
        return;
    }
}
