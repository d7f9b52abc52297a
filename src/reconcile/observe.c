/* One slave: what is there. Everything that goes wrong stays with the slave. */
#include "pass_slave.h"

enum { SPARE_ITEMS = 8 };

/* The repository first (is it the one we know?), then the refs with the marker, then the rest. */
static const enum kind identity[] = {KIND_DEFAULT_BRANCH};
static const enum kind code[] = {KIND_REF, KIND_ROLE};
static const enum kind rest[] = {KIND_SECRET, KIND_VARIABLE, KIND_WORKFLOW, KIND_ACTIONS};

static const struct secret *find_secret(void *ctx, const char *name)
{
    const struct pass_slave *s = ctx;
    for (size_t i = 0; i < s->n_secrets; i++)
        if (str_eq(s->secrets[i].name, name))
            return s->secrets[i].value;
    return NULL;
}

static void forward_progress(void *ctx, int64_t bytes, int64_t total)
{
    struct pass_slave *s = ctx;
    const struct pass_observer *o = &s->pass->o.observer;
    if (o->bytes == NULL)
        return;
    pthread_mutex_lock(&s->pass->talk);
    o->bytes(o->ctx, s->id, bytes, total);
    pthread_mutex_unlock(&s->pass->talk);
}

static void fill_context(struct pass_slave *s)
{
    s->ctx = (struct kind_context){
        .slave = s->id,
        .gh = s->has_gh ? &s->gh : NULL,
        .source = s->pass->source,
        .remote = s->remote,
        .desired = &s->desired,
        .facts = &s->facts,
        .arena = s->arena,
        .clock = s->pass->clock,
        .controller = s->pass->store != NULL ? store_id(s->pass->store) : NULL,
        .interrupted = s->pass->o.interrupted,
        .secret = find_secret,
        .secret_ctx = s,
        .progress = forward_progress,
        .progress_ctx = s,
    };
}

static enum err_code recall(struct pass_slave *s, struct err *e)
{
    if (s->pass->store == NULL)
        return ERR_OK;
    TRY(store_ledger(s->pass->store, s->id, &s->ledger, e));
    struct store_slave row = {0};
    TRY(store_slave_get(s->pass->store, s->id, s->arena, &row, e));
    s->facts.last_repo_id = row.repo_id;
    s->facts.last_marker = row.marker;
    s->facts.last_epoch = row.epoch;
    return ERR_OK;
}

/* --only leaves the repository and its marker to be looked at: no write without the fence check. */
static bool skipped(const struct pass_slave *s, enum kind k)
{
    if (s->m == NULL)
        return k != KIND_WORKFLOW;
    if (k == KIND_DEFAULT_BRANCH || k == KIND_REF || k == KIND_ROLE)
        return false;
    return !pass_wants(s, kind_layer(k));
}

static enum err_code look(struct pass_slave *s, const enum kind *kinds, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        const struct kind_row *row = kind_row(kinds[i]);
        if (!skipped(s, kinds[i]))
            TRY(row->observe(&s->ctx, &s->observed, e));
    }
    view_sort(&s->observed);
    return ERR_OK;
}

/* The user accepted that the repository was made anew: what was known of the old one is nothing. */
static void accept_replaced(struct pass_slave *s)
{
    struct slave_facts *f = &s->facts;
    if (!s->pass->o.allow_replaced || f->last_repo_id == 0 || f->repo_id == f->last_repo_id)
        return;
    view_init(&s->ledger, s->arena);
    f->last_marker = NULL;
    f->last_epoch = 0;
}

/* Redirects are followed; they end the day somebody else takes the old name (github.md 5.1). */
static void tell_moved(struct pass_slave *s)
{
    if (!s->has_gh || !s->gh.moved || s->facts.full_name == NULL)
        return;
    pass_slave_condition(
        s,
        (struct condition){.level = COND_WARNING,
                           .code = "repository-renamed",
                           .text = arena_printf(s->arena, "the repository '%s' is now '%s'",
                                                s->gh.name, s->facts.full_name),
                           .cure = "write the new name into the manifest; the old one works only "
                                   "until somebody takes it"});
}

/* What is wanted and what is there are mostly as many as the ledger knows: the one allocation of a
 * view, of which there are two thousand in a pass over a thousand slaves. */
static void reserve(struct pass_slave *s)
{
    view_reserve(&s->desired, s->ledger.n + SPARE_ITEMS);
    view_reserve(&s->observed, s->ledger.n + SPARE_ITEMS);
}

static enum err_code observe(struct pass_slave *s, struct err *e)
{
    TRY(recall(s, e));
    reserve(s);
    desired_from_manifest(s);
    fill_context(s);
    TRY(look(s, identity, ARRAY_LEN(identity), e));
    accept_replaced(s);
    tell_moved(s);
    if (s->facts.archived)
        return ERR_OK; /* it refuses even the look that a push begins with; plan tells why */
    TRY(look(s, code, ARRAY_LEN(code), e));
    desired_after_refs(s);
    TRY(look(s, rest, ARRAY_LEN(rest), e));
    desired_workflows(s);
    return ERR_OK;
}

/* One const sentence per policy of an error: what a person does about a slave that cannot be seen.
 */
static const char *const cures[ERR_CODE_COUNT] = {
    [ERR_AUTH] =
        "check that the token is right and not expired; mirrorctl will not try it again in "
        "this pass",
    [ERR_PERMISSION] = "give the token the rights that docs/github-tokens.md lists",
    [ERR_NOT_FOUND] = "check the spelling of the repository, and that the token may see it",
    [ERR_UNAVAILABLE] = "nothing was changed there; the next pass tries again",
    [ERR_TIMEOUT] = "nothing more was changed there; the next pass tries again",
    [ERR_RATE] = "wait until then; the next pass goes on from where this one stopped",
};

void observe_slave(struct pass_slave *s)
{
    if (s->error.code != ERR_OK)
        return; /* its token is lacking: there is nothing to look with */
    tell_begin(s, "looking");
    struct err e = ERR_INIT; /* filled, too, by what only failed one kind */
    if (observe(s, &e) != ERR_OK) {
        s->error = e;
        s->cure = cures[e.code];
    }
    s->facts.token_expires = s->has_gh ? http_lane_token_expires(s->gh.lane) : (struct wall){0};
}
