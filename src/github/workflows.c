/* Workflows of a repository (github.md 1.4). */
#include "internal.h"

#include <inttypes.h>
#include <string.h>

static const char FOLDER[] = ".github/workflows/";

struct rows {
    struct github_workflow *items;
    size_t n, cap;
};

/*
 * The list has ghosts: empty paths, files of other branches, and GitHub's own dynamic ones. They
 * count for total_count and are left out; what is odd about them is no reason to fail.
 */
static enum err_code add_row(void *ctx, struct arena *a, const json_t *row,
                             const char **out_identity, struct err *e)
{
    struct rows *rows = ctx;
    struct github_workflow w = {0};
    const char *path = json_string_value(json_object_get(row, "path"));

    TRY(github_member_int(row, "id", &w.id, e));
    *out_identity = arena_printf(a, "%" PRId64, w.id);
    size_t folder = sizeof(FOLDER) - 1;
    if (path == NULL || strncmp(path, FOLDER, folder) != 0 || path[folder] == '\0' ||
        strchr(path + folder, '/') != NULL)
        return ERR_OK;
    w.file = arena_strdup(a, path + folder);
    TRY(github_member_text(a, row, "state", &w.state, e));
    rows->items = arena_grow(a, rows->items, rows->n, &rows->cap, sizeof(*rows->items));
    rows->items[rows->n++] = w;
    return ERR_OK;
}

static void restart(void *ctx)
{
    struct rows *rows = ctx;
    rows->n = 0;
}

enum err_code github_workflows_list(struct github_repo *r, struct github_workflow **out,
                                    size_t *out_n, bool *out_complete, struct err *e)
{
    struct rows rows = {0};
    struct listing l = {.op = OP_WORKFLOWS_LIST,
                        .path = "/actions/workflows?per_page=100",
                        .key = "workflows",
                        .row = add_row,
                        .restart = restart,
                        .ctx = &rows};

    TRY(github_list(r, &l, out_complete, e));
    *out = rows.items;
    *out_n = rows.n;
    return ERR_OK;
}

static char *url_of(const struct github_repo *r, int64_t id, const char *verb)
{
    return github_url(r, arena_printf(r->arena, "/actions/workflows/%" PRId64 "/%s", id, verb));
}

enum err_code github_workflow_enable(struct github_repo *r, int64_t id, struct err *e)
{
    CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
    struct call c = {.op = OP_WORKFLOW_ENABLE, .method = "PUT", .url = url_of(r, id, "enable")};

    return github_do(r, &c, &rp, e);
}

/* Not idempotent: 403 "Unable to disable a workflow that is not active." (github.md 1.4). */
enum err_code github_workflow_disable(struct github_repo *r, int64_t id, struct err *e)
{
    CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
    struct call c = {.op = OP_WORKFLOW_DISABLE, .method = "PUT", .url = url_of(r, id, "disable")};

    TRY(github_send(r, &c, &rp, e));
    if (rp.status == 403 &&
        strcasestr(github_message(r->arena, &rp.body), "workflow that is not active") != NULL)
        return ERR_OK;
    return github_check(r, &c, &rp, e);
}
