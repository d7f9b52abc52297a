#include "endpoint_http.h"

#include <string.h>

enum {
    LIST_DEADLINE_MS = 10 * 60 * 1000, /* of an advertisement; silence ends it earlier */
    PUSH_DEADLINE_MS =
        6 * 60 * 60 * 1000, /* of a push: 2 GB on a slow line; silence ends it earlier */
};

/* The server's words, for the end of a sentence; "" when it sent none that a person would read. */
static const char *words_of(struct arena *a, const struct http_reply *rp)
{
    if (rp->body.len == 0 || rp->content_type == NULL || !str_eq(rp->content_type, "text/plain"))
        return "";
    size_t n = rp->body.len < 500 ? rp->body.len : 500;
    return arena_printf(a, ": %s", text_one_line(a, text_clean(a, rp->body.data, n)));
}

static enum err_code bad_status(const struct endpoint *ep, const struct http_reply *rp,
                                struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const char *url = ep->at.url, *words = words_of(a, rp);

    switch (rp->status) {
    case 401:
        return err_set(e, ERR_AUTH, "%s: the server does not accept the token, or wants one%s", url,
                       words);
    case 403:
        return err_set(e, ERR_PERMISSION, "%s: the token may not do this%s", url, words);
    case 404:
    case 410:
        return err_set(e, ERR_NOT_FOUND, "%s: no such repository, or the token may not see it%s",
                       url, words);
    case 429:
        return err_set(e, ERR_RATE, "%s: too many requests%s", url, words);
    case 451:
        return err_set(e, ERR_PERMISSION, "%s: access is blocked for legal reasons%s", url, words);
    case 408:
    case 504:
        return err_set(e, ERR_TIMEOUT, "%s: the server waited in vain (HTTP %d)%s", url, rp->status,
                       words);
    default:
        break;
    }
    if (rp->status >= 500)
        return err_set(e, ERR_UNAVAILABLE, "%s: HTTP %d%s", url, rp->status, words);
    return err_set(e, ERR_INVALID, "%s: unexpected HTTP %d%s", url, rp->status, words);
}

static enum err_code check_type(const struct endpoint *ep, const struct http_reply *rp,
                                const char *expected, struct err *e)
{
    if (rp->content_type != NULL && str_eq(rp->content_type, expected))
        return ERR_OK;
    return err_set(e, ERR_INVALID,
                   "%s: the answer is not git's (content type '%s' instead of '%s'); "
                   "is this the address of a repository?",
                   ep->at.url, rp->content_type == NULL ? "" : rp->content_type, expected);
}

/* The address behind "URL/info/refs?service=…". */
static const char *moved_to(struct arena *a, const char *final_url)
{
    const char *end = final_url == NULL ? NULL : strstr(final_url, "/info/refs?");
    return end == NULL ? NULL : arena_strndup(a, final_url, (size_t)(end - final_url));
}

static enum http_auth auth_of(const struct endpoint *ep)
{
    return ep->credential->token == NULL ? HTTP_AUTH_NONE : HTTP_AUTH_BASIC;
}

enum err_code endpoint_http_list(const struct endpoint *ep, const char *service, struct arena *a,
                                 struct advert *out, struct err *e)
{
    CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
    static const char *const HEADERS[] = {"Pragma: no-cache", NULL};
    struct http_request rq = {
        .method = "GET",
        .url = arena_printf(a, "%s/info/refs?service=%s", ep->at.url, service),
        .lane = ep->lane,
        .auth = auth_of(ep),
        .headers = HEADERS,
        .body_fd = -1,
        .deadline = {LIST_DEADLINE_MS},
        .idle = ep->idle,
        .max_body = WIRE_ADVERT,
    };

    TRY(http_do(ep->http, &rq, &rp, e));
    if (rp.status != 200)
        return bad_status(ep, &rp, e);
    TRY(check_type(ep, &rp, arena_printf(a, "application/x-%s-advertisement", service), e));
    TRY(advert_parse(a, rp.body.data, rp.body.len, service, out, e));
    if (rp.moved)
        out->refs.moved_to = moved_to(a, rp.final_url);
    return ERR_OK;
}

static enum err_code post(const struct endpoint *ep, const struct shipment *s, const char *url,
                          struct http_reply *rp, struct err *e)
{
    static const char *const HEADERS[] = {"Content-Type: application/x-" SERVICE_PUSH "-request",
                                          "Accept: application/x-" SERVICE_PUSH "-result", NULL};
    struct http_request rq = {
        .method = "POST",
        .url = url,
        .lane = ep->lane,
        .auth = auth_of(ep),
        .headers = HEADERS,
        .body = s->commands->data,
        .body_len = s->commands->len,
        .body_fd = s->pack_fd,
        .body_fd_len = s->pack_fd < 0 ? 0 : s->pack_size,
        .deadline = {PUSH_DEADLINE_MS},
        .idle = ep->idle,
        .max_body = WIRE_REPORT,
        .http1 = true,
    };
    return http_do(ep->http, &rq, rp, e);
}

enum err_code endpoint_http_push(const struct endpoint *ep, const struct shipment *s,
                                 struct buf *answer, bool *out_sent, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
    int64_t total = s->pack_fd < 0 ? 0 : s->pack_size;

    *out_sent = true;
    if (s->progress != NULL)
        s->progress(s->progress_ctx, 0, total);
    TRY(post(ep, s, arena_printf(a, "%s/" SERVICE_PUSH, ep->at.url), &rp, e));
    if (rp.status >= 400 && rp.status < 500)
        *out_sent = false; /* turned away at the door */
    if (rp.status != 200)
        return bad_status(ep, &rp, e);
    TRY(check_type(ep, &rp, "application/x-" SERVICE_PUSH "-result", e));
    if (s->progress != NULL)
        s->progress(s->progress_ctx, total, total);
    return buf_add(answer, rp.body.data, rp.body.len, e);
}
