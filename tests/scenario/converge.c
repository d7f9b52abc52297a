/* From an empty slave to one that is in step, and nothing to do after it. */
#include "story.h"

static void assert_slave_complete(struct world *w, const char *repo)
{
    assert_mirrored(w, repo);
    assert_secret(w, repo, "A_SECRET", CANARY);
    assert_secret(w, repo, "B_SECRET", "two\nlines");
    assert_variable(w, repo, "MASTER_REPO", MASTER);
    assert_variable(w, repo, "MODE", "mock");
    assert_workflow(w, repo, "sentinel.yml", "active");
    assert_workflow(w, repo, "cron.yml", "disabled_manually");
    assert_workflow(w, repo, "deploy-site.yml", "disabled_manually");
    assert_workflow(w, repo, "test.yml", "disabled_manually");
    assert_string_equal(world_hub_git(w, repo, "symbolic-ref HEAD"), "refs/heads/main");
    assert_non_null(strstr(world_hub_git(w, repo, "show refs/mirrorctl/role:role.json"), "\"SLAVE\""));
    assert_int_equal(hub_run_count(w->hub, repo, NULL), 0);
}

static void first_apply_brings_everything(void **state)
{
    struct world *w = *state;
    assert_code(w, world_diff(w), 1);
    assert_code(w, world_apply(w), 0);
    assert_slave_complete(w, SLAVE);
    assert_slave_complete(w, OTHER);
    assert_no_canary(w);
}

static void second_apply_does_nothing(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    assert_code(w, world_diff(w), 0);
    assert_code(w, world_apply(w), 0);
    assert_no_write(w);
    assert_int_equal(w->actions_done, 0);
}

/* The promise of the README: 4 conditional GETs and one advertisement a slave, the master's list beside it. */
static void idle_pass_costs_five_requests_a_slave(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    assert_code(w, world_apply(w), 0); /* the second pass: what was written has been read back */
    assert_int_equal(w->traffic.rest_reads, 2 * 4 + 1);
    assert_int_equal(w->traffic.not_modified, 2 * 4 + 1);
    assert_int_equal(w->traffic.git_advertisements, 2);
    assert_int_equal(w->traffic.git_pushes, 0);
}

static void the_masters_own_workflows_follow_its_role(void **state)
{
    struct world *w = *state;
    assert_true(hub_workflow_set(w->hub, MASTER, "test.yml", "disabled_inactivity"));
    assert_code(w, world_apply(w), 0);
    assert_workflow(w, MASTER, "sentinel.yml", "disabled_manually");
    assert_workflow(w, MASTER, "cron.yml", "active");
    assert_workflow(w, MASTER, "test.yml", "active");
}

static void new_commits_and_branches_follow(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    world_commit(w, "main", "file", "6");
    world_commit(w, "feature/x", "file", "x");
    world_git(w, "tag v3 main");
    assert_code(w, world_diff(w), 1);
    assert_says(w, "refs/heads/feature/x");
    assert_says(w, "refs/tags/v3");
    assert_code(w, world_apply(w), 0);
    assert_mirrored(w, SLAVE);
    assert_code(w, world_diff(w), 0);
}

/* github.md 7.6: a workflow file that comes with a push is active at once. */
static void a_workflow_that_comes_with_a_push_is_quieted_in_the_same_pass(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    world_commit(w, "main", ".github/workflows/new.yml", "on: push");
    assert_code(w, world_apply(w), 0);
    assert_workflow(w, SLAVE, "new.yml", "disabled_manually");
    assert_code(w, world_diff(w), 0);
}

/* A file that lives on another branch only is not foreseen by the plan, and quieted all the same. */
static void a_workflow_of_another_branch_is_quieted_too(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    world_commit(w, "dev", ".github/workflows/odd.yml", "on: push");
    assert_code(w, world_apply(w), 0);
    assert_workflow(w, SLAVE, "odd.yml", "disabled_manually");
    assert_code(w, world_diff(w), 0);
}

static void a_renamed_default_branch_follows(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    world_git(w, "branch trunk main");
    world_git(w, "symbolic-ref HEAD refs/heads/trunk");
    world_git(w, "branch -D main");
    w->prune = true;
    assert_code(w, world_apply(w), 0);
    assert_string_equal(world_hub_git(w, SLAVE, "symbolic-ref HEAD"), "refs/heads/trunk");
    assert_mirrored(w, SLAVE);
    assert_code(w, world_diff(w), 0);
}

static void layers_and_slaves_can_be_chosen(void **state)
{
    struct world *w = *state;
    static const char *const one[] = {"one", NULL};
    w->slaves = one;
    w->only[LAYER_CODE] = w->only[LAYER_SECRETS] = w->only[LAYER_WORKFLOWS] = false;
    assert_code(w, world_apply(w), 0);
    assert_variable(w, SLAVE, "MODE", "mock");
    assert_secret(w, SLAVE, "A_SECRET", NULL);
    assert_variable(w, OTHER, "MODE", NULL);
    assert_int_equal(w->traffic.git_pushes, 0);
}

static void without_administration_the_window_is_short_and_told(void **state)
{
    struct world *w = *state;
    static const char *const two[] = {"two", NULL};
    assert_true(hub_repo_collaborator(w->hub, OTHER, "backup", "write"));
    w->slaves = two;
    assert_code(w, world_diff(w), 1);
    assert_says(w, "Actions cannot be switched off");
    assert_code(w, world_apply(w), 0);
    assert_workflow(w, OTHER, "cron.yml", "disabled_manually");
    assert_mirrored(w, OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(first_apply_brings_everything),
        STORY(second_apply_does_nothing),
        STORY(idle_pass_costs_five_requests_a_slave),
        STORY(the_masters_own_workflows_follow_its_role),
        STORY(new_commits_and_branches_follow),
        STORY(a_workflow_that_comes_with_a_push_is_quieted_in_the_same_pass),
        STORY(a_workflow_of_another_branch_is_quieted_too),
        STORY(a_renamed_default_branch_follows),
        STORY(layers_and_slaves_can_be_chosen),
        STORY(without_administration_the_window_is_short_and_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
