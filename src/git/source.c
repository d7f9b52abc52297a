/*
 * Opening the source: what the master has now, and its objects here.
 */
#include "source.h"

#include "endpoint.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

enum {
    MASTER_IDLE_MS = 60 * 1000, /* silence of the master while it lists its refs */
    MAX_NAMESPACES = 24,        /* more than that, and everything is fetched */
};

/* Never fetched, whatever a glob says: the server's own, and what mirrorctl keeps at the other
 * side. */
static const char *const NEVER[] = {"refs/pull/", "refs/mirrorctl/", NULL};

#define REBUILT_NOTE "the cache was damaged: it was moved aside and fetched anew"

struct opening {
    const struct git_source_spec *spec;
    struct git_source *source;
    struct arena *scratch;
    struct cache cache;
    const char *namespaces[MAX_NAMESPACES + 1]; /* prefixes, NULL-terminated */
    size_t n_namespaces;
};

/* ---- Namespaces ------------------------------------------------------------------------------ */

static bool starts_with_any(const char *name, const char *const *prefixes)
{
    for (; *prefixes != NULL; prefixes++) {
        if (str_starts_with(name, *prefixes))
            return true;
    }
    return false;
}

static void add_namespace(struct opening *o, const char *prefix)
{
    if (starts_with_any(prefix, o->namespaces) || starts_with_any(prefix, NEVER))
        return;
    if (o->n_namespaces == MAX_NAMESPACES || str_eq(prefix, "refs/")) {
        o->namespaces[0] = "refs/";
        o->namespaces[1] = NULL;
        o->n_namespaces = 1;
        return;
    }
    o->namespaces[o->n_namespaces++] = prefix;
    o->namespaces[o->n_namespaces] = NULL;
}

/* "refs/changes/0*" → "refs/changes/": the folder in which all matches stand. */
static void add_glob(struct opening *o, const char *glob)
{
    size_t n = strcspn(glob, "*?[\\");
    while (n > 0 && glob[n - 1] != '/')
        n--;
    if (n >= strlen("refs/"))
        add_namespace(o, arena_strndup(o->scratch, glob, n));
}

static void collect_namespaces(struct opening *o)
{
    const char *const *include = o->spec->include;

    add_namespace(o, "refs/heads/");
    add_namespace(o, "refs/tags/");
    add_namespace(o, "refs/notes/");
    for (; include != NULL && *include != NULL; include++)
        add_glob(o, *include);
}

static const char *const *refspecs(struct opening *o)
{
    struct arena *a = o->scratch;
    const char **specs = arena_alloc(a, (MAX_NAMESPACES + 4) * sizeof(*specs));
    size_t n = 0;

    for (size_t i = 0; i < o->n_namespaces; i++)
        specs[n++] = arena_printf(a, "+%s*:" CACHE_MASTER "%s*", o->namespaces[i],
                                  o->namespaces[i] + strlen("refs/"));
    for (size_t i = 0; str_eq(o->namespaces[0], "refs/") && NEVER[i] != NULL; i++)
        specs[n++] = arena_printf(a, "^%s*", NEVER[i]);
    return specs;
}

/* ---- The cache as a repository -----------------------------------------------------------------
 */

static void close_repository(struct git_source *s)
{
    git_odb_free(s->odb);
    git_repository_free(s->repo);
    s->odb = NULL;
    s->repo = NULL;
}

static bool open_repository(struct git_source *s)
{
    CLEANUP(free_git_config) git_config *config = NULL;

    close_repository(s);
    /* The configuration is read by git's children only; a broken one would stop them all. */
    return git_repository_open_bare(&s->repo, s->cache_dir) == 0 &&
           git_repository_config_snapshot(&config, s->repo) == 0 &&
           git_repository_odb(&s->odb, s->repo) == 0;
}

