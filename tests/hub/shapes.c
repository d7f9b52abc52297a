/* Users and repositories as GitHub's OpenAPI description wants them: every required member is
 * there, so that a validating proxy can stand between the hub and its client. */
#include "internal.h"
#include "rest.h"

#include <stdio.h>

static void put_text(json_t *j, const char *name, char *owned)
{
    json_object_set_new_nocheck(j, name, json_string(owned));
    free(owned);
}

static char *web_base(const struct hb_ctx *c)
{
    char *base = hb_base(c);
    base[strlen(base) - strlen(c->prefix)] = '\0';
    return base;
}

json_t *hb_user_json(const struct hb_ctx *c, const char *login)
{
    static const char *const below[][2] = {
        {"followers_url", "/followers"},
        {"following_url", "/following{/other_user}"},
        {"gists_url", "/gists{/gist_id}"},
        {"starred_url", "/starred{/owner}{/repo}"},
        {"subscriptions_url", "/subscriptions"},
        {"organizations_url", "/orgs"},
        {"repos_url", "/repos"},
        {"events_url", "/events{/privacy}"},
        {"received_events_url", "/received_events"},
    };
    const struct hb_user *u = hb_user(c->h, login);
    long long id = u != NULL ? u->id : 41898282; /* the number of github-actions[bot] */
    char *base = hb_base(c), *web = web_base(c);
    json_t *j = json_pack("{s:s,s:I,s:s,s:b,s:s}", "login", login, "id", (json_int_t)id, "type",
                          u == NULL   ? "Bot"
                          : u->is_org ? "Organization"
                                      : "User",
                          "site_admin", 0, "gravatar_id", "");
    put_text(j, "node_id", hb_fmt("U_%lld", id));
    put_text(j, "avatar_url", hb_fmt("%s/avatars/%lld", web, id));
    put_text(j, "html_url", hb_fmt("%s/%s", web, login));
    put_text(j, "url", hb_fmt("%s/users/%s", base, login));
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++)
        put_text(j, below[i][0], hb_fmt("%s/users/%s%s", base, login, below[i][1]));
    free(base);
    free(web);
    return j;
}

/* ---- repositories ---- */

static const char *const repo_urls[][2] = {
    {"url", ""},
    {"archive_url", "/{archive_format}{/ref}"},
    {"assignees_url", "/assignees{/user}"},
    {"blobs_url", "/git/blobs{/sha}"},
    {"branches_url", "/branches{/branch}"},
    {"collaborators_url", "/collaborators{/collaborator}"},
    {"comments_url", "/comments{/number}"},
    {"commits_url", "/commits{/sha}"},
    {"compare_url", "/compare/{base}...{head}"},
    {"contents_url", "/contents/{+path}"},
    {"contributors_url", "/contributors"},
    {"deployments_url", "/deployments"},
    {"downloads_url", "/downloads"},
    {"events_url", "/events"},
    {"forks_url", "/forks"},
    {"git_commits_url", "/git/commits{/sha}"},
    {"git_refs_url", "/git/refs{/sha}"},
    {"git_tags_url", "/git/tags{/sha}"},
    {"hooks_url", "/hooks"},
    {"issue_comment_url", "/issues/comments{/number}"},
    {"issue_events_url", "/issues/events{/number}"},
    {"issues_url", "/issues{/number}"},
    {"keys_url", "/keys{/key_id}"},
    {"labels_url", "/labels{/name}"},
    {"languages_url", "/languages"},
    {"merges_url", "/merges"},
    {"milestones_url", "/milestones{/number}"},
    {"notifications_url", "/notifications{?since,all,participating}"},
    {"pulls_url", "/pulls{/number}"},
    {"releases_url", "/releases{/id}"},
    {"stargazers_url", "/stargazers"},
    {"statuses_url", "/statuses/{sha}"},
    {"subscribers_url", "/subscribers"},
    {"subscription_url", "/subscription"},
    {"tags_url", "/tags"},
    {"teams_url", "/teams"},
    {"trees_url", "/git/trees{/sha}"},
};

