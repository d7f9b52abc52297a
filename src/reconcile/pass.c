/* One pass, on one page. What each step does stands in the file of its name. */
#include "pass_slave.h"

#include <stdlib.h>
#include <string.h>

enum err_code pass_begin(const struct pass_options *o, struct pass **out, struct err *e)
{
    CLEANUP(pass_freep) struct pass *p = mem_alloc(sizeof *p);
    p->o = *o;
    p->clock = o->clock != NULL ? o->clock : &clock_system;
    p->arena = arena_new();
    pthread_mutex_init(&p->talk, NULL);
    TRY(prepare(p, e));
    *out = p;
    p = NULL;
    return ERR_OK;
}

static enum err_code stopped(const struct pass *p, struct err *e)
{
    if (p->o.interrupted != NULL && *p->o.interrupted != 0)
        return err_set(e, ERR_INTERRUPTED, "interrupted");
    return ERR_OK;
}

/* Without a token there is nothing to look with. */
static bool is_seen(const struct pass_slave *s)
{
    return s->error.code == ERR_OK;
}

enum err_code pass_observe(struct pass *p, struct err *e)
{
    workers_run(p, observe_slave, is_seen);
    return stopped(p, e);
}

static void plan_one(struct pass_slave *s)
{
    struct slave_plan *plan = s->plan;
    slave_plan_init(plan, s->id, s->arena);
    plan->is_master = s->m == NULL;
    for (size_t i = 0; i < s->n_early; i++)
        slave_plan_condition(plan, s->early[i]);
    if (s->error.code != ERR_OK) {
        plan->refused = s->error.code;
        slave_plan_condition(plan, (struct condition){.level = COND_ERROR,
                                                      .err = s->error.code,
                                                      .code = err_code_name(s->error.code),
                                                      .text = arena_strdup(s->arena, s->error.text),
                                                      .cure = s->cure});
        return;
    }
    struct plan_input in = {
        .slave = s->id,
        .is_master = s->m == NULL,
        .role = s->m == NULL ? ROLE_MASTER : ROLE_SLAVE,
        .desired = &s->desired,
        .observed = &s->observed,
        .ledger = &s->ledger,
        .facts = &s->facts,
        .policy = s->m != NULL ? &s->m->policy
                               : &(struct slave_policy){.sync = {[LAYER_WORKFLOWS] = true}},
        .controller = s->pass->store != NULL ? store_id(s->pass->store) : NULL,
        .takeover = s->pass->o.takeover,
        .allow_replaced = s->pass->o.allow_replaced,
        .prune = s->pass->o.prune,
    };
    memcpy(in.only, s->pass->o.only, sizeof in.only);
    plan_slave(&in, plan);
    plan_guard(&in, plan);
}

enum err_code pass_plan(struct pass *p, struct err *e)
{
    for (size_t i = 0; i < p->n_slaves; i++) {
        struct pass_slave *s = &p->slaves[i];
        plan_one(s);
        s->results = arena_alloc(s->arena, (s->plan->n + 1) * sizeof *s->results);
    }
    p->planned = true;
    settle_status(p);
    return stopped(p, e);
}

static bool is_written(const struct pass_slave *s)
{
    return s->plan->n > 0 && s->plan->refused == ERR_OK;
}

enum err_code pass_apply(struct pass *p, struct err *e)
{
    workers_run(p, apply_slave, is_written);
    p->applied = true;
    return stopped(p, e);
}

enum err_code pass_finish(struct pass *p, struct err *e)
{
    settle_status(p);
    return p->o.apply ? settle_remember(p, e) : ERR_OK;
}

void pass_free(struct pass *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->n_slaves; i++) {
        git_remote_free(p->slaves[i].remote);
        arena_free(p->slaves[i].arena);
    }
    git_source_free(p->source);
    http_free(p->http); /* before the tokens that its lanes borrow */
    secret_loader_free(p->secrets);
    store_close(p->store);
    arena_free(p->arena);
    pthread_mutex_destroy(&p->talk);
    free(p);
}

void pass_freep(struct pass **p)
{
    pass_free(*p);
}

/* ---- What a caller may ask
 * ------------------------------------------------------------------------ */

const struct plan *pass_get_plan(const struct pass *p)
{
    return &p->plan;
}

const struct status *pass_get_status(const struct pass *p)
{
    return &p->status;
}

struct http_stats pass_get_http_stats(const struct pass *p)
{
    return http_get_stats(p->http);
}

struct plan_binding pass_get_binding(const struct pass *p)
{
    return (struct plan_binding){.manifest_digest = p->o.manifest->digest,
                                 .version = p->o.user_agent,
                                 .at = clock_wall(p->clock)};
}

/* Before the first apply there is no key for fingerprints: such a plan names a secret without its
 * value. */
static bool same_target(const struct action *saved, const struct action *now)
{
    return str_eq(saved->to, now->to) || (saved->kind == KIND_SECRET && str_eq(saved->to, ""));
}

static bool same_action(const struct action *a, const struct action *b)
{
    return a->phase == b->phase && a->act == b->act && a->kind == b->kind &&
           a->forced == b->forced && a->rescue == b->rescue && str_eq(a->name, b->name) &&
           str_eq(a->from, b->from) && same_target(a, b) && str_eq(a->stamp, b->stamp);
}

static bool same_slave_plan(const struct slave_plan *a, const struct slave_plan *b)
{
    if (!str_eq(a->slave, b->slave) || a->n != b->n || a->refused != b->refused)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!same_action(&a->actions[i], &b->actions[i]))
            return false;
    return true;
}

enum err_code pass_check_saved(struct pass *p, const struct plan *saved,
                               const struct plan_binding *b, struct err *e)
{
    if (!str_eq(b->manifest_digest, p->o.manifest->digest))
        return err_set(e, ERR_REFUSED,
                       "the plan was made from another manifest; run diff --out again");
    bool same = saved->n == p->plan.n;
    for (size_t i = 0; same && i < saved->n; i++)
        if (!same_slave_plan(&saved->slaves[i], &p->plan.slaves[i]))
            return err_set(
                e, ERR_REFUSED,
                "slave '%s' is no longer what it was when the plan was made; nothing was "
                "done; run diff --out again",
                p->plan.slaves[i].slave);
    return same ? ERR_OK
                : err_set(e, ERR_REFUSED, "the plan is for other slaves; run diff --out again");
}

int pass_exit_code(const struct pass *p)
{
    int code = p->applied ? 0 : plan_exit_code(&p->plan);
    for (size_t i = 0; i < p->n_slaves; i++) {
        const struct pass_slave *s = &p->slaves[i];
        if (s->plan->refused != ERR_OK)
            code = exit_code_worst(code, err_exit_code(s->plan->refused));
        for (size_t k = 0; k < s->plan->n_conditions; k++)
            if (s->plan->conditions[k].err != ERR_OK)
                code = exit_code_worst(code, err_exit_code(s->plan->conditions[k].err));
        for (size_t k = 0; p->applied && k < s->plan->n; k++)
            if (s->results[k].state == ACTION_FAILED)
                code = exit_code_worst(code, err_exit_code(s->results[k].err->code));
    }
    return code;
}
