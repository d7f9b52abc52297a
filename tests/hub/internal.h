/* What the files of the hub share. Nothing here is for users of the hub: they have hub.h.
 *
 * Locks. hub.lock protects the whole in-memory world and is held by every handler. A handler that
 * needs git children leaves it with hb_git_enter(), which takes the lock of that repository, and
 * comes back with hb_git_leave(). Whoever holds a repository's git lock may take hub.lock, never
 * the other way round. Repositories, users and tokens are freed only by hub_free (a deleted
 * repository moves to the graveyard), so pointers to them stay good between the two. */
#ifndef HUB_INTERNAL_H
#define HUB_INTERNAL_H

#include "hub.h"

#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- mem.c: memory, text, maps ---- */

void *hb_alloc(size_t n); /* zeroed; ends the program when there is none */
void *hb_grow(void *p, size_t n, size_t each);
char *hb_strdup(const char *s);
char *hb_strndup(const char *s, size_t n);
char *hb_fmt(const char *format, ...) __attribute__((format(printf, 1, 2)));
void hb_set(char **slot, const char *s); /* frees the old, copies the new, NULL allowed */
bool hb_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2))); /* sets hub_error(), returns false */
bool hb_ieq(const char *a, const char *b);
bool hb_starts(const char *s, const char *prefix);
bool hb_ends(const char *s, const char *suffix);
bool hb_word_in(const char *list, const char *word); /* blanks and commas separate */
void hb_upper(char *s);

