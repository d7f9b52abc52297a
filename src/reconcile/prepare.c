/* What a pass needs before it looks at the first slave. Runs in one thread. */
#include "pass_slave.h"

#include <string.h>

#define DIR_MODE 0700u

bool pass_wants(const struct pass_slave *s, enum layer l)
{
    return s->pass->o.only[l] && (s->m != NULL ? s->m->policy.sync[l] : l == LAYER_WORKFLOWS);
}

void pass_slave_condition(struct pass_slave *s, struct condition c)
{
    s->early = arena_grow(s->arena, s->early, s->n_early, &s->cap_early, sizeof *s->early);
    s->early[s->n_early++] = c;
}

/* ---- State --------------------------------------------------------------------------------------
 */

static const char *master_name(const struct manifest *m)
{
    return m->master.repo != NULL ? m->master.repo : m->master.url;
}

/* Ledger rows are keyed by slave id: the state of one master must not be read for another's slaves.
 */
static enum err_code check_owner(struct pass *p, struct err *e)
{
    TRY(store_status_get(p->store, p->arena, &p->before, e));
    const char *mine = master_name(p->o.manifest);
    if (p->before.master == NULL || str_eq_nocase(p->before.master, mine))
        return ERR_OK;
    return err_set(
        e, ERR_REFUSED,
        "the state in %s belongs to master '%s', this manifest has '%s'; give each master "
        "a state of its own with --state DIR",
        p->o.state_dir, p->before.master, mine);
}

static enum err_code open_store(struct pass *p, struct err *e)
{
    struct store_config cfg = {.clock = p->clock, .read_only = !p->o.apply};
    if (store_open(p->o.state_dir, &cfg, &p->store, e) != ERR_OK) {
        if (!p->o.apply && e->code == ERR_NOT_FOUND) {
            /* The first diff: nothing was ever written, nothing is ours. */
            *e = (struct err)ERR_INIT;
            return dir_make(p->o.state_dir, DIR_MODE, e);
        }
        return err_wrap(e, "state");
    }
    TRY(check_owner(p, e));
    return p->o.apply ? store_lock(p->store, e) : ERR_OK;
}

/*
 * Names that mirrorctl began to write and never heard of again. They may be there or not: they
 * count as ours, with a value that is not known, so that the next pass writes them again instead of
 * taking them for somebody else's. Refs and workflows need no such row: what they are can be seen.
 */
bool counts_as_ours(enum kind k, enum act a)
{
    return (k == KIND_SECRET || k == KIND_VARIABLE) && a != ACT_DELETE;
}

/* The row that such a name gets. The Actions switch has two states only: if it is off, we did it.
 */
static bool row_of_open(const struct journal_open *open, struct resource *out)
{
    if (open->kind != KIND_ACTIONS && !counts_as_ours(open->kind, open->act))
        return false;
    *out = (struct resource){.kind = open->kind,
                             .name = open->name,
                             .value = open->kind == KIND_ACTIONS ? "off" : "",
                             .stamp = ""};
    return true;
}

/* A pass that was killed leaves intents without outcome. */
static enum err_code recover_journal(struct pass *p, struct err *e)
{
    struct journal_open *open = NULL;
    size_t n = 0;
    if (p->store == NULL || !p->o.apply)
        return ERR_OK;
    TRY(store_journal_recover(p->store, row_of_open, p->arena, &open, &n, e));
    if (n > 0)
        log_event(LOG_WARN, "the last pass did not end; its open actions are looked at again",
                  LOG_INT("actions", n));
    return ERR_OK;
}

/* ---- Engine -------------------------------------------------------------------------------------
 */

static const char *first_ca_file(struct pass *p)
{
    const struct manifest *m = p->o.manifest;
    const char *ca = m->master.github.ca_file;
    for (size_t i = 0; ca == NULL && i < m->n_slaves; i++)
        ca = m->slaves[i].github.ca_file;
    return ca != NULL ? path_join(p->arena, m->dir, ca) : NULL;
}

static enum err_code open_http(struct pass *p, struct err *e)
{
    const struct manifest_github *g = &p->o.manifest->master.github;
    struct mono now = clock_mono(p->clock);
    struct ms whole = p->o.deadline.v > 0 ? p->o.deadline : (struct ms){30 * 60 * 1000};
    struct http_config cfg = {
        .user_agent = p->o.user_agent,
        .ca_file = first_ca_file(p),
        .etag_dir = p->store != NULL ? path_join(p->arena, p->o.state_dir, "etag") : NULL,
        .etag_key = p->store != NULL ? store_key(p->store) : NULL,
        .pass_deadline = {now.ms + whole.v},
        .reads = g->reads,
        .write_gap = g->write_gap,
        .clock = p->clock,
        .interrupted = p->o.interrupted,
        .dry_run = !p->o.apply,
        .transport = p->o.transport,
        .transport_ctx = p->o.transport_ctx,
    };
    if (cfg.etag_dir != NULL)
        TRY(dir_make(cfg.etag_dir, DIR_MODE, e));
    return http_new(&cfg, &p->http, e);
}

