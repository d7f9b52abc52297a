/*
 * http: one engine for every request of the process. Timeouts, TLS, lanes, rate limits, retries,
 * conditional requests, redirects. It knows nothing of JSON nor of what a URL means.
 *
 *     struct http *h;
 *     TRY(http_new(&cfg, &h, e));
 *     struct http_lane *lane = http_lane(h, token, api_base);    // one per credential and host
 *     struct http_request rq = {.method = "GET", .url = url, .lane = lane, .deadline = {30000}};
 *     struct http_reply rp = HTTP_REPLY_INIT;
 *     TRY(http_do(h, &rq, &rp, e));                               // blocks this thread only
 *     ... rp.status, rp.body ...
 *     http_reply_release(&rp);
 *
 * An engine thread owns a curl multi handle; any number of threads call http_do and sleep until their
 * answer is there. HTTP/2 for reads where the server offers it, keep-alive, at most 100 in flight, all
 * of them through lanes: per credential at most `reads` parallel GETs, writes one at a time and at
 * least `write_gap` apart (github.md 4.3: 1 s on github.com; 0 elsewhere unless set).
 *
 * What is done here so that nobody else has to:
 *   - 403 and 429 are told apart (github.md 4.3, in that order): a wait that fits into the deadline
 *     (the request's, and the engine's pass deadline) is waited, else ERR_RATE, which says until when.
 *   - Retry-After as seconds or HTTP date, absent, absurd (capped at 1 h).
 *   - 5xx and lost connections: GET is retried 2 times with back-off and jitter; a write is never
 *     repeated here unless the connection failed before a byte was sent. ERR_UNAVAILABLE.
 *   - 401: the lane closes: this and every later request on it is ERR_AUTH at once, with no traffic
 *     (github.md 0, lock-out).
 *   - 301 (GET), 302/307/308: followed by hand, same method and body, at most 3 times, only within the
 *     same scheme, host and port; else ERR_REFUSED. rp.moved tells that it happened.
 *   - ETag: a GET that asked for cache carries If-None-Match; a 304 is answered with the stored body
 *     and rp.status 200, rp.not_modified true. Keyed by (method, url, accept, credential fingerprint).
 *   - Body limit (LIMIT_HTTP_BODY unless the request has its own), also after decompression. ERR_LIMIT.
 *   - TLS is verified, always; a CA file may be added, verification cannot be switched off. Plain http
 *     is refused for other than loopback hosts. TLS 1.2 at least. No netrc, no URL credentials.
 *   - While dry_run is on, any method but GET and HEAD is refused with ERR_REFUSED before anything is
 *     sent, except to an endpoint that the caller marks as read-only (git-upload-pack).
 *
 * Any other status is not an error: the caller reads it.
 */
#ifndef MIRRORCTL_HTTP_H
#define MIRRORCTL_HTTP_H

#include "mirrorctl/base.h"
#include "mirrorctl/secrets.h"

struct http;
struct http_lane;

/* The seam of the scenario tests: performs one exchange instead of curl. Blocking, thread-safe. */
struct http_exchange; /* see "Transport" below */
typedef enum err_code (*http_transport)(void *ctx, struct http_exchange *x, struct err *e);

struct http_config {
    const char *user_agent;   /* required: GitHub refuses requests without one */
    const char *ca_file;      /* extra CA certificates (PEM), or NULL */
    const char *etag_dir;     /* where cached replies stand (0700), or NULL for none */
    const struct fingerprint_key *etag_key; /* names cache files and proves their content; with etag_dir */
    struct ms connect_timeout; /* 0 = 10 s */
    struct mono pass_deadline; /* ms = 0: none */
    int reads;                 /* parallel GETs per lane; 0 = 10 */
    struct ms write_gap;       /* v = -1: by host (1 s on github.com and ghe.com, else 0) */
    const struct clock *clock; /* NULL = clock_system */
    const volatile int *interrupted; /* non-zero: waiting requests end with ERR_INTERRUPTED */
    bool dry_run;
    http_transport transport;  /* NULL = curl */
    void *transport_ctx;
};

enum err_code http_new(const struct http_config *cfg, struct http **out_http, struct err *e);
void http_free(struct http *h); /* waits for requests in flight to end, at most their deadline */
void http_freep(struct http **h);

/* ---- Lanes ----------------------------------------------------------------------------------- */

/*
 * The lane of a credential (NULL = none) at a host; made on first use, lives as long as the engine.
 * `token` must outlive the engine. How it is sent is the request's choice (http_auth).
 */
