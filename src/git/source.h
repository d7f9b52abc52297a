/*
 * source: the inside of struct git_source, and what its files do for each other.
 *
 *   source.c   opens: which refs the master has, and that their objects are here
 *   cache.c    the folder of the bare repository: made, locked, recognised, moved aside
 *   clone.c    reading a user's clone
 *   fetch.c    the git child that fetches
 *   compare.c, history.c   ancestry
 *   tree.c     reading files, writing commits
 *   pack.c     packs, shared by all who need the same
 */
#ifndef MIRRORCTL_GIT_SOURCE_H
#define MIRRORCTL_GIT_SOURCE_H

#include "objects.h"

#include "address.h"

#include <pthread.h>

/* Where the cache keeps refs: the master's, and commits of slaves that were looked at or written.
 */
#define CACHE_MASTER "refs/master/"
#define CACHE_SEEN   "refs/mirrorctl-seen/"

enum { SOURCE_DEADLINE_MS = 15 * 60 * 1000 };

struct history;
struct pack_shelf;

/* Files in .github/workflows of a commit. */
struct workflow_list {
    const char *commit; /* NULL: nothing is known */
    const char **files; /* sorted bytewise */
    size_t n;
};

struct git_source {
    struct arena *arena; /* refs, names, note */
    char *cache_dir;     /* absolute, real */
    struct ms deadline;
    const volatile int *interrupted;

    struct git_ref *refs; /* of the master, sorted by name */
    size_t n;
    const char *default_branch, *note;
    struct workflow_list
        workflows; /* of the default branch; its commit is NULL when not looked at */

    pthread_mutex_t lock; /* repo and history: libgit2's handles are not for two threads at once */
    git_repository *repo; /* NULL until source_lock: a pass with nothing to do needs none */
    git_odb *odb;         /* of repo */
    struct history *history; /* made when first needed */

    struct pack_shelf *packs;
};

/* ---- Cache folder ---------------------------------------------------------------------------- */

/* What the file "mirrorctl-cache" in the folder remembers. */
struct cache_facts {
    const char *url;                /* whose cache it is */
    const char *local;              /* clone from which objects are borrowed, "" = none */
    const char *default_branch;     /* as seen last, "" = none */
    size_t refs;                    /* how many the master had when it was seen last */
    uint64_t whole;                 /* cache_stamp when all of it was found to be here; 0 = never */
    struct workflow_list workflows; /* of the master's head: every pass asks for them */
};

struct cache {
    struct arena *arena;
    const char *dir; /* real path once it exists */
    int lock_fd;     /* held until the children that inherited it are gone, too */
    struct cache_facts facts;
    bool fresh; /* was made just now */
};

/*
 * Makes or opens the folder and holds its lock alone. One that belongs to another master or
 * borrowed other objects is removed and made anew, a damaged one is moved aside. ERR_REFUSED: the
 * folder is there and is no cache of ours. ERR_TIMEOUT: another process held the lock for longer
 * than `wait`.
 */
enum err_code cache_open(struct cache *c, struct arena *a, const char *dir,
                         const struct cache_facts *wanted, struct ms wait,
                         const volatile int *interrupted, struct err *e);
/* Moves the folder aside and makes an empty one, under the same lock. */
enum err_code cache_rebuild(struct cache *c, struct err *e);
/*
 * What the folder looks like from outside, and which refs it has to hold: as long as that stays the
 * same, what was found to be whole is whole. Files are taken by name, size and time. Never 0. A
 * wrong guess (1 in 2^64) shows when a pack is built, and the next pass begins anew.
 */
uint64_t cache_stamp(const char *dir, const struct git_ref *refs, size_t n);
/* Writes the facts of the source when they changed. `whole` 0: it was not looked at. */
enum err_code cache_remember(struct cache *c, const struct git_source *s, uint64_t whole,
                             struct err *e);
/* The refs that were remembered, when the cache was whole with them and is untouched since. */
bool cache_recall_refs(const struct cache *c, struct arena *a, struct git_refs *out);
void cache_close(struct cache *c); /* for CLEANUP: lets go of the lock */
/* The lock alone: shared with others that fetch into the cache, or not. */
enum err_code cache_lock(const char *dir, bool shared, struct ms wait,
                         const volatile int *interrupted, int *out_fd, struct err *e);
/* Leaves a note that the next cache_open moves the folder aside. */
void cache_mark_damaged(const char *dir);

/* ---- Clone ----------------------------------------------------------------------------------- */

struct clone_view {
    struct git_ref *refs; /* sorted */
    size_t n;
    const char *objects;        /* its object folder, absolute */
    const char *default_branch; /* or NULL */
    const char *note;           /* or NULL */
};

/* `url` (or NULL) says which remote is the master. ERR_REFUSED: shallow, partial, sha256. */
enum err_code clone_read(struct arena *a, const char *path, const char *url, struct clone_view *out,
                         struct err *e);

/* ---- Fetch ----------------------------------------------------------------------------------- */

struct fetch {
    const char *cache_dir;
    const struct address *from;
    const struct git_credential *credential;
    const char *const *refspecs; /* NULL-terminated */
    bool prune;
    struct ms deadline;
    const volatile int *interrupted;
    int lock_fd; /* given to the child, so that an orphan of ours keeps the lock */
};
/* *out_damaged: the words of git tell of a damaged cache. */
enum err_code fetch_run(const struct fetch *f, bool *out_damaged, struct err *e);
/* The environment of every git child of ours that works in the cache. */
const char *const *cache_env(struct arena *a, const char *cache_dir);

/* ---- Objects (tree.c); the caller holds the lock ----------------------------------------------
 */

/* Takes the lock, and opens the repository when nobody has needed it yet. Not locked after an
 * error: ERR_DAMAGED, and the next pass makes the cache anew. */
enum err_code source_lock(struct git_source *s, struct err *e);
void source_unlock(struct git_source *s);

bool source_has(struct git_source *s, const git_oid *oid);
/* The workflow files of a commit, in the arena. */
enum err_code source_list_workflows(struct git_source *s, const char *commit, struct arena *a,
                                    struct workflow_list *out, struct err *e);
/* Reads a file of a commit's tree. ERR_NOT_FOUND. */
enum err_code source_read_file(struct git_source *s, const git_oid *commit, const char *path,
                               struct buf *out, struct err *e);

/* ---- History (history.c); the caller holds the lock --------------------------------------------
 */

/* All commits that the master's refs reach, built once. */
enum err_code history_get(struct git_source *s, const struct history **out, struct err *e);
void history_free(struct history *h);
bool history_has(const struct history *h, const git_oid *commit);
/* Commits of that ref which no other ref of the master reaches. */
int64_t history_only_in(const struct history *h, const char *ref);

/* ---- Packs (pack.c) ----------------------------------------------------------------------------
 */

struct pack {
    int fd; /* read with pread; belongs to the shelf */
    int64_t size;
};

struct pack_shelf *pack_shelf_new(void);
void pack_shelf_free(struct pack_shelf *shelf);

/*
 * The pack that takes a repository with `haves` to `wants` (hex ids; only haves that are known here
 * count). Built by the first who asks, shared by all with the same needs; lives as long as s.
 */
struct pack_need {
    const char *const *wants;
    size_t n_wants;
    const char *const *haves;
    size_t n_haves;
    bool ofs_delta;
};
enum err_code pack_get(struct git_source *s, const struct pack_need *need, struct pack *out,
                       struct err *e);

#endif
