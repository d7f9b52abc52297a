/*
 * Defaults into every slave, so that no reader of struct manifest needs to know them. What can
 * still be wrong here (a value that becomes too large, too many secrets) is reported at its place.
 */
#include "resolve.h"

#include <string.h>
#include <unistd.h>

/* Built-in defaults; about.c tells them to people, and a test compares the two. */
enum {
    DEFAULT_MAX_DELETES = 10,
    DEFAULT_MAX_DELETE_SHARE = 50, /* percent */
    DEFAULT_FALL = 3,
    DEFAULT_RISE = 2,
    DEFAULT_INTERVAL = 30 * 60 * 1000, /* milliseconds */
    DEFAULT_MAX_AGE = 2 * 3600 * 1000, /* milliseconds */
    BY_HOST = -1,                      /* milliseconds: http chooses by host */
};

static const char *const default_include[] = {"refs/heads/*", "refs/tags/*", NULL};
static const char *const nothing[] = {NULL};

/* ---- Small things --------------------------------------------------------------------------- */

static void set_bool(bool *to, const bool *from)
{
    if (from != NULL)
        *to = *from;
}

static void set_int(int *to, const int *from)
{
    if (from != NULL)
        *to = *from;
}

static void set_duration(struct ms *to, const char *from)
{
    struct err e = ERR_INIT;
    struct ms d;
    if (from != NULL && duration_parse(from, &d, &e) == ERR_OK)
        *to = d;
}

static void set_path(struct resolving *x, const char **to, const char *from)
{
    if (from != NULL)
        *to = resolve_path(x, from);
}

const char *resolve_path(struct resolving *x, const char *path)
{
    if (path == NULL)
        return NULL;
    while (str_starts_with(path, "./"))
        path += 2 + strspn(path + 2, "/");
    if (path[0] == '\0' || strcmp(path, ".") == 0)
        return x->dir;
    return path_join(x->arena, x->dir, path_expand(x->arena, path));
}

const char *const *resolve_list(struct resolving *x, char *const *items, unsigned n)
{
    const char **list = arena_alloc(x->arena, ((size_t)n + 1) * sizeof(*list));
    for (unsigned i = 0; i < n; i++)
        list[i] = items[i];
    return list;
}

const char *resolve_origin(struct resolving *x, struct pos at)
{
    return arena_printf(x->arena, "%s:%d:%d", x->r->file, at.line, at.column);
}

struct value_source resolve_source(struct resolving *x, const struct raw_source *s,
                                   const struct node *n, const char *name)
{
    struct value_source v = {.type = SOURCE_NONE};

    if (s == NULL)
        return v;
    v.origin = n == NULL ? NULL : resolve_origin(x, n->start);
    if (s->env != NULL) {
        v.type = SOURCE_ENV;
        v.name = s->env;
    } else if (s->file != NULL) {
        v.type = SOURCE_FILE;
        v.path = resolve_path(x, s->file);
    } else if (s->env_file != NULL || s->dir != NULL) {
        v.type = s->env_file != NULL ? SOURCE_ENV_FILE : SOURCE_DIR;
        v.path = resolve_path(x, s->env_file != NULL ? s->env_file : s->dir);
        v.name = s->name != NULL ? s->name : name;
    } else if (s->credential != NULL) {
        v.type = SOURCE_CREDENTIAL;
        v.name = s->credential;
    } else {
        v.type = SOURCE_COMMAND;
        v.argv = resolve_list(x, s->command, s->command_count);
    }
    return v;
}

/* A local address becomes absolute; the others stay as they are. */
static const char *resolve_url(struct resolving *x, const char *url)
{
    bool local =
        str_starts_with(url, "./") || str_starts_with(url, "../") || str_starts_with(url, "~/");
    return local ? resolve_path(x, url) : url;
}

