#include "kinds.h"

static bool is_off(const char *state)
{
    return !str_eq(state, "active"); /* unknown future words count as off (github.md 1.4) */
}

static enum err_code observe_workflows(struct kind_context *c, struct view *out, struct err *e)
{
    if (c->gh == NULL)
        return ERR_OK;
    struct github_workflow *list = NULL;
    size_t n = 0;
    bool complete = false;
    if (github_workflows_list(c->gh, &list, &n, &complete, e) != ERR_OK)
        return view_fail(out, KIND_WORKFLOW, e);
    for (size_t i = 0; i < n; i++) {
        struct resource *r =
            view_add(out, KIND_WORKFLOW, list[i].file, is_off(list[i].state) ? "off" : "on");
        r->detail = list[i].state;
        r->id = list[i].id;
        if (str_eq(list[i].state, "deleted"))
            r->flags |= RES_GHOST;
    }
    out->state[KIND_WORKFLOW] = complete ? VIEW_COMPLETE : VIEW_INCOMPLETE;
    return ERR_OK;
}

static enum err_code switch_workflow(struct kind_context *c, const struct action *a,
                                     struct kind_outcome *o, struct err *e)
{
    if (a->id == 0)
        return err_set(e, ERR_NOT_FOUND,
                       "GitHub does not list the workflow yet; the next pass will switch it %s",
                       a->to);
    if (str_eq(a->to, "on"))
        TRY(github_workflow_enable(c->gh, a->id, e));
    else
        TRY(github_workflow_disable(c->gh, a->id, e));
    outcome_done(o, a, a->to, NULL);
    return ERR_OK;
}

static enum err_code apply_workflows(struct kind_context *c, const struct action *actions, size_t n,
                                     struct kind_outcome *outcomes, struct err *e)
{
    return apply_each(c, actions, n, outcomes, switch_workflow, e);
}

const struct kind_row kind_row_workflow = {
    .kind = KIND_WORKFLOW,
    .batch = 100,
    .observe = observe_workflows,
    .apply = apply_workflows,
};
