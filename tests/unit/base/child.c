#include "mirrorctl/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEADLINE_MS = 20000 }; /* of children that are expected to end by themselves */

/* A spec for `sh -c script`; argv has room for it. */
static struct child_spec shell(const char *argv[static 4], const char *script)
{
    argv[0] = "sh";
    argv[1] = "-c";
    argv[2] = script;
    argv[3] = NULL;
    struct child_spec spec = CHILD_SPEC_INIT;
    spec.argv = argv;
    spec.deadline.v = DEADLINE_MS;
    return spec;
}

static int64_t now_ms(void)
{
    return clock_mono(&clock_system).ms;
}

/* Runs to a good end and compares stdout. */
static void assert_prints(const struct child_spec *spec, const char *expected)
{
    struct err e = ERR_INIT;
    CLEANUP(child_result_release) struct child_result r = child_result_init(1 << 20);
    enum err_code code = child_run(spec, &r, &e);
    if (code != ERR_OK)
        fail_msg("%s", e.text);
    assert_string_equal(buf_str(&r.out), expected);
    assert_int_equal(r.status, 0);
}

static void streams_and_status_come_back(void **state UNUSED)
{
    struct err e = ERR_INIT;
    const char *argv[4];
    struct child_spec spec = shell(argv, "echo out; echo err >&2; exit 7");
    CLEANUP(child_result_release) struct child_result r = child_result_init(100);

    assert_int_equal(child_run(&spec, &r, &e), ERR_OK);
    assert_int_equal(r.status, 7);
    assert_string_equal(buf_str(&r.out), "out\n");
    assert_string_equal(buf_str(&r.err), "err\n");
}

static void death_by_signal_is_128_and_more(void **state UNUSED)
{
    struct err e = ERR_INIT;
    const char *argv[4];
    struct child_spec spec = shell(argv, "kill -KILL $$");
    CLEANUP(child_result_release) struct child_result r = child_result_init(100);

    assert_int_equal(child_run(&spec, &r, &e), ERR_OK);
    assert_int_equal(r.status, 128 + SIGKILL);
}

static void assert_fails(const struct child_spec *spec, enum err_code code, const char *text)
{
    struct err e = ERR_INIT;
    CLEANUP(child_result_release) struct child_result r = child_result_init(100);
    assert_int_equal(child_run(spec, &r, &e), code);
    assert_string_equal(e.text, text);
}

static void what_cannot_start_is_told_apart(void **state UNUSED)
{
    const char *argv[] = {"mirrorctl-no-such-program", NULL};
    struct child_spec spec = CHILD_SPEC_INIT;
    spec.argv = argv;

    assert_fails(&spec, ERR_NOT_FOUND, "cannot run 'mirrorctl-no-such-program': no such program");
    argv[0] = "/nowhere/git";
    assert_fails(&spec, ERR_NOT_FOUND, "cannot run '/nowhere/git': no such program");
    argv[0] = "/dev/null";
    assert_fails(&spec, ERR_IO, "cannot run '/dev/null': Permission denied");
    argv[0] = "true";
    spec.cwd = "/nowhere";
    assert_fails(&spec, ERR_IO,
                 "cannot run 'true' in folder '/nowhere': No such file or directory");
}

/* A folder one merely stands in must not supply the program. */
static void relative_folders_of_path_do_not_count(void **state UNUSED)
{
    char folder[] = "/tmp/mirrorctl-child-XXXXXX";
    char *before = mem_strdup(getenv("PATH"));
    const char *argv[] = {"mirrorctl-evil", NULL};
    struct child_spec spec = CHILD_SPEC_INIT;
    spec.argv = argv;

    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(symlink("/bin/true", "mirrorctl-evil"), 0);
    (void)setenv("PATH", ".::/nowhere:", 1);
    assert_fails(&spec, ERR_NOT_FOUND, "cannot run 'mirrorctl-evil': no such program");
    (void)setenv("PATH", folder, 1);
    assert_prints(&spec, "");
    (void)setenv("PATH", before, 1);
    free(before);
    assert_int_equal(unlink("mirrorctl-evil"), 0);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void cwd_is_entered(void **state UNUSED)
{
    const char *argv[4];
    struct child_spec spec = shell(argv, "pwd -P");
    spec.cwd = "/";
    assert_prints(&spec, "/\n");
}

/* Far more than two pipes hold, in both directions at once. */
static void input_and_output_do_not_block_each_other(void **state UNUSED)
{
    enum { SIZE = 8 << 20 };
    struct err e = ERR_INIT;
    const char *argv[4];
    struct child_spec spec = shell(argv, "tee /dev/stderr");
    CLEANUP(child_result_release) struct child_result r = child_result_init(SIZE);
    char *bytes = mem_alloc(SIZE);

    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)('a' + i / 4096 % 26);
    spec.stdin_bytes = bytes;
    spec.stdin_len = SIZE;
    assert_int_equal(child_run(&spec, &r, &e), ERR_OK);
    assert_int_equal(r.out.len, SIZE);
    assert_memory_equal(r.out.data, bytes, SIZE);
    assert_int_equal(r.err.len, LIMIT_CHILD_STDERR);
    assert_memory_equal(r.err.data, bytes + SIZE - LIMIT_CHILD_STDERR, LIMIT_CHILD_STDERR);
    free(bytes);
}

