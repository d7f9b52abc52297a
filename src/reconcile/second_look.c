/*
 * A push may bring workflow files, and they are active the moment it ends, before anybody could
 * switch them off (github.md 7.6). So after a push the list is read again, and what the role does
 * not want is quieted in the same pass, whether the plan foresaw it or not.
 */
#include "pass_slave.h"

#include "mirrorctl/roles.h"

enum { LOOKS = 5 }; /* the list is eventual: 0, 200, 400, 800, 1600 ms */

static size_t planned_index(const struct pass_slave *s, const char *file)
{
    for (size_t i = 0; i < s->plan->n; i++)
        if (s->plan->actions[i].kind == KIND_WORKFLOW && str_eq(s->plan->actions[i].name, file))
            return i;
    return SIZE_MAX;
}

static bool lists(const struct github_workflow *list, size_t n, const char *file)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i].file, file))
            return true;
    return false;
}

/* Every file that was to come with the push is listed. */
static bool all_arrived(const struct pass_slave *s, const struct github_workflow *list, size_t n)
{
    for (size_t i = 0; i < s->plan->n; i++)
        if (s->plan->actions[i].arrives && !lists(list, n, s->plan->actions[i].name))
            return false;
    return true;
}

static enum err_code list_again(struct pass_slave *s, struct github_workflow **list, size_t *n,
                                struct err *e)
{
    for (int look = 0;; look++) {
        bool complete = false;
        TRY(github_workflows_list(&s->gh, list, n, &complete, e));
        if (all_arrived(s, *list, *n) || look + 1 == LOOKS)
            return ERR_OK;
        clock_sleep(s->pass->clock, (struct ms){200 << look});
    }
}

static void quiet_action(struct action *a, const struct github_workflow *w)
{
    *a = (struct action){.phase = PHASE_WORKFLOWS,
                         .act = ACT_UPDATE,
                         .kind = KIND_WORKFLOW,
                         .drift = DRIFT_CHANGED_THERE,
                         .name = w->file,
                         .from = "on",
                         .to = "off",
                         .reason = "came with the push, and its role keeps it off",
                         .id = w->id};
}

/* Gives the results back to the planned actions of the same name, so that they are not done twice.
 */
static void settle_planned(struct pass_slave *s, const struct action *actions,
                           const struct action_result *results, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t k = planned_index(s, actions[i].name);
        if (k != SIZE_MAX)
            s->results[k] = results[i];
    }
}

bool second_look(struct pass_slave *s)
{
    struct err e = ERR_INIT;
    struct github_workflow *list = NULL;
    size_t n = 0, k = 0;
    if (list_again(s, &list, &n, &e) != ERR_OK) {
        log_event(LOG_WARN, "workflows could not be listed after the push", LOG_STR("slave", s->id),
                  LOG_STR("error", e.text));
        return e.code != ERR_AUTH && e.code != ERR_INTERRUPTED;
    }
    const struct role_policy *policy = &s->m->roles[ROLE_SLAVE];
    struct action *actions = arena_alloc(s->arena, (n + 1) * sizeof *actions);
    struct action_result *results = arena_alloc(s->arena, (n + 1) * sizeof *results);
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i].state, "active") &&
            role_wants_workflow(policy, list[i].file) == WORKFLOW_OFF)
            quiet_action(&actions[k++], &list[i]);
    bool go_on = k == 0 || apply_actions(s, actions, k, results);
    settle_planned(s, actions, results, k);
    return go_on;
}
