#include "mirrorctl/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each test stands in an empty folder of its own. */
static int enter(void **state)
{
    char folder[] = "/tmp/mirrorctl-file-XXXXXX";
    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        return -1;
    *state = mem_strdup(folder);
    return 0;
}

static int leave(void **state)
{
    const char *const argv[] = {"rm", "-rf", *state, NULL};
    struct child_spec spec = CHILD_SPEC_INIT;
    CLEANUP(child_result_release) struct child_result r = child_result_init(1024);
    struct err e = ERR_INIT;

    spec.argv = argv;
    int failed = chdir("/");
    if (child_run(&spec, &r, &e) != ERR_OK)
        failed = -1;
    free(*state);
    return failed;
}

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

static void assert_holds(const char *path, const char *text)
{
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf b = BUF_INIT(1 << 20);
    assert_int_equal(file_read(path, &b, &e), ERR_OK);
    assert_string_equal(buf_str(&b), text);
}

static size_t entries(const char *folder)
{
    size_t n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    (void)closedir(d);
    return n - 2;
}

static unsigned mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void reads_behind_what_is_there(void **state UNUSED)
{
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf b = BUF_INIT(100);

    put("f", "two");
    assert_int_equal(buf_addstr(&b, "one ", &e), ERR_OK);
    assert_int_equal(file_read("f", &b, &e), ERR_OK);
    assert_string_equal(buf_str(&b), "one two");
    put("empty", "");
    assert_int_equal(file_read("empty", &b, &e), ERR_OK);
    assert_string_equal(buf_str(&b), "one two");
}

static void read_failures_leave_the_buffer(void **state UNUSED)
{
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf b = BUF_INIT(8);

    put("f", "0123456789");
    assert_int_equal(buf_addstr(&b, "x", &e), ERR_OK);
    assert_int_equal(file_read("f", &b, &e), ERR_LIMIT);
    assert_string_equal(e.text, "cannot read 'f': more than 8 bytes");
    assert_string_equal(buf_str(&b), "x");
    assert_int_equal(file_read("absent", &b, &e), ERR_NOT_FOUND);
    assert_string_equal(e.text, "cannot read 'absent': No such file or directory");
    assert_int_equal(file_read("f/below", &b, &e), ERR_NOT_FOUND);
    assert_int_equal(file_read(".", &b, &e), ERR_IO);
    assert_string_equal(buf_str(&b), "x");
}

static void dash_is_standard_input(void **state UNUSED)
{
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf b = BUF_INIT(100);

    put("f", "from stdin");
    int saved = dup(STDIN_FILENO), fd = open("f", O_RDONLY | O_CLOEXEC);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(file_read("-", &b, &e), ERR_OK);
    assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0); /* it is not ours to close */
    (void)dup2(saved, STDIN_FILENO);
    fd_closep(&saved);
    fd_closep(&fd);
    assert_int_equal(fd, -1);
    assert_string_equal(buf_str(&b), "from stdin");
}

static void write_creates_and_replaces(void **state UNUSED)
{
    struct err e = ERR_INIT;

    (void)umask(077); /* the mode is the caller's word, whatever the umask */
    assert_int_equal(file_write_atomic("f", "one", 3, 0644, &e), ERR_OK);
    assert_holds("f", "one");
    assert_int_equal(mode_of("f"), 0644);
    assert_int_equal(file_write_atomic("./f", "two", 3, 0600, &e), ERR_OK);
    assert_holds("f", "two");
    assert_int_equal(mode_of("f"), 0600);
    assert_int_equal(file_write_atomic("f", NULL, 0, 0600, &e), ERR_OK);
    assert_holds("f", "");
    assert_int_equal(entries("."), 1);
    (void)umask(022);
}

static void a_reader_keeps_the_old_file(void **state UNUSED)
{
    struct err e = ERR_INIT;
    char text[8] = "";

    put("f", "old");
    CLEANUP(fd_closep) int fd = open("f", O_RDONLY | O_CLOEXEC);
    assert_int_equal(file_write_atomic("f", "new", 3, 0600, &e), ERR_OK);
    assert_int_equal(read(fd, text, sizeof(text)), 3);
    assert_string_equal(text, "old");
}

