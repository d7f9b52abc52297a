/* The tables against each other, and what is generated from them against the files in the tree. */
#include "../../../src/manifest/room.h"
#include "support.h"

/* Every field has its row, in the same order, and every row its field. */
static void rows_and_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < schema_types_n; i++) {
        const struct type_about *t = &schema_types[i];
        size_t n = 0;
        for (; t->fields[n].key != NULL; n++) {
            assert_non_null(t->keys[n].key);
            assert_string_equal(t->fields[n].key, t->keys[n].key);
            assert_non_null(t->keys[n].text);
            if (t->fields[n].value.type == CYAML_INT)
                assert_true(t->keys[n].max > 0);
            if (t->fields[n].value.type == CYAML_MAPPING)
                assert_non_null(schema_type(t->fields[n].value.mapping.fields));
        }
        assert_null(t->keys[n].key);
        assert_true(n <= 64); /* walk.c has a bit for each */
    }
}

/* Every format and every code is complete; codes are unique and rise. */
static void formats_and_codes(void **state)
{
    (void)state;
    for (int f = 0; f < FORMAT_COUNT; f++) {
        regex_t re;
        assert_non_null(format_expected((enum format)f));
        if (format_pattern((enum format)f) == NULL)
            continue;
        assert_int_equal(regcomp(&re, format_pattern((enum format)f), REG_EXTENDED), 0);
        regfree(&re);
    }
    for (size_t i = 0; i < diag_rows_n; i++) {
        assert_non_null(diag_rows[i].title);
        assert_non_null(diag_rows[i].cure);
        assert_ptr_equal(diag_row(diag_rows[i].code), &diag_rows[i]);
        if (i > 0)
            assert_true(diag_rows[i - 1].code < diag_rows[i].code);
    }
}

static void same_as_file(const char *path, const struct buf *generated)
{
    CLEANUP(buf_release) struct buf file = BUF_INIT(1 << 22);
    read_file(path, &file);
    if (strcmp(buf_str(&file), buf_str(generated)) != 0)
        fail_msg("%s is stale: build the target manifest-generated", path);
}

static void generated_files(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf schema = BUF_INIT(1 << 22);
    CLEANUP(buf_release) struct buf reference = BUF_INIT(1 << 22);

    assert_int_equal(manifest_schema_json(&schema, &e), ERR_OK);
    same_as_file(REPOSITORY "/manifests/mirrors.schema.json", &schema);
    assert_int_equal(manifest_reference_markdown(&reference, &e), ERR_OK);
    same_as_file(REPOSITORY "/docs/manifest.md", &reference);
}

/* The annotated manifest shows every key, if only in a comment. */
static void annotated_manifest_is_complete(void **state)
{
    (void)state;
    char key[64];
    CLEANUP(buf_release) struct buf text = BUF_INIT(1 << 22);
    read_file(REPOSITORY "/manifests/mirrors.yaml", &text);

    for (size_t i = 0; i < schema_types_n; i++)
        for (const struct key_about *k = schema_types[i].keys; k->key != NULL; k++) {
            (void)snprintf(key, sizeof(key), "%s:", k->key);
            if (strstr(buf_str(&text), key) == NULL)
                fail_msg("manifests/mirrors.yaml does not show %s of %s", k->key,
                         schema_types[i].name);
        }
}

static void explain(const char *path, const char *part)
{
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 20);

    if (manifest_explain(path, &out, &e) != ERR_OK)
        fail_msg("%s: %s", path, e.text);
    if (strstr(buf_str(&out), part) == NULL)
        fail_msg("explain %s does not say '%s' but:\n%s", path, part, buf_str(&out));
}

static void explain_not(const char *path, const char *text)
{
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 20);

    assert_int_equal(manifest_explain(path, &out, &e), ERR_NOT_FOUND);
    assert_string_equal(e.text, text);
}

static void explained(void **state)
{
    (void)state;
    explain("slaves[].sync.code", "slaves[].sync.code (true or false)\n\n  Branches and tags.\n");
    explain("slaves.sync", "\n  code       Branches and tags.\n");
    explain("slaves[0].id", ", needed\n");
    explain("failover.return", "(branch, fast-forward, none)");
    explain("failover.return", "  Default: branch\n  Example: return: fast-forward\n");
    explain("slaves", "(list of slave), needed\n");
    explain("", "manifest\n");
    explain("version", "version (1), needed\n");
    explain("M012", "M012 (error)\n\n  There is no such key.\n");
    explain_not("slaves[].snyc.code", "'slave' has no key 'snyc'; did you mean 'slaves[].sync'?");
    explain_not("slvaes", "'manifest' has no key 'slvaes'; did you mean 'slaves'?");
    explain_not("lfs.x", "there is nothing inside 'lfs'");
    explain_not("zzzzzzzz", "'manifest' has no key 'zzzzzzzz'");
    explain_not("M999", "there is no code 'M999'");
}

/* The defaults that about.c tells are those that hold. */
static void defaults_told_are_true(void **state)
{
    (void)state;
    static const char text[] = "version: 1\nmaster: {repo: o/m}\nslaves:\n"
                               "  - {id: a, type: github, repo: o/a, token: {env: T}}\n";
    CLEANUP(loaded_release) struct loaded l = load_text("m.yaml", text, sizeof(text) - 1);
    const struct manifest_slave *s = &l.m->slaves[0];
    const struct type_about *failover = schema_type(schema_failover_fields),
                            *guards = schema_type(schema_guards_fields),
                            *heartbeat = schema_type(schema_heartbeat_fields);
    struct err e = ERR_INIT;
    struct ms d = {0};

    assert_int_equal(atol(schema_key(failover, "fall")->fallback), l.m->failover.fall);
    assert_int_equal(atol(schema_key(failover, "rise")->fallback), l.m->failover.rise);
    assert_int_equal(duration_parse(schema_key(failover, "interval")->fallback, &d, &e), ERR_OK);
    assert_int_equal(d.v, l.m->failover.interval.v);
    assert_int_equal(duration_parse(schema_key(heartbeat, "max_age")->fallback, &d, &e), ERR_OK);
    assert_int_equal(d.v, l.m->master.heartbeat.max_age.v);
    assert_string_equal(schema_key(heartbeat, "path")->fallback, l.m->master.heartbeat.path);
    assert_string_equal(schema_key(heartbeat, "field")->fallback, l.m->master.heartbeat.field);
    assert_int_equal(atol(schema_key(guards, "max_deletes")->fallback),
                     s->policy.guards.max_deletes);
    assert_int_equal(atol(schema_key(guards, "max_delete_share")->fallback),
                     s->policy.guards.max_delete_share);
    assert_string_equal(schema_key(schema_type(schema_github_fields), "url")->fallback,
                        s->github.url);
    assert_string_equal(s->policy.refs.include[0], "refs/heads/*");
    assert_string_equal(s->policy.refs.include[1], "refs/tags/*");
    assert_null(s->policy.refs.include[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_fields), cmocka_unit_test(formats_and_codes),
        cmocka_unit_test(generated_files), cmocka_unit_test(annotated_manifest_is_complete),
        cmocka_unit_test(explained),       cmocka_unit_test(defaults_told_are_true),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
