/* What a kind does differently: one row each. */
#include "verdict.h"

/* ---- Parts --------------------------------------------------------------------------------- */

struct action *plan_act(const struct plan_case *c, enum phase phase, enum act act, enum drift d,
                        const char *reason)
{
    struct action *a = slave_plan_add(c->out);

    a->phase = phase;
    a->act = act;
    a->kind = c->rule->kind;
    a->drift = d;
    a->name = c->name;
    a->reason = reason;
    if (c->there != NULL) {
        a->from = c->there->value;
        a->stamp = c->there->stamp;
        a->id = c->there->id;
    }
    if (c->wanted != NULL && act != ACT_DELETE)
        a->to = c->wanted->value;
    return a;
}

void plan_condition(const struct plan_case *c, enum condition_level level, const char *code,
                    const char *text, const char *cure)
{
    enum err_code err = level == COND_BLOCKED ? ERR_REFUSED : ERR_OK;
    slave_plan_condition(c->out, (struct condition){.level = level,
                                                    .err = err,
                                                    .code = code,
                                                    .text = text,
                                                    .cure = cure,
                                                    .about_kind = true,
                                                    .kind = c->rule->kind});
}

const char *plan_drift_reason(const struct kind_rule *r, enum drift d)
{
    switch (d) {
    case DRIFT_CHANGED_HERE:
        return r->here;
    case DRIFT_CHANGED_THERE:
        return r->there;
    case DRIFT_BOTH:
        return r->both;
    case DRIFT_FOREIGN:
        return r->taken;
    case DRIFT_IN_SYNC:
    case DRIFT_MISSING:
    case DRIFT_UNKNOWN:
        break;
    }
    return drift_name(d);
}

void plan_create(const struct plan_case *c)
{
    (void)plan_act(c, c->rule->phase, ACT_CREATE, DRIFT_MISSING, c->row->sentence);
}

void plan_update(const struct plan_case *c, enum drift d)
{
    (void)plan_act(c, c->rule->phase, ACT_UPDATE, d, plan_drift_reason(c->rule, d));
}

void plan_destroy(const struct plan_case *c)
{
    (void)plan_act(c, PHASE_DELETE, ACT_DELETE, DRIFT_CHANGED_HERE, c->rule->gone);
}

bool plan_value_equal(const struct plan_case *c)
{
    return str_eq(c->wanted->value, c->there->value);
}

/* From whether this side and that side moved since the ledger was written. */
static enum drift drift_of(bool here, bool there)
{
    static const enum drift DRIFTS[2][2] = {
        {DRIFT_IN_SYNC, DRIFT_CHANGED_THERE},
        {DRIFT_CHANGED_HERE, DRIFT_BOTH},
    };
    return DRIFTS[here][there];
}

enum drift plan_value_drift(const struct plan_case *c)
{
    return drift_of(!str_eq(c->ours->value, c->wanted->value),
                    !str_eq(c->ours->value, c->there->value));
}

/* ---- Secrets ------------------------------------------------------------------------------- */

/* A secret cannot be read back: this side is known by its fingerprint, that side by its stamp. */
static enum drift secret_drift(const struct plan_case *c)
{
    return drift_of(!str_eq(c->ours->value, c->wanted->value),
                    !str_eq(c->ours->stamp, c->there->stamp));
}

/* One that we never wrote may be anything. */
static bool secret_equal(const struct plan_case *c)
{
    return c->ours != NULL && secret_drift(c) == DRIFT_IN_SYNC;
}

/* A ledger row without a value is what a pass that was killed in the middle of a write leaves. */
static void secret_change(const struct plan_case *c, enum drift d)
{
    bool cut = c->ours != NULL && str_eq(c->ours->value, "");
    const char *reason = cut ? "its last write was interrupted, so it is written again"
                             : plan_drift_reason(c->rule, d);
    (void)plan_act(c, c->rule->phase, ACT_UPDATE, d, reason);
}

/* ---- Variables ----------------------------------------------------------------------------- */

static bool variable_special(const struct plan_case *c)
{
    bool empty = c->wanted != NULL && str_eq(c->wanted->value, "");
    if (!empty || (c->wanted->flags & RES_ALLOW_EMPTY) != 0)
        return false;
    plan_condition(c, COND_BLOCKED, "value-empty",
                   arena_printf(c->out->arena, "variable '%s': its value is empty", c->name),
                   "give it a value, or set allow_empty: true");
    return true;
}

/* ---- Role ---------------------------------------------------------------------------------- */

