/*
 * Every manifest of the corpus: the valid ones load, the invalid ones are refused with exactly the
 * messages that stand beside them in NAME.expected. MIRRORCTL_UPDATE_GOLDEN=1 writes those files
 * anew.
 */
#include "support.h"

static size_t wrong;

static void compare(const char *path, const struct loaded *l)
{
    char expected_path[8192];
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf expected = BUF_INIT(1 << 22);

    (void)snprintf(expected_path, sizeof(expected_path), "%s.expected", path);
    if (getenv("MIRRORCTL_UPDATE_GOLDEN") != NULL && l->rendered.len > 0) {
        assert_int_equal(
            file_write_atomic(expected_path, buf_str(&l->rendered), l->rendered.len, 0644, &e),
            ERR_OK);
        return;
    }
    enum err_code r = file_read(expected_path, &expected, &e);
    if (r == ERR_NOT_FOUND && l->rendered.len == 0)
        return;
    if (r == ERR_OK && strcmp(buf_str(&expected), buf_str(&l->rendered)) == 0)
        return;
    print_error("--- %s\nexpected:\n%s\ngot:\n%s\n", path, buf_str(&expected),
                buf_str(&l->rendered));
    wrong++;
}

/* What the corpus calls a secret must never be seen. */
static void look_for_secrets(const char *path, const struct loaded *l)
{
    static const char *const secrets[] = {"hunter", "0123456789", "b3BlbnNz", "abcdef"};

    for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
        if (strstr(buf_str(&l->rendered), secrets[i]) != NULL ||
            strstr(l->e.text, secrets[i]) != NULL) {
            print_error("--- %s shows '%s'\n%s\n", path, secrets[i], buf_str(&l->rendered));
            wrong++;
        }
}

static void check_invalid(const char *path, const char *name)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(1 << 22);
    read_file(path, &text);
    CLEANUP(loaded_release) struct loaded l = load_text(name, buf_str(&text), text.len);

    if (l.result != ERR_INVALID || l.d.n_errors == 0 || l.m != NULL) {
        print_error("%s was not refused\n", path);
        wrong++;
    }
    for (size_t i = 1; i < l.d.n; i++)
        assert_true(l.d.items[i - 1].pos.line <= l.d.items[i].pos.line);
    look_for_secrets(path, &l);
    compare(path, &l);
}

static void check_valid(const char *path, const char *name)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(1 << 22);
    read_file(path, &text);
    CLEANUP(loaded_release) struct loaded l = load_text(name, buf_str(&text), text.len);

    if (l.result != ERR_OK || l.m == NULL || l.d.n_errors > 0) {
        print_error("%s was refused:\n%s\n", path, buf_str(&l.rendered));
        wrong++;
    }
    look_for_secrets(path, &l);
    compare(path, &l);
}

static void invalid_manifests(void **state)
{
    (void)state;
    wrong = 0;
    assert_true(for_each_manifest("invalid", check_invalid) >= 60);
    assert_int_equal(wrong, 0);
}

static void valid_manifests(void **state)
{
    (void)state;
    wrong = 0;
    assert_true(for_each_manifest("valid", check_valid) >= 20);
    assert_int_equal(wrong, 0);
}

/* The annotated reference manifest is one without a word of complaint. */
static void reference_manifest(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf text = BUF_INIT(1 << 22);
    read_file(REPOSITORY "/manifests/mirrors.yaml", &text);
    CLEANUP(loaded_release) struct loaded l = load_text("mirrors.yaml", buf_str(&text), text.len);

    assert_string_equal(buf_str(&l.rendered), "");
    assert_int_equal(l.result, ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(invalid_manifests),
        cmocka_unit_test(valid_manifests),
        cmocka_unit_test(reference_manifest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
