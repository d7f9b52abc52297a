#include "internal.h"

/* GET R (github.md 1.1). */
enum err_code github_repo_get(struct github_repo *r, struct github_repo_info *out, struct err *e)
{
    CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
    CLEANUP(json_freep) json_t *j = NULL;
    struct call c = {.op = OP_REPO_GET, .method = "GET", .url = github_url(r, ""), .cache = true};
    struct github_repo_info info = {0};

    TRY(github_do(r, &c, &rp, e));
    TRY(github_parse_object(&c, &rp, &j, e));
    if (github_member_int(j, "id", &info.id, e) != ERR_OK ||
        github_member_text(r->arena, j, "full_name", &info.full_name, e) != ERR_OK ||
        github_member_text(r->arena, j, "default_branch", &info.default_branch, e) != ERR_OK)
        return err_wrap(e, "GET %s", c.url);
    info.archived = github_member_true(j, "archived");
    info.disabled = github_member_true(j, "disabled");
    info.fork = github_member_true(j, "fork");
    info.is_private = github_member_true(j, "private");
    const json_t *permissions = json_object_get(j, "permissions");
    info.admin = github_member_tristate(permissions, "admin");
    info.push = github_member_tristate(permissions, "push");
    *out = info;
    return ERR_OK;
}

/* PATCH R: 200, or 422 when the branch is not there (github.md 1.1). */
enum err_code github_default_branch_set(struct github_repo *r, const char *branch, struct err *e)
{
    CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
    CLEANUP(json_freep) json_t *body = json_pack("{s:s}", "default_branch", branch);
    struct call c = {
        .op = OP_DEFAULT_BRANCH_SET, .method = "PATCH", .url = github_url(r, ""), .body = body};

    if (body == NULL)
        return err_set(e, ERR_INVALID, "the branch name '%s' is not UTF-8", branch);
    return github_do(r, &c, &rp, e);
}
