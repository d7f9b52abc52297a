/* Is Actions on at all? (github.md 1.5; `GET R/actions` is not a route.) */
#include "internal.h"

enum err_code github_actions_get(struct github_repo *r, bool *out_enabled, struct err *e)
{
    CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
    CLEANUP(json_freep) json_t *j = NULL;
    struct call c = {.op = OP_ACTIONS_GET,
                     .method = "GET",
                     .url = github_url(r, "/actions/permissions"),
                     .cache = true};

    TRY(github_do(r, &c, &rp, e));
    TRY(github_parse_object(&c, &rp, &j, e));
    enum tristate on = github_member_tristate(j, "enabled");
    if (on == TRI_UNKNOWN)
        return err_set(e, ERR_INVALID, "GET %s: the reply has no switch 'enabled'", c.url);
    *out_enabled = on == TRI_YES;
    return ERR_OK;
}

enum err_code github_actions_set(struct github_repo *r, bool enabled, struct err *e)
{
    CLEANUP(http_reply_release) struct http_reply rp = HTTP_REPLY_INIT;
    CLEANUP(json_freep) json_t *body = json_pack("{s:b}", "enabled", enabled ? 1 : 0);
    struct call c = {.op = OP_ACTIONS_SET,
                     .method = "PUT",
                     .url = github_url(r, "/actions/permissions"),
                     .body = body};

    return github_do(r, &c, &rp, e);
}
