/*
 * Packs. Slaves of one master nearly always need the same objects, so a pack is built once per
 * (wants, haves) into an unlinked file, and everybody reads it with pread. The first who asks
 * builds, the others wait for it.
 */
#include "source.h"

#include "failure.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NEED_BYTES = (OID_SHA1_HEX + 2) * 2 * LIMIT_REFS, /* a line for each want and each have */
    EMPTY_PACK = 32,
    OUT_UNUSED = 1024, /* stdout goes to the file */
};

enum shared_state { SHARED_BUILDING, SHARED_READY, SHARED_FAILED };

struct shared {
    git_oid key; /* of what pack-objects is told, and how */
    enum shared_state state;
    struct pack pack;
    struct err err; /* of SHARED_FAILED */
    size_t waiting; /* threads that will look at it */
    struct shared *next;
};

struct pack_shelf {
    pthread_mutex_t lock;
    pthread_cond_t done;
    struct shared *first;
};

struct pack_shelf *pack_shelf_new(void)
{
    struct pack_shelf *shelf = mem_alloc(sizeof(*shelf));
    (void)pthread_mutex_init(&shelf->lock, NULL);
    (void)pthread_cond_init(&shelf->done, NULL);
    return shelf;
}

static void shared_free(struct shared *x)
{
    fd_closep(&x->pack.fd);
    free(x);
}

void pack_shelf_free(struct pack_shelf *shelf)
{
    if (shelf == NULL)
        return;
    for (struct shared *x = shelf->first; x != NULL;) {
        struct shared *next = x->next;
        shared_free(x);
        x = next;
    }
    (void)pthread_cond_destroy(&shelf->done);
    (void)pthread_mutex_destroy(&shelf->lock);
    free(shelf);
}

/* ---- What is needed -------------------------------------------------------------------------- */

struct request {
    struct arena *arena;
    const char **wants, **haves; /* sorted, each once */
    size_t n_wants, n_haves;
    bool ofs_delta;
};

static int compare_hex(const void *x, const void *y)
{
    const char *const *a = x, *const *b = y;
    return strcmp(*a, *b);
}

static size_t sort_unique(const char **list, size_t n)
{
    size_t kept = 0;

    if (n > 1)
        qsort(list, n, sizeof(*list), compare_hex);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || !str_eq(list[kept - 1], list[i]))
            list[kept++] = list[i];
    }
    return kept;
}

static const char **copy_list(struct arena *a, const char *const *list, size_t n)
{
    const char **copy = arena_alloc(a, (n + 1) * sizeof(*copy));
    if (n > 0)
        memcpy(copy, list, n * sizeof(*copy));
    return copy;
}

/*
 * A want that the other side has need not be sent, nor be known here (a rescue ref is made of the
 * other side's own commit); a have that is not here says nothing to pack-objects.
 */
static enum err_code make_request(struct git_source *s, const struct pack_need *need,
                                  struct request *r, struct err *e)
{
    size_t kept = 0;
    git_oid oid;

    r->ofs_delta = need->ofs_delta;
    r->haves = copy_list(r->arena, need->haves, need->n_haves);
    r->n_haves = sort_unique(r->haves, need->n_haves);
    r->wants = copy_list(r->arena, need->wants, need->n_wants);
    r->n_wants = sort_unique(r->wants, need->n_wants);
    for (size_t i = 0; i < r->n_wants; i++) {
        if (bsearch(&r->wants[i], r->haves, r->n_haves, sizeof(*r->haves), compare_hex) != NULL)
            continue;
        TRY(oid_parse(r->wants[i], &oid, e));
        if (!source_has(s, &oid))
            return err_set(e, ERR_NOT_FOUND, "the object %s is not in the cache", r->wants[i]);
        r->wants[kept++] = r->wants[i];
    }
    r->n_wants = kept;
    kept = 0;
    for (size_t i = 0; i < r->n_haves; i++) {
        if (git_oid_fromstr(&oid, r->haves[i]) == 0 && source_has(s, &oid))
            r->haves[kept++] = r->haves[i];
    }
    r->n_haves = kept;
    return ERR_OK;
}

static enum err_code request_text(const struct request *r, struct buf *out, struct err *e)
{
    for (size_t i = 0; i < r->n_wants; i++)
        TRY(buf_addf(out, e, "%s\n", r->wants[i]));
    for (size_t i = 0; i < r->n_haves; i++)
        TRY(buf_addf(out, e, "^%s\n", r->haves[i]));
    return ERR_OK;
}

/* ---- Building -------------------------------------------------------------------------------- */

/* A file that is gone when its last descriptor is: nothing to clean up after a kill. */
static int open_unlinked(struct arena *a, const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    char *path = arena_printf(a, "%s/tmp_pack_XXXXXX", dir); /* a name that cache_open cleans */
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        (void)unlink(path);
    return fd;
}

static enum err_code run_pack_objects(struct git_source *s, const struct request *r,
                                      const struct buf *text, int fd, struct err *e)
{
    CLEANUP(child_result_release) struct child_result result = child_result_init(OUT_UNUSED);
    struct child_spec spec = CHILD_SPEC_INIT;
    const char *argv[] = {"git",
                          arena_printf(r->arena, "--git-dir=%s", s->cache_dir),
                          "pack-objects",
                          "--revs",
                          "--thin",
                          "--stdout",
                          "-q",
                          r->ofs_delta ? "--delta-base-offset" : NULL,
                          NULL};

    spec.argv = argv;
    spec.env = cache_env(r->arena, s->cache_dir);
    spec.stdin_bytes = text->data;
    spec.stdin_len = text->len;
    spec.stdout_fd = fd;
    spec.deadline = s->deadline;
    spec.interrupted = s->interrupted;
    if (child_run(&spec, &result, e) != ERR_OK)
        return err_wrap(e, "cannot pack the objects");
    if (result.status == 0)
        return ERR_OK;
    const char *said = buf_str(&result.err);
    if (failure_is_damage(said)) {
        cache_mark_damaged(s->cache_dir);
        (void)failure_of_child(s->cache_dir, result.status, said, e);
        e->code = ERR_DAMAGED;
        return err_wrap(e, "the cache is damaged; the next run builds it anew");
    }
    enum err_code code = failure_of_child(s->cache_dir, result.status, said, e);
    if (code == ERR_UNAVAILABLE) /* that word is for the other side */
        e->code = ERR_IO;
    return err_wrap(e, "cannot pack the objects");
}