/* ---- Source -------------------------------------------------------------------------------------
 */

static bool any_wants_code(const struct pass *p)
{
    for (size_t i = 0; i < p->n_slaves; i++)
        if (p->slaves[i].m != NULL && pass_wants(&p->slaves[i], LAYER_CODE))
            return true;
    return false;
}

/* The globs of all slaves: what the cache has to hold beyond heads, tags and notes. */
static const char *const *all_includes(struct pass *p)
{
    const char **list = NULL;
    size_t n = 0, cap = 0;
    for (size_t i = 0; i < p->o.manifest->n_slaves; i++) {
        const char *const *globs = p->o.manifest->slaves[i].policy.refs.include;
        for (size_t k = 0; globs != NULL && globs[k] != NULL; k++) {
            list = arena_grow(p->arena, list, n, &cap, sizeof *list);
            list[n++] = globs[k];
        }
    }
    list = arena_grow(p->arena, list, n, &cap, sizeof *list);
    list[n] = NULL;
    return list;
}

/* A master that cannot be read stops the code of all slaves, and nothing else. */
static void open_source(struct pass *p)
{
    const struct manifest *m = p->o.manifest;
    struct git_source_spec spec = {
        .url = m->master.url,
        .local = m->master.source != NULL ? path_join(p->arena, m->dir, m->master.source) : NULL,
        .cache_dir = path_join(p->arena, p->o.state_dir, "source.git"),
        .credential = {.token = p->master_token,
                       .ssh_key = m->master.ssh_key,
                       .known_hosts = m->master.known_hosts,
                       .ca_file = first_ca_file(p)},
        .http = p->http,
        .lane = m->master.github.url != NULL
                    ? http_lane(p->http, p->master_token, m->master.github.url)
                    : NULL,
        .include = all_includes(p),
        .offline = !any_wants_code(p),
        .interrupted = p->o.interrupted,
    };
    if (git_source_open(&spec, &p->source, &p->source_error) != ERR_OK)
        err_wrap(&p->source_error, "master '%s'", master_name(m));
}

/* ---- Slaves -------------------------------------------------------------------------------------
 */

static void lacks_token(struct pass_slave *s, const struct value_source *src, const struct err *why)
{
    err_set(&s->error, ERR_AUTH, "token: %s", why->text);
    s->cure =
        arena_printf(s->arena, "provide %s; docs/github-tokens.md shows which rights it needs",
                     value_source_describe(s->arena, src));
}

static enum err_code load_token(struct pass_slave *s, const struct value_source *src, struct err *e)
{
    TRY(secret_loader_get(s->pass->secrets, src, &s->token, e));
    if (secret_len(s->token) == 0)
        return err_set(e, ERR_AUTH, "%s is empty", value_source_describe(s->arena, src));
    return ERR_OK;
}

static void secret_lacking(struct pass_slave *s, const char *name, const struct value_source *src,
                           enum err_code code, const char *why)
{
    s->secrets[s->n_secrets++] = (struct pass_secret){.name = name}; /* wanted, value not known */
    pass_slave_condition(
        s, (struct condition){.level = COND_ERROR,
                              .err = code,
                              .code = code == ERR_REFUSED ? "secret-empty" : "secret-source",
                              .text = arena_printf(s->arena, "secret '%s': %s", name, why),
                              .cure = code == ERR_REFUSED
                                          ? "set allow_empty: true if an empty value is meant"
                                          : arena_printf(s->arena, "provide %s",
                                                         value_source_describe(s->arena, src)),
                              .about_kind = true,
                              .kind = KIND_SECRET});
}

static void load_secret(struct pass_slave *s, const struct manifest_secret *want)
{
    const struct secret *value = NULL;
    struct err e = ERR_INIT;
    if (secret_loader_get(s->pass->secrets, &want->source, &value, &e) != ERR_OK) {
        secret_lacking(s, want->name, &want->source, e.code, e.text);
        return;
    }
    if (secret_len(value) == 0 && !want->allow_empty) {
        secret_lacking(s, want->name, &want->source, ERR_REFUSED, "its value is empty");
        return;
    }
    char fp[FINGERPRINT_HEX] = "";
    if (s->pass->store != NULL)
        fingerprint_secret(store_key(s->pass->store), "secret", want->name, value, fp);
    s->secrets[s->n_secrets++] = (struct pass_secret){
        .name = want->name, .value = value, .fingerprint = arena_strdup(s->arena, fp)};
}

static void load_secrets(struct pass_slave *s)
{
    if (!pass_wants(s, LAYER_SECRETS))
        return;
    s->secrets = arena_alloc(s->arena, (s->m->n_secrets + 1) * sizeof *s->secrets);
    for (size_t i = 0; i < s->m->n_secrets; i++)
        if (s->m->secrets[i].roles[ROLE_SLAVE])
            load_secret(s, &s->m->secrets[i]);
}

static void slave_init(struct pass *p, struct pass_slave *s, const char *id)
{
    s->pass = p;
    s->id = id;
    s->arena = arena_new();
    s->facts.marker_role = ROLE_SLAVE;
    view_init(&s->desired, s->arena);
    view_init(&s->observed, s->arena);
    view_init(&s->ledger, s->arena);
}

