/* Each awkward behaviour shows when its switch is on and does not when it is off: a row that makes
 * no difference, and a row without a demonstration, fail. */
#include "demos.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool shows(const struct demo *d, int value)
{
    struct world w;
    world_make(&w);
    assert_true(hub_quirk_set(w.h, d->quirk, value));
    bool awkward = d->awkward(&w);
    world_end(&w);
    return awkward;
}

static void check(const struct demo *demos, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool on = shows(&demos[i], demos[i].on), off = shows(&demos[i], 0);
        if (!on || off)
            fail_msg("quirk '%s': on shows %d, off shows %d", demos[i].quirk, on, off);
    }
}

static void rest_quirks(void **state)
{
    (void)state;
    check(rest_demos, n_rest_demos);
}

static void git_quirks(void **state)
{
    (void)state;
    check(git_demos, n_git_demos);
}

static bool shown(const char *quirk)
{
    for (size_t i = 0; i < n_rest_demos; i++)
        if (strcmp(rest_demos[i].quirk, quirk) == 0)
            return true;
    for (size_t i = 0; i < n_git_demos; i++)
        if (strcmp(git_demos[i].quirk, quirk) == 0)
            return true;
    return false;
}

static void every_quirk_is_shown(void **state)
{
    (void)state;
    for (size_t i = 0; i < hub_n_quirks; i++)
        if (!shown(hub_quirks[i].name))
            fail_msg("no demonstration of quirk '%s'", hub_quirks[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_quirk_is_shown),
        cmocka_unit_test(rest_quirks),
        cmocka_unit_test(git_quirks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
