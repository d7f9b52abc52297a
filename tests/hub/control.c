/* /_hub/VERB: the world through the eyes of a shell script. Parameters come as a JSON object in the
 * body, as a query, or both. README.md lists the verbs. */
#include "internal.h"
#include "rest.h"

#include <stdio.h>

struct call {
    struct hub *h;
    json_t *in;
    json_t *out; /* NULL: {"ok": true} */
    const char *repo, *name;
};

static const char *text(const struct call *c, const char *name)
{
    return json_string_value(json_object_get(c->in, name));
}

/* From JSON a boolean, from a query "1", "true", "on", "yes". */
static bool flag(const struct call *c, const char *name, bool otherwise)
{
    const json_t *v = json_object_get(c->in, name);
    if (json_is_string(v))
        return hb_word_in("1 true on yes", json_string_value(v));
    return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

static long long number(const struct call *c, const char *name)
{
    const json_t *v = json_object_get(c->in, name);
    return json_is_string(v) ? strtoll(json_string_value(v), NULL, 10)
                             : (long long)json_number_value(v);
}

static struct hb_repo *locked(struct call *c)
{
    pthread_mutex_lock(&c->h->lock);
    struct hb_repo *r = hb_repo(c->h, c->repo);
    if (r == NULL)
        (void)hb_fail("no repository '%s'", c->repo != NULL ? c->repo : "");
    return r;
}

static bool items(struct call *c, bool secrets)
{
    struct hb_repo *r = locked(c);
    if (r != NULL) {
        c->out = json_object();
        const struct hb_items *now = secrets ? &r->secrets.now : &r->variables.now;
        for (size_t i = 0; i < now->n; i++)
            json_object_set_new(c->out, now->item[i].name,
                                json_stringn(now->item[i].value, now->item[i].len));
    }
    pthread_mutex_unlock(&c->h->lock);
    return r != NULL;
}

static bool do_secrets(struct call *c)
{
    return items(c, true);
}

static bool do_variables(struct call *c)
{
    return items(c, false);
}

static bool do_variable(struct call *c)
{
    return c->name != NULL && hub_variable_put(c->h, c->repo, c->name, text(c, "value"));
}

static bool do_secret(struct call *c)
{
    return c->name != NULL && hub_secret_put(c->h, c->repo, c->name, text(c, "value"));
}

static bool do_workflows(struct call *c)
{
    const struct hb_repo *r = locked(c);
    if (r != NULL) {
        c->out = json_object();
        for (size_t i = 0; i < r->n_workflows; i++)
            json_object_set_new(c->out, r->workflow[i].path, json_string(r->workflow[i].state));
    }
    pthread_mutex_unlock(&c->h->lock);
    return r != NULL;
}

static bool do_workflow(struct call *c)
{
    return c->name != NULL && text(c, "state") != NULL &&
           hub_workflow_set(c->h, c->repo, c->name, text(c, "state"));
}

static bool do_runs(struct call *c)
{
    const struct hb_repo *r = locked(c);
    if (r != NULL) {
        c->out = json_array();
        for (size_t i = 0; i < r->n_runs; i++)
            json_array_append_new(c->out,
                                  json_pack("{s:I,s:s,s:s,s:s,s:s}", "workflow_id",
                                            (json_int_t)r->run[i].workflow_id, "event",
                                            r->run[i].event, "branch", r->run[i].branch, "sha",
                                            r->run[i].sha, "actor", r->run[i].actor));
    }
    pthread_mutex_unlock(&c->h->lock);
    return r != NULL;
}

static bool do_repo(struct call *c)
{
    const struct hb_repo *r = locked(c);
    if (r != NULL)
        c->out =
            json_pack("{s:I,s:s,s:s,s:s,s:b,s:b,s:b}", "id", (json_int_t)r->id, "name",
                      r->full_name, "dir", r->dir, "default_branch", r->default_branch, "private",
                      r->is_private, "archived", r->archived, "actions", r->actions_on);
    pthread_mutex_unlock(&c->h->lock);
    return r != NULL;
}

static bool do_seed(struct call *c)
{
    return hb_seed_json(c->h, c->in);
}

static bool do_create(struct call *c)
{
    return hb_seed_repo(c->h, c->in);
}

static bool do_file(struct call *c)
{
    const char *branch = text(c, "branch"), *path = text(c, "path"), *data = text(c, "data");
    return path != NULL && data != NULL &&
           hub_file_put(c->h, c->repo, branch != NULL ? branch : "main", path, data, strlen(data));
}

static bool do_rename(struct call *c)
{
    return text(c, "to") != NULL && hub_repo_rename(c->h, c->repo, text(c, "to"));
}

static bool do_delete(struct call *c)
{
    return hub_repo_delete(c->h, c->repo);
}

static bool do_archive(struct call *c)
{
    return hub_repo_archive(c->h, c->repo, flag(c, "archived", true));
}

static bool do_actions(struct call *c)
{
    return hub_repo_actions(c->h, c->repo, flag(c, "enabled", true));
}

static bool do_default_branch(struct call *c)
{
    return text(c, "branch") != NULL && hub_repo_default_branch(c->h, c->repo, text(c, "branch"));
}

static bool do_rotate_key(struct call *c)
{
    return hub_repo_rotate_key(c->h, c->repo);
}

static bool do_rescan(struct call *c)
{
    return hub_repo_rescan(c->h, c->repo);
}

static bool do_protect(struct call *c)
{
    struct hub_protection p = {.allow_force_pushes = flag(c, "allow_force_pushes", false),
                               .allow_deletions = flag(c, "allow_deletions", false),
                               .lock = flag(c, "lock", false)};
    return text(c, "branch") != NULL && hub_protect(c->h, c->repo, text(c, "branch"), &p);
}

static bool do_rule(struct call *c)
{
    const char *branch = text(c, "branch");
    return text(c, "type") != NULL &&
           hub_rule_add(c->h, c->repo, branch != NULL ? branch : "*", text(c, "type"));
}

static bool do_refuse(struct call *c)
{
    const char *ref = text(c, "ref");
    if (text(c, "ng") == NULL)
        return hub_refuse_clear(c->h, c->repo);
    return hub_refuse(c->h, c->repo, ref != NULL ? ref : "*", text(c, "ng"), text(c, "remote"));
}

static bool do_token(struct call *c)
{
    return hb_seed_token(c->h, c->in);
}

static bool do_token_revoke(struct call *c)
{
    return text(c, "token") != NULL && hub_token_revoke(c->h, text(c, "token"));
}

static bool do_token_narrow(struct call *c)
{
    const char *to = text(c, "to");
    return text(c, "token") != NULL &&
           hub_token_narrow(c->h, text(c, "token"), to != NULL ? to : "");
}

static bool do_token_expire(struct call *c)
{
    return text(c, "token") != NULL &&
           hub_token_expire(c->h, text(c, "token"), number(c, "expires") * 1000);
}

static bool do_fault(struct call *c)
{
    return hb_seed_fault(c->h, c->in);
}

static bool do_faults_clear(struct call *c)
{
    hub_faults_clear(c->h);
    return true;
}

static bool do_quirk(struct call *c)
{
    if (c->name == NULL)
        return hb_fail("which quirk?");
    if (json_object_get(c->in, "value") != NULL) {
        const json_t *v = json_object_get(c->in, "value");
        if (!hub_quirk_set(c->h, c->name,
                           json_is_boolean(v) ? json_is_true(v) : (int)number(c, "value")))
            return false;
    }
    int value = hub_quirk_get(c->h, c->name);
    c->out = json_pack("{s:i}", c->name, value);
    return value >= 0;
}

static bool do_quirks(struct call *c)
{
    c->out = json_array();
    for (size_t i = 0; i < hub_n_quirks; i++)
        json_array_append_new(c->out, json_pack("{s:s,s:s,s:i,s:i,s:s}", "name", hub_quirks[i].name,
                                                "section", hub_quirks[i].section, "default",
                                                hub_quirks[i].default_value, "value",
                                                hub_quirk_get(c->h, hub_quirks[i].name), "what",
                                                hub_quirks[i].what));
    return true;
}

static bool do_log(struct call *c)
{
    c->out = json_array();
    size_t since = (size_t)number(c, "since");
    struct hub_entry e;
    for (size_t i = since; hub_log_get(c->h, i, &e); i++) {
        json_array_append_new(c->out, hb_entry_json(&e));
        hub_entry_release(&e);
    }
    return true;
}

static bool do_log_reset(struct call *c)
{
    hub_log_reset(c->h);
    return true;
}

static bool do_counters(struct call *c)
{
    struct hub_counters n;
    hub_counters_get(c->h, &n);
    c->out = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "requests", (json_int_t)n.requests,
                       "rest_reads", (json_int_t)n.rest_reads, "rest_writes",
                       (json_int_t)n.rest_writes, "not_modified", (json_int_t)n.not_modified,
                       "git_advertisements", (json_int_t)n.git_advertisements, "git_fetches",
                       (json_int_t)n.git_fetches, "git_pushes", (json_int_t)n.git_pushes);
    return true;
}

