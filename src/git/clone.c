/*
 * A user's clone, read and never changed: which refs its master has, as far as the clone knows.
 */
#include "source.h"

#include "wire.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What the configuration says about one remote. */
struct remote_lines {
    const char *name;
    const char *url;     /* the first; as written */
    git_refspec **specs; /* of its fetch lines */
    size_t n_specs, cap_specs;
};

struct instead {
    const char *prefix, *base; /* url.BASE.insteadOf = PREFIX */
};

struct reading {
    struct arena *arena;
    git_repository *repo;
    struct remote_lines *remotes;
    size_t n_remotes, cap_remotes;
    struct instead *insteads;
    size_t n_insteads, cap_insteads;
    const struct remote_lines *remote; /* the one that is the master; NULL: none */
    bool partial;
    struct clone_view *out;
    size_t cap;
};

/* ---- What cannot be a source ------------------------------------------------------------------
 */

static enum err_code open_failed(const char *path, struct err *e)
{
    const git_error *last = git_error_last();
    const char *text = last == NULL || last->message == NULL ? "" : last->message;

    if (strstr(text, "objectformat") != NULL)
        return err_set(e, ERR_REFUSED,
                       "the clone '%s' uses SHA-256 object ids, which are not supported", path);
    return git2_error(e, ERR_NOT_FOUND, "cannot open the clone '%s'", path);
}

static enum err_code refuse_shallow(struct reading *r, const char *path, struct err *e)
{
    struct stat st;
    /* Of the common folder: a linked work tree has none of its own, and libgit2 looks there only.
     */
    const char *file = path_join(r->arena, git_repository_commondir(r->repo), "shallow");

    if (stat(file, &st) != 0 || st.st_size == 0)
        return ERR_OK;
    return err_set(e, ERR_REFUSED,
                   "the clone '%s' is shallow: its history is not whole, so it cannot be mirrored; "
                   "run git fetch --unshallow, or set fetch-depth: 0 for actions/checkout",
                   path);
}

static enum err_code refuse_partial(const struct reading *r, const char *path, struct err *e)
{
    if (!r->partial)
        return ERR_OK;
    return err_set(e, ERR_REFUSED,
                   "the clone '%s' is partial (--filter): objects are missing, so it cannot be "
                   "mirrored; clone without --filter",
                   path);
}

/* ---- Configuration -----------------------------------------------------------------------------
 */

/*
 * Walked by hand: libgit2 1.5.1 (with pcre2) leaks 20 KB for each entry that it matches by a
 * pattern, and that is what its own ways to list and look up remotes do.
 */

/* "remote.NAME.url" → NAME, when section and key are those. */
static const char *middle_of(struct arena *a, const char *name, const char *section,
                             const char *key)
{
    size_t n = strlen(name), before = strlen(section), behind = strlen(key);

    if (n <= before + behind || !str_starts_with(name, section) || !str_ends_with(name, key))
        return NULL;
    return arena_strndup(a, name + before, n - before - behind);
}

static struct remote_lines *remote_named(struct reading *r, const char *name)
{
    for (size_t i = 0; i < r->n_remotes; i++) {
        if (str_eq(r->remotes[i].name, name))
            return &r->remotes[i];
    }
    r->remotes =
        arena_grow(r->arena, r->remotes, r->n_remotes, &r->cap_remotes, sizeof(*r->remotes));
    r->remotes[r->n_remotes] = (struct remote_lines){.name = name};
    return &r->remotes[r->n_remotes++];
}

static void take_fetch_line(struct reading *r, struct remote_lines *remote, const char *value)
{
    git_refspec *spec = NULL;

    if (git_refspec_parse(&spec, value, 1) != 0)
        return;
    remote->specs = arena_grow(r->arena, remote->specs, remote->n_specs, &remote->cap_specs,
                               sizeof(git_refspec *));
    remote->specs[remote->n_specs++] = spec;
}

static void take_entry(struct reading *r, const git_config_entry *entry)
{
    const char *name = entry->name, *value = entry->value == NULL ? "" : entry->value, *middle;
    int on = 0;

    if (str_eq(name, "extensions.partialclone")) {
        r->partial = true;
    } else if ((middle = middle_of(r->arena, name, "remote.", ".promisor")) != NULL) {
        r->partial = r->partial || (git_config_parse_bool(&on, entry->value) == 0 && on != 0);
    } else if ((middle = middle_of(r->arena, name, "remote.", ".url")) != NULL) {
        struct remote_lines *remote = remote_named(r, middle);
        if (remote->url == NULL)
            remote->url = arena_strdup(r->arena, value);
    } else if ((middle = middle_of(r->arena, name, "remote.", ".fetch")) != NULL) {
        take_fetch_line(r, remote_named(r, middle), value);
    } else if ((middle = middle_of(r->arena, name, "url.", ".insteadof")) != NULL) {
        r->insteads = arena_grow(r->arena, r->insteads, r->n_insteads, &r->cap_insteads,
                                 sizeof(*r->insteads));
        r->insteads[r->n_insteads++] =
            (struct instead){.prefix = arena_strdup(r->arena, value), .base = middle};
    }
}

