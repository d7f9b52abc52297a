/* One transfer as curl sees it: options, callbacks, and what curl's verdict means. */
#include "flight.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CURL_BUFFER = 16 << 10,      /* bodies of REST requests are smaller */
    CURL_PACK_BUFFER = 64 << 10, /* packs go up in larger pieces */
};

/* ---- Headers --------------------------------------------------------------------------------- */

static bool is_header(const char *line, const char *name)
{
    size_t n = strlen(name);
    return strncasecmp(line, name, n) == 0 && line[n] == ':';
}

static struct curl_slist *append(struct curl_slist *list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(list, line);
    return longer == NULL ? list : longer;
}

struct curl_slist *transfer_headers(const struct transfer *t)
{
    /* curl would wait a second for a "100 Continue" that GitHub does not send. */
    struct curl_slist *list = append(NULL, "Expect:");
    bool typed = false;

    for (size_t i = 0; t->headers[i] != NULL; i++) {
        typed = typed || is_header(t->headers[i], "Content-Type");
        list = append(list, t->headers[i]);
    }
    if (!typed) /* curl would call any body a form */
        list = append(list, "Content-Type:");
    return list;
}

void transfer_headers_free(struct curl_slist *list)
{
    for (struct curl_slist *item = list; item != NULL; item = item->next)
        explicit_bzero(item->data, strlen(item->data)); /* one of them is the credential */
    curl_slist_free_all(list);
}

/* ---- Callbacks ------------------------------------------------------------------------------- */

static size_t fail(struct flight *f, enum err_code code)
{
    f->code = code;
    return 0; /* fewer than were offered: curl ends the transfer */
}

