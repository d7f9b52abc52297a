/* Refs and the default branch: the only kinds where an update can lose something for good. */
#include "verdict.h"

#include <string.h>

enum { SHORT_OID = 8 };

static const char *short_oid(struct arena *a, const char *oid)
{
    return oid == NULL ? "nothing" : arena_strndup(a, oid, strnlen(oid, SHORT_OID));
}

/* "12 commits, \"Fix the tick\"", as far as it is known. */
static const char *commits(struct arena *a, const struct resource *wanted,
                           const struct resource *there)
{
    const struct resource *told = there != NULL ? there : wanted;
    const char *subject = told->detail;
    long long n = told->count;

    if (n <= 0)
        return subject != NULL ? arena_printf(a, "\"%s\"", subject) : NULL;
    const char *noun = n == 1 ? "commit" : "commits";
    return subject != NULL ? arena_printf(a, "%lld %s, \"%s\"", n, noun, subject)
                           : arena_printf(a, "%lld %s", n, noun);
}

static struct action *ref_act(const struct plan_case *c, enum act act, enum drift d,
                              const char *reason)
{
    struct action *a = plan_act(c, c->rule->phase, act, d, reason);
    a->detail = commits(c->out->arena, c->wanted, c->there);
    c->notes->code_moves = true;
    return a;
}

/* ---- What may be deleted ------------------------------------------------------------------- */

static const char *default_branch_there(const struct plan_input *in)
{
    const struct resource *r = view_find(in->observed, KIND_DEFAULT_BRANCH, "default-branch");
    return r != NULL ? r->value : in->facts->default_branch;
}

/* Servers refuse to delete the default branch, and a slave without it could not take over. */
static bool is_default_branch(const struct plan_input *in, const char *ref)
{
    const char *branch = default_branch_there(in);
    return branch != NULL && str_starts_with(ref, "refs/heads/") &&
           str_eq(ref + strlen("refs/heads/"), branch);
}

/* Somebody pushed to it since we did, and nobody has said that this may be lost. */
static bool holds_work(const struct plan_input *in, const struct resource *there,
                       const struct resource *ours)
{
    return !str_eq(there->value, ours->value) &&
           in->policy->refs.on_divergence == DIVERGENCE_REFUSE;
}

/* Before anything is pushed: the default branch has not been changed yet then. */
static bool may_delete_first(const struct plan_input *in, const struct resource *there)
{
    const struct resource *ours = view_find(in->ledger, KIND_REF, there->name);
    return ours != NULL && view_find(in->desired, KIND_REF, there->name) == NULL &&
           plan_prunes(in, KIND_REF) && ref_policy_covers(&in->policy->refs, there->name) &&
           !is_default_branch(in, there->name) && !holds_work(in, there, ours);
}

/* ---- Names that cannot stand side by side -------------------------------------------------- */

/* Where in a sorted view the refs begin that lie below `name` as below a folder. */
static const struct resource *first_below(const struct view *v, const char *name)
{
    size_t low = 0, high = v->n, len = strlen(name);

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct resource *r = &v->items[mid];
        int order =
            r->kind != KIND_REF ? (r->kind < KIND_REF ? -1 : 1) : strncmp(r->name, name, len);
        if (order == 0)
            order = (unsigned char)r->name[len] < '/' ? -1 : 1;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low < v->n ? &v->items[low] : NULL;
}

static bool is_below(const struct view *v, const struct resource *r, const char *name)
{
    size_t len = strlen(name);
    return r != NULL && r < v->items + v->n && r->kind == KIND_REF &&
           strncmp(r->name, name, len) == 0 && r->name[len] == '/';
}

/* The ref of which `name` would be below, or NULL: refs/heads/a for refs/heads/a/b. */
static const struct resource *find_above(const struct view *v, struct arena *a, const char *name)
{
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        const char *above = arena_strndup(a, name, (size_t)(slash - name));
        const struct resource *r = view_find(v, KIND_REF, above);
        if (r != NULL)
            return r;
    }
    return NULL;
}

