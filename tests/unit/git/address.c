#include "../../../src/git/address.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void takes_addresses_apart(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    static const struct {
        const char *url;
        enum address_form form;
        const char *user, *host, *port, *path;
    } ROWS[] = {
        {"https://github.com/o/r.git", ADDRESS_HTTP, NULL, "github.com", NULL, "/o/r.git"},
        {"https://GitHub.com/o/r/", ADDRESS_HTTP, NULL, "github.com", NULL, "/o/r"},
        {"http://127.0.0.1:8080/x", ADDRESS_HTTP, NULL, "127.0.0.1:8080", NULL, "/x"},
        {"ssh://git@h.example:2222/srv/r", ADDRESS_SSH, "git", "h.example", "2222", "/srv/r"},
        {"ssh://h.example/~me/r", ADDRESS_SSH, NULL, "h.example", NULL, "~me/r"},
        {"ssh://git@[::1]:22/r", ADDRESS_SSH, "git", "::1", "22", "/r"},
        {"ssh://h/a%20b", ADDRESS_SSH, NULL, "h", NULL, "/a b"},
        {"git@github.com:o/r.git", ADDRESS_SSH, "git", "github.com", NULL, "o/r.git"},
        {"host:path", ADDRESS_SSH, NULL, "host", NULL, "path"},
        {"[::1]:path", ADDRESS_SSH, NULL, "::1", NULL, "path"},
        {"/srv/it's here", ADDRESS_LOCAL, NULL, NULL, NULL, "/srv/it's here"},
        {"file:///srv/a%2Fb", ADDRESS_LOCAL, NULL, NULL, NULL, "/srv/a/b"},
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct err e = ERR_INIT;
        struct address at;
        if (git_address_parse(a, ROWS[i].url, &at, &e) != ERR_OK)
            fail_msg("%s: %s", ROWS[i].url, e.text);
        assert_int_equal(at.form, ROWS[i].form);
        assert_true(str_eq(at.user, ROWS[i].user) && str_eq(at.host, ROWS[i].host));
        assert_true(str_eq(at.port, ROWS[i].port) && str_eq(at.path, ROWS[i].path));
        assert_int_equal(git_check_url(ROWS[i].url, &e), ERR_OK);
    }
}

static void refuses_bad_addresses(void **state)
{
    (void)state;
    static const char *const ROWS[] = {
        "",
        "x",
        "./x",
        "../x",
        "ftp://h/x",
        "git://h/x",
        "ext::sh -c x",
        "-oProxyCommand=x:y",
        "https://user:secret@h/x",
        "https://token@h/x",
        "http://example.com/x",
        "https://h",
        "https://h/",
        "https://h/x?y",
        "https:///x",
        "ssh://-oProxyCommand=x/y",
        "ssh://u:secret@h/x",
        "ssh://h",
        "ssh://h/",
        "ssh://h:0/x",
        "ssh://h:99999/x",
        "ssh://h:/x",
        "ssh://[::1/x",
        "ssh://h/%zz",
        "ssh://h/%0a",
        "-u@h:x",
        "u@-h:x",
        "u:secret@h:x",
        "h:",
        "h:-x",
        "h$(id):x",
        "u`id`@h:x",
        "a\nb:c",
        "file://host/x",
        "file://x",
        "ssh://h;id/x",
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct err e = ERR_INIT;
        if (git_check_url(ROWS[i], &e) != ERR_USAGE)
            fail_msg("'%s' is taken", ROWS[i]);
        assert_true(e.text[0] != '\0');
        assert_null(strstr(e.text, "secret@"));
        assert_null(strstr(e.text, "token@"));
    }
}

static void knows_the_same_repository(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    static const struct {
        const char *x, *y;
        bool same;
    } ROWS[] = {
        {"https://github.com/o/r.git", "git@github.com:o/r", true},
        {"https://github.com/O/r", "ssh://git@ssh.github.com:443/o/r.git", true},
        {"https://github.com/o/r", "https://github.com/o/r2", false},
        {"https://github.com/o/r", "https://gitlab.com/o/r", false},
        {"/tmp/.", "file:///tmp", true},
        {"/tmp", "git@github.com:tmp", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct err e = ERR_INIT;
        struct address x, y;
        assert_int_equal(git_address_parse(a, ROWS[i].x, &x, &e), ERR_OK);
        assert_int_equal(git_address_parse(a, ROWS[i].y, &y, &e), ERR_OK);
        assert_int_equal(address_same(&x, &y), ROWS[i].same);
    }
}

static bool has(const char *const *argv, const char *word)
{
    for (; *argv != NULL; argv++) {
        if (str_eq(*argv, word))
            return true;
    }
    return false;
}

static void builds_the_ssh_command(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct err e = ERR_INIT;
    struct address at;
    struct git_credential c = {.ssh_key = "/k%y", .known_hosts = "/my hosts"};

    assert_int_equal(git_address_parse(a, "ssh://git@h:2222/it's", &at, &e), ERR_OK);
    const char *const *argv = address_argv(a, &at, &c, "git-receive-pack");
    size_t n = 0;
    while (argv[n] != NULL)
        n++;
    assert_string_equal(argv[0], "ssh");
    assert_true(has(argv, "-oBatchMode=yes") && has(argv, "-oStrictHostKeyChecking=yes"));
    assert_true(has(argv, "-oIdentitiesOnly=yes") && has(argv, "/k%%y"));
    assert_true(has(argv, "-oUserKnownHostsFile=\"/my hosts\"") && has(argv, "2222"));
    assert_string_equal(argv[n - 3], "--");
    assert_string_equal(argv[n - 2], "git@h");
    assert_string_equal(argv[n - 1], "git-receive-pack '/it'\\''s'");
    assert_int_equal(git_address_parse(a, "/srv/r", &at, &e), ERR_OK);
    argv = address_argv(a, &at, &c, "git-receive-pack");
    assert_string_equal(argv[1], "receive-pack");
    assert_string_equal(argv[2], "/srv/r");
    assert_null(argv[3]);
}

static void checks_names(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"refs/heads/main", "refs/tags/v1.0", "refs/x/y/z"};
    static const char *const BAD[] = {"main",
                                      "refs/heads/",
                                      "refs/heads/a..b",
                                      "refs/heads/a b",
                                      "refs/heads/x.lock",
                                      "refs/heads/@{x",
                                      "",
                                      "refs/heads/a\nb"};
    static const char *const GOOD_GLOBS[] = {"refs/heads/*", "refs/tags/v[0-9]*", "refs/heads/?"};
    static const char *const BAD_GLOBS[] = {
        "heads/*",       "*",           "refs/heads/a b", "refs/heads/..*",
        "refs/heads/x^", "refs/heads/", "refs/heads/\n"};
    struct err e = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(GOOD); i++)
        assert_int_equal(git_check_ref_name(GOOD[i], &e), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
        assert_int_equal(git_check_ref_name(BAD[i], &e), ERR_INVALID);
    for (size_t i = 0; i < ARRAY_LEN(GOOD_GLOBS); i++)
        assert_int_equal(git_check_ref_glob(GOOD_GLOBS[i], &e), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(BAD_GLOBS); i++)
        assert_int_equal(git_check_ref_glob(BAD_GLOBS[i], &e), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_addresses_apart),
        cmocka_unit_test(refuses_bad_addresses),
        cmocka_unit_test(knows_the_same_repository),
        cmocka_unit_test(builds_the_ssh_command),
        cmocka_unit_test(checks_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