struct http_lane *http_lane(struct http *h, const struct secret *token, const char *base_url);

struct http_budget {
    int64_t limit, remaining; /* -1 = not seen yet */
    struct wall reset;
};
struct http_budget http_lane_budget(const struct http_lane *l);
/* From github-authentication-token-expiration on any reply; 0 = never seen. */
struct wall http_lane_token_expires(const struct http_lane *l);
/* From X-OAuth-Scopes on any reply ("" = seen and empty); NULL = never seen (not a classic token). */
const char *http_lane_scopes(const struct http_lane *l);

/* ---- Requests -------------------------------------------------------------------------------- */

enum http_auth {
    HTTP_AUTH_NONE,
    HTTP_AUTH_BEARER, /* REST */
    HTTP_AUTH_BASIC   /* git: user x-access-token, the token as password */
};

/*
 * What is left of a reply: an API answers with a hundred members of which eight are read. Kept
 * replies are then a tenth as long, and are read with each 304.
 */
struct http_extract {
    const char *what; /* names the rule: a reply that was kept under another one is not used */
    /* What is left of a 200's body, to free(); NULL = leave it whole. Doing it twice changes nothing. */
    char *(*cut)(const char *body, size_t n, size_t *out_n);
};

struct http_request {
    const char *method;
    const char *url; /* absolute, without credentials */
    struct http_lane *lane;
    enum http_auth auth;
    const char *const *headers; /* "Name: value", NULL-terminated, nothing secret; or NULL */
    const void *body;
    size_t body_len;
    int body_fd;             /* with body_fd_len > 0: sent behind `body`, read with pread from 0 */
    int64_t body_fd_len;     /* bytes; Content-Length is body_len + this */
    struct ms deadline;      /* whole request, waits and retries included; 0 = 60 s */
    struct ms idle;          /* no byte either way for so long: ERR_TIMEOUT; 0 = 30 s */
    size_t max_body;         /* 0 = LIMIT_HTTP_BODY */
    bool cache;              /* GET: conditional by ETag */
    const struct http_extract *extract; /* or NULL: the whole body */
    bool http1;              /* packs: HTTP/1.1 (measurements.md 8) */
    bool read_only;          /* a POST that writes nothing (git-upload-pack): passes dry_run */
    /* A reply too large to hold: called with each piece of a 2xx body instead of keeping it.
     * Non-OK ends the request with that error. May be NULL. It runs on the engine's thread: it must
     * neither block nor call http_do. What it has seen cannot be taken back: no retry after that. */
    enum err_code (*sink)(void *ctx, const void *bytes, size_t n, struct err *e);
    void *sink_ctx;
};

struct http_reply {
    int status;
    bool not_modified;   /* came from the cache, confirmed by a 304 */
    bool moved;          /* a redirect was followed; final_url is where it ended */
    char *final_url;
    char *content_type;  /* lower-case, without parameters; or NULL */
    char *link_next;     /* the rel="next" target of Link, same origin only; or NULL */
    char *permissions;   /* X-Accepted-GitHub-Permissions; or NULL */
    char *sso;           /* X-GitHub-SSO; or NULL */
    struct wall date;    /* the server's Date; 0 = none */
    struct buf body;
};
#define HTTP_REPLY_INIT {.status = 0}

/* Errors start with "METHOD URL: ". *rp is released first, and empty after an error. */
enum err_code http_do(struct http *h, const struct http_request *rq, struct http_reply *rp,
                      struct err *e);
void http_reply_release(struct http_reply *rp); /* for CLEANUP */

/* Counters since http_new, for the pass report and the bench. */
struct http_stats {
    int64_t requests, writes, not_modified, retries;
    int64_t bytes_in, bytes_out;
    struct ms waited; /* for rate limits and write gaps */
};
struct http_stats http_get_stats(const struct http *h);

/* "https" anywhere, "http" only for localhost, 127.0.0.0/8 and [::1]; no user:password@. ERR_USAGE. */
enum err_code http_check_url(const char *url, struct err *e);
/* Percent-encodes everything but unreserved characters (RFC 3986). In the arena. */
char *http_escape(struct arena *a, const char *s);

/* ---- Transport (tests) ------------------------------------------------------------------------ */

/* One exchange as the wire sees it. The transport fills the reply_ fields. */
struct http_exchange {
    const char *method, *url;
    const char *const *headers; /* NULL-terminated, authentication included */
    const void *body;
    size_t body_len;
    int reply_status;
    struct buf reply_headers; /* "Name: value\r\n" lines */
    struct buf reply_body;
};

#endif
