#include "plan_world.h"

#include <string.h>

static struct resource *find(struct view *v, enum kind k, const char *name)
{
    for (size_t i = 0; i < v->n; i++) {
        if (v->items[i].kind == k && str_eq(v->items[i].name, name))
            return &v->items[i];
    }
    return NULL;
}

static void drop(struct view *v, enum kind k, const char *name)
{
    struct resource *r = find(v, k, name);
    if (r == NULL)
        return;
    *r = v->items[--v->n];
}

static struct resource *put(struct view *v, enum kind k, const char *name, const char *value)
{
    struct resource *r = find(v, k, name);
    if (r == NULL)
        return view_add(v, k, name, value);
    r->value = value;
    return r;
}

/* ---- Preconditions, as servers have them --------------------------------------------------- */

static void check_precondition(struct world *w, const struct action *a)
{
    const struct resource *there = find(&w->observed, a->kind, a->name);

    if (a->act == ACT_CREATE) {
        check(w, there == NULL || (there->flags & RES_GHOST) != 0, "%s is there", a->name);
        check(w, a->from == NULL && a->to != NULL, "%s", a->name);
        return;
    }
    check(w, there != NULL, "%s is not there", a->name);
    /* A first push into an empty repository has chosen its default branch meanwhile. */
    bool chosen = a->kind == KIND_DEFAULT_BRANCH && str_eq(there->value, a->to);
    if (!a->arrives && !chosen) {
        check(w, str_eq(there->value, a->from), "%s is \"%s\"", a->name, there->value);
        check(w, str_eq(there->stamp, a->stamp), "%s has moved", a->name);
    }
}

static bool is_below(const char *name, const char *folder)
{
    size_t n = strlen(folder);
    return strncmp(name, folder, n) == 0 && name[n] == '/';
}

static void check_ref(struct world *w, const struct action *a)
{
    const struct resource *def = find(&w->observed, KIND_DEFAULT_BRANCH, "default-branch");

    check(w,
          !str_starts_with(a->name, "refs/pull/") && !str_starts_with(a->name, "refs/mirrorctl/"),
          "%s", a->name);
    if (a->act == ACT_DELETE && def != NULL)
        check(w, !str_eq(a->name, arena_printf(w->arena, "refs/heads/%s", def->value)),
              "%s is the default branch", a->name);
    for (size_t i = 0; a->act == ACT_CREATE && i < w->observed.n; i++) {
        const struct resource *r = &w->observed.items[i];
        check(w,
              r->kind != KIND_REF || (!is_below(r->name, a->name) && !is_below(a->name, r->name)),
              "%s beside %s", a->name, r->name);
    }
}

static void check_default_branch(struct world *w, const struct action *a)
{
    const char *ref = arena_printf(w->arena, "refs/heads/%s", a->to);
    check(w, w->facts.admin != TRI_NO, "may not");
    check(w, find(&w->observed, KIND_REF, ref) != NULL, "there is no %s", ref);
}

/* ---- Acts ---------------------------------------------------------------------------------- */

/* What a push does besides moving a ref. */
static void after_push(struct world *w, const struct action *a)
{
    if (w->facts.empty && str_starts_with(a->name, "refs/heads/"))
        put(&w->observed, KIND_DEFAULT_BRANCH, "default-branch", a->name + strlen("refs/heads/"));
    w->facts.empty = false;
    for (size_t i = 0; i < w->desired.n; i++) {
        const struct resource *d = &w->desired.items[i];
        if (d->kind != KIND_WORKFLOW || (d->flags & RES_ARRIVES) == 0)
            continue;
        struct resource *r = put(&w->observed, KIND_WORKFLOW, d->name, "on");
        r->flags = 0;
        r->detail = "active";
        r->id = 99;
    }
}

static const char *new_stamp(struct world *w, const struct action *a)
{
    if (a->kind == KIND_SECRET || a->kind == KIND_VARIABLE || a->kind == KIND_ROLE)
        return arena_printf(w->arena, "stamp %lu", ++w->stamps);
    return NULL;
}

static void act_remote(struct world *w, const struct action *a)
{
    check_precondition(w, a);
    if (a->kind == KIND_REF)
        check_ref(w, a);
    if (a->kind == KIND_DEFAULT_BRANCH && w->facts.default_branch != NULL)
        check_default_branch(w, a);
    if (a->act == ACT_DELETE) {
        drop(&w->observed, a->kind, a->name);
        drop(&w->ledger, a->kind, a->name);
        return;
    }
    const char *stamp = new_stamp(w, a);
    struct resource *r = put(&w->observed, a->kind, a->name, a->kind == KIND_SECRET ? NULL : a->to);
    r->stamp = stamp;
    put(&w->ledger, a->kind, a->name, a->to)->stamp = stamp;
    if (a->kind == KIND_REF)
        after_push(w, a);
}

static void act_ledger(struct world *w, const struct action *a)
{
    if (a->act == ACT_FORGET)
        drop(&w->ledger, a->kind, a->name);
    else
        put(&w->ledger, a->kind, a->name, a->to)->stamp = a->stamp;
}

/* The next pass is not a first one any more, and finds new workflow files in the list. */
static void next_pass(struct world *w)
{
    const struct resource *last = find(&w->ledger, KIND_ACTIONS, "actions");
    const struct resource *def = find(&w->observed, KIND_DEFAULT_BRANCH, "default-branch");

    w->facts.default_branch = def != NULL ? def->value : NULL;
    for (size_t i = 0; i < w->desired.n; i++) {
        struct resource *d = &w->desired.items[i];
        const struct resource *r = find(&w->observed, d->kind, d->name);
        if (d->kind == KIND_WORKFLOW && r != NULL && (r->flags & RES_GHOST) == 0)
            d->flags &= ~(unsigned)RES_ARRIVES;
        if (d->kind == KIND_ACTIONS && !w->facts.empty)
            d->flags &= ~(unsigned)RES_SEEDING;
    }
    if (!w->facts.empty && (last == NULL || !str_eq(last->value, "off")))
        w->desired.state[KIND_ACTIONS] = VIEW_UNSEEN;
    world_relate(w, NULL);
}

void world_apply(struct world *w)
{
    for (size_t i = 0; i < w->plan.n; i++) {
        const struct action *a = &w->plan.actions[i];
        if (act_is_remote(a->act))
            act_remote(w, a);
        else
            act_ledger(w, a);
    }
    next_pass(w);
}
