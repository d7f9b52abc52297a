/* What a manifest means once it is resolved: who wins, where values come from, what is shared. */
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

static const struct manifest_secret *secret(const struct manifest_slave *s, const char *name)
{
    for (size_t i = 0; i < s->n_secrets; i++)
        if (strcmp(s->secrets[i].name, name) == 0)
            return &s->secrets[i];
    return NULL;
}

static const struct manifest_variable *variable(const struct manifest_slave *s, const char *name)
{
    for (size_t i = 0; i < s->n_variables; i++)
        if (strcmp(s->variables[i].policy.name, name) == 0)
            return &s->variables[i];
    return NULL;
}

static void assert_source(const struct value_source *s, enum source_type type, const char *path,
                          const char *name)
{
    assert_int_equal(s->type, type);
    if (path == NULL) {
        assert_null(s->path);
    } else {
        assert_non_null(s->path);
        assert_true(s->path[0] == '/' && str_ends_with(s->path, path));
    }
    if (name == NULL)
        assert_null(s->name);
    else
        assert_string_equal(s->name, name);
}

static void the_example(void **state)
{
    (void)state;
    CLEANUP(loaded_release) struct loaded l = load_valid("architecture.yaml");
    const struct manifest *m = l.m;
    const struct manifest_slave *s = manifest_slave(m, "github-backup"),
                                *archive = manifest_slave(m, "archive");

    assert_int_equal(m->n_slaves, 2);
    assert_string_equal(m->master.repo, "cyberpunk042/continuity-orchestrator");
    assert_string_equal(m->master.url,
                        "https://github.com/cyberpunk042/continuity-orchestrator.git");
    assert_string_equal(m->master.github.api, "https://api.github.com");
    assert_source(&m->master.token, SOURCE_ENV, NULL, "GITHUB_TOKEN");
    assert_true(str_ends_with(m->master.token.origin, "architecture.yaml:5:10"));
    assert_string_equal(m->master.source, m->dir);
    assert_true(str_ends_with(m->master.state_file, "/state/current.json"));
    assert_true(m->master.workflows);
    assert_int_equal(m->failover.start[0] != NULL, true);
    assert_source(&m->failover.master_token, SOURCE_ENV, NULL, "SENTINEL_READ_TOKEN");
    assert_string_equal(m->master_roles[ROLE_MASTER].disabled[0], "sentinel.yml");

    assert_int_equal(s->n_secrets, 3);
    assert_source(&secret(s, "RENEWAL_SECRET")->source, SOURCE_ENV_FILE, "/valid/.env",
                  "RENEWAL_SECRET");
    assert_source(&secret(s, "RENEWAL_TRIGGER_TOKEN")->source, SOURCE_ENV, NULL,
                  "MIRROR_1_RENEWAL_TRIGGER_TOKEN");
    assert_string_equal(variable(s, "MASTER_REPO")->policy.value, m->master.repo);
    assert_string_equal(
        role_wants_variable(&variable(s, "ADAPTER_MOCK_MODE")->policy, ROLE_TEMPORARY_MASTER),
        "false");
    assert_string_equal(s->policy.refs.exclude[0], "refs/heads/wip/*");
    assert_true(s->policy.refs.prune);
    assert_int_equal(role_wants_workflow(&s->roles[ROLE_SLAVE], "cron.yml"), WORKFLOW_OFF);

    assert_int_equal(archive->type, SLAVE_GIT);
    assert_null(archive->repo);
    assert_int_equal(archive->n_secrets, 0);
    assert_int_equal(archive->n_variables, 0);
    assert_true(archive->policy.sync[LAYER_CODE]);
    assert_false(archive->policy.sync[LAYER_SECRETS]);
    assert_string_equal(archive->ssh_key, "/etc/mirrorctl/archive_ed25519");
    assert_int_equal(archive->token.type, SOURCE_NONE);
}

