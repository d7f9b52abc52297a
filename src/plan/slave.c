/* One walk over the three views, a verdict for each name, and the order of work. */
#include "verdict.h"

#include <stdlib.h>
#include <string.h>

/* ---- Which kinds take part ----------------------------------------------------------------- */

static bool layer_on(const struct plan_input *in, enum kind k)
{
    enum layer l = kind_layer(k);
    return in->only[l] && (in->is_master ? k == KIND_WORKFLOW : in->policy->sync[l]);
}

bool plan_kind_complete(const struct plan_input *in, enum kind k)
{
    return layer_on(in, k) && in->desired->state[k] == VIEW_COMPLETE &&
           in->observed->state[k] == VIEW_COMPLETE;
}

static void told_failed(const struct view *v, enum kind k, struct slave_plan *out)
{
    const struct err *e = &v->error[k];
    bool cut = v->state[k] == VIEW_INCOMPLETE;
    enum err_code code = e->code != ERR_OK ? e->code : ERR_CONFLICT;
    const char *text = e->text;

    if (cut && e->code == ERR_OK)
        text = "the listing was cut short or does not add up; nothing of this kind is touched";
    slave_plan_condition(
        out,
        (struct condition){.level = COND_ERROR,
                           .err = code,
                           .code = cut ? "view-incomplete" : "view-failed",
                           .text = arena_printf(out->arena, "%s: %s", plan_rule(k)->many, text),
                           .cure = cut ? "the next pass reads it again" : NULL,
                           .about_kind = true,
                           .kind = k});
}

/* A token that cannot even read the Actions switch is no reason not to push: it is told. */
static bool told_unseedable(const struct plan_input *in, enum kind k, struct slave_plan *out)
{
    const struct resource *r = k == KIND_ACTIONS ? view_find(in->desired, k, "actions") : NULL;

    if (r == NULL || (r->flags & RES_SEEDING) == 0)
        return false;
    slave_plan_condition(
        out,
        (struct condition){
            .level = COND_WARNING,
            .code = "seeding-window",
            .text = arena_printf(out->arena,
                                 "Actions cannot be switched off for the first push: what it "
                                 "brings may run until its workflows are switched off behind "
                                 "it (%s)",
                                 in->observed->error[k].text),
            .cure = "give the token Administration: write, or switch Actions off by hand first",
            .about_kind = true,
            .kind = k});
    return true;
}

bool plan_kind_takes_part(const struct plan_input *in, enum kind k, struct slave_plan *out)
{
    enum view_state wanted = in->desired->state[k], there = in->observed->state[k];

    if (plan_kind_complete(in, k))
        return true;
    if (!layer_on(in, k) || wanted == VIEW_UNSEEN || there == VIEW_UNSEEN)
        return false;
    if (wanted != VIEW_COMPLETE)
        told_failed(in->desired, k, out);
    else if (k != KIND_ROLE && !told_unseedable(in, k, out)) /* of the marker plan_guard speaks */
        told_failed(in->observed, k, out);
    return false;
}

bool plan_prunes(const struct plan_input *in, enum kind k)
{
    return in->prune || in->policy->prune[k] || (k == KIND_REF && in->policy->refs.prune);
}

/* ---- One resource -------------------------------------------------------------------------- */

static void note_name(struct plan_names *names, const char *name)
{
    if (names->n < ARRAY_LEN(names->first))
        names->first[names->n] = name;
    names->n++;
}

/* Excluded refs are nobody's business, whoever made them. */
static bool in_scope(const struct plan_case *c)
{
    return c->rule->deletable &&
           (c->rule->kind != KIND_REF || ref_policy_covers(&c->in->policy->refs, c->name));
}

static void do_forget(const struct plan_case *c)
{
    (void)plan_act(c, PHASE_LEDGER, ACT_FORGET, DRIFT_IN_SYNC, c->row->sentence);
}

static void do_leave(const struct plan_case *c)
{
    if (in_scope(c) && plan_prunes(c->in, c->rule->kind))
        note_name(&c->notes->left, c->name);
}

static void do_delete(const struct plan_case *c)
{
    if (!in_scope(c))
        return;
    if (plan_prunes(c->in, c->rule->kind))
        c->rule->destroy(c);
    else
        note_name(&c->notes->kept, c->name);
}