static const char *without_slash(struct arena *a, const char *url)
{
    size_t n = strlen(url);
    while (n > 0 && url[n - 1] == '/')
        n--;
    return arena_strndup(a, url, n);
}

/* ---- One layer over another ----------------------------------------------------------------- */

/* Where the REST API of a GitHub is (github.md 1.1). */
static const char *api_of(struct arena *a, const char *url)
{
    struct address ad;

    if (!address_parse(url, a, &ad) || ad.host == NULL)
        return url;
    if (strcmp(ad.host, "github.com") == 0)
        return "https://api.github.com";
    if (str_ends_with(ad.host, ".ghe.com"))
        return arena_printf(a, "https://api.%s", ad.host);
    return arena_printf(a, "%s/api/v3", url);
}

static void apply_github(struct resolving *x, const struct raw_github *g,
                         struct manifest_github *to)
{
    if (g == NULL)
        return;
    if (g->url != NULL) {
        to->url = without_slash(x->arena, g->url);
        to->api = api_of(x->arena, to->url);
    }
    if (g->api != NULL)
        to->api = without_slash(x->arena, g->api);
    set_path(x, &to->ca_file, g->ca_file);
    set_duration(&to->write_gap, g->write_interval);
    set_int(&to->reads, g->reads);
}

static void apply_roles(struct resolving *x, const struct raw_roles *roles, struct role_policy *to)
{
    for (size_t i = 0; roles != NULL && i < ROLE_COUNT; i++) {
        const struct raw_role *role = roles->role[i];
        if (role == NULL)
            continue;
        to[i] = (struct role_policy){
            .enabled = resolve_list(x, role->enabled, role->enabled_count),
            .disabled = resolve_list(x, role->disabled, role->disabled_count),
            .ignored = resolve_list(x, role->ignored, role->ignored_count),
        };
    }
}

static void apply_refs(struct resolving *x, const struct raw_refs *refs, struct ref_policy *to)
{
    if (refs == NULL)
        return;
    if (refs->include != NULL)
        to->include = resolve_list(x, refs->include, refs->include_count);
    if (refs->exclude != NULL)
        to->exclude = resolve_list(x, refs->exclude, refs->exclude_count);
    set_bool(&to->prune, refs->prune);
    set_bool(&to->move_tags, refs->move_tags);
    if (refs->on_divergence != NULL)
        to->on_divergence = *refs->on_divergence;
}

static void apply_secret_rules(struct resolving *x, const struct raw_secrets *s,
                               const struct node *n, struct settings *to)
{
    if (s == NULL)
        return;
    set_bool(&to->secret_rules.adopt, s->adopt);
    set_bool(&to->secret_rules.allow_empty, s->allow_empty);
    set_bool(&to->secret_rules.prune, s->prune);
    if (s->from == NULL)
        return;
    bool file = s->from->env_file != NULL;
    to->names_from = (struct value_source){
        .type = file ? SOURCE_ENV_FILE : SOURCE_DIR,
        .path = resolve_path(x, file ? s->from->env_file : s->from->dir),
        .origin = resolve_origin(x, node_get(n, "from")->start),
    };
}

static void apply_layer(struct resolving *x, const struct raw_layer *l, const struct node *n,
                        struct settings *to)
{
    apply_github(x, l->github, &to->github);
    apply_roles(x, l->roles, to->roles);
    apply_refs(x, l->refs, &to->refs);
    apply_secret_rules(x, l->secrets, node_get(n, "secrets"), to);
    if (l->variable_rules != NULL) {
        set_bool(&to->variable_rules.adopt, l->variable_rules->adopt);
        set_bool(&to->variable_rules.allow_empty, l->variable_rules->allow_empty);
        set_bool(&to->variable_rules.prune, l->variable_rules->prune);
    }
    if (l->guards != NULL) {
        set_int(&to->guards.max_deletes, l->guards->max_deletes);
        set_int(&to->guards.max_delete_share, l->guards->max_delete_share);
    }
    for (size_t i = 0; l->sync != NULL && i < LAYER_COUNT; i++)
        set_bool(&to->sync[i], l->sync->layer[i]);
    if (l->lfs != NULL)
        to->lfs = *l->lfs;
    if (l->token != NULL)
        to->token = resolve_source(x, l->token, node_get(n, "token"), NULL);
    set_path(x, &to->ssh_key, l->ssh_key);
    set_path(x, &to->known_hosts, l->known_hosts);
}