/* SIGPIPE would end this test program. */
static void a_child_may_leave_its_input_unread(void **state UNUSED)
{
    const char *argv[4];
    struct child_spec spec = shell(argv, "exec <&-; echo done");
    char *bytes = mem_alloc(4 << 20);

    spec.stdin_bytes = bytes;
    spec.stdin_len = 4 << 20;
    assert_prints(&spec, "done\n");
    free(bytes);
    sigset_t pending;
    assert_int_equal(sigpending(&pending), 0);
    assert_int_equal(sigismember(&pending, SIGPIPE), 0);
}

static void stdin_is_null_empty_or_a_descriptor(void **state UNUSED)
{
    const char *argv[4];
    struct child_spec spec = shell(argv, "readlink /proc/self/fd/0; cat");
    int ends[2];

    assert_prints(&spec, "/dev/null\n");
    spec = shell(argv, "cat");
    spec.stdin_bytes = "";
    assert_prints(&spec, "");
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], "piped", 5), 5);
    (void)close(ends[1]);
    spec.stdin_bytes = NULL;
    spec.stdin_fd = ends[0];
    assert_prints(&spec, "piped");
    (void)close(ends[0]);
}

static void stdout_can_go_to_a_descriptor(void **state UNUSED)
{
    const char *argv[4];
    struct child_spec spec = shell(argv, "echo there");
    char text[16] = "";
    FILE *f = tmpfile();

    assert_non_null(f);
    spec.stdout_fd = fileno(f);
    assert_prints(&spec, "");
    assert_int_equal(pread(fileno(f), text, sizeof(text) - 1, 0), 6);
    assert_string_equal(text, "there\n");
    (void)fclose(f);
}

static void too_much_output_is_refused(void **state UNUSED)
{
    struct err e = ERR_INIT;
    const char *argv[4];
    struct child_spec spec = shell(argv, "exec yes");
    CLEANUP(child_result_release) struct child_result r = child_result_init(100000);

    assert_int_equal(child_run(&spec, &r, &e), ERR_LIMIT);
    assert_string_equal(e.text, "output of 'sh': more than 100000 bytes");
}

static void the_deadline_ends_it(void **state UNUSED)
{
    struct err e = ERR_INIT;
    const char *argv[4];
    struct child_spec spec = shell(argv, "echo before >&2; sleep 60");
    CLEANUP(child_result_release) struct child_result r = child_result_init(100);
    int64_t start = now_ms();

    spec.deadline.v = 300;
    assert_int_equal(child_run(&spec, &r, &e), ERR_TIMEOUT);
    assert_true(now_ms() - start >= 300 && now_ms() - start < 2200);
    assert_string_equal(e.text, "'sh' did not finish within 300 ms");
    assert_string_equal(buf_str(&r.err), "before\n");
}

/* The write end of a pipe is inherited by all; end of file proves that none of them is left. */
static void the_whole_group_is_killed_even_if_term_is_ignored(void **state UNUSED)
{
    struct err e = ERR_INIT;
    const char *argv[4];
    struct child_spec spec = shell(argv, "trap '' TERM; (sleep 60; :) & sleep 60; sleep 60");
    CLEANUP(child_result_release) struct child_result r = child_result_init(100);
    int ends[2];
    char byte;
    int64_t start = now_ms();

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    spec.secret_fd = ends[1];
    spec.deadline.v = 200;
    assert_int_equal(child_run(&spec, &r, &e), ERR_TIMEOUT);
    assert_true(now_ms() - start >= 2200 && now_ms() - start < 10000);
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    (void)close(ends[0]);
}

