/*
 * A lane is one credential at one host: the unit by which GitHub counts. Its rules are those by
 * which GitHub's own SDK paces itself (github.md 4.3): 10 reads at once, one write at a time,
 * writes apart.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SCOPES_MAX = 16, /* different X-OAuth-Scopes kept of one token: they hardly ever change */
};

/* ---- Making ---------------------------------------------------------------------------------- */

static struct http_lane *lane_new(struct http *h, const struct secret *token, const char *origin,
                                  const char *id)
{
    struct http_lane *l = mem_alloc(sizeof(*l));
    pthread_condattr_t attr;

    l->origin = mem_strdup(origin);
    l->token = token;
    memcpy(l->id, id, sizeof(l->id));
    if (h->cfg.etag_key != NULL && token != NULL)
        fingerprint_secret(h->cfg.etag_key, "http-credential", "", token, l->etag);
    l->reads_max = h->cfg.reads > 0 ? h->cfg.reads : HTTP_READS;
    l->gap_ms = h->cfg.write_gap.v;
    if (l->gap_ms < 0)
        l->gap_ms =
            url_origin_is_under(origin, "github.com") || url_origin_is_under(origin, "ghe.com")
                ? HTTP_GITHUB_GAP_MS
                : 0;
    l->budget = (struct http_budget){.limit = -1, .remaining = -1};
    l->arena = arena_new();
    l->lock = mem_alloc(sizeof(*l->lock));
    (void)pthread_mutex_init(l->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&l->read_free, &attr);
    (void)pthread_cond_init(&l->write_free, &attr);
    (void)pthread_condattr_destroy(&attr);
    return l;
}

void lane_free_all(struct http_lane *l)
{
    while (l != NULL) {
        struct http_lane *next = l->next;
        (void)pthread_cond_destroy(&l->read_free);
        (void)pthread_cond_destroy(&l->write_free);
        (void)pthread_mutex_destroy(l->lock);
        free(l->lock);
        free(l->origin);
        arena_free(l->arena);
        free(l);
        l = next;
    }
}

struct http_lane *http_lane(struct http *h, const struct secret *token, const char *base_url)
{
    char id[FINGERPRINT_HEX] = "";
    struct err ignored;
    char *origin = NULL;

    /* A URL that is refused gets a lane all the same: http_do says what is wrong with it. */
    if (url_origin(base_url, &origin, &ignored) != ERR_OK)
        origin = mem_strdup("");
    if (token != NULL)
        fingerprint_secret(&h->process_key, "http-lane", "", token, id);
    (void)pthread_mutex_lock(&h->lock);
    struct http_lane *l = h->lanes;
    while (l != NULL && !(str_eq(l->id, id) && str_eq(l->origin, origin)))
        l = l->next;
    if (l == NULL) {
        l = lane_new(h, token, origin, id);
        l->next = h->lanes;
        h->lanes = l;
    }
    (void)pthread_mutex_unlock(&h->lock);
    free(origin);
    return l;
}

/* ---- Turns ----------------------------------------------------------------------------------- */

static enum err_code closed(struct err *e)
{
    return err_set(e, ERR_AUTH,
                   "not sent: this credential was refused before (401), and GitHub "
                   "locks out who tries again");
}

static bool has_place(const struct http_lane *l, bool write)
{
    return write ? !l->writing : l->reads < l->reads_max;
}

/* Waits a tick for a place; the lock is held before and after. */
static void wait_for_place(struct http_lane *l, bool write)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += HTTP_TICK_MS * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_nsec -= 1000000000L;
        t.tv_sec++;
    }
    (void)pthread_cond_timedwait(write ? &l->write_free : &l->read_free, l->lock, &t);
}

/* The lock is held before and after. */
static enum err_code take_place(struct http *h, struct http_lane *l, bool write,
                                struct mono deadline, struct err *e)
{
    enum err_code r = ERR_OK;

    while (r == ERR_OK) {
        if (l->closed)
            r = closed(e);
        else if (http_interrupted(h))
            r = err_set(e, ERR_INTERRUPTED, "interrupted");
        else if (clock_mono(h->clock).ms >= deadline.ms)
            r = err_set(e, ERR_TIMEOUT, "not sent: the deadline passed before its turn came");
        else if (has_place(l, write))
            break;
        else
            wait_for_place(l, write);
    }
    if (r == ERR_OK && write)
        l->writing = true;
    else if (r == ERR_OK)
        l->reads++;
    return r;
}

/* When the holder of a place may go: now, later, or not within the deadline. */
static enum err_code go_at(const struct http_lane *l, bool write, struct mono deadline,
                           struct mono *out_at, struct err *e)
{
    char until[24];

