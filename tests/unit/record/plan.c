#include "mirrorctl/record.h"

#include <setjmp.h>

#include <cmocka.h>

#include <string.h>

static const struct plan_binding BINDING = {
    .manifest_digest = "aa", .observed_digest = "bb", .version = "0.1.0", .at = {1795386146}};

/* Every field set, every enum at each of its values somewhere. */
static void fill(struct slave_plan *s, struct arena *a)
{
    slave_plan_init(&s[0], "master", a);
    s[0].is_master = true;
    s[0].refused = ERR_FENCED;
    slave_plan_init(&s[1], "eu", a);
    for (int i = 0; i < 9; i++) {
        *slave_plan_add(&s[1]) = (struct action){
            .phase = (enum phase)(i % PHASE_COUNT),
            .act = (enum act)(i % ACT_COUNT),
            .kind = (enum kind)(i % KIND_COUNT),
            .drift = (enum drift)(i % (DRIFT_UNKNOWN + 1)),
            .name = arena_printf(a, "name %d", i),
            .from = i % 2 == 0 ? "from" : NULL,
            .to = i % 3 == 0 ? "to\n\"ä\"" : NULL,
            .stamp = i % 4 == 0 ? "2026-11-22T22:22:26.000000Z" : NULL,
            .reason = "because",
            .detail = i % 5 == 0 ? "12 commits" : NULL,
            .id = i == 3 ? INT64_MAX : i,
            .forced = i == 1,
            .rescue = i == 2,
            .arrives = i == 4,
        };
    }
    for (enum condition_level l = COND_NOTE; l <= COND_ERROR; l++)
        slave_plan_condition(&s[1], (struct condition){.level = l,
                                                       .err = l == COND_ERROR ? ERR_RATE : ERR_OK,
                                                       .code = "code",
                                                       .text = "text",
                                                       .cure = l == COND_NOTE ? NULL : "cure",
                                                       .about_kind = l != COND_BLOCKED,
                                                       .kind = KIND_SECRET});
}

static void write_plan(const struct plan *p, struct buf *out)
{
    struct err e = ERR_INIT;
    assert_int_equal(plan_record_write(p, &BINDING, out, &e), ERR_OK);
}

static void same_text(const char *a, const char *b)
{
    if (!str_eq(a, b))
        fail_msg("\"%s\" is not \"%s\"", a != NULL ? a : "NULL", b != NULL ? b : "NULL");
}

static void same_action(const struct action *a, const struct action *b)
{
    assert_int_equal(a->phase, b->phase);
    assert_int_equal(a->act, b->act);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->drift, b->drift);
    same_text(a->name, b->name);
    same_text(a->from, b->from);
    same_text(a->to, b->to);
    same_text(a->stamp, b->stamp);
    same_text(a->reason, b->reason);
    same_text(a->detail, b->detail);
    assert_true(a->id == b->id);
    assert_int_equal(a->forced, b->forced);
    assert_int_equal(a->rescue, b->rescue);
    assert_int_equal(a->arrives, b->arrives);
}

static void a_plan_comes_back_as_it_was(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    struct slave_plan s[2];
    struct plan back;
    struct plan_binding b;
    fill(s, a);
    write_plan(&(struct plan){.slaves = s, .n = 2}, &out);

    assert_int_equal(plan_record_read(buf_str(&out), out.len, a, &back, &b, &e), ERR_OK);
    same_text(b.manifest_digest, "aa");
    same_text(b.observed_digest, "bb");
    same_text(b.version, "0.1.0");
    assert_int_equal(b.at.s, BINDING.at.s);
    assert_int_equal(back.n, 2);
    assert_true(back.slaves[0].is_master);
    assert_int_equal(back.slaves[0].refused, ERR_FENCED);
    same_text(back.slaves[1].slave, "eu");
    assert_int_equal(back.slaves[1].refused, ERR_OK);
    assert_int_equal(back.slaves[1].n, s[1].n);
    for (size_t i = 0; i < s[1].n; i++)
        same_action(&back.slaves[1].actions[i], &s[1].actions[i]);
    assert_int_equal(back.slaves[1].n_conditions, s[1].n_conditions);
    for (size_t i = 0; i < s[1].n_conditions; i++) {
        const struct condition *x = &back.slaves[1].conditions[i], *y = &s[1].conditions[i];
        assert_int_equal(x->level, y->level);
        assert_int_equal(x->err, y->err);
        assert_int_equal(x->about_kind, y->about_kind);
        assert_true(!y->about_kind || x->kind == y->kind);
        same_text(x->code, y->code);
        same_text(x->text, y->text);
        same_text(x->cure, y->cure);
    }
}