/* Equal. The ledger learns of it when it does not know yet, or knows another value. */
static void do_adopt(const struct plan_case *c)
{
    bool known = c->ours != NULL && str_eq(c->ours->value, c->wanted->value) &&
                 (!c->rule->stamped || str_eq(c->ours->stamp, c->there->stamp));
    if (!known)
        (void)plan_act(c, PHASE_LEDGER, ACT_ADOPT, DRIFT_IN_SYNC, c->row->sentence);
}

static void do_create(const struct plan_case *c)
{
    c->rule->missing(c);
}

static void blocked_foreign(const struct plan_case *c)
{
    plan_condition(
        c, COND_BLOCKED, arena_printf(c->out->arena, "%s-foreign", kind_name(c->rule->kind)),
        arena_printf(c->out->arena, "%s '%s' exists at the slave and was not written by mirrorctl",
                     kind_name(c->rule->kind), c->name),
        "set adopt: true to take it over");
}

static void do_take_over(const struct plan_case *c)
{
    bool adopt = (c->wanted->flags & RES_ADOPT) != 0;

    if (c->rule->equal(c))
        do_adopt(c);
    else if (c->rule->foreign == FOREIGN_IF_ADOPT && !adopt)
        blocked_foreign(c);
    else
        c->rule->change(c, DRIFT_FOREIGN);
}

static void do_compare(const struct plan_case *c)
{
    if (c->rule->equal(c))
        do_adopt(c);
    else
        c->rule->change(c, c->rule->drift(c));
}

static void do_nothing(const struct plan_case *c)
{
    (void)c;
}

static void (*const CARRY_OUT[])(const struct plan_case *c) = {
    [VERDICT_NOTHING] = do_nothing,     [VERDICT_FORGET] = do_forget,
    [VERDICT_LEAVE] = do_leave,         [VERDICT_DELETE] = do_delete,
    [VERDICT_CREATE] = do_create,       [VERDICT_CREATE_AGAIN] = do_create,
    [VERDICT_TAKE_OVER] = do_take_over, [VERDICT_COMPARE] = do_compare,
};
_Static_assert(ARRAY_LEN(CARRY_OUT) == VERDICT_COUNT, "a verdict that nobody carries out");

/* Wanted, but its value could not be had; whoever wanted it has said why. Neither written nor
 * deleted. */
static bool is_unknown(const struct plan_case *c)
{
    return c->wanted != NULL && c->wanted->value == NULL;
}

static void judge(struct plan_case *c)
{
    if (c->there != NULL && (c->there->flags & RES_GHOST) != 0) {
        c->ghost = true;
        c->there = NULL;
    }
    c->row = plan_verdict(c->wanted != NULL, c->there != NULL, c->ours != NULL);
    if (is_unknown(c) || (c->rule->special != NULL && c->rule->special(c)))
        return;
    CARRY_OUT[c->row->verdict](c);
}

/* ---- One kind ------------------------------------------------------------------------------ */

struct cursor {
    const struct resource *at, *end;
};