    out_at->ms = l->paused_until.ms;
    if (l->closed)
        return closed(e);
    if (l->paused_until.ms >= deadline.ms) /* nothing would be left to ask in */
        return err_set(e, ERR_RATE, "%s: the server may be asked again from %s on", l->paused_why,
                       wall_format(l->paused_until_wall, until));
    if (write && l->next_write.ms > out_at->ms)
        out_at->ms = l->next_write.ms;
    if (out_at->ms >= deadline.ms)
        return err_set(e, ERR_TIMEOUT,
                       "not sent: writes are kept apart, and its turn comes after the deadline");
    return ERR_OK;
}

/* The lock is held before and after, but not while waiting. */
static enum err_code wait_pause_and_gap(struct http *h, struct http_lane *l, bool write,
                                        struct mono deadline, struct err *e)
{
    for (;;) {
        struct mono at = {0}, now = clock_mono(h->clock);
        TRY(go_at(l, write, deadline, &at, e));
        if (at.ms <= now.ms) {
            if (write)
                l->next_write.ms = now.ms + l->gap_ms;
            return ERR_OK;
        }
        (void)pthread_mutex_unlock(l->lock);
        enum err_code r = http_wait_until(h, at, e);
        (void)pthread_mutex_lock(l->lock);
        TRY(r);
    }
}

static void give_back(struct http_lane *l, bool write)
{
    if (write)
        l->writing = false;
    else
        l->reads--;
    (void)pthread_cond_signal(write ? &l->write_free : &l->read_free);
}

enum err_code lane_enter(struct http *h, struct http_lane *l, bool write, struct mono deadline,
                         struct err *e)
{
    (void)pthread_mutex_lock(l->lock);
    enum err_code r = take_place(h, l, write, deadline, e);
    if (r == ERR_OK) {
        r = wait_pause_and_gap(h, l, write, deadline, e);
        if (r != ERR_OK)
            give_back(l, write);
    }
    (void)pthread_mutex_unlock(l->lock);
    return r;
}

void lane_leave(struct http_lane *l, bool write)
{
    (void)pthread_mutex_lock(l->lock);
    give_back(l, write);
    (void)pthread_mutex_unlock(l->lock);
}

/* ---- What replies teach ---------------------------------------------------------------------- */

void lane_close(struct http_lane *l)
{
    (void)pthread_mutex_lock(l->lock);
    l->closed = true;
    (void)pthread_cond_broadcast(&l->read_free);
    (void)pthread_cond_broadcast(&l->write_free);
    (void)pthread_mutex_unlock(l->lock);
}

static void pause_locked(struct http *h, struct http_lane *l, struct ms wait, const char *why)
{
    int64_t until = clock_mono(h->clock).ms + wait.v;

    if (until <= l->paused_until.ms)
        return;
    l->paused_until.ms = until;
    l->paused_until_wall.s = clock_wall(h->clock).s + (wait.v + 999) / 1000;
    l->paused_why = why;
}

void lane_pause(struct http *h, struct http_lane *l, struct ms wait, const char *why)
{
    (void)pthread_mutex_lock(l->lock);
    pause_locked(h, l, wait, why);
    (void)pthread_mutex_unlock(l->lock);
}

static void learn_scopes(struct http_lane *l, const char *scopes)
{
    if (scopes == NULL || str_eq(l->scopes, scopes) || l->scopes_seen >= SCOPES_MAX)
        return;
    l->scopes = arena_strdup(l->arena, scopes);
    l->scopes_seen++;
}

void lane_learn(struct http *h, struct http_lane *l, const struct head *head)
{
    int64_t now = head->date.s > 0 ? head->date.s : clock_wall(h->clock).s;

    (void)pthread_mutex_lock(l->lock);
    learn_scopes(l, head->oauth_scopes);
    if (head->token_expires != NULL) {
        struct wall t = head_token_expires(head->token_expires);
        l->token_expires = t.s != 0 ? t : l->token_expires;
    }
    if (head->remaining >= 0) {
        l->budget.limit = head->limit;
        l->budget.remaining = head->remaining;
        l->budget.reset.s = head->reset > 0 ? head->reset : 0;
    }
    /* The next request would be refused, and asking on while limited can end in a ban
     * (github.md 4.3). */
    if (head->remaining == 0 && head->reset > now && head->reset - now <= HTTP_WAIT_MAX_MS / 1000)
        pause_locked(h, l, (struct ms){(head->reset - now + 1) * 1000},
                     "the hourly rate limit is used up");
    (void)pthread_mutex_unlock(l->lock);
}

struct http_budget http_lane_budget(const struct http_lane *l)
{
    (void)pthread_mutex_lock(l->lock);
    struct http_budget b = l->budget;
    (void)pthread_mutex_unlock(l->lock);
    return b;
}

struct wall http_lane_token_expires(const struct http_lane *l)
{
    (void)pthread_mutex_lock(l->lock);
    struct wall t = l->token_expires;
    (void)pthread_mutex_unlock(l->lock);
    return t;
}

const char *http_lane_scopes(const struct http_lane *l)
{
    (void)pthread_mutex_lock(l->lock);
    const char *scopes = l->scopes;
    (void)pthread_mutex_unlock(l->lock);
    return scopes;
}
