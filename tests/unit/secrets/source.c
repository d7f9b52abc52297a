#include "fixture.h"
#include "internal.h"

#include <sys/resource.h>
#include <sys/wait.h>

/* ---- Values ---------------------------------------------------------------------------------- */

static void loads(struct fixture *f, struct value_source src, const char *text)
{
    struct err e = ERR_INIT;
    CLEANUP(secret_freep) struct secret *s = NULL;

    if (secret_load(&src, f->dir, &s, &e) != ERR_OK)
        fail_msg("%s", e.text);
    assert_secret(s, text);
}

static void fails(struct fixture *f, struct value_source src, enum err_code code, const char *word)
{
    struct err e = ERR_INIT;
    struct secret *s = NULL;

    assert_int_equal(secret_load(&src, f->dir, &s, &e), code);
    assert_null(s);
    assert_error(&e, code, word);
    if (src.type != SOURCE_NONE)
        assert_error(&e, code, value_source_describe(f->arena, &src));
}

static void from_environment(void **state)
{
    struct fixture *f = *state;
    struct value_source src = {.type = SOURCE_ENV, .name = "MIRRORCTL_TEST_SECRET"};

    (void)setenv(src.name, CANARY "\n", 1);
    loads(f, src, CANARY "\n"); /* only files and commands lose a newline */
    (void)setenv(src.name, "", 1);
    loads(f, src, "");
    char *big = mem_alloc(LIMIT_SECRET_BYTES + 2);
    memset(big, 'x', LIMIT_SECRET_BYTES + 1);
    (void)setenv(src.name, big, 1);
    fails(f, src, ERR_LIMIT, "more than 49152 bytes");
    big[LIMIT_SECRET_BYTES] = '\0';
    (void)setenv(src.name, big, 1);
    loads(f, src, big);
    free(big);
    (void)unsetenv(src.name);
    fails(f, src, ERR_NOT_FOUND, "not set");
}

static void from_file(void **state)
{
    static const char *const CASES[][2] = {
        {"abc",      "abc"   },
        {"abc\n",    "abc"   },
        {"abc\r\n",  "abc"   },
        {"abc\n\n",  "abc\n" },
        {"abc\r",    "abc\r" },
        {"a\r\nb\n", "a\r\nb"},
        {" abc \n",  " abc " },
        {"\n",       ""      },
        {"",         ""      },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        const char *path = fixture_text(f, "file", CASES[i][0]);
        loads(f, (struct value_source){.type = SOURCE_FILE, .path = path}, CASES[i][1]);
        loads(f, (struct value_source){.type = SOURCE_FILE, .path = "file"}, CASES[i][1]);
    }
    (void)setenv("HOME", f->dir, 1);
    (void)fixture_text(f, "file", "at home");
    loads(f, (struct value_source){.type = SOURCE_FILE, .path = "~/file"}, "at home");
}

static void refuses_files(void **state)
{
    struct fixture *f = *state;
    struct value_source src = {.type = SOURCE_FILE, .path = "file"};

    (void)fixture_file(f, "file", CANARY, strlen(CANARY), 0640);
    fails(f, src, ERR_REFUSED, "mode 0640");
    (void)fixture_file(f, "file", CANARY "\0x", strlen(CANARY) + 2, 0600);
    fails(f, src, ERR_INVALID, "NUL");
    src.path = "none";
    fails(f, src, ERR_NOT_FOUND, "none");
    src.path = "file/none";
    fails(f, src, ERR_NOT_FOUND, "file/none");
    src.path = ".";
    fails(f, src, ERR_IO, "not a regular file");
    fails(f, (struct value_source){.type = SOURCE_NONE}, ERR_INVALID, "no source");
}

static void holds_the_limit_of_files(void **state)
{
    struct fixture *f = *state;
    struct value_source src = {.type = SOURCE_FILE, .path = "file"};
    char *text = mem_alloc(LIMIT_SECRET_BYTES + 4);
    memset(text, 'x', LIMIT_SECRET_BYTES + 3);

    (void)fixture_file(f, "file", text, LIMIT_SECRET_BYTES + 1, 0600);
    fails(f, src, ERR_LIMIT, "more than");
    (void)fixture_file(f, "file", text, LIMIT_SECRET_BYTES + 3, 0600);
    fails(f, src, ERR_LIMIT, "more than");
    text[LIMIT_SECRET_BYTES] = '\n';
    (void)fixture_file(f, "file", text, LIMIT_SECRET_BYTES + 1, 0600);
    text[LIMIT_SECRET_BYTES] = '\0';
    loads(f, src, text);
    free(text);
}