static void init_master(struct pass *p, struct pass_slave *s)
{
    const struct manifest_master *m = &p->o.manifest->master;
    slave_init(p, s, "master");
    s->token = p->master_token;
    github_repo_init(&s->gh, p->http, s->token, m->github.api, m->repo, s->arena);
    s->has_gh = true;
}

static enum err_code open_remote(struct pass_slave *s, struct err *e)
{
    const struct pass *p = s->pass;
    struct git_remote_spec spec = {
        .url = s->m->url,
        .credential = {.token = s->token,
                       .ssh_key = s->m->ssh_key,
                       .known_hosts = s->m->known_hosts},
        .http = p->http,
        .lane = s->m->type == SLAVE_GITHUB ? http_lane(p->http, s->token, s->m->github.url)
                                           : http_lane(p->http, s->token, s->m->url),
        .dry_run = !p->o.apply,
        .interrupted = p->o.interrupted,
    };
    return git_remote_new(&spec, &s->remote, e);
}

static void init_slave(struct pass *p, struct pass_slave *s, const struct manifest_slave *m)
{
    slave_init(p, s, m->id);
    s->m = m;
    struct err e = ERR_INIT;
    if (m->token.type != SOURCE_NONE && load_token(s, &m->token, &e) != ERR_OK) {
        lacks_token(s, &m->token, &e);
        return;
    }
    if (m->type == SLAVE_GITHUB) {
        github_repo_init(&s->gh, p->http, s->token, m->github.api, m->repo, s->arena);
        s->has_gh = true;
    }
    if (open_remote(s, &s->error) == ERR_OK)
        load_secrets(s);
}

static bool chosen(const struct pass *p, const char *id)
{
    if (p->o.slaves == NULL)
        return true;
    for (size_t i = 0; p->o.slaves[i] != NULL; i++)
        if (str_eq(p->o.slaves[i], id))
            return true;
    return false;
}

static enum err_code check_chosen(const struct pass *p, struct err *e)
{
    const struct manifest *m = p->o.manifest;
    for (size_t i = 0; p->o.slaves != NULL && p->o.slaves[i] != NULL; i++) {
        if (str_eq(p->o.slaves[i], "master") || manifest_slave(m, p->o.slaves[i]) != NULL)
            continue;
        const char **ids = arena_alloc(p->arena, (m->n_slaves + 1) * sizeof *ids);
        for (size_t k = 0; k < m->n_slaves; k++)
            ids[k] = m->slaves[k].id;
        const char *near = str_suggest(p->o.slaves[i], ids);
        return err_set(e, ERR_USAGE, "no slave '%s' in %s%s%s%s", p->o.slaves[i], m->path,
                       near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                       near != NULL ? "'?" : "");
    }
    return ERR_OK;
}

static bool master_reconciled(const struct pass *p)
{
    const struct manifest_master *m = &p->o.manifest->master;
    return m->repo != NULL && m->workflows && p->master_token != NULL && chosen(p, "master");
}

static void init_slaves(struct pass *p)
{
    const struct manifest *m = p->o.manifest;
    p->slaves = arena_alloc(p->arena, (m->n_slaves + 1) * sizeof *p->slaves);
    if (master_reconciled(p))
        init_master(p, &p->slaves[p->n_slaves++]);
    for (size_t i = 0; i < m->n_slaves; i++)
        if (chosen(p, m->slaves[i].id) && !m->slaves[i].suspended)
            init_slave(p, &p->slaves[p->n_slaves++], &m->slaves[i]);
    p->plan.slaves = arena_alloc(p->arena, (p->n_slaves + 1) * sizeof *p->plan.slaves);
    p->plan.n = p->n_slaves;
    for (size_t i = 0; i < p->n_slaves; i++)
        p->slaves[i].plan = &p->plan.slaves[i];
}

/* ---- All of it
 * ------------------------------------------------------------------------------------ */

/* Without its token a public master can still be read; a private one will say so itself. */
static void load_master_token(struct pass *p)
{
    const struct value_source *src = &p->o.manifest->master.token;
    struct err e = ERR_INIT;
    if (src->type == SOURCE_NONE)
        return;
    if (secret_loader_get(p->secrets, src, &p->master_token, &e) != ERR_OK ||
        secret_len(p->master_token) == 0) {
        p->master_token = NULL;
        log_event(LOG_WARN, "the master's token is not at hand; its workflows are left as they are",
                  LOG_STR("source", value_source_describe(p->arena, src)));
    }
}

enum err_code prepare(struct pass *p, struct err *e)
{
    TRY(secrets_init(e));
    TRY(check_chosen(p, e));
    TRY(open_store(p, e));
    TRY(recover_journal(p, e));
    p->secrets = secret_loader_new(p->o.manifest->dir);
    load_master_token(p);
    TRY(open_http(p, e));
    init_slaves(p);
    open_source(p);
    return ERR_OK;
}
