/* A .env with MIRROR_* settings in place of a manifest, and the manifest that says the same. */
#include "support.h"

static struct loaded load_valid(const char *name)
{
    char path[8192];
    CLEANUP(buf_release) struct buf text = BUF_INIT(1 << 22);
    (void)snprintf(path, sizeof(path), "%s/valid/%s", MANIFEST_CORPUS, name);
    read_file(path, &text);
    struct loaded l = load_text(path, buf_str(&text), text.len);
    if (l.result != ERR_OK)
        fail_msg("%s", buf_str(&l.rendered));
    return l;
}

static void original_form(void **state)
{
    (void)state;
    CLEANUP(loaded_release) struct loaded l = load_valid("original.env");
    const struct manifest_slave *s = &l.m->slaves[0], *archive = &l.m->slaves[1];

    assert_true(l.m->from_env);
    assert_string_equal(l.m->master.repo, "cyberpunk042/continuity-orchestrator");
    assert_int_equal(l.m->master.token.type, SOURCE_NONE);
    assert_int_equal(l.m->n_slaves, 2);
    assert_string_equal(s->id, "mirror-1");
    assert_string_equal(s->repo, "backup-account/continuity-orchestrator");
    assert_int_equal(s->token.type, SOURCE_ENV_FILE);
    assert_string_equal(s->token.name, "MIRROR_1_TOKEN");
    assert_string_equal(s->token.path, MANIFEST_CORPUS "/valid/original.env");
    assert_true(s->policy.sync[LAYER_SECRETS]);
    assert_int_equal(s->pos.line, 6);
    assert_int_equal(archive->type, SLAVE_GIT);
    assert_string_equal(archive->url, "ssh://backup.example.com/repo.git");
    assert_string_equal(archive->ssh_key, "/path/to/key");
    assert_false(archive->suspended);
}

static void all_settings(void **state)
{
    (void)state;
    CLEANUP(loaded_release) struct loaded l = load_valid("full.env");
    const struct manifest_slave *s = &l.m->slaves[0], *third = &l.m->slaves[1];

    assert_string_equal(l.m->master.token.name, "GITHUB_TOKEN");
    assert_true(str_ends_with(l.m->master.state_file, "/valid/state/current.json"));
    assert_string_equal(s->id, "mirror-1");
    assert_int_equal(s->n_secrets, 3);
    assert_string_equal(s->secrets[2].name, "RENEWAL_TRIGGER_TOKEN");
    assert_string_equal(s->secrets[2].source.name, "MIRROR_1_RENEWAL_TRIGGER_TOKEN");
    assert_int_equal(s->n_variables, 3);
    assert_string_equal(s->variables[0].policy.value, "true");
    assert_string_equal(s->variables[1].policy.value, "${not.a.reference}");
    assert_string_equal(s->variables[2].policy.value, "");
    assert_string_equal(third->id, "third");
    assert_true(third->suspended);
    assert_int_equal(third->n_secrets, 2);
}

/* Values go through YAML on their way and come out as they were. */
static void odd_values(void **state)
{
    (void)state;
    CLEANUP(loaded_release) struct loaded l = load_valid("odd-values.env");
    const struct manifest_slave *s = &l.m->slaves[0];

    assert_string_equal(s->variables[0].policy.value,
                        "a\"b\\c\td\ne \xc2\x85 \xe2\x80\xa8 \xef\xbb\xbf \x01 ž");
    assert_string_equal(s->variables[1].policy.value, "\\n # : - ?");
}

/* The first line that says something decides when the name does not. */
static void recognised(void **state)
{
    (void)state;
    static const char env[] = "# x\n\nexport GITHUB_REPOSITORY=o/m\nMIRROR_ENABLED=true\n"
                              "MIRROR_1_REPO=o/a\nMIRROR_1_TOKEN=t\n";
    CLEANUP(loaded_release) struct loaded l = load_text("settings", env, sizeof(env) - 1);
    CLEANUP(loaded_release) struct loaded yaml = load_text("x", "a: b=c\n", 7);

    assert_int_equal(l.result, ERR_OK);
    assert_true(l.m->from_env);
    assert_non_null(strstr(buf_str(&yaml.rendered), "unknown key \"a\""));
}

/* Where tokens are is a file's name: from stdin there is none. */
static void standard_input(void **state)
{
    (void)state;
    static const char env[] = "MIRROR_ENABLED=true\nGITHUB_REPOSITORY=o/m\nMIRROR_1_REPO=o/a\n"
                              "MIRROR_1_TOKEN=hunter2\n";
    CLEANUP(loaded_release) struct loaded l = load_text("-", env, sizeof(env) - 1);

    assert_int_equal(l.result, ERR_INVALID);
    assert_null(strstr(buf_str(&l.rendered), "hunter2"));
    assert_non_null(strstr(buf_str(&l.rendered), "stdin"));
}

static void import(const char *name)
{
    char path[8192];
    struct err e = ERR_INIT;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(buf_release) struct buf text = BUF_INIT(1 << 22);
    CLEANUP(buf_release) struct buf yaml = BUF_INIT(1 << 22);
    struct diagnostics d;

    (void)snprintf(path, sizeof(path), "%s/valid/%s", MANIFEST_CORPUS, name);
    read_file(path, &text);
    diagnostics_init(&d, a);
    assert_int_equal(manifest_from_env_text(name, buf_str(&text), text.len, &yaml, &d, &e), ERR_OK);
    assert_null(strstr(buf_str(&yaml), "hunter"));
    assert_null(strstr(buf_str(&yaml), "ghp_"));

    CLEANUP(loaded_release) struct loaded from_env = load_valid(name);
    (void)snprintf(path, sizeof(path), "%s/valid/imported.yaml", MANIFEST_CORPUS);
    CLEANUP(loaded_release) struct loaded l = load_text(path, buf_str(&yaml), yaml.len);
    if (l.result != ERR_OK)
        fail_msg("%s\n%s", buf_str(&yaml), buf_str(&l.rendered));
    assert_int_equal(l.m->n_slaves, from_env.m->n_slaves);
    for (size_t i = 0; i < l.m->n_slaves; i++) {
        const struct manifest_slave *x = &l.m->slaves[i], *y = &from_env.m->slaves[i];
        assert_string_equal(x->id, y->id);
        assert_string_equal(x->url, y->url);
        assert_true(str_eq(x->token.path, y->token.path) && str_eq(x->token.name, y->token.name));
        assert_memory_equal(x->policy.sync, y->policy.sync, sizeof(x->policy.sync));
        assert_int_equal(x->n_secrets, y->n_secrets);
        assert_int_equal(x->n_variables, y->n_variables);
        for (size_t j = 0; j < x->n_variables; j++)
            assert_string_equal(x->variables[j].policy.value, y->variables[j].policy.value);
    }
}

static void imported(void **state)
{
    (void)state;
    import("original.env");
    import("full.env");
    import("disabled.env");
    import("odd-values.env");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(original_form),  cmocka_unit_test(all_settings),
        cmocka_unit_test(odd_values),     cmocka_unit_test(recognised),
        cmocka_unit_test(standard_input), cmocka_unit_test(imported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
