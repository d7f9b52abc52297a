#include "fixture.h"

/* A child that holds the lock until it is killed. */
static pid_t start_holder(struct fixture *f)
{
    int ends[2];
    char ready = 0;

    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct err e = ERR_INIT;
        struct store *s = NULL;
        if (store_open(f->dir, NULL, &s, &e) != ERR_OK || store_lock(s, &e) != ERR_OK)
            _exit(1);
        if (write(ends[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            (void)pause();
    }
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &ready, 1), 1);
    (void)close(ends[0]);
    return pid;
}

static void one_holds_it(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    char host[65] = "";
    pid_t holder = start_holder(f);
    struct store *s = fixture_open(f); /* reading along is free */

    assert_int_equal(store_lock(s, &e), ERR_LOCKED);
    assert_error(&e, ERR_LOCKED, arena_printf(f->arena, "(pid %ld on ", (long)holder));
    assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
    assert_error(&e, ERR_LOCKED, host);
    assert_error(&e, ERR_LOCKED, "since 20");

    assert_int_equal(kill(holder, SIGKILL), 0);
    assert_int_equal(waitpid(holder, NULL, 0), holder);
    assert_ok(store_lock(s, &e)); /* at once: the kernel let it go */
    assert_ok(store_lock(s, &e));
    store_close(s);
}

static void it_is_given_back(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct store *a = fixture_open(f), *b = fixture_open(f);

    assert_ok(store_lock(a, &e));
    assert_int_equal(store_lock(b, &e), ERR_LOCKED); /* within one process as well */
    assert_error(&e, ERR_LOCKED, arena_printf(f->arena, "(pid %ld on ", (long)getpid()));
    store_unlock(a);
    assert_ok(store_lock(b, &e));
    assert_int_equal(store_lock(a, &e), ERR_LOCKED);
    store_close(b);
    assert_ok(store_lock(a, &e));
    store_unlock(a);
    store_unlock(a);
    store_close(a);
}

/* A child that runs a program must not take the lock along. */
static void children_do_not_inherit_it(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct store *a = fixture_open(f), *b = fixture_open(f);
    const char *const argv[] = {"sleep", "30", NULL};
    struct child_spec spec = CHILD_SPEC_INIT;
    CLEANUP(child_freep) struct child *c = NULL;

    assert_ok(store_lock(a, &e));
    spec.argv = argv;
    assert_ok(child_start(&spec, &c, &e));
    store_close(a);
    assert_ok(store_lock(b, &e));
    store_close(b);
}

/* Somebody removes the file under the holder: the next one must not lock a file without a name. */
static void a_removed_file_is_made_again(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct store *a = fixture_open(f), *b = fixture_open(f);

    assert_ok(store_lock(a, &e));
    store_unlock(a);
    assert_int_equal(unlink(fixture_path(f, "lock")), 0);
    assert_ok(store_lock(a, &e));
    assert_int_equal(store_lock(b, &e), ERR_LOCKED);
    store_close(a);
    store_close(b);
}

#define test(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(one_holds_it),
        test(it_is_given_back),
        test(children_do_not_inherit_it),
        test(a_removed_file_is_made_again),
    };
    return cmocka_run_group_tests_name("store lock", tests, NULL, NULL);
}
