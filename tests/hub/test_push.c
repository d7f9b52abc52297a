/* Pushes on the wire: leases, deletions, atomic, protection, broken packs, lost reports. */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char repo[] = "backup/standby";
static const char unknown[] = "1111111111111111111111111111111111111111";

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

static void expect(struct world *w, const char *before, const char *after, const char *ref,
                   const char *text)
{
    struct pushed p = {0};
    push(w, &p, "full", repo, NULL, &(struct line){before, after, ref}, 1);
    if (strstr(p.report, text) == NULL)
        fail_msg("%s: '%s' is not in: %s", ref, text, p.report);
    pushed_drop(&p);
}

static void the_advertisement_is_githubs(void **state)
{
    struct world *w = *state;
    char tip[65], wanted[400];
    tip_of(w, "heads/main", tip);
    char *text = advertised(w, "full", repo);
    (void)snprintf(
        wanted, sizeof wanted,
        "001f# service=git-receive-pack\n000000c5%s refs/heads/main report-status report-status-v2 "
        "delete-refs side-band-64k ofs-delta atomic object-format=sha1 quiet "
        "agent=github/spokes-receive-pack-hub\n0000",
        tip);
    assert_string_equal(text, wanted);
    free(text);
    assert_true(
        hub_repo_add(w->h, &(struct hub_repo){.name = "backup/empty", .push_options = true}) > 0);
    text = advertised(w, "full", "backup/empty");
    assert_non_null(
        strstr(text, "0000000000000000000000000000000000000000 capabilities^{} report-status"));
    assert_non_null(strstr(text, " push-options\n0000"));
    free(text);
}

static void the_old_value_is_a_lease(void **state)
{
    struct world *w = *state;
    char old[65], tip[65];
    tip_of(w, "heads/main", old);
    commit_file(w, "main", "a", "a");
    tip_of(w, "heads/main", tip);
    expect(w, NULL, old, "refs/heads/b", "ok refs/heads/b");
    expect(w, NULL, tip, "refs/heads/b", "ng refs/heads/b failed to update ref");
    expect(w, tip, old, "refs/heads/b", "is at ");
    expect(w, old, tip, "refs/heads/b", "ok refs/heads/b");
    expect(w, tip, old, "refs/heads/b", "ok refs/heads/b"); /* forced: GitHub does not mind */
    expect(w, tip, NULL, "refs/heads/b", "ng refs/heads/b failed to update ref");
    expect(w, NULL, NULL, "refs/heads/b",
           "ok refs/heads/b"); /* zero, zero: git deletes without a lease */
    tip_of(w, "heads/b", tip);
    assert_string_equal(tip, "");
}

static void names_in_the_way(void **state)
{
    struct world *w = *state;
    char tip[65];
    tip_of(w, "heads/main", tip);
    const struct line lines[] = {{NULL, tip, "refs/heads/main/sub"},
                                 {NULL, tip, "refs/heads/fine"}};
    assert_true(push_says(w, "full", lines, 2, "ng refs/heads/main/sub failed to update ref"));
    char other[65];
    tip_of(w, "heads/fine", other);
    assert_string_equal(other, tip);
    expect(w, NULL, tip, "refs/heads/a..b", "funny refname");
    expect(w, NULL, tip, "HEAD", "funny refname");
    expect(w, NULL, unknown, "refs/heads/c", "missing necessary objects");
}

static void atomic_is_all_or_nothing(void **state)
{
    struct world *w = *state;
    char tip[65], none[65];
    tip_of(w, "heads/main", tip);
    const struct line lines[] = {{NULL, tip, "refs/heads/x"}, {NULL, tip, "refs/pull/9/head"}};
    struct pushed p = {0};
    push(w, &p, "full", repo, "report-status atomic", lines, 2);
    assert_non_null(strstr(p.report, "ng refs/heads/x atomic push failure"));
    tip_of(w, "heads/x", none);
    assert_string_equal(none, "");
    pushed_drop(&p);
}

