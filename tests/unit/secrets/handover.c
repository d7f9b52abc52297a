#include "fixture.h"

#include <errno.h>

static void assert_yields(int fd, const char *text)
{
    char bytes[256] = "";
    size_t n = 0;

    for (ssize_t got; (got = read(fd, bytes + n, sizeof(bytes) - 1 - n)) > 0;)
        n += (size_t)got;
    assert_int_equal(n, strlen(text));
    assert_string_equal(bytes, text);
}

static void yields_once_and_ends(void **state)
{
    static const char *const CASES[][3] = {
        {"username=x\npassword=", "\n", "username=x\npassword=" CANARY "\n"},
        {"",                      "",   CANARY                             },
        {NULL,                    NULL, CANARY                             },
    };
    CLEANUP(secret_freep) struct secret *s = secret_new(CANARY, strlen(CANARY));
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        struct err e = ERR_INIT;
        CLEANUP(fd_closep) int fd = -1;
        assert_int_equal(secret_fd(s, CASES[i][0], CASES[i][1], &fd, &e), ERR_OK);
        assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        assert_yields(fd, CASES[i][2]);
    }
}

static void cannot_be_written(void **state)
{
    struct err e = ERR_INIT;
    CLEANUP(secret_freep) struct secret *s = secret_new(CANARY, strlen(CANARY));
    CLEANUP(fd_closep) int fd = -1;
    (void)state;

    assert_int_equal(secret_fd(s, NULL, NULL, &fd, &e), ERR_OK);
    errno = 0;
    assert_int_equal(write(fd, "x", 1), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(fd, 0), -1);
}

/* The way it is used: a child reads it as descriptor 9. */
static void reaches_a_child(void **state)
{
    struct err e = ERR_INIT;
    CLEANUP(secret_freep) struct secret *s = secret_new(CANARY, strlen(CANARY));
    CLEANUP(fd_closep) int fd = -1;
    CLEANUP(child_result_release) struct child_result r = child_result_init(1000);
    struct child_spec c = CHILD_SPEC_INIT;
    const char *const argv[] = {"sh", "-c", "cat <&9", NULL};
    (void)state;

    assert_int_equal(secret_fd(s, "password=", "\n", &fd, &e), ERR_OK);
    c.argv = argv;
    c.secret_fd = fd;
    c.deadline.v = 10000;
    assert_int_equal(child_run(&c, &r, &e), ERR_OK);
    assert_string_equal(buf_str(&r.out), "password=" CANARY "\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yields_once_and_ends),
        cmocka_unit_test(cannot_be_written),
        cmocka_unit_test(reaches_a_child),
    };
    return cmocka_run_group_tests_name("secrets handover", tests, fixture_setup, fixture_teardown);
}
