#include "mirrorctl/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

/* Children that are talked to: child_start, child_read, child_write, child_wait. */

static const struct ms IDLE = {20000}; /* where no time-out is expected */

static struct child *start(const char *script)
{
    struct err e = ERR_INIT;
    const char *const argv[] = {"sh", "-c", script, NULL};
    struct child_spec spec = CHILD_SPEC_INIT;
    struct child *c = NULL;

    spec.argv = argv;
    if (child_start(&spec, &c, &e) != ERR_OK)
        fail_msg("%s", e.text);
    return c;
}

static int64_t now_ms(void)
{
    return clock_mono(&clock_system).ms;
}

static void a_conversation(void **state UNUSED)
{
    struct err e = ERR_INIT;
    CLEANUP(child_freep)
    struct child *c = start("while read l; do echo \"<$l>\"; done; echo bye >&2; exit 4");
    char text[64];
    size_t n = 0;
    int status = -1;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(child_write(c, "ping\n", 5, IDLE, &e), ERR_OK);
        assert_int_equal(child_read(c, text, sizeof(text), IDLE, &n, &e), ERR_OK);
        assert_int_equal(n, 7);
        assert_memory_equal(text, "<ping>\n", 7);
    }
    child_close_stdin(c);
    assert_int_equal(child_write(c, "x", 1, IDLE, &e), ERR_IO);
    assert_int_equal(child_read(c, text, sizeof(text), IDLE, &n, &e), ERR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(child_wait(c, IDLE, &status, &e), ERR_OK);
    assert_int_equal(status, 4);
    assert_string_equal(child_stderr(c), "bye\n");
    assert_int_equal(child_wait(c, IDLE, &status, &e), ERR_OK); /* asking again is harmless */
    assert_int_equal(status, 4);
}

static void what_was_written_can_be_read_after_the_end(void **state UNUSED)
{
    struct err e = ERR_INIT;
    CLEANUP(child_freep) struct child *c = start("echo last");
    char text[64];
    size_t n = 0;
    int status = -1;

    assert_int_equal(child_wait(c, IDLE, &status, &e), ERR_OK);
    assert_int_equal(child_read(c, text, sizeof(text), IDLE, &n, &e), ERR_OK);
    assert_int_equal(n, 5);
    assert_int_equal(child_read(c, text, sizeof(text), IDLE, &n, &e), ERR_OK);
    assert_int_equal(n, 0);
}

static void silence_times_out_but_does_not_kill(void **state UNUSED)
{
    struct err e = ERR_INIT;
    CLEANUP(child_freep) struct child *c = start("read l; echo \"$l\"");
    char text[64];
    size_t n = 99;
    int status = -1;

    assert_int_equal(child_read(c, text, sizeof(text), (struct ms){150}, &n, &e), ERR_TIMEOUT);
    assert_string_equal(e.text, "'sh' sent nothing within 150 ms");
    assert_int_equal(n, 99);
    assert_int_equal(child_wait(c, (struct ms){150}, &status, &e), ERR_TIMEOUT);
    assert_int_equal(child_write(c, "still here\n", 11, IDLE, &e), ERR_OK);
    assert_int_equal(child_read(c, text, sizeof(text), IDLE, &n, &e), ERR_OK);
    assert_memory_equal(text, "still here\n", 11);
}

static void a_child_that_takes_no_input_times_out(void **state UNUSED)
{
    struct err e = ERR_INIT;
    CLEANUP(child_freep) struct child *c = start("sleep 60");
    char *bytes = mem_alloc(4 << 20);

    assert_int_equal(child_write(c, bytes, 4 << 20, (struct ms){200}, &e), ERR_TIMEOUT);
    free(bytes);
}

/* SIGPIPE would end this test program. */
static void writing_to_the_dead_is_an_error(void **state UNUSED)
{
    struct err e = ERR_INIT;
    CLEANUP(child_freep) struct child *c = start("exit 0");
    int status = -1;

    assert_int_equal(child_wait(c, IDLE, &status, &e), ERR_OK);
    assert_int_equal(child_write(c, "x", 1, IDLE, &e), ERR_IO);
    assert_string_equal(e.text, "cannot write to 'sh': Broken pipe");
}

static void the_deadline_of_the_run_counts_everywhere(void **state UNUSED)
{
    struct err e = ERR_INIT;
    const char *const argv[] = {"sleep", "60", NULL};
    struct child_spec spec = CHILD_SPEC_INIT;
    CLEANUP(child_freep) struct child *c = NULL;
    char byte;
    size_t n = 0;
    int status = -1;

    spec.argv = argv;
    spec.deadline.v = 250;
    assert_int_equal(child_start(&spec, &c, &e), ERR_OK);
    assert_int_equal(child_read(c, &byte, 1, (struct ms){0}, &n, &e), ERR_TIMEOUT);
    assert_string_equal(e.text, "'sleep' did not finish within 250 ms");
    assert_int_equal(child_wait(c, IDLE, &status, &e), ERR_OK);
    assert_int_equal(status, 128 + 15);
}

static void free_kills(void **state UNUSED)
{
    int64_t begin = now_ms();
    struct child *c = start("exec sleep 60");
    child_freep(&c);
    assert_null(c);
    child_free(NULL);
    assert_true(now_ms() - begin < 1900);
}

static void the_end_of_stderr_is_kept(void **state UNUSED)
{
    struct err e = ERR_INIT;
    CLEANUP(child_freep)
    struct child *c = start("head -c 500000 /dev/zero | tr '\\0' x >&2; echo END >&2");
    int status = -1;

    assert_int_equal(child_wait(c, IDLE, &status, &e), ERR_OK);
    assert_int_equal(strlen(child_stderr(c)), LIMIT_CHILD_STDERR);
    assert_true(str_ends_with(child_stderr(c), "xEND\n"));
}

static void no_such_program(void **state UNUSED)
{
    struct err e = ERR_INIT;
    const char *const argv[] = {"mirrorctl-no-such-program", NULL};
    struct child_spec spec = CHILD_SPEC_INIT;
    struct child *c = NULL;

    spec.argv = argv;
    assert_int_equal(child_start(&spec, &c, &e), ERR_NOT_FOUND);
    assert_null(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conversation),
        cmocka_unit_test(what_was_written_can_be_read_after_the_end),
        cmocka_unit_test(silence_times_out_but_does_not_kill),
        cmocka_unit_test(a_child_that_takes_no_input_times_out),
        cmocka_unit_test(writing_to_the_dead_is_an_error),
        cmocka_unit_test(the_deadline_of_the_run_counts_everywhere),
        cmocka_unit_test(free_kills),
        cmocka_unit_test(the_end_of_stderr_is_kept),
        cmocka_unit_test(no_such_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
