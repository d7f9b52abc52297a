/* What is larger, deeper or more than a manifest needs: refused, and soon. */
#include "support.h"

static const char head[] = "version: 1\nmaster: {repo: o/master}\n";

static void refused(const struct loaded *l, const char *code, const char *part)
{
    assert_int_equal(l->result, ERR_INVALID);
    assert_true(l->d.n > 0);
    for (size_t i = 0; i < l->d.n; i++)
        if (strcmp(l->d.items[i].code, code) == 0 && strstr(l->d.items[i].message, part) != NULL)
            return;
    fail_msg("no %s '%s' in:\n%s", code, part, buf_str(&l->rendered));
}

static void repeat(struct buf *b, const char *s, size_t n)
{
    struct err e = ERR_INIT;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buf_addstr(b, s, &e), ERR_OK);
}

static struct loaded load_buf(const struct buf *b)
{
    return load_text("m.yaml", buf_str(b), b->len);
}

static void deep(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf b = BUF_INIT(1 << 24);
    repeat(&b, "[", 100000);
    CLEANUP(loaded_release) struct loaded l = load_buf(&b);
    refused(&l, "M002", "64 levels");
}

static void deep_block(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf b = BUF_INIT(1 << 24);
    repeat(&b, "- ", 100000);
    CLEANUP(loaded_release) struct loaded l = load_buf(&b);
    refused(&l, "M002", "64 levels");
}

static void large_scalar(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf b = BUF_INIT(1 << 24);
    repeat(&b, head, 1);
    repeat(&b, "slaves: ", 1);
    repeat(&b, "xxxxxxxxxx", 1 << 20);
    CLEANUP(loaded_release) struct loaded l = load_buf(&b);
    refused(&l, "M002", "a value of 10485760 bytes");
    assert_true(l.rendered.len < 2048);
}

static void many_nodes(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf b = BUF_INIT(1 << 24);
    repeat(&b, "[", 1);
    repeat(&b, "a,", 1000001);
    CLEANUP(loaded_release) struct loaded l = load_buf(&b);
    refused(&l, "M002", "nodes");
}

static void many_errors(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf b = BUF_INIT(1 << 24);
    repeat(&b, head, 1);
    repeat(&b, "slaves:\n", 1);
    repeat(&b, "  - {id: A, type: svn, repo: x, colour: red}\n", 5000);
    CLEANUP(loaded_release) struct loaded l = load_buf(&b);
    refused(&l, "M020", "\"A\" is not an id");
    assert_true(l.d.n <= 500);
    assert_true(l.d.n_errors > 500);
    assert_non_null(strstr(buf_str(&l.rendered), " more\n"));
}

static void many_unknown_keys(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf b = BUF_INIT(1 << 24);
    struct err e = ERR_INIT;
    for (int i = 0; i < 30000; i++)
        assert_int_equal(buf_addf(&b, &e, "slavee%d: x\n", i), ERR_OK);
    CLEANUP(loaded_release) struct loaded l = load_buf(&b);
    refused(&l, "M012", "unknown key \"slavee0\"");
}

static void too_many_variables(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf b = BUF_INIT(1 << 24);
    struct err e = ERR_INIT;
    repeat(&b, head, 1);
    repeat(&b, "slaves:\n  - {id: a, type: github, repo: o/a, token: {env: T}}\nvariables:\n", 1);
    for (int i = 0; i < 501; i++)
        assert_int_equal(buf_addf(&b, &e, "  - {name: V%d, value: x}\n", i), ERR_OK);
    CLEANUP(loaded_release) struct loaded l = load_buf(&b);
    refused(&l, "M049", "501 variables");
}

/* 48 KB, also when a reference makes it so. */
static void large_variable(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf b = BUF_INIT(1 << 24);
    repeat(&b, head, 1);
    repeat(&b, "slaves:\n  - {id: a, type: github, repo: o/a, token: {env: T}}\nvariables:\n", 1);
    repeat(&b, "  - {name: A, value: ", 1);
    repeat(&b, "x", 49153);
    repeat(&b, "}\n", 1);
    CLEANUP(loaded_release) struct loaded l = load_buf(&b);
    refused(&l, "M050", "49153 bytes");

    buf_clear(&b);
    repeat(&b, head, 1);
    repeat(&b, "slaves:\n  - {id: a, type: github, repo: o/a, token: {env: T}}\nvariables:\n", 1);
    repeat(&b, "  - {name: A, value: \"", 1);
    repeat(&b, "${master.url}", 3000);
    repeat(&b, "\"}\n", 1);
    CLEANUP(loaded_release) struct loaded m = load_buf(&b);
    refused(&m, "M050", "becomes larger");
}

static void fleet(struct buf *b, size_t n)
{
    struct err e = ERR_INIT;
    repeat(b, head, 1);
    repeat(b, "secrets: {names: [A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q]}\n", 1);
    repeat(b, "variables: [{name: V, value: \"${master.repo}\"}]\nslaves:\n", 1);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buf_addf(b, &e,
                                  "  - id: slave-%zu\n    type: github\n    repo: o/r%zu\n"
                                  "    token: {env_file: tokens.env, name: T%zu}\n",
                                  i, i, i),
                         ERR_OK);
}

/* Slaves without wishes of their own share their lists; specials are found without searching. */
static void ten_thousand_slaves(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf b = BUF_INIT(1 << 24);
    fleet(&b, 10000);
    CLEANUP(loaded_release) struct loaded l = load_buf(&b);

    assert_string_equal(buf_str(&l.rendered), "");
    assert_int_equal(l.m->n_slaves, 10000);
    assert_ptr_equal(l.m->slaves[0].secrets, l.m->slaves[9999].secrets);
    assert_ptr_equal(l.m->slaves[0].variables, l.m->slaves[9999].variables);
    assert_string_equal(l.m->slaves[9999].token.name, "T9999");
}

static void ten_thousand_specials(void **state)
{
    (void)state;
    CLEANUP(buf_release) struct buf b = BUF_INIT(1 << 24);
    struct err e = ERR_INIT;
    repeat(&b, head, 1);
    repeat(&b, "secrets:\n  names: [A, B, C]\n  items:\n", 1);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(
            buf_addf(&b, &e, "    - {name: TOKEN, from: {env: T%d}, slaves: [slave-%d]}\n", i, i),
            ERR_OK);
    repeat(&b, "defaults: {token: {env: T}}\nslaves:\n", 1);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(buf_addf(&b, &e, "  - {id: slave-%d, type: github, repo: o/r%d}\n", i, i),
                         ERR_OK);
    CLEANUP(loaded_release) struct loaded l = load_buf(&b);

    assert_string_equal(buf_str(&l.rendered), "");
    assert_int_equal(l.m->slaves[7777].n_secrets, 4);
    assert_string_equal(l.m->slaves[7777].secrets[3].source.name, "T7777");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deep),
        cmocka_unit_test(deep_block),
        cmocka_unit_test(large_scalar),
        cmocka_unit_test(many_nodes),
        cmocka_unit_test(many_errors),
        cmocka_unit_test(many_unknown_keys),
        cmocka_unit_test(too_many_variables),
        cmocka_unit_test(large_variable),
        cmocka_unit_test(ten_thousand_slaves),
        cmocka_unit_test(ten_thousand_specials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
