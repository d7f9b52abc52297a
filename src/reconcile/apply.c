/* One slave: the plan carried out in order. Intent, act, outcome, ledger. */
#include "pass_slave.h"

#include <stdlib.h>

void tell_begin(struct pass_slave *s, const char *doing)
{
    const struct pass_observer *o = &s->pass->o.observer;
    if (o->slave_begin == NULL)
        return;
    pthread_mutex_lock(&s->pass->talk);
    o->slave_begin(o->ctx, s->id, doing);
    pthread_mutex_unlock(&s->pass->talk);
}

void tell_action(struct pass_slave *s, const struct action *a, const struct err *e,
                 const char *cure)
{
    const struct pass_observer *o = &s->pass->o.observer;
    if (o->action_end == NULL)
        return;
    pthread_mutex_lock(&s->pass->talk);
    o->action_end(o->ctx, s->id, a, e, cure);
    pthread_mutex_unlock(&s->pass->talk);
}

static void tell_end(struct pass_slave *s, const struct err *e)
{
    const struct pass_observer *o = &s->pass->o.observer;
    if (o->slave_end == NULL)
        return;
    pthread_mutex_lock(&s->pass->talk);
    o->slave_end(o->ctx, s->id, e);
    pthread_mutex_unlock(&s->pass->talk);
}

/* ---- Journal, act, outcome
 * ------------------------------------------------------------------------ */

static void set_result(struct pass_slave *s, struct action_result *r, const struct action *a,
                       const struct err *e, const char *cure)
{
    if (e == NULL) {
        r->state = ACTION_DONE;
    } else {
        struct err *copy = arena_alloc(s->arena, sizeof *copy);
        *copy = *e;
        r->state = ACTION_FAILED;
        r->err = copy;
    }
    tell_action(s, a, e, cure);
}

static void take_outcomes(struct pass_slave *s, const struct action *actions, size_t n,
                          const struct kind_outcome *outcomes, struct journal_outcome *journal,
                          struct action_result *results)
{
    for (size_t i = 0; i < n; i++) {
        const struct kind_outcome *o = &outcomes[i];
        bool done = o->code == ERR_OK;
        set_result(s, &results[i], &actions[i], done ? NULL : &o->err, o->cure);
        journal[i] = (struct journal_outcome){.code = o->code, .text = done ? NULL : o->err.text};
        if (done && actions[i].act == ACT_DELETE)
            journal[i].drop = true;
        else if (done)
            journal[i].put = &o->now;
    }
}

static void all_failed(struct pass_slave *s, const struct action *actions, size_t n,
                       struct action_result *results, const struct err *e)
{
    for (size_t i = 0; i < n; i++)
        set_result(s, &results[i], &actions[i], e, NULL);
}

/* A write that ended without an answer: see counts_as_ours. */
static void remember_unanswered(struct pass_slave *s, const struct action *actions, size_t n,
                                const struct kind_outcome *outcomes)
{
    struct ledger_change *changes = arena_alloc(s->arena, n * sizeof *changes);
    struct err e = ERR_INIT;
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (outcomes[i].code == ERR_OK || !counts_as_ours(actions[i].kind, actions[i].act))
            continue;
        struct resource *row = arena_alloc(s->arena, sizeof *row);
        *row = (struct resource){
            .kind = actions[i].kind, .name = actions[i].name, .value = "", .stamp = ""};
        changes[k++].put = row;
    }
    if (k > 0 && store_ledger_change(s->pass->store, s->id, changes, k, &e) != ERR_OK)
        log_event(LOG_ERROR, "unanswered writes are not remembered", LOG_STR("slave", s->id),
                  LOG_STR("error", e.text));
}

static bool carry_out(struct pass_slave *s, const struct action *actions, size_t n,
                      struct kind_outcome *outcomes, struct action_result *results)
{
    struct err e = ERR_INIT;
    int64_t first = 0;
    struct journal_outcome *journal = arena_alloc(s->arena, n * sizeof *journal);
    if (store_journal_begin(s->pass->store, s->id, actions, n, &first, &e) != ERR_OK) {
        err_wrap(&e, "not begun, since the journal cannot be written");
        all_failed(s, actions, n, results, &e);
        return false;
    }
    enum err_code r = kind_row(actions[0].kind)->apply(&s->ctx, actions, n, outcomes, &e);
    take_outcomes(s, actions, n, outcomes, journal, results);
    struct err lost = ERR_INIT;
    if (store_journal_end(s->pass->store, s->id, first, actions, journal, n, &lost) != ERR_OK) {
        log_event(LOG_ERROR, "done, but not remembered; the next pass looks again",
                  LOG_STR("slave", s->id), LOG_STR("error", lost.text));
        return false;
    }
    remember_unanswered(s, actions, n, outcomes);
    return r == ERR_OK;
}

/* An outcome has room for an error of 1 KB: not in the arena, which lives as long as the pass. */
bool apply_actions(struct pass_slave *s, const struct action *actions, size_t n,
                   struct action_result *results)
{
    struct kind_outcome *outcomes = mem_alloc(n * sizeof *outcomes);
    bool go_on = carry_out(s, actions, n, outcomes, results);
    free(outcomes);
    return go_on;
}

/* ---- The ledger alone
 * ------------------------------------------------------------------------------ */