/* What every form of a repository has. */
json_t *hb_repo_brief_json(const struct hb_ctx *c, const struct hb_repo *r)
{
    char *base = hb_base(c), *web = web_base(c);
    json_t *j = json_pack("{s:I,s:s,s:s,s:o,s:b,s:b,s:n}", "id", (json_int_t)r->id, "name", r->name,
                          "full_name", r->full_name, "owner", hb_user_json(c, r->owner->login),
                          "private", r->is_private, "fork", r->is_fork, "description");
    put_text(j, "node_id", hb_fmt("R_%lld", r->id));
    put_text(j, "html_url", hb_fmt("%s/%s", web, r->full_name));
    for (size_t i = 0; i < sizeof repo_urls / sizeof repo_urls[0]; i++)
        put_text(j, repo_urls[i][0], hb_fmt("%s/repos/%s%s", base, r->full_name, repo_urls[i][1]));
    free(base);
    free(web);
    return j;
}

static void permissions_json(const struct hb_ctx *c, json_t *j)
{
    enum hb_role role = hb_role_of(c->repo, c->who.user);
    bool bot = hb_bot(&c->who);
    bool push = role >= ROLE_WRITE || (bot && hb_permission(c->who.token, "contents", true));
    json_object_set_new(j, "permissions",
                        json_pack("{s:b,s:b,s:b,s:b,s:b}", "admin", role == ROLE_ADMIN, "maintain",
                                  role == ROLE_ADMIN, "push", push, "triage", push, "pull", 1));
}

static void counts(json_t *j)
{
    static const char *const zero[] = {"forks",
                                       "forks_count",
                                       "stargazers_count",
                                       "watchers",
                                       "watchers_count",
                                       "network_count",
                                       "subscribers_count",
                                       "open_issues",
                                       "open_issues_count",
                                       "size"};
    static const char *const no[] = {"has_issues", "has_projects",    "has_wiki",
                                     "has_pages",  "has_discussions", "disabled"};
    static const char *const nothing[] = {"homepage", "language", "mirror_url", "license"};
    for (size_t i = 0; i < sizeof zero / sizeof zero[0]; i++)
        json_object_set_new_nocheck(j, zero[i], json_integer(0));
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        json_object_set_new_nocheck(j, no[i], json_false());
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++)
        json_object_set_new_nocheck(j, nothing[i], json_null());
}

/* c->repo in full, as the token of the request sees it. */
json_t *hb_repo_json(const struct hb_ctx *c)
{
    const struct hb_repo *r = c->repo;
    char *web = web_base(c);
    json_t *j = hb_repo_brief_json(c, r);
    put_text(j, "created_at", hb_time_z(r->created_ms));
    put_text(j, "updated_at", hb_time_z(r->updated_ms));
    put_text(j, "pushed_at", hb_time_z(r->pushed_ms));
    put_text(j, "clone_url", hb_fmt("%s/%s.git", web, r->full_name));
    put_text(j, "svn_url", hb_fmt("%s/%s", web, r->full_name));
    put_text(j, "git_url", hb_fmt("git://hub.invalid/%s.git", r->full_name));
    put_text(j, "ssh_url", hb_fmt("git@hub.invalid:%s.git", r->full_name));
    json_object_set_new(j, "visibility", json_string(r->is_private ? "private" : "public"));
    json_object_set_new(j, "default_branch", json_string(r->default_branch));
    json_object_set_new(j, "archived", json_boolean(r->archived));
    counts(j);
    if (strcmp(c->api_version, "2022-11-28") == 0) /* gone in 2026-03-10 */
        json_object_set_new(j, "has_downloads", json_true());
    if (c->who.token != NULL)
        permissions_json(c, j);
    free(web);
    return j;
}