static struct settings built_in(void)
{
    struct settings s = {
        .github = {.url = "https://github.com",
                   .api = "https://api.github.com",
                   .write_gap = {BY_HOST}},
        .refs = {.include = default_include,
                 .exclude = nothing,
                 .on_divergence = DIVERGENCE_REFUSE},
        .guards = {.max_deletes = DEFAULT_MAX_DELETES,
                   .max_delete_share = DEFAULT_MAX_DELETE_SHARE},
        .lfs = LFS_AUTO,
        .names_from = {.type = SOURCE_ENV},
    };
    for (size_t i = 0; i < LAYER_COUNT; i++)
        s.sync[i] = true;
    for (int i = 0; i < ROLE_COUNT; i++)
        s.roles[i] = *role_default_policy((enum role)i);
    return s;
}

/* ---- Master and failover -------------------------------------------------------------------- */

static const char *repo_url(struct resolving *x, const struct manifest_github *g, const char *repo)
{
    return arena_printf(x->arena, "%s/%s.git", g->url, repo);
}

static void resolve_master(struct resolving *x, const struct settings *top)
{
    const struct raw_master *raw = x->raw->master;
    const struct node *n = node_get(x->root, "master");
    struct manifest_master *m = &x->m->master;

    m->pos = n->start;
    m->repo = raw->repo;
    m->github = top->github;
    apply_github(x, raw->github, &m->github);
    m->url = raw->url != NULL ? resolve_url(x, raw->url) : repo_url(x, &m->github, raw->repo);
    m->token = resolve_source(x, raw->token, node_get(n, "token"), NULL);
    m->ssh_key = resolve_path(x, raw->ssh_key);
    m->known_hosts = resolve_path(x, raw->known_hosts);
    m->source = resolve_path(x, raw->source);
    if (raw->state_file != NULL) /* relative only when there is a source: check.c */
        m->state_file = path_join(x->arena, m->source != NULL ? m->source : x->dir,
                                  path_expand(x->arena, raw->state_file));
    m->workflows = raw->repo != NULL;
    set_bool(&m->workflows, raw->workflows);
    m->heartbeat.path = "state/current.json";
    m->heartbeat.field = "meta.updated_at_iso";
    m->heartbeat.max_age.v = DEFAULT_MAX_AGE;
    if (raw->heartbeat == NULL)
        return;
    if (raw->heartbeat->path != NULL)
        m->heartbeat.path = raw->heartbeat->path;
    if (raw->heartbeat->field != NULL)
        m->heartbeat.field = raw->heartbeat->field;
    set_duration(&m->heartbeat.max_age, raw->heartbeat->max_age);
}

static void resolve_failover(struct resolving *x)
{
    static const struct raw_failover none;
    const struct raw_failover *raw = x->raw->failover != NULL ? x->raw->failover : &none;
    const struct node *n = node_get(x->root, "failover");
    struct manifest_failover *f = &x->m->failover;

    *f = (struct manifest_failover){
        .interval = {DEFAULT_INTERVAL},
        .fall = DEFAULT_FALL,
        .rise = DEFAULT_RISE,
        .recovery = raw->recovery != NULL ? *raw->recovery : RECOVERY_AUTO,
        .give_back = raw->give_back != NULL ? *raw->give_back : RETURN_BRANCH,
        .start = resolve_list(x, raw->start, raw->start_count),
        .lease = raw->lease,
        .master_token = resolve_source(x, raw->master_token, node_get(n, "master_token"), NULL),
        .lease_token = resolve_source(x, raw->lease_token, node_get(n, "lease_token"), NULL),
    };
    set_duration(&f->interval, raw->interval);
    set_int(&f->fall, raw->fall);
    set_int(&f->rise, raw->rise);
    set_bool(&f->chain, raw->chain);
}