static enum err_code open_needed(struct git_source *s, struct err *e)
{
    TRY(git_init(e));
    if (s->repo != NULL || open_repository(s))
        return ERR_OK;
    cache_mark_damaged(s->cache_dir);
    return git2_error(e, ERR_DAMAGED, "cannot open the cache '%s'; the next run makes it anew",
                      s->cache_dir);
}

enum err_code source_lock(struct git_source *s, struct err *e)
{
    (void)pthread_mutex_lock(&s->lock);
    enum err_code r = open_needed(s, e);
    if (r != ERR_OK)
        (void)pthread_mutex_unlock(&s->lock);
    return r;
}

void source_unlock(struct git_source *s)
{
    (void)pthread_mutex_unlock(&s->lock);
}

static enum err_code rebuild(struct opening *o, struct err *e)
{
    close_repository(o->source);
    TRY(cache_rebuild(&o->cache, e));
    if (!open_repository(o->source))
        return git2_error(e, ERR_DAMAGED, "cannot open the new cache '%s'", o->cache.dir);
    return ERR_OK;
}

static int compare_names(const void *x, const void *y)
{
    const struct git_ref *a = x, *b = y;
    return strcmp(a->name, b->name);
}

/* refs/master/heads/x of the cache is refs/heads/x of the master. */
static bool read_cache_refs(struct git_source *s)
{
    CLEANUP(free_git_reference_iterator) git_reference_iterator *it = NULL;
    git_reference *ref;
    size_t cap = 0;
    int got;

    s->refs = NULL;
    s->n = 0;
    if (git_reference_iterator_glob_new(&it, s->repo, CACHE_MASTER "*") != 0)
        return false;
    while ((got = git_reference_next(&ref, it)) == 0) {
        const git_oid *oid = git_reference_target(ref);
        const char *name = git_reference_name(ref) + strlen(CACHE_MASTER);
        if (oid != NULL) {
            s->refs = arena_grow(s->arena, s->refs, s->n, &cap, sizeof(*s->refs));
            s->refs[s->n++] = (struct git_ref){
                .name = arena_printf(s->arena, "refs/%s", name),
                .oid = oid_hex(s->arena, oid),
            };
        }
        git_reference_free(ref);
    }
    if (s->n > 1)
        qsort(s->refs, s->n, sizeof(*s->refs), compare_names);
    return got == GIT_ITEROVER;
}

/* Every value of a ref must be here: what lacks one is no source. */
static bool has_all_objects(struct git_source *s)
{
    for (size_t i = 0; i < s->n; i++) {
        git_oid oid;
        if (git_oid_fromstr(&oid, s->refs[i].oid) != 0 || !source_has(s, &oid))
            return false;
    }
    return true;
}

/* ---- Asking the master -------------------------------------------------------------------------
 */

static enum err_code ask_master(struct opening *o, const struct address *at, struct advert *out,
                                struct err *e)
{
    struct endpoint ep = {
        .at = *at,
        .credential = &o->spec->credential,
        .http = o->spec->http,
        .lane = o->spec->lane,
        .idle = {MASTER_IDLE_MS},
        .interrupted = o->spec->interrupted,
    };

    TRY(endpoint_list(&ep, SERVICE_FETCH, o->scratch, out, e));
    if (!str_eq(out->refs.object_format, "sha1"))
        return err_set(e, ERR_REFUSED, "%s uses %s object ids, which are not supported", at->url,
                       out->refs.object_format);
    if (out->shallow)
        return err_set(e, ERR_REFUSED,
                       "%s is shallow: its history is not whole, so it cannot be mirrored "
                       "(git fetch --unshallow there)",
                       at->url);
    return ERR_OK;
}

/* Those in the namespaces, in the list's own order. */
static size_t filter(struct opening *o, struct git_refs *refs)
{
    size_t n = 0;

    for (size_t i = 0; i < refs->n; i++) {
        const char *name = refs->items[i].name;
        if (starts_with_any(name, o->namespaces) && !starts_with_any(name, NEVER))
            refs->items[n++] = refs->items[i];
    }
    refs->n = n;
    return n;
}