static size_t on_header(char *bytes, size_t size, size_t n, void *ctx)
{
    struct flight *f = ctx;
    size_t len = size * n;

    f->progress++;
    f->head_bytes += len;
    if (f->head_bytes > LIMIT_HTTP_HEADERS)
        return fail(f, err_set(&f->err, ERR_LIMIT, "the reply's headers are larger than %d bytes",
                               LIMIT_HTTP_HEADERS));
    if (len >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
        buf_clear(&f->t->head); /* the block before was a 1xx */
    else if (len > 2 && buf_add(&f->t->head, bytes, len, &f->err) != ERR_OK)
        return fail(f, f->err.code);
    return len;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *ctx)
{
    struct flight *f = ctx;
    struct transfer *t = f->t;
    size_t len = size * n;
    long status = 0;

    f->progress++;
    if (t->sink != NULL) {
        (void)curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
        if (status >= 200 && status <= 299) {
            t->sunk = true;
            enum err_code r = t->sink(t->sink_ctx, bytes, len, &f->err);
            return r == ERR_OK ? len : fail(f, r);
        }
    }
    if (buf_add(&t->reply, bytes, len, &f->err) != ERR_OK)
        return fail(
            f, err_set(&f->err, ERR_LIMIT, "the reply is larger than %zu bytes", t->reply.max));
    return len;
}

static size_t on_read(char *bytes, size_t size, size_t n, void *ctx)
{
    struct flight *f = ctx;
    const struct transfer *t = f->t;
    size_t room = size * n;
    int64_t at = f->body_at, in_memory = (int64_t)t->body_len;

    if (at < in_memory) {
        size_t left = t->body_len - (size_t)at, len = left < room ? left : room;
        memcpy(bytes, (const char *)t->body + at, len);
        f->body_at += (int64_t)len;
        return len;
    }
    int64_t left = t->body_fd_len - (at - in_memory);
    if (left <= 0)
        return 0;
    ssize_t got =
        pread(t->body_fd, bytes, left < (int64_t)room ? (size_t)left : room, at - in_memory);
    if (got <= 0) {
        f->code = got < 0
                      ? err_set_errno(&f->err, ERR_IO, "cannot read the request's body")
                      : err_set(&f->err, ERR_IO, "the request's body is shorter than announced");
        return CURL_READFUNC_ABORT;
    }
    f->body_at += got;
    return (size_t)got;
}

static int on_seek(void *ctx, curl_off_t offset, int origin)
{
    struct flight *f = ctx;

    if (origin != SEEK_SET)
        return CURL_SEEKFUNC_FAIL;
    f->body_at = offset;
    return CURL_SEEKFUNC_OK;
}

/*
 * Called when the connection stands, before the first byte of the request. curl repeats a request
 * of its own accord when a reused connection dies without an answer: a write that the server may
 * have done must not be done twice.
 */
static int on_send(void *ctx, char *ip UNUSED, char *local UNUSED, int port UNUSED,
                   int local_port UNUSED)
{
    struct flight *f = ctx;

    f->progress++;
    f->sends++;
    if (f->t->once && f->sends > 1) {
        f->code = err_set(&f->err, ERR_UNAVAILABLE,
                          "the connection was lost after the request was sent; not repeated, "
                          "because it may have been done");
        return CURL_PREREQFUNC_ABORT;
    }
    f->t->sent = true;
    f->body_at = 0;
    return CURL_PREREQFUNC_OK;
}

/* As curl's own, but closed on exec: git children must not inherit connections. */
static curl_socket_t on_socket(void *ctx UNUSED, curlsocktype purpose UNUSED,
                               struct curl_sockaddr *address)
{
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- Options --------------------------------------------------------------------------------- */

static bool set(CURLcode rc, bool good)
{
    return good && rc == CURLE_OK;
}

static bool set_policy(CURL *c, const struct flight *f, const struct transfer_common *common)
{
    const struct transfer *t = f->t;
    bool ok = true;
    int64_t left = t->deadline.ms - clock_mono(common->clock).ms;
    int64_t connect = common->connect_timeout.v < left ? common->connect_timeout.v : left;

    ok = set(curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https"), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L), ok);
    /* A resolver that hangs must not hang the engine when its request is given up. */
    ok = set(curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect < 1 ? 1 : connect)), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L), ok);
    if (common->trust.only_folder)
        ok = set(curl_easy_setopt(c, CURLOPT_CAINFO, NULL), ok);
    else if (common->trust.path[0] != '\0')
        ok = set(curl_easy_setopt(c, CURLOPT_CAINFO, common->trust.path), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_CAPATH, common->trust.folder), ok);
    if (t->loopback)
        ok = set(curl_easy_setopt(c, CURLOPT_PROXY, ""), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_HTTP_VERSION,
                              (long)(t->http1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS)),
             ok);
    /* Wait for a connection that may turn out to multiplex, rather than open ten at the start. */
    ok = set(curl_easy_setopt(c, CURLOPT_PIPEWAIT, t->http1 ? 0L : 1L), ok);
    /* Not CURLOPT_BUFFERSIZE: its 16 KiB are the default, and a handle that has spoken HTTP/2 keeps
     * its buffer and refuses the option (curl 7.88). */
    ok = set(curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE,
                              (long)(t->body_fd_len > 0 ? CURL_PACK_BUFFER : CURL_BUFFER)),
             ok);
    return set(curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "gzip"), ok);
}

static bool set_method(CURL *c, const struct transfer *t)
{
    bool has_body = t->body_len > 0 || t->body_fd_len > 0;
    bool ok = true;

    if (str_eq(t->method, "HEAD"))
        return set(curl_easy_setopt(c, CURLOPT_NOBODY, 1L), ok);
    if (str_eq(t->method, "GET") || (str_eq(t->method, "DELETE") && !has_body)) {
        ok = set(curl_easy_setopt(c, CURLOPT_HTTPGET, 1L), ok);
    } else {
        curl_off_t size = (curl_off_t)t->body_len + t->body_fd_len;
        ok = set(curl_easy_setopt(c, CURLOPT_POST, 1L), ok);
        ok = set(curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, size), ok);
        if (t->body_fd_len == 0)
            ok = set(curl_easy_setopt(c, CURLOPT_POSTFIELDS, has_body ? t->body : ""), ok);
    }
    return set(curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, t->method), ok);
}

static bool set_callbacks(CURL *c, struct flight *f)
{
    bool ok = true;

    ok = set(curl_easy_setopt(c, CURLOPT_PRIVATE, f), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_ERRORBUFFER, f->text), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_HEADERDATA, f), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_WRITEDATA, f), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_READDATA, f), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, on_seek), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_SEEKDATA, f), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_send), ok);
    ok = set(curl_easy_setopt(c, CURLOPT_PREREQDATA, f), ok);
    return set(curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_socket), ok);
}

