/*
 * The secrets and variables of each slave: lists at the top, in `defaults` and in the slave merge
 * by name, the innermost wins; in one list an entry that names slaves beats one that does not.
 *
 * Most slaves of a large fleet have no wishes of their own: they share one array.
 */
#include "resolve.h"

#include <string.h>

/* ---- Entries -------------------------------------------------------------------------------- */

static const char *upper(struct arena *a, const char *s)
{
    char *copy = arena_strdup(a, s);
    for (char *p = copy; *p != '\0'; p++)
        *p = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
    return copy;
}

static void add_entry(struct resolving *x, struct entry_list *list, struct entry e)
{
    list->items = arena_grow(x->arena, list->items, list->n, &list->cap, sizeof(*list->items));
    list->items[list->n++] = e;
}

/* Hangs an entry into the chain of each slave that it names. */
static void add_special(struct resolving *x, struct special ***chains, struct entry e,
                        char *const *slaves, unsigned n)
{
    if (*chains == NULL)
        *chains = arena_alloc(x->arena, x->raw->slaves_count * sizeof(**chains));
    for (unsigned i = 0; i < n; i++) {
        const struct raw_slave *const *at = names_get(&x->ids, slaves[i]);
        if (at == NULL)
            continue;
        size_t number = (size_t)(at - (const struct raw_slave *const *)x->raw->slaves);
        struct special *s = arena_alloc(x->arena, sizeof(*s));
        *s = (struct special){.next = (*chains)[number], .entry = e};
        (*chains)[number] = s;
    }
}

static void gather_secrets(struct resolving *x, const struct raw_secrets *raw,
                           const struct node *node, struct layer_lists *out)
{
    unsigned i = 0;

    if (raw == NULL)
        return;
    for (const struct node *n = node_items(node, "names"); n != NULL; n = n->next, i++)
        add_entry(x, &out->secrets,
                  (struct entry){.name = upper(x->arena, raw->names[i]),
                                 .source_name = raw->names[i],
                                 .node = n});
    i = 0;
    for (const struct node *n = node_items(node, "items"); n != NULL; n = n->next, i++) {
        const struct raw_secret *s = raw->items[i];
        struct entry e = {
            .name = upper(x->arena, s->name), .source_name = s->name, .secret = s, .node = n};
        if (s->slaves_count > 0)
            add_special(x, &out->secret_specials, e, s->slaves, s->slaves_count);
        else
            add_entry(x, &out->secrets, e);
    }
}

static bool names_slave(const struct raw_variable *v)
{
    bool found = v->value != NULL && strstr(v->value, "${slave.") != NULL;
    for (size_t i = 0; v->in != NULL && i < ROLE_COUNT; i++)
        found = found || (v->in->value[i] != NULL && strstr(v->in->value[i], "${slave.") != NULL);
    return found;
}

static void gather_variables(struct resolving *x, const struct raw_layer *raw,
                             const struct node *layer, struct layer_lists *out)
{
    unsigned i = 0;

    for (const struct node *n = node_items(layer, "variables"); n != NULL; n = n->next, i++) {
        const struct raw_variable *v = raw->variables[i];
        struct entry e = {.name = upper(x->arena, v->name), .variable = v, .node = n};
        out->names_slave = out->names_slave || names_slave(v);
        if (v->slaves_count > 0)
            add_special(x, &out->variable_specials, e, v->slaves, v->slaves_count);
        else
            add_entry(x, &out->variables, e);
    }
}

void lists_prepare(struct resolving *x)
{
    const struct raw_defaults *defaults = x->raw->defaults;

    for (unsigned i = 0; i < x->raw->slaves_count; i++)
        (void)names_put(&x->ids, x->raw->slaves[i]->id, &x->raw->slaves[i]);
    gather_secrets(x, x->raw->layer.secrets, node_get(x->root, "secrets"), &x->layers[0]);
    gather_variables(x, &x->raw->layer, x->root, &x->layers[0]);
    if (defaults == NULL)
        return;
    const struct node *n = node_get(x->root, "defaults");
    gather_secrets(x, defaults->layer.secrets, node_get(n, "secrets"), &x->layers[1]);
    gather_variables(x, &defaults->layer, n, &x->layers[1]);
}

/* ---- Merging -------------------------------------------------------------------------------- */

struct merging {
    struct entry_list list;
    struct names
        places; /* name → its place in list.items + 1, as a pointer into `list` would move */
};

