/* Actions variables of a repository (github.md 1.3): 30 a page at most, and no upsert. */
#include "internal.h"

struct rows {
    struct github_variable *items;
    size_t n, cap;
};

static enum err_code add_row(void *ctx, struct arena *a, const json_t *row,
                             const char **out_identity, struct err *e)
{
    struct rows *rows = ctx;
    struct github_variable v = {0};

    TRY(github_member_text(a, row, "name", &v.name, e));
    TRY(github_member_text(a, row, "value", &v.value, e));
    TRY(github_member_text(a, row, "updated_at", &v.updated_at, e));
    rows->items = arena_grow(a, rows->items, rows->n, &rows->cap, sizeof(*rows->items));
    rows->items[rows->n++] = v;
    *out_identity = v.name;
    return ERR_OK;
}

static void restart(void *ctx)
{
    struct rows *rows = ctx;
    rows->n = 0;
}

enum err_code github_variables_list(struct github_repo *r, struct github_variable **out,
                                    size_t *out_n, bool *out_complete, struct err *e)
{
    struct rows rows = {0};
    struct listing l = {.op = OP_VARIABLES_LIST,
                        .path = "/actions/variables?per_page=30",
                        .key = "variables",
                        .row = add_row,
                        .restart = restart,
                        .ctx = &rows};

    TRY(github_list(r, &l, out_complete, e));
    *out = rows.items;
    *out_n = rows.n;
    return ERR_OK;
}

static char *url_of(const struct github_repo *r, const char *name)
{
    return github_url(r,
                      arena_printf(r->arena, "/actions/variables/%s", http_escape(r->arena, name)));
}

/* POST for a new one, PATCH for one that is there; *out_other: the server sees it the other way. */
static enum err_code write_with(struct github_repo *r, const char *name, const char *value,
                                bool exists, bool *out_other, struct err *e)
{
    CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
    CLEANUP(json_freep)
    json_t *body = exists ? json_pack("{s:s}", "value", value)
                          : json_pack("{s:s, s:s}", "name", name, "value", value);
    struct call c = {.op = exists ? OP_VARIABLE_UPDATE : OP_VARIABLE_CREATE,
                     .method = exists ? "PATCH" : "POST",
                     .url = exists ? url_of(r, name) : github_url(r, "/actions/variables"),
                     .body = body};

    *out_other = false;
    if (body == NULL)
        return err_set(e, ERR_INVALID, "variable '%s': name or value is not UTF-8", name);
    TRY(github_send(r, &c, &rp, e));
    *out_other = rp.status == (exists ? 404 : 409);
    return github_check(r, &c, &rp, e);
}

enum err_code github_variable_set(struct github_repo *r, const char *name, const char *value,
                                  bool exists, struct err *e)
{
    bool other = false, again = false;
    enum err_code first = write_with(r, name, value, exists, &other, e);

    if (!other)
        return first;
    enum err_code second = write_with(r, name, value, !exists, &again, e);
    if (!again)
        return second;
    /* Reads lag behind writes (github.md 1.3): the next pass will see it one way. */
    e->code = ERR_CONFLICT;
    return err_wrap(e, "the server says both that it is there and that it is not");
}

enum err_code github_variable_delete(struct github_repo *r, const char *name, struct err *e)
{
    CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
    struct call c = {.op = OP_VARIABLE_DELETE, .method = "DELETE", .url = url_of(r, name)};

    TRY(github_send(r, &c, &rp, e));
    return rp.status == 404 ? ERR_OK : github_check(r, &c, &rp, e);
}