bool transfer_prepare(struct flight *f, const struct transfer_common *common)
{
    CURL *c = f->easy;

    return curl_easy_setopt(c, CURLOPT_URL, f->t->url) == CURLE_OK && set_policy(c, f, common) &&
           set_method(c, f->t) && set_callbacks(c, f) &&
           curl_easy_setopt(c, CURLOPT_HTTPHEADER, f->headers) == CURLE_OK;
}

/* ---- Verdicts -------------------------------------------------------------------------------- */

/* What curl's codes mean to us; what is not listed is a network that is away for the moment. */
static const struct {
    CURLcode rc;
    enum err_code code;
    bool transient;
    const char *what;
} VERDICTS[] = {
    {CURLE_OPERATION_TIMEDOUT, ERR_TIMEOUT, false, "no connection in time"},
    {CURLE_PEER_FAILED_VERIFICATION, ERR_UNAVAILABLE, false,
     "the server's certificate was refused"},
    {CURLE_SSL_CACERT_BADFILE, ERR_IO, false, "the CA file cannot be used"},
    {CURLE_BAD_CONTENT_ENCODING, ERR_INVALID, false, "the reply cannot be decoded"},
    {CURLE_WEIRD_SERVER_REPLY, ERR_INVALID, false, "the reply is not HTTP"},
    {CURLE_UNSUPPORTED_PROTOCOL, ERR_INVALID, false, "the reply is not HTTP"},
    {CURLE_OUT_OF_MEMORY, ERR_LIMIT, false, "the reply's headers are too large"},
    {CURLE_URL_MALFORMAT, ERR_USAGE, false, "the URL cannot be understood"},
    {CURLE_COULDNT_RESOLVE_HOST, ERR_UNAVAILABLE, true, "the host was not found"},
    {CURLE_COULDNT_CONNECT, ERR_UNAVAILABLE, true, "no connection"},
    {CURLE_PARTIAL_FILE, ERR_UNAVAILABLE, true, "the reply was cut off"},
    {CURLE_GOT_NOTHING, ERR_UNAVAILABLE, true, "the connection was closed without reply"},
};

/* curl 7.88 reports error 92 for an HTTP/2 server that answers before it has read the request's
 * body, although the answer is whole (measurements.md 8). */
static bool is_whole_all_the_same(const struct flight *f, CURLcode rc, long status)
{
    curl_off_t announced = -1, got = 0;

    if (rc != CURLE_HTTP2_STREAM || status < 200)
        return false;
    (void)curl_easy_getinfo(f->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    (void)curl_easy_getinfo(f->easy, CURLINFO_SIZE_DOWNLOAD_T, &got);
    return status == 204 || status == 304 || (announced >= 0 && announced == got);
}

static void blame(struct flight *f, CURLcode rc)
{
    const char *said = f->text[0] != '\0' ? f->text : curl_easy_strerror(rc);

    for (size_t i = 0; i < ARRAY_LEN(VERDICTS); i++) {
        if (VERDICTS[i].rc != rc)
            continue;
        f->t->transient = VERDICTS[i].transient;
        f->code = err_set(&f->err, VERDICTS[i].code, "%s (%s)", VERDICTS[i].what, said);
        return;
    }
    f->t->transient = true;
    f->code = err_set(&f->err, ERR_UNAVAILABLE, "the connection failed (%s)", said);
}

void transfer_conclude(struct flight *f, CURLcode rc)
{
    struct transfer *t = f->t;
    long status = 0, head_bytes = 0, request_bytes = 0;
    curl_off_t down = 0, up = 0;

    (void)curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(f->easy, CURLINFO_HEADER_SIZE, &head_bytes);
    (void)curl_easy_getinfo(f->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    (void)curl_easy_getinfo(f->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
    (void)curl_easy_getinfo(f->easy, CURLINFO_SIZE_UPLOAD_T, &up);
    t->status = (int)status;
    t->bytes_in = head_bytes + down;
    t->bytes_out = request_bytes + up;
    if (f->code != ERR_OK)
        return; /* a callback has said why */
    if (rc != CURLE_OK && !is_whole_all_the_same(f, rc, status))
        blame(f, rc);
}
