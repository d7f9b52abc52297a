/*
 * Lists. GitHub REST, 2022-11-28 (github.md 1.13): pages are followed by Link and never guessed;
 * the rows are counted against total_count, because a list that is cut short looks like one that is
 * whole, and other tools have deleted what they had merely not read (github.md 1.3).
 */
#include "internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    struct github_repo *repo;
    const struct listing *list;
    bool cache;
    int64_t rows, total;
    const char **identities;
    size_t n, cap;
};

static enum err_code take_rows(struct reading *g, const json_t *page, struct err *e)
{
    assert(github_reads_member(g->list->key));
    const json_t *rows = json_object_get(page, g->list->key);
    struct arena *a = g->repo->arena;
    size_t n = json_array_size(rows);

    if (!json_is_array(rows))
        return err_set(e, ERR_INVALID, "the reply has no list '%s'", g->list->key);
    TRY(github_member_int(page, "total_count", &g->total, e));
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(rows, i);
        const char *identity = NULL;
        if (!json_is_object(row))
            return err_set(e, ERR_INVALID, "the reply's list '%s' has a row that is no object",
                           g->list->key);
        if (g->list->row(g->list->ctx, a, row, &identity, e) != ERR_OK)
            return err_wrap(e, "row %zu of '%s'", i + 1, g->list->key);
        g->rows++;
        if (identity == NULL)
            continue;
        g->identities = arena_grow(a, g->identities, g->n, &g->cap, sizeof(*g->identities));
        g->identities[g->n++] = identity;
    }
    return ERR_OK;
}

static enum err_code read_page(struct reading *g, const char *url, const char **out_next,
                               struct err *e)
{
    CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
    CLEANUP(json_freep) json_t *page = NULL;
    struct call c = {.op = g->list->op, .method = "GET", .url = url, .cache = g->cache};

    TRY(github_do(g->repo, &c, &rp, e));
    TRY(github_parse_object(&c, &rp, &page, e));
    if (take_rows(g, page, e) != ERR_OK)
        return err_wrap(e, "GET %.*s", (int)strcspn(url, "?"), url);
    *out_next = arena_strdup(g->repo->arena, rp.link_next);
    return ERR_OK;
}

static int by_text(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

/* A row that moved from one page to the next while they were read is there twice, another not at
 * all. */
static bool has_twins(struct reading *g)
{
    if (g->n < 2)
        return false;
    qsort(g->identities, g->n, sizeof(*g->identities), by_text);
    for (size_t i = 1; i < g->n; i++)
        if (str_eq(g->identities[i - 1], g->identities[i]))
            return true;
    return false;
}

static enum err_code read_all(struct reading *g, bool *out_complete, struct err *e)
{
    const char *url = github_url(g->repo, g->list->path);
    int pages = 0;

    while (url != NULL) {
        if (++pages > LIMIT_PAGES)
            return err_set(e, ERR_LIMIT, "GET %.*s: more than %d pages", (int)strcspn(url, "?"),
                           url, LIMIT_PAGES);
        TRY(read_page(g, url, &url, e));
        if (g->rows > g->total) /* pages that go in a circle would never end */
            break;
    }
    *out_complete = g->rows == g->total && !has_twins(g);
    return ERR_OK;
}

enum err_code github_list(struct github_repo *r, const struct listing *l, bool *out_complete,
                          struct err *e)
{
    struct reading first = {.repo = r, .list = l, .cache = true};
    bool complete = false;

    TRY(read_all(&first, &complete, e));
    if (!complete) {
        /* Once more, and not from the store: its pages may be of different days. */
        struct reading again = {.repo = r, .list = l, .cache = false};
        l->restart(l->ctx);
        TRY(read_all(&again, &complete, e));
    }
    *out_complete = complete;
    return ERR_OK;
}
