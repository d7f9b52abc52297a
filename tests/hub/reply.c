/* Building replies: headers, JSON, errors, pages, ETags. */
#include "internal.h"
#include "rest.h"

#include <sodium.h>
#include <stdio.h>
#include <sys/mman.h>

void hb_head_take(struct hub_reply *out, const char *name, char *value)
{
    if ((out->n_headers & (out->n_headers - 1)) == 0)
        out->headers =
            hb_grow(out->headers, out->n_headers ? out->n_headers * 2 : 1, sizeof *out->headers);
    out->headers[out->n_headers++] = (struct hub_header){hb_strdup(name), value};
}

void hb_head(struct hub_reply *out, const char *name, const char *value)
{
    hb_head_take(out, name, hb_strdup(value));
}

const char *hub_reply_header(const struct hub_reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->n_headers; i++)
        if (hb_ieq(reply->headers[i].name, name))
            return reply->headers[i].value;
    return NULL;
}

static void body_drop(struct hub_reply *reply)
{
    if (reply->map != NULL)
        (void)munmap(reply->map, reply->map_len);
    else
        free(reply->body);
    reply->body = NULL;
    reply->map = NULL;
}

void hub_reply_release(struct hub_reply *reply)
{
    for (size_t i = 0; i < reply->n_headers; i++) {
        union { /* the names are ours although callers may not write them */
            const char *in;
            char *out;
        } name = {.in = reply->headers[i].name}, value = {.in = reply->headers[i].value};
        free(name.out);
        free(value.out);
    }
    free(reply->headers);
    body_drop(reply);
    *reply = (struct hub_reply){0};
}

void hb_body_take(struct hub_reply *out, void *data, size_t len)
{
    body_drop(out);
    out->body = data;
    out->body_len = out->declared_len = out->sent_len = len;
}

void hb_body_text(struct hub_reply *out, int status, const char *type, const char *text)
{
    out->status = status;
    hb_head(out, "content-type", type);
    hb_body_take(out, hb_strdup(text), strlen(text));
}

void hb_json(struct hb_ctx *c, int status, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    c->out->status = status;
    hb_body_take(c->out, text, strlen(text));
    c->content_type = "application/json; charset=utf-8";
}

void hb_empty(struct hb_ctx *c, int status)
{
    c->out->status = status;
    c->content_type = NULL;
    hb_body_take(c->out, hb_strdup(""), 0);
}

/* status is a JSON string (section 0). */
static json_t *error_json(struct hb_ctx *c, int status, const char *message)
{
    char *doc = hb_fmt("https://docs.github.com/rest%s%s",
                       c->route != NULL && c->route->doc != NULL ? "/" : "",
                       c->route != NULL && c->route->doc != NULL ? c->route->doc : "");
    char text[16];
    (void)snprintf(text, sizeof text, "%d", status);
    json_t *j =
        json_pack("{s:s,s:s,s:s}", "message", message, "documentation_url", doc, "status", text);
    free(doc);
    return j;
}

void hb_error_json(struct hb_ctx *c, int status, const char *message)
{
    hb_json(c, status, error_json(c, status, message));
}

void hb_error_field(struct hb_ctx *c, int status, const char *message, const char *resource,
                    const char *field, const char *code, const char *text)
{
    json_t *j = error_json(c, status, message);
    json_t *e = json_pack("{s:s,s:s,s:s}", "resource", resource, "field", field, "code", code);
    if (text != NULL)
        json_object_set_new(e, "message", json_string(text));
    json_object_set_new(j, "errors", json_pack("[o]", e));
    hb_json(c, status, j);
}

const char *hb_field(struct hb_ctx *c, const char *name)
{
    return json_string_value(json_object_get(c->body, name));
}

/* ---- the request ---- */

const char *hb_header(const struct hub_request *q, const char *name)
{
    for (size_t i = 0; i < q->n_headers; i++)
        if (hb_ieq(q->headers[i].name, name))
            return q->headers[i].value;
    return NULL;
}

char *hb_base(const struct hb_ctx *c)
{
    if (c->h->public_url != NULL)
        return hb_fmt("%s%s", c->h->public_url, c->prefix);
    return hb_fmt("%s://%s%s", c->q->tls ? "https" : "http",
                  c->q->host != NULL ? c->q->host : "localhost", c->prefix);
}

char *hb_query(const struct hb_ctx *c, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = c->query; p != NULL && *p != '\0';) {
        size_t len = strcspn(p, "&");
        if (len > n && strncmp(p, name, n) == 0 && p[n] == '=')
            return hb_decode(p + n + 1, len - n - 1);
        p += len + (p[len] == '&');
    }
    return NULL;
}

/* ---- pages (1.13) ---- */

static size_t number(char *text, size_t otherwise)
{
    char *end = NULL;
    unsigned long long v = text != NULL ? strtoull(text, &end, 10) : 0;
    bool good = text != NULL && end != text && *end == '\0' && v > 0 && v < 1000000;
    free(text);
    return good ? (size_t)v : otherwise;
}

