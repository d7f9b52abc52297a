/* Statuses into codes and sentences, for every operation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench.h"

#include <stdio.h>
#include <string.h>

/* ---- Every operation ---------------------------------------------------------------------------
 */

static enum err_code repo_get(struct bench *b)
{
    struct github_repo_info info;
    return github_repo_get(&b->repo, &info, &b->e);
}

static enum err_code default_branch_set(struct bench *b)
{
    return github_default_branch_set(&b->repo, "main", &b->e);
}

static enum err_code secrets_list(struct bench *b)
{
    struct github_secret *s;
    size_t n;
    bool complete;
    return github_secrets_list(&b->repo, &s, &n, &complete, &b->e);
}

static enum err_code secret_get(struct bench *b)
{
    struct github_secret s;
    return github_secret_get(&b->repo, "A", &s, &b->e);
}

static enum err_code secret_put(struct bench *b)
{
    bool created;
    return github_secret_put(&b->repo, "A", "eA==", "1", &created, &b->e);
}

static enum err_code secret_delete(struct bench *b)
{
    return github_secret_delete(&b->repo, "A", &b->e);
}

static enum err_code key_get(struct bench *b)
{
    struct github_public_key k;
    return github_public_key_get(&b->repo, &k, &b->e);
}

static enum err_code variables_list(struct bench *b)
{
    struct github_variable *v;
    size_t n;
    bool complete;
    return github_variables_list(&b->repo, &v, &n, &complete, &b->e);
}

static enum err_code variable_create(struct bench *b)
{
    return github_variable_set(&b->repo, "A", "v", false, &b->e);
}

static enum err_code variable_update(struct bench *b)
{
    return github_variable_set(&b->repo, "A", "v", true, &b->e);
}

static enum err_code variable_delete(struct bench *b)
{
    return github_variable_delete(&b->repo, "A", &b->e);
}

static enum err_code workflows_list(struct bench *b)
{
    struct github_workflow *w;
    size_t n;
    bool complete;
    return github_workflows_list(&b->repo, &w, &n, &complete, &b->e);
}

static enum err_code workflow_enable(struct bench *b)
{
    return github_workflow_enable(&b->repo, 1, &b->e);
}

static enum err_code workflow_disable(struct bench *b)
{
    return github_workflow_disable(&b->repo, 1, &b->e);
}

static enum err_code actions_get(struct bench *b)
{
    bool on;
    return github_actions_get(&b->repo, &on, &b->e);
}

static enum err_code actions_set(struct bench *b)
{
    return github_actions_set(&b->repo, true, &b->e);
}

static const struct operation {
    const char *what;
    enum err_code (*run)(struct bench *b);
    const char *permission;
    bool write, deletes;
} OPERATIONS[] = {
    {"repo get", repo_get, "Metadata: Read-only", false, false},
    {"default branch set", default_branch_set, "Administration: Read and write", true, false},
    {"secrets list", secrets_list, "Secrets: Read and write", false, false},
    {"secret get", secret_get, "Secrets: Read and write", false, false},
    {"secret put", secret_put, "Secrets: Read and write", true, false},
    {"secret delete", secret_delete, "Secrets: Read and write", true, true},
    {"key get", key_get, "Secrets: Read and write", false, false},
    {"variables list", variables_list, "Variables: Read and write", false, false},
    {"variable create", variable_create, "Variables: Read and write", true, false},
    {"variable update", variable_update, "Variables: Read and write", true, false},
    {"variable delete", variable_delete, "Variables: Read and write", true, true},
    {"workflows list", workflows_list, "Actions: Read and write", false, false},
    {"workflow enable", workflow_enable, "Actions: Read and write", true, false},
    {"workflow disable", workflow_disable, "Actions: Read and write", true, false},
    {"actions get", actions_get, "Administration: Read-only", false, false},
    {"actions set", actions_set, "Administration: Read and write", true, false},
};

/* ---- Every status ------------------------------------------------------------------------------
 */

#define MESSAGE(text) "{\"message\":\"" text "\",\"status\":\"403\"}"
#define SECONDARY     MESSAGE("You have exceeded a secondary rate limit. Please wait a few minutes.")

