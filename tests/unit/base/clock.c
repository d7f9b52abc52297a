#include "mirrorctl/base.h"

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct wall fake_wall(void *ctx)
{
    return *(struct wall *)ctx;
}

static struct mono fake_mono(void *ctx)
{
    return (struct mono){.ms = ((struct wall *)ctx)->s * 1000};
}

static void fake_sleep(void *ctx, struct ms d)
{
    ((struct wall *)ctx)->s += d.v / 1000;
}

static void a_clock_can_be_owned(void **state UNUSED)
{
    struct wall now = {.s = 100};
    struct clock c = {.wall = fake_wall, .mono = fake_mono, .sleep = fake_sleep, .ctx = &now};

    clock_sleep(&c, (struct ms){5000});
    assert_int_equal(clock_wall(&c).s, 105);
    assert_int_equal(clock_mono(&c).ms, 105000);
}

static void the_system_clock_moves(void **state UNUSED)
{
    struct mono before = clock_mono(&clock_system);
    clock_sleep(&clock_system, (struct ms){30});
    clock_sleep(&clock_system, (struct ms){-5});
    assert_true(clock_mono(&clock_system).ms - before.ms >= 29);
    assert_true(clock_wall(&clock_system).s > 1700000000);
}

static void formats(void **state UNUSED)
{
    char out[24];
    assert_string_equal(wall_format((struct wall){1795386146}, out), "2026-11-22T22:22:26Z");
    assert_string_equal(wall_format((struct wall){0}, out), "");
    assert_string_equal(wall_format((struct wall){-1}, out), "1969-12-31T23:59:59Z");
    assert_string_equal(wall_format((struct wall){INT64_MAX}, out), "");
}

static void parses(void **state UNUSED)
{
    static const struct {
        const char *text;
        int64_t s;
    } GOOD[] = {
        {"2026-11-22T22:22:26Z",            1795386146  },
        {"2026-11-22T22:22:26.123Z",        1795386146  },
        {"2026-11-23T00:22:26+02:00",       1795386146  },
        {"2026-11-22T17:22:26.000001-0500", 1795386146  },
        {"1970-01-01T00:00:00Z",            0           },
        {"2024-02-29T00:00:00Z",            1709164800  },
        {"2000-02-29T23:59:60Z",            951868800   },
        {"0001-01-01T00:00:00Z",            -62135596800},
        {"9999-12-31T23:59:59Z",            253402300799},
    };
    struct err e = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(GOOD); i++) {
        struct wall t = {-7};
        assert_int_equal(wall_parse(GOOD[i].text, &t, &e), ERR_OK);
        assert_int_equal(t.s, GOOD[i].s);
    }
}

static void parsing_does_not_ask_the_time_zone(void **state UNUSED)
{
    struct err e = ERR_INIT;
    struct wall t = {0};

    (void)setenv("TZ", "America/New_York", 1);
    tzset();
    assert_int_equal(wall_parse("2026-07-01T12:00:00Z", &t, &e), ERR_OK);
    (void)unsetenv("TZ");
    tzset();
    assert_int_equal(t.s, 1782907200);
}

static void rejects_what_is_no_time(void **state UNUSED)
{
    static const char *const BAD[] = {
        "",
        "now",
        "2026-11-22",
        "2026-11-22T22:22:26",
        "2026-11-22 22:22:26Z",
        "2026-11-22T22:22Z",
        "2026-11-22T22:22:26Zjunk",
        "2026-11-22T22:22:26.Z",
        "2026-11-22T22:22:26z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+02:60",
        "2026-01-01T00:00:00+02",
        "2026-01-01T00:00:00+02:00Z",
        "+026-01-01T00:00:00Z",
        " 2026-01-01T00:00:00Z",
        "20260101T000000Z",
    };
    struct err e = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct wall t = {-7};
        if (wall_parse(BAD[i], &t, &e) != ERR_INVALID)
            fail_msg("'%s' was taken for a time", BAD[i]);
        assert_int_equal(t.s, -7);
    }
}

static void ages(void **state UNUSED)
{
    static const struct {
        int64_t age;
        const char *text;
    } GOOD[] = {
        {0,                "0s"     },
        {59,               "59s"    },
        {60,               "1m"     },
        {179,              "2m"     },
        {3600,             "1h"     },
        {3900,             "1h 5m"  },
        {86399,            "23h 59m"},
        {86400,            "1d"     },
        {86400 + 3600 * 4, "1d 4h"  },
        {259200,           "3d"     },
        {-100 /* skew */,  "0s"     },
    };
    const struct wall then = {1700000000};
    char out[24];

    for (size_t i = 0; i < ARRAY_LEN(GOOD); i++)
        assert_string_equal(wall_ago(then, (struct wall){then.s + GOOD[i].age}, out), GOOD[i].text);
    assert_string_equal(wall_ago((struct wall){0}, then, out), "never");
    assert_true(strlen(wall_ago((struct wall){INT64_MIN}, (struct wall){INT64_MAX}, out)) < 24);
}

static void durations(void **state UNUSED)
{
    static const struct {
        const char *text;
        int64_t ms;
    } GOOD[] = {
        {"500ms",                 500      },
        {"30s",                   30000    },
        {"5m",                    300000   },
        {"2h",                    7200000  },
        {"7d",                    604800000},
        {"0",                     0        },
        {"0s",                    0        },
        {"00",                    0        },
        {"9223372036854775807ms", INT64_MAX},
    };
    static const char *const BAD[] = {
        "",
        "s",
        "5",
        "-5s",
        "+5s",
        "5 s",
        " 5s",
        "5S",
        "5.5s",
        "1h30m",
        "5ss",
        "5min",
        "0x5s",
        "5sec",
        "ms",
        "9223372036854775808ms",
        "9223372036854775807s",
        "106751991168d",
        "99999999999999999999999",
    };
    struct err e = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(GOOD); i++) {
        struct ms d = {-7};
        assert_int_equal(duration_parse(GOOD[i].text, &d, &e), ERR_OK);
        assert_int_equal(d.v, GOOD[i].ms);
    }
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct ms d = {-7};
        if (duration_parse(BAD[i], &d, &e) != ERR_INVALID)
            fail_msg("'%s' was taken for a duration", BAD[i]);
        assert_int_equal(d.v, -7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_can_be_owned),
        cmocka_unit_test(the_system_clock_moves),
        cmocka_unit_test(formats),
        cmocka_unit_test(parses),
        cmocka_unit_test(parsing_does_not_ask_the_time_zone),
        cmocka_unit_test(rejects_what_is_no_time),
        cmocka_unit_test(ages),
        cmocka_unit_test(durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
