/*
 * Inside http. One request goes through these hands:
 *
 *     http_do (request.c) ─▶ lane_enter ─▶ engine_run or seam_run ─▶ head_parse ─▶ retry_decide
 *           ▲                  lane.c        one exchange             head.c        retry.c
 *           └────────── wait, follow, or read the stored reply ◀──────────────────────┘
 *
 * Everything but engine.c and transfer.c runs on the thread that called http_do.
 */
#ifndef MIRRORCTL_HTTP_INTERNAL_H
#define MIRRORCTL_HTTP_INTERNAL_H

#include "mirrorctl/http.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    HTTP_IN_FLIGHT = 100, /* requests at once; GitHub allows 100 (github.md 4.2) */
    HTTP_READS = 10,      /* parallel reads of a lane, as GitHub's own SDK paces (github.md 4.3) */
    HTTP_CONNECT_MS = 10000,   /* TCP and TLS handshake */
    HTTP_DEADLINE_MS = 60000,  /* a whole request */
    HTTP_IDLE_MS = 30000,      /* silence */
    HTTP_TICK_MS = 50,         /* how late a deadline or an interruption may be noticed */
    HTTP_REDIRECTS = 3,        /* followed for one request (github.md 5.1) */
    HTTP_ATTEMPTS = 3,         /* a GET and its two repetitions */
    HTTP_RATE_WAITS = 4,       /* rate limits waited for by one request, then it gives up */
    HTTP_BACKOFF_MS = 500,     /* before the first repetition; doubles, plus up to half of jitter */
    HTTP_SECONDARY_MS = 60000, /* at least, when a secondary limit names no time (github.md 4.3) */
    HTTP_WAIT_MAX_MS = 3600000, /* no server may ask for more than an hour */
    HTTP_GITHUB_GAP_MS = 1000,  /* between writes on github.com (github.md 4.3) */
};

/* ---- URLs (url.c) ---------------------------------------------------------------------------- */

/* "https://host:443": what has to be equal for a credential to be sent. Caller frees. ERR_USAGE. */
enum err_code url_origin(const char *url, char **out_origin, struct err *e);
/* The host of an origin that url_origin made is loopback. */
bool url_origin_is_loopback(const char *origin);
/* The host of an origin is `domain` or below it. */
bool url_origin_is_under(const char *origin, const char *domain);
/* Location may be relative. Caller frees. ERR_REFUSED when the result is no URL of ours. */
enum err_code url_resolve(const char *base, const char *location, char **out_url, struct err *e);

/* ---- Heads of replies (head.c, link.c) ------------------------------------------------------- */

/* What interests us of one reply's headers; strings point into the parsed buffer. */
struct head {
    const char *etag, *link, *location, *content_type;
    const char *retry_after, *oauth_scopes, *permissions, *sso, *limited_by, *token_expires;
    int64_t limit, remaining, reset; /* -1 = absent or no number */
    struct wall date;
};

/* Cuts "Name: value\r\n" lines in place. The last of two equal names wins. */
void head_parse(struct buf *lines, struct head *out);
/* "2024-12-14 02:28:22 UTC" or "... -0700" (github.md 0). 0 when it is neither. */
struct wall head_token_expires(const char *text);
/* The rel="next" target of a Link header, whatever its origin; NULL when there is none. */
char *link_next(const char *link);
/* Lower-case, without parameters; caller frees. NULL in, NULL out. */
char *head_media_type(const char *content_type);

/* ---- One exchange (engine.c, transfer.c, seam.c) ----------------------------------------------
 */

struct transfer {
    const char *method, *url;
    const char *const *headers; /* NULL-terminated, authentication included */
    const void *body;
    size_t body_len;
    int body_fd;
    int64_t body_fd_len;
    size_t max_body;
    struct mono deadline;
    struct ms idle;
    bool http1;
    bool once;     /* a write: never sent a second time, not even by curl on its own */
    bool loopback; /* then no proxy is asked: plain http must not leave the machine */
    enum err_code (*sink)(void *ctx, const void *bytes, size_t n, struct err *e);
    void *sink_ctx;

    /* The result: with ERR_OK all of it, else only `sent`, `sunk` and `transient`. */
    int status;
    struct buf head, reply;
    bool sent;      /* the connection stood, so bytes of the request may have arrived */
    bool sunk;      /* the sink has seen bytes */
    bool transient; /* ERR_UNAVAILABLE that another attempt may cure */
    int64_t bytes_in, bytes_out;

    struct flight *flight; /* the engine's own part */
};

void transfer_release(struct transfer *t);

struct engine;
enum err_code engine_new(const struct http_config *cfg, struct engine **out, struct err *e);
void engine_free(struct engine *g); /* every engine_run has returned */
enum err_code engine_run(struct engine *g, struct transfer *t, struct err *e);
enum err_code seam_run(const struct http_config *cfg, struct transfer *t, struct err *e);

/* The CA certificates of cfg->ca_file beside those of the system (trust.c). */
struct trust {
    int fd;             /* -1 = not ours to close */
    char path[64];      /* file of certificates; "" = none beside the folder, or curl's own default */
    const char *folder; /* certificates by hash of their names; NULL = not read */
    bool only_folder;   /* no file */
};
enum err_code trust_open(const char *ca_file, struct trust *out, struct err *e);

/* ---- Authentication (auth.c) ------------------------------------------------------------------
 */

/* "Authorization: ..." for the token in *out, which auth_wipe must clear. NULL for HTTP_AUTH_NONE.
 */
enum err_code auth_header(const struct secret *token, enum http_auth auth, char **out,
                          struct err *e);
void auth_wipe(char **header); /* for CLEANUP */

