/* The quirks of REST. */
#include "demos.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void variables(struct world *w, int n)
{
    for (int i = 0; i < n; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "V%03d", i);
        (void)hub_variable_put(w->h, "backup/standby", name, "x");
    }
}

static size_t rows(const struct answer *a, const char *name)
{
    return json_array_size(json_object_get(a->json, name));
}

static bool lists_path(struct world *w, const char *path)
{
    struct answer a = {0};
    ask(w, &a, "full", "GET", REPO "/actions/workflows", NULL, NULL);
    const json_t *list = json_object_get(a.json, "workflows");
    bool hit = false;
    for (size_t i = 0; i < json_array_size(list); i++)
        hit = hit || strcmp(json_string_value(json_object_get(json_array_get(list, i), "path")),
                            path) == 0;
    answer_drop(&a);
    return hit;
}

static bool user_agent(struct world *w)
{
    struct answer a = {0};
    ask(w, &a, "full", "GET", REPO, NULL, "user-agent: ");
    bool refused = a.status == 403;
    answer_drop(&a);
    return refused;
}

static bool api_version(struct world *w)
{
    struct answer a = {0};
    ask(w, &a, "full", "GET", REPO, NULL, "x-github-api-version: 1999-01-01");
    bool refused = a.status == 400;
    answer_drop(&a);
    return refused;
}

static bool trailing_slash(struct world *w)
{
    return status_of(w, "full", "GET", REPO "/actions/secrets/", NULL) == 404;
}

static bool lockout(struct world *w)
{
    for (int i = 0; i < 3; i++)
        if (status_of(w, "wrong", "GET", REPO, NULL) != 401)
            return false;
    bool locked = status_of(w, "full", "GET", REPO, NULL) == 403;
    w->now += 6 * 60 * 1000;
    return locked && status_of(w, "full", "GET", REPO, NULL) == 200;
}

static bool ambiguous_404(struct world *w)
{
    return status_of(w, "other", "GET", REPO, NULL) == 404;
}

static bool upper_case(struct world *w)
{
    struct answer a = {0};
    (void)status_of(w, "full", "POST", REPO "/actions/variables",
                    "{\"name\":\"mixed\",\"value\":\"v\"}");
    ask(w, &a, "full", "GET", REPO "/actions/variables/mIxEd", NULL, NULL);
    bool upper = strcmp(text_of(&a, "name"), "MIXED") == 0;
    answer_drop(&a);
    return upper;
}

static bool small_pages(struct world *w)
{
    struct answer a = {0};
    variables(w, 45);
    ask(w, &a, "full", "GET", REPO "/actions/variables", NULL, NULL);
    bool small = rows(&a, "variables") == 10;
    ask(w, &a, "full", "GET", REPO "/actions/variables?per_page=40", NULL, NULL);
    small = small && rows(&a, "variables") == 30;
    answer_drop(&a);
    return small;
}

static bool silent_cap(struct world *w)
{
    return status_of(w, "full", "GET", REPO "/actions/variables?per_page=1000", NULL) == 200;
}

static bool link_by_id(struct world *w)
{
    struct answer a = {0};
    variables(w, 31);
    ask(w, &a, "full", "GET", REPO "/actions/variables?per_page=100", NULL, NULL);
    char wanted[256];
    (void)snprintf(wanted, sizeof wanted,
                   "<http://hub.test/api/v3/repositories/%lld/actions/"
                   "variables?per_page=30&page=2>; rel=\"next\", "
                   "<http://hub.test/api/v3/repositories/%lld/actions/"
                   "variables?per_page=30&page=2>; rel=\"last\"",
                   hub_repo_id(w->h, "backup/standby"), hub_repo_id(w->h, "backup/standby"));
    bool same = strcmp(head_of(&a, "link"), wanted) == 0;
    answer_drop(&a);
    return same;
}

static bool no_upsert(struct world *w)
{
    variables(w, 1);
    return status_of(w, "full", "POST", REPO "/actions/variables",
                     "{\"name\":\"v000\",\"value\":\"v\"}") == 409;
}

static bool blank_variable(struct world *w)
{
    return status_of(w, "full", "POST", REPO "/actions/variables",
                     "{\"name\":\"E\",\"value\":\"\"}") == 422;
}

static bool secret_created(struct world *w)
{
    return put_secret(w, "full", "S", "v", 1) == 201 && put_secret(w, "full", "s", "v", 1) == 204;
}

