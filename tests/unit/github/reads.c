/* Single objects, in the shapes of github.md 1 and 9. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench.h"

#include <stdio.h>
#include <string.h>

#define FULL                                                                                       \
    "{\"id\":515436299,\"full_name\":\"O/R\",\"private\":true,\"fork\":false,\"archived\":true,"   \
    "\"disabled\":false,\"default_branch\":\"main\",\"permissions\":{\"admin\":true,\"push\":"     \
    "false},"                                                                                      \
    "\"size\":1e3,\"parent\":null}"

static void test_repo(void **state UNUSED)
{
    BENCH(b, {.status = 200, .body = FULL});
    struct github_repo_info info;
    assert_int_equal(github_repo_get(&b.repo, &info, &b.e), ERR_OK);
    assert_string_equal(b.wire.url[0], REPO);
    assert_non_null(strstr(b.wire.headers[0], "Accept: application/vnd.github+json\n"));
    assert_non_null(strstr(b.wire.headers[0], "X-GitHub-Api-Version: 2022-11-28\n"));
    assert_non_null(strstr(b.wire.headers[0], "Authorization: Bearer " CANARY "\n"));
    assert_null(strstr(b.wire.headers[0], "Content-Type"));
    assert_int_equal(info.id, 515436299);
    assert_string_equal(info.full_name, "O/R");
    assert_string_equal(info.default_branch, "main");
    assert_true(info.is_private && info.archived);
    assert_false(info.fork || info.disabled);
    assert_int_equal(info.admin, TRI_YES);
    assert_int_equal(info.push, TRI_NO);
    assert_false(b.repo.moved);
}

static void test_repo_without_extras(void **state UNUSED)
{
    BENCH(b, {.status = 200, .body = "{\"id\":1,\"full_name\":\"o/r\",\"default_branch\":\"m\"}"});
    struct github_repo_info info;
    assert_int_equal(github_repo_get(&b.repo, &info, &b.e), ERR_OK);
    assert_int_equal(info.admin, TRI_UNKNOWN);
    assert_int_equal(info.push, TRI_UNKNOWN);
    assert_false(info.archived);
}

/* github.md 9: GET of a renamed repository. */
static void test_renamed(void **state UNUSED)
{
    BENCH(b,
          {.status = 301,
           .headers = "location: https://ghes.example/repositories/515436299\r\n",
           .body = "{\"message\":\"Moved Permanently\"}"},
          {.status = 200, .body = FULL});
    struct github_repo_info info;
    assert_int_equal(github_repo_get(&b.repo, &info, &b.e), ERR_OK);
    assert_true(b.repo.moved);
    assert_string_equal(info.full_name, "O/R");
}

static void test_escaping(void **state UNUSED)
{
    BENCH(b, {.status = 200, .body = FULL});
    struct github_repo odd;
    struct github_repo_info info;
    github_repo_init(&odd, b.http, b.token, API, "o w/r?x#y/..", b.arena);
    assert_int_equal(github_repo_get(&odd, &info, &b.e), ERR_OK);
    assert_string_equal(b.wire.url[0], API "/repos/o%20w/r%3Fx%23y%2F..");
}

/* What is no promise of the API is ERR_INVALID, whatever it is. */
static void test_invalid(void **state UNUSED)
{
    static const char *const BODIES[] = {
        "",
        "null",
        "[]",
        "\"text\"",
        "<html>Unicorn</html>",
        "{",
        "{}",
        "{\"id\":\"1\",\"full_name\":\"o/r\",\"default_branch\":\"m\"}",
        "{\"id\":1.5,\"full_name\":\"o/r\",\"default_branch\":\"m\"}",
        "{\"id\":99999999999999999999,\"full_name\":\"o/r\",\"default_branch\":\"m\"}",
        "{\"id\":1,\"full_name\":null,\"default_branch\":\"m\"}",
        "{\"id\":1,\"full_name\":\"o/r\"}",
        "{\"id\":1,\"full_name\":\"o\\u0000r\",\"default_branch\":\"m\"}",
        "{\"id\":1,\"full_name\":\"o\xff\",\"default_branch\":\"m\"}",
        "{\"id\":1,\"full_name\":\"o/r\",\"default_branch\":\"m\"} trailing",
    };
    for (size_t i = 0; i < ARRAY_LEN(BODIES); i++) {
        const struct fake_reply reply = {.status = 200, .body = BODIES[i]};
        CLEANUP(bench_close) struct bench b;
        struct github_repo_info info = {.id = -7};
        bench_open(&b, &reply, 1);
        if (github_repo_get(&b.repo, &info, &b.e) != ERR_INVALID)
            fail_msg("accepted: %s", BODIES[i]);
        assert_int_equal(info.id, -7);
        assert_true(str_starts_with(b.e.text, "GET " REPO ": the reply "));
    }
}