static const struct answer {
    struct fake_reply reply;
    enum err_code code;
    const char *says; /* in the sentence; or NULL */
    bool permission;  /* the sentence names the permission */
} STATUSES[] = {
    {{400, NULL, MESSAGE("Problems parsing JSON"), ERR_OK},
     ERR_REFUSED,
     "400 refused: problems parsing JSON",
     false},
    {{401, NULL, MESSAGE("Bad credentials"), ERR_OK}, ERR_AUTH, "401: the token is wrong", false},
    {{403, NULL, MESSAGE("Resource not accessible by personal access token"), ERR_OK},
     ERR_PERMISSION,
     "403 resource not accessible by personal access token: the token needs",
     true},
    {{403, NULL, MESSAGE("Resource not accessible by integration"), ERR_OK},
     ERR_PERMISSION,
     "by integration",
     true},
    {{403, NULL, MESSAGE("Must have admin rights to Repository."), ERR_OK},
     ERR_PERMISSION,
     "must have admin rights to Repository:",
     true},
    {{403, NULL, "", ERR_OK}, ERR_PERMISSION, "403 forbidden: ", true},
    {{403, NULL, "<html>no</html>", ERR_OK}, ERR_PERMISSION, "403 forbidden: ", true},
    {{403, NULL, MESSAGE("Repository was archived so is read-only."), ERR_OK},
     ERR_REFUSED,
     "repository 'o/r' is archived",
     false},
    {{403, NULL, MESSAGE("Repository access blocked"), ERR_OK},
     ERR_REFUSED,
     "blocked repository 'o/r'",
     false},
    {{403, NULL,
      MESSAGE("Although you appear to have the correct authorization credentials, the `o` "
              "organization has an IP allow list enabled"),
      ERR_OK},
     ERR_PERMISSION,
     "this machine's address is not on the list",
     false},
    {{403, "X-GitHub-SSO: required; url=https://ghes.example/orgs/o/sso?x=1\r\n",
      MESSAGE("Resource protected by organization SAML enforcement."), ERR_OK},
     ERR_PERMISSION,
     "single sign-on; authorise it at https://ghes.example/orgs/o/sso?x=1",
     false},
    {{403, "x-ratelimit-remaining: 0\r\nx-ratelimit-reset: 1790003600\r\n",
      MESSAGE("API rate limit exceeded for user ID 1."), ERR_OK},
     ERR_RATE,
     "2026-09-21T15:13:21Z",
     false},
    {{403, "Retry-After: 600\r\n", SECONDARY, ERR_OK}, ERR_RATE, "2026-09-21T14:23:21Z", false},
    {{429, NULL, SECONDARY, ERR_OK}, ERR_RATE, "secondary", false},
    {{409, NULL, MESSAGE("Conflict"), ERR_OK}, ERR_CONFLICT, NULL, false},
    {{410, NULL, "", ERR_OK}, ERR_REFUSED, "newer mirrorctl", false},
    {{418, NULL, "short and stout\n", ERR_OK}, ERR_REFUSED, "418 refused: short and stout", false},
    {{422, NULL,
      "{\"message\":\"Validation "
      "Failed\",\"errors\":[{\"resource\":\"X\",\"field\":\"name\",\"code\":\"invalid\"},\"plain "
      "text\",{\"message\":\"told\"},7,null,{}]}",
      ERR_OK},
     ERR_REFUSED,
     "422 refused: validation Failed; name invalid; plain text; told",
     false},
    {{422, NULL, MESSAGE("Failed to add secret. Name is invalid"), ERR_OK},
     ERR_REFUSED,
     "failed to add secret. Name is invalid",
     false},
    {{422, NULL, "{\"message\":7,\"errors\":\"all of it\"}", ERR_OK},
     ERR_REFUSED,
     "refused: all of it",
     false},
    {{451, NULL,
      "{\"message\":\"Repository access "
      "blocked\",\"block\":{\"reason\":\"dmca\",\"created_at\":\"2021-04-22T17:53:56Z\",\"html_"
      "url\":\"https://example.invalid/x\"}}",
      ERR_OK},
     ERR_REFUSED,
     "repository access blocked (dmca): repository 'o/r' is blocked for legal reasons",
     false},
    {{500, NULL, MESSAGE("Server Error"), ERR_OK}, ERR_UNAVAILABLE, "500", false},
    {{502, "Content-Type: text/html\r\n", "<html>Unicorn</html>", ERR_OK},
     ERR_UNAVAILABLE,
     "502",
     false},
    {{503, NULL, "{\"code\":\"x\",\"message\":\"maintenance\"}", ERR_OK},
     ERR_UNAVAILABLE,
     "503",
     false},
    {{303, NULL, "", ERR_OK}, ERR_INVALID, "an answer that this call does not have", false},
    {{304, NULL, "", ERR_OK}, ERR_INVALID, NULL, false},
    {{307, "Location: https://evil.example/\r\n", "", ERR_OK},
     ERR_REFUSED,
     "another server",
     false},
    {{0, NULL, NULL, ERR_UNAVAILABLE}, ERR_UNAVAILABLE, "wire was cut", false},
    {{0, NULL, NULL, ERR_TIMEOUT}, ERR_TIMEOUT, NULL, false},
};

