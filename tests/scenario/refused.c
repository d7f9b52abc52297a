/* What is refused: nothing is written, both sides are named, the exit code tells which case it is. */
#include "story.h"

#define ONE_SLAVE(more)                                                                            \
    "version: 1\n"                                                                                 \
    "github: {url: \"%U\"}\n"                                                                      \
    "master: {repo: " MASTER ", token: {env: TEST_MASTER_TOKEN}, source: \"%R\"}\n"                \
    "slaves:\n"                                                                                    \
    "  - {id: one, type: github, repo: " SLAVE ", token: {env: TEST_SLAVE_TOKEN}" more "}\n"

static void commit_at_slave(struct world *w)
{
    assert_true(hub_file_put(w->hub, SLAVE, "main", "theirs", "x\n", 2));
}

static void own_commits_of_a_slave_are_refused(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    commit_at_slave(w);
    char *theirs = mem_strdup(world_hub_git(w, SLAVE, "rev-parse --short=8 main"));
    world_commit(w, "main", "file", "6");
    assert_code(w, world_apply(w), 7);
    assert_says(w, theirs);
    assert_string_equal(world_hub_git(w, SLAVE, "rev-parse --short=8 main"), theirs);
    assert_mirrored(w, OTHER);
    free(theirs);
}

static void overwrite_is_a_word_of_the_manifest(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    commit_at_slave(w);
    world_manifest(w, ONE_SLAVE(", refs: {on_divergence: overwrite}"));
    assert_code(w, world_apply(w), 0);
    assert_mirrored(w, SLAVE);
}

static void rescue_keeps_what_would_be_lost(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    commit_at_slave(w);
    char *theirs = mem_strdup(world_hub_git(w, SLAVE, "rev-parse main"));
    world_manifest(w, ONE_SLAVE(", refs: {on_divergence: rescue}"));
    assert_code(w, world_apply(w), 0);
    assert_mirrored(w, SLAVE);
    assert_string_equal(
        world_hub_git(w, SLAVE, "for-each-ref --format='%(objectname)' refs/mirrorctl/rescue"), theirs);
    free(theirs);
}

/* As a sentinel would: a marker commit that says so. */
static void promote(struct world *w, const char *role, int epoch)
{
    char command[1024];
    char blob[64], tree[64];
    snprintf(command, sizeof command,
             "hash-object -w --stdin <<'J'\n{\"schema\":1,\"role\":\"%s\",\"phase\":\"acting\",\"epoch\":%d,"
             "\"since\":\"2026-01-01T00:00:00Z\"}\nJ\n",
             role, epoch);
    snprintf(blob, sizeof blob, "%s", world_hub_git(w, SLAVE, command));
    snprintf(command, sizeof command, "mktree <<'T'\n100644 blob %s\trole.json\nT\n", blob);
    snprintf(tree, sizeof tree, "%s", world_hub_git(w, SLAVE, command));
    snprintf(command, sizeof command,
             "-c user.name=t -c user.email=t@example.org commit-tree -m promoted %s", tree);
    snprintf(blob, sizeof blob, "%s", world_hub_git(w, SLAVE, command));
    snprintf(command, sizeof command, "update-ref refs/mirrorctl/role %s", blob);
    world_hub_git(w, SLAVE, command);
    assert_true(hub_repo_rescan(w->hub, SLAVE));
}

/* The marker of a slave that is a plain repository is read without a server. */
static void use_plain_slave(struct world *w)
{
    char *dir = hub_repo_dir(w->hub, SLAVE);
    CLEANUP(buf_release) struct buf yaml = BUF_INIT(4096);
    struct err e = ERR_INIT;
    assert_int_equal(buf_addf(&yaml, &e,
                              "version: 1\n"
                              "github: {url: \"%%U\"}\n"
                              "master: {repo: " MASTER ", token: {env: TEST_MASTER_TOKEN}, source: \"%%R\"}\n"
                              "slaves: [{id: one, type: git, url: \"%s\"}]\n",
                              dir),
                     ERR_OK);
    free(dir);
    world_manifest(w, buf_str(&yaml));
}

static void a_promoted_slave_is_fenced(void **state)
{
    struct world *w = *state;
    use_plain_slave(w);
    assert_code(w, world_apply(w), 0);
    promote(w, "TEMPORARY_MASTER", 1);
    char *before = mem_strdup(world_hub_git(w, SLAVE, "for-each-ref"));
    world_commit(w, "main", "file", "6");
    assert_code(w, world_diff(w), 8);
    assert_code(w, world_apply(w), 8);
    assert_says(w, "TEMPORARY_MASTER");
    assert_string_equal(world_hub_git(w, SLAVE, "for-each-ref"), before);
    free(before);
}

static void a_marker_that_vanished_fences_too(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    world_hub_git(w, SLAVE, "update-ref -d refs/mirrorctl/role");
    assert_true(hub_repo_rescan(w->hub, SLAVE));
    static const char *const one[] = {"one", NULL};
    w->slaves = one;
    assert_code(w, world_apply(w), 8);
    assert_no_write(w);
}

