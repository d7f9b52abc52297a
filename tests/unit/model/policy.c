#include "mirrorctl/model.h"

#include <setjmp.h>

#include <cmocka.h>

static void refs_are_covered_as_the_lists_say(void **state UNUSED)
{
    static const char *const HEADS[] = {"refs/heads/*", NULL};
    static const char *const EVERY[] = {"refs/*", NULL};
    static const char *const WIP[] = {"refs/heads/wip/*", NULL};
    static const char *const NONE[] = {NULL};
    static const struct {
        struct ref_policy policy;
        const char *name;
        bool covered;
    } ROWS[] = {
        {{.prune = true}, "refs/heads/main", true},
        {{.prune = true}, "refs/heads/a/b/c", true},
        {{.prune = true}, "refs/tags/v1", true},
        {{.prune = true}, "refs/notes/commits", false},
        {{.include = NONE}, "refs/heads/main", true},
        {{.include = HEADS}, "refs/tags/v1", false},
        {{.include = HEADS, .exclude = WIP}, "refs/heads/wip/x", false},
        {{.include = HEADS, .exclude = WIP}, "refs/heads/wip", true},
        {{.exclude = WIP}, "refs/heads/wip/x/y", false},
        {{.include = EVERY}, "refs/notes/commits", true},
        {{.include = EVERY}, "refs/pull/1/head", false},
        {{.include = EVERY}, "refs/mirrorctl/role", false},
        {{.include = EVERY}, "refs/mirrorctl/rescue/1", false},
        {{.include = EVERY}, "refs/pullers/x", true},
        {{.include = EVERY, .exclude = EVERY}, "refs/heads/main", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        if (ref_policy_covers(&ROWS[i].policy, ROWS[i].name) != ROWS[i].covered)
            fail_msg("row %zu: %s", i, ROWS[i].name);
    }
}

static void sources_are_described_without_values(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    static const char *const ARGV[] = {"pass", "show", "token=hush", NULL};
    static const char *const NO_ARGV[] = {NULL};
    static const struct {
        struct value_source source;
        const char *text;
    } ROWS[] = {
        {{.type = SOURCE_NONE}, "no source"},
        {{.type = SOURCE_ENV, .name = "GITHUB_TOKEN"}, "$GITHUB_TOKEN"},
        {{.type = SOURCE_ENV_FILE, .path = ".env", .name = "A"}, "A in file .env"},
        {{.type = SOURCE_DIR, .path = "/run/s", .name = "A"}, "file /run/s/A"},
        {{.type = SOURCE_FILE, .path = "/etc/x"}, "file /etc/x"},
        {{.type = SOURCE_CREDENTIAL, .name = "gh"}, "credential gh"},
        {{.type = SOURCE_COMMAND, .argv = ARGV}, "command pass"},
        {{.type = SOURCE_COMMAND, .argv = NO_ARGV}, "command (empty)"},
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++)
        assert_string_equal(value_source_describe(a, &ROWS[i].source), ROWS[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refs_are_covered_as_the_lists_say),
        cmocka_unit_test(sources_are_described_without_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
