#include "endpoint.h"
#include "endpoint_http.h"
#include "failure.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    CHUNK = 64 << 10, /* of a pack given to a child at once; the default capacity of a pipe */
};

static enum err_code start(const struct endpoint *ep, const char *service, struct arena *a,
                           struct child **out, struct err *e)
{
    /* Texts are matched, so they must be in English. The user's own git configuration stays, as for
     * any other program that is a server here. */
    static const char *const ENV[] = {"LC_ALL=C", "LANGUAGE=", NULL};
    struct child_spec spec = CHILD_SPEC_INIT;

    spec.argv = address_argv(a, &ep->at, ep->credential, service);
    spec.env = ENV;
    spec.interrupted = ep->interrupted;
    return child_start(&spec, out, e);
}

/* ---- The advertisement, up to and including its flush -----------------------------------------
 */

static enum err_code read_exactly(const struct endpoint *ep, struct child *c, char *bytes, size_t n,
                                  bool *out_ended, struct err *e)
{
    *out_ended = false;
    while (n > 0) {
        size_t got;
        TRY(child_read(c, bytes, n, ep->idle, &got, e));
        if (got == 0) {
            *out_ended = true;
            return ERR_OK;
        }
        bytes += got;
        n -= got;
    }
    return ERR_OK;
}

/* The other side ended before it said what it has: its stderr tells why. */
static enum err_code ended_early(const struct endpoint *ep, struct child *c, struct err *e)
{
    int status = 0;
    TRY(child_wait(c, ep->idle, &status, e));
    return failure_of_child(ep->at.url, status, child_stderr(c), e);
}

static enum err_code read_advert(const struct endpoint *ep, struct child *c, struct buf *out,
                                 struct err *e)
{
    char line[PKT_LINE_MAX];
    bool ended;

    for (;;) {
        TRY(read_exactly(ep, c, line, PKT_HEADER, &ended, e));
        if (ended)
            return ended_early(ep, c, e);
        TRY(buf_add(out, line, PKT_HEADER, e));
        int n = pkt_length(line);
        if (n == 0)
            return ERR_OK;
        /* A login shell's greeting comes this way, too. */
        if (n < PKT_HEADER || n > PKT_LINE_MAX)
            return err_set(e, ERR_INVALID, "the answer does not start as git's protocol does");
        TRY(read_exactly(ep, c, line, (size_t)n - PKT_HEADER, &ended, e));
        if (ended)
            return ended_early(ep, c, e);
        TRY(buf_add(out, line, (size_t)n - PKT_HEADER, e));
        if (n > PKT_HEADER + 4 && strncmp(line, "ERR ", 4) == 0)
            return ERR_OK; /* its last word, which advert_parse reads */
    }
}

static enum err_code child_advert(const struct endpoint *ep, struct child *c, struct arena *a,
                                  struct advert *out, struct err *e)
{
    CLEANUP(buf_release) struct buf bytes = BUF_INIT(WIRE_ADVERT);

    TRY(read_advert(ep, c, &bytes, e));
    TRY(advert_parse(a, bytes.data, bytes.len, NULL, out, e));
    out->refs.moved_to = text_find_moved(a, child_stderr(c));
    return ERR_OK;
}

static enum err_code list_by_child(const struct endpoint *ep, const char *service, struct arena *a,
                                   struct advert *out, struct err *e)
{
    CLEANUP(child_freep) struct child *c = NULL;
    struct err ignored = ERR_INIT;
    struct advert found;
    int status;

    TRY(start(ep, service, a, &c, e));
    TRY(child_advert(ep, c, a, &found, e));
    /* A flush says "nothing to do", so that the other side ends well; whether it does is no matter.
     */
    (void)child_write(c, "0000", PKT_HEADER, ep->idle, &ignored);
    child_close_stdin(c);
    (void)child_wait(c, ep->idle, &status, &ignored);
    if (ignored.code == ERR_INTERRUPTED)
        return err_set(e, ERR_INTERRUPTED, "%s", ignored.text);
    *out = found;
    return ERR_OK;
}