/* ---- Decisions (retry.c, redirect.c) ----------------------------------------------------------
 */

enum retry_act {
    RETRY_DONE,  /* the caller's business */
    RETRY_LIMIT, /* rate limited: the whole lane pauses for `wait`, then again */
    RETRY_AGAIN, /* server trouble: once more after `wait` */
    RETRY_FAIL   /* with `code` */
};

struct retry_facts {
    int status;
    const struct head *head;
    const char *text; /* beginning of the body; never NULL */
    struct wall now;  /* for a Retry-After that is a date, when the server sent no Date */
    bool write;
    bool authenticated;
    int attempts;   /* exchanges so far that ended in server trouble, this one included */
    int rate_waits; /* rate limits met before this one */
    int64_t jitter; /* 0 … 1000 */
};

struct retry_verdict {
    enum retry_act act;
    enum err_code code; /* of RETRY_FAIL, and of what must be given up because it takes too long */
    struct ms wait;
    const char *what; /* "the primary rate limit is used up", for the sentence; or NULL */
};

struct retry_verdict retry_decide(const struct retry_facts *f);
/* Back-off before attempt n + 1. */
struct ms retry_backoff(int attempts, int64_t jitter);

/* Whether status and method ask for a redirect to be followed. */
bool redirect_wanted(int status, const char *method, const struct head *head);
/* The next URL, of the same origin; ERR_REFUSED else. Caller frees. */
enum err_code redirect_target(const char *url, const char *origin, const char *location,
                              char **out_url, struct err *e);

/* ---- Lanes (lane.c) ---------------------------------------------------------------------------
 */

struct http_lane {
    struct http_lane *next;
    char *origin;
    const struct secret *token;
    char id[FINGERPRINT_HEX];   /* of the token, within this process */
    char etag[FINGERPRINT_HEX]; /* of the token, under the key of the cache; "" without one */
    int reads_max;
    int64_t gap_ms;

    pthread_mutex_t *lock; /* a pointer, so that readers of a const lane can take it */
    pthread_cond_t read_free, write_free;
    int reads;
    bool writing, closed;
    struct mono next_write, paused_until;
    struct wall paused_until_wall;
    const char *paused_why;
    struct http_budget budget;
    struct wall token_expires;
    const char *scopes;
    int scopes_seen;
    struct arena *arena; /* of the scopes, which callers may still hold */
};

/* A turn on the lane: waits for a free place, pauses and the write gap. lane_leave ends it. */
enum err_code lane_enter(struct http *h, struct http_lane *l, bool write, struct mono deadline,
                         struct err *e);
void lane_leave(struct http_lane *l, bool write);
/* Everything that a reply says about the credential and its budget. */
void lane_learn(struct http *h, struct http_lane *l, const struct head *head);
void lane_close(struct http_lane *l);
void lane_pause(struct http *h, struct http_lane *l, struct ms wait, const char *why);
void lane_free_all(struct http_lane *l);

/* ---- Stored replies (etag.c, etag_file.c) -----------------------------------------------------
 */

/* Shared between threads while it is in use; read only. */
struct etag_entry {
    char name[FINGERPRINT_HEX];
    char *etag, *content_type, *link; /* the last two may be NULL */
    char *body;
    size_t body_len;
    int refs;
    struct etag_entry *newer, *older, *chain; /* of the layer in memory */
};

struct etag_store;
enum err_code etag_open(const char *dir, const struct fingerprint_key *key, struct etag_store **out,
                        struct err *e);
void etag_close(struct etag_store *s); /* NULL is fine */
/* The name of what (method, url, headers, credential) answers, and of what is left of it. */
void etag_name(const struct etag_store *s, const char *method, const char *url,
               const char *const *headers, const char *credential, const char *extract,
               char out[static FINGERPRINT_HEX]);
/* NULL when there is none. etag_put_back ends its use. */
struct etag_entry *etag_get(struct etag_store *s, const char *name);
void etag_put_back(struct etag_store *s, struct etag_entry *entry);
void etag_store(struct etag_store *s, const char *name, const struct head *head,
                const struct buf *body);

/* The layer on disk. Damaged, foreign and unreadable files are a miss. */
struct etag_entry *etag_file_load(const char *dir, const struct fingerprint_key *key,
                                  const char *name);
/* Bytes written, 0 when it failed: a cache may. */
size_t etag_file_save(const char *dir, const struct fingerprint_key *key,
                      const struct etag_entry *entry);
/* Removes the oldest files until at most `max` bytes stand there; returns how many do. */
size_t etag_files_trim(const char *dir, size_t max);
struct etag_entry *etag_entry_new(const char *name, const char *etag, const char *content_type,
                                  const char *link, const void *body, size_t n);
void etag_entry_free(struct etag_entry *entry);

/* ---- The whole (http.c) -----------------------------------------------------------------------
 */

struct http {
    struct http_config cfg; /* its strings are ours or NULL */
    char *agent;
    const struct clock *clock;
    struct engine *engine;              /* NULL with a transport */
    struct etag_store *etags;           /* NULL without a folder */
    struct fingerprint_key process_key; /* tells credentials apart without keeping them */
    pthread_mutex_t lock;               /* lanes */
    struct http_lane *lanes;
    atomic_int callers; /* threads inside http_do */
    atomic_llong requests, writes, not_modified, retries, bytes_in, bytes_out, waited;
    atomic_uint jitter;
};

bool http_interrupted(const struct http *h);
/* Sleeps in short pieces on the engine's clock. ERR_INTERRUPTED. */
enum err_code http_wait_until(struct http *h, struct mono until, struct err *e);
int64_t http_jitter(struct http *h); /* 0 … 1000 */

#endif
