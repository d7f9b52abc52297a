/*
 * plan: from three views to an ordered list of actions, and its guard. PURE: see roles.h.
 *
 *     struct slave_plan p;
 *     slave_plan_init(&p, slave->id, arena);
 *     plan_slave(&in, &p);         // verdicts, in order of work
 *     plan_guard(&in, &p);         // may refuse the slave as a whole
 *     plan_render(&plan, &opt, out, e);
 *
 * The verdict is a table of 8 rows over (wanted, there, ours), src/plan/verdict.c, with what a kind
 * does differently as one row of a second table: no nested ifs. Nothing is created or deleted out of
 * a view that is not complete. What is not ours is never deleted and never overwritten unless the
 * manifest says adopt; equal things, fast-forwards, workflows and the default branch adopt themselves.
 */
#ifndef MIRRORCTL_PLAN_H
#define MIRRORCTL_PLAN_H

#include "mirrorctl/model.h"

struct plan_input {
    const char *slave;            /* id, for sentences */
    bool is_master;               /* the master itself: only workflows are planned */
    enum role role;               /* the role that desired was built for */
    const struct view *desired;   /* sorted */
    const struct view *observed;  /* sorted */
    const struct view *ledger;    /* sorted */
    const struct slave_facts *facts;
    const struct slave_policy *policy;
    const char *controller;       /* id of this store */
    bool takeover;                /* the user said --takeover */
    bool allow_replaced;          /* the user confirmed a repository whose numeric id changed */
    bool only[LAYER_COUNT];       /* --only; all true otherwise */
    bool prune;                   /* --prune: as if the manifest said prune everywhere */
};

/* Appends actions and conditions to *out (initialised by the caller). Cannot fail. */
void plan_slave(const struct plan_input *in, struct slave_plan *out);

/*
 * Refuses the slave (out->refused, one blocked condition, actions stay for display) when
 *   - the marker says TEMPORARY_MASTER, its epoch grew, or it vanished           ERR_FENCED
 *     (--takeover accepts the last two, never the first)
 *   - the marker is there and cannot be read: it may say so          the view's error, or ERR_FENCED
 *   - the marker names another controller and takeover is not set                ERR_LOCKED
 *   - the repository is archived, or its numeric id changed                      ERR_REFUSED
 *   - the master shows no refs although some are wanted; or a kind that we own there has become
 *     empty in the desired view (nothing wanted at all) and would be deleted     ERR_REFUSED
 *   - deletions pass guards.max_deletes or guards.max_delete_share               ERR_REFUSED
 */
void plan_guard(const struct plan_input *in, struct slave_plan *out);

/* Exit code of a plan (docs/cli.md): first of 8, 7, 4, 5, 3, then 1 when there are changes, else 0. */
int plan_exit_code(const struct plan *p);
/* The code for one error, by the same table; 3 when nothing better fits. */
int err_exit_code(enum err_code code);
/* Of two exit codes the one that wins: 130/143, 8, 7, 4, 5, 6, 3, 2, 1, 0. */
int exit_code_worst(int a, int b);

struct render_options {
    bool color;
    bool verbose;     /* ledger-only actions too */
    int width;        /* columns; 0 = no limit */
    bool applied;     /* the past tense of the closing line */
};

/*
 * Text for people, like terraform's: one block a slave, one line an action (+ ~ - !), reasons aligned,
 * conditions with their cure, a closing count. Values of secrets never appear: there are none in a
 * plan. Variable values are shown, cut at 60 characters, control characters escaped.
 */
enum err_code plan_render(const struct plan *p, const struct render_options *opt, struct buf *out,
                          struct err *e);
/* One slave's block of it, without a closing count; nothing when it has nothing to say. */
enum err_code plan_render_slave(const struct slave_plan *s, const struct render_options *opt,
                                struct buf *out, struct err *e);

#endif
