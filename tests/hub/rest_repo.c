/* The repository itself (1.1), its Actions settings (1.5), protection (1.8), pages (1.11). */
#include "gitside.h"
#include "internal.h"
#include "rest.h"

#include <fnmatch.h>

void hb_get_repo(struct hb_ctx *c)
{
    c->last_modified = hb_time_http(c->repo->updated_ms);
    hb_json(c, 200, hb_repo_json(c));
}

/* The branch must exist on the remote (1.1). */
static bool branch_there(struct hb_ctx *c, const char *branch)
{
    char *name = hb_fmt("refs/heads/%s", branch);
    hb_git_enter(c->h, c->repo);
    bool there = hb_ref(c->repo, name) != NULL;
    hb_git_leave(c->h, c->repo);
    free(name);
    return there;
}

void hb_patch_repo(struct hb_ctx *c)
{
    const char *branch = hb_field(c, "default_branch"), *name = hb_field(c, "name");
    const json_t *archived = json_object_get(c->body, "archived");
    if (c->repo->archived && !json_is_false(archived)) {
        hb_error_json(c, 403, "Repository was archived so is read-only.");
        return;
    }
    if (branch != NULL && !branch_there(c, branch)) {
        char *text = hb_fmt(
            "The branch %s was not found. Please push that ref first or create it via the Git "
            "Data API.",
            branch);
        hb_error_field(c, 422, "Validation Failed", "Repository", "default_branch", "invalid",
                       text);
        free(text);
        return;
    }
    if (name != NULL && strcmp(name, c->repo->name) != 0) {
        char *full = hb_fmt("%s/%s", c->repo->owner->login, name);
        bool ok = hb_repo_rename_to(c->h, c->repo, full);
        free(full);
        if (!ok) {
            hb_error_field(c, 422, "Repository creation failed.", "Repository", "name", "custom",
                           "name already exists on this account");
            return;
        }
    }
    if (branch != NULL)
        hb_default_branch_set(c->h, c->repo, branch);
    if (archived != NULL)
        c->repo->archived = json_is_true(archived);
    if (json_is_boolean(json_object_get(c->body, "private")))
        c->repo->is_private = json_is_true(json_object_get(c->body, "private"));
    hb_repo_touch(c->h, c->repo);
    hb_json(c, 200, hb_repo_json(c));
}

/* ---- making one ---- */

static void create(struct hb_ctx *c, const struct hb_user *owner)
{
    const char *name = hb_field(c, "name");
    char *full = hb_fmt("%s/%s", owner->login, name != NULL ? name : "");
    bool legal = hb_repo_name_ok(full), taken = hb_repo(c->h, full) != NULL;
    const char *visibility = hb_field(c, "visibility");
    bool hidden = json_is_true(json_object_get(c->body, "private")) ||
                  (visibility != NULL && strcmp(visibility, "public") != 0);
    struct hub_repo spec = {.name = full, .is_private = hidden};
    if (name == NULL) {
        hb_error_json(c, 422, "Invalid request.\n\n\"name\" wasn't supplied.");
    } else if (!legal || taken) {
        hb_error_field(c, 422, "Repository creation failed.", "Repository", "name", "custom",
                       taken ? "name already exists on this account" : "name is invalid");
    } else if ((c->repo = hb_repo_new(c->h, &spec)) == NULL) {
        hb_error_json(c, 500, "Server Error");
    } else {
        char *base = hb_base(c);
        hb_json(c, 201, hb_repo_json(c));
        hb_head_take(c->out, "location", hb_fmt("%s/repos/%s", base, full));
        free(base);
    }
    free(full);
}

/* Not for Apps' tokens (1.1). */
void hb_post_user_repos(struct hb_ctx *c)
{
    const struct hb_token *t = c->who.token;
    if (t == NULL)
        hb_error_json(c, 401, "Requires authentication");
    else if (t->kind == HUB_APP || t->kind == HUB_GITHUB_TOKEN)
        hb_error_json(c, 403, "Resource not accessible by integration");
    else if (t->kind == HUB_FINE_GRAINED &&
             (t->owner != t->user || !hb_permission(t, "administration", true)))
        hb_error_json(c, 403, "Resource not accessible by personal access token");
    else if (t->kind != HUB_FINE_GRAINED && !hb_word_in(t->scopes, "repo") &&
             !hb_word_in(t->scopes, "public_repo"))
        hb_error_json(c, 404, "Not Found");
    else
        create(c, t->user);
}

void hb_post_org_repos(struct hb_ctx *c)
{
    char key[256];
    const struct hb_token *t = c->who.token;
    struct hb_user *org = hb_user(c->h, c->arg[0]);
    bool granular = t != NULL && t->kind != HUB_CLASSIC && t->kind != HUB_OAUTH;
    if (t == NULL)
        hb_error_json(c, 401, "Requires authentication");
    else if (org == NULL || !org->is_org)
        hb_error_json(c, 404, "Not Found");
    else if (granular && (t->owner != org || !hb_permission(t, "administration", true)))
        hb_error_json(c, 403,
                      t->kind == HUB_FINE_GRAINED
                          ? "Resource not accessible by personal access token"
                          : "Resource not accessible by integration");
    else if (!granular &&
             (!hb_word_in(t->scopes, "repo") || !hb_fold(t->user->login, key, sizeof key) ||
              hb_map_get(&org->members, key) == NULL))
        hb_error_json(
            c, 403, "You need admin access to the organization before adding a repository to it.");
    else
        create(c, org);
}

