/* Secrets: sources that fail, values that are refused, drift of every sort, and nobody sees a value. */
#include "story.h"

static void a_secret_that_is_not_set_stops_only_itself(void **state)
{
    struct world *w = *state;
    unsetenv("B_SECRET");
    assert_code(w, world_apply(w), 3);
    assert_says(w, "B_SECRET");
    assert_secret(w, SLAVE, "A_SECRET", CANARY);
    assert_secret(w, SLAVE, "B_SECRET", NULL);
    assert_mirrored(w, SLAVE);
}

static void an_empty_secret_is_refused(void **state)
{
    struct world *w = *state;
    setenv("B_SECRET", "", 1);
    assert_code(w, world_apply(w), 7);
    assert_secret(w, SLAVE, "B_SECRET", NULL);
    assert_secret(w, SLAVE, "A_SECRET", CANARY);
}

static void a_source_that_fails_deletes_nothing(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    unsetenv("B_SECRET");
    w->prune = true;
    assert_code(w, world_apply(w), 3);
    assert_secret(w, SLAVE, "B_SECRET", "two\nlines");
}

/* github.md 1.2: the peer acted, its answer was lost: written once more, never reported as foreign. */
static void a_lost_answer_is_mended_by_the_next_pass(void **state)
{
    struct world *w = *state;
    struct hub_fault f = {.method = "PUT", .path = "*/actions/secrets/A_SECRET", .effect = HUB_F_LOSE_ANSWER};
    assert_true(hub_fault_add(w->hub, &f));
    assert_code(w, world_apply(w), 3);
    hub_faults_clear(w->hub);
    assert_code(w, world_apply(w), 0);
    assert_secret(w, SLAVE, "A_SECRET", CANARY);
    assert_code(w, world_diff(w), 0);
}

static void a_rotated_key_is_fetched_anew(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    assert_true(hub_repo_rotate_key(w->hub, SLAVE));
    setenv("A_SECRET", CANARY "-2", 1);
    assert_code(w, world_apply(w), 0);
    assert_secret(w, SLAVE, "A_SECRET", CANARY "-2");
}

static void the_public_key_is_fetched_only_to_write(void **state)
{
    struct world *w = *state;
    assert_code(w, world_apply(w), 0);
    assert_code(w, world_apply(w), 0);
    for (size_t i = 0; i < hub_log_len(w->hub); i++) {
        struct hub_entry entry;
        assert_true(hub_log_get(w->hub, i, &entry));
        assert_null(strstr(entry.path, "public-key"));
        hub_entry_release(&entry);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_secret_that_is_not_set_stops_only_itself),
        STORY(an_empty_secret_is_refused),
        STORY(a_source_that_fails_deletes_nothing),
        STORY(a_lost_answer_is_mended_by_the_next_pass),
        STORY(a_rotated_key_is_fetched_anew),
        STORY(the_public_key_is_fetched_only_to_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
