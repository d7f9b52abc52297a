/* What somebody did by hand is found and mended, and nothing else is touched. */
#include "story.h"

static void drift_by_hand_is_found_and_mended(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    hub_clock_advance(w->hub, 60000);
    assert_true(hub_variable_put(w->hub, SLAVE, "MODE", "live"));
    assert_true(hub_secret_put(w->hub, SLAVE, "A_SECRET", "by somebody"));
    assert_true(hub_secret_put(w->hub, SLAVE, "B_SECRET", NULL));
    assert_true(hub_workflow_set(w->hub, SLAVE, "cron.yml", "active"));
    assert_true(hub_workflow_set(w->hub, SLAVE, "sentinel.yml", "disabled_inactivity"));
    world_hub_git(w, SLAVE, "branch -D dev");
    assert_true(hub_repo_rescan(w->hub, SLAVE));
    assert_code(w, world_diff(w), 1);
    assert_says(w, "somebody changed it at the slave");
    assert_says(w, "somebody wrote it at the slave");
    assert_says(w, "was deleted at the slave");
    assert_code(w, world_apply(w), 0);
    assert_mirrored(w, SLAVE);
    assert_variable(w, SLAVE, "MODE", "mock");
    assert_secret(w, SLAVE, "A_SECRET", CANARY);
    assert_secret(w, SLAVE, "B_SECRET", "two\nlines");
    assert_workflow(w, SLAVE, "cron.yml", "disabled_manually");
    assert_workflow(w, SLAVE, "sentinel.yml", "active");
    assert_code(w, world_diff(w), 0);
}

static void a_secret_that_changed_here_is_written_and_no_other(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    setenv("B_SECRET", "another", 1);
    assert_code(w, world_diff(w), 1);
    assert_code(w, world_apply(w), 0);
    assert_secret(w, SLAVE, "B_SECRET", "another");
    assert_int_equal(w->counts.update, 2); /* one a slave */
    assert_code(w, world_diff(w), 0);
}

static void what_is_foreign_stays(void **state)
{
    struct world *w = *state;
    assert_true(hub_variable_put(w->hub, SLAVE, "THEIRS", "x"));
    assert_true(hub_secret_put(w->hub, SLAVE, "THEIR_SECRET", "x"));
    w->prune = true;
    assert_code(w, world_apply(w), 0);
    world_hub_git(w, SLAVE, "branch theirs main");
    assert_true(hub_repo_rescan(w->hub, SLAVE));
    assert_code(w, world_apply(w), 0);
    assert_variable(w, SLAVE, "THEIRS", "x");
    assert_secret(w, SLAVE, "THEIR_SECRET", "x");
    world_hub_git(w, SLAVE, "rev-parse --verify refs/heads/theirs");
}

static void a_foreign_value_is_refused_until_adopted(void **state)
{
    struct world *w = *state;
    assert_true(hub_variable_put(w->hub, SLAVE, "MODE", "theirs"));
    assert_true(hub_secret_put(w->hub, SLAVE, "A_SECRET", "theirs"));
    assert_code(w, world_apply(w), 7);
    assert_variable(w, SLAVE, "MODE", "theirs");
    assert_secret(w, SLAVE, "A_SECRET", "theirs");
    assert_variable(w, SLAVE, "MASTER_REPO", MASTER); /* the rest went on */
    world_manifest(w, "version: 1\n"
                      "github: {url: \"%U\"}\n"
                      "master: {repo: " MASTER ", token: {env: TEST_MASTER_TOKEN}, source: \"%R\"}\n"
                      "secrets: {names: [A_SECRET], adopt: true}\n"
                      "variables:\n"
                      "  - {name: MODE, value: mock, adopt: true}\n"
                      "slaves:\n"
                      "  - {id: one, type: github, repo: " SLAVE ", token: {env: TEST_SLAVE_TOKEN}}\n");
    assert_code(w, world_apply(w), 0);
    assert_variable(w, SLAVE, "MODE", "mock");
    assert_secret(w, SLAVE, "A_SECRET", CANARY);
}

/* github.md 1.3: 10 a page by default, 30 at most; tools that read one page deleted the rest. */
static void more_variables_than_a_page_are_all_seen(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 75; i++) {
        char name[32];
        snprintf(name, sizeof name, "V_%02d", i);
        assert_true(hub_variable_put(w->hub, SLAVE, name, "x"));
    }
    assert_code(w, world_apply(w), 0);
    assert_code(w, world_diff(w), 0);
    assert_variable(w, SLAVE, "V_74", "x");
}

static void pruning_deletes_what_was_ours_and_no_more(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    world_git(w, "branch -D dev");
    world_manifest(w, "version: 1\n"
                      "github: {url: \"%U\"}\n"
                      "master: {repo: " MASTER ", token: {env: TEST_MASTER_TOKEN}, source: \"%R\"}\n"
                      "secrets: {names: [A_SECRET]}\n"
                      "variables: [{name: MODE, value: mock}]\n"
                      "slaves:\n"
                      "  - {id: one, type: github, repo: " SLAVE ", token: {env: TEST_SLAVE_TOKEN}}\n");
    assert_code(w, world_apply(w), 0); /* without prune nothing goes */
    assert_secret(w, SLAVE, "B_SECRET", "two\nlines");
    w->prune = true;
    assert_code(w, world_apply(w), 0);
    assert_secret(w, SLAVE, "B_SECRET", NULL);
    assert_variable(w, SLAVE, "MASTER_REPO", NULL);
    assert_mirrored(w, SLAVE);
}

static void a_rewritten_history_is_followed(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    world_git(w, "update-ref refs/heads/dev main~4");
    world_commit(w, "dev", "file", "rewritten");
    assert_code(w, world_apply(w), 0);
    assert_mirrored(w, SLAVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(drift_by_hand_is_found_and_mended),
        STORY(a_secret_that_changed_here_is_written_and_no_other),
        STORY(what_is_foreign_stays),
        STORY(a_foreign_value_is_refused_until_adopted),
        STORY(more_variables_than_a_page_are_all_seen),
        STORY(pruning_deletes_what_was_ours_and_no_more),
        STORY(a_rewritten_history_is_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