static enum err_code read_config(struct reading *r, const char *path, struct err *e)
{
    CLEANUP(free_git_config) git_config *config = NULL;
    git_config_iterator *it = NULL;
    git_config_entry *entry;

    if (git_repository_config_snapshot(&config, r->repo) != 0 ||
        git_config_iterator_new(&it, config) != 0)
        return git2_error(e, ERR_IO, "cannot read the configuration of the clone '%s'", path);
    while (git_config_next(&entry, it) == 0)
        take_entry(r, entry);
    git_config_iterator_free(it);
    return ERR_OK;
}

static void reading_release(struct reading *r)
{
    for (size_t i = 0; i < r->n_remotes; i++) {
        for (size_t k = 0; k < r->remotes[i].n_specs; k++)
            git_refspec_free(r->remotes[i].specs[k]);
    }
    git_repository_free(r->repo);
}

/* ---- Which remote is the master ----------------------------------------------------------------
 */

/* As git does it: the longest prefix wins. */
static const char *rewritten(const struct reading *r, const char *url)
{
    const struct instead *best = NULL;

    for (size_t i = 0; i < r->n_insteads; i++) {
        const struct instead *x = &r->insteads[i];
        if (x->prefix[0] != '\0' && str_starts_with(url, x->prefix) &&
            (best == NULL || strlen(x->prefix) > strlen(best->prefix)))
            best = x;
    }
    return best == NULL ? url
                        : arena_printf(r->arena, "%s%s", best->base, url + strlen(best->prefix));
}

static bool names_master(const struct reading *r, const struct remote_lines *remote,
                         const struct address *master)
{
    struct address at;
    struct err ignored = ERR_INIT;

    if (remote->url == NULL)
        return false;
    if (master == NULL)
        return r->n_remotes == 1 || str_eq(remote->name, "origin");
    return git_address_parse(r->arena, rewritten(r, remote->url), &at, &ignored) == ERR_OK &&
           address_same(master, &at);
}

static enum err_code find_remote(struct reading *r, const char *url, struct err *e)
{
    struct address master;

    if (url != NULL)
        TRY(git_address_parse(r->arena, url, &master, e));
    for (size_t i = 0; i < r->n_remotes && r->remote == NULL; i++) {
        if (names_master(r, &r->remotes[i], url == NULL ? NULL : &master))
            r->remote = &r->remotes[i];
    }
    return ERR_OK;
}

/* ---- Refs ------------------------------------------------------------------------------------ */

static void add_ref(struct reading *r, const char *name, const git_oid *oid)
{
    struct clone_view *v = r->out;
    v->refs = arena_grow(r->arena, v->refs, v->n, &r->cap, sizeof(*v->refs));
    v->refs[v->n++] = (struct git_ref){
        .name = arena_strdup(r->arena, name),
        .oid = oid_hex(r->arena, oid),
    };
}

/* The master's name of a remote-tracking ref: refs/remotes/origin/x → refs/heads/x; NULL: it is
 * none. */
static const char *name_at_master(struct reading *r, const char *name)
{
    for (size_t i = 0; i < r->remote->n_specs; i++) {
        const git_refspec *spec = r->remote->specs[i];
        git_buf source = GIT_BUF_INIT;
        if (git_refspec_dst_matches(spec, name) == 0 ||
            git_refspec_rtransform(&source, spec, name) != 0)
            continue;
        const char *found = arena_strdup(r->arena, source.ptr);
        git_buf_dispose(&source);
        return found;
    }
    return NULL;
}

enum mode { BY_TRACKING, BY_HEADS };

/* The name under which the master has it, or NULL. */
static const char *wanted_name(struct reading *r, enum mode mode, const char *name)
{
    if (str_starts_with(name, "refs/tags/"))
        return name;
    if (mode == BY_TRACKING)
        return name_at_master(r, name);
    return str_starts_with(name, "refs/heads/") || str_starts_with(name, "refs/notes/") ? name
                                                                                        : NULL;
}

static enum err_code read_refs(struct reading *r, enum mode mode, struct err *e)
{
    CLEANUP(free_git_reference_iterator) git_reference_iterator *it = NULL;
    git_reference *ref;
    int got;

