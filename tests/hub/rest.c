/* The way of a REST request: refusals that come before routing, who asks, which row of the table,
 * may they, has it changed, act, headers. */
#include "rest.h"
#include "internal.h"

#include <stdio.h>

static const char *const api_versions[] = {"2022-11-28", "2026-03-10"};

/* ---- taking the path apart ---- */

static void segments(struct hb_ctx *c)
{
    const char *p = c->path;
    while (*p == '/' && c->n_seg < HB_MAX_SEGMENTS) {
        size_t len = strcspn(p + 1, "/");
        if (len > 0 || p[1] == '/')
            c->seg[c->n_seg++] = hb_decode(p + 1, len);
        p += 1 + len;
    }
}

static bool route_matches(struct hb_ctx *c, const struct hb_route *route)
{
    const char *p = route->pattern;
    size_t i = 0, args = 0;
    if (p[0] == 'R' && (p[1] == '/' || p[1] == '\0')) {
        if (c->n_head == 0)
            return false;
        i = c->n_head;
        p += p[1] == '/' ? 2 : 1;
    } else if (c->n_head != 0) {
        return false;
    }
    for (; *p != '\0'; i++) {
        size_t len = strcspn(p, "/");
        if (p[0] == '*')
            return true; /* the rest, even when it is empty */
        if (i >= c->n_seg)
            return false;
        if (p[0] == ':' && args < HB_MAX_ARGS)
            c->arg[args++] = c->seg[i];
        else if (strlen(c->seg[i]) != len || strncmp(c->seg[i], p, len) != 0)
            return false;
        p += len + (p[len] == '/');
    }
    return i == c->n_seg;
}

static const struct hb_route *find_route(struct hb_ctx *c)
{
    for (size_t i = 0; i < hb_n_routes; i++)
        if (strcmp(hb_routes[i].method, c->method) == 0 && route_matches(c, &hb_routes[i]))
            return &hb_routes[i];
    return NULL;
}

/* /repos/O/R/... and its undocumented alias /repositories/ID/... (1.1) */
static void find_repo(struct hb_ctx *c)
{
    if (c->n_seg >= 3 && strcmp(c->seg[0], "repos") == 0) {
        char *name = hb_fmt("%s/%s", c->seg[1], c->seg[2]);
        c->n_head = 3;
        c->repo = hb_repo(c->h, name);
        if (c->repo == NULL && (c->repo = hb_repo_moved(c->h, name)) != NULL)
            c->moved = true;
        free(name);
    } else if (c->n_seg >= 2 && strcmp(c->seg[0], "repositories") == 0) {
        c->n_head = 2;
        c->repo = hb_repo_by_id(c->h, strtoll(c->seg[1], NULL, 10));
    }
    if (c->repo != NULL &&
        c->repo->missing_left > 0) { /* a repository just made is not everywhere yet (1.1) */
        c->repo->missing_left--;
        c->repo = NULL;
    }
}

/* ---- refusals ---- */

static bool refused_early(struct hb_ctx *c)
{
    const char *agent = hb_header(c->q, "user-agent");
    if ((agent == NULL || agent[0] == '\0') && hb_quirk(c->h, Q_USER_AGENT)) {
        hb_body_text(
            c->out, 403, "text/html",
            "Request forbidden by administrative rules. Please make sure your request has a "
            "User-Agent "
            "header "
            "(https://docs.github.com/rest/overview/resources-in-the-rest-api#user-agent-required)."
            "\r\n");
        return true;
    }
    c->api_version = api_versions[0];
    const char *wanted = hb_header(c->q, "x-github-api-version");
    bool known = wanted == NULL;
    for (size_t i = 0; wanted != NULL && i < 2; i++) {
        if (strcmp(wanted, api_versions[i]) == 0) {
            c->api_version = api_versions[i];
            known = true;
        }
    }
    if (!known && hb_quirk(c->h, Q_API_VERSION)) {
        hb_error_json(
            c, 400,
            "The value provided in the X-GitHub-Api-Version header is not a supported API "
            "version.");
        return true;
    }
    return false;
}

static bool judged(struct hb_ctx *c, enum hb_verdict v)
{
    switch (v) {
    case V_OK:
        return false;
    case V_BAD_CREDENTIALS:
        hb_error_json(c, 401, "Bad credentials");
        return true;
    case V_LOCKED_OUT:
        hb_error_json(c, 403, "Maximum number of login attempts exceeded. Please try again later.");
        return true;
    case V_SIGN_IN:
        hb_error_json(c, 401, "Requires authentication");
        return true;
    case V_NOT_FOUND:
        hb_error_json(c, 404, "Not Found");
        return true;
    case V_FORBIDDEN_PAT:
        hb_error_json(c, 403, "Resource not accessible by personal access token");
        return true;
    case V_FORBIDDEN_APP:
        hb_error_json(c, 403, "Resource not accessible by integration");
        return true;
    case V_FORBIDDEN_ROLE:
        hb_error_json(c, 403, "Must have admin rights to Repository.");
        return true;
    }
    return true;
}

