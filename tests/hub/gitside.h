/* The git half of the hub: children, refs, workflows, pushes. None of these want hub.lock unless
 * said otherwise; those with a repository want its git_lock. */
#ifndef HUB_GITSIDE_H
#define HUB_GITSIDE_H

#include "internal.h"

/* child.c */
int hb_tmp(struct hub *h); /* an unlinked file */
int hb_tmp_with(struct hub *h, const void *data, size_t len);
struct hb_child {
    const char *dir;         /* GIT_DIR, NULL: none */
    const char *const *argv; /* argv[0] is "git" */
    const char *const *env;  /* more variables, or NULL */
    int in;                  /* -1: nothing */
    int out;                 /* -1: thrown away */
    int err;                 /* -1: thrown away */
};
int hb_run(
    const struct hb_child *child); /* exit status, 255 when it could not be started or died */
/* Runs git with `in` on stdin; stdout in *out (NUL-terminated). The exit status. */
int hb_git(struct hub *h, const char *dir, const void *in, size_t in_len, struct hb_buf *out,
           const char *const argv[]);
bool hb_slurp(int fd, struct hb_buf *out);

/* refs.c */
void hb_refs_load(struct hb_repo *r);
void hb_refs_drop(struct hb_refs *refs);
const struct hb_ref *hb_ref(struct hb_repo *r, const char *name);
const struct hb_ref *hb_ref_cached(const struct hb_repo *r,
                                   const char *name); /* without asking the disk again */
/* A branch, tag, full ref or object id as the REST paths take it; "" when there is none. */
void hb_resolve(struct hb_repo *r, const char *name, char out_oid[65]);
bool hb_repo_dir_make(struct hb_repo *r);
bool hb_hidden_ref(const char *name);
void hb_default_branch_set(struct hub *h, struct hb_repo *r,
                           const char *branch); /* wants hub.lock; also HEAD */
const struct hb_buf *hb_advert(struct hb_repo *r, bool hide);

/* workflows.c and definitions.c */
struct hb_file {
    char *path;
    char *blob;
};
struct hb_files {
    struct hb_file *file;
    size_t n;
};
struct hb_change {
    char *ref;
    char before[65], after[65]; /* "" for none */
};
extern const char hb_active[], hb_disabled_manually[], hb_deleted[];
const char *hb_state_named(const char *state); /* the constant, NULL: no such state */
/* The workflow files at each tip, in the same order. */
struct hb_files *hb_workflow_files(struct hub *h, struct hb_repo *r, const char *const *tips,
                                   size_t n);
void hb_files_free(struct hb_files *files, size_t n);
/* What the file says: {"name": ..., "on": {...}}; borrowed, lives as long as the hub. Takes
 * hub.lock. */
json_t *hb_definition(struct hub *h, const char *blob);
void hb_definitions_load(struct hub *h, struct hb_repo *r, const struct hb_files *files, size_t n);
json_t *hb_yaml(const char *text);
/* Takes hub.lock itself: rows and runs after refs have changed. */
void hb_pushed(struct hub *h, struct hb_repo *r, const struct hb_change *change, size_t n,
               const struct hb_who *who);
void hb_rescan(struct hub *h, struct hb_repo *r);
struct hb_workflow *hb_workflow(struct hb_repo *r, const char *id_or_file);
struct hb_workflow *hb_workflow_new(struct hub *h, struct hb_repo *r, const char *path,
                                    const char *name);
void hb_workflow_state(struct hub *h, struct hb_repo *r, struct hb_workflow *w, const char *state);
void hb_run_add(struct hub *h, struct hb_repo *r, struct hb_workflow *w, const char *event,
                const char *branch, const char *sha, const char *actor);

/* git_http.c, git_push.c, git_judge.c, git_store.c */
bool hb_is_git(const struct hub_request *q);
void hb_git_http(struct hb_ctx *c, const struct hub_fault *fault);

struct hb_command {
    char *ref;
    char before[65], after[65]; /* as sent; all zeros for none */
    char *ng;                   /* NULL: fine so far */
    bool noop;
};
struct hb_push {
    struct hub *h;
    struct hb_repo *repo;
    struct hb_who who;
    struct hb_command *command;
    size_t n;
    bool side_band, report, atomic, push_options;
    size_t pack_at; /* where the pack begins in the body; body_len: none */
    const struct hub_request *q;
    struct hb_buf remote; /* text for the terminal */
    char *unpack;         /* "ok" or what went wrong */
    char *fatal;          /* aborts the whole push */
    char *default_branch; /* as it was when the push began */
    struct hb_rules protections, rules, refusals;
};
bool hb_zero(const char *oid);
void hb_ng(struct hb_command *k, const char *text);
void hb_receive_pack(struct hb_ctx *c, const struct hub_fault *fault);
bool hb_push_unpack(
    struct hb_push *p); /* the pack into the object store; false: nothing usable came */
void hb_push_judge(struct hb_push *p); /* before the objects are there: names, old values, rules */
void hb_push_inspect(
    struct hb_push *p); /* when they are: workflow files, sizes, missing objects, forced updates */
void hb_push_store(struct hb_push *p); /* the refs */

#endif
