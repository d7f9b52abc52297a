#include "kinds.h"

static enum err_code observe_variables(struct kind_context *c, struct view *out, struct err *e)
{
    if (c->gh == NULL)
        return ERR_OK;
    struct github_variable *list = NULL;
    size_t n = 0;
    bool complete = false;
    if (github_variables_list(c->gh, &list, &n, &complete, e) != ERR_OK)
        return view_fail(out, KIND_VARIABLE, e);
    for (size_t i = 0; i < n; i++) {
        /* Names come back upper-case, and older servers may not: compare in one form. */
        const char *name = github_upper(c->arena, list[i].name);
        struct resource *r = view_add(out, KIND_VARIABLE, name, list[i].value);
        r->stamp = list[i].updated_at;
    }
    out->state[KIND_VARIABLE] = complete ? VIEW_COMPLETE : VIEW_INCOMPLETE;
    return ERR_OK;
}

static enum err_code write_variable(struct kind_context *c, const struct action *a,
                                    struct kind_outcome *o, struct err *e)
{
    if (a->act == ACT_DELETE) {
        TRY(github_variable_delete(c->gh, a->name, e));
        outcome_done(o, a, NULL, NULL);
        return ERR_OK;
    }
    TRY(github_variable_set(c->gh, a->name, a->to, a->act == ACT_UPDATE, e));
    outcome_done(o, a, a->to, NULL);
    return ERR_OK;
}

/* One after the other: parallel writes to one repository fail at random with 500 (github.md 1.3).
 */
static enum err_code apply_variables(struct kind_context *c, const struct action *actions, size_t n,
                                     struct kind_outcome *outcomes, struct err *e)
{
    return apply_each(c, actions, n, outcomes, write_variable, e);
}

const struct kind_row kind_row_variable = {
    .kind = KIND_VARIABLE,
    .batch = 500,
    .observe = observe_variables,
    .apply = apply_variables,
};
