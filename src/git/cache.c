/*
 * The folder of the cache. It is made under another name and renamed when complete, so that a
 * killed process leaves either a cache or something that is recognised as ours and removed. The
 * file "mirrorctl-cache" in it says that it is ours: nothing else is ever removed or moved.
 */
#include "source.h"

#include "wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LOCK_LOOK_MS = 50,   /* between two looks at a lock that another process holds */
    FACTS_BYTES = 32768, /* of the file that remembers; an address and a path fit */
    FACTS_WORKFLOW_BYTES = 16384,
    REFS_BYTES = 128 << 20, /* a million refs of a usual length */
    STAMP_DEPTH = 64,       /* folders below refs/: a ref name has 1 KB */
};

#define FACTS_FILE    "mirrorctl-cache"
#define REFS_FILE     "mirrorctl-refs"
#define DAMAGED_FILE  "mirrorctl-damaged"
#define FACTS_VERSION "mirrorctl cache 1"

/* ---- Lock ------------------------------------------------------------------------------------ */

enum err_code cache_lock(const char *dir, bool shared, struct ms wait,
                         const volatile int *interrupted, int *out_fd, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const char *path = arena_printf(a, "%s.lock", dir);
    int64_t until = clock_mono(&clock_system).ms + wait.v;
    CLEANUP(fd_closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_set_errno(e, ERR_IO, "cannot open '%s'", path);
    while (flock(fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return err_set_errno(e, ERR_IO, "cannot lock '%s'", path);
        if (interrupted != NULL && *interrupted != 0)
            return err_set(e, ERR_INTERRUPTED, "stopped while waiting for '%s'", path);
        if (clock_mono(&clock_system).ms >= until)
            return err_set(e, ERR_TIMEOUT,
                           "the cache '%s' is in use by another mirrorctl or its git fetch", dir);
        clock_sleep(&clock_system, (struct ms){LOCK_LOOK_MS});
    }
    *out_fd = fd;
    fd = -1;
    return ERR_OK;
}

void cache_close(struct cache *c)
{
    fd_closep(&c->lock_fd);
}

/* ---- Removing -------------------------------------------------------------------------------- */

static bool exists(struct arena *a, const char *dir, const char *name)
{
    struct stat st;
    return lstat(path_join(a, dir, name), &st) == 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* Only what is ours, or an empty folder. Nothing there is fine. */
static enum err_code remove_ours(struct arena *a, const char *dir, struct err *e)
{
    if (rmdir(dir) == 0 || errno == ENOENT)
        return ERR_OK;
    if (!exists(a, dir, FACTS_FILE))
        return err_set(e, ERR_REFUSED,
                       "'%s' is there but is no cache of mirrorctl: name another place for it",
                       dir);
    if (nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        return err_set_errno(e, ERR_IO, "cannot remove the old cache '%s'", dir);
    return ERR_OK;
}

static bool is_stale_name(const char *name)
{
    return str_ends_with(name, ".lock") || str_starts_with(name, "tmp_") ||
           str_starts_with(name, ".tmp-");
}

static int remove_stale(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    if (type == FTW_F && is_stale_name(path + ftw->base))
        (void)unlink(path);
    return 0;
}

/*
 * What killed processes left: lock files, half-written packs. The lock is ours alone, and git
 * children keep it as long as they live, so nobody is using them.
 */
static void clean(const char *dir)
{
    (void)nftw(dir, remove_stale, 16, FTW_PHYS);
}

static enum err_code move_aside(struct cache *c, struct err *e)
{
    char when[24];
    struct tm tm;
    time_t now = time(NULL);

    if (!exists(c->arena, c->dir, FACTS_FILE))
        return remove_ours(c->arena, c->dir, e);
    (void)gmtime_r(&now, &tm);
    if (strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm) == 0)
        when[0] = '\0';
    const char *aside = arena_printf(c->arena, "%s.damaged-%s", c->dir, when);
    for (int i = 2; rename(c->dir, aside) != 0; i++) {
        if ((errno != EEXIST && errno != ENOTEMPTY) || i > 100)
            return err_set_errno(e, ERR_IO, "cannot move the damaged cache '%s' aside", c->dir);
        aside = arena_printf(c->arena, "%s.damaged-%s-%d", c->dir, when, i);
    }
    return ERR_OK;
}

/* ---- What it remembers ----------------------------------------------------------------------- */

/* More would not fit, or not into lines; such lists are read from the repository each time. */
static bool is_memorable(const struct workflow_list *list)
{
    size_t bytes = 0;

    for (size_t i = 0; i < list->n; i++) {
        if (strchr(list->files[i], '\n') != NULL)
            return false;
        bytes += strlen(list->files[i]) + 1;
    }
    return list->commit != NULL && bytes <= FACTS_WORKFLOW_BYTES;
}

static enum err_code write_facts(struct arena *a, const char *dir, const struct cache_facts *f,
                                 struct err *e)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(FACTS_BYTES);

    TRY(buf_addf(&text, e,
                 FACTS_VERSION "\nurl %s\nlocal %s\nhead %s\nrefs %zu\nwhole %016" PRIx64 "\n",
                 f->url, f->local, f->default_branch, f->refs, f->whole));
    if (is_memorable(&f->workflows)) {
        TRY(buf_addf(&text, e, "workflows %s\n", f->workflows.commit));
        for (size_t i = 0; i < f->workflows.n; i++)
            TRY(buf_addf(&text, e, "%s\n", f->workflows.files[i]));
    }
    return file_write_atomic(path_join(a, dir, FACTS_FILE), text.data, text.len, 0600, e);
}

static const char *fact(char **text, const char *key)
{
    char *line = strsep(text, "\n");
    if (line == NULL || !str_starts_with(line, key))
        return NULL;
    return line + strlen(key);
}

static void read_workflows(struct arena *a, char **text, struct workflow_list *out)
{
    size_t cap = 0;
    const char *file;

    *out = (struct workflow_list){.commit = fact(text, "workflows ")};
    while (out->commit != NULL && (file = strsep(text, "\n")) != NULL) {
        if (*file == '\0')
            continue;
        out->files = arena_grow(a, out->files, out->n, &cap, sizeof(*out->files));
        out->files[out->n++] = file;
    }
}

/* The refs that were found whole, one line each as git's packed-refs has them. */
static enum err_code write_refs(struct arena *a, const char *dir, const struct git_source *s,
                                struct err *e)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(REFS_BYTES);

    for (size_t i = 0; i < s->n; i++)
        TRY(buf_addf(&text, e, "%s %s\n", s->refs[i].oid, s->refs[i].name));
    return file_write_atomic(path_join(a, dir, REFS_FILE), text.data, text.len, 0600, e);
}

bool cache_recall_refs(const struct cache *c, struct arena *a, struct git_refs *out)
{
    CLEANUP(buf_release) struct buf bytes = BUF_INIT(REFS_BYTES);
    struct err ignored = ERR_INIT;
    size_t cap = 0;
    const char *line;

    *out = (struct git_refs){.n = 0};
    if (file_read(path_join(a, c->dir, REFS_FILE), &bytes, &ignored) != ERR_OK)
        return false;
    char *text = arena_strdup(a, buf_str(&bytes));
    while ((line = strsep(&text, "\n")) != NULL && *line != '\0') {
        char *name = strchr(line, ' ');
        if (name == NULL)
            return false;
        *name++ = '\0';
        out->items = arena_grow(a, out->items, out->n, &cap, sizeof(*out->items));
        out->items[out->n++] = (struct git_ref){.name = name, .oid = line};
    }
    return c->facts.whole == cache_stamp(c->dir, out->items, out->n);
}

/* False: the file says nothing that can be relied upon. */
static bool read_facts(struct arena *a, const char *dir, struct cache_facts *out)
{
    CLEANUP(buf_release) struct buf bytes = BUF_INIT(FACTS_BYTES);
    struct err ignored = ERR_INIT;

    if (file_read(path_join(a, dir, FACTS_FILE), &bytes, &ignored) != ERR_OK)
        return false;
    char *text = arena_strdup(a, buf_str(&bytes));
    const char *version = fact(&text, FACTS_VERSION);
    int64_t refs = -1;
    *out = (struct cache_facts){
        .url = fact(&text, "url "),
        .local = fact(&text, "local "),
        .default_branch = fact(&text, "head "),
    };
    const char *count = fact(&text, "refs ");
    if (count == NULL || str_to_i64(count, 0, LIMIT_REFS, &refs, &ignored) != ERR_OK)
        return false;
    out->refs = (size_t)refs;
    const char *whole = fact(&text, "whole ");
    out->whole = whole == NULL ? 0 : strtoull(whole, NULL, 16); /* garbage fits no folder */
    read_workflows(a, &text, &out->workflows);
    return version != NULL && *version == '\0' && out->url != NULL && out->local != NULL &&
           out->default_branch != NULL;
}

enum err_code cache_remember(struct cache *c, const struct git_source *s, uint64_t whole,
                             struct err *e)
{
    const struct cache_facts new = {
        .url = c->facts.url,
        .local = c->facts.local,
        .default_branch = s->default_branch == NULL ? "" : s->default_branch,
        .refs = s->n,
        .whole = whole,
        .workflows = s->workflows,
    };

    if (str_eq(c->facts.default_branch, new.default_branch) && c->facts.refs == new.refs &&
        c->facts.whole == new.whole &&str_eq(c->facts.workflows.commit, new.workflows.commit))
        return ERR_OK;
    /* Refs that facts do not vouch for yet, or no more, are of no use, and do no harm. */
    if (whole != 0 && whole != c->facts.whole)
        TRY(write_refs(c->arena, c->dir, s, e));
    return write_facts(c->arena, c->dir, &new, e);
}

/* ---- From outside ---------------------------------------------------------------------------- */

static const uint64_t FNV_START = 0xcbf29ce484222325ULL, FNV_PRIME = 0x100000001b3ULL;

static uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;

    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * FNV_PRIME;
    return h;
}