void hb_get_hash_algorithm(struct hb_ctx *c)
{
    hb_json(c, 200, json_pack("{s:s}", "hash_algorithm", "sha1"));
}

/* ---- Actions settings ---- */

void hb_get_permissions(struct hb_ctx *c)
{
    if (!c->repo->actions_on) /* only `enabled` is guaranteed */
        hb_json(c, 200, json_pack("{s:b}", "enabled", 0));
    else
        hb_json(c, 200,
                json_pack("{s:b,s:s,s:b}", "enabled", 1, "allowed_actions", "all",
                          "sha_pinning_required", 0));
}

void hb_put_permissions(struct hb_ctx *c)
{
    const json_t *enabled = json_object_get(c->body, "enabled");
    if (!json_is_boolean(enabled)) {
        hb_error_json(c, 422, "Invalid request.\n\n\"enabled\" wasn't supplied.");
        return;
    }
    c->repo->actions_on = json_is_true(enabled);
    c->repo->workflows_version = hb_next_version(c->h);
    hb_repo_touch(c->h, c->repo);
    hb_empty(c, 204);
}

void hb_get_workflow_permissions(struct hb_ctx *c)
{
    hb_json(c, 200,
            json_pack("{s:s,s:b}", "default_workflow_permissions", c->repo->workflow_permissions,
                      "can_approve_pull_request_reviews", 0));
}

void hb_put_workflow_permissions(struct hb_ctx *c)
{
    const char *wanted = hb_field(c, "default_workflow_permissions");
    if (wanted != NULL && strcmp(wanted, "read") != 0 && strcmp(wanted, "write") != 0) {
        hb_error_json(c, 422, "Invalid request.");
        return;
    }
    if (wanted != NULL)
        hb_set(&c->repo->workflow_permissions, wanted);
    hb_repo_touch(c->h, c->repo);
    hb_empty(c, 204);
}

/* ---- what blocks a push ---- */

static bool under_rule(const struct hb_repo *r, const char *branch)
{
    for (size_t i = 0; i < r->rules.n; i++)
        if (fnmatch(r->rules.rule[i].glob, branch, 0) == 0)
            return true;
    return false;
}

/* A branch that only a ruleset guards answers 404 here (1.8). */
void hb_get_protection(struct hb_ctx *c)
{
    const char *branch = c->arg[0];
    const struct hub_protection *p = NULL;
    for (size_t i = 0; i < c->repo->protections.n; i++)
        if (strcmp(c->repo->protections.rule[i].glob, branch) == 0)
            p = &c->repo->protections.rule[i].protection;
    static const struct hub_protection by_ruleset = {0};
    if (p == NULL && under_rule(c->repo, branch) && !hb_quirk(c->h, Q_RULESET_404))
        p = &by_ruleset;
    if (p == NULL) {
        hb_error_json(c, 404, "Branch not protected");
        return;
    }
    char *base = hb_base(c);
    char *url = hb_fmt("%s/repos/%s/branches/%s/protection/enforce_admins", base,
                       c->repo->full_name, branch);
    hb_json(c, 200,
            json_pack("{s:{s:b},s:{s:b},s:{s:b,s:s},s:{s:b}}", "allow_force_pushes", "enabled",
                      p->allow_force_pushes, "allow_deletions", "enabled", p->allow_deletions,
                      "enforce_admins", "enabled", 1, "url", url, "lock_branch", "enabled",
                      p->lock));
    free(url);
    free(base);
}

/* Answers for branches that do not exist yet, too. */
void hb_get_branch_rules(struct hb_ctx *c)
{
    struct hb_buf branch = {0};
    for (size_t i = c->n_head + 2; i < c->n_seg; i++)
        hb_buf_fmt(&branch, "%s%s", branch.len ? "/" : "", c->seg[i]);
    json_t *rows = json_array();
    for (size_t i = 0; branch.len > 0 && i < c->repo->rules.n; i++) {
        const struct hb_rule *rule = &c->repo->rules.rule[i];
        if (fnmatch(rule->glob, branch.data, 0) == 0)
            json_array_append_new(rows,
                                  json_pack("{s:s,s:s,s:s,s:i}", "type", rule->type,
                                            "ruleset_source_type", "Repository", "ruleset_source",
                                            c->repo->full_name, "ruleset_id", 1));
    }
    hb_buf_free(&branch);
    hb_json(c, 200, rows);
}

/* No site (1.11). */
void hb_get_pages(struct hb_ctx *c)
{
    hb_error_json(c, 404, "Not Found");
}
