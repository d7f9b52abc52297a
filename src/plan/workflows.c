/* Workflows and the Actions switch: what runs at a slave, and what must not. */
#include "verdict.h"

static bool wants_off(const struct plan_case *c)
{
    return str_eq(c->wanted->value, "off");
}

/* ---- Workflows ----------------------------------------------------------------------------- */

/* Its file is in the code, no push is due, and still the server does not list it. */
static void unlisted(const struct plan_case *c)
{
    plan_condition(c, COND_WARNING, "workflow-unlisted",
                   arena_printf(c->out->arena,
                                "workflow '%s': its file is in the code, but the server does not "
                                "list it",
                                c->name),
                   "look again in a minute; if it stays so, see whether Actions is on there");
}

void plan_workflow_missing(const struct plan_case *c)
{
    if ((c->wanted->flags & RES_ARRIVES) != 0 && !c->notes->code_moves) {
        unlisted(c);
        return;
    }
    if ((c->wanted->flags & RES_ARRIVES) != 0) {
        if (!wants_off(c))
            return; /* a new file is active at once */
        struct action *a = plan_act(c, PHASE_WORKFLOWS, ACT_UPDATE, DRIFT_MISSING,
                                    "its file arrives with the code");
        a->arrives = true;
        return;
    }
    if (wants_off(c) && c->ghost)
        return; /* listed without a file: it cannot run */
    plan_condition(c, wants_off(c) ? COND_NOTE : COND_WARNING, "workflow-missing",
                   arena_printf(c->out->arena, "workflow '%s': there is no such file", c->name),
                   wants_off(c) ? NULL
                                : "add it to the master's .github/workflows/, or take it out of "
                                  "the role");
}

/* The server has reasons of its own for switching a workflow off, and says so. */
static const char *switched_off_by(const char *detail)
{
    static const struct {
        const char *state, *reason;
    } REASONS[] = {
        {"disabled_inactivity", "the server switched it off for inactivity"},
        {"disabled_fork", "the server keeps it off because it is in a fork"},
        {"disabled_manually", "somebody switched it off"},
    };
    for (size_t i = 0; i < ARRAY_LEN(REASONS); i++) {
        if (str_eq(REASONS[i].state, detail))
            return REASONS[i].reason;
    }
    return NULL;
}

void plan_workflow_change(const struct plan_case *c, enum drift d)
{
    struct arena *a = c->out->arena;
    const char *role = role_name(c->in->role), *reason = plan_drift_reason(c->rule, d);

    if (wants_off(c)) {
        if (d == DRIFT_FOREIGN)
            reason = arena_printf(a, "must not run in role %s", role);
        if (d == DRIFT_CHANGED_THERE)
            reason = "somebody switched it on";
        (void)plan_act(c, PHASE_QUIET, ACT_UPDATE, d, reason);
        return;
    }
    const char *by = switched_off_by(c->there->detail);
    if (by != NULL && d != DRIFT_CHANGED_HERE)
        reason = by;
    else if (d == DRIFT_FOREIGN)
        reason = arena_printf(a, "runs in role %s", role);
    (void)plan_act(c, PHASE_WORKFLOWS, ACT_UPDATE, d, reason);
}

/* ---- The Actions switch -------------------------------------------------------------------- */

static void seed_action(const struct plan_case *c, enum phase phase, const char *from,
                        const char *to, const char *reason)
{
    struct action *a = plan_act(c, phase, ACT_UPDATE, DRIFT_CHANGED_HERE, reason);
    a->from = from;
    a->to = to;
}

/*
 * A first push brings workflow files that are active at once. So Actions is off while it is under
 * way, and on again before the workflows are switched as the role wants. Off already and not by us
 * is the owner's choice.
 */
bool plan_actions_special(const struct plan_case *c)
{
    if (c->wanted == NULL || c->there == NULL || (c->wanted->flags & RES_SEEDING) == 0)
        return false;
    bool on = str_eq(c->there->value, "on"),
         was_us = c->ours != NULL && str_eq(c->ours->value, "off");

    if (!c->notes->code_moves) /* nothing is pushed: nothing to be quiet for */
        return !on && !was_us;
    if (on && c->in->facts->admin == TRI_NO) {
        plan_condition(c, COND_WARNING, "seeding-window",
                       "Actions cannot be switched off for the first push: what it brings may run "
                       "until its workflows are switched off behind it",
                       "give the token Administration: write, or switch Actions off by hand first");
        return true;
    }
    if (!on && !was_us) {
        plan_condition(c, COND_WARNING, "actions-off",
                       "Actions is off: nothing runs there, and nothing could take over",
                       "switch it on in the repository's settings when the first sync is done");
        return true;
    }
    if (on)
        seed_action(c, PHASE_QUIET, "on", "off",
                    "nothing may run while the first push is under way");
    seed_action(c, PHASE_WORKFLOWS, "off", "on", "the first push is done");
    return true;
}
