/* Plans and state files of all sorts go through JSON and come back. */
#include "mirrorctl/record.h"

#include <setjmp.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "random.h"

/* Text with everything in it that JSON has to escape. */
static const char *some_text(struct random *r, struct arena *a)
{
    static const char *const PIECES[] = {"a",    "Z",    "\"", "\\", "\n", "\t", "/", "ä", "→",
                                         "\x01", "\x7f", "😀",  "{",  "}",  "[",  ",", ":", " "};
    char *text = arena_alloc(a, 64);
    for (unsigned n = pick(r, 12); n > 0; n--)
        (void)strncat(text, PIECES[pick(r, ARRAY_LEN(PIECES))], 5);
    return text;
}

static const char *maybe_text(struct random *r, struct arena *a)
{
    return chance(r, 30) ? NULL : some_text(r, a);
}

static void fill_action(struct random *r, struct arena *a, struct action *act)
{
    *act = (struct action){
        .phase = (enum phase)pick(r, PHASE_COUNT),
        .act = (enum act)pick(r, ACT_COUNT),
        .kind = (enum kind)pick(r, KIND_COUNT),
        .drift = (enum drift)pick(r, DRIFT_UNKNOWN + 1),
        .name = some_text(r, a),
        .from = maybe_text(r, a),
        .to = maybe_text(r, a),
        .stamp = maybe_text(r, a),
        .reason = maybe_text(r, a),
        .detail = maybe_text(r, a),
        .id = (int64_t)random_next(r),
        .forced = chance(r, 50),
        .rescue = chance(r, 50),
        .arrives = chance(r, 50),
    };
}

static void random_plan(struct random *r, struct arena *a, struct plan *p)
{
    p->n = pick(r, 4);
    p->slaves = arena_alloc(a, (p->n + 1) * sizeof(*p->slaves));
    for (size_t i = 0; i < p->n; i++) {
        struct slave_plan *s = &p->slaves[i];
        slave_plan_init(s, some_text(r, a), a);
        s->is_master = chance(r, 20);
        s->refused = chance(r, 70) ? ERR_OK : (enum err_code)pick(r, ERR_CODE_COUNT);
        for (unsigned n = pick(r, 6); n > 0; n--)
            fill_action(r, a, slave_plan_add(s));
        for (unsigned n = pick(r, 3); n > 0; n--)
            slave_plan_condition(
                s, (struct condition){.level = (enum condition_level)pick(r, COND_ERROR + 1),
                                      .err = (enum err_code)pick(r, ERR_CODE_COUNT),
                                      .code = some_text(r, a),
                                      .text = some_text(r, a),
                                      .cure = maybe_text(r, a)});
    }
}

/* Write, read, write: the second text is the first. */
static void plan_survives(uint64_t seed)
{
    struct random r = {seed};
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(buf_release) struct buf first = BUF_INIT(1 << 20), second = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    struct plan p, back;
    struct plan_binding b = {.version = "1", .manifest_digest = some_text(&r, a)}, binding;

    random_plan(&r, a, &p);
    assert_int_equal(plan_record_write(&p, &b, &first, &e), ERR_OK);
    if (plan_record_read(buf_str(&first), first.len, a, &back, &binding, &e) != ERR_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed, e.text);
    assert_int_equal(plan_record_write(&back, &binding, &second, &e), ERR_OK);
    if (!str_eq(buf_str(&first), buf_str(&second)))
        fail_msg("seed %llu: another plan came back", (unsigned long long)seed);
}

static void plans_come_back_from_json(void **state UNUSED)
{
    run_rounds("plans", 3000, plan_survives);
}

/* ---- State files --------------------------------------------------------------------------- */

static json_t *some_json(struct random *r, struct arena *a, int depth)
{
    json_t *j;
    switch (pick(r, depth > 0 ? 8 : 6)) {
    case 0:
        return json_null();
    case 1:
        return json_boolean(chance(r, 50));
    case 2:
        return json_integer((json_int_t)random_next(r));
    case 3:
        return json_real((double)pick(r, 1000) / 7.0);
    case 4:
    case 5:
        return json_string(some_text(r, a));
    case 6:
        j = json_array();
        for (unsigned n = pick(r, 4); n > 0; n--)
            json_array_append_new(j, some_json(r, a, depth - 1));
        return j;
    default:
        j = json_object();
        for (unsigned n = pick(r, 5); n > 0; n--)
            json_object_set_new(j, some_text(r, a), some_json(r, a, depth - 1));
        return j;
    }
}

static json_t *some_state(struct random *r, struct arena *a)
{
    json_t *j = json_object();
    for (unsigned n = pick(r, 5); n > 0; n--)
        json_object_set_new(j, some_text(r, a), some_json(r, a, 3));
    if (chance(r, 50))
        json_object_set_new(j, "mirrors", some_json(r, a, 3));
    for (unsigned n = pick(r, 3); n > 0; n--)
        json_object_set_new(j, some_text(r, a), some_json(r, a, 3));
    return j;
}

static char *merged(const char *old, const struct status *s, struct arena *a, bool *changed)
{
    CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    if (mirrors_record_merge(old, strlen(old), s, &out, changed, &e) != ERR_OK)
        fail_msg("%s\n%s", e.text, old);
    return arena_strdup(a, buf_str(&out));
}

/* Everything but `mirrors` is what it was, keys in their order; once more changes nothing. */
static void state_survives(uint64_t seed)
{
    static const size_t FLAGS[] = {0, JSON_COMPACT, JSON_INDENT(2), JSON_INDENT(4), JSON_INDENT(1)};
    struct random r = {seed};
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct slave_status slave = {
        .id = some_text(&r, a), .type = "github", .repo = some_text(&r, a)};
    const struct status s = {.slaves = &slave, .n = pick(&r, 2)};
    json_t *before = some_state(&r, a);
    char *old = json_dumps(before, FLAGS[pick(&r, ARRAY_LEN(FLAGS))]);
    bool changed = false;

    char *text = merged(old, &s, a, &changed);
    assert_true(changed);
    json_t *after = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (after == NULL || json_object_get(after, "mirrors") == NULL)
        fail_msg("seed %llu:\n%s", (unsigned long long)seed, text);
    (void)merged(text, &s, a, &changed);
    assert_false(changed);

    json_object_del(before, "mirrors");
    json_object_del(after, "mirrors");
    char *x = json_dumps(before, JSON_COMPACT), *y = json_dumps(after, JSON_COMPACT);
    if (!str_eq(x, y))
        fail_msg("seed %llu:\n%s\n%s", (unsigned long long)seed, x, y);
    free(x);
    free(y);
    free(old);
    json_decref(before);
    json_decref(after);
}

static void state_files_keep_what_is_not_ours(void **state UNUSED)
{
    run_rounds("state files", 5000, state_survives);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_come_back_from_json),
        cmocka_unit_test(state_files_keep_what_is_not_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
