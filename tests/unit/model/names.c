#include "mirrorctl/model.h"

#include <setjmp.h>

#include <cmocka.h>

/* Stored words: this test is the list of promises. A failure here means that a file out there
 * breaks. */

#define CHECK_WORDS(count, name_fn, from_fn, type, ...)                                            \
    do {                                                                                           \
        static const char *const words[] = {__VA_ARGS__};                                          \
        type back;                                                                                 \
        assert_int_equal(ARRAY_LEN(words), count);                                                 \
        for (size_t i = 0; i < ARRAY_LEN(words); i++) {                                            \
            assert_string_equal(name_fn((type)i), words[i]);                                       \
            assert_true(from_fn(words[i], &back));                                                 \
            assert_int_equal(back, i);                                                             \
        }                                                                                          \
        back = (type)1;                                                                            \
        assert_false(from_fn("nonsense", &back));                                                  \
        assert_false(from_fn("", &back));                                                          \
        assert_false(from_fn(NULL, &back));                                                        \
        assert_int_equal(back, 1);                                                                 \
        assert_string_equal(name_fn((type)count), "?");                                            \
    } while (0)

static void every_word_goes_both_ways(void **state UNUSED)
{
    CHECK_WORDS(ROLE_COUNT, role_name, role_from_name, enum role, "MASTER", "SLAVE",
                "TEMPORARY_MASTER");
    CHECK_WORDS(KIND_COUNT, kind_name, kind_from_name, enum kind, "actions", "ref",
                "default-branch", "secret", "variable", "workflow", "role");
    CHECK_WORDS(LAYER_COUNT, layer_name, layer_from_name, enum layer, "code", "secrets",
                "variables", "workflows");
    CHECK_WORDS(ACT_COUNT, act_name, act_from_name, enum act, "create", "update", "delete", "adopt",
                "forget");
    CHECK_WORDS(PHASE_COUNT, phase_name, phase_from_name, enum phase, "quiet", "code",
                "default-branch", "secrets", "variables", "workflows", "role", "delete", "ledger");
    CHECK_WORDS(DRIFT_UNKNOWN + 1, drift_name, drift_from_name, enum drift, "in-sync", "missing",
                "changed-here", "changed-there", "both", "foreign", "unknown");
    CHECK_WORDS(COND_ERROR + 1, condition_level_name, condition_level_from_name,
                enum condition_level, "note", "warning", "blocked", "error");
    CHECK_WORDS(SYNC_OFF + 1, sync_status_name, sync_status_from_name, enum sync_status, "never",
                "ok", "stale", "failed", "blocked", "off");
    CHECK_WORDS(HEALTH_UNREACHABLE + 1, health_name, health_from_name, enum health, "unknown", "ok",
                "degraded", "fenced", "unreachable");
}

static void words_are_exact(void **state UNUSED)
{
    enum role r = ROLE_MASTER;
    assert_false(role_from_name("slave", &r));
    assert_false(role_from_name("SLAVE ", &r));
    assert_int_equal(r, ROLE_MASTER);
}

static void every_kind_has_its_layer(void **state UNUSED)
{
    assert_int_equal(kind_layer(KIND_ACTIONS), LAYER_WORKFLOWS);
    assert_int_equal(kind_layer(KIND_REF), LAYER_CODE);
    assert_int_equal(kind_layer(KIND_DEFAULT_BRANCH), LAYER_CODE);
    assert_int_equal(kind_layer(KIND_SECRET), LAYER_SECRETS);
    assert_int_equal(kind_layer(KIND_VARIABLE), LAYER_VARIABLES);
    assert_int_equal(kind_layer(KIND_WORKFLOW), LAYER_WORKFLOWS);
    assert_int_equal(kind_layer(KIND_ROLE), LAYER_CODE);
}

static void remote_acts_are_those_that_write_the_slave(void **state UNUSED)
{
    assert_true(act_is_remote(ACT_CREATE));
    assert_true(act_is_remote(ACT_UPDATE));
    assert_true(act_is_remote(ACT_DELETE));
    assert_false(act_is_remote(ACT_ADOPT));
    assert_false(act_is_remote(ACT_FORGET));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_goes_both_ways),
        cmocka_unit_test(words_are_exact),
        cmocka_unit_test(every_kind_has_its_layer),
        cmocka_unit_test(remote_acts_are_those_that_write_the_slave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
