#include "mirrorctl/base.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- The clock of the system ----------------------------------------------------------------- */

static struct wall system_wall(void *ctx UNUSED)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (struct wall){.s = t.tv_sec};
}

static struct mono system_mono(void *ctx UNUSED)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (struct mono){.ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000};
}

/* A signal ends it early: whoever stops the process should not have to wait for it. */
static void system_sleep(void *ctx UNUSED, struct ms d)
{
    if (d.v <= 0)
        return;
    struct timespec t = {.tv_sec = d.v / 1000, .tv_nsec = d.v % 1000 * 1000000};
    (void)nanosleep(&t, NULL);
}

const struct clock clock_system = {
    .wall = system_wall,
    .mono = system_mono,
    .sleep = system_sleep,
    .ctx = NULL,
};

struct wall clock_wall(const struct clock *c)
{
    return c->wall(c->ctx);
}

struct mono clock_mono(const struct clock *c)
{
    return c->mono(c->ctx);
}

void clock_sleep(const struct clock *c, struct ms d)
{
    c->sleep(c->ctx, d);
}

/* ---- Wall time as text ----------------------------------------------------------------------- */

char *wall_format(struct wall t, char out[static 24])
{
    struct tm tm;
    time_t s = (time_t)t.s;

    out[0] = '\0';
    if (t.s == 0 || gmtime_r(&s, &tm) == NULL)
        return out;
    if (strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        out[0] = '\0';
    return out;
}

/* Exactly n digits at *p, or -1. Moves *p behind them. */
static int digits(const char **p, int n)
{
    int value = 0;
    for (int i = 0; i < n; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return -1;
        value = value * 10 + (**p - '0');
    }
    return value;
}

static bool skip(const char **p, char ch)
{
    if (**p != ch)
        return false;
    (*p)++;
    return true;
}

/* Every field in its range, so that timegm has nothing to normalise but a leap second. */
static bool parse_date_time(const char **p, struct tm *tm)
{
    static const int DAYS[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    int year = digits(p, 4);
    if (year < 0 || !skip(p, '-'))
        return false;
    int month = digits(p, 2);
    if (month < 1 || month > 12 || !skip(p, '-'))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int day = digits(p, 2);
    if (day < 1 || day > DAYS[month - 1] + (month == 2 && leap ? 1 : 0) || !skip(p, 'T'))
        return false;
    int hour = digits(p, 2);
    if (hour < 0 || hour > 23 || !skip(p, ':'))
        return false;
    int minute = digits(p, 2);
    if (minute < 0 || minute > 59 || !skip(p, ':'))
        return false;
    int second = digits(p, 2);
    if (second < 0 || second > 60)
        return false;
    *tm = (struct tm){.tm_year = year - 1900,
                      .tm_mon = month - 1,
                      .tm_mday = day,
                      .tm_hour = hour,
                      .tm_min = minute,
                      .tm_sec = second};
    return true;
}

/* "Z", "+02:00" or "+0200" up to the end of the text; seconds east of Greenwich. */
static bool parse_offset(const char *p, int64_t *out_seconds)
{
    if (str_eq(p, "Z")) {
        *out_seconds = 0;
        return true;
    }
    if (*p != '+' && *p != '-')
        return false;
    int64_t sign = *p++ == '-' ? -1 : 1;
    int hours = digits(&p, 2);
    if (hours < 0 || hours > 23)
        return false;
    (void)skip(&p, ':');
    int minutes = digits(&p, 2);
    if (minutes < 0 || minutes > 59 || *p != '\0')
        return false;
    *out_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

enum err_code wall_parse(const char *iso, struct wall *out_t, struct err *e)
{
    const char *p = iso;
    struct tm tm;
    int64_t offset = 0;
    bool good = parse_date_time(&p, &tm);

    if (good && skip(&p, '.')) {
        size_t n = strspn(p, "0123456789"); /* read and dropped: our unit is the second */
        good = n > 0;
        p += n;
    }
    if (!good || !parse_offset(p, &offset))
        return err_set(e, ERR_INVALID, "'%s' is not a time such as 2026-11-22T22:22:26Z", iso);
    out_t->s = (int64_t)timegm(&tm) - offset;
    return ERR_OK;
}

char *wall_ago(struct wall then, struct wall now, char out[static 24])
{
    static const struct {
        int64_t seconds;
        char name;
    } UNITS[] = {
        {86400, 'd'},
        {3600,  'h'},
        {60,    'm'},
        {1,     's'}
    };

    if (then.s == 0) {
        (void)snprintf(out, 24, "never");
        return out;
    }
    /* Two clocks may disagree; a negative age would only puzzle. */
    int64_t age = 0;
    if (now.s > then.s && __builtin_sub_overflow(now.s, then.s, &age))
        age = INT64_MAX;

    size_t i = 0;
    while (i + 1 < ARRAY_LEN(UNITS) && age < UNITS[i].seconds)
        i++;
    int64_t first = age / UNITS[i].seconds, second = 0;
    if (UNITS[i].seconds > 60) /* seconds behind minutes are noise */
        second = age % UNITS[i].seconds / UNITS[i + 1].seconds;
    if (second > 0)
        (void)snprintf(out, 24, "%" PRId64 "%c %d%c", first, UNITS[i].name, (int)second,
                       UNITS[i + 1].name);
    else
        (void)snprintf(out, 24, "%" PRId64 "%c", first, UNITS[i].name);
    return out;
}

/* ---- Durations ------------------------------------------------------------------------------- */

static int64_t unit_ms(const char *unit)
{
    static const struct {
        const char *name;
        int64_t ms;
    } UNITS[] = {
        {"ms", 1       },
        {"s",  1000    },
        {"m",  60000   },
        {"h",  3600000 },
        {"d",  86400000}
    };

    for (size_t i = 0; i < ARRAY_LEN(UNITS); i++) {
        if (str_eq(unit, UNITS[i].name))
            return UNITS[i].ms;
    }
    return 0;
}

enum err_code duration_parse(const char *s, struct ms *out_d, struct err *e)
{
    size_t n = strspn(s, "0123456789");
    int64_t value = 0, unit = unit_ms(s + n);
    bool fits = true;

    for (size_t i = 0; i < n && fits; i++)
        fits = !__builtin_mul_overflow(value, (int64_t)10, &value) &&
               !__builtin_add_overflow(value, (int64_t)(s[i] - '0'), &value);
    if (n > 0 && fits && value == 0 && s[n] == '\0') {
        out_d->v = 0;
        return ERR_OK;
    }
    if (n == 0 || unit == 0)
        return err_set(e, ERR_INVALID,
                       "'%s' is not a duration: write a number and a unit, such as 500ms, 30s, 5m, "
                       "2h or 7d",
                       s);
    if (!fits || __builtin_mul_overflow(value, unit, &value))
        return err_set(e, ERR_INVALID, "the duration '%s' is too long", s);
    out_d->v = value;
    return ERR_OK;
}
