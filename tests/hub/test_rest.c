/* REST as mirrorctl meets it, beyond the quirks: values, names, permissions, versions, faults, the
 * log. */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char repo[] = "backup/standby";

static int make(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    if (w == NULL)
        return -1;
    world_make(w);
    *state = w;
    return 0;
}

static int end(void **state)
{
    world_end(*state);
    free(*state);
    return 0;
}

static void secrets_are_really_opened(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    static const char value[] = "line one\nline two\0and a NUL";
    size_t len = 0;
    assert_int_equal(put_secret(w, "full", "api_key", value, sizeof value), 201);
    char *stored = hub_secret_get(w->h, repo, "API_KEY", &len);
    assert_int_equal(len, sizeof value);
    assert_memory_equal(stored, value, sizeof value);
    free(stored);
    ask(w, &a, "full", "GET", REPO "/actions/secrets", NULL, NULL);
    assert_int_equal(int_of(&a, "total_count"), 1);
    assert_null(strstr((const char *)a.reply.body, "line one"));
    ask(w, &a, "full", "GET", REPO "/actions/secrets/public-key", NULL, NULL);
    char body[400];
    const char *key_id = text_of(&a, "key_id");
    (void)snprintf(body, sizeof body,
                   "{\"key_id\":\"%s\",\"encrypted_value\":"
                   "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                   "AAAAAAAAAAAAAAAA\"}",
                   key_id);
    assert_int_equal(status_of(w, "full", "PUT", REPO "/actions/secrets/X", body), 422);
    assert_int_equal(status_of(w, "full", "PUT", REPO "/actions/secrets/X", "{}"), 422);
    assert_int_equal(status_of(w, "full", "DELETE", REPO "/actions/secrets/Api_Key", NULL), 204);
    assert_int_equal(status_of(w, "full", "DELETE", REPO "/actions/secrets/Api_Key", NULL), 404);
    answer_drop(&a);
}

static void a_rotated_key_refuses_old_boxes(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    ask(w, &a, "full", "GET", REPO "/actions/secrets/public-key", NULL, NULL);
    char *old = strdup(text_of(&a, "key_id"));
    assert_true(hub_repo_rotate_key(w->h, repo));
    ask(w, &a, "full", "GET", REPO "/actions/secrets/public-key", NULL, NULL);
    assert_string_not_equal(old, text_of(&a, "key_id"));
    free(old);
    answer_drop(&a);
}

static void names_are_judged(void **state)
{
    struct world *w = *state;
    static const char *const bad[] = {"1A", "A-B", "GITHUB_X", "github_x", "A B", ""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char body[64];
        (void)snprintf(body, sizeof body, "{\"name\":\"%s\",\"value\":\"v\"}", bad[i]);
        assert_int_equal(status_of(w, "full", "POST", REPO "/actions/variables", body), 422);
    }
    assert_int_equal(status_of(w, "full", "PUT", REPO "/actions/secrets/GITHUB_A", "{}"), 422);
    assert_int_equal(status_of(w, "full", "POST", REPO "/actions/variables",
                               "{\"name\":\"_a1\",\"value\":\"v\"}"),
                     201);
}

static void there_is_a_hundredth_secret_and_no_more(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 100; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "S%d", i);
        assert_true(hub_secret_put(w->h, repo, name, "v"));
    }
    assert_int_equal(put_secret(w, "full", "ONE_MORE", "v", 1), 422);
    assert_int_equal(put_secret(w, "full", "S7", "v", 1), 204);
}