static volatile int stop;

static void *stop_soon(void *arg)
{
    clock_sleep(&clock_system, (struct ms){200});
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    return arg;
}

static void a_wish_to_stop_is_seen(void **state UNUSED)
{
    struct err e = ERR_INIT;
    const char *argv[4];
    struct child_spec spec = shell(argv, "sleep 60");
    CLEANUP(child_result_release) struct child_result r = child_result_init(100);
    pthread_t thread;
    int64_t start = now_ms();

    spec.interrupted = &stop;
    spec.deadline.v = 0;
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, NULL), 0);
    assert_int_equal(child_run(&spec, &r, &e), ERR_INTERRUPTED);
    assert_true(now_ms() - start < 2000);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* As `git gc --auto` does: a grandchild keeps the pipes, the program is done. */
static void a_grandchild_is_not_waited_for(void **state UNUSED)
{
    const char *argv[4];
    struct child_spec spec = shell(argv, "sleep 8 & echo hello");
    int64_t start = now_ms();
    assert_prints(&spec, "hello\n");
    assert_true(now_ms() - start < 4000);
}

static void the_environment_is_cleaned_and_added_to(void **state UNUSED)
{
    const char *const env[] = {"GIT_TERMINAL_PROMPT=0", "MIRRORCTL_B=new", NULL};
    const char *argv[4];
    struct child_spec spec = shell(argv, "env | grep -e ^GIT_ -e ^MIRRORCTL_[AB]= | sort");

    (void)setenv("GIT_DIR", "/elsewhere", 1);
    (void)setenv("GIT_CONFIG_COUNT", "1", 1);
    (void)setenv("MIRRORCTL_A", "kept", 1);
    (void)setenv("MIRRORCTL_B", "old", 1);
    spec.env = env;
    assert_prints(&spec, "GIT_TERMINAL_PROMPT=0\nMIRRORCTL_B=new\n");
    spec.env_whole = true;
    assert_prints(&spec, "GIT_TERMINAL_PROMPT=0\nMIRRORCTL_A=kept\nMIRRORCTL_B=new\n");
    spec.env = NULL;
    assert_prints(&spec, "MIRRORCTL_A=kept\nMIRRORCTL_B=old\n");
    spec.env_whole = false;
    argv[2] = "test -n \"$PATH\" && test -z \"$MIRRORCTL_A\" && echo clean";
    assert_prints(&spec, "clean\n");
    (void)unsetenv("GIT_DIR");
    (void)unsetenv("GIT_CONFIG_COUNT");
    (void)unsetenv("MIRRORCTL_A");
    (void)unsetenv("MIRRORCTL_B");
}

/* Whichever descriptor it is here, and though stdin comes from the place where it has to go. */
static void the_secret_arrives_as_descriptor_9(void **state UNUSED)
{
    const char *argv[4];
    struct child_spec spec = shell(argv, "cat; cat <&9");
    int in[2], secret[2];

    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(secret, O_CLOEXEC), 0);
    assert_int_equal(write(in[1], "input ", 6), 6);
    assert_int_equal(write(secret[1], "secret", 6), 6);
    (void)close(in[1]);
    (void)close(secret[1]);
    int saved = fcntl(9, F_DUPFD_CLOEXEC, 20); /* -1 when 9 is free */
    assert_int_equal(dup3(in[0], 9, O_CLOEXEC), 9);
    spec.stdin_fd = 9;
    spec.secret_fd = secret[0];
    assert_prints(&spec, "input secret");
    (void)close(9);
    if (saved >= 0)
        (void)dup2(saved, 9);
    fd_closep(&saved);
    (void)close(in[0]);
    (void)close(secret[0]);
}

static size_t open_descriptors(void)
{
    size_t n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    (void)closedir(d);
    return n;
}

