/* Service endpoints (1.12). */
#include "internal.h"
#include "rest.h"

#define SEARCH(what, more) "/search/" what "?q={query}" more

/* Where things are; the description requires these 31. */
void hb_get_root(struct hb_ctx *c)
{
    static const char *const below[][2] = {
        {"current_user_url", "/user"},
        {"authorizations_url", "/authorizations"},
        {"code_search_url", SEARCH("code", "{&page,per_page,sort,order}")},
        {"commit_search_url", SEARCH("commits", "{&page,per_page,sort,order}")},
        {"emails_url", "/user/emails"},
        {"emojis_url", "/emojis"},
        {"events_url", "/events"},
        {"feeds_url", "/feeds"},
        {"followers_url", "/user/followers"},
        {"following_url", "/user/following{/target}"},
        {"gists_url", "/gists{/gist_id}"},
        {"issue_search_url", SEARCH("issues", "{&page,per_page,sort,order}")},
        {"issues_url", "/issues"},
        {"keys_url", "/user/keys"},
        {"label_search_url", SEARCH("labels", "&repository_id={repository_id}{&page,per_page}")},
        {"notifications_url", "/notifications"},
        {"organization_url", "/orgs/{org}"},
        {"organization_repositories_url", "/orgs/{org}/repos{?type,page,per_page,sort}"},
        {"organization_teams_url", "/orgs/{org}/teams"},
        {"public_gists_url", "/gists/public"},
        {"rate_limit_url", "/rate_limit"},
        {"repository_url", "/repos/{owner}/{repo}"},
        {"repository_search_url", SEARCH("repositories", "{&page,per_page,sort,order}")},
        {"current_user_repositories_url", "/user/repos{?type,page,per_page,sort}"},
        {"starred_url", "/user/starred{/owner}{/repo}"},
        {"starred_gists_url", "/gists/starred"},
        {"user_url", "/users/{user}"},
        {"user_organizations_url", "/user/orgs"},
        {"user_repositories_url", "/users/{user}/repos{?type,page,per_page,sort}"},
        {"user_search_url", SEARCH("users", "{&page,per_page,sort,order}")},
    };
    char *base = hb_base(c);
    json_t *j = json_object();
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++) {
        char *url = hb_fmt("%s%s", base, below[i][1]);
        json_object_set_new(j, below[i][0], json_string(url));
        free(url);
    }
    /* This one is a page for people. */
    base[strlen(base) - strlen(c->prefix)] = '\0';
    char *page = hb_fmt("%s/settings/connections/applications{/client_id}", base);
    json_object_set_new(j, "current_user_authorizations_html_url", json_string(page));
    free(page);
    free(base);
    hb_json(c, 200, j);
}

static json_t *me(const struct hb_ctx *c)
{
    static const char *const nothing[] = {"bio",      "blog",     "company", "email",
                                          "hireable", "location", "name"};
    static const char *const zero[] = {"followers", "following", "public_gists", "public_repos"};
    json_t *j = hb_user_json(c, c->who.token->user->login);
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++)
        json_object_set_new(j, nothing[i], json_null());
    for (size_t i = 0; i < sizeof zero / sizeof zero[0]; i++)
        json_object_set_new(j, zero[i], json_integer(0));
    json_object_set_new(j, "created_at", json_string("2020-01-01T00:00:00Z"));
    json_object_set_new(j, "updated_at", json_string("2020-01-01T00:00:00Z"));
    return j;
}

/* Not for the tokens of Apps and jobs, so it is no general token check. */
void hb_get_user(struct hb_ctx *c)
{
    const struct hb_token *t = c->who.token;
    if (t == NULL)
        hb_error_json(c, 401, "Requires authentication");
    else if (t->kind == HUB_APP || t->kind == HUB_GITHUB_TOKEN)
        hb_error_json(c, 403, "Resource not accessible by integration");
    else
        hb_json(c, 200, me(c));
}

void hb_get_rate_limit(struct hb_ctx *c)
{
    if (hb_quirk(c->h, Q_RATE_LIMIT) == 0) {
        hb_error_json(c, 404, "Rate limiting is not enabled.");
        return;
    }
    json_t *core = hb_rate_json(c);
    json_t *j = json_pack("{s:{s:O,s:{s:i,s:i,s:i,s:i}}}", "resources", "core", core, "search",
                          "limit", 30, "used", 0, "remaining", 30, "reset", 0);
    if (strcmp(c->api_version, "2022-11-28") == 0) /* gone in 2026-03-10 */
        json_object_set(j, "rate", core);
    json_decref(core);
    hb_json(c, 200, j);
}

void hb_get_meta(struct hb_ctx *c)
{
    hb_json(c, 200,
            json_pack(
                "{s:b,s:[s],s:{s:s},s:[s],s:[s],s:[s]}", "verifiable_password_authentication", 0,
                "ssh_keys",
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHubHubHubHubHubHubHubHubHubHubHubHubHubHubHu",
                "ssh_key_fingerprints", "SHA256_ED25519",
                "+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU", "git", "127.0.0.0/8", "api",
                "127.0.0.0/8", "actions", "127.0.0.0/8"));
}

void hb_get_versions(struct hb_ctx *c)
{
    hb_json(c, 200, json_pack("[s,s]", "2026-03-10", "2022-11-28"));
}
