/* Actions secrets of a repository (github.md 1.2). Values go in sealed and never come back. */
#include "internal.h"

#include <inttypes.h>

struct rows {
    struct github_secret *items;
    size_t n, cap;
};

static enum err_code read_secret(struct arena *a, const json_t *row, struct github_secret *out,
                                 struct err *e)
{
    TRY(github_member_text(a, row, "name", &out->name, e));
    return github_member_text(a, row, "updated_at", &out->updated_at, e);
}

static enum err_code add_row(void *ctx, struct arena *a, const json_t *row,
                             const char **out_identity, struct err *e)
{
    struct rows *rows = ctx;
    struct github_secret secret = {0};

    TRY(read_secret(a, row, &secret, e));
    rows->items = arena_grow(a, rows->items, rows->n, &rows->cap, sizeof(*rows->items));
    rows->items[rows->n++] = secret;
    *out_identity = secret.name;
    return ERR_OK;
}

static void restart(void *ctx)
{
    struct rows *rows = ctx;
    rows->n = 0;
}

enum err_code github_secrets_list(struct github_repo *r, struct github_secret **out, size_t *out_n,
                                  bool *out_complete, struct err *e)
{
    struct rows rows = {0};
    struct listing l = {.op = OP_SECRETS_LIST,
                        .path = "/actions/secrets?per_page=100",
                        .key = "secrets",
                        .row = add_row,
                        .restart = restart,
                        .ctx = &rows};

    TRY(github_list(r, &l, out_complete, e));
    *out = rows.items;
    *out_n = rows.n;
    return ERR_OK;
}

/* A string on github.com, a number on GHES (PyGithub#1894): kept as its digits. */
static enum err_code read_key_id(struct arena *a, const json_t *j, const char **out, struct err *e)
{
    const json_t *id = json_object_get(j, "key_id");

    if (!json_is_integer(id))
        return github_member_text(a, j, "key_id", out, e);
    *out = arena_printf(a, "%" PRId64, (int64_t)json_integer_value(id));
    return ERR_OK;
}

enum err_code github_public_key_get(struct github_repo *r, struct github_public_key *out,
                                    struct err *e)
{
    CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
    CLEANUP(json_freep) json_t *j = NULL;
    struct github_public_key key = {0};
    struct call c = {.op = OP_PUBLIC_KEY_GET,
                     .method = "GET",
                     .url = github_url(r, "/actions/secrets/public-key"),
                     .cache = true};

    TRY(github_do(r, &c, &rp, e));
    TRY(github_parse_object(&c, &rp, &j, e));
    if (read_key_id(r->arena, j, &key.key_id, e) != ERR_OK ||
        github_member_text(r->arena, j, "key", &key.key, e) != ERR_OK)
        return err_wrap(e, "GET %s", c.url);
    *out = key;
    return ERR_OK;
}

static char *url_of(const struct github_repo *r, const char *name)
{
    return github_url(r,
                      arena_printf(r->arena, "/actions/secrets/%s", http_escape(r->arena, name)));
}

enum err_code github_secret_put(struct github_repo *r, const char *name, const char *sealed_b64,
                                const char *key_id, bool *out_created, struct err *e)
{
    CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
    CLEANUP(json_freep)
    json_t *body = json_pack("{s:s, s:s}", "encrypted_value", sealed_b64, "key_id", key_id);
    struct call c = {.op = OP_SECRET_PUT, .method = "PUT", .url = url_of(r, name), .body = body};

    if (body == NULL)
        return err_set(e, ERR_INVALID, "PUT %s: the key's id is not UTF-8", c.url);
    TRY(github_do(r, &c, &rp, e));
    *out_created = rp.status == 201; /* 204: there was one before */
    return ERR_OK;
}

enum err_code github_secret_get(struct github_repo *r, const char *name, struct github_secret *out,
                                struct err *e)
{
    CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
    CLEANUP(json_freep) json_t *j = NULL;
    struct github_secret secret = {0};
    struct call c = {.op = OP_SECRET_GET, .method = "GET", .url = url_of(r, name)};

    TRY(github_do(r, &c, &rp, e));
    TRY(github_parse_object(&c, &rp, &j, e));
    if (read_secret(r->arena, j, &secret, e) != ERR_OK)
        return err_wrap(e, "GET %s", c.url);
    *out = secret;
    return ERR_OK;
}

enum err_code github_secret_delete(struct github_repo *r, const char *name, struct err *e)
{
    CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
    struct call c = {.op = OP_SECRET_DELETE, .method = "DELETE", .url = url_of(r, name)};

    TRY(github_send(r, &c, &rp, e));
    return rp.status == 404 ? ERR_OK : github_check(r, &c, &rp, e);
}