static void variables_change_and_pages_add_up(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    const char *path = REPO "/actions/variables/NAME";
    assert_int_equal(status_of(w, "full", "PATCH", path, "{\"value\":\"x\"}"), 404);
    assert_int_equal(status_of(w, "full", "POST", REPO "/actions/variables",
                               "{\"name\":\"name\",\"value\":\"a\"}"),
                     201);
    w->now += 5000;
    assert_int_equal(
        status_of(w, "full", "PATCH", REPO "/actions/variables/nAmE", "{\"value\":\"b\"}"), 204);
    ask(w, &a, "full", "GET", path, NULL, NULL);
    assert_string_equal(text_of(&a, "value"), "b");
    assert_string_not_equal(text_of(&a, "created_at"), text_of(&a, "updated_at"));
    assert_int_equal(status_of(w, "full", "PATCH", path, "{\"name\":\"OTHER\"}"), 204);
    assert_int_equal(status_of(w, "full", "GET", path, NULL), 404);
    for (int i = 0; i < 24; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "V%d", i);
        assert_true(hub_variable_put(w->h, repo, name, "x"));
    }
    size_t seen = 0;
    for (int page = 1; page <= 4; page++) {
        char url[128];
        (void)snprintf(url, sizeof url, REPO "/actions/variables?page=%d", page);
        ask(w, &a, "full", "GET", url, NULL, NULL);
        seen += json_array_size(json_object_get(a.json, "variables"));
        assert_int_equal(strstr(head_of(&a, "link"), "rel=\"next\"") != NULL, page < 3);
    }
    assert_int_equal(seen, 25);
    answer_drop(&a);
}

static void bodies_are_judged(void **state)
{
    struct world *w = *state;
    assert_int_equal(status_of(w, "full", "POST", REPO "/actions/variables", "{"), 400);
    assert_int_equal(status_of(w, "full", "POST", REPO "/actions/variables", "[]"), 400);
    assert_int_equal(status_of(w, "full", "POST", REPO "/actions/variables", "{\"name\":1}"), 422);
    assert_int_equal(status_of(w, "full", "GET", REPO "/actions", NULL),
                     404); /* not a route (1.5) */
}

struct allowed {
    const char *method, *path;
    int full, fine, job, other, none;
};

static void permissions_follow_the_table(void **state)
{
    struct world *w = *state;
    static const struct allowed rows[] = {
        {"GET", REPO, 200, 200, 200, 404, 404},
        {"GET", REPO "/actions/secrets", 200, 200, 403, 404, 404},
        {"GET", REPO "/actions/variables", 200, 200, 403, 404, 404},
        {"GET", REPO "/actions/workflows", 200, 200, 200, 404, 404},
        {"GET", REPO "/actions/permissions", 200, 200, 403, 404, 404},
        {"GET", REPO "/contents/README", 200, 200, 200, 404, 404},
        {"GET", REPO "/git/ref/heads/main", 200, 200, 200, 404, 404},
        {"GET", REPO "/pages", 404, 403, 403, 404, 404},
        {"GET", "/user", 200, 200, 403, 200, 401},
        {"GET", "/meta", 200, 200, 200, 200, 200},
        {"GET", "/rate_limit", 200, 200, 200, 200, 200},
        {"GET", "/versions", 200, 200, 200, 200, 200},
        {"GET", "/nowhere", 404, 404, 404, 404, 404},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct allowed *r = &rows[i];
        const char *tokens[] = {"full", "fine", "job", "other", NULL};
        const int expected[] = {r->full, r->fine, r->job, r->other, r->none};
        for (size_t k = 0; k < 5; k++) {
            int status = status_of(w, tokens[k], r->method, r->path, NULL);
            if (status != expected[k])
                fail_msg("%s %s as %s: %d, not %d", r->method, r->path,
                         tokens[k] != NULL ? tokens[k] : "nobody", status, expected[k]);
        }
    }
}

static void tokens_end(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    assert_true(hub_token_expire(w->h, "full", w->now + 10000));
    ask(w, &a, "full", "GET", REPO, NULL, NULL);
    assert_string_equal(head_of(&a, "github-authentication-token-expiration"),
                        "2024-12-06 15:46:50 UTC");
    assert_string_equal(head_of(&a, "x-oauth-scopes"), "repo, workflow");
    w->now += 20000;
    assert_int_equal(status_of(w, "full", "GET", REPO, NULL), 401);
    assert_true(hub_token_revoke(w->h, "plain"));
    assert_int_equal(status_of(w, "plain", "GET", REPO, NULL), 401);
    assert_true(hub_token_narrow(w->h, "fine", "contents=read"));
    ask(w, &a, "fine", "GET", REPO "/actions/secrets", NULL, NULL);
    assert_int_equal(a.status, 403);
    assert_string_equal(text_of(&a, "message"), "Resource not accessible by personal access token");
    assert_string_equal(head_of(&a, "x-accepted-github-permissions"), "secrets=read");
    answer_drop(&a);
}

