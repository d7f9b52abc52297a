/* http_do: one request, with all that may come in between. */
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADERS_MAX = 40, /* of one request, ours included */
    TEXT_LOOK = 4096, /* bytes of a refusal in which the words of a rate limit are looked for */
};

/* A request on its way. */
struct course {
    struct http *h;
    const struct http_request *rq;
    struct http_lane *lane;
    struct mono deadline;
    bool write;
    char *url; /* where it is now: redirects move it */
    bool moved;
    bool authenticated;
    int redirects, attempts, rate_waits;
    const char *headers[HEADERS_MAX];
    size_t n_headers; /* the fixed ones; If-None-Match comes behind them */
    char *agent, *auth;
    char cache_name[FINGERPRINT_HEX];
    struct etag_entry *stored;
};

static void text_freep(char **text)
{
    free(*text);
}

/* ---- Before anything is sent ------------------------------------------------------------------
 */

static bool is_read(const struct http_request *rq)
{
    return str_eq(rq->method, "GET") || str_eq(rq->method, "HEAD") || rq->read_only;
}

static enum err_code check_request(const struct http *h, const struct http_request *rq,
                                   const char *origin, struct err *e)
{
    if (rq->lane == NULL)
        return err_set(e, ERR_USAGE, "a request without a lane");
    if (!str_eq(origin, rq->lane->origin))
        return err_set(e, ERR_REFUSED, "not sent: its lane belongs to %s", rq->lane->origin);
    if (h->cfg.dry_run && !is_read(rq))
        return err_set(e, ERR_REFUSED, "not sent: this is a dry run");
    for (size_t i = 0; rq->headers != NULL && rq->headers[i] != NULL; i++)
        if (strpbrk(rq->headers[i], "\r\n") != NULL || i > HEADERS_MAX - 5)
            return err_set(e, ERR_USAGE, "a header with a line break, or too many of them");
    return ERR_OK;
}

static enum err_code set_headers(struct course *c, struct err *e)
{
    const struct http_request *rq = c->rq;
    size_t n = strlen(c->h->cfg.user_agent) + sizeof("User-Agent: ");

    c->agent = mem_alloc(n);
    (void)snprintf(c->agent, n, "User-Agent: %s", c->h->cfg.user_agent);
    c->headers[c->n_headers++] = c->agent;
    for (size_t i = 0; rq->headers != NULL && rq->headers[i] != NULL; i++)
        c->headers[c->n_headers++] = rq->headers[i];
    TRY(auth_header(c->lane->token, rq->auth, &c->auth, e));
    if (c->auth != NULL) {
        c->headers[c->n_headers++] = c->auth;
        c->authenticated = true;
    }
    return ERR_OK;
}

static void course_release(struct course *c)
{
    free(c->url);
    free(c->agent);
    auth_wipe(&c->auth);
    if (c->stored != NULL)
        etag_put_back(c->h->etags, c->stored);
}

/* ---- One exchange -----------------------------------------------------------------------------
 */

static void look_up(struct course *c)
{
    if (c->stored != NULL)
        etag_put_back(c->h->etags, c->stored);
    c->stored = NULL;
    c->cache_name[0] = '\0';
    if (c->h->etags == NULL || !c->rq->cache || !str_eq(c->rq->method, "GET") ||
        c->rq->sink != NULL)
        return;
    etag_name(c->h->etags, c->rq->method, c->url, c->rq->headers,
              c->authenticated ? c->lane->etag : "",
              c->rq->extract == NULL ? "" : c->rq->extract->what, c->cache_name);
    c->stored = etag_get(c->h->etags, c->cache_name);
}

static void count(struct http *h, const struct transfer *t, bool write)
{
    atomic_fetch_add(&h->requests, 1);
    if (write)
        atomic_fetch_add(&h->writes, 1);
    atomic_fetch_add(&h->bytes_in, t->bytes_in);
    atomic_fetch_add(&h->bytes_out, t->bytes_out);
}

static enum err_code run(struct course *c, struct transfer *t, struct err *e)
{
    CLEANUP(text_freep) char *condition = NULL;
    const struct http_request *rq = c->rq;
    size_t n = c->n_headers;

    if (c->stored != NULL) {
        size_t len = strlen(c->stored->etag) + sizeof("If-None-Match: ");
        condition = mem_alloc(len);
        (void)snprintf(condition, len, "If-None-Match: %s", c->stored->etag);
        c->headers[n++] = condition;
    }
    c->headers[n] = NULL;
    *t = (struct transfer){
        .method = rq->method,
        .url = c->url,
        .headers = c->headers,
        .body = rq->body,
        .body_len = rq->body_len,
        .body_fd = rq->body_fd,
        .body_fd_len = rq->body_fd_len,
        .max_body = rq->max_body > 0 ? rq->max_body : LIMIT_HTTP_BODY,
        .deadline = c->deadline,
        .idle = {.v = rq->idle.v > 0 ? rq->idle.v : HTTP_IDLE_MS},
        /* curl 7.88 loses about one write in a thousand to "HTTP2 framing" when many
         * share a connection. A read is repeated; a write's fate would be unknown. */
        .http1 = rq->http1 || c->write,
        .once = c->write,
        .loopback = url_origin_is_loopback(c->lane->origin),
        .sink = rq->sink,
        .sink_ctx = rq->sink_ctx};
    TRY(lane_enter(c->h, c->lane, c->write, c->deadline, e));
    enum err_code r =
        c->h->engine != NULL ? engine_run(c->h->engine, t, e) : seam_run(&c->h->cfg, t, e);
    lane_leave(c->lane, c->write);
    c->headers[c->n_headers] = NULL;
    count(c->h, t, c->write);
    return r;
}