static bool is_same(const struct git_source *s, const struct git_refs *refs)
{
    if (s->n != refs->n)
        return false;
    for (size_t i = 0; i < s->n; i++) {
        if (!str_eq(s->refs[i].name, refs->items[i].name) ||
            !str_eq(s->refs[i].oid, refs->items[i].oid))
            return false;
    }
    return true;
}

static enum err_code refuse_empty(const struct opening *o, size_t n, struct err *e)
{
    if (n > 0 || o->cache.facts.refs == 0)
        return ERR_OK;
    return err_set(e, ERR_REFUSED,
                   "the master shows no refs, but had %zu when it was seen last: nothing is done; "
                   "if that is meant, remove the cache '%s'",
                   o->cache.facts.refs, o->cache.dir);
}

/* ---- Refreshing ------------------------------------------------------------------------------ */

static struct ms fetch_deadline(const struct git_source_spec *spec)
{
    return spec->deadline.v > 0 ? spec->deadline : (struct ms){SOURCE_DEADLINE_MS};
}

/* One fetch, and whether what is here afterwards is whole. */
static enum err_code fetch_once(struct opening *o, const struct address *at, bool *out_damaged,
                                struct err *e)
{
    struct fetch f = {
        .cache_dir = o->cache.dir,
        .from = at,
        .credential = &o->spec->credential,
        .refspecs = refspecs(o),
        .prune = true,
        .deadline = fetch_deadline(o->spec),
        .interrupted = o->spec->interrupted,
        .lock_fd = o->cache.lock_fd,
    };

    TRY(fetch_run(&f, out_damaged, e));
    *out_damaged =
        !open_repository(o->source) || !read_cache_refs(o->source) || !has_all_objects(o->source);
    if (*out_damaged)
        return err_set(e, ERR_DAMAGED, "the cache '%s' lacks objects after a fetch", o->cache.dir);
    return ERR_OK;
}

static enum err_code fetch_master(struct opening *o, const struct address *at, struct err *e)
{
    bool damaged;
    enum err_code r = fetch_once(o, at, &damaged, e);

    if (r == ERR_OK || !damaged)
        return r;
    /* Once: a second failure is not the old cache's. */
    o->source->note = arena_strdup(o->source->arena, REBUILT_NOTE);
    TRY(rebuild(o, e));
    r = fetch_once(o, at, &damaged, e);
    if (r != ERR_OK && damaged)
        e->code = r = ERR_DAMAGED;
    return r;
}

static enum err_code open_or_rebuild(struct opening *o, struct err *e)
{
    TRY(git_init(e));
    return open_repository(o->source) ? ERR_OK : rebuild(o, e);
}

/* The cache was found whole with these refs, and nobody has touched it since. */
static bool is_known(const struct opening *o, const struct advert *advert)
{
    const struct git_ref *head =
        advert->head == NULL ? NULL : refs_find(advert->refs.items, advert->refs.n, advert->head);
    const struct cache_facts *f = &o->cache.facts;

    return str_eq(f->workflows.commit, head == NULL ? NULL : head->oid) &&
           f->whole == cache_stamp(o->cache.dir, advert->refs.items, advert->refs.n);
}

static void take_refs(struct git_source *s, const struct git_refs *refs)
{
    s->n = refs->n;
    s->refs = arena_alloc(s->arena, (refs->n + 1) * sizeof(*s->refs));
    for (size_t i = 0; i < refs->n; i++)
        s->refs[i] = (struct git_ref){.name = arena_strdup(s->arena, refs->items[i].name),
                                      .oid = arena_strdup(s->arena, refs->items[i].oid)};
}