static void versions_differ(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    ask(w, &a, "full", "GET", "/rate_limit", NULL, NULL);
    assert_non_null(json_object_get(a.json, "rate"));
    ask(w, &a, "full", "GET", "/rate_limit", NULL, "x-github-api-version: 2026-03-10");
    assert_null(json_object_get(a.json, "rate"));
    assert_string_equal(head_of(&a, "x-github-api-version-selected"), "2026-03-10");
    answer_drop(&a);
}

static void a_new_repository_under_an_old_name_is_another_one(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    long long id = hub_repo_id(w->h, repo);
    char path[64];
    (void)snprintf(path, sizeof path, "/repositories/%lld/actions/secrets", id);
    assert_int_equal(status_of(w, "full", "GET", path, NULL), 200);
    assert_true(hub_repo_rename(w->h, repo, "backup/elsewhere"));
    ask(w, &a, "full", "GET", REPO "/actions/secrets?per_page=5", NULL, NULL);
    char location[128];
    (void)snprintf(location, sizeof location,
                   "http://hub.test/api/v3/repositories/%lld/actions/secrets?per_page=5", id);
    assert_int_equal(a.status, 301);
    assert_string_equal(head_of(&a, "location"), location);
    assert_true(hub_repo_add(w->h, &(struct hub_repo){.name = repo}) != id);
    assert_int_equal(status_of(w, "full", "GET", REPO "/actions/secrets", NULL), 200);
    assert_true(hub_repo_delete(w->h, "backup/elsewhere"));
    assert_int_equal(status_of(w, "full", "GET", path, NULL), 404);
    answer_drop(&a);
}

static void repositories_are_made_and_set(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    ask(w, &a, "full", "POST", "/user/repos", "{\"name\":\"fresh\",\"private\":true}", NULL);
    assert_int_equal(a.status, 201);
    assert_string_equal(text_of(&a, "full_name"), "backup/fresh");
    ask(w, &a, "full", "POST", "/user/repos", "{\"name\":\"fresh\"}", NULL);
    assert_int_equal(a.status, 422);
    assert_non_null(strstr((const char *)a.reply.body, "name already exists on this account"));
    assert_int_equal(status_of(w, "full", "PATCH", REPO, "{\"default_branch\":\"nope\"}"), 422);
    assert_int_equal(status_of(w, "full", "PATCH", REPO, "{\"archived\":true}"), 200);
    assert_int_equal(status_of(w, "full", "PUT", REPO "/actions/secrets/X", "{}"), 403);
    assert_int_equal(status_of(w, "full", "PATCH", REPO, "{\"archived\":false}"), 200);
    assert_int_equal(status_of(w, "job", "PATCH", REPO, "{\"archived\":true}"), 403);
    assert_int_equal(
        status_of(w, "full", "GET", "/repos/backup/fresh/git/matching-refs/heads/", NULL), 409);
    answer_drop(&a);
}

static void contents_compare_and_swap(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    const char *path = REPO "/contents/state/role.json";
    assert_int_equal(status_of(w, "full", "GET", path, NULL), 404);
    ask(w, &a, "full", "PUT", path, "{\"message\":\"m\",\"content\":\"e30=\"}", NULL);
    assert_int_equal(a.status, 201);
    char *sha =
        strdup(json_string_value(json_object_get(json_object_get(a.json, "content"), "sha")));
    assert_int_equal(status_of(w, "full", "PUT", path, "{\"message\":\"m\",\"content\":\"e30K\"}"),
                     422);
    char body[200];
    (void)snprintf(body, sizeof body, "{\"message\":\"m\",\"content\":\"e30K\",\"sha\":\"%s\"}",
                   sha);
    assert_int_equal(status_of(w, "full", "PUT", path, body), 200);
    assert_int_equal(status_of(w, "full", "PUT", path, body), 409);
    free(sha);
    ask(w, &a, "full", "GET", path, NULL, "accept: application/vnd.github.raw+json");
    assert_string_equal((const char *)a.reply.body, "{}\n");
    assert_string_equal(head_of(&a, "content-type"),
                        "application/vnd.github.v3.raw; charset=utf-8");
    ask(w, &a, "full", "GET", path, NULL, NULL);
    assert_string_equal(text_of(&a, "content"), "e30K\n");
    ask(w, &a, "full", "GET", REPO "/contents/state", NULL, NULL);
    assert_int_equal(json_array_size(a.json), 1);
    assert_int_equal(status_of(w, "plain", "PUT", REPO "/contents/.github/workflows/x.yml",
                               "{\"message\":\"m\",\"content\":\"e30=\"}"),
                     404);
    answer_drop(&a);
}

