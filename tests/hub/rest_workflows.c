/* Workflows (1.4). */
#include "gitside.h"
#include "internal.h"
#include "rest.h"

#include <stdio.h>

static char *when(struct hb_ctx *c, int64_t ms)
{
    return hb_quirk(c->h, Q_OFFSET_TIMES) ? hb_time_offset(ms) : hb_time_z(ms);
}

static json_t *workflow_json(struct hb_ctx *c, const struct hb_workflow *w)
{
    char *created = when(c, w->created_ms), *updated = when(c, w->updated_ms);
    char *base = hb_base(c), *host = hb_strndup(base, strlen(base) - strlen(c->prefix));
    char *node = hb_fmt("W_kwDO%llX", w->id);
    char *url = hb_fmt("%s/repos/%s/actions/workflows/%lld", base, c->repo->full_name, w->id);
    char *html =
        hb_fmt("%s/%s/blob/%s/%s", host, c->repo->full_name, c->repo->default_branch, w->path);
    char *badge = hb_fmt("%s/%s/workflows/%s/badge.svg", host, c->repo->full_name, w->name);
    json_t *j =
        json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "id", (json_int_t)w->id, "node_id",
                  node, "name", w->name, "path", w->path, "state", w->state, "created_at", created,
                  "updated_at", updated, "url", url, "html_url", html, "badge_url", badge);
    char *all[] = {created, updated, base, host, node, url, html, badge};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]);
    return j;
}

/* With Actions off: 404, or empty (1.5). True: answered. */
static bool hidden(struct hb_ctx *c)
{
    int how = hb_quirk(c->h, Q_ACTIONS_OFF_404);
    if (c->repo->actions_on || how == 0)
        return false;
    if (how == 2)
        hb_json(c, 200, json_pack("{s:i,s:[]}", "total_count", 0, "workflows"));
    else
        hb_error_json(c, 404, "Not Found");
    return true;
}

void hb_list_workflows(struct hb_ctx *c)
{
    if (hidden(c))
        return;
    const struct hb_repo *r = c->repo;
    bool nameless = hb_quirk(c->h, Q_EMPTY_PATH) && r->n_workflows > 0;
    size_t total = r->n_workflows + nameless;
    struct hb_page page = hb_paginate(c, 30, 100, total);
    if (page.refused)
        return;
    char none[] = "";
    const struct hb_workflow empty = {
        .id = r->id + 1, .path = none, .name = none, .state = hb_active};
    json_t *rows = json_array();
    for (size_t i = page.first; i < page.end; i++)
        json_array_append_new(rows,
                              workflow_json(c, i < r->n_workflows ? &r->workflow[i] : &empty));
    hb_json(c, 200, json_pack("{s:I,s:o}", "total_count", (json_int_t)total, "workflows", rows));
}

static struct hb_workflow *wanted(struct hb_ctx *c)
{
    struct hb_workflow *w = hb_workflow(c->repo, c->arg[0]);
    if (w == NULL)
        hb_error_json(c, 404, "Not Found");
    return w;
}

void hb_get_workflow(struct hb_ctx *c)
{
    const struct hb_workflow *w = wanted(c);
    if (w != NULL)
        hb_json(c, 200, workflow_json(c, w));
}

/* 204, also when it is active already. */
void hb_enable_workflow(struct hb_ctx *c)
{
    struct hb_workflow *w = wanted(c);
    if (w == NULL)
        return;
    hb_workflow_state(c->h, c->repo, w, hb_active);
    hb_empty(c, 204);
}

/* Not idempotent: a 403 that is neither permission nor rate limit. */
void hb_disable_workflow(struct hb_ctx *c)
{
    struct hb_workflow *w = wanted(c);
    if (w == NULL)
        return;
    if (w->state != hb_active && hb_quirk(c->h, Q_DISABLE_TWICE)) {
        hb_error_json(c, 403, "Unable to disable a workflow that is not active.");
        return;
    }
    hb_workflow_state(c->h, c->repo, w, hb_disabled_manually);
    hb_empty(c, 204);
}

