/* After the work: the status people see, and what is remembered. */
#include "pass_slave.h"

#include "mirrorctl/record.h"

#define STATE_FILE_MODE 0644u

/* The kind whose resources a layer counts. */
static const enum kind counted[LAYER_COUNT] = {
    [LAYER_CODE] = KIND_REF,
    [LAYER_SECRETS] = KIND_SECRET,
    [LAYER_VARIABLES] = KIND_VARIABLE,
    [LAYER_WORKFLOWS] = KIND_WORKFLOW,
};

static const struct slave_status *status_before(const struct pass *p, const char *id)
{
    for (size_t i = 0; i < p->before.n; i++)
        if (str_eq(p->before.slaves[i].id, id))
            return &p->before.slaves[i];
    return NULL;
}

static int64_t wanted_count(const struct pass_slave *s, enum kind k)
{
    int64_t n = 0;
    for (size_t i = 0; i < s->desired.n; i++)
        n += s->desired.items[i].kind == k;
    return n;
}

/* What keeps a layer from being in step: waiting or failed actions, and conditions. */
struct obstacles {
    int64_t waiting, failed, blocked;
    const char *error;
};

static void count_action(struct obstacles *o, const struct pass_slave *s, size_t i)
{
    const struct action_result *r = &s->results[i];
    if (r->state == ACTION_FAILED) {
        o->failed++;
        if (o->error == NULL)
            o->error = arena_printf(s->arena, "%s '%s': %s", kind_name(s->plan->actions[i].kind),
                                    s->plan->actions[i].name, r->err->text);
    } else if (r->state != ACTION_DONE && act_is_remote(s->plan->actions[i].act)) {
        o->waiting++;
    }
}

static struct obstacles obstacles_of(const struct pass_slave *s, enum layer l)
{
    struct obstacles o = {0};
    for (size_t i = 0; s->results != NULL && i < s->plan->n; i++)
        if (kind_layer(s->plan->actions[i].kind) == l)
            count_action(&o, s, i);
    for (size_t i = 0; i < s->plan->n_conditions; i++) {
        const struct condition *c = &s->plan->conditions[i];
        bool mine = c->about_kind ? kind_layer(c->kind) == l : s->plan->refused != ERR_OK;
        if (!mine || c->level < COND_BLOCKED)
            continue;
        o.blocked += c->level == COND_BLOCKED;
        o.failed += c->level == COND_ERROR;
        if (o.error == NULL)
            o.error = c->text;
    }
    return o;
}

static void settle_layer(const struct pass_slave *s, enum layer l,
                         const struct layer_status *before, struct wall now,
                         struct layer_status *out)
{
    if (before != NULL)
        *out = *before;
    if (!s->m->policy.sync[l]) {
        *out = (struct layer_status){.status = SYNC_OFF};
        return;
    }
    if (!s->pass->o.only[l])
        return; /* left out by --only: what was known stays */
    struct obstacles o = obstacles_of(s, l);
    out->error = o.error;
    out->status = o.failed > 0    ? SYNC_FAILED
                  : o.blocked > 0 ? SYNC_BLOCKED
                  : o.waiting > 0 ? SYNC_STALE
                                  : SYNC_OK;
    if (s->error.code != ERR_OK)
        return; /* not seen: counts and times stay as they were */
    out->wanted = wanted_count(s, counted[l]);
    out->count = out->wanted - o.waiting - o.failed - o.blocked;
    if (out->count < 0)
        out->count = 0;
    if (out->status != SYNC_OK)
        return;
    out->last_sync = now;
    if (l == LAYER_CODE)
        out->commit = s->facts.head;
}

static enum health health_of(const struct pass_slave *s)
{
    if (s->plan->refused == ERR_FENCED)
        return HEALTH_FENCED;
    if (s->error.code != ERR_OK)
        return HEALTH_UNREACHABLE;
    if (s->plan->refused != ERR_OK)
        return HEALTH_DEGRADED;
    for (size_t i = 0; i < s->plan->n_conditions; i++)
        if (s->plan->conditions[i].level >= COND_BLOCKED)
            return HEALTH_DEGRADED;
    for (size_t i = 0; i < s->plan->n; i++)
        if (s->results[i].state == ACTION_FAILED)
            return HEALTH_DEGRADED;
    return HEALTH_OK;
}