/* A ref on the slave that keeps `name` from being created and that may not be deleted before. */
static const struct resource *in_the_way(const struct plan_input *in, struct arena *a,
                                         const char *name)
{
    const struct view *v = in->observed;
    const struct resource *r = find_above(v, a, name);

    if (r != NULL && !may_delete_first(in, r))
        return r;
    for (r = first_below(v, name); is_below(v, r, name); r++) {
        if (!may_delete_first(in, r))
            return r;
    }
    return NULL;
}

/* Whether a wanted ref cannot be created before this one is gone. */
static bool makes_way(const struct plan_case *c)
{
    const struct view *v = c->in->desired;
    return find_above(v, c->out->arena, c->name) != NULL ||
           is_below(v, first_below(v, c->name), c->name);
}

/* ---- The default branch -------------------------------------------------------------------- */

/* Whether the wanted default branch is at the slave, or will be once the code is pushed. */
static bool default_branch_comes(const struct plan_input *in, struct arena *a, const char *branch)
{
    const char *ref = arena_printf(a, "refs/heads/%s", branch);

    if (view_find(in->observed, KIND_REF, ref) != NULL)
        return true;
    return plan_kind_complete(in, KIND_REF) && view_find(in->desired, KIND_REF, ref) != NULL &&
           in_the_way(in, a, ref) == NULL;
}

/* Before this pass's deletions the default branch will be another one. */
static bool default_branch_moves(const struct plan_input *in, struct arena *a)
{
    const struct resource *wanted = view_find(in->desired, KIND_DEFAULT_BRANCH, "default-branch");
    return wanted != NULL && plan_kind_complete(in, KIND_DEFAULT_BRANCH) &&
           in->facts->admin != TRI_NO && !str_eq(wanted->value, default_branch_there(in)) &&
           default_branch_comes(in, a, wanted->value);
}

void plan_default_branch_missing(const struct plan_case *c)
{
    if (default_branch_comes(c->in, c->out->arena, c->wanted->value))
        plan_create(c);
}

void plan_default_branch_change(const struct plan_case *c, enum drift d)
{
    /* Not there, and it will not come: what is said about that ref is enough. */
    if (!default_branch_comes(c->in, c->out->arena, c->wanted->value))
        return;
    if (c->in->facts->admin != TRI_NO) {
        plan_update(c, d);
        return;
    }
    if (c->in->facts->empty) /* the branch that is pushed first becomes the default one */
        return;
    plan_condition(c, COND_WARNING, "default-branch-admin",
                   arena_printf(c->out->arena,
                                "the default branch is '%s', the master's is '%s', and the token "
                                "may not change it",
                                c->there->value, c->wanted->value),
                   "give the token Administration: write, or change it by hand");
}

/* ---- Verdicts ------------------------------------------------------------------------------ */

void plan_ref_missing(const struct plan_case *c)
{
    struct arena *a = c->out->arena;
    const struct resource *r = in_the_way(c->in, a, c->name);

    if (r == NULL) {
        (void)ref_act(c, ACT_CREATE, DRIFT_MISSING, c->row->sentence);
        return;
    }
    plan_condition(
        c, COND_BLOCKED, "ref-in-the-way",
        arena_printf(a, "%s: cannot be created while the slave has %s", c->name, r->name),
        "delete that ref at the slave, or let mirrorctl do it: refs.prune: true for "
        "refs that it created");
}

static void blocked_divergence(const struct plan_case *c)
{
    struct arena *a = c->out->arena;
    const char *slave = short_oid(a, c->there->value), *master = short_oid(a, c->wanted->value);
    bool known = c->there->relation == REF_REWOUND;

    plan_condition(
        c, COND_BLOCKED, known ? "ref-foreign" : "ref-diverged",
        known ? arena_printf(a,
                             "%s: was not written by mirrorctl and is not behind the master "
                             "(slave %s, master %s)",
                             c->name, slave, master)
              : arena_printf(a,
                             "%s: the slave has commits that the master does not know "
                             "(slave %s, master %s)",
                             c->name, slave, master),
        "bring them to the master, or set refs.on_divergence: rescue (they are kept under "
        "refs/mirrorctl/rescue/) or overwrite");
}

