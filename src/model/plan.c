#include "mirrorctl/model.h"

bool act_is_remote(enum act a)
{
    return a == ACT_CREATE || a == ACT_UPDATE || a == ACT_DELETE;
}

void slave_plan_init(struct slave_plan *p, const char *slave, struct arena *a)
{
    *p = (struct slave_plan){.slave = slave, .arena = a, .refused = ERR_OK};
}

struct action *slave_plan_add(struct slave_plan *p)
{
    p->actions = arena_grow(p->arena, p->actions, p->n, &p->cap, sizeof(*p->actions));
    struct action *a = &p->actions[p->n++];
    *a = (struct action){0};
    return a;
}

void slave_plan_condition(struct slave_plan *p, struct condition c)
{
    p->conditions = arena_grow(p->arena, p->conditions, p->n_conditions, &p->cap_conditions,
                               sizeof(*p->conditions));
    p->conditions[p->n_conditions++] = c;
}

static void count_actions(const struct slave_plan *p, struct plan_counts *c)
{
    for (size_t i = 0; i < p->n; i++) {
        switch (p->actions[i].act) {
        case ACT_CREATE:
            c->create++;
            break;
        case ACT_UPDATE:
            c->update++;
            break;
        case ACT_DELETE:
            c->destroy++;
            break;
        case ACT_ADOPT:
        case ACT_FORGET:
        case ACT_COUNT:
            break;
        }
    }
}

/* In sync is a claim: a slave of which something is blocked or could not be read does not make it.
 */
static bool needs_attention(const struct slave_plan *p)
{
    for (size_t i = 0; i < p->n_conditions; i++) {
        if (p->conditions[i].level >= COND_BLOCKED)
            return true;
    }
    return false;
}

struct plan_counts plan_count(const struct plan *p)
{
    struct plan_counts c = {0};

    for (size_t i = 0; i < p->n; i++) {
        const struct slave_plan *s = &p->slaves[i];
        if (s->refused != ERR_OK) { /* its actions are shown, but nothing of it will be done */
            c.slaves_refused += s->is_master ? 0 : 1;
            continue;
        }
        size_t before = c.create + c.update + c.destroy;
        count_actions(s, &c);
        if (s->is_master)
            continue;
        if (c.create + c.update + c.destroy > before)
            c.slaves_changed++;
        else if (needs_attention(s))
            c.slaves_blocked++;
        else
            c.slaves_in_sync++;
    }
    return c;
}
