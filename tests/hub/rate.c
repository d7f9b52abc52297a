/* The primary rate limit (4.1): per user for all personal tokens together, per repository for
 * GITHUB_TOKEN. */
#include "internal.h"
#include "rest.h"

#include <stdio.h>

enum { ANONYMOUS_PER_HOUR = 60, JOB_PER_HOUR = 1000, HOUR_MS = 3600 * 1000 };

struct hb_rate *hb_rate_of(struct hub *h, const struct hb_who *who, struct hb_repo *r,
                           int *out_limit)
{
    int usual = hb_quirk(h, Q_RATE_LIMIT);
    *out_limit = usual;
    if (who->token == NULL) {
        *out_limit = usual < ANONYMOUS_PER_HOUR ? usual : ANONYMOUS_PER_HOUR;
        return &h->anonymous;
    }
    if (hb_bot(who)) {
        struct hb_repo *own = hb_repo_by_id(h, who->token->repo_id);
        *out_limit = usual < JOB_PER_HOUR ? usual : JOB_PER_HOUR;
        return own != NULL ? &own->job_rate : r != NULL ? &r->job_rate : &who->token->rate;
    }
    return who->user != NULL ? &who->user->rate : &who->token->rate;
}

static struct hb_rate *current(struct hb_ctx *c, int *out_limit)
{
    struct hb_rate *rate = hb_rate_of(c->h, &c->who, c->repo, out_limit);
    int64_t now = hb_now(c->h);
    if (rate->reset_ms <= now) {
        rate->used = 0;
        rate->reset_ms = now + HOUR_MS;
    }
    return rate;
}

bool hb_rate_exhausted(struct hb_ctx *c)
{
    if (hb_quirk(c->h, Q_RATE_LIMIT) == 0)
        return false;
    int limit = 0;
    return current(c, &limit)->used >= limit;
}

void hb_rate_charge(struct hb_ctx *c)
{
    int limit = 0;
    struct hb_rate *rate = current(c, &limit);
    if (rate->used < limit)
        rate->used++;
    c->charged = true;
}

void hb_rate_headers(struct hb_ctx *c)
{
    if (hb_quirk(c->h, Q_RATE_LIMIT) ==
        0) /* an Enterprise Server with limits off sends none (5.7) */
        return;
    int limit = 0;
    const struct hb_rate *rate = current(c, &limit);
    char text[32];
    (void)snprintf(text, sizeof text, "%d", limit);
    hb_head(c->out, "x-ratelimit-limit", text);
    (void)snprintf(text, sizeof text, "%d", limit > rate->used ? limit - rate->used : 0);
    hb_head(c->out, "x-ratelimit-remaining", text);
    (void)snprintf(text, sizeof text, "%d", rate->used);
    hb_head(c->out, "x-ratelimit-used", text);
    (void)snprintf(text, sizeof text, "%lld", (long long)(rate->reset_ms / 1000));
    hb_head(c->out, "x-ratelimit-reset", text);
    hb_head(c->out, "x-ratelimit-resource", "core");
}

json_t *hb_rate_json(struct hb_ctx *c)
{
    int limit = 0;
    const struct hb_rate *rate = current(c, &limit);
    return json_pack("{s:i,s:i,s:i,s:I}", "limit", limit, "used", rate->used, "remaining",
                     limit > rate->used ? limit - rate->used : 0, "reset",
                     (json_int_t)(rate->reset_ms / 1000));
}