/* The other parameters of the query, each followed by '&'. */
static void other_parameters(const struct hb_ctx *c, struct hb_buf *b)
{
    for (const char *p = c->query; p != NULL && *p != '\0';) {
        size_t len = strcspn(p, "&");
        if (len > 0 && strncmp(p, "per_page=", 9) != 0 && strncmp(p, "page=", 5) != 0) {
            hb_buf_add(b, p, len);
            hb_buf_puts(b, "&");
        }
        p += len + (p[len] == '&');
    }
}

static char *link_target(const struct hb_ctx *c)
{
    char *base = hb_base(c);
    char *target = NULL;
    if (c->repo != NULL && hb_quirk(c->h, Q_LINK_BY_ID)) {
        const char *rest = c->path;
        for (size_t i = 0; i < c->n_head; i++)
            rest = rest[0] == '/' ? rest + 1 + strcspn(rest + 1, "/") : rest;
        target = hb_fmt("%s/repositories/%lld%s", base, c->repo->id, rest);
    } else {
        target = hb_fmt("%s%s", base, c->path);
    }
    free(base);
    return target;
}

static void link_add(struct hb_buf *b, const char *target, const char *query, size_t page,
                     const char *rel)
{
    hb_buf_fmt(b, "%s<%s?%spage=%zu>; rel=\"%s\"", b->len ? ", " : "", target, query, page, rel);
}

static void link_make(struct hb_ctx *c, size_t page, size_t last, size_t per, bool per_given)
{
    struct hb_buf query = {0}, b = {0};
    char *target = link_target(c);
    hb_buf_puts(&query, "");
    other_parameters(c, &query);
    if (per_given)
        hb_buf_fmt(&query, "per_page=%zu&", per);
    if (page > 1)
        link_add(&b, target, query.data, page - 1 < last ? page - 1 : last, "prev");
    if (page < last) {
        link_add(&b, target, query.data, page + 1, "next");
        link_add(&b, target, query.data, last, "last");
    }
    if (page > 1)
        link_add(&b, target, query.data, 1, "first");
    c->link = b.data;
    free(target);
    hb_buf_free(&query);
}

struct hb_page hb_paginate(struct hb_ctx *c, size_t usual, size_t most, size_t total)
{
    char *given = hb_query(c, "per_page");
    bool per_given = given != NULL;
    size_t asked = number(given, usual);
    struct hb_page p = {.per = asked > most ? most : asked, .page = number(hb_query(c, "page"), 1)};
    if (asked > most && !hb_quirk(c->h, Q_SILENT_CAP)) {
        hb_error_json(c, 422, "per_page is above the maximum");
        p.refused = true;
        return p;
    }
    size_t last = total == 0 ? 1 : (total + p.per - 1) / p.per;
    p.first = (p.page - 1) * p.per < total ? (p.page - 1) * p.per : total;
    p.end = p.first + p.per < total ? p.first + p.per : total;
    if (last > 1)
        link_make(c, p.page, last, p.per, per_given);
    return p;
}

/* ---- ETags (4.4) ---- */

static void mix_text(crypto_generichash_state *s, const char *text)
{
    if (text == NULL)
        text = "";
    (void)crypto_generichash_update(s, (const unsigned char *)text, strlen(text) + 1);
}

/* Bound to token, representation and page; another token sees another one. */
void hb_etag_from(struct hb_ctx *c, const void *data, size_t len)
{
    unsigned char sum[32];
    crypto_generichash_state s;
    const struct hb_token *t = c->who.token;
    (void)crypto_generichash_init(&s, NULL, 0, sizeof sum);
    (void)crypto_generichash_update(&s, data, len);
    if (t != NULL && hb_quirk(c->h, Q_ETAG_PER_TOKEN)) {
        mix_text(&s, t->id);
        (void)crypto_generichash_update(&s, (const unsigned char *)&t->version, sizeof t->version);
    }
    mix_text(&s, c->q->host);
    mix_text(&s, c->path);
    mix_text(&s, c->query);
    mix_text(&s, hb_header(c->q, "accept"));
    mix_text(&s, c->api_version);
    (void)crypto_generichash_final(&s, sum, sizeof sum);
    free(c->etag);
    c->etag = hb_hex(sum, sizeof sum);
}

/* If-None-Match needs the quotes, and is compared weakly. */
bool hb_not_modified(struct hb_ctx *c)
{
    const char *given = hb_header(c->q, "if-none-match");
    const char *own = c->raw_etag != NULL ? c->raw_etag : c->etag;
    if (given == NULL || own == NULL || strcmp(c->method, "GET") != 0)
        return false;
    size_t n = strlen(own);
    for (const char *p = given; (p = strchr(p, '"')) != NULL;) {
        const char *end = strchr(p + 1, '"');
        if (end == NULL)
            return false;
        if ((size_t)(end - p - 1) == n && strncmp(p + 1, own, n) == 0)
            return true;
        p = end + 1;
    }
    return false;
}