static void refs_and_commits(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    char tip[65];
    tip_of(w, "heads/main", tip);
    assert_int_equal(strlen(tip), 40);
    ask(w, &a, "full", "GET", REPO "/git/matching-refs/heads/", NULL, NULL);
    assert_int_equal(json_array_size(a.json), 1);
    ask(w, &a, "full", "GET", REPO "/git/matching-refs/tags/", NULL, NULL);
    assert_int_equal(json_array_size(a.json), 0);
    assert_int_equal(status_of(w, "full", "GET", REPO "/git/ref/heads/mai", NULL), 404);
    ask(w, &a, "full", "GET", REPO "/commits/main", NULL, "accept: application/vnd.github.sha");
    assert_string_equal((const char *)a.reply.body, tip);
    char condition[160]; /* the local id is good as an ETag (1.7) */
    (void)snprintf(condition, sizeof condition,
                   "accept: application/vnd.github.sha\nif-none-match: \"%s\"", tip);
    ask(w, &a, "full", "GET", REPO "/commits/main", NULL, condition);
    assert_int_equal(a.status, 304);
    answer_drop(&a);
}

static void workflows_follow_their_files(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    static const char sentinel[] =
        "name: Sentinel\non:\n  schedule:\n    - cron: '*/10 * * * *'\n"
        "  workflow_dispatch:\n    inputs:\n      why: {required: true}\n";
    commit_file(w, "main", ".github/workflows/sentinel.yml", sentinel);
    ask(w, &a, "full", "GET", REPO "/actions/workflows/sentinel.yml", NULL, NULL);
    assert_string_equal(text_of(&a, "name"), "Sentinel");
    assert_string_equal(text_of(&a, "state"), "active");
    const char *dispatch = REPO "/actions/workflows/sentinel.yml/dispatches";
    ask(w, &a, "full", "POST", dispatch, "{\"ref\":\"main\"}", NULL);
    assert_string_equal(text_of(&a, "message"), "Required input 'why' not provided");
    assert_int_equal(
        status_of(w, "job", "POST", dispatch, "{\"ref\":\"main\",\"inputs\":{\"why\":\"x\"}}"),
        204);
    ask(w, &a, "full", "POST", dispatch,
        "{\"ref\":\"main\",\"inputs\":{\"why\":\"x\"},\"return_run_details\":true}", NULL);
    assert_int_equal(a.status, 200);
    assert_true(int_of(&a, "workflow_run_id") > 0);
    assert_int_equal(
        status_of(w, "full", "PUT", REPO "/actions/workflows/sentinel.yml/disable", NULL), 204);
    ask(w, &a, "full", "POST", dispatch, "{\"ref\":\"main\",\"inputs\":{\"why\":\"x\"}}", NULL);
    assert_int_equal(a.status, 422);
    assert_int_equal(
        status_of(w, "full", "PUT", REPO "/actions/workflows/sentinel.yml/enable", NULL), 204);
    assert_int_equal(
        status_of(w, "full", "PUT", REPO "/actions/workflows/sentinel.yml/enable", NULL), 204);
    ask(w, &a, "full", "GET",
        REPO "/actions/workflows/sentinel.yml/runs?event=workflow_dispatch&per_page=1", NULL, NULL);
    assert_int_equal(int_of(&a, "total_count"), 2);
    commit_file(w, "main", ".github/workflows/ci.yml", "on:\n- push\n");
    ask(w, &a, "full", "POST", REPO "/actions/workflows/ci.yml/dispatches", "{\"ref\":\"main\"}",
        NULL);
    assert_string_equal(text_of(&a, "message"),
                        "Workflow does not have 'workflow_dispatch' trigger");
    assert_int_equal(hub_run_count(w->h, repo, "push"), 1); /* the push that brought it (7.6) */
    assert_true(hub_repo_actions(w->h, repo, false));
    commit_file(w, "main", "y", "y");
    assert_int_equal(hub_run_count(w->h, repo, "push"), 1);
    answer_drop(&a);
}