/* ---- Between exchanges -------------------------------------------------------------------------
 */

static enum err_code wait_to_repeat(struct course *c, struct ms wait, struct err *e)
{
    struct mono until = {.ms = clock_mono(c->h->clock).ms + wait.v};

    if (until.ms >= c->deadline.ms)
        return e->code; /* the sentence of the failure stands */
    atomic_fetch_add(&c->h->retries, 1);
    struct err failure = *e;
    if (http_wait_until(c->h, until, e) != ERR_OK)
        return e->code;
    *e = failure;
    return ERR_OK;
}

/* After a connection that failed: ERR_OK = once more. */
static enum err_code after_failure(struct course *c, const struct transfer *t, struct err *e)
{
    bool may = t->transient && !t->sunk && (!c->write || !t->sent);

    c->attempts++;
    if (!may || c->attempts >= HTTP_ATTEMPTS)
        return e->code;
    return wait_to_repeat(c, retry_backoff(c->attempts, http_jitter(c->h)), e);
}

static enum err_code refused_credential(struct course *c, struct err *e)
{
    struct wall expires = http_lane_token_expires(c->lane);
    char when[24];

    if (!c->authenticated)
        return err_set(e, ERR_AUTH, "401: the server wants a credential");
    lane_close(c->lane);
    if (expires.s != 0 && expires.s <= clock_wall(c->h->clock).s)
        return err_set(e, ERR_AUTH, "401: the token expired at %s", wall_format(expires, when));
    return err_set(e, ERR_AUTH,
                   "401: the token is wrong, expired or revoked; nothing more is sent with it");
}

static enum err_code limited(struct course *c, const struct retry_verdict *v, int status,
                             struct err *e)
{
    char until[24];

    lane_pause(c->h, c->lane, v->wait, v->what);
    if (v->act == RETRY_LIMIT) {
        c->rate_waits++;
        atomic_fetch_add(&c->h->retries, 1);
        return ERR_OK; /* lane_enter waits, or says that it takes too long */
    }
    struct wall at = {.s = clock_wall(c->h->clock).s + v->wait.v / 1000};
    return err_set(e, ERR_RATE, "%d: %s, %d times; the server may be asked again from %s on",
                   status, v->what, c->rate_waits + 1, wall_format(at, until));
}

/* What the status asks for: ERR_OK and *out_done, or ERR_OK and once more, or the error. */
static enum err_code after_reply(struct course *c, const struct transfer *t,
                                 const struct head *head, bool *out_done, struct err *e)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(TEXT_LOOK);
    struct err ignored;
    size_t n = t->reply.len < TEXT_LOOK ? t->reply.len : TEXT_LOOK;

    (void)buf_add(&text, buf_str(&t->reply), n, &ignored);
    struct retry_facts facts = {.status = t->status,
                                .head = head,
                                .text = buf_str(&text),
                                .now = clock_wall(c->h->clock),
                                .write = c->write,
                                .authenticated = c->authenticated,
                                .attempts = c->attempts + 1,
                                .rate_waits = c->rate_waits,
                                .jitter = http_jitter(c->h)};
    struct retry_verdict v = retry_decide(&facts);
    *out_done = v.act == RETRY_DONE;
    if (v.act == RETRY_DONE)
        return ERR_OK;
    if (v.code == ERR_AUTH)
        return refused_credential(c, e);
    if (v.code == ERR_RATE)
        return limited(c, &v, t->status, e);
    c->attempts++;
    (void)err_set(e, v.code, "%d: the server is in trouble%s", t->status,
                  c->write ? "; not repeated, because it may have been done" : "");
    return v.act == RETRY_AGAIN ? wait_to_repeat(c, v.wait, e) : v.code;
}

static enum err_code follow(struct course *c, const struct head *head, struct err *e)
{
    char *target = NULL;

    if (++c->redirects > HTTP_REDIRECTS)
        return err_set(e, ERR_REFUSED, "more than %d redirects", HTTP_REDIRECTS);
    TRY(redirect_target(c->url, c->lane->origin, head->location, &target, e));
    free(c->url);
    c->url = target;
    c->moved = true;
    look_up(c);
    return ERR_OK;
}

/* ---- The answer --------------------------------------------------------------------------------
 */