static void merged_secrets(void **state)
{
    (void)state;
    CLEANUP(loaded_release) struct loaded l = load_valid("merging.yaml");
    const struct manifest_slave *a = manifest_slave(l.m, "a"), *b = manifest_slave(l.m, "b"),
                                *c = manifest_slave(l.m, "c"), *d = manifest_slave(l.m, "d");

    assert_int_equal(a->n_secrets, 3);
    assert_source(&secret(a, "A")->source, SOURCE_ENV_FILE, "/all.env", "A");
    assert_source(&secret(a, "B")->source, SOURCE_ENV, NULL, "B_DEFAULT");
    assert_source(&secret(a, "C")->source, SOURCE_ENV_FILE, "/all.env", "C");
    assert_true(secret(a, "A")->adopt);
    /* An entry that names a slave beats one that does not. */
    assert_source(&secret(b, "C")->source, SOURCE_ENV, NULL, "C_FOR_B");
    /* A slave's own `from` is also for names listed further outside; roles: [] takes out. */
    assert_int_equal(c->n_secrets, 2);
    assert_null(secret(c, "A"));
    assert_source(&secret(c, "C")->source, SOURCE_ENV_FILE, "/c.env", "C");
    assert_source(&secret(c, "B")->source, SOURCE_ENV, NULL, "B_DEFAULT");
    assert_true(c->policy.prune[KIND_SECRET]);
    assert_false(a->policy.prune[KIND_SECRET]);
    assert_int_equal(d->n_secrets, 0);
}

static void merged_rest(void **state)
{
    (void)state;
    CLEANUP(loaded_release) struct loaded l = load_valid("merging.yaml");
    const struct manifest_slave *a = manifest_slave(l.m, "a"), *b = manifest_slave(l.m, "b"),
                                *c = manifest_slave(l.m, "c");

    assert_string_equal(variable(a, "W")->policy.value, "top");
    assert_string_equal(variable(b, "W")->policy.value, "others");
    assert_string_equal(variable(c, "V")->policy.value, "own");
    assert_int_equal(c->n_variables, 2);
    assert_true(variable(c, "W")->adopt);
    assert_false(variable(b, "W")->adopt);

    assert_source(&a->token, SOURCE_ENV, NULL, "T");
    assert_source(&c->token, SOURCE_ENV, NULL, "T_C");
    assert_true(a->policy.refs.prune && a->policy.refs.move_tags);
    assert_true(!c->policy.refs.prune && c->policy.refs.move_tags);
    assert_string_equal(c->policy.refs.include[0], "refs/heads/main");
    assert_int_equal(c->policy.guards.max_deletes, 3);
    assert_int_equal(c->policy.guards.max_delete_share, 5);
    assert_false(a->policy.sync[LAYER_WORKFLOWS]);
    assert_true(c->policy.sync[LAYER_WORKFLOWS]);
    assert_string_equal(c->roles[ROLE_SLAVE].enabled[0], "own.yml");
    assert_null(c->roles[ROLE_SLAVE].disabled[0]);
    assert_int_equal(c->rank, 3);
    assert_null(manifest_slave(l.m, "e"));
}

static void references(void **state)
{
    (void)state;
    CLEANUP(loaded_release) struct loaded l = load_valid("references.yaml");
    const struct manifest_slave *s = &l.m->slaves[0];

    assert_string_equal(variable(s, "A")->policy.value,
                        "o/master https://github.com/o/master.git a o/a");
    assert_string_equal(variable(s, "B")->policy.value, "${master.repo} $5 $ {x}");
    assert_null(variable(s, "C")->policy.value);
    assert_string_equal(variable(s, "C")->policy.in[ROLE_SLAVE], "a");
}

static void texts(void **state)
{
    (void)state;
    CLEANUP(loaded_release) struct loaded l = load_valid("texts.yaml");
    const struct manifest_slave *s = &l.m->slaves[0];

    assert_string_equal(variable(s, "A")->policy.value, "true");
    assert_string_equal(variable(s, "C")->policy.value, "yes");
    assert_string_equal(variable(s, "D")->policy.value, "~");
    assert_string_equal(variable(s, "E")->policy.value, "two\nlines\n");
    assert_string_equal(variable(s, "I")->policy.value, "");
    assert_int_equal(variable(s, "A")->pos.line, 4);
}

static void sources(void **state)
{
    (void)state;
    CLEANUP(loaded_release) struct loaded l = load_valid("sources.yaml");
    const struct manifest_slave *s = &l.m->slaves[0];

    assert_source(&secret(s, "A")->source, SOURCE_ENV, NULL, "X");
    assert_source(&secret(s, "B")->source, SOURCE_FILE, "/valid/b.txt", NULL);
    assert_source(&secret(s, "C")->source, SOURCE_ENV_FILE, "/valid/.env", "C");
    assert_source(&secret(s, "D")->source, SOURCE_ENV_FILE, "/valid/.env", "X");
    assert_source(&secret(s, "E")->source, SOURCE_DIR, "/run/secrets", "E");
    assert_source(&secret(s, "F")->source, SOURCE_DIR, "/run/secrets", "f.txt");
    assert_source(&secret(s, "G")->source, SOURCE_CREDENTIAL, NULL, "g");
    assert_int_equal(secret(s, "H")->source.type, SOURCE_COMMAND);
    assert_string_equal(secret(s, "H")->source.argv[2], "h");
    assert_null(secret(s, "H")->source.argv[3]);
    assert_source(&secret(s, "I")->source, SOURCE_ENV, NULL, "I");
}