static void merge(struct resolving *x, struct merging *m, const struct entry *e)
{
    size_t *place = arena_alloc(x->arena, sizeof(*place));
    *place = m->list.n;
    const size_t *before = names_put(&m->places, e->name, place);

    if (before != NULL)
        m->list.items[*before] = *e;
    else
        add_entry(x, &m->list, *e);
}

static void merge_all(struct resolving *x, struct merging *m, const struct entry_list *list,
                      const struct special *specials)
{
    for (size_t i = 0; i < list->n; i++)
        merge(x, m, &list->items[i]);
    for (; specials != NULL; specials = specials->next)
        merge(x, m, &specials->entry);
}

static const struct special *chain(struct special *const *chains, size_t i)
{
    return chains == NULL ? NULL : chains[i];
}

/* ---- What can be wrong at last -------------------------------------------------------------- */

/* Whether this was not yet reported for another slave. */
static bool first_time(struct resolving *x, enum diag code, const struct node *n)
{
    const char *key = arena_printf(x->arena, "%d:%d:%d", (int)code, n->start.line, n->start.column);
    return names_put(&x->told, key, n) == NULL;
}

static void check_count(struct resolving *x, const struct node *slave, size_t n, size_t max,
                        const char *what)
{
    if (n > max)
        report_at(x->r, D_TOO_MANY, node_get(slave, "id"), NULL,
                  "%zu %s for this slave; GitHub takes %zu", n, what, max);
}

/* ---- Secrets -------------------------------------------------------------------------------- */

static struct manifest_secret make_secret(struct resolving *x, const struct settings *s,
                                          const struct entry *e)
{
    const struct raw_secret *raw = e->secret;
    struct manifest_secret out = {
        .name = e->name,
        .adopt = s->secret_rules.adopt,
        .allow_empty = s->secret_rules.allow_empty,
        .pos = e->node->start,
    };
    bool listed = node_get(e->node, "roles") != NULL;

    for (size_t i = 0; i < ROLE_COUNT; i++)
        out.roles[i] = !listed;
    for (unsigned i = 0; raw != NULL && i < raw->roles_count; i++)
        out.roles[raw->roles[i]] = true;
    if (raw != NULL && raw->adopt != NULL)
        out.adopt = *raw->adopt;
    if (raw != NULL && raw->allow_empty != NULL)
        out.allow_empty = *raw->allow_empty;
    if (raw != NULL && raw->from != NULL) {
        out.source = resolve_source(x, raw->from, node_get(e->node, "from"), e->source_name);
    } else {
        out.source = s->names_from;
        out.source.name = e->source_name;
        out.source.origin = resolve_origin(x, e->node->start);
    }
    return out;
}

static bool wanted_somewhere(const struct manifest_secret *s)
{
    for (size_t i = 0; i < ROLE_COUNT; i++)
        if (s->roles[i])
            return true;
    return false;
}

static void fill_secrets(struct resolving *x, const struct settings *s, const struct merging *m,
                         const struct node *slave, struct manifest_slave *out)
{
    struct manifest_secret *secrets = arena_alloc(x->arena, m->list.n * sizeof(*secrets));
    size_t n = 0;

    for (size_t i = 0; i < m->list.n; i++) {
        secrets[n] = make_secret(x, s, &m->list.items[i]);
        n += wanted_somewhere(&secrets[n]) ? 1 : 0;
    }
    out->secrets = secrets;
    out->n_secrets = n;
    check_count(x, slave, n, LIMIT_SECRETS_PER_SLAVE, "secrets");
}

static void resolve_secrets(struct resolving *x, size_t i, const struct settings *s,
                            const struct raw_secrets *own, const struct node *slave,
                            struct manifest_slave *out)
{
    const struct special *top = chain(x->layers[0].secret_specials, i),
                         *inner = chain(x->layers[1].secret_specials, i);
    bool plain = own == NULL && top == NULL && inner == NULL;
    struct merging m = {0};

    if (plain && x->secrets_shared) {
        out->secrets = x->shared_secrets;
        out->n_secrets = x->n_shared_secrets;
        return;
    }
    names_init(&m.places, x->arena);
    merge_all(x, &m, &x->layers[0].secrets, top);
    merge_all(x, &m, &x->layers[1].secrets, inner);
    struct layer_lists mine = {0};
    gather_secrets(x, own, node_get(slave, "secrets"), &mine);
    merge_all(x, &m, &mine.secrets, NULL);
    fill_secrets(x, s, &m, slave, out);
    if (!plain)
        return;
    x->secrets_shared = true;
    x->shared_secrets = out->secrets;
    x->n_shared_secrets = out->n_secrets;
}

/* ---- Variables ------------------------------------------------------------------------------ */

