/* One exchange through the transport of a test instead of curl. */
#include "internal.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    SEAM_BODY_MAX = 256 << 20, /* a test's pack, in memory */
    SEAM_PIECE = 16 << 10,
};

/* The body with what stands in the descriptor behind it. */
static enum err_code whole_body(const struct transfer *t, struct buf *out, struct err *e)
{
    char piece[SEAM_PIECE];

    TRY(buf_add(out, t->body, t->body_len, e));
    for (int64_t at = 0; at < t->body_fd_len;) {
        int64_t left = t->body_fd_len - at;
        size_t want = left < SEAM_PIECE ? (size_t)left : SEAM_PIECE;
        ssize_t n = pread(t->body_fd, piece, want, at);
        if (n < 0)
            return err_set_errno(e, ERR_IO, "cannot read the request's body");
        if (n == 0)
            return err_set(e, ERR_IO, "the request's body is shorter than announced");
        TRY(buf_add(out, piece, (size_t)n, e));
        at += n;
    }
    return ERR_OK;
}

static enum err_code pour(struct transfer *t, struct err *e)
{
    if (t->sink == NULL || t->status < 200 || t->status > 299 || t->reply.len == 0)
        return ERR_OK;
    t->sunk = true;
    enum err_code r = t->sink(t->sink_ctx, t->reply.data, t->reply.len, e);
    buf_clear(&t->reply);
    return r;
}

enum err_code seam_run(const struct http_config *cfg, struct transfer *t, struct err *e)
{
    CLEANUP(buf_release) struct buf joined = BUF_INIT(SEAM_BODY_MAX);
    /* A sink is there for replies that are too large to hold; a test holds them all the same. */
    size_t max = t->sink != NULL ? SEAM_BODY_MAX : t->max_body;
    struct http_exchange x = {.method = t->method,
                              .url = t->url,
                              .headers = t->headers,
                              .body = t->body,
                              .body_len = t->body_len,
                              .reply_headers = BUF_INIT(LIMIT_HTTP_HEADERS),
                              .reply_body = BUF_INIT(max)};

    if (t->body_fd_len > 0) {
        TRY(whole_body(t, &joined, e));
        x.body = joined.data;
        x.body_len = joined.len;
    }
    t->sent = true;
    enum err_code r = cfg->transport(cfg->transport_ctx, &x, e);
    t->status = x.reply_status;
    t->head = x.reply_headers;
    t->reply = x.reply_body;
    t->transient = r == ERR_UNAVAILABLE;
    t->bytes_in = (int64_t)(t->head.len + t->reply.len);
    t->bytes_out = (int64_t)x.body_len;
    return r == ERR_OK ? pour(t, e) : r;
}