static void descriptors_leak_neither_way(void **state UNUSED)
{
    const char *argv[] = {"ls", "/proc/self/fd", NULL};
    const char *absent[] = {"mirrorctl-no-such-program", NULL};
    struct child_spec spec = CHILD_SPEC_INIT;
    int ends[2];
    size_t before = open_descriptors();

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    spec.argv = argv;
    spec.stdin_bytes = "x";
    spec.stdin_len = 1;
    /* What this program itself was born with may be inheritable; then nothing can be said. */
    bool clean = true;
    for (int fd = 3; fd < 64; fd++)
        clean = clean && (fcntl(fd, F_GETFD) < 0 || (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    if (clean)
        assert_prints(&spec, "0\n1\n2\n3\n");
    (void)close(ends[0]);
    (void)close(ends[1]);
    spec.argv = absent;
    assert_fails(&spec, ERR_NOT_FOUND, "cannot run 'mirrorctl-no-such-program': no such program");
    assert_int_equal(open_descriptors(), before);
}

static void on_signal(int sig UNUSED)
{
}

/* A mask such as "SigBlk:\t0000000000004000\n" of /proc/PID/status. */
static unsigned long signal_set(const char *status, const char *name)
{
    const char *line = strstr(status, name);
    assert_non_null(line);
    return strtoul(line + strlen(name), NULL, 16);
}

static void signals_are_as_in_a_fresh_process(void **state UNUSED)
{
    const char *const argv[] = {"cat", "/proc/self/status", NULL};
    struct child_spec spec = CHILD_SPEC_INIT;
    struct sigaction act = {.sa_handler = on_signal}, pipe_before, usr_before;
    sigset_t set, mask_before;

    spec.argv = argv;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &set, &mask_before), 0);
    assert_int_equal(sigaction(SIGUSR1, &act, &usr_before), 0);
    act.sa_handler = SIG_IGN;
    assert_int_equal(sigaction(SIGPIPE, &act, &pipe_before), 0);

    struct err e = ERR_INIT;
    CLEANUP(child_result_release) struct child_result r = child_result_init(10000);
    assert_int_equal(child_run(&spec, &r, &e), ERR_OK);
    (void)sigaction(SIGPIPE, &pipe_before, NULL);
    (void)sigaction(SIGUSR1, &usr_before, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &mask_before, NULL);

    assert_int_equal(signal_set(buf_str(&r.out), "SigBlk:\t"), 0);
    assert_int_equal(signal_set(buf_str(&r.out), "SigCgt:\t"), 0);
    assert_int_equal(signal_set(buf_str(&r.out), "SigIgn:\t") & 1UL << (SIGPIPE - 1), 0);
}

static void *run_many(void *arg)
{
    for (int i = 0; i < 15; i++) {
        struct err e = ERR_INIT;
        const char *argv[4];
        struct child_spec spec = shell(argv, "cat; exit 3");
        CLEANUP(child_result_release) struct child_result r = child_result_init(1000);
        spec.stdin_bytes = arg;
        spec.stdin_len = strlen(arg);
        if (child_run(&spec, &r, &e) != ERR_OK || r.status != 3 || !str_eq(buf_str(&r.out), arg))
            return arg;
    }
    return NULL;
}

static void threads_run_children_at_once(void **state UNUSED)
{
    static char texts[8][8] = {"one", "two", "three", "four", "five", "six", "seven", "eight"};
    pthread_t threads[8];

    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_many, texts[i]), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_and_status_come_back),
        cmocka_unit_test(death_by_signal_is_128_and_more),
        cmocka_unit_test(what_cannot_start_is_told_apart),
        cmocka_unit_test(relative_folders_of_path_do_not_count),
        cmocka_unit_test(cwd_is_entered),
        cmocka_unit_test(input_and_output_do_not_block_each_other),
        cmocka_unit_test(a_child_may_leave_its_input_unread),
        cmocka_unit_test(stdin_is_null_empty_or_a_descriptor),
        cmocka_unit_test(stdout_can_go_to_a_descriptor),
        cmocka_unit_test(too_much_output_is_refused),
        cmocka_unit_test(the_deadline_ends_it),
        cmocka_unit_test(the_whole_group_is_killed_even_if_term_is_ignored),
        cmocka_unit_test(a_wish_to_stop_is_seen),
        cmocka_unit_test(a_grandchild_is_not_waited_for),
        cmocka_unit_test(the_environment_is_cleaned_and_added_to),
        cmocka_unit_test(the_secret_arrives_as_descriptor_9),
        cmocka_unit_test(descriptors_leak_neither_way),
        cmocka_unit_test(signals_are_as_in_a_fresh_process),
        cmocka_unit_test(threads_run_children_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