static void take_workflows(struct git_source *s, const struct workflow_list *known)
{
    s->workflows = (struct workflow_list){
        .commit = known->commit == NULL ? NULL : arena_strdup(s->arena, known->commit),
        .files = arena_alloc(s->arena, (known->n + 1) * sizeof(*known->files)),
        .n = known->n,
    };
    for (size_t i = 0; i < known->n; i++)
        s->workflows.files[i] = arena_strdup(s->arena, known->files[i]);
}

/* A head without a tree that can be read is said by who needs the tree. */
static void look_for_workflows(struct git_source *s)
{
    struct err ignored = ERR_INIT;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const char *head = s->default_branch == NULL
                           ? NULL
                           : git_source_oid(s, arena_printf(a, "refs/heads/%s", s->default_branch));

    if (head != NULL)
        (void)source_list_workflows(s, head, s->arena, &s->workflows, &ignored);
}

static enum err_code bring_up(struct opening *o, const struct address *at,
                              const struct git_refs *refs, struct err *e)
{
    struct git_source *s = o->source;

    TRY(open_or_rebuild(o, e));
    if (!read_cache_refs(s) || !has_all_objects(s)) {
        /* A fetch would fetch what refs name, and trust that what is behind it is here. */
        s->note = arena_strdup(s->arena, REBUILT_NOTE);
        TRY(rebuild(o, e));
        return fetch_master(o, at, e);
    }
    return is_same(s, refs) ? ERR_OK : fetch_master(o, at, e);
}

static enum err_code refresh(struct opening *o, struct err *e)
{
    struct git_source *s = o->source;
    struct address at;
    struct advert advert;

    TRY(git_address_parse(o->scratch, o->spec->url, &at, e));
    TRY(ask_master(o, &at, &advert, e));
    TRY(refuse_empty(o, filter(o, &advert.refs), e));
    if (advert.head != NULL && str_starts_with(advert.head, "refs/heads/"))
        s->default_branch = arena_strdup(s->arena, advert.head + strlen("refs/heads/"));
    if (is_known(o, &advert)) {
        take_refs(s, &advert.refs);
        take_workflows(s, &o->cache.facts.workflows);
    } else {
        TRY(bring_up(o, &at, &advert.refs, e));
        TRY(refuse_empty(o, s->n, e));
        look_for_workflows(s);
    }
    if (advert.refs.moved_to != NULL)
        s->note =
            arena_printf(s->arena, "the master %s has moved to %s: put that into the manifest",
                         o->spec->url, advert.refs.moved_to);
    else if (s->n == 0 && s->note == NULL)
        s->note = arena_strdup(s->arena, "the master has no branches yet");
    return cache_remember(&o->cache, s, cache_stamp(o->cache.dir, s->refs, s->n), e);
}

static enum err_code take_offline(struct opening *o, struct err *e)
{
    struct git_source *s = o->source;
    struct git_refs known;

    if (o->cache.fresh)
        return err_set(e, ERR_NOT_FOUND, "there is no cache of %s yet, and the master is not asked",
                       o->spec->url);
    if (cache_recall_refs(&o->cache, o->scratch, &known)) {
        take_refs(s, &known);
        take_workflows(s, &o->cache.facts.workflows);
    } else {
        TRY(open_or_rebuild(o, e));
    }
    if (s->repo != NULL && (!read_cache_refs(s) || !has_all_objects(s)))
        return err_set(e, ERR_DAMAGED, "the cache '%s' is damaged; a run with the network mends it",
                       o->cache.dir);
    if (o->cache.facts.default_branch[0] != '\0')
        s->default_branch = arena_strdup(s->arena, o->cache.facts.default_branch);
    return ERR_OK;
}

static enum err_code take_clone(struct opening *o, const struct clone_view *clone, struct err *e)
{
    struct git_source *s = o->source;

    s->refs = clone->refs;
    s->n = clone->n;
    s->default_branch = clone->default_branch;
    s->note = clone->note;
    TRY(refuse_empty(o, s->n, e));
    if (!has_all_objects(s))
        return err_set(e, ERR_DAMAGED,
                       "the clone '%s' lacks objects that its refs name: run git fsck there",
                       o->spec->local);
    return cache_remember(&o->cache, s, 0, e);
}