static void run_one(const struct operation *op, const struct answer *st)
{
    CLEANUP(bench_close) struct bench b;
    bench_open(&b, &st->reply, 1);
    enum err_code r = op->run(&b), expected = st->code;
    if (r != expected || (st->says != NULL && strstr(b.e.text, st->says) == NULL) ||
        (st->permission && strstr(b.e.text, op->permission) == NULL))
        fail_msg("%s, %d: %s: %s", op->what, st->reply.status, err_code_name(r), b.e.text);
    if (strstr(b.e.text, REPO) == NULL || strstr(b.e.text, "  ") != NULL)
        fail_msg("%s, %d: %s", op->what, st->reply.status, b.e.text);
    bool repeated = !op->write && expected == ERR_UNAVAILABLE;
    bool other_verb = st->reply.status == 409 && op->run == variable_create;
    assert_int_equal(b.wire.calls, repeated ? 3 : other_verb ? 2 : 1);
}

static void test_all(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(OPERATIONS); i++)
        for (size_t s = 0; s < ARRAY_LEN(STATUSES); s++)
            run_one(&OPERATIONS[i], &STATUSES[s]);
    print_message("          %zu operations, %zu answers\n", ARRAY_LEN(OPERATIONS),
                  ARRAY_LEN(STATUSES));
}

static void test_404(void **state UNUSED)
{
    static const struct fake_reply NOT_FOUND = {404, NULL, MESSAGE("Not Found"), ERR_OK};
    for (size_t i = 0; i < ARRAY_LEN(OPERATIONS); i++) {
        CLEANUP(bench_close) struct bench b;
        bench_open(&b, &NOT_FOUND, 1);
        enum err_code r = OPERATIONS[i].run(&b);
        assert_int_equal(r, OPERATIONS[i].deletes ? ERR_OK : ERR_NOT_FOUND);
        if (r != ERR_OK && i > 0)
            assert_non_null(strstr(b.e.text, OPERATIONS[i].permission));
    }
}

/* ---- Which token lacks what ---------------------------------------------------------------------
 */

static void assert_says(const struct fake_reply *reply, enum err_code (*run)(struct bench *),
                        const char *text)
{
    CLEANUP(bench_close) struct bench b;
    bench_open(&b, reply, 1);
    assert_int_not_equal(run(&b), ERR_OK);
    if (!str_eq(b.e.text, text))
        fail_msg("\n%s\n%s", b.e.text, text);
}