/* ---- dispatch ---- */

/* The name of a required input that the request leaves out, NULL: none. */
static const char *missing_input(const json_t *trigger, const json_t *inputs)
{
    const char *name = NULL;
    json_t *input = NULL;
    json_t *wanted_inputs = json_object_get(trigger, "inputs");
    json_object_foreach(wanted_inputs, name, input)
    {
        bool required = json_is_true(json_object_get(input, "required"));
        if (required && json_object_get(input, "default") == NULL &&
            json_object_get(inputs, name) == NULL)
            return name;
    }
    return NULL;
}

/* True: refused and answered. */
static bool trigger_refused(struct hb_ctx *c, const struct hb_workflow *w, const json_t *on)
{
    const json_t *inputs = json_object_get(c->body, "inputs");
    const char *missing = missing_input(json_object_get(on, "workflow_dispatch"), inputs);
    if (hb_field(c, "ref") == NULL) {
        hb_error_json(c, 422, "Invalid request.\n\n\"ref\" wasn't supplied.");
    } else if (!w->on_default) { /* 404 when the file is not on the default branch */
        hb_error_json(c, 404, "Not Found");
    } else if (json_object_get(on, "workflow_dispatch") == NULL) {
        hb_error_json(c, 422, "Workflow does not have 'workflow_dispatch' trigger");
    } else if (w->state != hb_active) {
        hb_error_json(c, 422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow");
    } else if (json_object_size(inputs) > 25) {
        hb_error_json(c, 422, "you may only define up to 25 inputs for a workflow_dispatch event");
    } else if (missing != NULL) {
        char *text = hb_fmt("Required input '%s' not provided", missing);
        hb_error_json(c, 422, text);
        free(text);
    } else {
        return false;
    }
    return true;
}

static void dispatched(struct hb_ctx *c)
{
    bool details = json_is_true(json_object_get(c->body, "return_run_details")) ||
                   strcmp(c->api_version, "2022-11-28") != 0 || !hb_quirk(c->h, Q_DISPATCH_204);
    if (!details) {
        hb_empty(c, 204);
        return;
    }
    long long id = c->repo->n_runs > 0 ? c->repo->run[c->repo->n_runs - 1].id : 0;
    char *base = hb_base(c);
    char *url = hb_fmt("%s/repos/%s/actions/runs/%lld", base, c->repo->full_name, id);
    hb_json(c, 200,
            json_pack("{s:I,s:s,s:s}", "workflow_run_id", (json_int_t)id, "run_url", url,
                      "html_url", url));
    free(url);
    free(base);
}

void hb_dispatch_workflow(struct hb_ctx *c)
{
    struct hb_workflow *w = wanted(c);
    if (w == NULL)
        return;
    const json_t *definition = w->blob == NULL ? NULL : hb_map_get(&c->h->definitions, w->blob);
    if (trigger_refused(c, w, json_object_get(definition, "on")))
        return;
    long long id = w->id;
    char oid[65], *ref = hb_strdup(hb_field(c, "ref"));
    hb_git_enter(c->h, c->repo);
    hb_resolve(c->repo, hb_starts(ref, "refs/") ? ref + 5 : ref, oid);
    hb_git_leave(c->h, c->repo);
    char number[32];
    (void)snprintf(number, sizeof number, "%lld", id);
    w = hb_workflow(c->repo, number); /* rows may have moved meanwhile */
    if (oid[0] == '\0' || w == NULL || !c->repo->actions_on) {
        char *text = hb_fmt("No ref found for: %s", ref);
        hb_error_json(c, 422, text);
        free(text);
    } else {
        char *actor = hb_actor(&c->who);
        hb_run_add(c->h, c->repo, w, "workflow_dispatch", ref, oid, actor);
        free(actor);
        dispatched(c);
    }
    free(ref);
}

/* ---- runs ---- */

static void run_urls(struct hb_ctx *c, const struct hb_run *run, json_t *j)
{
    static const char *const below[][2] = {{"url", ""},
                                           {"html_url", ""},
                                           {"jobs_url", "/jobs"},
                                           {"logs_url", "/logs"},
                                           {"check_suite_url", "/check-suite"},
                                           {"cancel_url", "/cancel"},
                                           {"rerun_url", "/rerun"},
                                           {"artifacts_url", "/artifacts"}};
    char *base = hb_base(c);
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++) {
        char *url = hb_fmt("%s/repos/%s/actions/runs/%lld%s", base, c->repo->full_name, run->id,
                           below[i][1]);
        json_object_set_new(j, below[i][0], json_string(url));
        free(url);
    }
    char *workflow =
        hb_fmt("%s/repos/%s/actions/workflows/%lld", base, c->repo->full_name, run->workflow_id);
    json_object_set_new(j, "workflow_url", json_string(workflow));
    free(workflow);
    free(base);
}

