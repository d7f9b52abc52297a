/* hub: a GitHub simulator.
 *
 * What it is for. Tests, the quickstart and the benchmarks need a GitHub that can be broken at will
 * and asked afterwards what it saw. The hub is an in-memory world of users, tokens and repositories
 * with one entry point, request -> reply. It links nothing of mirrorctl: it was written from
 * GitHub's documented and observed behaviour alone ("github.md" in the comments: the project's
 * notes on GitHub, by section), so that a misreading of GitHub does not stand on both sides.
 *
 * Typical calling sequence, in process:
 *
 *     struct hub *h = hub_new(&(struct hub_options){.root = "/tmp/x"});
 *     hub_user_add(h, "octo");
 *     hub_token_add(h, &(struct hub_token){.text = "ghp_1", .kind = HUB_CLASSIC, .user = "octo",
 *                                          .scopes = "repo workflow"});
 *     hub_repo_add(h, &(struct hub_repo){.name = "octo/standby", .is_private = true});
 *
 *     struct hub_header head[] = {{"authorization", "Bearer ghp_1"}, {"user-agent", "test"}};
 *     struct hub_request q = {.method = "GET", .path = "/repos/octo/standby", .host =
 * "api.hub.test", .headers = head, .n_headers = 2}; struct hub_reply a; hub_handle(h, &q, &a);
 *     ...a.status, a.body...
 *     hub_reply_release(&a);
 *     hub_free(h);
 *
 * Over a socket the same world is served by the program mirrorctl-hub (main.c); README.md tells its
 * options, the world file and the control interface for shell scripts.
 *
 * Threads: every function may be called from any thread. Calls that only touch the world hold one
 * short lock; git children run under the lock of their repository alone.
 *
 * Ownership: strings passed in are copied. Strings handed out are malloc'd and the caller frees
 * them, unless the function says otherwise. Out of memory ends the program: this is a test tool.
 *
 * Errors: functions that return bool answer false when a named thing (user, token, repository, ...)
 * does not exist or an argument makes no sense; hub_error() then says which, for the calling
 * thread.
 *
 * Units: time is milliseconds since the epoch (`_ms`), sizes are bytes. */
#ifndef MIRRORCTL_HUB_H
#define MIRRORCTL_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hub;

struct hub_options {
    const char *root; /* directory for the bare repositories, created when missing; needed */
    int64_t (*now_ms)(void *arg); /* NULL: the real clock */
    void *now_arg;
    const char *
        public_url; /* NULL: Link and Location are built from Host; else e.g.
                       "http://127.0.0.1:4010", for a client that reaches the hub through a proxy */
};

struct hub *hub_new(const struct hub_options *options); /* NULL when root cannot be made */
void hub_free(struct hub *h);
const char *
hub_error(void); /* why the last call of this thread failed; never NULL, not to be freed */

/* ---- The entry point
 * ---------------------------------------------------------------------------------------- */

struct hub_header {
    const char *name;
    const char *value;
};

struct hub_request {
    const char *method;
    const char *path; /* as on the request line: percent-encoded, with its query */
    const char *host; /* value of Host; a host "api.*" gets REST at the root, any host gets it under
                         /api/v3 */
    bool tls;         /* decides the scheme of URLs in Link and Location */
    bool remote_peer; /* true: not from loopback, the control interface is refused */
    const struct hub_header *headers;
    size_t n_headers;
    const void *body;
    size_t body_len;
    const int *body_fd; /* optional: the same bytes as a seekable file, so that a large pack is not
                           copied */
};

enum hub_kind {
    HUB_ANSWER, /* send it */
    HUB_RESET,  /* close the connection without a byte */
    HUB_SILENT  /* keep the connection open and never answer */
};

/* A reply. The transport sends the head with Content-Length `declared_len`, then `sent_len` bytes
 * of body in pieces of `drip_bytes` with `drip_ms` between them (0: at once), then closes the
 * connection when sent_len < declared_len. In the normal case declared_len == sent_len == body_len.
 */
struct hub_reply {
    enum hub_kind kind;
    int status;
    struct hub_header *headers;
    size_t n_headers;
    unsigned char *body; /* always followed by a NUL that body_len does not count */
    size_t body_len;
    size_t declared_len;
    size_t sent_len;
    unsigned delay_ms; /* to be waited before the first byte */
    size_t drip_bytes;
    unsigned drip_ms;
    void *map; /* private: body lies in this mapping */
    size_t map_len;
};

void hub_handle(struct hub *h, const struct hub_request *request, struct hub_reply *out_reply);
void hub_reply_release(struct hub_reply *reply);
const char *hub_reply_header(const struct hub_reply *reply,
                             const char *name); /* NULL when absent */

/* For a transport that reads a large body piece by piece: after how many bytes a scripted fault
 * wants the connection closed, -1 for never. To be asked once, when the head of the request is
 * there. */
long long hub_upload_cut(struct hub *h, const char *method, const char *path);

/* ---- Building the world
 * ------------------------------------------------------------------------------------- */

