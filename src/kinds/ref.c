/* Heads, tags and whatever else the allow-list names: compared with the source, pushed with leases.
 */
#include "kinds.h"

#include <string.h>

static bool is_ours(const char *ref)
{
    return str_starts_with(ref, "refs/mirrorctl/");
}

/* How the slave's value stands to the wanted one; equal values need no look into the objects. */
static enum err_code relate(struct kind_context *c, const struct resource *wanted,
                            struct resource *there, struct err *e)
{
    if (wanted == NULL || c->source == NULL)
        return ERR_OK;
    if (str_eq(wanted->value, there->value)) {
        there->relation = REF_SAME;
        return ERR_OK;
    }
    struct git_comparison cmp = {0};
    TRY(git_compare(c->source, there->name, wanted->value, there->value, c->arena, &cmp, e));
    there->relation = cmp.relation;
    there->count = cmp.ahead;
    there->detail = cmp.subject;
    return ERR_OK;
}

static enum err_code observe_refs(struct kind_context *c, struct view *out, struct err *e)
{
    if (c->remote == NULL)
        return ERR_OK;
    struct git_refs refs = {0};
    TRY(git_remote_list(c->remote, c->arena, &refs, e));
    c->refs = refs;
    c->facts->empty = refs.empty;
    c->facts->marker = refs.marker;
    view_reserve(out, refs.n);
    for (size_t i = 0; i < refs.n; i++) {
        const struct git_ref *ref = &refs.items[i];
        if (is_ours(ref->name))
            continue;
        struct resource *r = view_add(out, KIND_REF, ref->name, ref->oid);
        if (relate(c, view_find(c->desired, KIND_REF, ref->name), r, e) != ERR_OK)
            return view_fail(out, KIND_REF, e);
    }
    out->state[KIND_REF] = VIEW_COMPLETE;
    return ERR_OK;
}

/* ---- Push -------------------------------------------------------------------------------------
 */

/* What was pushed is there now: the next push of this pass needs no new listing to know it. */
static void note_pushed(struct kind_context *c, const struct git_command *cmd)
{
    struct git_ref *old = c->refs.items;
    size_t n = c->refs.n, k = 0;
    struct git_ref *items = arena_alloc(c->arena, (n + 1) * sizeof *items);
    bool placed = cmd->new_oid == NULL;
    for (size_t i = 0; i < n; i++) {
        int order = strcmp(old[i].name, cmd->ref);
        if (order >= 0 && !placed) {
            items[k++] = (struct git_ref){.name = cmd->ref, .oid = cmd->new_oid};
            placed = true;
        }
        if (order != 0)
            items[k++] = old[i];
    }
    if (!placed)
        items[k++] = (struct git_ref){.name = cmd->ref, .oid = cmd->new_oid};
    c->refs.items = items;
    c->refs.n = k;
    c->refs.empty = k == 0;
}

/* refs/mirrorctl/rescue/<epoch>-<UTC>/heads/main: what a forced update would lose stays reachable.
 */
static const char *rescue_name(struct kind_context *c, const char *ref)
{
    char iso[24], stamp[24];
    wall_format(clock_wall(c->clock), iso);
    size_t k = 0;
    for (const char *p = iso; *p != '\0'; p++)
        if (*p != '-' && *p != ':') /* a ref name may hold no colon */
            stamp[k++] = *p;
    stamp[k] = '\0';
    return arena_printf(c->arena, "refs/mirrorctl/rescue/%lld-%s/%s", (long long)c->facts->epoch,
                        stamp, ref + strlen("refs/"));
}

static enum err_code result_code(enum git_result r)
{
    switch (r) {
    case GIT_DONE:
        return ERR_OK;
    case GIT_STALE:
        return ERR_CONFLICT;
    case GIT_REJECTED:
        return ERR_REFUSED;
    case GIT_NOT_SENT:
    case GIT_FAILED:
    case GIT_UNKNOWN:
        return ERR_UNAVAILABLE;
    }
    return ERR_UNAVAILABLE;
}

static void take_result(const struct git_command *cmd, const struct action *a,
                        struct kind_outcome *o)
{
    if (cmd->result == GIT_DONE) {
        outcome_done(o, a, a->to, NULL);
        return;
    }
    const struct git_refusal *why = cmd->message ? git_refusal_find(cmd->message) : NULL;
    o->code = why != NULL && why->err != ERR_OK ? why->err : result_code(cmd->result);
    o->cure = cmd->cure;
    if (cmd->result == GIT_STALE)
        err_set(&o->err, o->code,
                "somebody moved it since it was looked at; the next pass looks again");
    else
        err_set(&o->err, o->code, "%s",
                cmd->message != NULL ? cmd->message : "the server did not say what became of it");
}

