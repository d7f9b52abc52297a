/* From manifest, source and role to what a slave should have. */
#include "pass_slave.h"

#include "mirrorctl/roles.h"

#include <string.h>

static enum role role_of(const struct pass_slave *s)
{
    return s->m == NULL ? ROLE_MASTER : ROLE_SLAVE;
}

/* ---- Code
 * ---------------------------------------------------------------------------------------- */

static void want_refs(struct pass_slave *s)
{
    struct view *v = &s->desired;
    if (s->pass->source == NULL) {
        v->state[KIND_REF] = VIEW_FAILED;
        view_set_error(v, KIND_REF, &s->pass->source_error);
        return;
    }
    struct err e = ERR_INIT;
    if (git_source_refs(s->pass->source, &s->m->policy.refs, v, &e) != ERR_OK) {
        v->state[KIND_REF] = VIEW_FAILED;
        view_set_error(v, KIND_REF, &e);
    }
}

/* Only a branch that is mirrored can become the slave's default branch. Needs a sorted view. */
static void want_default_branch(struct pass_slave *s)
{
    struct view *v = &s->desired;
    const char *branch =
        s->pass->source != NULL ? git_source_default_branch(s->pass->source) : NULL;
    if (branch == NULL || v->state[KIND_REF] != VIEW_COMPLETE)
        return;
    const char *ref = arena_printf(s->arena, "refs/heads/%s", branch);
    const struct resource *head = view_find(v, KIND_REF, ref);
    if (head == NULL)
        return;
    s->facts.head = head->value;
    /* A type git slave has none that could be set, but it is pushed first there, too. */
    view_add(v, KIND_DEFAULT_BRANCH, "default-branch", branch);
    v->state[KIND_DEFAULT_BRANCH] = VIEW_COMPLETE;
}

/* ---- Secrets and variables
 * ------------------------------------------------------------------------ */

static const struct manifest_secret *manifest_secret(const struct pass_slave *s, const char *name)
{
    for (size_t i = 0; i < s->m->n_secrets; i++)
        if (str_eq(s->m->secrets[i].name, name))
            return &s->m->secrets[i];
    return NULL;
}

static void want_secrets(struct pass_slave *s)
{
    for (size_t i = 0; i < s->n_secrets; i++) {
        const struct manifest_secret *m = manifest_secret(s, s->secrets[i].name);
        struct resource *r =
            view_add(&s->desired, KIND_SECRET, s->secrets[i].name, s->secrets[i].fingerprint);
        r->flags = (m->adopt ? RES_ADOPT : 0u) | (m->allow_empty ? RES_ALLOW_EMPTY : 0u);
    }
    s->desired.state[KIND_SECRET] = VIEW_COMPLETE;
}

static void want_variables(struct pass_slave *s)
{
    for (size_t i = 0; i < s->m->n_variables; i++) {
        const struct manifest_variable *m = &s->m->variables[i];
        const char *value = role_wants_variable(&m->policy, role_of(s));
        if (value == NULL)
            continue;
        struct resource *r = view_add(&s->desired, KIND_VARIABLE, m->policy.name, value);
        r->flags = (m->adopt ? RES_ADOPT : 0u) | (m->allow_empty ? RES_ALLOW_EMPTY : 0u);
    }
    s->desired.state[KIND_VARIABLE] = VIEW_COMPLETE;
}

void desired_from_manifest(struct pass_slave *s)
{
    if (s->m == NULL)
        return;
    if (pass_wants(s, LAYER_CODE)) {
        want_refs(s);
        view_sort(&s->desired);
        want_default_branch(s);
        view_add(&s->desired, KIND_ROLE, "role", role_name(ROLE_SLAVE));
        s->desired.state[KIND_ROLE] = VIEW_COMPLETE;
    }
    if (pass_wants(s, LAYER_SECRETS))
        want_secrets(s);
    if (pass_wants(s, LAYER_VARIABLES))
        want_variables(s);
    view_sort(&s->desired);
}

enum { DESCRIBED_REFS = 50 }; /* more than that nobody reads, and each costs a walk */