    r->out->n = 0;
    if (git_reference_iterator_new(&it, r->repo) != 0)
        return git2_error(e, ERR_IO, "cannot read the clone's refs");
    while ((got = git_reference_next(&ref, it)) == 0) {
        /* A symbolic one (origin/HEAD) is another name of something that is listed itself. */
        const git_oid *oid = git_reference_target(ref);
        const char *name = oid == NULL ? NULL : wanted_name(r, mode, git_reference_name(ref));
        if (name != NULL)
            add_ref(r, name, oid);
        git_reference_free(ref);
    }
    if (got != GIT_ITEROVER)
        return git2_error(e, ERR_IO, "cannot read the clone's refs");
    return ERR_OK;
}

static int compare_names(const void *x, const void *y)
{
    const struct git_ref *a = x, *b = y;
    return strcmp(a->name, b->name);
}

static void sort_refs(struct clone_view *v)
{
    size_t n = 0;

    if (v->n > 1)
        qsort(v->refs, v->n, sizeof(*v->refs), compare_names);
    for (size_t i = 0; i < v->n; i++) {
        if (n == 0 || !str_eq(v->refs[n - 1].name, v->refs[i].name))
            v->refs[n++] = v->refs[i];
    }
    v->n = n;
}

static bool has_branches(const struct clone_view *v)
{
    for (size_t i = 0; i < v->n; i++) {
        if (str_starts_with(v->refs[i].name, "refs/heads/"))
            return true;
    }
    return false;
}

/* The branch that a symbolic ref of the clone stands for, as the master names it; NULL: none there.
 */
static const char *branch_behind(struct reading *r, const char *symbolic, enum mode mode)
{
    CLEANUP(free_git_reference) git_reference *ref = NULL;

    if (git_reference_lookup(&ref, r->repo, symbolic) != 0 ||
        git_reference_type(ref) != GIT_REFERENCE_SYMBOLIC)
        return NULL;
    const char *name = wanted_name(r, mode, git_reference_symbolic_target(ref));
    if (name == NULL || !str_starts_with(name, "refs/heads/") ||
        refs_find(r->out->refs, r->out->n, name) == NULL)
        return NULL;
    return arena_strdup(r->arena, name + strlen("refs/heads/"));
}

static enum err_code read_as_master(struct reading *r, const char *path, const char *url,
                                    struct err *e)
{
    bool bare = git_repository_is_bare(r->repo) != 0;
    enum mode mode = BY_HEADS;

    if (!bare)
        TRY(find_remote(r, url, e));
    if (r->remote != NULL) {
        mode = BY_TRACKING;
        TRY(read_refs(r, mode, e));
        if (!has_branches(r->out))
            mode = BY_HEADS;
    }
    if (mode == BY_HEADS)
        TRY(read_refs(r, mode, e));
    sort_refs(r->out);
    if (!bare && r->remote == NULL && url != NULL)
        r->out->note = arena_printf(
            r->arena, "clone '%s' has no remote for %s: its own branches are taken", path, url);
    else if (!bare && mode == BY_HEADS && r->remote != NULL)
        r->out->note =
            arena_printf(r->arena, "clone '%s' never fetched from '%s': its own branches are taken",
                         path, r->remote->name);
    const char *head =
        mode == BY_HEADS ? "HEAD" : arena_printf(r->arena, "refs/remotes/%s/HEAD", r->remote->name);
    r->out->default_branch = branch_behind(r, head, mode);
    return ERR_OK;
}

static enum err_code read_clone(struct reading *r, const char *path, const char *url, struct err *e)
{
    TRY(refuse_shallow(r, path, e));
    TRY(read_config(r, path, e));
    TRY(refuse_partial(r, path, e));
    const char *objects = path_join(r->arena, git_repository_commondir(r->repo), "objects");
    char *real = realpath(objects, NULL);
    if (real == NULL)
        return err_set_errno(e, ERR_IO, "cannot find '%s'", objects);
    r->out->objects = arena_strdup(r->arena, real);
    free(real);
    if (strchr(r->out->objects, '\n') != NULL)
        return err_set(e, ERR_REFUSED, "the path of the clone '%s' holds a line break", path);
    return read_as_master(r, path, url, e);
}

enum err_code clone_read(struct arena *a, const char *path, const char *url, struct clone_view *out,
                         struct err *e)
{
    struct clone_view found = {.refs = NULL};
    CLEANUP(reading_release) struct reading r = {.arena = a, .out = &found};

    if (git_repository_open_ext(&r.repo, path, 0, NULL) != 0)
        return open_failed(path, e);
    TRY(read_clone(&r, path, url, e));
    *out = found;
    return ERR_OK;
}