/* Blanks may change (an editor, jq); one changed letter may not. */
static void an_edited_plan_is_damaged(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    struct slave_plan s[2];
    struct plan back;
    struct plan_binding b;
    fill(s, a);
    write_plan(&(struct plan){.slaves = s, .n = 2}, &out);

    char *spread = arena_alloc(a, out.len * 2 + 1), *to = spread;
    for (const char *c = buf_str(&out); *c != '\0'; c++) {
        *to++ = *c;
        if (*c == '\n')
            *to++ = '\t';
    }
    assert_int_equal(plan_record_read(spread, strlen(spread), a, &back, &b, &e), ERR_OK);

    char *text = arena_strdup(a, buf_str(&out));
    memcpy(strstr(text, "because"), "BECAUSE", 7);
    assert_int_equal(plan_record_read(text, strlen(text), a, &back, &b, &e), ERR_DAMAGED);
    assert_non_null(strstr(e.text, "changed after it was made"));
}

/* Any one byte changed: refused, or it was a blank. Never a crash, never another plan. */
static void no_single_byte_changes_a_plan(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 20);
    struct slave_plan s[2];
    fill(s, a);
    s[1].n = 1;
    write_plan(&(struct plan){.slaves = s, .n = 2}, &out);
    char *text = arena_strdup(a, buf_str(&out));
    for (size_t i = 0; i < out.len; i++) {
        static const char BYTES[] = "x\"0{\x80 ";
        for (size_t k = 0; k < sizeof(BYTES) - 1; k++) {
            char old = text[i];
            if (old == BYTES[k])
                continue;
            CLEANUP(arena_freep) struct arena *b = arena_new();
            struct err e = ERR_INIT;
            struct plan back = {.n = 99};
            struct plan_binding binding;
            text[i] = BYTES[k];
            enum err_code r = plan_record_read(text, out.len, b, &back, &binding, &e);
            text[i] = old;
            if (r == ERR_OK && strchr(" \n", old) == NULL)
                fail_msg("byte %zu, '%c' to '%c'", i, old, BYTES[k]);
            assert_true(r == ERR_OK || back.n == 99);
        }
    }
}

static void cut_and_foreign_plans_are_refused(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    struct slave_plan s[2];
    struct plan back;
    struct plan_binding b;
    fill(s, a);
    write_plan(&(struct plan){.slaves = s, .n = 2}, &out);
    for (size_t n = 0; n < out.len - 2; n += 13)
        assert_int_equal(plan_record_read(buf_str(&out), n, a, &back, &b, &e), ERR_INVALID);
    assert_int_equal(plan_record_read("{}", 2, a, &back, &b, &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "'digest' is missing"));
}

static void a_small_buffer_is_an_error(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct slave_plan s[2];
    fill(s, a);
    const struct plan p = {.slaves = s, .n = 2};
    for (size_t max = 0; max < 2000; max += 111) {
        CLEANUP(buf_release) struct buf out = BUF_INIT(max);
        struct err e = ERR_INIT;
        assert_int_equal(plan_record_write(&p, &BINDING, &out, &e), ERR_LIMIT);
    }
}

/* A ref name may hold any bytes; JSON may not. */
static void bytes_that_are_no_text_are_spelled_out(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 20);
    struct slave_plan s;
    slave_plan_init(&s, "eu", a);
    *slave_plan_add(&s) = (struct action){.kind = KIND_REF, .name = "refs/heads/\xff\xe4z"};
    write_plan(&(struct plan){.slaves = &s, .n = 1}, &out);
    assert_non_null(strstr(buf_str(&out), "refs/heads/\\\\xff\\\\xe4z"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_comes_back_as_it_was),
        cmocka_unit_test(an_edited_plan_is_damaged),
        cmocka_unit_test(no_single_byte_changes_a_plan),
        cmocka_unit_test(cut_and_foreign_plans_are_refused),
        cmocka_unit_test(a_small_buffer_is_an_error),
        cmocka_unit_test(bytes_that_are_no_text_are_spelled_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
