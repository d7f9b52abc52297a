#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct store *store_new(const char *dir, const struct store_config *cfg)
{
    struct store *s = mem_alloc(sizeof(*s));

    s->dir = mem_strdup(dir);
    s->clock = cfg == NULL || cfg->clock == NULL ? &clock_system : cfg->clock;
    s->read_only = cfg != NULL && cfg->read_only;
    s->seq_fd = -1;
    s->lock_fd = -1;
    (void)pthread_mutex_init(&s->mutex, NULL); /* cannot fail on Linux with default attributes */
    return s;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    db_close(s);
    seq_close(s);
    clean_leave(s);
    lock_drop(&s->lock_fd);
    fingerprint_key_release(&s->key);
    buf_release(&s->scratch);
    (void)pthread_mutex_destroy(&s->mutex);
    free(s->dir);
    free(s);
}

void store_closep(struct store **s)
{
    store_close(*s);
    *s = NULL;
}

/* Everything is there, or is made now. */
static enum err_code prepare(struct store *s, struct paths *p, struct err *e)
{
    if (!s->read_only)
        TRY(dir_make(p->dir, 0700, e));
    TRY(folder_check(p->dir, e));
    TRY(paths_look(p, e));
    if (p->has_db && p->has_key)
        return ERR_OK;
    if (p->has_db)
        return store_damaged(p->dir, e, "state.key is missing: put it back from a backup, or");
    if (!s->read_only)
        return store_create(s, p, e);
    if (p->has_key && !p->has_marker)
        return store_damaged(p->dir, e, "state.key is there but state.db is missing");
    return err_set(e, ERR_NOT_FOUND, "no state in '%s' yet", p->dir);
}

/* An empty file is a sound database to SQLite, and one without content is what must never be read.
 */
static enum err_code check_size(const struct store *s, const struct paths *p, struct err *e)
{
    struct stat st;

    if (stat(p->db, &st) != 0)
        return err_set_errno(e, ERR_IO, "cannot look at '%s'", p->db);
    if (!S_ISREG(st.st_mode) || st.st_size == 0)
        return store_damaged(s->dir, e, "state.db is empty");
    return ERR_OK;
}

/* Where nothing can be written, not even SQLite's shared memory, and no WAL waits to be read. */
static bool is_immutable(const struct store *s, const struct paths *p)
{
    struct stat st;
    return s->read_only && access(p->dir, W_OK) != 0 && (stat(p->wal, &st) != 0 || st.st_size == 0);
}

static enum err_code open_all(struct store *s, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct paths p;
    int64_t seq = 0;

    paths_init(&p, a, s->dir);
    TRY(prepare(s, &p, e));
    TRY(check_size(s, &p, e));
    enum err_code r = fingerprint_key_open(p.key, &s->key, e);
    if (r == ERR_DAMAGED)
        return store_damaged(s->dir, e, "state.key has not its 32 bytes");
    TRY(r);
    store_derive_id(s);
    /* Before the database: a commit between the two makes that one newer, which is fine. */
    TRY(seq_open(s, p.seq, &seq, e));
    clean_look(s, &p);
    TRY(db_open(s, p.db, is_immutable(s, &p), e));
    TRY(store_check(s, seq, e));
    /* A creation that was complete but for its last step. */
    if (p.has_marker && !s->read_only && unlink(p.marker) != 0 && errno != ENOENT)
        return err_set_errno(e, ERR_IO, "cannot remove '%s'", p.marker);
    return ERR_OK;
}

enum err_code store_open(const char *dir, const struct store_config *cfg, struct store **out,
                         struct err *e)
{
    CLEANUP(store_closep) struct store *s = store_new(dir, cfg);

    TRY(open_all(s, e));
    *out = s;
    s = NULL;
    return ERR_OK;
}

const char *store_id(const struct store *s)
{
    return s->id;
}

const struct fingerprint_key *store_key(const struct store *s)
{
    return &s->key;
}

const char *store_dir(const struct store *s)
{
    return s->dir;
}

enum err_code store_lock(struct store *s, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();

    if (s->lock_fd >= 0)
        return ERR_OK;
    return lock_take(path_join(a, s->dir, "lock"), s->clock, (struct ms){0}, &s->lock_fd, e);
}

void store_unlock(struct store *s)
{
    lock_drop(&s->lock_fd);
}