static void test_deep(void **state UNUSED)
{
    static char deep[200000];
    for (size_t i = 0; i < 99999; i++)
        deep[i] = i % 2 == 0 ? '[' : '{';
    const struct fake_reply reply = {.status = 200, .body = deep};
    CLEANUP(bench_close) struct bench b;
    struct github_repo_info info;
    bench_open(&b, &reply, 1);
    assert_int_equal(github_repo_get(&b.repo, &info, &b.e), ERR_INVALID);
    assert_non_null(strstr(b.e.text, "nested deeper than 64"));

    /* Brackets in texts are no depth. */
    (void)snprintf(
        deep, sizeof(deep),
        "{\"id\":1,\"full_name\":\"%0200d\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\",\"default_branch\":\"m\"}",
        0);
    assert_int_equal(github_repo_get(&b.repo, &info, &b.e), ERR_OK);
}

/* github.md 9: github.com's key and GHES's. */
static void test_public_key(void **state UNUSED)
{
    static const char *const IDS[] = {"\"568250167242549743\"", "568250167242549743"};
    for (size_t i = 0; i < ARRAY_LEN(IDS); i++) {
        char body[160];
        (void)snprintf(body, sizeof(body),
                       "{\"key_id\":%s,\"key\":\"cSH8+OKqW2x00NOtOjQAoOII366C7Aj41wQN8h1jkTU=\"}",
                       IDS[i]);
        const struct fake_reply reply = {.status = 200, .body = body};
        CLEANUP(bench_close) struct bench b;
        struct github_public_key key;
        bench_open(&b, &reply, 1);
        assert_int_equal(github_public_key_get(&b.repo, &key, &b.e), ERR_OK);
        assert_string_equal(b.wire.url[0], REPO "/actions/secrets/public-key");
        assert_string_equal(key.key_id, "568250167242549743");
        assert_string_equal(key.key, "cSH8+OKqW2x00NOtOjQAoOII366C7Aj41wQN8h1jkTU=");
    }
}

static void test_secret_get(void **state UNUSED)
{
    BENCH(b,
          {.status = 200,
           .body =
               "{\"name\":\"SECRET_NAME\",\"created_at\":\"x\",\"updated_at\":\"2023-06-05T14:41:"
               "26Z\"}"},
          {.status = 404, .body = "{\"message\":\"Not Found\"}"});
    struct github_secret s;
    assert_int_equal(github_secret_get(&b.repo, "secret_name", &s, &b.e), ERR_OK);
    assert_string_equal(b.wire.url[0], REPO "/actions/secrets/secret_name");
    assert_string_equal(s.name, "SECRET_NAME");
    assert_string_equal(s.updated_at, "2023-06-05T14:41:26Z");
    assert_int_equal(github_secret_get(&b.repo, "a/b", &s, &b.e), ERR_NOT_FOUND);
    assert_string_equal(b.wire.url[1], REPO "/actions/secrets/a%2Fb");
}

static void test_actions(void **state UNUSED)
{
    BENCH(b, {.status = 200, .body = "{\"enabled\":true,\"allowed_actions\":\"all\"}"},
          {.status = 200, .body = "{\"enabled\":false}"}, {.status = 200, .body = "{}"});
    bool on = false;
    assert_int_equal(github_actions_get(&b.repo, &on, &b.e), ERR_OK);
    assert_string_equal(b.wire.url[0], REPO "/actions/permissions");
    assert_true(on);
    assert_int_equal(github_actions_get(&b.repo, &on, &b.e), ERR_OK);
    assert_false(on);
    assert_int_equal(github_actions_get(&b.repo, &on, &b.e), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repo),       cmocka_unit_test(test_repo_without_extras),
        cmocka_unit_test(test_renamed),    cmocka_unit_test(test_escaping),
        cmocka_unit_test(test_invalid),    cmocka_unit_test(test_deep),
        cmocka_unit_test(test_public_key), cmocka_unit_test(test_secret_get),
        cmocka_unit_test(test_actions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