/* GET: 301, writes: 307, both to the form with the number, both charged (5.1). */
static void redirect(struct hb_ctx *c)
{
    const char *rest = c->path;
    for (size_t i = 0; i < c->n_head; i++)
        rest += 1 + strcspn(rest + 1, "/");
    char *base = hb_base(c);
    char *url = hb_fmt("%s/repositories/%lld%s%s%s", base, c->repo->id, rest, c->query ? "?" : "",
                       c->query ? c->query : "");
    bool read = strcmp(c->method, "GET") == 0;
    int status = read || !hb_quirk(c->h, Q_WRITE_307) ? 301 : 307;
    hb_head(c->out, "location", url);
    hb_json(c, status,
            json_pack("{s:s,s:s,s:s}", "message", "Moved Permanently", "url", url,
                      "documentation_url", "https://docs.github.com/v3/#http-redirects"));
    free(url);
    free(base);
}

static bool archived_refused(struct hb_ctx *c)
{
    bool write = strcmp(c->method, "GET") != 0;
    if (!write || c->repo == NULL || !c->repo->archived || c->route->handler == hb_patch_repo)
        return false;
    hb_error_json(c, 403, "Repository was archived so is read-only.");
    return true;
}

static bool body_refused(struct hb_ctx *c)
{
    if (strcmp(c->method, "GET") == 0 || strcmp(c->method, "DELETE") == 0)
        return false;
    if (c->q->body_len == 0) {
        c->body = json_object();
        return false;
    }
    json_error_t e;
    c->body = json_loadb(c->q->body, c->q->body_len, JSON_DECODE_ANY, &e);
    if (c->body == NULL)
        hb_error_json(c, 400, "Problems parsing JSON");
    else if (!json_is_object(c->body))
        hb_error_json(c, 400, "Body should be a JSON object");
    else
        return false;
    return true;
}

/* ---- versions instead of bodies: a 304 is answered without rendering anything ---- */

static void etag_of_part(struct hb_ctx *c)
{
    struct hb_repo *r = c->repo;
    uint64_t key[3] = {(uint64_t)c->route->part, 0, r != NULL ? (uint64_t)r->id : 0};
    switch (c->route->part) {
    case PART_NONE:
        return;
    case PART_REPO:
        key[1] = r->version;
        break;
    case PART_SECRETS:
        c->items = hb_section_read(&r->secrets, &key[1]);
        break;
    case PART_VARIABLES:
        c->items = hb_section_read(&r->variables, &key[1]);
        break;
    case PART_WORKFLOWS:
        key[1] = r->workflows_version;
        break;
    case PART_RUNS:
        key[1] = r->runs_version;
        break;
    case PART_KEY:
        key[1] = r->key_version;
        break;
    }
    hb_etag_from(c, key, sizeof key);
}

static void not_modified(struct hb_ctx *c)
{
    hb_empty(c, 304);
    free(c->link);
    c->link = NULL;
    if (c->who.token == NULL || !hb_quirk(c->h, Q_FREE_304))
        hb_rate_charge(c);
}

static void act(struct hb_ctx *c)
{
    if (strcmp(c->method, "GET") == 0 && c->repo != NULL) {
        etag_of_part(c);
        if (hb_not_modified(c)) {
            not_modified(c);
            return;
        }
    }
    c->route->handler(c);
    if (strcmp(c->method, "GET") == 0 && c->out->status == 200) {
        if (c->etag == NULL)
            hb_etag_from(c, c->out->body, c->out->body_len);
        if (hb_not_modified(c)) {
            not_modified(c);
            return;
        }
    }
    if (c->route->handler != hb_get_rate_limit) /* free of the primary quota (1.12) */
        hb_rate_charge(c);
}

