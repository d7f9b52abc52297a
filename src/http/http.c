#include "internal.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static enum err_code check_config(const struct http_config *cfg, struct err *e)
{
    if (cfg->user_agent == NULL || cfg->user_agent[0] == '\0')
        return err_set(e, ERR_USAGE, "http: no user agent; GitHub refuses requests without one");
    if (strpbrk(cfg->user_agent, "\r\n") != NULL)
        return err_set(e, ERR_USAGE, "http: the user agent holds a line break");
    if (cfg->etag_dir != NULL && cfg->etag_key == NULL)
        return err_set(e, ERR_USAGE, "http: a cache needs a key that proves its content");
    return ERR_OK;
}

/* Credentials are told apart by a fingerprint under a key that dies with this process. */
static enum err_code make_process_key(struct fingerprint_key *out, struct err *e)
{
    unsigned char bytes[FINGERPRINT_KEY_BYTES];

    TRY(secrets_init(e));
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return err_set_errno(e, ERR_IO, "no random bytes");
    out->key = secret_new(bytes, sizeof(bytes));
    explicit_bzero(bytes, sizeof(bytes));
    return ERR_OK;
}

static unsigned first_jitter(const struct http_config *cfg)
{
    unsigned seed = 1; /* a pass over a transport is to be the same each time */

    if (cfg->transport == NULL && getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
        seed = (unsigned)getpid();
    return seed;
}

static void copy_config(struct http *h, const struct http_config *cfg)
{
    h->cfg = *cfg;
    h->agent = mem_strdup(cfg->user_agent);
    h->cfg.user_agent = h->agent;
    h->cfg.ca_file = NULL; /* read by engine_new, and not again */
    h->cfg.etag_dir = NULL;
    if (h->cfg.connect_timeout.v <= 0)
        h->cfg.connect_timeout.v = HTTP_CONNECT_MS;
    if (h->cfg.clock == NULL)
        h->cfg.clock = &clock_system;
    h->clock = h->cfg.clock;
}

enum err_code http_new(const struct http_config *cfg, struct http **out_http, struct err *e)
{
    TRY(check_config(cfg, e));
    CLEANUP(http_freep) struct http *h = mem_alloc(sizeof(*h));
    (void)pthread_mutex_init(&h->lock, NULL);
    copy_config(h, cfg);
    atomic_init(&h->jitter, first_jitter(cfg));
    TRY(make_process_key(&h->process_key, e));
    if (cfg->etag_dir != NULL)
        TRY(etag_open(cfg->etag_dir, cfg->etag_key, &h->etags, e));
    if (cfg->transport == NULL) {
        struct http_config mine = h->cfg;
        mine.ca_file = cfg->ca_file;
        TRY(engine_new(&mine, &h->engine, e));
    }
    *out_http = h;
    h = NULL;
    return ERR_OK;
}

void http_free(struct http *h)
{
    if (h == NULL)
        return;
    while (atomic_load(&h->callers) > 0)
        clock_sleep(&clock_system, (struct ms){.v = 1});
    if (h->engine != NULL)
        engine_free(h->engine);
    etag_close(h->etags);
    lane_free_all(h->lanes);
    secret_free(h->process_key.key);
    (void)pthread_mutex_destroy(&h->lock);
    free(h->agent);
    free(h);
}

void http_freep(struct http **h)
{
    http_free(*h);
    *h = NULL;
}

struct http_stats http_get_stats(const struct http *h)
{
    return (struct http_stats){.requests = atomic_load(&h->requests),
                               .writes = atomic_load(&h->writes),
                               .not_modified = atomic_load(&h->not_modified),
                               .retries = atomic_load(&h->retries),
                               .bytes_in = atomic_load(&h->bytes_in),
                               .bytes_out = atomic_load(&h->bytes_out),
                               .waited = {.v = atomic_load(&h->waited)}};
}

bool http_interrupted(const struct http *h)
{
    return h->cfg.interrupted != NULL && __atomic_load_n(h->cfg.interrupted, __ATOMIC_RELAXED) != 0;
}

enum err_code http_wait_until(struct http *h, struct mono until, struct err *e)
{
    int64_t start = clock_mono(h->clock).ms, now = start;
    enum err_code r = ERR_OK;

    while (r == ERR_OK && now < until.ms) {
        if (http_interrupted(h)) {
            r = err_set(e, ERR_INTERRUPTED, "interrupted");
            break;
        }
        int64_t left = until.ms - now;
        clock_sleep(h->clock, (struct ms){.v = left < HTTP_TICK_MS ? left : HTTP_TICK_MS});
        now = clock_mono(h->clock).ms;
    }
    atomic_fetch_add(&h->waited, now - start);
    return r;
}

/* A linear congruential step: two processes need to differ, nobody needs to be surprised. */
int64_t http_jitter(struct http *h)
{
    unsigned old = atomic_load(&h->jitter), next;

    do
        next = old * 1103515245U + 12345U;
    while (!atomic_compare_exchange_weak(&h->jitter, &old, next));
    return (int64_t)(next >> 16) % 1001;
}

void http_reply_release(struct http_reply *rp)
{
    free(rp->final_url);
    free(rp->content_type);
    free(rp->link_next);
    free(rp->permissions);
    free(rp->sso);
    buf_release(&rp->body);
    *rp = (struct http_reply)HTTP_REPLY_INIT;
}