static void from_folder(void **state)
{
    struct fixture *f = *state;
    struct value_source src = {.type = SOURCE_DIR, .path = "mounted", .name = "TOKEN"};

    assert_int_equal(mkdir(path_join(f->arena, f->dir, "mounted"), 0755), 0);
    /* Kubernetes and Docker mount with 0644: the folder's owner answers for it. */
    (void)fixture_file(f, "mounted/TOKEN", "abc\n", 4, 0644);
    loads(f, src, "abc");
    src.name = "NONE";
    fails(f, src, ERR_NOT_FOUND, "mounted/NONE");
    static const char *const ESCAPES[] = {"../file", "a/b", "..", ".", "", "/etc/passwd"};
    for (size_t i = 0; i < ARRAY_LEN(ESCAPES); i++) {
        src.name = ESCAPES[i];
        fails(f, src, ERR_INVALID, "one file in the folder");
    }
}

static void from_env_file(void **state)
{
    struct fixture *f = *state;
    struct value_source src = {.type = SOURCE_ENV_FILE, .path = ".env", .name = "RESEND_API_KEY"};

    (void)fixture_text(f, ".env", "# note\nRESEND_API_KEY=\"" CANARY "\"\nEMPTY=\n");
    loads(f, src, CANARY);
    src.name = "EMPTY";
    loads(f, src, "");
    src.name = "RESEND_API_KYE";
    fails(f, src, ERR_NOT_FOUND, "did you mean 'RESEND_API_KEY'?");
    src.name = "ANOTHER";
    fails(f, src, ERR_NOT_FOUND, "no line 'ANOTHER='");
    (void)fixture_text(f, ".env", "A=1\n" CANARY "\n");
    fails(f, src, ERR_INVALID, ".env:2: ");
    (void)fixture_file(f, ".env", "A=" CANARY "\n", 15, 0644);
    fails(f, src, ERR_REFUSED, "chmod 600");
    src.path = "none.env";
    fails(f, src, ERR_NOT_FOUND, "none.env");
}

static void from_credentials(void **state)
{
    struct fixture *f = *state;
    struct value_source src = {.type = SOURCE_CREDENTIAL, .name = "token"};
    const char *dir = path_join(f->arena, f->dir, "credentials");

    (void)unsetenv("CREDENTIALS_DIRECTORY");
    fails(f, src, ERR_NOT_FOUND, "LoadCredential=token:");
    assert_int_equal(mkdir(dir, 0700), 0);
    const char *path = fixture_file(f, "credentials/token", CANARY "\n", strlen(CANARY) + 1, 0440);
    (void)setenv("CREDENTIALS_DIRECTORY", dir, 1);
    loads(f, src, CANARY);
    src.name = "none";
    fails(f, src, ERR_NOT_FOUND, "none");
    src.name = "../file";
    fails(f, src, ERR_INVALID, "one file in the folder");

    /* The modes that systemd gives are good enough for the other types as well, but only there. */
    struct value_source file = {.type = SOURCE_FILE, .path = path};
    loads(f, file, CANARY);
    (void)setenv("CREDENTIALS_DIRECTORY", "/nonexistent", 1);
    fails(f, file, ERR_REFUSED, "chmod 600");
    (void)setenv("CREDENTIALS_DIRECTORY", path_join(f->arena, f->dir, "cred"), 1);
    assert_int_equal(mkdir(path_join(f->arena, f->dir, "cred"), 0700), 0);
    fails(f, file, ERR_REFUSED, "chmod 600"); /* a name with the same beginning is another folder */
    (void)unsetenv("CREDENTIALS_DIRECTORY");
}

/* ---- Commands -------------------------------------------------------------------------------- */