static void force(const struct plan_case *c, enum drift d, bool rescue, const char *reason)
{
    struct action *a = ref_act(c, ACT_UPDATE, d, reason);
    a->forced = true;
    a->rescue = rescue;
}

static void diverged(const struct plan_case *c, enum drift d)
{
    switch (c->in->policy->refs.on_divergence) {
    case DIVERGENCE_REFUSE:
        blocked_divergence(c);
        break;
    case DIVERGENCE_RESCUE:
        force(c, d, true, "the slave has commits of its own; they are kept as a rescue ref");
        break;
    case DIVERGENCE_OVERWRITE:
        force(c, d, false, "the slave has commits of its own; they are overwritten");
        break;
    }
}

static void tag_moved(const struct plan_case *c, enum drift d, bool wrote)
{
    struct arena *a = c->out->arena;
    bool rescue = !wrote && c->in->policy->refs.on_divergence == DIVERGENCE_RESCUE;

    if (c->in->policy->refs.move_tags) {
        force(c, d, rescue, "the tag points elsewhere at the master");
        return;
    }
    plan_condition(c, COND_BLOCKED, "tag-moved",
                   arena_printf(a, "%s: the tag points elsewhere (slave %s, master %s)", c->name,
                                short_oid(a, c->there->value), short_oid(a, c->wanted->value)),
                   "set refs.move_tags: true if tags may move");
}

void plan_ref_change(const struct plan_case *c, enum drift d)
{
    bool ours = c->ours != NULL || (c->wanted->flags & RES_ADOPT) != 0;
    bool wrote = c->ours != NULL && str_eq(c->ours->value, c->there->value);

    switch (c->there->relation) {
    case REF_BEHIND:
        (void)ref_act(c, ACT_UPDATE, d, plan_drift_reason(c->rule, d));
        return;
    case REF_REWOUND:
        if (ours)
            force(c, d, false, "the master moved it back; nothing is lost");
        else
            diverged(c, d);
        return;
    case REF_TAG_MOVED:
        tag_moved(c, d, wrote);
        return;
    case REF_RELATION_NONE: /* not compared: as careful as if it had diverged */
    case REF_SAME:
    case REF_DIVERGED:
        if (wrote)
            force(c, d, false, "the master rewrote its history");
        else
            diverged(c, d);
        return;
    }
}

void plan_ref_destroy(const struct plan_case *c)
{
    struct arena *a = c->out->arena;
    bool changed = !str_eq(c->there->value, c->ours->value);
    bool is_default = is_default_branch(c->in, c->name);

    if (is_default && !default_branch_moves(c->in, a)) {
        plan_condition(
            c, COND_WARNING, "default-branch-kept",
            arena_printf(a, "%s: no longer at the master, but the slave's default branch", c->name),
            "choose another default branch there; the next pass deletes it");
        return;
    }
    if (holds_work(c->in, c->there, c->ours)) {
        plan_condition(
            c, COND_BLOCKED, "ref-diverged",
            arena_printf(a,
                         "%s: no longer at the master, and somebody moved it at the slave "
                         "(slave %s, last written %s)",
                         c->name, short_oid(a, c->there->value), short_oid(a, c->ours->value)),
            "delete it there, or set refs.on_divergence: rescue or overwrite");
        return;
    }
    bool way = !is_default && makes_way(c);
    struct action *act = plan_act(c, way ? PHASE_QUIET : PHASE_DELETE, ACT_DELETE,
                                  changed ? DRIFT_BOTH : DRIFT_CHANGED_HERE,
                                  way ? "makes way for a ref of the master" : c->rule->gone);
    act->rescue = changed && c->in->policy->refs.on_divergence == DIVERGENCE_RESCUE;
}