static json_t *run_json(struct hb_ctx *c, const struct hb_run *run)
{
    char *created = hb_time_z(run->created_ms), number[32];
    (void)snprintf(number, sizeof number, "%lld", run->workflow_id);
    const struct hb_workflow *w = hb_workflow(c->repo, number);
    json_t *j = json_pack(
        "{s:I,s:s,s:I,s:s,s:s,s:s,s:s,s:n,s:s,s:s,s:i,s:s,s:s}", "id", (json_int_t)run->id,
        "node_id", "WFR_hub", "workflow_id", (json_int_t)run->workflow_id, "event", run->event,
        "head_branch", run->branch, "head_sha", run->sha, "status", "queued", "conclusion",
        "created_at", created, "updated_at", created, "run_number", 1, "display_title",
        w != NULL ? w->name : "", "path", w != NULL ? w->path : "");
    run_urls(c, run, j);
    json_object_set_new(j, "actor", hb_user_json(c, run->actor));
    json_object_set_new(j, "head_commit", json_null());
    json_object_set_new(j, "pull_requests", json_array());
    json_object_set_new(j, "repository", hb_repo_brief_json(c, c->repo));
    json_object_set_new(j, "head_repository", hb_repo_brief_json(c, c->repo));
    free(created);
    return j;
}

static bool filtered(const char *wanted_value, const char *value)
{
    return wanted_value != NULL && strcmp(wanted_value, value) != 0;
}

/* Of one workflow or of the repository, newest first; `event` and `branch` select. */
void hb_list_runs(struct hb_ctx *c)
{
    const struct hb_repo *r = c->repo;
    long long workflow = 0;
    if (c->arg[0] != NULL) {
        const struct hb_workflow *w = wanted(c);
        if (w == NULL)
            return;
        workflow = w->id;
    }
    char *event = hb_query(c, "event"), *branch = hb_query(c, "branch");
    const struct hb_run **hit = hb_grow(NULL, r->n_runs, sizeof *hit);
    size_t n = 0;
    for (size_t i = r->n_runs; i-- > 0;)
        if ((workflow == 0 || r->run[i].workflow_id == workflow) &&
            !filtered(event, r->run[i].event) && !filtered(branch, r->run[i].branch))
            hit[n++] = &r->run[i];
    struct hb_page page = hb_paginate(c, 30, 100, n);
    json_t *rows = json_array();
    for (size_t i = page.first; !page.refused && i < page.end; i++)
        json_array_append_new(rows, run_json(c, hit[i]));
    if (page.refused)
        json_decref(rows);
    else
        hb_json(c, 200,
                json_pack("{s:I,s:o}", "total_count", (json_int_t)n, "workflow_runs", rows));
    free(hit);
    free(event);
    free(branch);
}