static void write_takes_the_longest_names(void **state UNUSED)
{
    struct err e = ERR_INIT;
    char name[256];

    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(file_write_atomic(name, "x", 1, 0600, &e), ERR_OK);
    assert_holds(name, "x");
}

static void a_failed_write_leaves_nothing(void **state UNUSED)
{
    struct err e = ERR_INIT;

    assert_int_equal(file_write_atomic("absent/f", "x", 1, 0600, &e), ERR_IO);
    assert_int_equal(file_write_atomic("f/", "x", 1, 0600, &e), ERR_IO);
    assert_int_equal(file_write_atomic("", "x", 1, 0600, &e), ERR_IO);
    assert_int_equal(mkdir("folder", 0700), 0);
    assert_int_equal(file_write_atomic("folder", "x", 1, 0600, &e), ERR_IO); /* rename fails */
    assert_string_equal(e.text, "cannot write 'folder': Is a directory");
    assert_int_equal(entries("."), 1);
    assert_int_equal(entries("folder"), 0);
}

static void folders_are_made_with_parents(void **state UNUSED)
{
    struct err e = ERR_INIT;

    assert_int_equal(dir_make("a/b//c/", 0700, &e), ERR_OK);
    assert_int_equal(mode_of("a"), 0700);
    assert_int_equal(mode_of("a/b/c"), 0700);
    assert_int_equal(dir_make("a/b/c", 0755, &e), ERR_OK);
    assert_int_equal(mode_of("a/b/c"), 0700);
    assert_int_equal(dir_make("/", 0755, &e), ERR_OK);
    put("f", "");
    assert_int_equal(dir_make("f/x", 0700, &e), ERR_IO);
    assert_string_equal(e.text, "cannot make folder 'f': Not a directory");
    assert_int_equal(dir_make("", 0700, &e), ERR_IO);
}

static void paths(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();

    assert_string_equal(path_join(a, "d", "n"), "d/n");
    assert_string_equal(path_join(a, "/", "n"), "/n");
    assert_string_equal(path_join(a, "", "n"), "n");
    assert_string_equal(path_join(a, "d", "/n"), "/n");
    assert_string_equal(path_dir(a, "a/b"), "a");
    assert_string_equal(path_dir(a, "a//b//"), "a");
    assert_string_equal(path_dir(a, "/a"), "/");
    assert_string_equal(path_dir(a, "/"), "/");
    assert_string_equal(path_dir(a, "a"), ".");
    assert_string_equal(path_dir(a, ""), ".");
}

static void home(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    char *before = arena_strdup(a, getenv("HOME"));

    (void)setenv("HOME", "/h", 1);
    assert_string_equal(path_expand(a, "~/x"), "/h/x");
    assert_string_equal(path_expand(a, "~"), "/h");
    assert_string_equal(path_expand(a, "~user/x"), "~user/x");
    assert_string_equal(path_expand(a, "a/~/x"), "a/~/x");
    (void)unsetenv("HOME");
    assert_string_equal(path_expand(a, "~/x"), "~/x");
    if (before != NULL)
        (void)setenv("HOME", before, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_behind_what_is_there, enter, leave),
        cmocka_unit_test_setup_teardown(read_failures_leave_the_buffer, enter, leave),
        cmocka_unit_test_setup_teardown(dash_is_standard_input, enter, leave),
        cmocka_unit_test_setup_teardown(write_creates_and_replaces, enter, leave),
        cmocka_unit_test_setup_teardown(a_reader_keeps_the_old_file, enter, leave),
        cmocka_unit_test_setup_teardown(write_takes_the_longest_names, enter, leave),
        cmocka_unit_test_setup_teardown(a_failed_write_leaves_nothing, enter, leave),
        cmocka_unit_test_setup_teardown(folders_are_made_with_parents, enter, leave),
        cmocka_unit_test(paths),
        cmocka_unit_test(home),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