static enum err_code write_empty(int fd, struct err *e)
{
    /* Version 2, no objects, and the SHA-1 of that. */
    static const unsigned char BYTES[EMPTY_PACK] = {'P',  'A',  'C',  'K',  0,    0,    0,    2,
                                                    0,    0,    0,    0,    0x02, 0x9d, 0x08, 0x82,
                                                    0x3b, 0xd8, 0xa8, 0xea, 0xb5, 0x10, 0xad, 0x6a,
                                                    0xc7, 0x5c, 0x82, 0x3c, 0xfd, 0x3e, 0xd3, 0x1e};

    if (pwrite(fd, BYTES, sizeof(BYTES), 0) != (ssize_t)sizeof(BYTES))
        return err_set_errno(e, ERR_IO, "cannot write a pack");
    return ERR_OK;
}

static enum err_code build(struct git_source *s, const struct request *r, const struct buf *text,
                           struct pack *out, struct err *e)
{
    struct stat st;
    CLEANUP(fd_closep) int fd = open_unlinked(r->arena, s->cache_dir);

    if (fd < 0)
        return err_set_errno(e, ERR_IO, "cannot make a file for the pack in '%s'", s->cache_dir);
    if (r->n_wants == 0)
        TRY(write_empty(fd, e));
    else
        TRY(run_pack_objects(s, r, text, fd, e));
    if (fstat(fd, &st) != 0)
        return err_set_errno(e, ERR_IO, "cannot look at the pack");
    if (st.st_size < EMPTY_PACK)
        return err_set(e, ERR_IO, "git pack-objects wrote no pack");
    *out = (struct pack){.fd = fd, .size = st.st_size};
    fd = -1;
    return ERR_OK;
}

/* ---- Sharing --------------------------------------------------------------------------------- */

static void unlink_shared(struct pack_shelf *shelf, struct shared *x)
{
    for (struct shared **at = &shelf->first; *at != NULL; at = &(*at)->next) {
        if (*at == x) {
            *at = x->next;
            return;
        }
    }
}

static struct shared *find_shared(struct pack_shelf *shelf, const git_oid *key)
{
    for (struct shared *x = shelf->first; x != NULL; x = x->next) {
        if (git_oid_cmp(&x->key, key) == 0)
            return x;
    }
    return NULL;
}

/* Called with the lock. A failure is told to all who waited, and then forgotten: the next may try.
 */
static enum err_code take_shared(struct pack_shelf *shelf, struct shared *x, struct pack *out,
                                 struct err *e)
{
    x->waiting++;
    while (x->state == SHARED_BUILDING)
        (void)pthread_cond_wait(&shelf->done, &shelf->lock);
    x->waiting--;
    if (x->state == SHARED_READY) {
        *out = x->pack;
        return ERR_OK;
    }
    *e = x->err;
    if (x->waiting == 0)
        shared_free(x);
    return e->code;
}

static enum err_code build_shared(struct git_source *s, const git_oid *key, const struct request *r,
                                  const struct buf *text, struct pack *out, struct err *e)
{
    struct pack_shelf *shelf = s->packs;
    struct shared *x = mem_alloc(sizeof(*x));

    *x = (struct shared){.key = *key, .pack.fd = -1, .next = shelf->first};
    shelf->first = x;
    (void)pthread_mutex_unlock(&shelf->lock);
    enum err_code code = build(s, r, text, &x->pack, e);
    (void)pthread_mutex_lock(&shelf->lock);

    (void)pthread_cond_broadcast(&shelf->done);
    if (code == ERR_OK) {
        x->state = SHARED_READY;
        *out = x->pack;
        return ERR_OK;
    }
    x->state = SHARED_FAILED;
    x->err = *e;
    unlink_shared(shelf, x);
    if (x->waiting == 0)
        shared_free(x);
    return code;
}

enum err_code pack_get(struct git_source *s, const struct pack_need *need, struct pack *out,
                       struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(buf_release) struct buf text = BUF_INIT(NEED_BYTES);
    struct request r = {.arena = a};
    git_oid key;

    TRY(source_lock(s, e));
    enum err_code code = make_request(s, need, &r, e);
    source_unlock(s);
    TRY(code);
    TRY(buf_addstr(&text, r.ofs_delta ? "o" : "r", e));
    TRY(request_text(&r, &text, e));
    if (git_odb_hash(&key, text.data, text.len, GIT_OBJECT_BLOB) != 0)
        return git2_error(e, ERR_IO, "cannot name the pack");
    buf_clear(&text);
    TRY(request_text(&r, &text, e));

    (void)pthread_mutex_lock(&s->packs->lock);
    struct shared *x = find_shared(s->packs, &key);
    code = x != NULL ? take_shared(s->packs, x, out, e) : build_shared(s, &key, &r, &text, out, e);
    (void)pthread_mutex_unlock(&s->packs->lock);
    return code;
}
