#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A store comes into being in this order, each step on disk before the next:
 *
 *   state.new      "a creation has begun": only with it may key and database be missing one another
 *   state.key      made once
 *   state.db.new   the whole schema; then renamed to state.db, which is the moment of birth
 *   state.new      goes
 *
 * A crash anywhere leaves something that the next start completes. A key without a database and
 * without state.new is a store that has lost its content, and is refused.
 */

static const char *const SIDES[] = {"", "-wal", "-shm", "-journal"};

void paths_init(struct paths *p, struct arena *a, const char *dir)
{
    *p = (struct paths){
        .dir = arena_strdup(a, dir),
        .db = path_join(a, dir, "state.db"),
        .wal = path_join(a, dir, "state.db-wal"),
        .shm = path_join(a, dir, "state.db-shm"),
        .key = path_join(a, dir, "state.key"),
        .seq = path_join(a, dir, "state.seq"),
        .clean = path_join(a, dir, "state.clean"),
        .lock = path_join(a, dir, "lock"),
        .marker = path_join(a, dir, "state.new"),
    };
}

static enum err_code look(const char *path, bool *out_there, struct err *e)
{
    struct stat st;

    *out_there = lstat(path, &st) == 0;
    if (!*out_there && errno != ENOENT && errno != ENOTDIR)
        return err_set_errno(e, ERR_IO, "cannot look at '%s'", path);
    return ERR_OK;
}

enum err_code paths_look(struct paths *p, struct err *e)
{
    TRY(look(p->db, &p->has_db, e));
    TRY(look(p->key, &p->has_key, e));
    return look(p->marker, &p->has_marker, e);
}

enum err_code folder_check(const char *dir, struct err *e)
{
    struct stat st;

    if (stat(dir, &st) != 0)
        return err_set_errno(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "no state in '%s'", dir);
    if (!S_ISDIR(st.st_mode))
        return err_set(e, ERR_IO, "'%s' is not a folder", dir);
    /* root reads everybody's; what it makes there is told apart by its owner, and harmless. */
    if (st.st_uid != geteuid() && geteuid() != 0)
        return err_set(e, ERR_IO, "state folder '%s' belongs to another user", dir);
    if ((st.st_mode & 022) != 0)
        return err_set(e, ERR_IO,
                       "others may write in state folder '%s' (mode %04o): chmod 700 '%s'", dir,
                       (unsigned)st.st_mode & 07777, dir);
    return ERR_OK;
}

static enum err_code remove_file(const char *path, struct err *e)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return err_set_errno(e, ERR_IO, "cannot remove '%s'", path);
    return ERR_OK;
}

static enum err_code sync_folder(const char *dir, struct err *e)
{
    CLEANUP(fd_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
        return err_set_errno(e, ERR_IO, "cannot sync folder '%s'", dir);
    return ERR_OK;
}

/* What SQLite would take for a part of a database of that name. */
static enum err_code clear_name(const char *path, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();

    for (size_t i = 0; i < ARRAY_LEN(SIDES); i++)
        TRY(remove_file(arena_printf(a, "%s%s", path, SIDES[i]), e));
    /* With its mode from the start: SQLite would make it by the umask, and -wal after it. */
    CLEANUP(fd_closep) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(e, ERR_IO, "cannot make '%s'", path);
    return ERR_OK;
}

static enum err_code fill(struct store *s, struct err *e)
{
    CLEANUP(txn_end) struct txn t = TXN_INIT(s);
    static const char *const TALLIED[] = {META_SLAVES, META_STATUS, META_SELF};
    struct meta m = {.text = NULL};
    char hash[FINGERPRINT_HEX];