/* ---- Open and free --------------------------------------------------------------------------- */

static struct git_source *source_new(const struct git_source_spec *spec)
{
    struct git_source *s = mem_alloc(sizeof(*s));

    s->arena = arena_new();
    s->deadline = fetch_deadline(spec);
    s->interrupted = spec->interrupted;
    (void)pthread_mutex_init(&s->lock, NULL);
    s->packs = pack_shelf_new();
    return s;
}

void git_source_free(struct git_source *s)
{
    if (s == NULL)
        return;
    pack_shelf_free(s->packs);
    history_free(s->history);
    close_repository(s);
    (void)pthread_mutex_destroy(&s->lock);
    free(s->cache_dir);
    arena_free(s->arena);
    free(s);
}

void git_source_freep(struct git_source **s)
{
    git_source_free(*s);
    *s = NULL;
}

static void opening_release(struct opening *o)
{
    cache_close(&o->cache);
    arena_free(o->scratch);
}

static enum err_code open_source(struct opening *o, struct err *e)
{
    const struct git_source_spec *spec = o->spec;
    struct git_source *s = o->source;
    struct clone_view clone = {.refs = NULL};
    struct cache_facts facts = {.url = spec->url, .local = "", .default_branch = ""};

    if (spec->local != NULL) {
        TRY(git_init(e));
        TRY(clone_read(s->arena, spec->local, spec->url, &clone, e));
        facts.local = clone.objects;
        if (facts.url == NULL)
            facts.url = arena_printf(o->scratch, "clone %s", clone.objects);
    }
    TRY(cache_open(&o->cache, o->scratch, spec->cache_dir, &facts, s->deadline, spec->interrupted,
                   e));
    s->cache_dir = mem_strdup(o->cache.dir);
    if (spec->local != NULL) {
        TRY(open_or_rebuild(o, e));
        return take_clone(o, &clone, e);
    }
    return spec->offline ? take_offline(o, e) : refresh(o, e);
}

enum err_code git_source_open(const struct git_source_spec *spec, struct git_source **out,
                              struct err *e)
{
    if (spec->url == NULL && spec->local == NULL)
        return err_set(e, ERR_USAGE, "neither an address of the master nor a clone is given");
    if (spec->url != NULL)
        TRY(git_check_url(spec->url, e));
    CLEANUP(git_source_freep) struct git_source *s = source_new(spec);
    CLEANUP(opening_release)
    struct opening o = {
        .spec = spec,
        .source = s,
        .scratch = arena_new(),
        .cache.lock_fd = -1,
    };

    collect_namespaces(&o);
    enum err_code r = open_source(&o, e);
    if (r != ERR_OK)
        return err_wrap(e, "master");
    *out = s;
    s = NULL;
    return ERR_OK;
}

/* ---- Questions ------------------------------------------------------------------------------- */

enum err_code git_source_refs(struct git_source *s, const struct ref_policy *policy,
                              struct view *out, struct err *e)
{
    (void)e;
    view_reserve(out, s->n);
    for (size_t i = 0; i < s->n; i++) {
        if (!ref_policy_covers(policy, s->refs[i].name))
            continue;
        struct resource *r = view_add(out, KIND_REF, s->refs[i].name, s->refs[i].oid);
        r->count = -1;
    }
    out->state[KIND_REF] = VIEW_COMPLETE;
    return ERR_OK;
}

const char *git_source_default_branch(const struct git_source *s)
{
    return s->default_branch;
}

const char *git_source_oid(const struct git_source *s, const char *ref)
{
    const struct git_ref *found = refs_find(s->refs, s->n, ref);
    return found == NULL ? NULL : found->oid;
}

const char *git_source_note(const struct git_source *s)
{
    return s->note;
}
