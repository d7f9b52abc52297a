#include "mirrorctl/model.h"

#include <setjmp.h>

#include <cmocka.h>

static void sorted_by_kind_then_bytes(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct view v;
    view_init(&v, a);
    (void)view_add(&v, KIND_VARIABLE, "A", "1");
    (void)view_add(&v, KIND_REF, "refs/heads/b", "2");
    (void)view_add(&v, KIND_REF, "refs/heads/B", "3");
    (void)view_add(&v, KIND_REF, "refs/heads/\xc3\xa4", "4");
    (void)view_add(&v, KIND_ACTIONS, "actions", "on");
    view_sort(&v);

    static const char *const VALUES[] = {"on", "3", "2", "4", "1"};
    assert_int_equal(v.n, ARRAY_LEN(VALUES));
    for (size_t i = 0; i < v.n; i++)
        assert_string_equal(v.items[i].value, VALUES[i]);
    assert_ptr_equal(view_find(&v, KIND_REF, "refs/heads/b"), &v.items[2]);
    assert_null(view_find(&v, KIND_SECRET, "A"));
    assert_null(view_find(&v, KIND_VARIABLE, "AA"));
}

static void of_two_with_one_key_the_later_wins(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct view v;
    view_init(&v, a);
    (void)view_add(&v, KIND_SECRET, "X", "first");
    (void)view_add(&v, KIND_SECRET, "W", "only");
    (void)view_add(&v, KIND_SECRET, "X", "second");
    (void)view_add(&v, KIND_SECRET, "A", "only");
    (void)view_add(&v, KIND_SECRET, "X", "third");
    view_sort(&v);
    assert_int_equal(v.n, 3);
    assert_string_equal(view_find(&v, KIND_SECRET, "X")->value, "third");
}

static void empty_views_are_views(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct view v;
    view_init(&v, a);
    view_sort(&v);
    assert_int_equal(v.n, 0);
    assert_null(view_find(&v, KIND_REF, "x"));
    assert_int_equal(v.state[KIND_REF], VIEW_UNSEEN);
}

static void an_error_belongs_to_one_view_and_kind(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct view v, other;
    view_init(&v, a);
    view_init(&other, a);
    view_set_error(&v, KIND_REF, &(struct err){ERR_IO, "disk"});
    view_set_error(&v, KIND_ROLE, &(struct err){ERR_RATE, "later"});
    assert_int_equal(v.error[KIND_REF].code, ERR_IO);
    assert_string_equal(v.error[KIND_ROLE].text, "later");
    assert_int_equal(v.error[KIND_SECRET].code, ERR_OK);
    assert_int_equal(other.error[KIND_REF].code, ERR_OK);
}

/* Sizes around powers of two, in orders that make merges of every shape. */
static void sorting_holds_for_many_sizes_and_orders(void **state UNUSED)
{
    for (unsigned n = 0; n < 70; n++) {
        for (unsigned step = 1; step < 12; step++) {
            CLEANUP(arena_freep) struct arena *a = arena_new();
            struct view v;
            view_init(&v, a);
            for (unsigned i = 0; i < n; i++) {
                char *name = arena_printf(a, "%03u", i * step % (n + 1));
                view_add(&v, KIND_REF, name, NULL)->id = i;
            }
            view_sort(&v);
            for (size_t i = 1; i < v.n; i++)
                assert_true(resource_compare(&v.items[i - 1], &v.items[i]) < 0);
            for (size_t i = 0; i < v.n; i++)
                assert_ptr_equal(view_find(&v, KIND_REF, v.items[i].name), &v.items[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted_by_kind_then_bytes),
        cmocka_unit_test(of_two_with_one_key_the_later_wins),
        cmocka_unit_test(empty_views_are_views),
        cmocka_unit_test(an_error_belongs_to_one_view_and_kind),
        cmocka_unit_test(sorting_holds_for_many_sizes_and_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
