/*
 * The inside of plan: two const tables and what their functions share.
 *
 *   verdict   8 rows over (wanted, there, ours): what kind of thing is to be done
 *   rules     one row per kind: how it is done, and what is allowed
 */
#ifndef MIRRORCTL_SRC_PLAN_VERDICT_H
#define MIRRORCTL_SRC_PLAN_VERDICT_H

#include "mirrorctl/plan.h"

enum verdict {
    VERDICT_NOTHING,
    VERDICT_FORGET,       /* drop the ledger row */
    VERDICT_LEAVE,        /* somebody else's */
    VERDICT_DELETE,       /* ours, not wanted: when pruning is on */
    VERDICT_CREATE,
    VERDICT_CREATE_AGAIN, /* ours, and somebody deleted it */
    VERDICT_TAKE_OVER,    /* wanted, and somebody else's is there */
    VERDICT_COMPARE,
    VERDICT_COUNT
};

struct verdict_row {
    bool wanted, there, ours;
    enum verdict verdict;
    const char *sentence; /* the reason, unless the kind knows a better one */
};

extern const struct verdict_row plan_verdicts[8];
const struct verdict_row *plan_verdict(bool wanted, bool there, bool ours);

/* Names of which one note speaks together. */
struct plan_names {
    const char *first[3];
    size_t n;
};

/* What one walk over the views gathers. */
struct plan_notes {
    struct plan_names kept; /* ours, no longer wanted, and not pruned */
    struct plan_names left; /* not ours, although pruning is on */
    bool code_moves;        /* a ref is created or updated: files may arrive */
};

/* One resource on its way to a verdict. */
struct plan_case {
    const struct plan_input *in;
    struct slave_plan *out;
    struct plan_notes *notes;
    const struct kind_rule *rule;
    const struct verdict_row *row;
    const char *name;
    const struct resource *wanted, *there, *ours; /* NULL = no */
    bool ghost; /* a workflow that the server still lists although its file is gone */
};

/* What may be done to a resource that is wanted, there, different and not ours. */
enum foreign {
    FOREIGN_IF_ADOPT, /* only when the manifest says adopt; else a blocked condition */
    FOREIGN_UPDATED,  /* brought in step like our own */
    FOREIGN_JUDGED    /* the kind's change() decides */
};

struct kind_rule {
    enum kind kind;
    enum phase phase;      /* of create and update, unless change() says otherwise */
    bool deletable;        /* may be deleted when pruning is on */
    bool stamped;          /* the ledger follows the observed stamp, too */
    enum foreign foreign;
    const char *many;      /* for sentences about all of them: "secrets" */
    const char *gone;      /* reason of a deletion */
    const char *here, *there, *both, *taken; /* reasons of an update, by drift */
    /* Whether wanted and there agree. `ours` is NULL when it is not in the ledger. */
    bool (*equal)(const struct plan_case *c);
    enum drift (*drift)(const struct plan_case *c);
    void (*missing)(const struct plan_case *c);                /* wanted and not there */
    void (*change)(const struct plan_case *c, enum drift d);   /* wanted, there, different */
    void (*destroy)(const struct plan_case *c);                /* not wanted, ours, pruning on */
    bool (*special)(const struct plan_case *c); /* or NULL; true: decided, no verdict needed */
};

const struct kind_rule *plan_rule(enum kind k);

/* ---- What the kinds' functions are made of (rules.c) -------------------------------------------- */

/* An action with everything that the case knows; to is wanted's value unless it is a deletion. */
struct action *plan_act(const struct plan_case *c, enum phase phase, enum act act, enum drift d,
                        const char *reason);
void plan_condition(const struct plan_case *c, enum condition_level level, const char *code,
                    const char *text, const char *cure);
void plan_create(const struct plan_case *c);
void plan_update(const struct plan_case *c, enum drift d);
void plan_destroy(const struct plan_case *c);
bool plan_value_equal(const struct plan_case *c);
/* Three-way by value: who moved since the ledger was written? */
enum drift plan_value_drift(const struct plan_case *c);
const char *plan_drift_reason(const struct kind_rule *r, enum drift d);

/* Whether a kind takes part: its layer is on, and both views are complete. Says why when not. */
bool plan_kind_takes_part(const struct plan_input *in, enum kind k, struct slave_plan *out);
/* The same without a word. */
bool plan_kind_complete(const struct plan_input *in, enum kind k);
bool plan_prunes(const struct plan_input *in, enum kind k);

/* ---- refs.c ---------------------------------------------------------------------------------------- */

void plan_ref_missing(const struct plan_case *c);
void plan_ref_change(const struct plan_case *c, enum drift d);
void plan_ref_destroy(const struct plan_case *c);
void plan_default_branch_missing(const struct plan_case *c);
void plan_default_branch_change(const struct plan_case *c, enum drift d);

/* ---- workflows.c ------------------------------------------------------------------------------------ */

void plan_workflow_missing(const struct plan_case *c);
void plan_workflow_change(const struct plan_case *c, enum drift d);
bool plan_actions_special(const struct plan_case *c);

#endif
