/* Statuses into sentences. Error bodies of GitHub are inconsistent (github.md 0): nothing is
 * expected. */
#include "internal.h"

#include <stdio.h>
#include <string.h>

enum {
    MESSAGE_MAX = 400, /* bytes of GitHub's text in a sentence of ours */
    DETAILS_MAX = 5,   /* entries of errors[] that are told */
};

/* ---- What the body says ------------------------------------------------------------------------
 */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

/* One entry of errors[]: a string, or an object with message, or with field and code. */
static void add_detail(struct buf *out, const json_t *entry)
{
    struct err ignored;
    const char *text = json_is_string(entry) ? json_string_value(entry) : text_of(entry, "message");

    if (text[0] != '\0') {
        /* The top-level message often repeats it. */
        if (strstr(buf_str(out), text) == NULL)
            (void)buf_addf(out, &ignored, "%s%s", out->len == 0 ? "" : "; ", text);
        return;
    }
    const char *field = text_of(entry, "field"), *code = text_of(entry, "code");
    if (field[0] != '\0' || code[0] != '\0')
        (void)buf_addf(out, &ignored, "%s%s%s%s", out->len == 0 ? "" : "; ", field,
                       field[0] == '\0' ? "" : " ", code);
}

static void add_json(struct buf *out, const json_t *j)
{
    struct err ignored;
    const json_t *details = json_object_get(j, "errors");
    const char *message = text_of(j, "message");
    size_t n = json_array_size(details);

    if (message[0] != '\0')
        (void)buf_addstr(out, message, &ignored);
    while (out->len > 0 && out->data[out->len - 1] == '.')
        out->data[--out->len] = '\0';
    for (size_t i = 0; i < n && i < DETAILS_MAX; i++)
        add_detail(out, json_array_get(details, i));
    if (json_is_string(details))
        add_detail(out, details);
    const char *reason = text_of(json_object_get(j, "block"), "reason");
    if (reason[0] != '\0')
        (void)buf_addf(out, &ignored, " (%s)", reason);
}

/* "Bad thing happened." → "bad thing happened"; acronyms keep their capitals. */
static void soften(char *text)
{
    size_t n = strlen(text);

    while (n > 0 && strchr(". \r\n\t", text[n - 1]) != NULL)
        text[--n] = '\0';
    if (n > 1 && text[0] >= 'A' && text[0] <= 'Z' && (text[1] < 'A' || text[1] > 'Z'))
        text[0] = (char)(text[0] - 'A' + 'a');
}

char *github_message(struct arena *a, const struct buf *body)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(LIMIT_HTTP_BODY);
    CLEANUP(json_freep) json_t *j = NULL;
    struct err ignored;
    size_t blank = strspn(buf_str(body), " \t\r\n");

    if (github_parse(body, &j, &ignored) == ERR_OK)
        add_json(&text, j);
    else if (buf_str(body)[blank] != '<') /* HTML is for browsers */
        (void)buf_add(&text, buf_str(body) + blank, body->len - blank, &ignored);
    char *message = arena_printf(a, "%.*s", MESSAGE_MAX, buf_str(&text));
    soften(message);
    return message;
}

/* ---- Sentences ---------------------------------------------------------------------------------
 */

struct refusal {
    struct github_repo *repo;
    const struct call *call;
    const struct http_reply *reply;
    const char *message; /* never NULL */
};

static const char *after_colon(struct arena *a, const char *text)
{
    return text[0] == '\0' ? "" : arena_printf(a, ": %s", text);
}

static const char *need_of(const struct refusal *f)
{
    return github_need(f->repo->arena, f->call->op, f->message, http_lane_scopes(f->repo->lane),
                       f->reply->permissions);
}

static bool says(const struct refusal *f, const char *words)
{
    return strcasestr(f->message, words) != NULL;
}

static bool is_blocked(const struct refusal *f)
{
    return says(f, "access blocked") || says(f, "unavailable for legal reasons");
}

