#include "mirrorctl/roles.h"

#include <string.h>

bool role_pattern_is_literal(const char *pattern)
{
    return strpbrk(pattern, "*?[") == NULL;
}

static bool list_matches(const char *const *list, const char *file, bool literal)
{
    for (; list != NULL && *list != NULL; list++) {
        if (role_pattern_is_literal(*list) != literal)
            continue;
        if (literal ? str_eq(*list, file) : str_glob(*list, file))
            return true;
    }
    return false;
}

enum workflow_wish role_wants_workflow(const struct role_policy *p, const char *file)
{
    /* Leaving alone comes first: it is the answer that changes nothing. */
    const struct {
        const char *const *list;
        enum workflow_wish wish;
    } lists[] = {
        {p->ignored, WORKFLOW_IGNORED},
        {p->enabled, WORKFLOW_ON},
        {p->disabled, WORKFLOW_OFF},
    };

    for (int literal = 1; literal >= 0; literal--) {
        for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
            if (list_matches(lists[i].list, file, literal == 1))
                return lists[i].wish;
        }
    }
    return WORKFLOW_IGNORED;
}

static const char *const EVERY[] = {"*", NULL};
static const char *const SENTINEL[] = {"sentinel.yml", NULL};
static const char *const OPERATIONAL[] = {"cron.yml", "deploy-site.yml", "sentinel.yml", NULL};

/* The original design's "Pipeline Swapping", word for word. */
static const struct role_policy DEFAULT_POLICIES[] = {
    [ROLE_MASTER] = {.enabled = EVERY, .disabled = SENTINEL},
    [ROLE_SLAVE] = {.enabled = SENTINEL, .disabled = EVERY},
    [ROLE_TEMPORARY_MASTER] = {.enabled = OPERATIONAL, .ignored = EVERY},
};
_Static_assert(ARRAY_LEN(DEFAULT_POLICIES) == ROLE_COUNT, "a role without a default policy");

const struct role_policy *role_default_policy(enum role r)
{
    return &DEFAULT_POLICIES[r];
}

const char *role_wants_variable(const struct variable_policy *v, enum role r)
{
    return v->in[r] != NULL ? v->in[r] : v->value;
}