bool hub_user_add(struct hub *h, const char *login);
bool hub_org_add(struct hub *h, const char *login, const char *admin_login);

enum hub_token_kind {
    HUB_CLASSIC,      /* personal access token with scopes */
    HUB_OAUTH,        /* like classic, but a push refusal names an OAuth App */
    HUB_FINE_GRAINED, /* one resource owner, repositories, permission -> read/write */
    HUB_APP,          /* installation token of an App: as fine-grained, other texts */
    HUB_GITHUB_TOKEN  /* the token of a workflow job: one repository, and never secrets, variables,
                         ... (3.2) */
};

struct hub_token {
    const char *text; /* the credential; only a short id of it ever shows in a log */
    enum hub_token_kind kind;
    const char *user;   /* whose; for HUB_APP and HUB_GITHUB_TOKEN may be NULL */
    const char *scopes; /* classic: "repo workflow" (blanks or commas) */
    const char *owner;  /* fine-grained, App: the one resource owner; NULL: the user */
    const char *repos;  /* "o/a o/b", NULL: all of the owner; GITHUB_TOKEN: the one repository */
    const char *permissions; /* "secrets=write contents=read"; metadata=read is implied */
    int64_t expires_ms;      /* 0: never */
    bool pending; /* fine-grained, waiting for the organisation's approval: public data only */
};

bool hub_token_add(struct hub *h, const struct hub_token *token);
bool hub_token_revoke(struct hub *h, const char *text);
bool hub_token_expire(struct hub *h, const char *text, int64_t expires_ms);
/* Replaces scopes (classic) or permissions (others). */
bool hub_token_narrow(struct hub *h, const char *text, const char *scopes_or_permissions);

struct hub_repo {
    const char *name; /* "owner/name"; the owner must exist */
    bool is_private;
    bool is_fork;
    bool is_archived;
    bool actions_off;
    bool push_options; /* the one repository setting that changes the advertisement (6.2) */
    const char *default_branch; /* NULL: as HEAD of what is taken over or copied in, else "main" */
    const char *from; /* a local git repository whose refs are copied in at once, no runs started */
};

/* Makes the repository and its bare directory; one that lies there already is taken over. The
 * answer is its numeric id, 0 on error. A deleted name may be used again and gets another id. */
long long hub_repo_add(struct hub *h, const struct hub_repo *repo);
bool hub_repo_rename(struct hub *h, const char *repo,
                     const char *new_name); /* "owner/new", also a transfer */
bool hub_repo_delete(struct hub *h, const char *repo);
bool hub_repo_archive(struct hub *h, const char *repo, bool archived);
bool hub_repo_actions(struct hub *h, const char *repo, bool enabled);
bool hub_repo_default_branch(struct hub *h, const char *repo, const char *branch);
bool hub_repo_collaborator(struct hub *h, const char *repo, const char *login,
                           const char *role);           /* read write admin */
char *hub_repo_dir(struct hub *h, const char *repo);    /* its bare repository */
long long hub_repo_id(struct hub *h, const char *repo); /* 0: no such repository */
bool hub_repo_rescan(struct hub *h,
                     const char *repo); /* after somebody wrote refs into the directory by hand */
bool hub_repo_rotate_key(struct hub *h, const char *repo);
/* A commit by hand that changes one file; events as after a push. On a new branch only when there
 * is none yet. */
bool hub_file_put(struct hub *h, const char *repo, const char *branch, const char *path,
                  const void *data, size_t len);

/* A whole world or a part of one as JSON (README.md, "World file"). */
bool hub_seed(struct hub *h, const char *json, size_t len);

/* ---- Drift by hand
 * ------------------------------------------------------------------------------------------ */

bool hub_variable_put(struct hub *h, const char *repo, const char *name,
                      const char *value);                                  /* NULL: delete */
char *hub_variable_get(struct hub *h, const char *repo, const char *name); /* NULL: none */
bool hub_secret_put(struct hub *h, const char *repo, const char *name,
                    const char *value); /* NULL: delete */
/* The decrypted value. NULL: none. */
char *hub_secret_get(struct hub *h, const char *repo, const char *name, size_t *out_len);
/* `file` is the bare file name; a row that does not exist yet is made. */
bool hub_workflow_set(struct hub *h, const char *repo, const char *file, const char *state);
char *hub_workflow_get(struct hub *h, const char *repo, const char *file);
size_t hub_run_count(struct hub *h, const char *repo, const char *event); /* event NULL: all */

/* Classic protection of one branch; a second call replaces the first. */
struct hub_protection {
    bool allow_force_pushes;
    bool allow_deletions;
    bool lock; /* no push at all: "Changes must be made through a pull request." */
};
bool hub_protect(struct hub *h, const char *repo, const char *branch,
                 const struct hub_protection *p);
/* A ruleset of one rule over branches that match the glob: "non_fast_forward", "deletion",
 * "creation", "update" or any other type, which is listed and has no effect on a push. */