static void protection_speaks(void **state)
{
    struct world *w = *state;
    char old[65], tip[65];
    tip_of(w, "heads/main", old);
    commit_file(w, "main", "a", "a");
    tip_of(w, "heads/main", tip);
    assert_true(hub_protect(w->h, repo, "main", &(struct hub_protection){0}));
    expect(w, tip, old, "refs/heads/main",
           "GH006: Protected branch update failed for refs/heads/main.");
    expect(w, NULL, old, "refs/heads/rel/1", "ok refs/heads/rel/1");
    assert_true(hub_rule_add(w->h, repo, "rel/*", "deletion"));
    assert_true(hub_rule_add(w->h, repo, "rel/*", "creation"));
    expect(w, old, NULL, "refs/heads/rel/1", "push declined due to repository rule violations");
    expect(w, NULL, tip, "refs/heads/rel/2",
           "GH013: Repository rule violations found for refs/heads/rel/2.");
    expect(w, old, tip, "refs/heads/rel/1", "ok refs/heads/rel/1");
    assert_true(hub_rule_add(w->h, repo, "rel/*", "non_fast_forward"));
    expect(w, tip, old, "refs/heads/rel/1", "Cannot force-push to this branch");
    assert_true(hub_refuse(w->h, repo, "refs/tags/*", "failure", "fatal error in commit_refs"));
    expect(w, NULL, tip, "refs/tags/v1", "ng refs/tags/v1 failure");
    assert_true(hub_refuse_clear(w->h, repo));
    expect(w, NULL, tip, "refs/tags/v1", "ok refs/tags/v1");
}

static void who_may_push(void **state)
{
    struct world *w = *state;
    char tip[65];
    struct pushed p = {0};
    tip_of(w, "heads/main", tip);
    const struct line line = {NULL, tip, "refs/heads/b"};
    static const struct {
        const char *token;
        int status;
    } rows[] = {{"other", 404}, {"wrong", 401}, {NULL, 401}, {"job", 200}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        push(w, &p, rows[i].token, repo, NULL, &line, 1);
        assert_int_equal(p.status, rows[i].status);
    }
    assert_true(hub_token_narrow(w->h, "fine", "contents=read"));
    push(w, &p, "fine", repo, NULL, &line, 1);
    assert_int_equal(p.status, 403);
    assert_string_equal(p.report, "Write access to repository not granted.");
    assert_true(hub_repo_archive(w->h, repo, true));
    push(w, &p, "full", repo, NULL, &line, 1);
    assert_int_equal(p.status, 403);
    pushed_drop(&p);
}

static void pushes_get_lost(void **state)
{
    struct world *w = *state;
    char tip[65], now[65];
    tip_of(w, "heads/main", tip);
    static const struct {
        enum hub_effect effect;
        bool done, reported;
    } rows[] = {{HUB_F_NO_REPORT, true, false},
                {HUB_F_NO_REPORT_LOST, false, false},
                {HUB_F_PUSH_LOST, false, true},
                {HUB_F_PUSH_ISE, false, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char ref[32], ok[64];
        (void)snprintf(ref, sizeof ref, "refs/heads/l%zu", i);
        (void)snprintf(ok, sizeof ok, "ok %s", ref);
        const struct hub_fault f = {
            .method = "POST", .path = "*/git-receive-pack", .count = 1, .effect = rows[i].effect};
        assert_true(hub_fault_add(w->h, &f));
        const struct line line = {NULL, tip, ref};
        assert_int_equal(push_says(w, "full", &line, 1, ok), rows[i].reported);
        tip_of(w, ref + strlen("refs/"), now);
        assert_int_equal(now[0] != '\0', rows[i].done);
        hub_faults_clear(w->h);
    }
}

static void the_three_refusals_of_workflows(void **state)
{
    struct world *w = *state;
    char old[65], tip[65];
    tip_of(w, "heads/main", old);
    commit_file(w, "main", ".github/workflows/a.yml", "on: push\n");
    tip_of(w, "heads/main", tip);
    expect(w, tip, old, "refs/heads/main", "ok refs/heads/main");
    assert_true(hub_token_add(
        w->h, &(struct hub_token){
                  .text = "oauth", .kind = HUB_OAUTH, .user = "backup", .scopes = "repo"}));
    static const struct {
        const char *token, *text;
    } rows[] = {
        {"plain", "refusing to allow a Personal Access Token to create or update workflow "
                  "`.github/workflows/a.yml` without `workflow` scope"},
        {"oauth",
         "refusing to allow an OAuth App to create or update workflow `.github/workflows/a.yml` "
         "without `workflow` scope"},
        {"job",
         "refusing to allow a GitHub App to create or update workflow `.github/workflows/a.yml` "
         "without `workflows` permission"}};
    const struct line line = {NULL, tip, "refs/heads/b"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_true(push_says(w, rows[i].token, &line, 1, rows[i].text));
}

#define IN_A_WORLD(f) cmocka_unit_test_setup_teardown(f, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(the_advertisement_is_githubs),
        IN_A_WORLD(the_old_value_is_a_lease),
        IN_A_WORLD(names_in_the_way),
        IN_A_WORLD(atomic_is_all_or_nothing),
        IN_A_WORLD(protection_speaks),
        IN_A_WORLD(who_may_push),
        IN_A_WORLD(pushes_get_lost),
        IN_A_WORLD(the_three_refusals_of_workflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
