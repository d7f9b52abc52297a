#include "internal.h"

#include <stdlib.h>
#include <string.h>

static void text_freep(char **text)
{
    free(*text);
}

void github_repo_init(struct github_repo *r, struct http *h, const struct secret *token,
                      const char *api, const char *name, struct arena *a)
{
    size_t n = strlen(api);

    while (n > 0 && api[n - 1] == '/') /* GitHub answers a double slash with 404 */
        n--;
    *r = (struct github_repo){.http = h,
                              .lane = http_lane(h, token, api),
                              .api = arena_strndup(a, api, n),
                              .name = arena_strdup(a, name),
                              .arena = a};
}

char *github_url(const struct github_repo *r, const char *rest)
{
    const char *slash = strchr(r->name, '/');
    const char *name = slash == NULL ? "" : slash + 1;
    char *owner = slash == NULL ? arena_strdup(r->arena, r->name)
                                : arena_strndup(r->arena, r->name, (size_t)(slash - r->name));

    return arena_printf(r->arena, "%s/repos/%s/%s%s", r->api, http_escape(r->arena, owner),
                        http_escape(r->arena, name), rest);
}

enum err_code github_send(struct github_repo *r, const struct call *c, struct http_reply *rp,
                          struct err *e)
{
    static const char *const HEADERS[] = {"Accept: application/vnd.github+json",
                                          "X-GitHub-Api-Version: 2022-11-28",
                                          "Content-Type: application/json", NULL};
    static const char *const HEADERS_WITHOUT_BODY[] = {"Accept: application/vnd.github+json",
                                                       "X-GitHub-Api-Version: 2022-11-28", NULL};
    CLEANUP(text_freep) char *body = c->body == NULL ? NULL : json_dumps(c->body, JSON_COMPACT);

    if (c->body != NULL && body == NULL)
        return err_set(e, ERR_INVALID, "%s %s: the body cannot be written as JSON", c->method,
                       c->url);
    struct http_request rq = {.method = c->method,
                              .url = c->url,
                              .lane = r->lane,
                              .auth = HTTP_AUTH_BEARER,
                              .headers = body == NULL ? HEADERS_WITHOUT_BODY : HEADERS,
                              .body = body,
                              .body_len = body == NULL ? 0 : strlen(body),
                              .deadline = r->deadline,
                              .cache = c->cache,
                              .extract = &github_extract};
    TRY(http_do(r->http, &rq, rp, e));
    r->moved = r->moved || rp->moved;
    return ERR_OK;
}

enum err_code github_do(struct github_repo *r, const struct call *c, struct http_reply *rp,
                        struct err *e)
{
    TRY(github_send(r, c, rp, e));
    return github_check(r, c, rp, e);
}
