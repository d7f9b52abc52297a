#include "fixture.h"

static void shares_values(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    CLEANUP(secret_loader_freep) struct secret_loader *l = secret_loader_new(f->dir);
    const struct secret *a = NULL, *b = NULL, *c = NULL;
    char name[] = "ONE";
    struct value_source one = {.type = SOURCE_ENV_FILE, .path = ".env", .name = name};
    struct value_source same = {
        .type = SOURCE_ENV_FILE, .path = ".env", .name = "ONE", .origin = "mirrors.yaml:9:1"};
    struct value_source two = {.type = SOURCE_ENV_FILE, .path = ".env", .name = "TWO"};

    (void)fixture_text(f, ".env", "ONE=1\nTWO=2\n");
    assert_int_equal(secret_loader_get(l, &one, &a, &e), ERR_OK);
    name[0] = 'X'; /* the caller's words are its own */
    assert_int_equal(secret_loader_get(l, &same, &b, &e), ERR_OK);
    assert_ptr_equal(a, b);
    assert_secret(a, "1");

    /* The file is parsed once: in one pass all see the same. */
    (void)fixture_text(f, ".env", "ONE=changed\nTWO=changed\n");
    assert_int_equal(secret_loader_get(l, &two, &c, &e), ERR_OK);
    assert_secret(c, "2");
}

static size_t count_runs(struct fixture *f)
{
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf b = BUF_INIT(1000);
    assert_int_equal(file_read(path_join(f->arena, f->dir, "runs"), &b, &e), ERR_OK);
    return b.len;
}

static void runs_a_command_once(void **state)
{
    struct fixture *f = *state;
    CLEANUP(secret_loader_freep) struct secret_loader *l = secret_loader_new(f->dir);
    const char *const good[] = {"sh", "-c", "printf x >>runs; echo " CANARY, NULL};
    const char *const bad[] = {"sh", "-c", "printf x >>runs; exit 1", NULL};
    const char *const other[] = {"sh", "-c", "printf x >>runs; echo " CANARY, "more", NULL};
    struct value_source src = {.type = SOURCE_COMMAND, .argv = good};

    for (int i = 0; i < 3; i++) {
        struct err e = ERR_INIT;
        const struct secret *s = NULL;
        src.argv = good;
        assert_int_equal(secret_loader_get(l, &src, &s, &e), ERR_OK);
        assert_secret(s, CANARY);
        src.argv = other;
        assert_int_equal(secret_loader_get(l, &src, &s, &e), ERR_OK);
        s = NULL;
        src.argv = bad;
        assert_int_equal(secret_loader_get(l, &src, &s, &e), ERR_UNAVAILABLE);
        assert_null(s);
        assert_error(&e, ERR_UNAVAILABLE, "status 1");
    }
    assert_int_equal(count_runs(f), 3);
}

static void remembers_failures(void **state)
{
    struct fixture *f = *state;
    CLEANUP(secret_loader_freep) struct secret_loader *l = secret_loader_new(f->dir);
    struct value_source src = {.type = SOURCE_ENV_FILE, .path = "late.env", .name = "ONE"};
    struct value_source two = {.type = SOURCE_ENV_FILE, .path = "late.env", .name = "TWO"};

    for (int i = 0; i < 2; i++) {
        struct err e = ERR_INIT;
        const struct secret *s = NULL;
        assert_int_equal(secret_loader_get(l, &src, &s, &e), ERR_NOT_FOUND);
        assert_error(&e, ERR_NOT_FOUND, "late.env");
        assert_int_equal(secret_loader_get(l, &two, &s, &e), ERR_NOT_FOUND);
        assert_null(s);
        (void)fixture_text(f, "late.env", "ONE=1\n");
    }
}

/* 1,000 slaves with 17 values each: one lookup of the tree apiece. */
static void serves_many(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    CLEANUP(secret_loader_freep) struct secret_loader *l = secret_loader_new(f->dir);
    CLEANUP(buf_release) struct buf text = BUF_INIT(LIMIT_ENV_FILE_BYTES);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buf_addf(&text, &e, "TOKEN_%d=%d\n", i, i), ERR_OK);
    (void)fixture_file(f, "many.env", text.data, text.len, 0600);

    for (int i = 0; i < 17000; i++) {
        char name[32];
        const struct secret *s = NULL;
        (void)snprintf(name, sizeof(name), "TOKEN_%d", i % 1000);
        struct value_source src = {.type = SOURCE_ENV_FILE, .path = "many.env", .name = name};
        assert_int_equal(secret_loader_get(l, &src, &s, &e), ERR_OK);
        assert_secret(s, name + strlen("TOKEN_"));
    }
    secret_loader_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_values),
        cmocka_unit_test(runs_a_command_once),
        cmocka_unit_test(remembers_failures),
        cmocka_unit_test(serves_many),
    };
    return cmocka_run_group_tests_name("secrets loader", tests, fixture_setup, fixture_teardown);
}