struct hb_buf {
    char *data; /* NUL-terminated once something was added */
    size_t len, cap;
};
void hb_buf_add(struct hb_buf *b, const void *data, size_t n);
void hb_buf_puts(struct hb_buf *b, const char *s);
void hb_buf_fmt(struct hb_buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void hb_buf_free(struct hb_buf *b);

struct hb_slot {
    char *key;
    void *value;
};
struct hb_map { /* text -> pointer, open addressing */
    struct hb_slot *slots;
    size_t n, cap;
};
void *hb_map_get(const struct hb_map *m, const char *key);
void hb_map_put(struct hb_map *m, const char *key, void *value);
void hb_map_del(struct hb_map *m, const char *key);
void hb_map_free(struct hb_map *m);
/* "Owner/Name" in lower case, as the maps of names are keyed. */
bool hb_fold(const char *name, char *out, size_t cap);

char *hb_time_z(int64_t ms);              /* 2023-06-05T14:41:26Z */
char *hb_time_offset(int64_t ms);         /* 2024-12-06T21:17:46.000-05:00 */
char *hb_time_http(int64_t ms);           /* Fri, 06 Dec 2024 21:17:46 GMT */
char *hb_decode(const char *s, size_t n); /* percent-decoding */
char *hb_hex(const unsigned char *p, size_t n);
char *hb_base64(const void *p, size_t n);
void *hb_unbase64(const char *s,
                  size_t *out_len); /* standard alphabet, padded; NULL when it is not */

/* ---- the world ---- */

struct hb_rate {
    int64_t reset_ms; /* end of the running window; 0: none began yet */
    int used;
};

struct hb_user {
    long long id;
    char *login;
    bool is_org;
    struct hb_map
        members; /* of an organisation: login in lower case -> non-NULL, they administer it */
    struct hb_rate rate;
};

struct hb_token {
    char id[16]; /* "t3", what logs show */
    char *text;
    enum hub_token_kind kind;
    struct hb_user *user;  /* NULL: an App's own */
    struct hb_user *owner; /* fine-grained, App */
    char *scopes, *repos, *permissions;
    long long repo_id; /* GITHUB_TOKEN */
    int64_t expires_ms;
    bool pending, revoked;
    uint64_t version; /* moves when the token is narrowed: it may see other things now */
    struct hb_rate rate;
};

struct hb_item { /* a secret or a variable */
    char *name;
    char *value;
    size_t len;
    int64_t created_ms, updated_ms;
};

struct hb_items {
    struct hb_item *item; /* sorted by name, without regard to case */
    size_t n;
};

struct hb_section {
    struct hb_items now, old; /* old: what stale readers still see (eventual reads, 1.2, 1.3) */
    uint64_t version, old_version;
    int stale_left;
};

struct hb_workflow {
    long long id;
    char *path; /* "" for the nameless row of 1.4 */
    char *name;
    const char *state; /* one of the constants of workflows.c */
    int64_t created_ms, updated_ms;
    bool on_default; /* the file stands on the default branch */
    char *blob;      /* of the copy on the default branch */
};

struct hb_run {
    long long id, workflow_id;
    char *event, *branch, *sha, *actor;
    int64_t created_ms;
};

struct hb_ref {
    char *name;
    char oid[65];
};

struct hb_refs { /* what lies in the directory; good while the directories' times stand still */
    struct hb_ref *ref;
    size_t n;
    bool loaded;
    uint64_t stamp;
    char **dirs; /* every directory under refs/, each one's mtime is part of the stamp */
    size_t n_dirs;
    struct hb_buf advert;
    bool advert_push_options;
    bool advert_hidden;
};

struct hb_rule { /* a protection, a ruleset's rule or a scripted refusal */
    char *glob;
    char *type;
    char *remote;
    struct hub_protection protection;
};

struct hb_rules {
    struct hb_rule *rule;
    size_t n;
};

struct hb_repo {
    long long id;
    struct hb_user *owner;
    char *name;      /* without the owner */
    char *full_name; /* owner/name */
    char *dir;
    bool is_private, is_fork, archived, actions_on, push_options, deleted;
    char *workflow_permissions; /* of actions/permissions/workflow */
    char *default_branch;
    int64_t created_ms, updated_ms, pushed_ms;
    uint64_t version;
    int missing_left; /* eventual reads: so many 404 after creation (1.1) */
    struct hb_section secrets, variables;
    unsigned char pk[32], sk[32];
    long long key_id;
    uint64_t key_version;
    struct hb_workflow *workflow;
    size_t n_workflows;
    uint64_t workflows_version;
    struct hb_run *run;
    size_t n_runs;
    uint64_t runs_version;
    struct hb_map collaborators; /* login in lower case -> one of "read", "write", "admin" */
    struct hb_rules protections, rules, refusals;
    struct hb_rate job_rate; /* GITHUB_TOKEN: 1,000 an hour per repository (4.1) */
    pthread_mutex_t git_lock;
    struct hb_refs refs; /* under git_lock */
};

struct hb_fault {
    struct hub_fault f; /* owns its strings */
    unsigned seen;
    unsigned hit;
};

struct hub {
    pthread_mutex_t lock;
    struct hub_options options;
    char *root, *public_url;
    int64_t shift_ms;
    long long last_id;
    unsigned n_tokens;
    uint64_t version; /* source of all version numbers: never the same twice */
    struct hb_map users, tokens, repos, repos_by_id, moved;
    struct hb_user **all_users;
    size_t n_all_users;
    struct hb_token **all_tokens;
    size_t n_all_tokens;
    struct hb_repo **all_repos; /* the graveyard included */
    size_t n_all_repos;
    _Atomic int *quirk; /* by index in hub_quirks */
    struct hb_fault *fault;
    size_t n_faults;
    struct hb_rate anonymous;
    int bad_logins;
    int64_t first_bad_ms;
    int64_t locked_until_ms;
    struct hb_map definitions; /* blob oid -> json_t *: what a workflow file says */
    struct hub_entry *log;
    size_t n_log, cap_log;
    struct hub_counters counters;
    int log_fd;
};

/* world.c; all want hub.lock unless said otherwise */
int64_t hb_now(const struct hub *h);
long long hb_next_id(struct hub *h);
uint64_t hb_next_version(struct hub *h);
struct hb_user *hb_user(struct hub *h, const char *login);
struct hb_repo *hb_repo(struct hub *h, const char *full_name);
struct hb_repo *hb_repo_by_id(struct hub *h, long long id);
struct hb_repo *hb_repo_moved(struct hub *h,
                              const char *full_name); /* under a name it had before */
struct hb_repo *hb_repo_new(struct hub *h, const struct hub_repo *spec);
bool hb_repo_name_ok(const char *name);
bool hb_repo_rename_to(struct hub *h, struct hb_repo *r, const char *full_name);
void hb_repo_touch(struct hub *h, struct hb_repo *r);
void hb_repo_key_new(struct hub *h, struct hb_repo *r);
void hb_git_enter(struct hub *h, struct hb_repo *r);
void hb_git_leave(struct hub *h, struct hb_repo *r);

/* items.c */
struct hb_item *hb_item_find(struct hb_items *items, const char *name);
void hb_item_put(struct hub *h, struct hb_section *s, const char *name, const void *value,
                 size_t len);
bool hb_item_del(struct hub *h, struct hb_section *s, const char *name);
void hb_items_free(struct hb_items *items);
/* What a reader sees now: the old state while stale reads are left, one of which is used up. */
struct hb_items *hb_section_read(struct hb_section *s, uint64_t *out_version);
const char *
hb_name_refused(const char *name); /* NULL: a legal name for a secret or variable (section 2) */

/* quirks.c: indices are found once, by name */
enum hb_quirk {
    Q_USER_AGENT,
    Q_API_VERSION,
    Q_TRAILING_SLASH,
    Q_LOCKOUT,
    Q_AMBIGUOUS_404,
    Q_UPPER_CASE,
    Q_SMALL_PAGES,
    Q_SILENT_CAP,
    Q_LINK_BY_ID,
    Q_NO_UPSERT,
    Q_BLANK_VARIABLE,
    Q_SECRET_CREATED,
    Q_SEALED_SIZE,
    Q_KEY_ID_INTEGER,
    Q_EVENTUAL,
    Q_DISABLE_TWICE,
    Q_OFFSET_TIMES,
    Q_GHOSTS,
    Q_DYNAMIC,
    Q_EMPTY_PATH,
    Q_OTHER_BRANCHES,
    Q_ACTIONS_OFF_404,
    Q_DISPATCH_204,
    Q_RAW_ETAG,
    Q_RULESET_404,
    Q_GITHUB_TOKEN,
    Q_RATE_LIMIT,
    Q_FREE_304,
    Q_ETAG_PER_TOKEN,
    Q_ETAG_WEAK,
    Q_EMPTY_ACCEPTED,
    Q_WRITE_307,
    Q_REDIRECT_CHARGED,
    Q_HIDDEN_REFS,
    Q_WORKFLOW_SCOPE,
    Q_KEEP_DEFAULT,
    Q_CHECK_NOOP,
    Q_MOVED_MESSAGE,
    Q_FIRST_DEFAULT,
    Q_PUSH_EVENTS,
    Q_BOT_SILENT,
    Q_MAX_REF_UPDATES,
    Q_FILE_LIMIT,
    Q_COUNT
};
int hb_quirk(const struct hub *h, enum hb_quirk q);

/* ---- auth.c: who asks, and may they (3.1) ---- */

enum hb_op {
    OP_NONE,
    OP_METADATA,
    OP_CONTENTS_READ,
    OP_CONTENTS_WRITE,
    OP_WORKFLOW_FILES,
    OP_ACTIONS_READ,
    OP_ACTIONS_WRITE,
    OP_SECRETS_READ,
    OP_SECRETS_WRITE,
    OP_VARIABLES_READ,
    OP_VARIABLES_WRITE,
    OP_ADMIN_READ,
    OP_ADMIN_WRITE,
    OP_PAGES_READ,
    OP_COUNT
};

enum hb_verdict {
    V_OK,
    V_BAD_CREDENTIALS, /* 401 */
    V_LOCKED_OUT,      /* 403 for everybody after too many 401 */
    V_SIGN_IN,         /* 401: anonymous, and this needs a user */
    V_NOT_FOUND,       /* 404: may not even know that it exists */
    V_FORBIDDEN_PAT,
    V_FORBIDDEN_APP,
    V_FORBIDDEN_ROLE
};

enum hb_role { ROLE_NONE, ROLE_READ, ROLE_WRITE, ROLE_ADMIN };

struct hb_who {
    struct hb_token *token; /* NULL: anonymous */
    struct hb_user *user;   /* NULL: anonymous or an App */
    bool unknown;           /* a credential was sent, and it is none */
};

enum hb_verdict hb_identify(struct hub *h, const char *authorization, struct hb_who *out);
enum hb_verdict hb_may(struct hub *h, const struct hb_who *who, struct hb_repo *r, enum hb_op op);
enum hb_role hb_role_of(struct hb_repo *r, const struct hb_user *u);
bool hb_permission(const struct hb_token *t, const char *permission, bool write);
char *hb_accepted_permission(enum hb_op op); /* "secrets=write", NULL: none */
const char *hb_accepted_scopes(enum hb_op op);
bool hb_bot(const struct hb_who *who); /* the workflow job's own token */
char *hb_actor(const struct hb_who *who);
struct hb_rate *hb_rate_of(struct hub *h, const struct hb_who *who, struct hb_repo *r,
                           int *out_limit);
struct hb_ctx;

/* ---- faults.c ---- */
/* Whether this request meets a fault; counts the request. Wants hub.lock. The copy is the caller's
 * to release. */
bool hb_fault_match(struct hub *h, const char *method, const char *path, struct hub_fault *out);
void hb_fault_release(struct hub_fault *f);
bool hb_fault_before(const struct hub_fault *f,
                     struct hub_reply *out); /* true: answered, do not act */
void hb_fault_after(const struct hub_fault *f, struct hub_reply *out);

/* handle.c */
json_t *hb_entry_json(const struct hub_entry *e);

/* control.c, seed.c */
void hb_control(struct hub *h, const struct hub_request *q, struct hub_reply *out);
bool hb_seed_json(struct hub *h, json_t *world);
bool hb_seed_token(struct hub *h, json_t *j);
bool hb_seed_repo(struct hub *h, json_t *j);
bool hb_seed_fault(struct hub *h, json_t *j);

#endif