static uint64_t mix_file(const char *name, const struct stat *st)
{
    const int64_t facts[] = {(int64_t)st->st_ino, (int64_t)st->st_size, (int64_t)st->st_mtim.tv_sec,
                             (int64_t)st->st_mtim.tv_nsec};
    return mix(mix(FNV_START, name, strlen(name) + 1), facts, sizeof(facts));
}

/* Everything below a folder; files are added up, since no order is promised. */
static uint64_t stamp_folder(struct arena *a, const char *dir, int depth)
{
    uint64_t sum = 0;
    struct dirent *de;
    struct stat st;
    DIR *d = depth > 0 ? opendir(dir) : NULL;

    while (d != NULL && (de = readdir(d)) != NULL) {
        if (str_eq(de->d_name, ".") || str_eq(de->d_name, "..") ||
            fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        const char *path = path_join(a, dir, de->d_name);
        sum += S_ISDIR(st.st_mode) ? stamp_folder(a, path, depth - 1) : mix_file(path, &st);
    }
    if (d != NULL)
        (void)closedir(d);
    return sum;
}

uint64_t cache_stamp(const char *dir, const struct git_ref *refs, size_t n)
{
    static const char *const FILES[] = {"HEAD", "config", "packed-refs", "objects/info/alternates"};
    static const char *const FOLDERS[] = {"objects/pack", "refs/master"};
    CLEANUP(arena_freep) struct arena *a = arena_new();
    uint64_t h = FNV_START;
    struct stat st;

    for (size_t i = 0; i < ARRAY_LEN(FILES); i++) {
        uint64_t file = lstat(path_join(a, dir, FILES[i]), &st) == 0 ? mix_file(FILES[i], &st) : 0;
        h = mix(h, &file, sizeof(file));
    }
    for (size_t i = 0; i < ARRAY_LEN(FOLDERS); i++) {
        uint64_t folder = stamp_folder(a, path_join(a, dir, FOLDERS[i]), STAMP_DEPTH);
        h = mix(h, &folder, sizeof(folder));
    }
    for (size_t i = 0; i < n; i++) {
        h = mix(h, refs[i].name, strlen(refs[i].name) + 1);
        h = mix(h, refs[i].oid, strlen(refs[i].oid) + 1);
    }
    return h == 0 ? 1 : h;
}

void cache_mark_damaged(const char *dir)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct err ignored = ERR_INIT;
    (void)file_write_atomic(path_join(a, dir, DAMAGED_FILE), "", 0, 0600, &ignored);
}

