/* The functions of hub.h by which a test plays somebody else: values, workflow states, rules. */
#include "gitside.h"
#include "internal.h"

static struct hb_repo *repo_locked(struct hub *h, const char *name)
{
    pthread_mutex_lock(&h->lock);
    struct hb_repo *r = hb_repo(h, name);
    if (r == NULL)
        (void)hb_fail("no repository '%s'", name ? name : "");
    return r;
}

static bool item_set(struct hub *h, struct hb_section *s, const char *name, const char *value)
{
    const char *refused = hb_name_refused(name);
    if (refused != NULL)
        return hb_fail("'%s' %s", name, refused);
    if (value == NULL)
        return hb_item_del(h, s, name) || hb_fail("no '%s'", name);
    hb_item_put(h, s, name, value, strlen(value));
    return true;
}

static char *item_get(struct hb_section *s, const char *name, size_t *out_len)
{
    const struct hb_item *item = hb_item_find(&s->now, name);
    if (item == NULL) {
        (void)hb_fail("no '%s'", name);
        return NULL;
    }
    *out_len = item->len;
    return hb_strndup(item->value, item->len);
}

bool hub_variable_put(struct hub *h, const char *repo, const char *name, const char *value)
{
    struct hb_repo *r = repo_locked(h, repo);
    bool ok = r != NULL && item_set(h, &r->variables, name, value);
    pthread_mutex_unlock(&h->lock);
    return ok;
}

char *hub_variable_get(struct hub *h, const char *repo, const char *name)
{
    size_t len = 0;
    struct hb_repo *r = repo_locked(h, repo);
    char *value = r == NULL ? NULL : item_get(&r->variables, name, &len);
    pthread_mutex_unlock(&h->lock);
    return value;
}

bool hub_secret_put(struct hub *h, const char *repo, const char *name, const char *value)
{
    struct hb_repo *r = repo_locked(h, repo);
    bool ok = r != NULL && item_set(h, &r->secrets, name, value);
    pthread_mutex_unlock(&h->lock);
    return ok;
}

char *hub_secret_get(struct hub *h, const char *repo, const char *name, size_t *out_len)
{
    struct hb_repo *r = repo_locked(h, repo);
    size_t len = 0;
    char *value = r == NULL ? NULL : item_get(&r->secrets, name, &len);
    pthread_mutex_unlock(&h->lock);
    if (value != NULL && out_len != NULL)
        *out_len = len;
    return value;
}

bool hub_workflow_set(struct hub *h, const char *repo, const char *file, const char *state)
{
    const char *known = hb_state_named(state);
    struct hb_repo *r = repo_locked(h, repo);
    bool ok = r != NULL && (known != NULL || hb_fail("no workflow state '%s'", state));
    if (ok) {
        struct hb_workflow *w = hb_workflow(r, file);
        if (w == NULL) {
            char *path = hb_fmt(".github/workflows/%s", file);
            w = hb_workflow_new(h, r, path, path);
            free(path);
        }
        hb_workflow_state(h, r, w, known);
    }
    pthread_mutex_unlock(&h->lock);
    return ok;
}

char *hub_workflow_get(struct hub *h, const char *repo, const char *file)
{
    struct hb_repo *r = repo_locked(h, repo);
    const struct hb_workflow *w = r == NULL ? NULL : hb_workflow(r, file);
    char *state = w == NULL ? NULL : hb_strdup(w->state);
    pthread_mutex_unlock(&h->lock);
    return state;
}

size_t hub_run_count(struct hub *h, const char *repo, const char *event)
{
    size_t n = 0;
    struct hb_repo *r = repo_locked(h, repo);
    for (size_t i = 0; r != NULL && i < r->n_runs; i++)
        n += event == NULL || strcmp(r->run[i].event, event) == 0;
    pthread_mutex_unlock(&h->lock);
    return n;
}

static struct hb_rule *rule_new(struct hb_rules *rules, const char *glob)
{
    rules->rule = hb_grow(rules->rule, rules->n + 1, sizeof *rules->rule);
    struct hb_rule *rule = &rules->rule[rules->n++];
    *rule = (struct hb_rule){.glob = hb_strdup(glob)};
    return rule;
}

bool hub_protect(struct hub *h, const char *repo, const char *branch,
                 const struct hub_protection *p)
{
    struct hb_repo *r = repo_locked(h, repo);
    if (r != NULL) {
        struct hb_rule *rule = NULL;
        for (size_t i = 0; i < r->protections.n; i++)
            if (strcmp(r->protections.rule[i].glob, branch) == 0)
                rule = &r->protections.rule[i];
        if (rule == NULL)
            rule = rule_new(&r->protections, branch);
        rule->protection = *p;
    }
    pthread_mutex_unlock(&h->lock);
    return r != NULL;
}

bool hub_rule_add(struct hub *h, const char *repo, const char *branch_glob, const char *type)
{
    struct hb_repo *r = repo_locked(h, repo);
    if (r != NULL)
        rule_new(&r->rules, branch_glob)->type = hb_strdup(type);
    pthread_mutex_unlock(&h->lock);
    return r != NULL;
}

bool hub_refuse(struct hub *h, const char *repo, const char *ref_glob, const char *ng,
                const char *remote)
{
    struct hb_repo *r = repo_locked(h, repo);
    if (r != NULL) {
        struct hb_rule *rule = rule_new(&r->refusals, ref_glob);
        rule->type = hb_strdup(ng);
        hb_set(&rule->remote, remote);
    }
    pthread_mutex_unlock(&h->lock);
    return r != NULL;
}

bool hub_refuse_clear(struct hub *h, const char *repo)
{
    struct hb_repo *r = repo_locked(h, repo);
    for (size_t i = 0; r != NULL && i < r->refusals.n; i++) {
        free(r->refusals.rule[i].glob);
        free(r->refusals.rule[i].type);
        free(r->refusals.rule[i].remote);
    }
    if (r != NULL)
        r->refusals.n = 0;
    pthread_mutex_unlock(&h->lock);
    return r != NULL;
}
