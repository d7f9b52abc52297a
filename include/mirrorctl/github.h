/*
 * github: typed REST calls on one repository. JSON in and out, statuses into sentences; no policy.
 *
 * Facts are GitHub REST, API version 2022-11-28 (docs/github notes stand beside each call). Works with
 * github.com, ghe.com and GHES: the base URL decides.
 *
 *     struct github_repo r;
 *     github_repo_init(&r, http, token, "https://api.github.com", "owner/name", arena);
 *     struct github_repo_info info;
 *     TRY(github_repo_get(&r, &info, e));
 *
 * Every call blocks its thread; strings in results live in the repo's arena. Lists are complete or say
 * that they are not: all pages are followed and the sum compared with total_count, one re-read on a
 * mismatch; then *out_complete = false, and the caller may neither create nor delete.
 *
 * Errors, with the scope or permission that is missing where it can be known:
 *   ERR_AUTH        401
 *   ERR_PERMISSION  403 of the permission kind, SSO, archived excepted (ERR_REFUSED)
 *   ERR_NOT_FOUND   404: repository absent, or not visible to this token
 *   ERR_REFUSED     422 (name or value refused, with GitHub's text), 451, archived
 *   ERR_CONFLICT    409
 *   ERR_RATE, ERR_TIMEOUT, ERR_UNAVAILABLE   from http
 *   ERR_INVALID     a reply that is not what the API promises
 */
#ifndef MIRRORCTL_GITHUB_H
#define MIRRORCTL_GITHUB_H

#include "mirrorctl/http.h"
#include "mirrorctl/model.h"

struct github_repo {
    struct http *http;
    struct http_lane *lane;
    const char *api;  /* base URL without trailing slash */
    const char *name; /* owner/name */
    struct ms deadline; /* per request; 0 = http's default */
    struct arena *arena;
    bool moved; /* set when an answer came after a redirect: the repository was renamed; say so */
};

void github_repo_init(struct github_repo *r, struct http *h, const struct secret *token,
                      const char *api, const char *name, struct arena *a);

/* "https://github.com" → "https://api.github.com"; "https://SUB.ghe.com" → "https://api.SUB.ghe.com";
 * anything else → URL + "/api/v3". In the arena. */
char *github_api_from_url(struct arena *a, const char *url);

struct github_repo_info {
    int64_t id;
    const char *full_name, *default_branch;
    bool archived, disabled, fork, is_private;
    enum tristate admin, push; /* from permissions{}; unknown when the server leaves it out */
};
/* GET R. Conditional. */
enum err_code github_repo_get(struct github_repo *r, struct github_repo_info *out, struct err *e);
/* PATCH R {"default_branch"}: needs Administration: write. The branch must exist (422 → ERR_REFUSED). */
enum err_code github_default_branch_set(struct github_repo *r, const char *branch, struct err *e);

/* ---- Secrets (github.md 1.2) ------------------------------------------------------------------ */

struct github_secret {
    const char *name, *updated_at; /* as the server spells them */
};
enum err_code github_secrets_list(struct github_repo *r, struct github_secret **out, size_t *out_n,
                                  bool *out_complete, struct err *e);
struct github_public_key {
    const char *key_id; /* opaque; GHES sends a number, kept as its digits */
    const char *key;    /* base64 */
};
enum err_code github_public_key_get(struct github_repo *r, struct github_public_key *out, struct err *e);
/* PUT; *out_created: 201. The sealed value comes from secret_seal. 422 → ERR_REFUSED. */
enum err_code github_secret_put(struct github_repo *r, const char *name, const char *sealed_b64,
                                const char *key_id, bool *out_created, struct err *e);
/* GET of one, never from the cache: for reading updated_at back. ERR_NOT_FOUND while not visible yet. */
enum err_code github_secret_get(struct github_repo *r, const char *name, struct github_secret *out,
                                struct err *e);
/* DELETE; 404 counts as done. */
enum err_code github_secret_delete(struct github_repo *r, const char *name, struct err *e);

/* ---- Variables (github.md 1.3): 30 a page at most -------------------------------------------- */

struct github_variable {
    const char *name, *value, *updated_at;
};
enum err_code github_variables_list(struct github_repo *r, struct github_variable **out, size_t *out_n,
                                    bool *out_complete, struct err *e);
/* Writes with the verb that the listing suggests, and with the other one on 409 and 404. */
enum err_code github_variable_set(struct github_repo *r, const char *name, const char *value,
                                  bool exists, struct err *e);
enum err_code github_variable_delete(struct github_repo *r, const char *name, struct err *e);

/* ---- Workflows (github.md 1.4) ---------------------------------------------------------------- */

struct github_workflow {
    int64_t id;
    const char *file;  /* "cron.yml"; only rows below .github/workflows/ are returned */
    const char *state; /* "active", "disabled_manually", "disabled_inactivity", "disabled_fork", "deleted" */
};
/* Rows of other paths (dynamic/, empty) count for total_count and are left out. */
enum err_code github_workflows_list(struct github_repo *r, struct github_workflow **out, size_t *out_n,
                                    bool *out_complete, struct err *e);
enum err_code github_workflow_enable(struct github_repo *r, int64_t id, struct err *e);
/* "not active" (a 403 that is no permission) counts as done. */
enum err_code github_workflow_disable(struct github_repo *r, int64_t id, struct err *e);

/* GET/PUT R/actions/permissions: needs Administration. ERR_PERMISSION / ERR_NOT_FOUND without it. */
enum err_code github_actions_get(struct github_repo *r, bool *out_enabled, struct err *e);
enum err_code github_actions_set(struct github_repo *r, bool enabled, struct err *e);

/* ---- Names and limits (github.md 2) ----------------------------------------------------------- */

/* ERR_INVALID with the rule that is broken: [A-Za-z_][A-Za-z0-9_]*, not GITHUB_. */
enum err_code github_check_name(const char *name, struct err *e);
/* Upper-case copy in the arena: the form in which GitHub stores and returns names. */
char *github_upper(struct arena *a, const char *name);

#endif
