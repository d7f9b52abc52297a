/*
 * What a status means for the next step: a pure function, tested as a table.
 * GitHub REST, 2022-11-28 (github.md 4.3, 5): 403 and 429 stand for both rate limits, and 403 for
 * half a dozen other things. The order of the tests is the one that GitHub's own SDKs have come to.
 */
#include "internal.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

static int64_t clamp(int64_t v, int64_t min, int64_t max)
{
    return v < min ? min : v > max ? max : v;
}

/* Never nothing: a server that says "0" would be asked in a tight loop. Never more than an hour. */
static struct ms wait_seconds(int64_t s)
{
    return (struct ms){.v = clamp(s, 1, HTTP_WAIT_MAX_MS / 1000) * 1000};
}

/* The server's own clock where it tells it: ours may be off by hours. */
static int64_t server_now(const struct retry_facts *f)
{
    return f->head->date.s > 0 ? f->head->date.s : f->now.s;
}

/* Retry-After: seconds, or an HTTP date. Neither: a minute, as for a limit without a time. */
static struct ms retry_after(const struct retry_facts *f)
{
    const char *text = f->head->retry_after;

    if (text[0] != '\0' && strspn(text, "0123456789") == strlen(text))
        return wait_seconds(strlen(text) > 9 ? INT32_MAX : strtol(text, NULL, 10));
    time_t date = curl_getdate(text, NULL);
    if (date > 0)
        return wait_seconds((int64_t)date - server_now(f));
    return (struct ms){.v = HTTP_SECONDARY_MS};
}

static bool says_secondary(const struct retry_facts *f)
{
    static const char *const SIGNS[] = {"secondary rate", "abuse detection",
                                        "secondary-rate-limits", "#abuse-rate-limits"};

    if (f->head->limited_by != NULL)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(SIGNS); i++)
        if (strcasestr(f->text, SIGNS[i]) != NULL)
            return true;
    return false;
}

static struct retry_verdict limited(const struct retry_facts *f, struct ms wait, const char *what)
{
    struct retry_verdict v = {RETRY_LIMIT, ERR_RATE, wait, what};
    if (f->rate_waits >= HTTP_RATE_WAITS)
        v.act = RETRY_FAIL;
    return v;
}

static struct retry_verdict forbidden(const struct retry_facts *f)
{
    const struct head *head = f->head;

    if (head->retry_after != NULL)
        return limited(f, retry_after(f), "a rate limit was met");
    if (head->remaining == 0) {
        /* A reset that is missing is an hour away: the window of the primary limit. */
        int64_t reset = head->reset < 0 ? INT32_MAX : head->reset - server_now(f) + 1;
        return limited(f, wait_seconds(reset), "the hourly rate limit is used up");
    }
    /* Any 429 is a limit: GitHub's git endpoint says so without a header (github.md 6.1). */
    if (f->status == 429 || says_secondary(f)) {
        struct ms wait = {.v = (int64_t)HTTP_SECONDARY_MS << clamp(f->rate_waits, 0, 6)};
        wait.v = clamp(wait.v, HTTP_SECONDARY_MS, HTTP_WAIT_MAX_MS);
        return limited(f, wait, "a secondary rate limit was met");
    }
    return (struct retry_verdict){.act = RETRY_DONE};
}

struct ms retry_backoff(int attempts, int64_t jitter)
{
    int64_t base = (int64_t)HTTP_BACKOFF_MS << clamp(attempts - 1, 0, 6);
    return (struct ms){.v = base + base * clamp(jitter, 0, 1000) / 2000};
}

static struct retry_verdict trouble(const struct retry_facts *f)
{
    struct retry_verdict v = {.act = RETRY_AGAIN, .code = ERR_UNAVAILABLE};

    /* A write may have been done although its answer was 502: the next pass will see. */
    if (f->write || f->attempts >= HTTP_ATTEMPTS)
        v.act = RETRY_FAIL;
    v.wait = retry_backoff(f->attempts, f->jitter);
    if (f->head->retry_after != NULL) {
        struct ms asked = retry_after(f);
        v.wait.v = asked.v > v.wait.v ? asked.v : v.wait.v;
    }
    return v;
}

struct retry_verdict retry_decide(const struct retry_facts *f)
{
    if (f->status == 403 || f->status == 429)
        return forbidden(f);
    if (f->status >= 500 || f->status == 408)
        return trouble(f);
    if (f->status == 401)
        return (struct retry_verdict){.act = RETRY_FAIL, .code = ERR_AUTH};
    return (struct retry_verdict){.act = RETRY_DONE};
}
