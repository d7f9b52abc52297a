/* The frame of a story: one world a test. Include last. */
#ifndef MIRRORCTL_TESTS_SCENARIO_STORY_H
#define MIRRORCTL_TESTS_SCENARIO_STORY_H

#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int story_setup(void **state)
{
    *state = world_new();
    return 0;
}

static int story_teardown(void **state)
{
    world_free(*state);
    return 0;
}

#define STORY(fn) cmocka_unit_test_setup_teardown(fn, story_setup, story_teardown)

#define assert_says(w, words)                                                                      \
    do {                                                                                           \
        if (strstr((w)->text, (words)) == NULL)                                                    \
            fail_msg("expected \"%s\" in:\n%s", (words), (w)->text);                               \
    } while (0)

#endif
