/*
 * git: the source repository, comparing refs, packs, push, and the marker.
 *
 *   source   what the master has: refs and objects. A bare repository of mirrorctl's own under the
 *            state directory (the cache) is always there; with a local clone it borrows the clone's
 *            objects through alternates and never changes the clone.
 *   remote   one slave: an address, a credential, and the receive-pack protocol.
 *
 *     struct git_source *src;
 *     TRY(git_source_open(&spec, &src, e));              // refreshed from the master when it moved
 *     TRY(git_source_refs(src, &policy, &view, e));      // what is wanted everywhere
 *     struct git_remote *rm;
 *     TRY(git_remote_new(&rspec, &rm, e));
 *     TRY(git_remote_list(rm, arena, &refs, e));         // the receive-pack advertisement: one round trip
 *     TRY(git_push(rm, src, &push, e));                  // commands with the old value as lease
 *
 * libgit2 does what is local (objects, refs, ancestry, name rules, writing the marker); it never opens a
 * connection: no timeout, old TLS (docs/architecture.md 6). Fetching is a `git fetch` child with a
 * deadline whose credential comes through an inherited descriptor. Pushing is spoken here: over https
 * through the http room, over ssh and for local paths through a child with a deadline per silence.
 *
 * Addresses: https://HOST/PATH, http:// for loopback only, ssh://[user@]host[:port]/path,
 * [user@]host:path, /path, file:///path. A password in a URL is ERR_USAGE.
 */
#ifndef MIRRORCTL_GIT_H
#define MIRRORCTL_GIT_H

#include "mirrorctl/http.h"
#include "mirrorctl/model.h"

/*
 * libgit2 exports functions of these two names. Under their own, the dynamic linker would hand ours to
 * libgit2; so they carry another name where linkers look.
 */
#define git_remote_list git_remote_list_refs
#define git_remote_free git_remote_end

#define GIT_MARKER_REF "refs/mirrorctl/role"
#define GIT_SOURCE_REF "refs/mirrorctl/source"

/*
 * libgit2, once per process; idempotent and thread-safe. What needs it calls this itself: it takes 15 ms
 * to read certificates that nobody uses here, and a pass with nothing to do does without.
 */
enum err_code git_init(struct err *e);

/* ERR_USAGE with a sentence: unknown form, password inside, plain http to another machine. */
enum err_code git_check_url(const char *url, struct err *e);
/* ERR_INVALID unless it is a full ref name by git's rules. */
enum err_code git_check_ref_name(const char *name, struct err *e);
/* ERR_INVALID unless the glob can match a full ref name: starts with refs/, one line, legal characters. */
enum err_code git_check_ref_glob(const char *glob, struct err *e);

struct git_credential {
    const struct secret *token;  /* https; or NULL */
    const char *ssh_key;         /* path of a private key; or NULL: agent and ~/.ssh/config */
    const char *known_hosts;     /* path; or NULL: ssh's own. Always checked strictly */
    const char *ca_file;         /* for the fetch child; or NULL */
};

/* ---- Source ----------------------------------------------------------------------------------- */

struct git_source;

struct git_source_spec {
    const char *url;       /* the master's address; NULL only with `local` */
    const char *local;     /* a clone of it on this machine, or NULL */
    const char *cache_dir; /* bare repository of ours; made when absent */
    struct git_credential credential;
    struct http *http;
    struct http_lane *lane; /* the master's, for https */
    struct ms deadline;    /* of a fetch; 0 = 15 min */
    bool offline;          /* do not ask the master: use the cache as it is */
    /* Globs of all slaves' ref policies, NULL-terminated: their namespaces are fetched beside heads, tags
     * and notes. NULL: nothing beside them. Needed only where there is no `local`. */
    const char *const *include;
    const volatile int *interrupted;
};

/*
 * Opens and refreshes. With `local`, the master's refs are the clone's remote-tracking refs of the remote
 * whose URL names the master (a push or fetch of the user's moves them), its tags, and for a bare clone
 * its heads and tags; a clone that has neither is taken by its heads. Without it the master's own
 * upload-pack advertisement is read (one request), and fetched only when it differs from the cache.
 * ERR_REFUSED: shallow clone; sha256 against sha1; the master shows no refs although the cache has some.
 * ERR_NOT_FOUND, ERR_AUTH, ERR_PERMISSION, ERR_UNAVAILABLE, ERR_TIMEOUT: of the master.
 * ERR_DAMAGED: a cache that git fsck refuses: moved aside and built anew; only told when that fails too.
 */
enum err_code git_source_open(const struct git_source_spec *spec, struct git_source **out,
                              struct err *e);
void git_source_free(struct git_source *s); /* NULL is fine; drops shared packs */
void git_source_freep(struct git_source **s);

/* Every ref the policy covers, as KIND_REF resources with value = oid; marks the kind complete. The strings
 * are the source's, for all views the same: they live as long as it. */
enum err_code git_source_refs(struct git_source *s, const struct ref_policy *policy, struct view *out,
                              struct err *e);
/* The master's default branch, without refs/heads/; NULL when it has none. Lives as long as s. */
const char *git_source_default_branch(const struct git_source *s);
/* The object id of a full ref name at the master, or NULL. */
const char *git_source_oid(const struct git_source *s, const char *ref);
/* A note about the source that people should read (e.g. a clone without a remote for the master), or NULL. */
const char *git_source_note(const struct git_source *s);

/* File names (not paths) directly below .github/workflows/ in a commit: *.yml and *.yaml, sorted. They live
 * in the arena or as long as the source. */