static void serve(struct hb_ctx *c)
{
    if (refused_early(c) || judged(c, hb_identify(c->h, hb_header(c->q, "authorization"), &c->who)))
        return;
    if (hb_rate_exhausted(c)) {
        char *text = c->who.user == NULL
                         ? hb_strdup("API rate limit exceeded for 127.0.0.1.")
                         : hb_fmt("API rate limit exceeded for user ID %lld.", c->who.user->id);
        hb_error_json(c, 403, text);
        free(text);
        return;
    }
    find_repo(c);
    bool slash = c->path[0] != '\0' && c->path[1] != '\0' && hb_ends(c->path, "/");
    c->route = find_route(c);
    if (slash && hb_quirk(c->h, Q_TRAILING_SLASH) && c->route != NULL &&
        c->route->handler != hb_matching_refs)
        c->route = NULL; /* matching-refs takes prefixes, "heads/" is one (1.7) */
    if (c->route == NULL || (c->n_head > 0 && c->repo == NULL)) {
        hb_error_json(c, 404, "Not Found");
        hb_rate_charge(c);
        return;
    }
    if (c->repo != NULL &&
        judged(c, hb_may(c->h, &c->who, c->repo, c->moved ? OP_METADATA : c->route->op))) {
        hb_rate_charge(c);
        return;
    }
    if (c->moved) {
        redirect(c);
        if (hb_quirk(c->h, Q_REDIRECT_CHARGED))
            hb_rate_charge(c);
        return;
    }
    if (archived_refused(c) || body_refused(c))
        hb_rate_charge(c);
    else
        act(c);
}

/* ---- headers ---- */

static void token_headers(struct hb_ctx *c)
{
    const struct hb_token *t = c->who.token;
    if (t == NULL)
        return;
    if (t->kind == HUB_CLASSIC || t->kind == HUB_OAUTH) {
        struct hb_buf scopes = {0};
        hb_buf_puts(&scopes, "");
        for (const char *p = t->scopes; p != NULL && *p != '\0';) {
            size_t len = strcspn(p, " ,");
            if (len > 0)
                hb_buf_fmt(&scopes, "%s%.*s", scopes.len ? ", " : "", (int)len, p);
            p += len + (p[len] != '\0');
        }
        hb_head_take(c->out, "x-oauth-scopes", scopes.data);
        const char *accepted = c->route == NULL ? "" : hb_accepted_scopes(c->route->op);
        hb_head(c->out, "x-accepted-oauth-scopes",
                accepted[0] == '\0' && !hb_quirk(c->h, Q_EMPTY_ACCEPTED) ? "repo" : accepted);
    } else if (c->route != NULL) {
        char *accepted = hb_accepted_permission(c->route->op);
        if (accepted != NULL)
            hb_head_take(c->out, "x-accepted-github-permissions", accepted);
    }
    if (t->expires_ms != 0) { /* on every reply: "2024-12-14 02:28:22 UTC" (section 0) */
        char *z = hb_time_z(t->expires_ms);
        hb_head_take(c->out, "github-authentication-token-expiration",
                     hb_fmt("%.10s %.8s UTC", z, z + 11));
        free(z);
    }
}

static void etag_header(struct hb_ctx *c)
{
    if (c->raw_etag != NULL)
        hb_head_take(c->out, "etag", hb_fmt("\"%s\"", c->raw_etag));
    else if (c->etag != NULL && c->out->status == 304)
        hb_head_take(c->out, "etag", hb_fmt("\"%s\"", c->etag));
    else if (c->etag != NULL)
        hb_head_take(c->out, "etag",
                     hb_fmt("%s\"%s\"", hb_quirk(c->h, Q_ETAG_WEAK) ? "W/" : "", c->etag));
}

static void headers(struct hb_ctx *c)
{
    struct hub_reply *out = c->out;
    hb_head(out, "server", "github.com");
    hb_head_take(out, "date", hb_time_http(hb_now(c->h)));
    if (c->content_type != NULL)
        hb_head(out, "content-type", c->content_type);
    if (c->api_version != NULL)
        hb_head(out, "x-github-api-version-selected", c->api_version);
    hb_head(out, "x-github-media-type", "github.v3; format=json");
    hb_head_take(out, "x-github-request-id",
                 hb_fmt("HUB:%llX", (unsigned long long)c->h->counters.requests));
    if (out->status == 200 || out->status == 304) {
        hb_head(out, "cache-control", "private, max-age=60, s-maxage=60");
        hb_head(out, "vary", "Accept, Authorization, Cookie, X-GitHub-OTP");
        etag_header(c);
        if (c->last_modified != NULL)
            hb_head(out, "last-modified", c->last_modified);
    }
    if (c->link != NULL)
        hb_head(out, "link", c->link);
    token_headers(c);
    hb_rate_headers(c);
}

void hb_rest(struct hb_ctx *c)
{
    segments(c);
    serve(c);
    headers(c);
    if (strcmp(c->q->method, "HEAD") == 0)
        hb_body_take(c->out, hb_strdup(""), 0);
    for (size_t i = 0; i < c->n_seg; i++)
        free(c->seg[i]);
    json_decref(c->body);
    free(c->etag);
    free(c->raw_etag);
    free(c->link);
    free(c->last_modified);
}
