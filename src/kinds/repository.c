/* The repository itself: its facts, its default branch, its Actions switch. */
#include "kinds.h"

/* One conditional GET tells whether the repository is there, which one it is, and what we may do.
 */
static enum err_code observe_repository(struct kind_context *c, struct view *out, struct err *e)
{
    if (c->gh == NULL)
        return ERR_OK; /* type git has neither facts nor a default branch that we could set */
    struct github_repo_info info = {0};
    TRY(github_repo_get(c->gh, &info, e));
    c->facts->repo_id = info.id;
    c->facts->full_name = info.full_name;
    c->facts->default_branch = info.default_branch;
    c->facts->archived = info.archived;
    c->facts->fork = info.fork;
    c->facts->is_private = info.is_private;
    c->facts->admin = info.admin;
    if (info.default_branch != NULL)
        view_add(out, KIND_DEFAULT_BRANCH, "default-branch", info.default_branch);
    out->state[KIND_DEFAULT_BRANCH] = VIEW_COMPLETE;
    return ERR_OK;
}

static enum err_code set_default_branch(struct kind_context *c, const struct action *a,
                                        struct kind_outcome *o, struct err *e)
{
    TRY(github_default_branch_set(c->gh, a->to, e));
    outcome_done(o, a, a->to, NULL);
    return ERR_OK;
}

static enum err_code apply_default_branch(struct kind_context *c, const struct action *actions,
                                          size_t n, struct kind_outcome *outcomes, struct err *e)
{
    return apply_each(c, actions, n, outcomes, set_default_branch, e);
}

const struct kind_row kind_row_default_branch = {
    .kind = KIND_DEFAULT_BRANCH,
    .batch = 1,
    .observe = observe_repository,
    .apply = apply_default_branch,
};

/*
 * The Actions switch costs a request and a right of its own (Administration: read), so it is read
 * only when it matters: before a first push, and after one that was interrupted.
 */
static enum err_code observe_actions(struct kind_context *c, struct view *out, struct err *e)
{
    if (c->gh == NULL || view_find(c->desired, KIND_ACTIONS, "actions") == NULL)
        return ERR_OK;
    bool on = false;
    if (github_actions_get(c->gh, &on, e) != ERR_OK)
        return view_fail(out, KIND_ACTIONS, e);
    c->facts->actions_on = on ? TRI_YES : TRI_NO;
    view_add(out, KIND_ACTIONS, "actions", on ? "on" : "off");
    out->state[KIND_ACTIONS] = VIEW_COMPLETE;
    return ERR_OK;
}

static enum err_code set_actions(struct kind_context *c, const struct action *a,
                                 struct kind_outcome *o, struct err *e)
{
    TRY(github_actions_set(c->gh, str_eq(a->to, "on"), e));
    outcome_done(o, a, a->to, NULL);
    return ERR_OK;
}

static enum err_code apply_actions(struct kind_context *c, const struct action *actions, size_t n,
                                   struct kind_outcome *outcomes, struct err *e)
{
    return apply_each(c, actions, n, outcomes, set_actions, e);
}

const struct kind_row kind_row_actions = {
    .kind = KIND_ACTIONS,
    .batch = 1,
    .observe = observe_actions,
    .apply = apply_actions,
};