static bool sealed_size(struct world *w)
{
    static const char value[48 * 1024];
    return put_secret(w, "full", "S", value, sizeof value) == 422;
}

static bool key_id_integer(struct world *w)
{
    struct answer a = {0};
    ask(w, &a, "full", "GET", REPO "/actions/secrets/public-key", NULL, NULL);
    bool integer = json_is_integer(json_object_get(a.json, "key_id"));
    answer_drop(&a);
    return integer;
}

static bool eventual(struct world *w)
{
    struct answer a = {0};
    (void)hub_repo_rotate_key(w->h, "backup/standby"); /* uses nothing up: writes do not read */
    (void)status_of(w, "full", "POST", REPO "/actions/variables",
                    "{\"name\":\"N\",\"value\":\"v\"}");
    ask(w, &a, "full", "GET", REPO "/actions/variables/N", NULL, NULL);
    bool stale = a.status == 404;
    ask(w, &a, "full", "GET", REPO "/actions/variables", NULL, NULL);
    stale = stale && int_of(&a, "total_count") == 0;
    ask(w, &a, "full", "GET", REPO "/actions/variables", NULL, NULL);
    stale = stale && int_of(&a, "total_count") == 1;
    answer_drop(&a);
    return stale;
}

static bool disable_twice(struct world *w)
{
    commit_file(w, "main", ".github/workflows/a.yml", "on: push\n");
    int first = status_of(w, "full", "PUT", REPO "/actions/workflows/a.yml/disable", NULL);
    int second = status_of(w, "full", "PUT", REPO "/actions/workflows/a.yml/disable", NULL);
    return first == 204 && second == 403;
}

static bool offset_times(struct world *w)
{
    struct answer a = {0};
    commit_file(w, "main", ".github/workflows/a.yml", "on: push\n");
    ask(w, &a, "full", "GET", REPO "/actions/workflows/a.yml", NULL, NULL);
    bool offset = strcmp(text_of(&a, "created_at"), "2024-12-06T10:46:40.000-05:00") == 0;
    answer_drop(&a);
    return offset;
}

static bool dynamic(struct world *w)
{
    commit_file(w, "main", ".github/workflows/a.yml", "on: push\n");
    return lists_path(w, "dynamic/pages/pages-build-deployment");
}

static bool empty_path(struct world *w)
{
    commit_file(w, "main", ".github/workflows/a.yml", "on: push\n");
    return lists_path(w, "");
}

static bool actions_off_404(struct world *w)
{
    commit_file(w, "main", ".github/workflows/a.yml", "on: push\n");
    (void)status_of(w, "full", "PUT", REPO "/actions/permissions", "{\"enabled\":false}");
    return status_of(w, "full", "GET", REPO "/actions/workflows", NULL) == 404;
}

static bool dispatch_204(struct world *w)
{
    commit_file(w, "main", ".github/workflows/a.yml", "on: [workflow_dispatch]\n");
    return status_of(w, "full", "POST", REPO "/actions/workflows/a.yml/dispatches",
                     "{\"ref\":\"main\"}") == 204;
}

static bool raw_etag(struct world *w)
{
    struct answer a = {0};
    ask(w, &a, "full", "GET", REPO "/contents/README", NULL,
        "accept: application/vnd.github.raw+json");
    bool blob = strcmp(head_of(&a, "etag"), "\"ce013625030ba8dba906f756967f9e9ca394464a\"") == 0;
    answer_drop(&a);
    return blob;
}

static bool ruleset_404(struct world *w)
{
    struct answer a = {0};
    (void)hub_rule_add(w->h, "backup/standby", "main", "non_fast_forward");
    ask(w, &a, "full", "GET", REPO "/rules/branches/main", NULL, NULL);
    bool listed = json_array_size(a.json) == 1;
    answer_drop(&a);
    return listed && status_of(w, "full", "GET", REPO "/branches/main/protection", NULL) == 404;
}

static bool github_token(struct world *w)
{
    struct answer a = {0};
    ask(w, &a, "job", "GET", REPO "/actions/variables", NULL, NULL);
    bool refused = a.status == 403 &&
                   strcmp(text_of(&a, "message"), "Resource not accessible by integration") == 0;
    answer_drop(&a);
    return refused && status_of(w, "job", "GET", REPO "/actions/workflows", NULL) == 200;
}