    TRY(txn_write(&t, e));
    TRY(schema_migrate(s, 0, e));
    tally_init(&m.tally);
    for (size_t i = 0; i < ARRAY_LEN(TALLIED); i++)
        TRY(meta_put(&t, TALLIED[i], &m, e));
    TRY(schema_hash(s, hash, e));
    m.text = hash;
    m.num = SCHEMA_VERSION;
    TRY(meta_put(&t, META_SCHEMA, &m, e));
    m.text = s->id;
    m.num = 0;
    TRY(meta_put(&t, META_STORE, &m, e));
    return db_exec(s, "COMMIT", e); /* generation 0: nothing to be noted */
}

static enum err_code build(struct store *s, const struct paths *p, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const char *path = arena_printf(a, "%s.new", p->db);

    TRY(clear_name(path, e));
    TRY(db_open(s, path, false, e));
    enum err_code r = db_use_wal(s, e);
    if (r == ERR_OK)
        r = fill(s, e);
    db_close(s); /* the last connection: all of the WAL goes into the file */
    TRY(r);
    TRY(seq_create(s, p->seq, e));
    /* A WAL that a removed database left behind would be played into the new one. */
    TRY(remove_file(p->wal, e));
    TRY(remove_file(p->shm, e));
    if (rename(path, p->db) != 0)
        return err_set_errno(e, ERR_IO, "cannot make '%s'", p->db);
    return sync_folder(p->dir, e);
}

enum err_code store_create(struct store *s, struct paths *p, struct err *e)
{
    CLEANUP(lock_drop) int lock = -1;

    TRY(lock_take(p->lock, s->clock, (struct ms){STORE_BUSY_MS}, &lock, e));
    TRY(paths_look(p, e)); /* again: somebody else may have been quicker */
    if (p->has_db)
        return ERR_OK;
    if (p->has_key && !p->has_marker)
        return store_damaged(p->dir, e, "state.key is there but state.db is missing");
    if (!p->has_marker)
        TRY(file_write_atomic(p->marker, "", 0, 0600, e));
    TRY(fingerprint_key_open(p->key, &s->key, e));
    store_derive_id(s);
    enum err_code r = build(s, p, e);
    fingerprint_key_release(&s->key);
    TRY(r);
    TRY(remove_file(p->marker, e));
    TRY(sync_folder(p->dir, e));
    return paths_look(p, e);
}

/* ---- Setting aside -----------------------------------------------------------------------------
 */

static bool key_is_sound(const char *path)
{
    struct err ignored = ERR_INIT;
    struct fingerprint_key k = {NULL};

    bool sound = fingerprint_key_open(path, &k, &ignored) == ERR_OK;
    fingerprint_key_release(&k);
    return sound;
}

/* A folder that was not there before, named after the time. */
static enum err_code make_aside(struct arena *a, const char *dir, const struct clock *clock,
                                const char **out_path, struct err *e)
{
    char when[24];
    const char *base = arena_printf(a, "%s/damaged-%s", dir, wall_format(clock_wall(clock), when));

    for (int i = 1; i < 1000; i++) {
        const char *path = i == 1 ? base : arena_printf(a, "%s-%d", base, i);
        if (mkdir(path, 0700) == 0) {
            *out_path = path;
            return ERR_OK;
        }
        if (errno != EEXIST)
            break;
    }
    return err_set_errno(e, ERR_IO, "cannot make folder '%s'", base);
}

static enum err_code move_into(struct arena *a, const char *path, const char *dir, struct err *e)
{
    const char *to = path_join(a, dir, strrchr(path, '/') + 1);

    if (rename(path, to) != 0 && errno != ENOENT)
        return err_set_errno(e, ERR_IO, "cannot move '%s' to '%s'", path, to);
    return ERR_OK;
}

enum err_code store_set_aside(const char *dir, const struct clock *clock, struct arena *a,
                              const char **out_where, struct err *e)
{
    const struct clock *c = clock == NULL ? &clock_system : clock;
    CLEANUP(lock_drop) int lock = -1;
    const char *where = NULL;
    struct paths p;

    TRY(folder_check(dir, e));
    paths_init(&p, a, dir);
    TRY(lock_take(p.lock, c, (struct ms){0}, &lock, e));
    TRY(paths_look(&p, e));
    if (!p.has_db && !p.has_key)
        return err_set(e, ERR_NOT_FOUND, "no state in '%s'", dir);
    bool keep_key = p.has_key && key_is_sound(p.key);
    TRY(make_aside(a, dir, c, &where, e));
    /* From here on a crash is completed by the next store_open. The database goes before its WAL:
     * the other way round a crash would leave it without its newest commits. */
    TRY(file_write_atomic(p.marker, "", 0, 0600, e));
    TRY(move_into(a, p.db, where, e));
    TRY(move_into(a, p.wal, where, e));
    TRY(move_into(a, p.shm, where, e));
    TRY(move_into(a, p.seq, where, e));
    TRY(move_into(a, p.clean, where, e));
    if (!keep_key)
        TRY(move_into(a, p.key, where, e));
    TRY(sync_folder(dir, e));
    *out_where = where;
    return ERR_OK;
}