/* What a new ref brings: commit count and newest subject, for people. */
static void describe_new_refs(struct pass_slave *s)
{
    size_t told = 0;
    if (s->pass->source == NULL || s->observed.state[KIND_REF] != VIEW_COMPLETE)
        return;
    for (size_t i = 0; i < s->desired.n && told < DESCRIBED_REFS; i++) {
        struct resource *r = &s->desired.items[i];
        struct git_comparison cmp = {0};
        struct err e = ERR_INIT;
        if (r->kind != KIND_REF || view_find(&s->observed, KIND_REF, r->name) != NULL)
            continue;
        told++;
        if (git_compare(s->pass->source, r->name, r->value, NULL, s->arena, &cmp, &e) != ERR_OK)
            continue;                               /* the plan is right without it */
        r->count = s->facts.empty ? -1 : cmp.ahead; /* into an empty one everything is new */
        r->detail = cmp.subject;
    }
}

/*
 * Actions must be on. Around the first push into an empty repository it is off for a moment, so
 * that nothing that comes with the push can run; a pass that was killed in that moment left it off.
 */
void desired_after_refs(struct pass_slave *s)
{
    describe_new_refs(s);
    bool seeding =
        s->facts.empty && pass_wants(s, LAYER_CODE) && s->desired.state[KIND_REF] == VIEW_COMPLETE;
    const struct resource *last = view_find(&s->ledger, KIND_ACTIONS, "actions");
    bool left_off = last != NULL && str_eq(last->value, "off");
    if (!s->has_gh || !pass_wants(s, LAYER_WORKFLOWS) || (!seeding && !left_off))
        return;
    struct resource *r = view_add(&s->desired, KIND_ACTIONS, "actions", "on");
    r->flags = seeding ? RES_SEEDING : 0u;
    s->desired.state[KIND_ACTIONS] = VIEW_COMPLETE;
    view_sort(&s->desired);
}

/* ---- Workflows
 * -------------------------------------------------------------------------------------- */

static void want_workflow(struct pass_slave *s, const struct role_policy *policy, const char *file,
                          bool arrives)
{
    enum workflow_wish wish = role_wants_workflow(policy, file);
    if (wish == WORKFLOW_IGNORED)
        return;
    struct resource *r =
        view_add(&s->desired, KIND_WORKFLOW, file, wish == WORKFLOW_ON ? "on" : "off");
    r->flags = arrives ? RES_ARRIVES : 0u;
}

/* A row of a file that is gone stays in GitHub's list for long: it counts as not listed. */
static bool is_listed(const struct pass_slave *s, const char *file)
{
    const struct resource *r = view_find(&s->observed, KIND_WORKFLOW, file);
    return r != NULL && (r->flags & RES_GHOST) == 0;
}

/* Files of the commit that this pass brings and that the slave does not list yet. */
static void want_arriving(struct pass_slave *s, const struct role_policy *policy)
{
    const char *const *files = NULL;
    size_t n = 0;
    struct err e = ERR_INIT;
    if (s->pass->source == NULL || s->facts.head == NULL || !pass_wants(s, LAYER_CODE))
        return;
    if (git_source_workflows(s->pass->source, s->facts.head, s->arena, &files, &n, &e) != ERR_OK)
        return; /* the second look after the push finds them */
    for (size_t i = 0; i < n; i++)
        if (!is_listed(s, files[i]))
            want_workflow(s, policy, files[i], true);
}

/* Names that the manifest spells out are wanted even when nobody has seen the file: plan says so.
 */
static void want_literal(struct pass_slave *s, const struct role_policy *policy,
                         const char *const *list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        if (role_pattern_is_literal(list[i]) &&
            view_find(&s->desired, KIND_WORKFLOW, list[i]) == NULL)
            want_workflow(s, policy, list[i], false);
}

void desired_workflows(struct pass_slave *s)
{
    const struct role_policy *policy =
        s->m != NULL ? &s->m->roles[ROLE_SLAVE] : &s->pass->o.manifest->master_roles[ROLE_MASTER];
    if (!s->has_gh || !pass_wants(s, LAYER_WORKFLOWS))
        return;
    for (size_t i = 0; i < s->observed.n; i++)
        if (s->observed.items[i].kind == KIND_WORKFLOW && is_listed(s, s->observed.items[i].name))
            want_workflow(s, policy, s->observed.items[i].name, false);
    want_arriving(s, policy);
    view_sort(&s->desired);
    want_literal(s, policy, policy->enabled);
    want_literal(s, policy, policy->disabled);
    s->desired.state[KIND_WORKFLOW] = VIEW_COMPLETE;
    view_sort(&s->desired);
}