/*
 * A marker that was there and is not is no reason to write a new one: plan_guard fences such a
 * slave. Only the user's word (--takeover) begins anew.
 */
static void role_missing(const struct plan_case *c)
{
    if (c->ours == NULL || c->in->takeover)
        plan_create(c);
}

/* Who changes a role are the sentinel and the operator. */
static void role_change(const struct plan_case *c, enum drift d)
{
    (void)c;
    (void)d;
}

/* ---- The table ----------------------------------------------------------------------------- */

/* clang-format off */
static const struct kind_rule RULES[] = {
    [KIND_ACTIONS] = {
        .many = "Actions switch",
        .kind = KIND_ACTIONS, .phase = PHASE_WORKFLOWS, .foreign = FOREIGN_UPDATED,
        .here = "was switched off for a first push that did not end",
        .there = "somebody switched it off at the slave",
        .both = "was switched off for a first push that did not end",
        .taken = "is off at the slave",
        .equal = plan_value_equal, .drift = plan_value_drift,
        .missing = plan_create, .change = plan_update, .destroy = plan_destroy,
        .special = plan_actions_special,
    },
    [KIND_REF] = {
        .many = "refs",
        .kind = KIND_REF, .phase = PHASE_CODE, .deletable = true, .foreign = FOREIGN_JUDGED,
        .gone = "the master no longer has it",
        .here = "the master moved on",
        .there = "was moved back at the slave",
        .both = "the master moved on, and somebody moved it at the slave",
        .taken = "behind the master",
        .equal = plan_value_equal, .drift = plan_value_drift,
        .missing = plan_ref_missing, .change = plan_ref_change, .destroy = plan_ref_destroy,
    },
    [KIND_DEFAULT_BRANCH] = {
        .many = "default branch",
        .kind = KIND_DEFAULT_BRANCH, .phase = PHASE_DEFAULT_BRANCH, .foreign = FOREIGN_UPDATED,
        .here = "the master's default branch changed",
        .there = "somebody changed it at the slave",
        .both = "changed at the master and at the slave",
        .taken = "not the master's default branch",
        .equal = plan_value_equal, .drift = plan_value_drift,
        .missing = plan_default_branch_missing, .change = plan_default_branch_change, .destroy = plan_destroy,
    },
    [KIND_SECRET] = {
        .many = "secrets",
        .kind = KIND_SECRET, .phase = PHASE_SECRETS, .deletable = true,
        .foreign = FOREIGN_IF_ADOPT,
        .gone = "the manifest no longer wants it",
        .here = "changed here",
        .there = "somebody wrote it at the slave",
        .both = "changed here and at the slave",
        .taken = "taken over, as adopt says",
        .equal = secret_equal, .drift = secret_drift,
        .missing = plan_create, .change = secret_change, .destroy = plan_destroy,
    },
    [KIND_VARIABLE] = {
        .many = "variables",
        .kind = KIND_VARIABLE, .phase = PHASE_VARIABLES, .deletable = true,
        .foreign = FOREIGN_IF_ADOPT,
        .gone = "the manifest no longer wants it",
        .here = "changed here",
        .there = "somebody changed it at the slave",
        .both = "changed here and at the slave",
        .taken = "taken over, as adopt says",
        .equal = plan_value_equal, .drift = plan_value_drift,
        .missing = plan_create, .change = plan_update, .destroy = plan_destroy,
        .special = variable_special,
    },
    [KIND_WORKFLOW] = {
        .many = "workflows",
        .kind = KIND_WORKFLOW, .phase = PHASE_WORKFLOWS, .foreign = FOREIGN_UPDATED,
        .here = "its role changed here",
        .there = "somebody switched it at the slave",
        .both = "changed here and at the slave",
        .taken = "not as its role wants",
        .equal = plan_value_equal, .drift = plan_value_drift,
        .missing = plan_workflow_missing, .change = plan_workflow_change, .destroy = plan_destroy,
    },
    [KIND_ROLE] = {
        .many = "role marker",
        .kind = KIND_ROLE, .phase = PHASE_ROLE, .stamped = true, .foreign = FOREIGN_JUDGED,
        .equal = plan_value_equal, .drift = plan_value_drift,
        .missing = role_missing, .change = role_change, .destroy = plan_destroy,
    },
};
/* clang-format on */
_Static_assert(ARRAY_LEN(RULES) == KIND_COUNT, "a kind without a rule");

const struct kind_rule *plan_rule(enum kind k)
{
    return &RULES[k];
}