static void test_sentences(void **state UNUSED)
{
    static const struct {
        struct fake_reply reply;
        enum err_code (*run)(struct bench *);
        const char *text;
    } T[] = {
        {{403, NULL, MESSAGE("Resource not accessible by personal access token"), ERR_OK},
         secrets_list,
         "GET " REPO
         "/actions/secrets: 403 resource not accessible by personal access token: the token "
         "needs the repository permission \"Secrets: Read and write\""},
        {{403, "X-Accepted-GitHub-Permissions: secrets=read\r\n", MESSAGE("No."), ERR_OK},
         secrets_list,
         "GET " REPO
         "/actions/secrets: 403 no: the token needs the repository permission \"Secrets: Read "
         "and write\""},
        {{403, "X-Accepted-GitHub-Permissions: environments=read; contents=write\r\n",
          MESSAGE("No."), ERR_OK},
         secrets_list,
         "GET " REPO "/actions/secrets: 403 no: the token needs the repository permission "
         "environments=read; contents=write"},
        {{403, "X-OAuth-Scopes: public_repo, gist\r\n",
          MESSAGE("Must have admin rights to Repository."), ERR_OK},
         secret_put,
         "PUT " REPO
         "/actions/secrets/A: 403 must have admin rights to Repository: the token needs the "
         "scope \"repo\"; it has \"public_repo, gist\""},
        {{403, "X-OAuth-Scopes:\r\n", MESSAGE("No"), ERR_OK},
         secret_put,
         "PUT " REPO "/actions/secrets/A: 403 no: the token needs the scope \"repo\"; it has none"},
        {{403, "X-OAuth-Scopes: workflow, repo\r\n",
          MESSAGE("Must have admin rights to Repository."), ERR_OK},
         actions_set,
         "PUT " REPO
         "/actions/permissions: 403 must have admin rights to Repository: the token has the "
         "scope \"repo\", so it is its owner who lacks the role in this repository (write, or "
         "admin for "
         "settings)"},
        {{403, NULL, MESSAGE("Resource not accessible by integration"), ERR_OK},
         variables_list,
         "GET " REPO
         "/actions/variables: 403 resource not accessible by integration: the token needs the "
         "repository permission \"Variables: Read and write\", which a workflow's GITHUB_TOKEN can "
         "never "
         "have"},
        {{403, NULL, MESSAGE("Resource not accessible by integration"), ERR_OK},
         workflow_enable,
         "PUT " REPO
         "/actions/workflows/1/enable: 403 resource not accessible by integration: the token "
         "needs the repository permission \"Actions: Read and write\""},
        {{404, NULL, MESSAGE("Not Found"), ERR_OK},
         repo_get,
         "GET " REPO ": 404 repository 'o/r' not found, or this token may not see it"},
        {{404, "X-OAuth-Scopes: public_repo\r\n", MESSAGE("Not Found"), ERR_OK},
         secrets_list,
         "GET " REPO
         "/actions/secrets: 404 not found in repository 'o/r', or hidden from this token: the "
         "token needs the scope \"repo\"; it has \"public_repo\""},
        {{422, NULL, MESSAGE("Validation Failed"), ERR_OK},
         default_branch_set,
         "PATCH " REPO ": 422 refused: validation Failed (the branch must exist there)"},
    };
    for (size_t i = 0; i < ARRAY_LEN(T); i++)
        assert_says(&T[i].reply, T[i].run, T[i].text);
}

/* A server may say anything: it stays one bounded line. */
static void test_hostile_texts(void **state UNUSED)
{
    static char long_text[100000];
    memset(long_text, 'x', sizeof(long_text) - 1);
    static const char *const BODIES[] = {
        long_text,
        "%s%n%s",
        "{\"message\":\"a\\nb\\u001b[31m\"}",
        "\xff\xfe\x01",
        "{\"message\":\"\"}",
        "{\"errors\":[[[[]]]]}",
        "...",
        "{\"message\":{}}",
        "null",
        "   ",
    };
    for (size_t i = 0; i < ARRAY_LEN(BODIES); i++) {
        const struct fake_reply reply = {.status = 422, .body = BODIES[i]};
        CLEANUP(bench_close) struct bench b;
        bench_open(&b, &reply, 1);
        assert_int_equal(secret_put(&b), ERR_REFUSED);
        assert_true(strlen(b.e.text) < 600);
        for (const char *p = b.e.text; *p != '\0'; p++)
            assert_true((unsigned char)*p >= ' ');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_404),
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_hostile_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