static bool rate_limit(struct world *w)
{
    struct answer a = {0};
    for (int i = 0; i < 3; i++)
        (void)status_of(w, "full", "GET", REPO, NULL);
    ask(w, &a, "plain", "GET", REPO, NULL, NULL); /* another token of the same user */
    bool limited = a.status == 403 && strcmp(head_of(&a, "x-ratelimit-remaining"), "0") == 0;
    answer_drop(&a);
    w->now += 3601 * 1000;
    return limited && status_of(w, "full", "GET", REPO, NULL) == 200;
}

/* The answer to a second, conditional request by `token`. */
static void again(struct world *w, struct answer *a, const char *token)
{
    char condition[160];
    ask(w, a, "full", "GET", REPO "/actions/secrets", NULL, NULL);
    (void)snprintf(condition, sizeof condition, "if-none-match: %s", head_of(a, "etag"));
    ask(w, a, token, "GET", REPO "/actions/secrets", NULL, condition);
}

static bool free_304(struct world *w)
{
    struct answer a = {0};
    again(w, &a, "full");
    bool free_of_charge = a.status == 304 && strcmp(head_of(&a, "x-ratelimit-used"), "1") == 0;
    answer_drop(&a);
    return free_of_charge;
}

static bool etag_per_token(struct world *w)
{
    struct answer a = {0};
    again(w, &a, "plain");
    bool changed = a.status == 200;
    answer_drop(&a);
    return changed;
}

static bool etag_weak(struct world *w)
{
    struct answer a = {0};
    ask(w, &a, "full", "GET", REPO "/actions/secrets", NULL, NULL);
    bool weak = strncmp(head_of(&a, "etag"), "W/\"", 3) == 0;
    again(w, &a, "full");
    weak = weak && a.status == 304 && head_of(&a, "etag")[0] == '"';
    answer_drop(&a);
    return weak;
}

static bool empty_accepted(struct world *w)
{
    struct answer a = {0};
    ask(w, &a, "full", "GET", REPO "/actions/secrets", NULL, NULL);
    const char *accepted = hub_reply_header(&a.reply, "x-accepted-oauth-scopes");
    bool empty = accepted != NULL && accepted[0] == '\0';
    answer_drop(&a);
    return empty;
}

static bool write_307(struct world *w)
{
    (void)hub_repo_rename(w->h, "backup/standby", "backup/renamed");
    int read = status_of(w, "full", "GET", REPO "/actions/secrets", NULL);
    int write = status_of(w, "full", "PUT", REPO "/actions/secrets/X", "{}");
    return read == 301 && write == 307;
}

static bool redirect_charged(struct world *w)
{
    struct answer a = {0};
    (void)hub_repo_rename(w->h, "backup/standby", "backup/renamed");
    ask(w, &a, "full", "GET", REPO, NULL, NULL);
    bool charged = strcmp(head_of(&a, "x-ratelimit-used"), "1") == 0;
    answer_drop(&a);
    return charged;
}

const struct demo rest_demos[] = {
    {"user-agent", 1, user_agent},
    {"api-version", 1, api_version},
    {"trailing-slash", 1, trailing_slash},
    {"lockout", 3, lockout},
    {"ambiguous-404", 1, ambiguous_404},
    {"upper-case", 1, upper_case},
    {"small-pages", 1, small_pages},
    {"silent-cap", 1, silent_cap},
    {"link-by-id", 1, link_by_id},
    {"no-upsert", 1, no_upsert},
    {"blank-variable", 1, blank_variable},
    {"secret-created", 1, secret_created},
    {"sealed-size", 1, sealed_size},
    {"key-id-integer", 1, key_id_integer},
    {"eventual", 2, eventual},
    {"disable-twice", 1, disable_twice},
    {"offset-times", 1, offset_times},
    {"dynamic", 1, dynamic},
    {"empty-path", 1, empty_path},
    {"actions-off-404", 1, actions_off_404},
    {"dispatch-204", 1, dispatch_204},
    {"raw-etag", 1, raw_etag},
    {"ruleset-404", 1, ruleset_404},
    {"github-token", 1, github_token},
    {"rate-limit", 3, rate_limit},
    {"free-304", 1, free_304},
    {"etag-per-token", 1, etag_per_token},
    {"etag-weak", 1, etag_weak},
    {"empty-accepted", 1, empty_accepted},
    {"write-307", 1, write_307},
    {"redirect-charged", 1, redirect_charged},
};
const size_t n_rest_demos = sizeof rest_demos / sizeof rest_demos[0];