static struct value_source shell(const char *argv[static 4], const char *script)
{
    argv[0] = "sh";
    argv[1] = "-c";
    argv[2] = script;
    argv[3] = NULL;
    return (struct value_source){.type = SOURCE_COMMAND, .argv = argv};
}

static void from_command(void **state)
{
    struct fixture *f = *state;
    const char *argv[4];

    loads(f, shell(argv, "echo " CANARY), CANARY);
    loads(f, shell(argv, "printf 'a\\n\\n'"), "a\n");
    loads(f, shell(argv, "true"), "");
    loads(f, shell(argv, "read x; echo \"<$x>\""), "<>"); /* its stdin is at its end */
    loads(f, shell(argv, "printf a; sleep 0.2; printf b"), "ab");
    char *big = mem_alloc(LIMIT_SECRET_BYTES + 1);
    memset(big, 'x', LIMIT_SECRET_BYTES);
    loads(f, shell(argv, "head -c 49152 /dev/zero | tr '\\0' x; echo"), big);
    free(big);

    (void)fixture_file(f, "helper", "#!/bin/sh\necho from helper\n", 27, 0700);
    const char *const relative[] = {"./helper", NULL};
    loads(f, (struct value_source){.type = SOURCE_COMMAND, .argv = relative}, "from helper");
}

static void commands_fail(void **state)
{
    struct fixture *f = *state;
    const char *argv[4];
    const char *const absent[] = {"mirrorctl-no-such-program", NULL}, *const none[] = {NULL};

    fails(f, shell(argv, "echo " CANARY "; echo " CANARY " >&2; exit 3"), ERR_UNAVAILABLE,
          "status 3");
    fails(f, shell(argv, "echo " CANARY "; kill -9 $$"), ERR_UNAVAILABLE, "status 137");
    fails(f, shell(argv, "printf '" CANARY "\\000x'"), ERR_INVALID, "NUL");
    fails(f, shell(argv, "head -c 49155 /dev/zero | tr '\\0' x"), ERR_LIMIT, "more than");
    fails(f, shell(argv, "exec yes " CANARY), ERR_LIMIT, "more than");
    fails(f, (struct value_source){.type = SOURCE_COMMAND, .argv = absent}, ERR_NOT_FOUND,
          "no such program");
    fails(f, (struct value_source){.type = SOURCE_COMMAND, .argv = none}, ERR_INVALID, "empty");
    fails(f, (struct value_source){.type = SOURCE_COMMAND}, ERR_INVALID, "empty");
}

static void commands_have_a_deadline(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    const char *argv[4];
    struct value_source src = shell(argv, "echo " CANARY "; exec sleep 60");
    CLEANUP(secret_freep) struct secret *s = NULL;

    assert_int_equal(source_load(&src, f->dir, (struct ms){300}, &s, &e), ERR_UNAVAILABLE);
    assert_error(&e, ERR_UNAVAILABLE, "did not end within 1 s");
}

/* A reader that may not read: as somebody else when the test runs as root. */
static void says_what_it_may_not_read(void **state)
{
    struct fixture *f = *state;
    struct value_source src = {.type = SOURCE_FILE, .path = "file"};
    (void)fixture_file(f, "file", CANARY, strlen(CANARY), 0000);
    assert_int_equal(chmod(f->dir, 0755), 0);

    pid_t pid = fork();
    if (pid == 0) {
        struct err e = ERR_INIT;
        struct secret *s = NULL;
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        enum err_code r = secret_load(&src, f->dir, &s, &e);
        _exit(r == ERR_IO && strstr(e.text, "Permission denied") != NULL ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_environment),
        cmocka_unit_test(from_file),
        cmocka_unit_test(refuses_files),
        cmocka_unit_test(holds_the_limit_of_files),
        cmocka_unit_test(from_folder),
        cmocka_unit_test(from_env_file),
        cmocka_unit_test(from_credentials),
        cmocka_unit_test(from_command),
        cmocka_unit_test(commands_fail),
        cmocka_unit_test(commands_have_a_deadline),
        cmocka_unit_test(says_what_it_may_not_read),
    };
    return cmocka_run_group_tests_name("secrets source", tests, fixture_setup, fixture_teardown);
}
