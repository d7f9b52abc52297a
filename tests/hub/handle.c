/* The entry point: which of the three faces of the hub a request meets, and what is written down of
 * it. */
#include "gitside.h"
#include "internal.h"
#include "rest.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { MAX_LOG = 1000000 }; /* entries, about 200 bytes each; beyond it only the counters go on */

static int64_t monotonic_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- the log ---- */

json_t *hb_entry_json(const struct hub_entry *e)
{
    char *at = hb_time_z(e->at_ms);
    json_t *j =
        json_pack("{s:s,s:s,s:s,s:s,s:i,s:b,s:b,s:I,s:I,s:I}", "at", at, "method", e->method,
                  "path", e->path, "token", e->token, "status", e->status, "conditional",
                  e->conditional, "charged", e->charged, "bytes_in", (json_int_t)e->bytes_in,
                  "bytes_out", (json_int_t)e->bytes_out, "taken_us", (json_int_t)e->taken_us);
    free(at);
    return j;
}

static void write_line(int fd, const struct hub_entry *e)
{
    json_t *j = hb_entry_json(e);
    char *text = j == NULL ? NULL : json_dumps(j, JSON_COMPACT);
    if (text != NULL) {
        char *line = hb_fmt("%s\n", text);
        ssize_t n = write(fd, line, strlen(line));
        (void)n; /* a full disk must not stop the tests */
        free(line);
    }
    free(text);
    json_decref(j);
}

static const char *token_name(const struct hb_ctx *c)
{
    return c->who.token != NULL ? c->who.token->id : c->who.unknown ? "?" : "-";
}

static void count(struct hub *h, const struct hb_ctx *c, bool git)
{
    h->counters.requests++;
    if (git)
        return;
    bool read = strcmp(c->method, "GET") == 0;
    h->counters.rest_reads += read;
    h->counters.rest_writes += !read;
    h->counters.not_modified += c->out->status == 304;
}

static void write_down(struct hb_ctx *c, int64_t began_us)
{
    struct hub *h = c->h;
    bool answered = c->out->kind == HUB_ANSWER;
    struct hub_entry e = {.at_ms = hb_now(h),
                          .method = hb_strdup(c->q->method),
                          .path = hb_strdup(c->q->path),
                          .token = hb_strdup(token_name(c)),
                          .status = answered ? c->out->status : 0,
                          .conditional = hb_header(c->q, "if-none-match") != NULL,
                          .charged = c->charged,
                          .bytes_in = c->q->body_len,
                          .bytes_out = answered ? c->out->sent_len : 0,
                          .taken_us = monotonic_us() - began_us};
    if (h->log_fd >= 0)
        write_line(h->log_fd, &e);
    if (h->n_log >= MAX_LOG) {
        hub_entry_release(&e);
        return;
    }
    if (h->n_log == h->cap_log) {
        h->cap_log = h->cap_log != 0 ? h->cap_log * 2 : 256;
        h->log = hb_grow(h->log, h->cap_log, sizeof *h->log);
    }
    h->log[h->n_log++] = e;
}

void hub_entry_release(struct hub_entry *e)
{
    free(e->method);
    free(e->path);
    free(e->token);
    *e = (struct hub_entry){0};
}

void hub_log_reset(struct hub *h)
{
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->n_log; i++)
        hub_entry_release(&h->log[i]);
    free(h->log);
    h->log = NULL;
    h->n_log = h->cap_log = 0;
    h->counters = (struct hub_counters){0};
    pthread_mutex_unlock(&h->lock);
}

size_t hub_log_len(struct hub *h)
{
    pthread_mutex_lock(&h->lock);
    size_t n = h->n_log;
    pthread_mutex_unlock(&h->lock);
    return n;
}

bool hub_log_get(struct hub *h, size_t index, struct hub_entry *out)
{
    pthread_mutex_lock(&h->lock);
    bool there = index < h->n_log;
    if (there) {
        *out = h->log[index];
        out->method = hb_strdup(out->method);
        out->path = hb_strdup(out->path);
        out->token = hb_strdup(out->token);
    }
    pthread_mutex_unlock(&h->lock);
    return there;
}

void hub_counters_get(struct hub *h, struct hub_counters *out)
{
    pthread_mutex_lock(&h->lock);
    *out = h->counters;
    pthread_mutex_unlock(&h->lock);
}

void hub_log_to(struct hub *h, int fd)
{
    pthread_mutex_lock(&h->lock);
    h->log_fd = fd;
    pthread_mutex_unlock(&h->lock);
}

/* ---- the request ---- */

/* REST lives under /api/v3 on any host, and at the root of a host called api.* (section 0). */
static bool is_rest(const struct hub_request *q, char **out_prefix, const char **out_rest)
{
    if (hb_starts(q->path, "/api/v3") &&
        (q->path[7] == '/' || q->path[7] == '\0' || q->path[7] == '?')) {
        *out_prefix = hb_strdup("/api/v3");
        *out_rest = q->path + 7;
        return true;
    }
    *out_prefix = hb_strdup("");
    *out_rest = q->path;
    return q->host != NULL && hb_starts(q->host, "api.");
}

static void dispatch(struct hb_ctx *c, bool git, bool rest, const struct hub_fault *fault)
{
    if (git)
        hb_git_http(c, fault);
    else if (rest)
        hb_rest(c);
    else
        hb_body_text(c->out, 404, "text/html; charset=utf-8",
                     "<html><body>Not Found</body></html>");
}

void hub_handle(struct hub *h, const struct hub_request *q, struct hub_reply *out)
{
    int64_t began = monotonic_us();
    const char *rest = NULL;
    *out = (struct hub_reply){.kind = HUB_ANSWER, .status = 500};
    if (hb_starts(q->path, "/_hub/")) {
        hb_control(h, q, out);
        return;
    }
    struct hb_ctx c = {.h = h, .q = q, .out = out};
    bool git = hb_is_git(q), is_api = is_rest(q, &c.prefix, &rest);
    const char *mark = strchr(rest, '?');
    c.path = hb_strndup(rest, mark != NULL ? (size_t)(mark - rest) : strlen(rest));
    c.query = mark != NULL ? hb_strdup(mark + 1) : NULL;
    c.method = strcmp(q->method, "HEAD") == 0 ? "GET" : q->method;
    pthread_mutex_lock(&h->lock);
    struct hub_fault fault = {0};
    bool faulty = hb_fault_match(h, q->method, c.path, &fault);
    if (!faulty || !hb_fault_before(&fault, out)) {
        dispatch(&c, git, is_api, faulty ? &fault : NULL);
        if (faulty)
            hb_fault_after(&fault, out);
    }
    count(h, &c, git);
    write_down(&c, began);
    pthread_mutex_unlock(&h->lock);
    hb_fault_release(&fault);
    free(c.path);
    free(c.query);
    free(c.prefix);
}
