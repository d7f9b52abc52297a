#include "fixture.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void keeps_the_bytes(void **state)
{
    static const struct expected CASES[] = {
        {"",              0 },
        {"a",             1 },
        {"with\0a NUL",   10},
        {"line\nline\n",  10},
        {"\xff\xfe\x00x", 4 },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        CLEANUP(secret_freep) struct secret *s = secret_new(CASES[i].bytes, CASES[i].n);
        assert_secret_bytes(s, CASES[i].bytes, CASES[i].n);
    }
}

static void keeps_large_values(void **state)
{
    (void)state;
    /* Around page sizes the bytes end exactly at a guard page. */
    for (size_t n = 4090; n < 4100; n++) {
        char *bytes = mem_alloc(n);
        memset(bytes, 'x', n);
        CLEANUP(secret_freep) struct secret *s = secret_new(bytes, n);
        assert_secret_bytes(s, bytes, n);
        free(bytes);
    }
}

static void compares(void **state)
{
    (void)state;
    CLEANUP(secret_freep) struct secret *a = secret_new("abc", 3);
    CLEANUP(secret_freep) struct secret *same = secret_new("abc", 3);
    CLEANUP(secret_freep) struct secret *other = secret_new("abd", 3);
    CLEANUP(secret_freep) struct secret *longer = secret_new("abcd", 4);
    CLEANUP(secret_freep) struct secret *empty = secret_new("", 0);
    CLEANUP(secret_freep) struct secret *void_too = secret_new(NULL, 0);

    assert_true(secret_eq(a, a));
    assert_true(secret_eq(a, same));
    assert_false(secret_eq(a, other));
    assert_false(secret_eq(a, longer));
    assert_false(secret_eq(longer, a));
    assert_false(secret_eq(a, empty));
    assert_true(secret_eq(empty, void_too));
    assert_false(secret_eq(a, NULL));
    assert_true(secret_eq(NULL, NULL));
}

static enum err_code refuse(const char *bytes, size_t n, void *ctx, struct err *e)
{
    (void)bytes;
    (void)n;
    (void)ctx;
    return err_set(e, ERR_PERMISSION, "not today");
}

static void hands_on_the_borrowers_error(void **state)
{
    struct err e = ERR_INIT;
    (void)state;
    CLEANUP(secret_freep) struct secret *s = secret_new(CANARY, strlen(CANARY));

    assert_int_equal(secret_lend(s, refuse, NULL, &e), ERR_PERMISSION);
    assert_error(&e, ERR_PERMISSION, "not today");
    secret_free(NULL);
}

static void forbids_core_dumps(void **state)
{
    struct rlimit limit;
    struct err e = ERR_INIT;
    (void)state;

    assert_int_equal(secrets_init(&e), ERR_OK); /* once more: idempotent */
    assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
    assert_int_equal(limit.rlim_cur, 0);
    assert_int_equal(limit.rlim_max, 0);
    assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
}

static enum err_code keep_address(const char *bytes, size_t n, void *ctx, struct err *e)
{
    (void)n;
    (void)e;
    *(const char **)ctx = bytes;
    return ERR_OK;
}

/* How the process that does it ends: writing to a value, or reading one that was freed, kills. */
static int fate_of(bool write, bool after_free)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct err e = ERR_INIT;
        const char *bytes = NULL;
        struct secret *s = secret_new(CANARY, strlen(CANARY));
        (void)signal(SIGSEGV, SIG_DFL); /* not the sanitizer's */
        (void)secret_lend(s, keep_address, &bytes, &e);
        if (after_free)
            secret_free(s);
        volatile char *p = (volatile char *)(uintptr_t)bytes;
        if (write)
            *p = 'x';
        _exit(*p == 'c' ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void is_out_of_reach(void **state)
{
    (void)state;
    assert_int_equal(fate_of(false, false), 0);
    assert_int_equal(fate_of(true, false), SIGSEGV);
    assert_int_equal(fate_of(false, true), SIGSEGV);
}

/* Without the right to lock memory values load all the same. */
static void lives_without_mlock(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit none = {0, 0};
        char page[1];
        if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setuid(65534) != 0))
            _exit(2);
        /* By syscall: AddressSanitizer turns mlock(3) into nothing. */
        bool locked = syscall(SYS_mlock, page, sizeof(page)) == 0;
        struct secret *a = secret_new("abc", 3), *b = secret_new("abc", 3);
        bool good = !locked && secret_eq(a, b);
        secret_free(a);
        secret_free(b);
        _exit(good ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_bytes),
        cmocka_unit_test(keeps_large_values),
        cmocka_unit_test(compares),
        cmocka_unit_test(hands_on_the_borrowers_error),
        cmocka_unit_test(forbids_core_dumps),
        cmocka_unit_test(is_out_of_reach),
        cmocka_unit_test(lives_without_mlock),
    };
    struct err e = ERR_INIT;
    if (secrets_init(&e) != ERR_OK)
        return 1;
    return cmocka_run_group_tests_name("secrets memory", tests, NULL, NULL);
}