static void another_controller_is_refused(void **state)
{
    struct world *w = *state;
    use_plain_slave(w);
    assert_code(w, world_apply(w), 0);
    char *before = mem_strdup(world_hub_git(w, SLAVE, "for-each-ref"));
    char *mine = w->state;
    CLEANUP(buf_release) struct buf other = BUF_INIT(4096);
    struct err e = ERR_INIT;
    assert_int_equal(buf_addf(&other, &e, "%s-other", mine), ERR_OK);
    w->state = mem_strdup(buf_str(&other));
    world_commit(w, "main", "file", "6");
    assert_code(w, world_apply(w), 6);
    assert_string_equal(world_hub_git(w, SLAVE, "for-each-ref"), before);
    w->takeover = true;
    assert_code(w, world_apply(w), 0);
    assert_mirrored(w, SLAVE);
    free(before);
    free(w->state);
    w->state = mine;
}

static void an_archived_slave_is_refused(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    assert_true(hub_repo_archive(w->hub, SLAVE, true));
    world_commit(w, "main", "file", "6");
    assert_code(w, world_apply(w), 7);
    assert_says(w, "archived");
    assert_mirrored(w, OTHER);
}

/* github.md 5.1: a freed name can be made anew by somebody else. */
static void a_repository_made_anew_is_refused(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    assert_true(hub_repo_delete(w->hub, SLAVE));
    assert_true(hub_repo_add(w->hub, &(struct hub_repo){.name = SLAVE, .is_private = true}) > 0);
    static const char *const one[] = {"one", NULL};
    w->slaves = one;
    assert_code(w, world_apply(w), 7);
    assert_no_write(w);
    w->allow_replaced = true;
    assert_code(w, world_apply(w), 0);
    assert_mirrored(w, SLAVE);
}

static void a_renamed_repository_is_followed_and_told(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    assert_true(hub_repo_rename(w->hub, SLAVE, "backup/renamed"));
    setenv("A_SECRET", "changed", 1);
    assert_code(w, world_apply(w), 0);
    assert_says(w, "is now 'backup/renamed'");
    assert_secret(w, "backup/renamed", "A_SECRET", "changed");
    setenv("A_SECRET", CANARY, 1);
}

/* Pushes are atomic once there is a marker; one refused ref must not take the others with it. */
static void one_refused_ref_does_not_stop_the_others(void **state)
{
    struct world *w = *state;
    static const char *const one[] = {"one", NULL};
    w->slaves = one;
    assert_code(w, world_apply(w), 0);
    assert_true(hub_refuse(w->hub, SLAVE, "refs/heads/bad", "push declined due to repository rule violations",
                           "GH013: Repository rule violations found for refs/heads/bad."));
    world_git(w, "branch bad main");
    world_git(w, "branch good main");
    world_commit(w, "main", "file", "6");
    assert_code(w, world_apply(w), 7);
    world_hub_git(w, SLAVE, "rev-parse --verify refs/heads/good");
    assert_string_equal(world_hub_git(w, SLAVE, "log -1 --format=%s main"), "change file");
}

static void too_many_deletions_are_refused(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 12; i++) {
        char command[64];
        snprintf(command, sizeof command, "branch many-%d main", i);
        world_git(w, command);
    }
    assert_code(w, world_apply(w), 0);
    for (int i = 0; i < 12; i++) {
        char command[64];
        snprintf(command, sizeof command, "branch -D many-%d", i);
        world_git(w, command);
    }
    w->prune = true;
    assert_code(w, world_apply(w), 7);
    world_hub_git(w, SLAVE, "rev-parse --verify refs/heads/many-11");
}

static void two_at_once(void **state)
{
    struct world *w = *state;
    struct store *other = NULL;
    struct err e = ERR_INIT;
    assert_code(w, world_apply(w), 0);
    struct store_config cfg = {0};
    assert_int_equal(store_open(w->state, &cfg, &other, &e), ERR_OK);
    assert_int_equal(store_lock(other, &e), ERR_OK);
    assert_code(w, world_apply(w), 6);
    assert_no_write(w);
    assert_code(w, world_diff(w), 0); /* looking is allowed */
    store_close(other);
    assert_code(w, world_apply(w), 0);
}

static void the_state_of_another_master_is_refused(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    world_manifest(w, "version: 1\n"
                      "github: {url: \"%U\"}\n"
                      "master: {repo: acme/elsewhere, token: {env: TEST_MASTER_TOKEN}, source: \"%R\"}\n"
                      "slaves:\n"
                      "  - {id: one, type: github, repo: " SLAVE ", token: {env: TEST_SLAVE_TOKEN}}\n");
    assert_code(w, world_apply(w), 7);
    assert_no_write(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(own_commits_of_a_slave_are_refused),
        STORY(overwrite_is_a_word_of_the_manifest),
        STORY(rescue_keeps_what_would_be_lost),
        STORY(a_promoted_slave_is_fenced),
        STORY(a_marker_that_vanished_fences_too),
        STORY(another_controller_is_refused),
        STORY(an_archived_slave_is_refused),
        STORY(a_repository_made_anew_is_refused),
        STORY(a_renamed_repository_is_followed_and_told),
        STORY(one_refused_ref_does_not_stop_the_others),
        STORY(too_many_deletions_are_refused),
        STORY(two_at_once),
        STORY(the_state_of_another_master_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
