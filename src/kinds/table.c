#include "kinds.h"

static const struct kind_row *const rows[KIND_COUNT] = {
    [KIND_ACTIONS] = &kind_row_actions,
    [KIND_REF] = &kind_row_ref,
    [KIND_DEFAULT_BRANCH] = &kind_row_default_branch,
    [KIND_SECRET] = &kind_row_secret,
    [KIND_VARIABLE] = &kind_row_variable,
    [KIND_WORKFLOW] = &kind_row_workflow,
    [KIND_ROLE] = &kind_row_role,
};

const struct kind_row *kind_row(enum kind k)
{
    return rows[k];
}

void outcome_done(struct kind_outcome *o, const struct action *a, const char *value,
                  const char *stamp)
{
    o->code = ERR_OK;
    o->now = (struct resource){
        .kind = a->kind, .name = a->name, .value = value, .stamp = stamp, .id = a->id};
}

void outcome_failed(struct kind_outcome *o, const struct err *e)
{
    o->code = e->code;
    o->err = *e;
}

void outcomes_not_begun(struct kind_outcome *o, size_t i, size_t n, const struct err *e)
{
    for (; i < n; i++)
        outcome_failed(&o[i], e);
}

bool kind_interrupted(const struct kind_context *c, struct err *e)
{
    if (c->interrupted == NULL || *c->interrupted == 0)
        return false;
    err_set(e, ERR_INTERRUPTED, "interrupted before it was begun");
    return true;
}

bool err_stops_slave(enum err_code code)
{
    return code == ERR_AUTH || code == ERR_FENCED || code == ERR_INTERRUPTED || code == ERR_RATE ||
           code == ERR_TIMEOUT;
}

enum err_code view_fail(struct view *v, enum kind k, const struct err *e)
{
    if (e->code == ERR_AUTH || e->code == ERR_INTERRUPTED)
        return e->code;
    v->state[k] = VIEW_FAILED;
    view_set_error(v, k, e);
    return ERR_OK;
}

enum err_code apply_each(struct kind_context *c, const struct action *actions, size_t n,
                         struct kind_outcome *outcomes,
                         enum err_code (*one)(struct kind_context *c, const struct action *a,
                                              struct kind_outcome *o, struct err *e),
                         struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        if (kind_interrupted(c, e)) {
            outcomes_not_begun(outcomes, i, n, e);
            return e->code;
        }
        struct err mine = ERR_INIT;
        if (one(c, &actions[i], &outcomes[i], &mine) == ERR_OK)
            continue;
        outcome_failed(&outcomes[i], &mine);
        if (err_stops_slave(mine.code)) {
            *e = mine;
            outcomes_not_begun(outcomes, i + 1, n, e);
            return e->code;
        }
    }
    return ERR_OK;
}
