/* The REST half of the hub: the request on its way, the routes, replies. See internal.h for the
 * locks. */
#ifndef HUB_REST_H
#define HUB_REST_H

#include "internal.h"

typedef void (*hb_handler)(struct hb_ctx *c);

enum hb_part {
    PART_NONE,
    PART_REPO,
    PART_SECRETS,
    PART_VARIABLES,
    PART_WORKFLOWS,
    PART_RUNS,
    PART_KEY
};

struct hb_route {
    const char *method;
    const char *pattern; /* ":x" one segment, "*" the rest; "R/..." below a repository */
    hb_handler handler;
    enum hb_op op;
    enum hb_part
        part; /* whose version number is the ETag; PART_NONE: the ETag is made from the body */
    const char *doc; /* tail of documentation_url */
};

enum { HB_MAX_SEGMENTS = 24, HB_MAX_ARGS = 4 };

struct hb_ctx {
    struct hub *h;
    const struct hub_request *q;
    struct hub_reply *out;
    const char *method; /* HEAD is GET here */
    char *path, *query; /* path without query and prefix */
    char *prefix;       /* "/api/v3" or "" */
    char *seg[HB_MAX_SEGMENTS];
    size_t n_seg;
    size_t n_head; /* segments that name the repository */
    const char *arg[HB_MAX_ARGS];
    struct hb_who who;
    struct hb_repo *repo;
    bool moved;
    const struct hb_route *route;
    json_t *body;
    const char *api_version;
    struct hb_items *items; /* what a reader of secrets or variables sees */
    char *etag;             /* bare, without quotes and W/ */
    char *raw_etag;         /* sent as it is, strong (1.6) */
    char *link;
    char *last_modified;
    const char *content_type;
    bool charged;
    bool conditional;
};

void hb_rest(struct hb_ctx *c);
const char *hb_header(const struct hub_request *q, const char *name);
char *hb_base(const struct hb_ctx *c); /* "https://HOST/api/v3" */
void hb_head(struct hub_reply *out, const char *name, const char *value);
void hb_head_take(struct hub_reply *out, const char *name, char *value);
void hb_body_take(struct hub_reply *out, void *data, size_t len);
void hb_body_text(struct hub_reply *out, int status, const char *type, const char *text);
void hb_json(struct hb_ctx *c, int status, json_t *json); /* takes the reference */
void hb_empty(struct hb_ctx *c, int status);
void hb_error_json(struct hb_ctx *c, int status, const char *message);
void hb_error_field(struct hb_ctx *c, int status, const char *message, const char *resource,
                    const char *field, const char *code, const char *text);
char *hb_query(const struct hb_ctx *c, const char *name); /* decoded; NULL: absent */
struct hb_page {
    size_t per, page, first, end;
    bool refused;
};
struct hb_page hb_paginate(struct hb_ctx *c, size_t usual, size_t most, size_t total);
const char *hb_field(struct hb_ctx *c,
                     const char *name); /* string member of the body, NULL: absent or no string */
void hb_etag_from(struct hb_ctx *c, const void *data, size_t len);
bool hb_not_modified(struct hb_ctx *c);

extern const struct hb_route hb_routes[];
extern const size_t hb_n_routes;

/* handlers */
void hb_get_repo(struct hb_ctx *c);
void hb_patch_repo(struct hb_ctx *c);
void hb_post_user_repos(struct hb_ctx *c);
void hb_post_org_repos(struct hb_ctx *c);
void hb_get_hash_algorithm(struct hb_ctx *c);
void hb_get_permissions(struct hb_ctx *c);
void hb_put_permissions(struct hb_ctx *c);
void hb_get_workflow_permissions(struct hb_ctx *c);
void hb_put_workflow_permissions(struct hb_ctx *c);
void hb_get_protection(struct hb_ctx *c);
void hb_get_branch_rules(struct hb_ctx *c);
void hb_get_pages(struct hb_ctx *c);
void hb_list_secrets(struct hb_ctx *c);
void hb_get_secret(struct hb_ctx *c);
void hb_put_secret(struct hb_ctx *c);
void hb_delete_secret(struct hb_ctx *c);
void hb_get_public_key(struct hb_ctx *c);
void hb_list_variables(struct hb_ctx *c);
void hb_get_variable(struct hb_ctx *c);
void hb_post_variable(struct hb_ctx *c);
void hb_patch_variable(struct hb_ctx *c);
void hb_delete_variable(struct hb_ctx *c);
void hb_list_workflows(struct hb_ctx *c);
void hb_get_workflow(struct hb_ctx *c);
void hb_enable_workflow(struct hb_ctx *c);
void hb_disable_workflow(struct hb_ctx *c);
void hb_dispatch_workflow(struct hb_ctx *c);
void hb_list_runs(struct hb_ctx *c);
char *hb_rest_of(const struct hb_ctx *c,
                 size_t from); /* the decoded segments from one on, joined */
void hb_get_contents(struct hb_ctx *c);
void hb_put_contents(struct hb_ctx *c);
void hb_get_ref(struct hb_ctx *c);
void hb_matching_refs(struct hb_ctx *c);
void hb_get_commit(struct hb_ctx *c);
void hb_get_user(struct hb_ctx *c);
void hb_get_rate_limit(struct hb_ctx *c);
void hb_get_meta(struct hb_ctx *c);
void hb_get_versions(struct hb_ctx *c);
void hb_get_root(struct hb_ctx *c);

/* shapes.c */
json_t *hb_user_json(const struct hb_ctx *c, const char *login);
json_t *hb_repo_brief_json(const struct hb_ctx *c, const struct hb_repo *r);
json_t *hb_repo_json(const struct hb_ctx *c); /* c->repo, as this token sees it */

/* rate.c */
bool hb_rate_exhausted(struct hb_ctx *c);
void hb_rate_charge(struct hb_ctx *c);
void hb_rate_headers(struct hb_ctx *c);
json_t *hb_rate_json(struct hb_ctx *c);

#endif