/* ---- Making ---------------------------------------------------------------------------------- */

static enum err_code configure(git_repository *repo, struct err *e)
{
    static const struct {
        const char *key, *value;
    } CONFIG[] = {
        {"gc.auto", "0"}, /* maintained here, when nobody waits */
        {"maintenance.auto", "false"},
        {"core.hooksPath", "/dev/null"},
        {"core.logAllRefUpdates", "false"},
        {"fetch.unpackLimit", "1"}, /* what came as a pack stays one */
        /* A mirror takes what the master has. Whether old sins of a history are forgiven is up to
         * each slave's own server; contents are verified by their ids in any case. */
        {"transfer.fsckObjects", "false"},
    };
    CLEANUP(free_git_config) git_config *config = NULL;

    if (git_repository_config(&config, repo) != 0)
        return git2_error(e, ERR_IO, "cannot configure the cache");
    for (size_t i = 0; i < ARRAY_LEN(CONFIG); i++) {
        if (git_config_set_string(config, CONFIG[i].key, CONFIG[i].value) != 0)
            return git2_error(e, ERR_IO, "cannot configure the cache");
    }
    return ERR_OK;
}

static enum err_code init_repository(struct arena *a, const char *dir,
                                     const struct cache_facts *facts, struct err *e)
{
    CLEANUP(free_git_repository) git_repository *repo = NULL;
    git_repository_init_options opts;

    if (git_repository_init_options_init(&opts, GIT_REPOSITORY_INIT_OPTIONS_VERSION) != 0)
        return git2_error(e, ERR_IO, "cannot make the cache '%s'", dir);
    opts.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_NO_REINIT;
    opts.initial_head = "main";
    if (git_repository_init_ext(&repo, dir, &opts) != 0)
        return git2_error(e, ERR_IO, "cannot make the cache '%s'", dir);
    TRY(configure(repo, e));
    if (facts->local[0] == '\0')
        return ERR_OK;
    const char *info = path_join(a, dir, "objects/info");
    const char *line = arena_printf(a, "%s\n", facts->local);
    TRY(dir_make(info, 0700, e));
    return file_write_atomic(path_join(a, info, "alternates"), line, strlen(line), 0600, e);
}

