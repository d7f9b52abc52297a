/* Writes: verbs, bodies, and the answers that are no failures (github.md 1, 9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench.h"

#include <string.h>

static void assert_call(const struct bench *b, size_t i, const char *method, const char *url,
                        const char *body)
{
    assert_string_equal(b->wire.method[i], method);
    assert_string_equal(b->wire.url[i], url);
    assert_string_equal(b->wire.body[i], body);
    assert_int_equal(strstr(b->wire.headers[i], "Content-Type: application/json\n") != NULL,
                     body[0] != '\0');
}

static void test_secret_put(void **state UNUSED)
{
    BENCH(b, {.status = 201, .body = "{}"}, {.status = 204});
    bool created = false;
    assert_int_equal(github_secret_put(&b.repo, "FOO", "c2VhbGVk", "123", &created, &b.e), ERR_OK);
    assert_true(created);
    assert_call(&b, 0, "PUT", REPO "/actions/secrets/FOO",
                "{\"encrypted_value\":\"c2VhbGVk\",\"key_id\":\"123\"}");
    assert_int_equal(github_secret_put(&b.repo, "FOO", "c2VhbGVk", "123", &created, &b.e), ERR_OK);
    assert_false(created);
}

static void test_deletes(void **state UNUSED)
{
    BENCH(b, {.status = 204}, {.status = 404, .body = "{\"message\":\"Not Found\"}"},
          {.status = 204}, {.status = 404}, {.status = 403, .body = "{\"message\":\"no\"}"});
    for (int i = 0; i < 2; i++)
        assert_int_equal(github_secret_delete(&b.repo, "A", &b.e), ERR_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(github_variable_delete(&b.repo, "A", &b.e), ERR_OK);
    assert_call(&b, 0, "DELETE", REPO "/actions/secrets/A", "");
    assert_call(&b, 2, "DELETE", REPO "/actions/variables/A", "");
    assert_int_equal(github_secret_delete(&b.repo, "A", &b.e), ERR_PERMISSION);
}

static void test_variable_create(void **state UNUSED)
{
    BENCH(b, {.status = 201, .body = "{}"});
    assert_int_equal(github_variable_set(&b.repo, "A", "a\"\n\xc3\xa4", false, &b.e), ERR_OK);
    assert_call(&b, 0, "POST", REPO "/actions/variables",
                "{\"name\":\"A\",\"value\":\"a\\\"\\n\xc3\xa4\"}");
}

static void test_variable_update(void **state UNUSED)
{
    BENCH(b, {.status = 204});
    assert_int_equal(github_variable_set(&b.repo, "A", "v", true, &b.e), ERR_OK);
    assert_call(&b, 0, "PATCH", REPO "/actions/variables/A", "{\"value\":\"v\"}");
}

/* The list was old: the other verb. */
static void test_variable_other_verb(void **state UNUSED)
{
    BENCH(b, {.status = 409, .body = "{\"message\":\"Already exists - Variable already exists\"}"},
          {.status = 204}, {.status = 404, .body = "{\"message\":\"Not Found\"}"},
          {.status = 201, .body = "{}"});
    assert_int_equal(github_variable_set(&b.repo, "A", "v", false, &b.e), ERR_OK);
    assert_call(&b, 1, "PATCH", REPO "/actions/variables/A", "{\"value\":\"v\"}");
    assert_int_equal(github_variable_set(&b.repo, "A", "v", true, &b.e), ERR_OK);
    assert_call(&b, 3, "POST", REPO "/actions/variables", "{\"name\":\"A\",\"value\":\"v\"}");
}

/* And not for ever. */
static void test_variable_both_ways(void **state UNUSED)
{
    BENCH(b, {.status = 409}, {.status = 404}, {.status = 404}, {.status = 409}, {.status = 404},
          {.status = 404});
    assert_int_equal(github_variable_set(&b.repo, "A", "v", false, &b.e), ERR_CONFLICT);
    assert_int_equal(b.wire.calls, 2);
    assert_int_equal(github_variable_set(&b.repo, "A", "v", true, &b.e), ERR_CONFLICT);
    assert_int_equal(b.wire.calls, 4);
    assert_int_equal(github_variable_set(&b.repo, "A", "v", true, &b.e), ERR_NOT_FOUND);
    assert_int_equal(b.wire.calls, 6);
}

static void test_not_utf8(void **state UNUSED)
{
    BENCH(b, {.status = 204});
    assert_int_equal(github_variable_set(&b.repo, "A", "\xff\xfe", true, &b.e), ERR_INVALID);
    assert_int_equal(github_default_branch_set(&b.repo, "\xff", &b.e), ERR_INVALID);
    assert_int_equal(b.wire.calls, 0);
}

static void test_workflows(void **state UNUSED)
{
    BENCH(b, {.status = 204}, {.status = 204},
          {.status = 403,
           .headers = "x-ratelimit-remaining: 4857\r\n",
           .body = "{\"message\":\"Unable to disable a workflow that is not active.\","
                   "\"documentation_url\":\"https://docs.github.com/rest/actions/"
                   "workflows#disable-a-workflow\",\"status\":\"403\"}"},
          {.status = 403, .body = "{\"message\":\"Resource not accessible by integration\"}"});
    assert_int_equal(github_workflow_enable(&b.repo, 131874881, &b.e), ERR_OK);
    assert_call(&b, 0, "PUT", REPO "/actions/workflows/131874881/enable", "");
    assert_int_equal(github_workflow_disable(&b.repo, 131874881, &b.e), ERR_OK);
    assert_call(&b, 1, "PUT", REPO "/actions/workflows/131874881/disable", "");
    assert_int_equal(github_workflow_disable(&b.repo, 131874881, &b.e), ERR_OK);
    assert_int_equal(b.wire.calls, 3);
    assert_int_equal(github_workflow_disable(&b.repo, 131874881, &b.e), ERR_PERMISSION);
}

static void test_settings(void **state UNUSED)
{
    BENCH(b, {.status = 204}, {.status = 204}, {.status = 200, .body = "{\"id\":1}"});
    assert_int_equal(github_actions_set(&b.repo, true, &b.e), ERR_OK);
    assert_call(&b, 0, "PUT", REPO "/actions/permissions", "{\"enabled\":true}");
    assert_int_equal(github_actions_set(&b.repo, false, &b.e), ERR_OK);
    assert_call(&b, 1, "PUT", REPO "/actions/permissions", "{\"enabled\":false}");
    assert_int_equal(github_default_branch_set(&b.repo, "main", &b.e), ERR_OK);
    assert_call(&b, 2, "PATCH", REPO, "{\"default_branch\":\"main\"}");
}

/* github.md 9: a write to a renamed repository is followed with its method and body. */
static void test_renamed(void **state UNUSED)
{
    BENCH(b,
          {.status = 307,
           .headers = "Location: https://ghes.example/repositories/515436299\r\n",
           .body = "{\"message\":\"Moved Permanently\"}"},
          {.status = 200, .body = "{}"});
    assert_int_equal(github_default_branch_set(&b.repo, "main", &b.e), ERR_OK);
    assert_call(&b, 1, "PATCH", "https://ghes.example/repositories/515436299",
                "{\"default_branch\":\"main\"}");
    assert_true(b.repo.moved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secret_put),
        cmocka_unit_test(test_deletes),
        cmocka_unit_test(test_variable_create),
        cmocka_unit_test(test_variable_update),
        cmocka_unit_test(test_variable_other_verb),
        cmocka_unit_test(test_variable_both_ways),
        cmocka_unit_test(test_not_utf8),
        cmocka_unit_test(test_workflows),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_renamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