enum err_code git_source_workflows(struct git_source *s, const char *commit, struct arena *a,
                                   const char *const **out_files, size_t *out_n, struct err *e);

/* How a slave's value of a ref stands to the wanted one. Local work only. */
struct git_comparison {
    enum ref_relation relation; /* DIVERGED also when the slave's object is not known here at all */
    int64_t ahead;  /* commits that a push would add; -1 when it was not counted (new history) */
    int64_t behind; /* commits that a push would take away and the master does not have; -1 unknown */
    const char *subject; /* of the wanted commit, in the arena; NULL for other objects */
};
/* slave_oid may be NULL (a new ref: relation NONE, ahead = commits not on any other wanted ref…
 * counted up to 10,000). */
enum err_code git_compare(struct git_source *s, const char *ref, const char *wanted_oid,
                          const char *slave_oid, struct arena *a, struct git_comparison *out,
                          struct err *e);

/* ---- Remote ----------------------------------------------------------------------------------- */

struct git_remote;

struct git_remote_spec {
    const char *url;
    struct git_credential credential;
    struct http *http;       /* for https */
    struct http_lane *lane;  /* for https */
    struct ms idle;          /* silence that ends any phase; 0 = 60 s */
    bool dry_run;            /* refuses git_push; the http room refuses as well */
    const volatile int *interrupted;
};

enum err_code git_remote_new(const struct git_remote_spec *spec, struct git_remote **out, struct err *e);
void git_remote_free(struct git_remote *r);
void git_remote_freep(struct git_remote **r);

struct git_ref {
    const char *name; /* full */
    const char *oid;  /* hex */
};
struct git_refs {
    struct git_ref *items; /* sorted bytewise by name; .have lines and peeled tags left out */
    size_t n;
    bool empty;            /* the repository has no refs at all */
    const char *marker;    /* oid of refs/mirrorctl/role, or NULL; it is in items too */
    const char *object_format; /* "sha1", "sha256" */
    bool atomic, side_band, delete_refs, ofs_delta; /* what receive-pack offers */
    const char *moved_to;  /* the server said that the repository moved; or NULL */
};
/* The receive-pack advertisement: what a push would see. In the arena. Reads only. */
enum err_code git_remote_list(struct git_remote *r, struct arena *a, struct git_refs *out, struct err *e);

/* A file at the top of the commit's tree, fetched from the slave when the cache does not have it.
 * ERR_NOT_FOUND: no such file. For role.json of the marker. */
enum err_code git_remote_read_file(struct git_remote *r, struct git_source *s, const char *ref,
                                   const char *oid, const char *file, struct buf *out, struct err *e);

/* ---- Push ------------------------------------------------------------------------------------- */

enum git_result {
    GIT_NOT_SENT, /* the exchange ended before this command */
    GIT_DONE,
    GIT_STALE,    /* the ref is not what `old` says: somebody moved it (lease) */
    GIT_REJECTED, /* the server's rules; message says which, cure what to do */
    GIT_FAILED,   /* server trouble: another pass may succeed */
    GIT_UNKNOWN   /* no report came: list again */
};

struct git_command {
    const char *ref;
    const char *old_oid; /* NULL: must not exist */
    const char *new_oid; /* NULL: delete */
    /* filled by git_push: */
    enum git_result result;
    const char *message; /* the server's words, or NULL; in push->arena */
    const char *cure;    /* or NULL */
};

struct git_push {
    struct git_command *commands;
    size_t n;
    /* The advertisement these commands were planned on: offered capabilities, and what the slave has. */
    const struct git_refs *seen;
    const char *marker; /* oid: sent as an unchanged <old> <old> line with atomic, when offered; or NULL */
    struct arena *arena;
    /* Filled: the marker as it was listed after the exchange, NULL = none. A server that does not look at
     * unchanged lines lets a push pass although the marker moved: then it is not `marker` any more. */
    const char *marker_after;
    /* Called now and then with what was sent so far; may be NULL. */
    void (*progress)(void *ctx, int64_t bytes, int64_t total);
    void *progress_ctx;
};

/*
 * One exchange: commands, one pack (built once per (wants, haves) and shared by all remotes), report.
 * ERR_OK: an exchange took place; look at each command's result. A refused atomic batch marks all its
 * commands; the caller decides about halves. Lists again afterwards and turns a reported success that is
 * not there into GIT_FAILED (github.md 6.2: large pushes get lost). ERR_REFUSED: dry_run.
 */
enum err_code git_push(struct git_remote *r, struct git_source *s, struct git_push *push, struct err *e);

/* What a server's refusal means: one const table (src/git/refusal.c). NULL cure = unknown text. */
struct git_refusal {
    const char *code; /* "workflow-scope", "hidden-ref", "protected", … */
    enum git_result result;
    enum err_code err;
    const char *meaning, *cure;
};
/* The row that fits, or NULL. */
const struct git_refusal *git_refusal_find(const char *server_text);

/* ---- Marker ----------------------------------------------------------------------------------- */

/*
 * Writes a commit whose tree holds the given files (name → text) into the cache, on top of parent (or
 * NULL), with the message; the oid is hex in the arena. Author and committer are "mirrorctl" at `when`.
 */
struct git_file {
    const char *name, *text;
};
enum err_code git_commit_files(struct git_source *s, const char *parent, const struct git_file *files,
                               size_t n, const char *message, struct wall when, struct arena *a,
                               const char **out_oid, struct err *e);

#endif