static void settle_slave(const struct pass_slave *s, const struct slave_status *before,
                         struct wall now, struct slave_status *out)
{
    out->role = s->facts.marker_role;
    out->epoch = s->facts.epoch;
    out->last_check = now;
    out->health = health_of(s);
    out->token_expires = s->facts.token_expires;
    for (enum layer l = 0; l < LAYER_COUNT; l++) {
        settle_layer(s, l, before != NULL ? &before->layers[l] : NULL, now, &out->layers[l]);
        if (out->error == NULL && s->pass->o.only[l])
            out->error = out->layers[l].error;
    }
    for (size_t i = 0; i < s->plan->n_conditions && out->cure == NULL; i++)
        if (s->plan->conditions[i].level >= COND_BLOCKED)
            out->cure = s->plan->conditions[i].cure;
    if (s->error.code != ERR_OK && before != NULL) {
        out->role = before->role;
        out->epoch = before->epoch;
    }
}

static const struct pass_slave *pass_slave_of(const struct pass *p, const struct manifest_slave *m)
{
    for (size_t i = 0; i < p->n_slaves; i++)
        if (p->slaves[i].m == m)
            return &p->slaves[i];
    return NULL;
}

void settle_status(struct pass *p)
{
    const struct manifest *m = p->o.manifest;
    struct wall now = clock_wall(p->clock);
    p->status = (struct status){.self_role = ROLE_MASTER,
                                .master = m->master.repo != NULL ? m->master.repo : m->master.url,
                                .n = m->n_slaves,
                                .at = now};
    p->status.slaves = arena_alloc(p->arena, (m->n_slaves + 1) * sizeof *p->status.slaves);
    for (size_t i = 0; i < m->n_slaves; i++) {
        struct slave_status *out = &p->status.slaves[i];
        const struct slave_status *before = status_before(p, m->slaves[i].id);
        const struct pass_slave *s = pass_slave_of(p, &m->slaves[i]);
        *out = (struct slave_status){.role = ROLE_SLAVE};
        if (s != NULL)
            settle_slave(s, before, now, out);
        else if (before != NULL)
            *out = *before;
        out->id = m->slaves[i].id;
        out->type = m->slaves[i].type == SLAVE_GITHUB ? "github" : "git";
        out->repo = m->slaves[i].repo != NULL ? m->slaves[i].repo : m->slaves[i].url;
    }
}

/* ---- Remember
 * ------------------------------------------------------------------------------------- */

static const char *state_file_path(const struct pass *p)
{
    const struct manifest *m = p->o.manifest;
    const char *base = m->dir;
    if (m->master.source != NULL)
        base = path_join(p->arena, m->dir, m->master.source);
    return path_join(p->arena, base, m->master.state_file);
}

/* Written only when more than times moved: else each new time makes a commit, a sync, a new time.
 */
static enum err_code write_state_file(struct pass *p, struct err *e)
{
    if (p->o.manifest->master.state_file == NULL)
        return ERR_OK;
    const char *path = state_file_path(p);
    CLEANUP(buf_release) struct buf old = BUF_INIT(LIMIT_STATE_FILE);
    CLEANUP(buf_release) struct buf text = BUF_INIT(LIMIT_STATE_FILE);
    enum err_code r = file_read(path, &old, e);
    if (r != ERR_OK && r != ERR_NOT_FOUND)
        return r;
    bool changed = false;
    if (mirrors_record_merge(buf_str(&old), old.len, &p->status, &text, &changed, e) != ERR_OK)
        return err_wrap(e, "state file '%s'", path);
    if (!changed)
        return ERR_OK;
    TRY(dir_make(path_dir(p->arena, path), 0755, e));
    return file_write_atomic(path, text.data, text.len, STATE_FILE_MODE, e);
}

static enum err_code add_events(struct pass *p, struct err *e)
{
    for (size_t i = 0; i < p->status.n; i++) {
        const struct slave_status *now = &p->status.slaves[i];
        const struct slave_status *before = status_before(p, now->id);
        if (before != NULL ? before->health == now->health : now->health == HEALTH_UNKNOWN)
            continue;
        struct store_event ev = {.at = p->status.at,
                                 .slave = now->id,
                                 .what = health_name(now->health),
                                 .text =
                                     now->error != NULL ? now->error : "in step with the master"};
        TRY(store_event_add(p->store, &ev, e));
    }
    return ERR_OK;
}

enum err_code settle_remember(struct pass *p, struct err *e)
{
    TRY(add_events(p, e));
    TRY(store_status_put(p->store, &p->status, true, e));
    return write_state_file(p, e);
}
