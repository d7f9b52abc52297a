#include "fixture.h"

#include <sys/resource.h>

/*
 * A file size limit stands for the full disk: it needs no privileges and stops a write at the same
 * places. Whatever step it meets, the answer is ERR_IO and the state is what it was.
 */
static void limit_files(rlim_t bytes)
{
    const struct rlimit limit = {bytes, RLIM_INFINITY};

    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void assert_same(struct fixture *f, const char *truth)
{
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf seen = BUF_INIT(1 << 20);
    struct store *s = fixture_open(f);

    assert_ok(describe(s, SLAVES, &seen, &e));
    assert_string_equal(buf_str(&seen), truth);
    store_close(s);
}

/* In a child, since a limit once lowered stays with cmocka's own output files. */
static int in_child(struct fixture *f, void (*fn)(struct fixture *))
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        fn(f);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void write_until_full(struct fixture *f)
{
    struct err e = ERR_INIT;
    struct store *s = NULL;
    char *value = mem_alloc(20001);
    bool met = false;

    memset(value, 'v', 20000);
    if (store_open(f->dir, NULL, &s, &e) != ERR_OK)
        _exit(1);
    limit_files(200 << 10);
    for (int i = 0; i < 100 && !met; i++) {
        struct resource r = fixture_resource(KIND_VARIABLE, "BIG", value);
        struct resource other = fixture_resource(KIND_VARIABLE, "OTHER", value);
        const struct ledger_change c[] = {{.put = &r}, {.put = &other}};
        value[0] = (char)('a' + i % 26);
        enum err_code code = store_ledger_change(s, "full", c, 2, &e);
        if (code == ERR_OK)
            continue;
        met = true;
        if (code != ERR_IO || strstr(e.text, f->dir) == NULL)
            _exit(2);
    }
    if (!met)
        _exit(3);
    /* What was there can still be read, and is whole. */
    struct view v;
    view_init(&v, f->arena);
    if (store_ledger(s, "eu", &v, &e) != ERR_OK || v.n != 40)
        _exit(4);
    view_init(&v, f->arena);
    if (store_ledger(s, "full", &v, &e) != ERR_OK || v.n != 2 ||
        v.items[0].value[0] != v.items[1].value[0])
        _exit(5);
    limit_files(RLIM_INFINITY); /* somebody made room */
    struct resource r = fixture_resource(KIND_VARIABLE, "BIG", "1");
    const struct ledger_change c[] = {{.put = &r}};
    if (store_ledger_change(s, "full", c, 1, &e) != ERR_OK)
        _exit(6);
    const struct ledger_change gone[] = {{.drop_kind = KIND_VARIABLE, .drop_name = "BIG"},
                                         {.drop_kind = KIND_VARIABLE, .drop_name = "OTHER"}};
    if (store_ledger_change(s, "full", gone, 2, &e) != ERR_OK)
        _exit(7);
    store_close(s);
    free(value);
}

static void a_full_disk_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf truth = BUF_INIT(1 << 20);
    struct store *s = fixture_open(f);
    fill(s);
    assert_ok(describe(s, SLAVES, &truth, &e));
    store_close(s);

    assert_int_equal(in_child(f, write_until_full), 0);
    assert_same(f, buf_str(&truth));
}

static rlim_t room;

static void create_in_room(struct fixture *f)
{
    struct err e = ERR_INIT;
    struct store *s = NULL;

    limit_files(room);
    enum err_code r = store_open(f->dir, NULL, &s, &e);
    store_close(s);
    _exit(r == ERR_OK ? 0 : r == ERR_IO ? 10 : 1);
}

/* A creation that meets the end of the disk at any of its steps is completed by the next one. */
static void a_creation_without_room_is_completed(void **state)
{
    struct fixture *f = *state;
    int failed = 0;

    for (room = 0; room < 160 << 10; room = room < 512 ? room + 40 : room + 4096) {
        fixture_wipe(f->dir);
        int r = in_child(f, create_in_room);
        if (r != 0 && r != 10)
            fail_msg("with %lu bytes: exit %d", (unsigned long)room, r);
        failed += r == 10 ? 1 : 0;
        struct store *s = fixture_open(f);
        fill(s);
        store_close(s);
        store_close(fixture_open(f));
    }
    print_message("%d creations failed\n", failed);
    assert_true(failed > 5);
}

#define test(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_full_disk_changes_nothing),
        test(a_creation_without_room_is_completed),
    };
    return cmocka_run_group_tests_name("store full", tests, NULL, NULL);
}
