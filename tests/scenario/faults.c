/* A GitHub that fails: the slave's own trouble stays its own, and the next pass converges. */
#include "story.h"

static void a_wrong_token_stops_its_slave_at_once(void **state)
{
    struct world *w = *state;
    static const char *const both[] = {"one", "two", NULL};
    w->slaves = both;
    setenv("TEST_SLAVE_TOKEN", "ghp_wrong", 1);
    assert_code(w, world_apply(w), 4);
    assert_no_write(w);
    assert_true(w->traffic.requests <= 6); /* GitHub locks out who repeats a bad token */
}

static void a_missing_token_is_named(void **state)
{
    struct world *w = *state;
    unsetenv("TEST_SLAVE_TOKEN");
    assert_code(w, world_apply(w), 4);
    assert_says(w, "TEST_SLAVE_TOKEN");
}

static void a_missing_permission_is_named(void **state)
{
    struct world *w = *state;
    struct hub_token t = {.text = "github_pat_narrow",
                          .kind = HUB_FINE_GRAINED,
                          .user = "backup",
                          .permissions = "contents=write workflows=write actions=write actions_variables=write"};
    assert_true(hub_token_add(w->hub, &t));
    setenv("TEST_SLAVE_TOKEN", "github_pat_narrow", 1);
    static const char *const one[] = {"one", NULL};
    w->slaves = one;
    assert_code(w, world_apply(w), 4);
    assert_says(w, "Secrets");
    assert_variable(w, SLAVE, "MODE", "mock"); /* the other layers went on */
    assert_mirrored(w, SLAVE);
}

static void a_missing_workflow_scope_is_named(void **state)
{
    struct world *w = *state;
    assert_true(hub_token_narrow(w->hub, SLAVE_TOKEN, "repo"));
    int code = world_apply(w);
    assert_int_equal(code, 4);
}

static void no_access_is_told_from_absence(void **state)
{
    struct world *w = *state;
    assert_true(hub_repo_delete(w->hub, SLAVE));
    assert_code(w, world_apply(w), 3);
    assert_says(w, "not found");
    assert_mirrored(w, OTHER);
}

static void one_slave_away_and_the_other_done(void **state)
{
    struct world *w = *state;
    struct hub_fault f = {.path = "*" SLAVE "*", .effect = HUB_F_RESET};
    assert_true(hub_fault_add(w->hub, &f));
    assert_code(w, world_apply(w), 3);
    assert_mirrored(w, OTHER);
    hub_faults_clear(w->hub);
    assert_code(w, world_apply(w), 0);
    assert_mirrored(w, SLAVE);
}

/* Each write, in turn: acted, and the answer lost. The next pass finds what is there and ends it. */
static void every_lost_answer_converges(void **state)
{
    struct world *w = *state;
    static const char *const methods[] = {"PUT", "POST", "PATCH"};
    for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
        for (unsigned nth = 1; nth <= 3; nth++) {
            struct hub_fault f = {
                .method = methods[m], .path = "*", .nth = nth, .count = 1, .effect = HUB_F_LOSE_ANSWER};
            char value[32];
            snprintf(value, sizeof value, "%zu-%u", m, nth);
            setenv("B_SECRET", value, 1);
            world_commit(w, "main", "file", value);
            assert_true(hub_fault_add(w->hub, &f));
            world_apply(w);
            hub_faults_clear(w->hub);
            assert_code(w, world_apply(w), 0);
            assert_mirrored(w, SLAVE);
            assert_secret(w, SLAVE, "B_SECRET", value);
            assert_code(w, world_diff(w), 0);
        }
    }
}

/* github.md 6.2: a large push that is lost and reported as done is noticed. */
static void a_push_that_got_lost_is_noticed(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    world_commit(w, "main", "file", "6");
    struct hub_fault f = {.method = "POST", .path = "*git-receive-pack*", .effect = HUB_F_PUSH_LOST};
    assert_true(hub_fault_add(w->hub, &f));
    assert_code(w, world_apply(w), 3);
    hub_faults_clear(w->hub);
    assert_code(w, world_apply(w), 0);
    assert_mirrored(w, SLAVE);
}

static void an_interrupted_pass_goes_on_later(void **state)
{
    struct world *w = *state;
    for (int after = 1; after < 12; after += 2) {
        w->interrupt_after = after;
        int code = world_apply(w);
        assert_true(code == 130 || code == 0);
    }
    w->interrupt_after = 0;
    assert_code(w, world_apply(w), 0);
    assert_mirrored(w, SLAVE);
    assert_secret(w, SLAVE, "B_SECRET", "two\nlines");
    assert_code(w, world_diff(w), 0);
}

/* Reads that lag behind writes (github.md 1.2, 1.3): once they have caught up, nothing is left to do. */
static void eventual_reads_converge(void **state)
{
    struct world *w = *state;
    assert_true(hub_quirk_set(w->hub, "eventual", 2));
    world_apply(w);
    for (int looks = 0; looks < 3; looks++)
        world_diff(w);
    assert_code(w, world_apply(w), 0);
    assert_int_equal(w->traffic.rest_writes, 0);
    assert_variable(w, SLAVE, "MODE", "mock");
    assert_secret(w, SLAVE, "A_SECRET", CANARY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_wrong_token_stops_its_slave_at_once),
        STORY(a_missing_token_is_named),
        STORY(a_missing_permission_is_named),
        STORY(a_missing_workflow_scope_is_named),
        STORY(no_access_is_told_from_absence),
        STORY(one_slave_away_and_the_other_done),
        STORY(every_lost_answer_converges),
        STORY(a_push_that_got_lost_is_noticed),
        STORY(an_interrupted_pass_goes_on_later),
        STORY(eventual_reads_converge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