enum err_code endpoint_list(const struct endpoint *ep, const char *service, struct arena *a,
                            struct advert *out, struct err *e)
{
    enum err_code r = ep->at.form == ADDRESS_HTTP ? endpoint_http_list(ep, service, a, out, e)
                                                  : list_by_child(ep, service, a, out, e);
    if (r != ERR_OK && strstr(e->text, ep->at.url) == NULL)
        return err_wrap(e, "%s", ep->at.url);
    return r;
}

/* ---- Push ------------------------------------------------------------------------------------ */

static enum err_code send_pack(const struct endpoint *ep, const struct shipment *s, struct child *c,
                               struct err *e)
{
    char chunk[CHUNK];

    for (int64_t at = 0; at < s->pack_size;) {
        int64_t left = s->pack_size - at;
        ssize_t n = pread(s->pack_fd, chunk, left < CHUNK ? (size_t)left : CHUNK, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(e, ERR_IO, "cannot read the pack");
        if (n == 0)
            return err_set(e, ERR_IO, "the pack became shorter while it was sent");
        TRY(child_write(c, chunk, (size_t)n, ep->idle, e));
        at += n;
        if (s->progress != NULL)
            s->progress(s->progress_ctx, at, s->pack_size);
    }
    return ERR_OK;
}

static enum err_code read_answer(const struct endpoint *ep, struct child *c, struct buf *answer,
                                 struct err *e)
{
    char chunk[CHUNK];
    size_t n;

    do {
        TRY(child_read(c, chunk, sizeof(chunk), ep->idle, &n, e));
        TRY(buf_add(answer, chunk, n, e));
    } while (n > 0);
    return ERR_OK;
}

/*
 * A server that refuses early stops reading, and the write fails; what it has to say about it is
 * worth more than "broken pipe", so the answer is read in any case but a timeout or the user's
 * wish.
 */
static enum err_code converse(const struct endpoint *ep, const struct shipment *s, struct child *c,
                              struct buf *answer, struct err *e)
{
    enum err_code r = child_write(c, s->commands->data, s->commands->len, ep->idle, e);
    if (r == ERR_OK && s->pack_fd >= 0)
        r = send_pack(ep, s, c, e);
    child_close_stdin(c);
    if (r == ERR_TIMEOUT || r == ERR_INTERRUPTED)
        return r;
    struct err reading = ERR_INIT;
    enum err_code q = read_answer(ep, c, answer, &reading);
    if (r == ERR_OK && q != ERR_OK) {
        *e = reading;
        r = q;
    }
    int status;
    (void)child_wait(c, ep->idle, &status, &reading);
    if (answer->len > 0 && r == ERR_IO)
        return ERR_OK; /* it answered after all */
    if (answer->len == 0 && r != ERR_TIMEOUT && r != ERR_INTERRUPTED && r != ERR_LIMIT)
        return failure_of_child(ep->at.url, status, child_stderr(c), e);
    return r;
}

static enum err_code push_by_child(const struct endpoint *ep, const struct shipment *s,
                                   struct arena *a, struct buf *answer, const char **out_words,
                                   bool *out_sent, struct err *e)
{
    CLEANUP(child_freep) struct child *c = NULL;
    struct advert fresh;

    TRY(start(ep, SERVICE_PUSH, a, &c, e));
    TRY(child_advert(ep, c, a, &fresh, e));
    if (s->look != NULL)
        TRY(s->look(s->look_ctx, &fresh, e));
    *out_sent = true;
    enum err_code r = converse(ep, s, c, answer, e);
    const char *words = child_stderr(c);
    *out_words = text_clean(a, words, strlen(words));
    return r;
}

enum err_code endpoint_push(const struct endpoint *ep, const struct shipment *s, struct arena *a,
                            struct buf *answer, const char **out_words, bool *out_sent,
                            struct err *e)
{
    *out_sent = false;
    *out_words = "";
    enum err_code r = ep->at.form == ADDRESS_HTTP
                          ? endpoint_http_push(ep, s, answer, out_sent, e)
                          : push_by_child(ep, s, a, answer, out_words, out_sent, e);
    if (r != ERR_OK && strstr(e->text, ep->at.url) == NULL)
        return err_wrap(e, "%s", ep->at.url);
    return r;
}
