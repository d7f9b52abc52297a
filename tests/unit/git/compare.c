#include "fixture.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAIN "refs/heads/main"

static struct git_comparison compare(struct place *p, struct git_source *s, const char *ref,
                                     const char *wanted, const char *slave)
{
    struct git_comparison c = {.ahead = -7};
    assert_ok(p, git_compare(s, ref, wanted, slave, p->arena, &c, &p->err));
    return c;
}

static void assert_comparison(struct git_comparison c, enum ref_relation relation, int64_t ahead,
                              int64_t behind)
{
    assert_int_equal(c.relation, relation);
    assert_int_equal(c.ahead, ahead);
    assert_int_equal(c.behind, behind);
}

/* one ← two ← three (main), two ← beside (side) */
static void knows_all_relations(void **state)
{
    struct place *p = *state;

    make_master(p, "master");
    /* The user's clone has fetched more than the master has: that does not make it known to the
     * master. */
    (void)sh(
        p, "git clone -q --mirror master clone;"
           "x=$(commit clone refs/remotes/fork/x foreign $(git -C master rev-parse main~1));"
           "commit clone refs/remotes/fork/x more $x; commit clone refs/remotes/fork/y unrelated");
    struct git_source *s = NULL;
    struct git_source_spec spec = {
        .url = at(p, "master"), .local = at(p, "clone"), .cache_dir = at(p, "cache")};
    assert_ok(p, git_source_open(&spec, &s, &p->err));
    const char *main_oid = git_source_oid(s, MAIN);
    const char *side = git_source_oid(s, "refs/heads/side");
    const char *one = sh(p, "git -C master rev-parse main~2");
    const char *foreign = sh(p, "git -C clone rev-parse refs/remotes/fork/x");
    const char *unrelated = sh(p, "git -C clone rev-parse refs/remotes/fork/y");

    struct git_comparison c = compare(p, s, MAIN, main_oid, main_oid);
    assert_comparison(c, REF_SAME, 0, 0);
    c = compare(p, s, MAIN, main_oid, one);
    assert_comparison(c, REF_BEHIND, 2, 0);
    assert_string_equal(c.subject, "three");
    assert_comparison(compare(p, s, MAIN, one, main_oid), REF_REWOUND, 0, 0);
    assert_comparison(compare(p, s, MAIN, main_oid, side), REF_REWOUND, 1, 0);
    assert_comparison(compare(p, s, MAIN, main_oid, foreign), REF_DIVERGED, 1, 2);
    assert_comparison(compare(p, s, MAIN, main_oid, unrelated), REF_DIVERGED, 3, 1);
    assert_comparison(compare(p, s, MAIN, main_oid, "1111111111111111111111111111111111111111"),
                      REF_DIVERGED, -1, -1);
    git_source_free(s);
}

static void new_refs_are_counted(void **state)
{
    struct place *p = *state;

    make_master(p, "master");
    struct git_source *s = open_source(p, "master");
    assert_comparison(compare(p, s, MAIN, git_source_oid(s, MAIN), NULL), REF_RELATION_NONE, 1, 0);
    assert_comparison(compare(p, s, "refs/heads/side", git_source_oid(s, "refs/heads/side"), NULL),
                      REF_RELATION_NONE, 1, 0);
    assert_comparison(compare(p, s, "refs/tags/light", git_source_oid(s, "refs/tags/light"), NULL),
                      REF_RELATION_NONE, 0, 0);
    git_source_free(s);
}

static void tags_do_not_move_quietly(void **state)
{
    struct place *p = *state;

    make_master(p, "master");
    struct git_source *s = open_source(p, "master");
    const char *one = sh(p, "git -C master rev-parse main~2");
    const char *heavy = git_source_oid(s, "refs/tags/heavy");
    struct git_comparison c = compare(p, s, "refs/tags/heavy", heavy, one);
    assert_comparison(c, REF_TAG_MOVED, 1, 0);
    /* The same commit without the tag object is another value all the same. */
    c = compare(p, s, "refs/tags/heavy", heavy, sh(p, "git -C master rev-parse main~1"));
    assert_int_equal(c.relation, REF_TAG_MOVED);
    c = compare(p, s, "refs/tags/heavy", heavy, "1111111111111111111111111111111111111111");
    assert_comparison(c, REF_TAG_MOVED, -1, -1);
    assert_null(c.subject);
    git_source_free(s);
}

static void other_objects_compare_by_value(void **state)
{
    struct place *p = *state;

    make_master(p, "master");
    (void)sh(p, "cd master; git update-ref refs/notes/x $(git rev-parse main^{tree});"
                "git update-ref refs/notes/y $(git rev-parse main:file)");
    struct git_source *s = open_source(p, "master");
    const char *x = git_source_oid(s, "refs/notes/x"), *y = git_source_oid(s, "refs/notes/y");
    assert_comparison(compare(p, s, "refs/notes/x", x, y), REF_REWOUND, -1, 0);
    assert_int_equal(compare(p, s, "refs/notes/x", x, git_source_oid(s, MAIN)).relation,
                     REF_REWOUND);
    assert_int_equal(compare(p, s, "refs/notes/x", x, NULL).relation, REF_RELATION_NONE);
    assert_int_equal(compare(p, s, MAIN, git_source_oid(s, MAIN), NULL).ahead, 1);
    git_source_free(s);
}

static void subjects_are_harmless(void **state)
{
    struct place *p = *state;

    (void)sh(p, "mk master; commit master " MAIN " \"$(printf 'red \\033[31m\\ttab')\"");
    struct git_source *s = open_source(p, "master");
    struct git_comparison c = compare(p, s, MAIN, git_source_oid(s, MAIN), NULL);
    assert_string_equal(c.subject, "red ?[31m tab");
    git_source_free(s);
}

static void long_histories_take_no_time(void **state)
{
    struct place *p = *state;

    (void)sh(p, "mk master; seq 1 3000 | awk '{printf \"commit " MAIN
                "\\ncommitter T <t@e> %%d +0000\\ndata 1\\nx\\n\", 1700000000 + $1}' |"
                " git -C master fast-import --quiet");
    struct git_source *s = open_source(p, "master");
    const char *first = sh(p, "git -C master rev-list main | tail -1");
    assert_comparison(compare(p, s, MAIN, git_source_oid(s, MAIN), first), REF_BEHIND, 2999, 0);
    assert_comparison(compare(p, s, MAIN, first, git_source_oid(s, MAIN)), REF_REWOUND, 0, 0);
    assert_comparison(compare(p, s, MAIN, git_source_oid(s, MAIN), NULL), REF_RELATION_NONE, 3000,
                      0);
    git_source_free(s);
}

int main(void)
{
#define COMPARE_TEST(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)
    const struct CMUnitTest tests[] = {
        COMPARE_TEST(knows_all_relations),      COMPARE_TEST(new_refs_are_counted),
        COMPARE_TEST(tags_do_not_move_quietly), COMPARE_TEST(other_objects_compare_by_value),
        COMPARE_TEST(subjects_are_harmless),    COMPARE_TEST(long_histories_take_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