static char *copy_or_null(const char *s)
{
    return s == NULL ? NULL : mem_strdup(s);
}

/* The next page, when it is on the same server: the token goes there too (github.md 1.13). */
static char *next_page(const struct course *c, const char *link)
{
    CLEANUP(text_freep) char *target = link == NULL ? NULL : link_next(link);
    struct err ignored;
    char *next = NULL;

    if (target == NULL ||
        redirect_target(c->url, c->lane->origin, target, &next, &ignored) != ERR_OK)
        return NULL;
    return next;
}

static enum err_code use_stored(struct course *c, struct http_reply *rp, struct err *e)
{
    rp->status = 200;
    rp->not_modified = true;
    rp->content_type = head_media_type(c->stored->content_type);
    rp->link_next = next_page(c, c->stored->link);
    atomic_fetch_add(&c->h->not_modified, 1);
    rp->body = (struct buf)BUF_INIT(c->stored->body_len);
    return buf_add(&rp->body, c->stored->body, c->stored->body_len, e);
}

static void cut(const struct http_extract *x, struct buf *body)
{
    struct err ignored;
    size_t n = 0;
    CLEANUP(text_freep) char *left = x->cut(buf_str(body), body->len, &n);

    if (left == NULL || n > body->len)
        return;
    buf_release(body);
    *body = (struct buf)BUF_INIT(n);
    (void)buf_add(body, left, n, &ignored); /* within the limit */
}

static enum err_code answer(struct course *c, struct transfer *t, const struct head *head,
                            struct http_reply *rp, struct err *e)
{
    rp->moved = c->moved;
    rp->final_url = mem_strdup(c->url);
    rp->date = head->date;
    rp->permissions = copy_or_null(head->permissions);
    rp->sso = copy_or_null(head->sso);
    if (t->status == 304 && c->stored != NULL)
        return use_stored(c, rp, e);
    rp->status = t->status;
    rp->content_type = head_media_type(head->content_type);
    rp->link_next = next_page(c, head->link);
    if (t->status == 200 && c->rq->extract != NULL && c->rq->sink == NULL)
        cut(c->rq->extract, &t->reply);
    if (t->status == 200 && c->cache_name[0] != '\0')
        etag_store(c->h->etags, c->cache_name, head, &t->reply);
    rp->body = t->reply;
    t->reply = (struct buf)BUF_INIT(0);
    return ERR_OK;
}

/* One exchange and what follows from it. */
static enum err_code step(struct course *c, struct http_reply *rp, bool *out_done, struct err *e)
{
    CLEANUP(transfer_release) struct transfer t = {.status = 0};
    struct head head;
    bool done = false;

    *out_done = false;
    if (run(c, &t, e) != ERR_OK)
        return after_failure(c, &t, e);
    head_parse(&t.head, &head);
    lane_learn(c->h, c->lane, &head);
    TRY(after_reply(c, &t, &head, &done, e));
    if (!done)
        return ERR_OK;
    if (redirect_wanted(t.status, c->rq->method, &head))
        return follow(c, &head, e);
    *out_done = true;
    return answer(c, &t, &head, rp, e);
}

static enum err_code go(struct course *c, struct http_reply *rp, struct err *e)
{
    enum err_code r = set_headers(c, e);
    bool done = false;

    if (r == ERR_OK)
        look_up(c);
    while (r == ERR_OK && !done)
        r = step(c, rp, &done, e);
    return r;
}

static struct mono deadline_of(const struct http *h, const struct http_request *rq)
{
    int64_t whole = rq->deadline.v > 0 ? rq->deadline.v : HTTP_DEADLINE_MS;
    struct mono at = {.ms = clock_mono(h->clock).ms + whole};

    if (h->cfg.pass_deadline.ms != 0 && h->cfg.pass_deadline.ms < at.ms)
        at = h->cfg.pass_deadline;
    return at;
}

enum err_code http_do(struct http *h, const struct http_request *rq, struct http_reply *rp,
                      struct err *e)
{
    struct http_reply reply = HTTP_REPLY_INIT;
    struct course c = {.h = h, .rq = rq, .lane = rq->lane, .write = !is_read(rq)};

    CLEANUP(text_freep) char *origin = NULL;

    http_reply_release(rp);
    if (url_origin(rq->url, &origin, e) !=
        ERR_OK) /* such a URL may hold a password: not repeated */
        return err_wrap(e, "%s", rq->method);
    atomic_fetch_add(&h->callers, 1);
    c.deadline = deadline_of(h, rq);
    c.url = mem_strdup(rq->url);
    enum err_code r = check_request(h, rq, origin, e);
    if (r == ERR_OK)
        r = go(&c, &reply, e);
    course_release(&c);
    atomic_fetch_sub(&h->callers, 1); /* the engine may end from here on */
    if (r != ERR_OK) {
        http_reply_release(&reply);
        return err_wrap(e, "%s %s", rq->method, rq->url);
    }
    *rp = reply;
    return ERR_OK;
}