static struct cursor cursor_of(const struct view *v, enum kind k)
{
    const struct resource key = {.kind = k, .name = ""};
    size_t low = 0, high = v->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (resource_compare(&v->items[mid], &key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    size_t end = low;
    while (end < v->n && v->items[end].kind == k)
        end++;
    return v->n == 0 ? (struct cursor){NULL, NULL}
                     : (struct cursor){v->items + low, v->items + end};
}

/* The smallest name under the three cursors; NULL at the end. */
static const char *next_name(const struct cursor *c, size_t n)
{
    const char *name = NULL;
    for (size_t i = 0; i < n; i++) {
        if (c[i].at != c[i].end && (name == NULL || strcmp(c[i].at->name, name) < 0))
            name = c[i].at->name;
    }
    return name;
}

static const struct resource *take(struct cursor *c, const char *name)
{
    return c->at != c->end && str_eq(c->at->name, name) ? c->at++ : NULL;
}

static const char *list_names(struct arena *a, const struct plan_names *names)
{
    const char *text = names->first[0];
    for (size_t i = 1; i < names->n && i < ARRAY_LEN(names->first); i++)
        text = arena_printf(a, "%s, %s", text, names->first[i]);
    return names->n <= ARRAY_LEN(names->first)
               ? text
               : arena_printf(a, "%s and %zu more", text, names->n - ARRAY_LEN(names->first));
}

static void tell_names(struct plan_case *c, const struct plan_names *names, const char *code,
                       const char *what, const char *cure)
{
    struct arena *a = c->out->arena;
    if (names->n == 0)
        return;
    plan_condition(c, COND_NOTE, code,
                   arena_printf(a, "%zu %s %s: %s", names->n,
                                names->n == 1 ? kind_name(c->rule->kind) : c->rule->many, what,
                                list_names(a, names)),
                   cure);
}

static void plan_kind(const struct plan_input *in, enum kind k, struct plan_notes *notes,
                      struct slave_plan *out)
{
    struct cursor cursors[] = {cursor_of(in->desired, k), cursor_of(in->observed, k),
                               cursor_of(in->ledger, k)};
    struct plan_case c = {.in = in, .out = out, .notes = notes, .rule = plan_rule(k)};

    notes->kept = notes->left = (struct plan_names){.n = 0};
    for (const char *name = next_name(cursors, ARRAY_LEN(cursors)); name != NULL;
         name = next_name(cursors, ARRAY_LEN(cursors))) {
        c.name = name;
        c.ghost = false;
        c.wanted = take(&cursors[0], name);
        c.there = take(&cursors[1], name);
        c.ours = take(&cursors[2], name);
        judge(&c);
    }
    tell_names(&c, &notes->kept, "not-pruned", "no longer wanted and kept",
               "prune: true, or --prune, deletes what mirrorctl created");
    tell_names(&c, &notes->left, "foreign-kept", "not created by mirrorctl, left alone", NULL);
}

/* ---- Order --------------------------------------------------------------------------------- */

static int order(const void *pa, const void *pb)
{
    const struct action *a = pa, *b = pb;

    if (a->phase != b->phase)
        return a->phase < b->phase ? -1 : 1;
    if (a->kind != b->kind)
        return (a->kind < b->kind) == (a->phase != PHASE_DELETE) ? -1 : 1;
    int names = strcmp(a->name, b->name);
    return names != 0 ? names : (int)a->act - (int)b->act;
}

/*
 * Into an empty repository the first branch becomes the default one, so the wanted default branch
 * goes before all other refs.
 */
static void default_branch_first(const struct plan_input *in, struct slave_plan *out)
{
    const struct resource *want = view_find(in->desired, KIND_DEFAULT_BRANCH, "default-branch");
    size_t first = 0;

    if (want == NULL || want->value == NULL)
        return;
    const char *ref = arena_printf(out->arena, "refs/heads/%s", want->value);
    while (first < out->n && out->actions[first].phase < PHASE_CODE)
        first++;
    for (size_t i = first; i < out->n && out->actions[i].phase == PHASE_CODE; i++) {
        if (!str_eq(out->actions[i].name, ref))
            continue;
        struct action a = out->actions[i];
        memmove(&out->actions[first + 1], &out->actions[first], (i - first) * sizeof(a));
        out->actions[first] = a;
        return;
    }
}

void plan_slave(const struct plan_input *in, struct slave_plan *out)
{
    /* Refs first: whether code moves decides about the Actions switch and arriving workflows. */
    static const enum kind KINDS[] = {KIND_REF,    KIND_ACTIONS,  KIND_DEFAULT_BRANCH,
                                      KIND_SECRET, KIND_VARIABLE, KIND_WORKFLOW,
                                      KIND_ROLE};
    _Static_assert(ARRAY_LEN(KINDS) == KIND_COUNT, "a kind that is not planned");
    struct plan_notes notes = {.code_moves = false};

    out->is_master = in->is_master;
    for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
        if (plan_kind_takes_part(in, KINDS[i], out))
            plan_kind(in, KINDS[i], &notes, out);
    }
    if (out->n > 1)
        qsort(out->actions, out->n, sizeof(*out->actions), order);
    default_branch_first(in, out);
}