bool hub_rule_add(struct hub *h, const char *repo, const char *branch_glob, const char *type);
/* Refs matching the glob are refused with `ng` (and `remote` shown on the terminal), e.g. for push
 * protection. */
bool hub_refuse(struct hub *h, const char *repo, const char *ref_glob, const char *ng,
                const char *remote);
bool hub_refuse_clear(struct hub *h, const char *repo);

void hub_clock_advance(struct hub *h, int64_t ms); /* shifts the clock, the injected one too */
int64_t hub_clock(struct hub *h);

/* ---- Quirks: every awkward behaviour is a switch
 * ------------------------------------------------------------ */

struct hub_quirk {
    const char *name;
    const char *section; /* of github.md */
    int default_value;   /* 0 off, 1 on; some are numbers */
    const char *what;
};
extern const struct hub_quirk hub_quirks[];
extern const size_t hub_n_quirks;

bool hub_quirk_set(struct hub *h, const char *name, int value);
int hub_quirk_get(struct hub *h, const char *name); /* -1: no such quirk */

/* ---- Faults
 * -------------------------------------------------------------------------------------------------
 */

enum hub_effect {
    HUB_F_STATUS,         /* answer status, headers, body without acting */
    HUB_F_DELAY,          /* act, and answer delay_ms later */
    HUB_F_RESET,          /* close the connection, not acted */
    HUB_F_SILENT,         /* never answer, not acted */
    HUB_F_LOSE_ANSWER,    /* act, then close the connection */
    HUB_F_TRUNCATE,       /* act; half of the body, then close */
    HUB_F_WRONG_LENGTH,   /* act; Content-Length `size` bytes more than there are */
    HUB_F_DRIP,           /* act; one byte each delay_ms */
    HUB_F_BIG_BODY,       /* 200 with a JSON string of `size` bytes */
    HUB_F_INVALID_JSON,   /* 200 with a body that is not JSON */
    HUB_F_DEEP_JSON,      /* 200 with `size` nested arrays */
    HUB_F_GZIP_BOMB,      /* 200, Content-Encoding gzip, `size` bytes when unpacked */
    HUB_F_REDIRECT,       /* 301/307 (status) to `body`, an absolute URL on another host */
    HUB_F_CUT_UPLOAD,     /* close the connection after `size` bytes of the request's body */
    HUB_F_NO_REPORT,      /* push: done, but the report is missing */
    HUB_F_NO_REPORT_LOST, /* push: not done, and the report is missing */
    HUB_F_PUSH_LOST,      /* push: not done, reported as ok */
    HUB_F_PUSH_ISE        /* push: "Internal Server Error" on the terminal, no report, not done */
};

struct hub_fault {
    const char *method; /* NULL: any */
    const char *path;   /* fnmatch glob over the path without query and without /api/v3; `*` also
                           matches `/` */
    unsigned nth;       /* the first matching request that is hit, from 1; 0 is 1 */
    unsigned count;     /* how many are hit from there on; 0: all */
    enum hub_effect effect;
    int status;
    const struct hub_header *headers;
    size_t n_headers;
    const char *body;
    unsigned delay_ms;
    size_t size;
};

bool hub_fault_add(struct hub *h, const struct hub_fault *fault);
/* A fault by the name of github.md's test vectors: secondary-a .. secondary-d, primary, dmca,
 * html-502, html-503, bad-credentials, locked-out, sso, not-accessible, server-error, git-429.
 * Other fields as in hub_fault. */
bool hub_fault_preset(struct hub *h, const char *preset, const char *method, const char *path,
                      unsigned nth, unsigned count);
bool hub_effect_named(const char *name,
                      enum hub_effect *out); /* "reset", "lose-answer", ... as in README.md */
void hub_faults_clear(struct hub *h);

/* ---- What happened
 * ------------------------------------------------------------------------------------------ */

struct hub_entry {
    int64_t at_ms;
    char *method;
    char *path;       /* with query */
    char *token;      /* "t3": the third token added; "-" for none, "?" for an unknown one */
    int status;       /* 0: no answer was given */
    bool conditional; /* If-None-Match was sent */
    bool charged;     /* counted against the rate limit */
    size_t bytes_in;  /* of the bodies */
    size_t bytes_out;
    int64_t taken_us;
};

struct hub_counters {
    unsigned long long requests; /* all but the control interface */
    unsigned long long rest_reads, rest_writes, not_modified;
    unsigned long long git_advertisements, git_fetches, git_pushes;
};

size_t hub_log_len(struct hub *h);
bool hub_log_get(struct hub *h, size_t index,
                 struct hub_entry *out); /* release with hub_entry_release */
void hub_entry_release(struct hub_entry *entry);
void hub_log_reset(struct hub *h); /* entries and counters */
void hub_counters_get(struct hub *h, struct hub_counters *out);
/* Each entry is also written to this descriptor as a line of JSON; -1: no more. Not closed by the
 * hub. */
void hub_log_to(struct hub *h, int fd);

#endif