static bool do_clock(struct call *c)
{
    hub_clock_advance(c->h, number(c, "advance_s") * 1000);
    int64_t now = hub_clock(c->h);
    c->out = json_pack("{s:I}", "now", (json_int_t)(now / 1000));
    return true;
}

static const struct {
    const char *name;
    bool (*run)(struct call *c);
} verbs[] = {
    {"seed", do_seed},
    {"repo", do_repo},
    {"create", do_create},
    {"rename", do_rename},
    {"delete", do_delete},
    {"archive", do_archive},
    {"actions", do_actions},
    {"default-branch", do_default_branch},
    {"file", do_file},
    {"rescan", do_rescan},
    {"rotate-key", do_rotate_key},
    {"variable", do_variable},
    {"variables", do_variables},
    {"secret", do_secret},
    {"secrets", do_secrets},
    {"workflow", do_workflow},
    {"workflows", do_workflows},
    {"runs", do_runs},
    {"protect", do_protect},
    {"rule", do_rule},
    {"refuse", do_refuse},
    {"token", do_token},
    {"token-revoke", do_token_revoke},
    {"token-narrow", do_token_narrow},
    {"token-expire", do_token_expire},
    {"fault", do_fault},
    {"faults-clear", do_faults_clear},
    {"quirk", do_quirk},
    {"quirks", do_quirks},
    {"log", do_log},
    {"log-reset", do_log_reset},
    {"counters", do_counters},
    {"clock", do_clock},
};