/* ---- Slaves --------------------------------------------------------------------------------- */

static struct slave_policy policy_of(const struct settings *s, enum slave_type type)
{
    struct slave_policy p = {.refs = s->refs, .guards = s->guards};
    bool github = type == SLAVE_GITHUB;

    for (size_t i = 0; i < LAYER_COUNT; i++)
        p.sync[i] = s->sync[i] && (github || i == LAYER_CODE);
    p.prune[KIND_REF] = s->refs.prune;
    p.prune[KIND_SECRET] = github && s->secret_rules.prune;
    p.prune[KIND_VARIABLE] = github && s->variable_rules.prune;
    return p;
}

static void resolve_slave(struct resolving *x, size_t i, const struct node *n,
                          const struct settings *base, struct manifest_slave *out)
{
    const struct raw_slave *raw = x->raw->slaves[i];
    struct settings s = *base;

    apply_layer(x, &raw->layer, n, &s);
    out->id = raw->id;
    out->type = raw->type;
    out->repo = raw->type == SLAVE_GITHUB ? raw->repo : NULL;
    out->github = s.github;
    out->url = raw->url != NULL ? resolve_url(x, raw->url) : repo_url(x, &s.github, raw->repo);
    out->token = s.token;
    out->ssh_key = s.ssh_key;
    out->known_hosts = s.known_hosts;
    out->rank = (int)i + 1;
    set_int(&out->rank, raw->rank);
    set_bool(&out->suspended, raw->suspended);
    out->policy = policy_of(&s, raw->type);
    memcpy(out->roles, s.roles, sizeof(out->roles));
    out->lfs = s.lfs;
    out->pos = n->start;
    if (raw->type == SLAVE_GITHUB)
        lists_resolve(x, i, &s, raw, n, out);
}

/* A manifest's folder as an absolute path: it must still mean the same after a chdir. */
static const char *absolute_dir(struct arena *a, const char *file)
{
    const char *dir = path_dir(a, file);
    char cwd[4096];

    if (dir[0] == '/' || getcwd(cwd, sizeof(cwd)) == NULL)
        return dir;
    return strcmp(dir, ".") == 0 ? arena_strdup(a, cwd) : path_join(a, cwd, dir);
}

struct manifest *resolve_manifest(struct reading *r, const struct raw_manifest *raw,
                                  const struct node *root)
{
    struct resolving x = {.r = r,
                          .arena = r->arena,
                          .raw = raw,
                          .root = root,
                          .dir = absolute_dir(r->arena, r->piped ? "." : r->file)};
    struct settings s = built_in();

    x.m = arena_alloc(x.arena, sizeof(*x.m));
    x.m->dir = x.dir;
    apply_layer(&x, &raw->layer, root, &s);
    memcpy(x.m->master_roles, s.roles, sizeof(s.roles));
    resolve_master(&x, &s);
    resolve_failover(&x);
    if (raw->defaults != NULL)
        apply_layer(&x, &raw->defaults->layer, node_get(root, "defaults"), &s);

    names_init(&x.ids, x.arena);
    names_init(&x.told, x.arena);
    struct manifest_slave *slaves = arena_alloc(x.arena, raw->slaves_count * sizeof(*slaves));
    lists_prepare(&x);
    size_t i = 0;
    for (const struct node *n = node_items(root, "slaves"); n != NULL; n = n->next, i++)
        resolve_slave(&x, i, n, &s, &slaves[i]);
    x.m->slaves = slaves;
    x.m->n_slaves = raw->slaves_count;
    return x.m;
}