static enum err_code make(struct cache *c, struct err *e)
{
    const char *fresh = arena_printf(c->arena, "%s.new", c->dir);

    TRY(git_init(e));
    TRY(remove_ours(c->arena, fresh, e));
    TRY(dir_make(fresh, 0700, e));
    c->facts =
        (struct cache_facts){.url = c->facts.url, .local = c->facts.local, .default_branch = ""};
    TRY(write_facts(c->arena, fresh, &c->facts, e));
    TRY(init_repository(c->arena, fresh, &c->facts, e));
    if (rename(fresh, c->dir) != 0)
        return err_set_errno(e, ERR_IO, "cannot make the cache '%s'", c->dir);
    c->fresh = true;
    return ERR_OK;
}

enum err_code cache_rebuild(struct cache *c, struct err *e)
{
    TRY(move_aside(c, e));
    return make(c, e);
}

/* ---- Opening --------------------------------------------------------------------------------- */

/* Git compares real paths (safe.directory), and a child may run in another folder. */
static enum err_code real_dir(struct arena *a, const char *dir, const char **out, struct err *e)
{
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    const char *trimmed = arena_strndup(a, dir, n), *slash = strrchr(trimmed, '/');
    const char *parent = path_dir(a, trimmed);

    TRY(dir_make(parent, 0700, e));
    char *real = realpath(parent, NULL);
    if (real == NULL)
        return err_set_errno(e, ERR_IO, "cannot find '%s'", parent);
    *out = path_join(a, arena_strdup(a, real), slash == NULL ? trimmed : slash + 1);
    free(real);
    return ERR_OK;
}

static enum err_code look(struct cache *c, const struct cache_facts *wanted, struct err *e)
{
    struct stat st;
    struct cache_facts found = {.url = NULL};

    if (lstat(c->dir, &st) != 0 && errno == ENOENT)
        return make(c, e);
    if (!exists(c->arena, c->dir, FACTS_FILE)) { /* empty, or refused */
        TRY(remove_ours(c->arena, c->dir, e));
        return make(c, e);
    }
    if (!read_facts(c->arena, c->dir, &found) || exists(c->arena, c->dir, DAMAGED_FILE))
        return cache_rebuild(c, e);
    if (!str_eq(found.url, wanted->url) || !str_eq(found.local, wanted->local)) {
        TRY(remove_ours(c->arena, c->dir, e));
        return make(c, e);
    }
    c->facts = found;
    clean(c->dir);
    return ERR_OK;
}

enum err_code cache_open(struct cache *c, struct arena *a, const char *dir,
                         const struct cache_facts *wanted, struct ms wait,
                         const volatile int *interrupted, struct err *e)
{
    *c = (struct cache){.arena = a, .lock_fd = -1, .facts = *wanted};
    TRY(real_dir(a, dir, &c->dir, e));
    TRY(cache_lock(c->dir, false, wait, interrupted, &c->lock_fd, e));
    return look(c, wanted, e);
}