/* The rest of an atomic batch in which another ref was refused: nothing is wrong with this one. */
static bool fell_with_others(const struct git_command *cmd)
{
    const struct git_refusal *why = cmd->message ? git_refusal_find(cmd->message) : NULL;
    return cmd->result == GIT_FAILED && why != NULL && str_eq(why->code, "atomic");
}

/* One exchange. The marker that was observed goes with it as a precondition, and is looked at
 * afterwards: a server may ignore such a line. */
static enum err_code push_once(struct kind_context *c, struct git_command *cmds, size_t n,
                               struct err *e)
{
    struct git_push push = {.commands = cmds,
                            .n = n,
                            .seen = &c->refs,
                            .marker = c->facts->marker,
                            .arena = c->arena,
                            .progress = c->progress,
                            .progress_ctx = c->progress_ctx};
    TRY(git_push(c->remote, c->source, &push, e));
    for (size_t i = 0; i < n; i++)
        if (cmds[i].result == GIT_DONE)
            note_pushed(c, &cmds[i]);
    if (!str_eq(push.marker_after, c->facts->marker))
        return err_set(e, ERR_FENCED, "its role marker was moved by somebody during the push");
    return ERR_OK;
}

/*
 * An atomic batch falls as a whole when one ref of it is refused. Those that only fell with others
 * are sent again without the culprits; a batch without a culprit that could be named is halved.
 */
static enum err_code push_all(struct kind_context *c, struct git_command *cmds, size_t n,
                              struct err *e)
{
    TRY(push_once(c, cmds, n, e));
    struct git_command *again = arena_alloc(c->arena, n * sizeof *again);
    size_t *where = arena_alloc(c->arena, n * sizeof *where);
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (!fell_with_others(&cmds[i]))
            continue;
        where[k] = i;
        again[k++] = cmds[i];
    }
    if (k == 0 || n == 1)
        return ERR_OK;
    size_t half = k < n ? k : k / 2;
    enum err_code r = push_all(c, again, half, e);
    if (r == ERR_OK && half < k)
        r = push_all(c, again + half, k - half, e);
    for (size_t i = 0; i < k; i++)
        cmds[where[i]] = again[i];
    return r;
}

/* Commands for actions[0 … n-1], and what became of them. */
static enum err_code push_batch(struct kind_context *c, const struct action *actions, size_t n,
                                struct kind_outcome *outcomes, struct err *e)
{
    struct git_command *cmds = arena_alloc(c->arena, 2 * n * sizeof *cmds);
    size_t *of_action = arena_alloc(c->arena, n * sizeof *of_action);
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (actions[i].rescue)
            cmds[k++] = (struct git_command){.ref = rescue_name(c, actions[i].name),
                                             .new_oid = actions[i].from};
        of_action[i] = k;
        cmds[k++] = (struct git_command){
            .ref = actions[i].name, .old_oid = actions[i].from, .new_oid = actions[i].to};
    }
    enum err_code r = push_all(c, cmds, k, e);
    if (r != ERR_OK && r != ERR_FENCED) {
        outcomes_not_begun(outcomes, 0, n, e);
        return err_stops_slave(r) ? r : ERR_OK;
    }
    for (size_t i = 0; i < n; i++)
        take_result(&cmds[of_action[i]], &actions[i], &outcomes[i]);
    return r;
}

/*
 * Into an empty repository the first ref goes alone: with several at once the server chooses its
 * default branch by the alphabet (github.md 6.4). plan puts the default branch first.
 */
static enum err_code apply_refs(struct kind_context *c, const struct action *actions, size_t n,
                                struct kind_outcome *outcomes, struct err *e)
{
    size_t first = c->refs.empty && n > 1 ? 1 : 0;
    if (first > 0) {
        enum err_code r = push_batch(c, actions, first, outcomes, e);
        if (r != ERR_OK) {
            outcomes_not_begun(outcomes, first, n, e);
            return r;
        }
    }
    if (kind_interrupted(c, e)) {
        outcomes_not_begun(outcomes, first, n, e);
        return e->code;
    }
    return push_batch(c, actions + first, n - first, outcomes + first, e);
}

/* GitHub loses pushes of more than about 100 refs and reports success (github.md 6.2). */
const struct kind_row kind_row_ref = {
    .kind = KIND_REF,
    .batch = 50,
    .observe = observe_refs,
    .apply = apply_refs,
};
