/* Inside github: one call is github_send, then github_check, then the JSON is read. */
#ifndef MIRRORCTL_GITHUB_INTERNAL_H
#define MIRRORCTL_GITHUB_INTERNAL_H

#include "mirrorctl/github.h"

#include <jansson.h>

/* What is asked for: the key of the table of permissions in need.c. */
enum operation {
    OP_REPO_GET,
    OP_DEFAULT_BRANCH_SET,
    OP_SECRETS_LIST,
    OP_SECRET_GET,
    OP_SECRET_PUT,
    OP_SECRET_DELETE,
    OP_PUBLIC_KEY_GET,
    OP_VARIABLES_LIST,
    OP_VARIABLE_CREATE,
    OP_VARIABLE_UPDATE,
    OP_VARIABLE_DELETE,
    OP_WORKFLOWS_LIST,
    OP_WORKFLOW_ENABLE,
    OP_WORKFLOW_DISABLE,
    OP_ACTIONS_GET,
    OP_ACTIONS_SET,
    OP_COUNT
};

/* ---- Sending (request.c) ----------------------------------------------------------------------
 */

struct call {
    enum operation op;
    const char *method;
    const char *url;
    json_t *body; /* or NULL; stays the caller's */
    bool cache;
};

/* "<api>/repos/<owner>/<name>" and `rest` behind it, percent-encoded but for `rest`. In the arena.
 */
char *github_url(const struct github_repo *r, const char *rest);
/* ERR_OK: there is a reply, with whatever status. */
enum err_code github_send(struct github_repo *r, const struct call *c, struct http_reply *rp,
                          struct err *e);
/* As github_send, and a status other than 2xx is an error. */
enum err_code github_do(struct github_repo *r, const struct call *c, struct http_reply *rp,
                        struct err *e);

/* ---- Replies (reply.c, need.c) ----------------------------------------------------------------
 */

/* ERR_OK for 2xx, else the sentence for the status. */
enum err_code github_check(struct github_repo *r, const struct call *c, const struct http_reply *rp,
                           struct err *e);
/* What an error's body says, for people: one line, starts lower-case, no full stop. In the arena;
 * "" when it says nothing (HTML, empty). */
char *github_message(struct arena *a, const struct buf *body);
/* "the token needs ...", for a 403 or 404 of this operation. In the arena. */
char *github_need(struct arena *a, enum operation op, const char *message, const char *scopes,
                  const char *permissions);

/* ---- JSON (json.c) ----------------------------------------------------------------------------
 */

void json_freep(json_t **j); /* for CLEANUP */
/* Bounded in depth; ERR_INVALID. */
enum err_code github_parse(const struct buf *body, json_t **out, struct err *e);
bool github_too_deep(const char *text, size_t n);
/* The text without the members that nobody reads; free() it. NULL when it is not quite JSON. */
char *github_slim(const char *text, size_t n, size_t *out_n);
extern const struct http_extract github_extract; /* github_slim, for the http room */
bool github_reads_member(const char *key); /* whether github_slim leaves it in (slim.c) */
/* The reply's body as an object of the members that are read. ERR_INVALID names the call. */
enum err_code github_parse_object(const struct call *c, const struct http_reply *rp, json_t **out,
                                  struct err *e);
/* Members; ERR_INVALID names the member. Strings are copied to the arena. */
enum err_code github_member_text(struct arena *a, const json_t *object, const char *key,
                                 const char **out, struct err *e);
enum err_code github_member_int(const json_t *object, const char *key, int64_t *out, struct err *e);
bool github_member_true(const json_t *object, const char *key); /* false when absent */
enum tristate github_member_tristate(const json_t *object, const char *key);

/* ---- Lists (page.c) ---------------------------------------------------------------------------
 */

struct listing {
    enum operation op;
    const char *path; /* below the repository, with per_page */
    const char *key;  /* of the array */
    /* Takes one row; *out_identity tells rows apart (in the arena), NULL when it need not. */
    enum err_code (*row)(void *ctx, struct arena *a, const json_t *row, const char **out_identity,
                         struct err *e);
    void (*restart)(void *ctx); /* forget all rows: they are read again */
    void *ctx;
};

/* *out_complete: the rows are as many as the server says, and no two are the same. */
enum err_code github_list(struct github_repo *r, const struct listing *l, bool *out_complete,
                          struct err *e);

#endif