struct value_context {
    struct resolving *x;
    const struct reference *refs;
    bool allow_empty;
};

static const char *make_value(const struct value_context *c, const char *text, const struct node *n)
{
    struct resolving *x = c->x;

    if (text == NULL)
        return NULL;
    for (const struct reference *f = c->refs; f->name != NULL; f++) {
        const char *call = arena_printf(x->arena, "${%s}", f->name);
        if (f->value != NULL || strstr(text, call) == NULL)
            continue;
        if (first_time(x, D_REFERENCE, n))
            report_at(x->r, D_REFERENCE, n, "the master has no `repo`", "%s has no value here",
                      call);
        return text;
    }
    const char *value =
        strstr(text, "${") == NULL ? text : references_replace(x->arena, text, c->refs);
    if (value == NULL || strlen(value) > LIMIT_VARIABLE_BYTES) {
        if (first_time(x, D_VALUE_SIZE, n))
            report_at(x->r, D_VALUE_SIZE, n, NULL,
                      "the value becomes larger than the 49152 bytes that GitHub takes");
        return text;
    }
    if (value[0] == '\0' && !c->allow_empty && first_time(x, D_EMPTY, n))
        report_at(x->r, D_EMPTY, n, "say allow_empty: true if that is meant", "the value is empty");
    return value;
}

static struct manifest_variable make_variable(struct resolving *x, const struct settings *s,
                                              const struct entry *e, const struct reference *refs)
{
    const struct raw_variable *raw = e->variable;
    struct manifest_variable out = {
        .policy = {.name = e->name},
        .adopt = raw->adopt != NULL ? *raw->adopt : s->variable_rules.adopt,
        .allow_empty = raw->allow_empty != NULL ? *raw->allow_empty : s->variable_rules.allow_empty,
        .pos = e->node->start,
    };
    const struct value_context c = {.x = x, .refs = refs, .allow_empty = out.allow_empty};
    const struct node *in = node_get(e->node, "in");

    out.policy.value = make_value(&c, raw->value, node_get(e->node, "value"));
    for (int i = 0; raw->in != NULL && i < ROLE_COUNT; i++)
        out.policy.in[i] = make_value(&c, raw->in->value[i], node_get(in, role_name((enum role)i)));
    return out;
}

static void fill_variables(struct resolving *x, const struct settings *s, const struct merging *m,
                           const struct node *slave, struct manifest_slave *out)
{
    const char *const *names = reference_names();
    const struct reference refs[] = {{names[0], x->m->master.repo},
                                     {names[1], x->m->master.url},
                                     {names[2], out->id},
                                     {names[3], out->repo},
                                     {NULL, NULL}};
    struct manifest_variable *variables = arena_alloc(x->arena, m->list.n * sizeof(*variables));

    for (size_t i = 0; i < m->list.n; i++)
        variables[i] = make_variable(x, s, &m->list.items[i], refs);
    out->variables = variables;
    out->n_variables = m->list.n;
    check_count(x, slave, m->list.n, LIMIT_VARIABLES_PER_SLAVE, "variables");
}

static void resolve_variables(struct resolving *x, size_t i, const struct settings *s,
                              const struct raw_layer *own, const struct node *slave,
                              struct manifest_slave *out)
{
    const struct special *top = chain(x->layers[0].variable_specials, i),
                         *inner = chain(x->layers[1].variable_specials, i);
    bool plain = own->variables == NULL && own->variable_rules == NULL && top == NULL &&
                 inner == NULL && !x->layers[0].names_slave && !x->layers[1].names_slave;
    struct merging m = {0};

    if (plain && x->variables_shared) {
        out->variables = x->shared_variables;
        out->n_variables = x->n_shared_variables;
        return;
    }
    names_init(&m.places, x->arena);
    merge_all(x, &m, &x->layers[0].variables, top);
    merge_all(x, &m, &x->layers[1].variables, inner);
    struct layer_lists mine = {0};
    gather_variables(x, own, slave, &mine);
    merge_all(x, &m, &mine.variables, NULL);
    fill_variables(x, s, &m, slave, out);
    if (!plain)
        return;
    x->variables_shared = true;
    x->shared_variables = out->variables;
    x->n_shared_variables = out->n_variables;
}

void lists_resolve(struct resolving *x, size_t i, const struct settings *s,
                   const struct raw_slave *raw, const struct node *n, struct manifest_slave *out)
{
    resolve_secrets(x, i, s, raw->layer.secrets, n, out);
    resolve_variables(x, i, s, &raw->layer, n, out);
}