static void addresses(void **state)
{
    (void)state;
    CLEANUP(loaded_release) struct loaded e = load_valid("enterprise.yaml");
    CLEANUP(loaded_release) struct loaded g = load_valid("git-only.yaml");
    CLEANUP(loaded_release) struct loaded c = load_valid("names-case.yaml");

    assert_string_equal(e.m->master.url, "https://github.example.com/o/master.git");
    assert_string_equal(e.m->master.github.api, "https://github.example.com/api/v3");
    assert_true(str_ends_with(e.m->master.github.ca_file, "/valid/ca.pem"));
    assert_int_equal(e.m->master.github.write_gap.v, 0);
    assert_int_equal(e.m->master.github.reads, 20);
    assert_string_equal(e.m->slaves[0].github.api, "https://api.github.com");
    assert_string_equal(e.m->slaves[1].github.api, "https://api.sub.ghe.com");
    assert_string_equal(e.m->slaves[2].github.api, "https://api.example.com");
    assert_string_equal(e.m->slaves[2].url, "https://github.example.com/o/c.git");
    assert_int_equal(g.m->slaves[0].github.write_gap.v, -1);

    assert_null(g.m->master.repo);
    assert_false(g.m->master.workflows);
    assert_string_equal(g.m->slaves[0].url, "git@example.com:a.git");
    assert_true(g.m->slaves[2].url[0] == '/' && str_ends_with(g.m->slaves[2].url, "/valid/c.git"));
    assert_int_equal(g.m->slaves[3].token.type, SOURCE_FILE);

    const struct manifest_slave *s = &c.m->slaves[0];
    assert_source(&secret(s, "API_KEY")->source, SOURCE_ENV, NULL, "api_key");
    assert_non_null(secret(s, "OTHER"));
    assert_non_null(variable(s, "MIXED_CASE"));
}

static void digest_tells_files_apart(void **state)
{
    (void)state;
    CLEANUP(loaded_release) struct loaded a = load_valid("smallest.yaml");
    CLEANUP(loaded_release) struct loaded b = load_valid("flow.yaml");
    CLEANUP(loaded_release) struct loaded again = load_valid("smallest.yaml");

    assert_string_not_equal(a.m->digest, b.m->digest);
    assert_string_equal(a.m->digest, again.m->digest);
    assert_int_equal(strlen(a.m->digest), 16);
}

static void files(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct diagnostics d;
    struct manifest *m = NULL;
    struct err e = ERR_INIT;

    diagnostics_init(&d, a);
    assert_int_equal(manifest_load(MANIFEST_CORPUS "/valid/smallest.yaml", a, &m, &d, &e), ERR_OK);
    assert_string_equal(m->path, MANIFEST_CORPUS "/valid/smallest.yaml");
    assert_string_equal(m->dir, MANIFEST_CORPUS "/valid");
    m = NULL;
    assert_int_equal(manifest_load("/nowhere/mirrors.yaml", a, &m, &d, &e), ERR_NOT_FOUND);
    assert_null(m);
    assert_non_null(strstr(e.text, "/nowhere/mirrors.yaml"));
    assert_int_equal(manifest_load(MANIFEST_CORPUS, a, &m, &d, &e), ERR_IO);
}

/* Colour says nothing that the text does not say. */
static void colour(void **state)
{
    (void)state;
    CLEANUP(loaded_release) struct loaded l = load_text("m.yaml", "version: 2\n", 11);
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 16);
    CLEANUP(buf_release) struct buf plain = BUF_INIT(1 << 16);

    assert_int_equal(diagnostics_render(&l.d, true, &out, &e), ERR_OK);
    assert_non_null(strstr(buf_str(&out), "\033[1;31merror[M016]"));
    for (const char *p = buf_str(&out); *p != '\0'; p++) {
        if (*p == '\033')
            p = strchr(p, 'm');
        else
            assert_int_equal(buf_add(&plain, p, 1, &e), ERR_OK);
    }
    assert_string_equal(buf_str(&plain), buf_str(&l.rendered));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example), cmocka_unit_test(merged_secrets),
        cmocka_unit_test(merged_rest), cmocka_unit_test(references),
        cmocka_unit_test(texts),       cmocka_unit_test(sources),
        cmocka_unit_test(addresses),   cmocka_unit_test(digest_tells_files_apart),
        cmocka_unit_test(files),       cmocka_unit_test(colour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