static void apply_ledger(struct pass_slave *s, const struct action *actions, size_t n,
                         struct action_result *results)
{
    struct err e = ERR_INIT;
    struct ledger_change *changes = arena_alloc(s->arena, n * sizeof *changes);
    for (size_t i = 0; i < n; i++) {
        const struct action *a = &actions[i];
        changes[i] = (struct ledger_change){.drop_kind = a->kind, .drop_name = a->name};
        if (a->act != ACT_ADOPT)
            continue;
        struct resource *row = arena_alloc(s->arena, sizeof *row);
        *row = (struct resource){
            .kind = a->kind, .name = a->name, .value = a->to, .stamp = a->stamp, .id = a->id};
        changes[i].put = row;
    }
    bool ok = store_ledger_change(s->pass->store, s->id, changes, n, &e) == ERR_OK;
    for (size_t i = 0; i < n; i++)
        set_result(s, &results[i], &actions[i], ok ? NULL : &e, NULL);
}

/* ---- In order
 * --------------------------------------------------------------------------------------- */

static bool phase_failed(const struct pass_slave *s, enum phase first, enum phase last)
{
    for (size_t i = 0; i < s->plan->n; i++)
        if (s->plan->actions[i].phase >= first && s->plan->actions[i].phase <= last &&
            s->results[i].state == ACTION_FAILED)
            return true;
    return false;
}

/* What must not be begun because something before it did not work. */
static const char *held_back(const struct pass_slave *s, const struct action *a)
{
    enum phase phase = a->phase;
    if (a->arrives && phase_failed(s, PHASE_QUIET, PHASE_CODE))
        return "its file did not arrive, since the code was not pushed";
    if (phase == PHASE_CODE && phase_failed(s, PHASE_QUIET, PHASE_QUIET))
        return "not pushed, since what must not run there could not be switched off first";
    if (phase == PHASE_DELETE && phase_failed(s, PHASE_QUIET, PHASE_DELETE))
        return "not deleted, since something before it did not work";
    return NULL;
}

static void skip(struct pass_slave *s, const struct action *actions, size_t n,
                 struct action_result *results, const char *why)
{
    struct err *e = arena_alloc(s->arena, sizeof *e);
    err_set(e, ERR_CONFLICT, "%s", why);
    for (size_t i = 0; i < n; i++) {
        results[i] = (struct action_result){.state = ACTION_SKIPPED, .err = e};
        tell_action(s, &actions[i], e, NULL);
    }
}

/* The run of actions from i on that one call may take: same phase, same kind, still waiting. */
static size_t group_end(const struct pass_slave *s, size_t i)
{
    const struct action *a = s->plan->actions;
    size_t most = a[i].phase == PHASE_LEDGER ? SIZE_MAX : kind_row(a[i].kind)->batch;
    size_t k = i;
    while (k < s->plan->n && k - i < most && a[k].phase == a[i].phase &&
           (a[k].kind == a[i].kind || a[i].phase == PHASE_LEDGER) && a[k].arrives == a[i].arrives &&
           s->results[k].state == ACTION_WAITING)
        k++;
    return k;
}

static bool seeding(const struct pass_slave *s)
{
    const struct resource *r = view_find(&s->desired, KIND_ACTIONS, "actions");
    return r != NULL && (r->flags & RES_SEEDING) != 0 &&
           s->observed.state[KIND_ACTIONS] == VIEW_COMPLETE;
}

static bool any_done(const struct action_result *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (r[i].state == ACTION_DONE)
            return true;
    return false;
}

/* Whether new workflow files may have become active just now. */
static bool look_again(const struct pass_slave *s, const struct action *a, size_t n,
                       const struct action_result *r)
{
    if (!s->has_gh || !pass_wants(s, LAYER_WORKFLOWS) || !any_done(r, n))
        return false;
    return a->kind == KIND_ACTIONS ? str_eq(a->to, "on") : a->kind == KIND_REF && !seeding(s);
}

static bool apply_group(struct pass_slave *s, size_t i, size_t end)
{
    const struct action *a = &s->plan->actions[i];
    struct action_result *r = &s->results[i];
    const char *why = held_back(s, a);
    if (why != NULL) {
        skip(s, a, end - i, r, why);
        return true;
    }
    if (a->phase == PHASE_LEDGER) {
        apply_ledger(s, a, end - i, r);
        return true;
    }
    if (!apply_actions(s, a, end - i, r))
        return false;
    return look_again(s, a, end - i, r) ? second_look(s) : true;
}

static void apply_plan(struct pass_slave *s)
{
    for (size_t i = 0; i < s->plan->n;) {
        if (s->results[i].state != ACTION_WAITING) {
            i++; /* the second look has done it already */
            continue;
        }
        size_t end = group_end(s, i);
        if (!apply_group(s, i, end))
            return;
        i = end;
    }
}

/* What is remembered of the slave itself: which repository it was, and the marker as we know it. */
static void remember_slave(struct pass_slave *s)
{
    const struct slave_facts *f = &s->facts;
    struct store_slave row = {
        .repo_id = f->repo_id, .full_name = f->full_name, .marker = f->marker, .epoch = f->epoch};
    bool same = f->repo_id == f->last_repo_id && str_eq(f->marker, f->last_marker) &&
                f->epoch == f->last_epoch;
    struct err e = ERR_INIT;
    if (!same && store_slave_put(s->pass->store, s->id, &row, &e) != ERR_OK)
        log_event(LOG_ERROR, "slave not remembered", LOG_STR("slave", s->id),
                  LOG_STR("error", e.text));
}

void apply_slave(struct pass_slave *s)
{
    if (s->plan->refused != ERR_OK)
        return;
    if (s->plan->n > 0)
        tell_begin(s, "applying");
    if (s->m != NULL)
        remember_slave(s);
    apply_plan(s);
    read_back(s);
    if (s->m != NULL)
        remember_slave(s); /* the marker may be new */
    struct err none = ERR_INIT;
    if (s->plan->n > 0)
        tell_end(s, &none);
}