/* ---- the way in ---- */

static json_t *parameters(const struct hub_request *q)
{
    json_t *in = q->body_len > 0 ? json_loadb(q->body, q->body_len, 0, NULL) : json_object();
    if (!json_is_object(in)) {
        json_decref(in);
        return NULL;
    }
    const char *p = strchr(q->path, '?');
    for (p = p != NULL ? p + 1 : ""; *p != '\0';) {
        size_t len = strcspn(p, "&"), key = strcspn(p, "=&");
        char *name = hb_decode(p, key),
             *value = key < len ? hb_decode(p + key + 1, len - key - 1) : hb_strdup("1");
        json_object_set_new(in, name, json_string(value));
        free(name);
        free(value);
        p += len + (p[len] == '&');
    }
    return in;
}

static void reply(struct hub_reply *out, int status, json_t *j)
{
    char *body = json_dumps(j, JSON_INDENT(1) | JSON_ENCODE_ANY);
    struct hb_buf b = {0};
    hb_buf_puts(&b, body != NULL ? body : "null");
    hb_buf_puts(&b, "\n");
    hb_body_text(out, status, "application/json", b.data);
    hb_buf_free(&b);
    free(body);
    json_decref(j);
}

static bool run(struct call *c, const char *verb, size_t len, bool *out_known)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strlen(verbs[i].name) == len && strncmp(verbs[i].name, verb, len) == 0) {
            *out_known = true;
            (void)hb_fail("a parameter is missing");
            return verbs[i].run(c);
        }
    }
    return hb_fail("no such verb");
}

void hb_control(struct hub *h, const struct hub_request *q, struct hub_reply *out)
{
    const char *verb = q->path + strlen("/_hub/");
    struct call c = {.h = h};
    bool known = false;
    if (q->remote_peer) {
        hb_body_text(out, 403, "text/plain", "the control interface is for loopback only\n");
        return;
    }
    c.in = parameters(q);
    if (c.in == NULL) {
        hb_body_text(out, 400, "text/plain", "the body is no JSON object\n");
        return;
    }
    c.repo = text(&c, "repo");
    c.name = text(&c, "name");
    bool ok = run(&c, verb, strcspn(verb, "?"), &known);
    if (ok)
        reply(out, 200, c.out != NULL ? c.out : json_pack("{s:b}", "ok", 1));
    else
        reply(out, known ? 422 : 404, json_pack("{s:s}", "error", hub_error()));
    if (!ok)
        json_decref(c.out);
    json_decref(c.in);
}