static void faults_hit_the_nth(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    assert_true(hub_fault_preset(w->h, "secondary-a", "GET", "/repos/*/actions/secrets", 2, 1));
    assert_int_equal(status_of(w, "full", "GET", REPO "/actions/secrets", NULL), 200);
    ask(w, &a, "full", "GET", REPO "/actions/secrets", NULL, NULL);
    assert_int_equal(a.status, 403);
    assert_string_equal(head_of(&a, "retry-after"), "60");
    assert_int_equal(status_of(w, "full", "GET", REPO "/actions/secrets", NULL), 200);
    const struct hub_fault lost = {
        .method = "POST", .path = "*/variables", .count = 1, .effect = HUB_F_LOSE_ANSWER};
    assert_true(hub_fault_add(w->h, &lost));
    ask(w, &a, "full", "POST", REPO "/actions/variables", "{\"name\":\"A\",\"value\":\"v\"}", NULL);
    assert_int_equal(a.reply.kind, HUB_RESET);
    char *value = hub_variable_get(w->h, repo, "A");
    assert_string_equal(value, "v"); /* acted, and the answer was lost */
    free(value);
    const struct hub_fault cut = {.path = "*", .count = 1, .effect = HUB_F_TRUNCATE};
    assert_true(hub_fault_add(w->h, &cut));
    ask(w, &a, "full", "GET", REPO, NULL, NULL);
    assert_true(a.reply.sent_len < a.reply.declared_len);
    hub_faults_clear(w->h);
    const struct hub_fault bomb = {
        .path = "*", .count = 1, .effect = HUB_F_GZIP_BOMB, .size = 1 << 20};
    assert_true(hub_fault_add(w->h, &bomb));
    ask(w, &a, "full", "GET", REPO, NULL, NULL);
    assert_true(a.reply.body_len > 0 && a.reply.body_len < 10000);
    answer_drop(&a);
}

static void the_log_tells_without_telling_tokens(void **state)
{
    struct world *w = *state;
    struct hub_entry e;
    struct hub_counters n;
    hub_log_reset(w->h);
    (void)status_of(w, "full", "GET", REPO "/actions/secrets?per_page=100", NULL);
    (void)status_of(w, "wrong", "GET", REPO, NULL);
    (void)status_of(w, "full", "DELETE", REPO "/actions/secrets/NONE", NULL);
    assert_int_equal(hub_log_len(w->h), 3);
    assert_true(hub_log_get(w->h, 0, &e));
    assert_string_equal(e.path, "/api/v3" REPO "/actions/secrets?per_page=100");
    assert_string_equal(e.token, "t1");
    assert_int_equal(e.status, 200);
    hub_entry_release(&e);
    assert_true(hub_log_get(w->h, 1, &e));
    assert_string_equal(e.token, "?");
    hub_entry_release(&e);
    hub_counters_get(w->h, &n);
    assert_int_equal(n.rest_reads, 2);
    assert_int_equal(n.rest_writes, 1);
}

#define IN_A_WORLD(f) cmocka_unit_test_setup_teardown(f, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(secrets_are_really_opened),
        IN_A_WORLD(a_rotated_key_refuses_old_boxes),
        IN_A_WORLD(names_are_judged),
        IN_A_WORLD(there_is_a_hundredth_secret_and_no_more),
        IN_A_WORLD(variables_change_and_pages_add_up),
        IN_A_WORLD(bodies_are_judged),
        IN_A_WORLD(permissions_follow_the_table),
        IN_A_WORLD(tokens_end),
        IN_A_WORLD(versions_differ),
        IN_A_WORLD(a_new_repository_under_an_old_name_is_another_one),
        IN_A_WORLD(repositories_are_made_and_set),
        IN_A_WORLD(contents_compare_and_swap),
        IN_A_WORLD(refs_and_commits),
        IN_A_WORLD(workflows_follow_their_files),
        IN_A_WORLD(faults_hit_the_nth),
        IN_A_WORLD(the_log_tells_without_telling_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
