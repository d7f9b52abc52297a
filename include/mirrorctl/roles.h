/*
 * roles: which desired state a role chooses. PURE: no I/O, no clock, no randomness, no globals;
 * tests/lint/purity reads the symbols of this library and fails when that stops being true.
 *
 * A role is nothing but a choice: which workflows are on, which value a variable has. reconcile asks
 * once for each workflow file and each variable; failover (a later room of the house) changes only
 * which role it asks with.
 */
#ifndef MIRRORCTL_ROLES_H
#define MIRRORCTL_ROLES_H

#include "mirrorctl/model.h"

enum workflow_wish {
    WORKFLOW_IGNORED, /* no list names it, or `ignored` does: leave it as it is */
    WORKFLOW_ON,
    WORKFLOW_OFF
};

/*
 * What the policy wants for a workflow file ("cron.yml"). A literal name beats a glob. Among literal
 * names, and among globs, the order is: ignored, enabled, disabled; the manifest's check refuses a
 * literal name that stands in two lists. No list matches: ignored.
 */
enum workflow_wish role_wants_workflow(const struct role_policy *p, const char *file);

/* Whether a pattern of a role's list is a literal name, i.e. has none of *?[. */
bool role_pattern_is_literal(const char *pattern);

/*
 * The policies that hold when the manifest names none (original design, "Pipeline Swapping"):
 * MASTER all on but sentinel.yml; SLAVE all off but sentinel.yml; TEMPORARY_MASTER cron.yml,
 * deploy-site.yml and sentinel.yml on, the rest left alone.
 */
const struct role_policy *role_default_policy(enum role r);

/* A variable: its value, and values for single roles. */
struct variable_policy {
    const char *name;           /* upper-case */
    const char *value;          /* for roles that `in` does not name; NULL = not wanted there */
    const char *in[ROLE_COUNT]; /* NULL = value holds */
};

/* The value wanted in a role, or NULL when the variable is not wanted there. */
const char *role_wants_variable(const struct variable_policy *v, enum role r);

#endif