/* 403 that is no rate limit (github.md 4.3, 4). */
static enum err_code forbidden(const struct refusal *f, struct err *e)
{
    if (f->reply->sso != NULL && str_starts_with(f->reply->sso, "required")) {
        const char *url = strstr(f->reply->sso, "url=");
        return err_set(e, ERR_PERMISSION,
                       "%s: the token is not authorised for this organisation's single sign-on%s%s",
                       f->message[0] == '\0' ? "forbidden" : f->message,
                       url == NULL ? "" : "; authorise it at ", url == NULL ? "" : url + 4);
    }
    if (says(f, "archived"))
        return err_set(e, ERR_REFUSED,
                       "%s: repository '%s' is archived; unarchive it, or take it out of the "
                       "manifest",
                       f->message, f->repo->name);
    if (is_blocked(f))
        return err_set(e, ERR_REFUSED, "%s: GitHub has blocked repository '%s'", f->message,
                       f->repo->name);
    if (says(f, "not active"))
        return err_set(e, ERR_CONFLICT, "%s", f->message);
    if (says(f, "ip allow list"))
        return err_set(e, ERR_PERMISSION, "%s: this machine's address is not on the list",
                       f->message);
    return err_set(e, ERR_PERMISSION, "%s: %s", f->message[0] == '\0' ? "forbidden" : f->message,
                   need_of(f));
}

/* 404 is "not there" or "not for you" (github.md 5.2). */
static enum err_code not_found(const struct refusal *f, struct err *e)
{
    if (f->call->op == OP_REPO_GET)
        return err_set(e, ERR_NOT_FOUND, "repository '%s' not found, or this token may not see it",
                       f->repo->name);
    return err_set(e, ERR_NOT_FOUND, "not found in repository '%s', or hidden from this token: %s",
                   f->repo->name, need_of(f));
}

static enum err_code unprocessable(const struct refusal *f, struct err *e)
{
    const char *hint = f->call->op == OP_DEFAULT_BRANCH_SET ? " (the branch must exist there)" : "";
    return err_set(e, ERR_REFUSED, "refused%s%s", after_colon(f->repo->arena, f->message), hint);
}

static enum err_code other(const struct refusal *f, struct err *e)
{
    int status = f->reply->status;

    if (status == 451)
        return err_set(e, ERR_REFUSED, "%s: repository '%s' is blocked for legal reasons",
                       f->message[0] == '\0' ? "unavailable" : f->message, f->repo->name);
    if (status == 410)
        return err_set(e, ERR_REFUSED,
                       "%s: this version of GitHub's API is gone; a newer mirrorctl is needed",
                       f->message[0] == '\0' ? "gone" : f->message);
    if (status >= 400 && status < 500)
        return err_set(e, ERR_REFUSED, "refused%s", after_colon(f->repo->arena, f->message));
    return err_set(e, ERR_INVALID, "an answer that this call does not have%s",
                   after_colon(f->repo->arena, f->message));
}

static enum err_code conflict(const struct refusal *f, struct err *e)
{
    return err_set(e, ERR_CONFLICT, "conflict%s", after_colon(f->repo->arena, f->message));
}

static enum err_code sentence(const struct refusal *f, struct err *e)
{
    static const struct {
        int status;
        enum err_code (*say)(const struct refusal *f, struct err *e);
    } SAYERS[] = {
        {403, forbidden},
        {404, not_found},
        {409, conflict},
        {422, unprocessable},
    };

    for (size_t i = 0; i < ARRAY_LEN(SAYERS); i++)
        if (SAYERS[i].status == f->reply->status)
            return SAYERS[i].say(f, e);
    return other(f, e);
}

enum err_code github_check(struct github_repo *r, const struct call *c, const struct http_reply *rp,
                           struct err *e)
{
    if (rp->status >= 200 && rp->status <= 299)
        return ERR_OK;
    struct refusal f = {r, c, rp, github_message(r->arena, &rp->body)};
    enum err_code code = sentence(&f, e);
    /* Without the query: it is noise in a sentence. */
    return err_set(e, code, "%s %.*s: %d %s", c->method, (int)strcspn(c->url, "?"), c->url,
                   rp->status, e->text);
}
