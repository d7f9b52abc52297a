/*
 * Parts against parts: what no table can say. It reads the tree, not what libcyaml made of it, so
 * that it also runs over a manifest with other mistakes: all of them are to be told at once.
 */
#include "room.h"

#include <string.h>

static const char *const default_github = "https://github.com";

struct checking {
    struct reading *r;
    const struct node *root, *master, *defaults;
    struct names ids;   /* id → slave */
    struct names repos; /* identity → slave or master */
    struct names ranks; /* rank → slave */
};

static bool is_true(const struct node *map, const char *key)
{
    return str_eq(node_text(map, key), "true");
}

static bool is_github(const struct node *slave)
{
    return str_eq(node_text(slave, "type"), "github");
}

static const char *place(struct checking *c, const struct node *n)
{
    return arena_printf(c->r->arena, "line %d", n->start.line);
}

/* ---- Slaves: ids, what their type needs and refuses ----------------------------------------- */

static void check_id(struct checking *c, const struct node *slave)
{
    const struct node *id = node_get(slave, "id");
    const char *text = node_text(slave, "id");

    if (text == NULL)
        return;
    const struct node *other = names_put(&c->ids, text, slave);
    if (other != NULL)
        report_at(c->r, D_DUPLICATE_ID, id,
                  arena_printf(c->r->arena, "the first is in %s", place(c, other)),
                  "two slaves are called \"%s\"", quoted(c->r, text));
}

static const char *upper(struct arena *a, const char *s)
{
    char *copy = arena_strdup(a, s);
    for (char *p = copy; *p != '\0'; p++)
        *p = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
    return copy;
}

static void needs(struct checking *c, const struct node *slave, const char *key, const char *hint)
{
    if (node_get(slave, key) != NULL || node_get(c->defaults, key) != NULL)
        return;
    const struct node *type = node_get(slave, "type");
    if (c->r->env)
        hint = arena_printf(c->r->arena, "add its MIRROR_…_%s", upper(c->r->arena, key));
    report_at(c->r, D_TYPE_NEEDS, type, hint, "a slave of type %s needs %s", type->text, key);
}

static void check_git_slave(struct checking *c, const struct node *slave)
{
    static const char *const refused[] = {"repo",      "github",         "roles", "secrets",
                                          "variables", "variable_rules", "rank"};
    static const char *const layers[] = {"secrets", "variables", "workflows"};

    needs(c, slave, "url", "add url: ssh://USER@HOST/PATH");
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        const struct node *n = node_get(slave, refused[i]);
        if (n != NULL)
            report_at(c->r, D_TYPE_REFUSES, n->key, "type git mirrors code and nothing else",
                      "a slave of type git has no %s", refused[i]);
    }
    const struct node *sync = node_get(slave, "sync");
    for (size_t i = 0; i < ARRAY_LEN(layers); i++)
        if (is_true(sync, layers[i]))
            report_at(c->r, D_TYPE_REFUSES, node_get(sync, layers[i]),
                      "type git mirrors code and nothing else",
                      "a slave of type git cannot keep %s in step", layers[i]);
}

static void check_rank(struct checking *c, const struct node *slave, size_t place_in_list)
{
    const struct node *rank = node_get(slave, "rank");
    const char *text = node_text(slave, "rank");

    if (rank == NULL)
        text = arena_printf(c->r->arena, "%zu", place_in_list);
    if (text == NULL)
        return;
    const struct node *other = names_put(&c->ranks, text, slave);
    if (other == NULL)
        return;
    const struct node *at = rank != NULL ? rank : node_get(slave, "id");
    report_at(c->r, W_RANK, at != NULL ? at : slave,
              rank != NULL ? NULL : "without rank, it is the place in the list",
              "rank %s is also that of the slave in %s", quoted(c->r, text), place(c, other));
}

/* ---- Which repository it is ----------------------------------------------------------------- */

static const char *github_url(const struct checking *c, const struct node *n)
{
    const struct node *const owners[] = {n, n == c->master ? NULL : c->defaults, c->root};
    for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
        const char *url = node_text(node_get(owners[i], "github"), "url");
        if (url != NULL)
            return url;
    }
    return default_github;
}

/* Whether upper and lower case are one at this host: GitHub's, as far as the manifest tells. */
static bool is_github_host(const struct checking *c, const struct address *ad)
{
    struct address gh;

    if (ad->host == NULL)
        return false;
    return strcmp(ad->host, "github.com") == 0 ||
           (address_parse(github_url(c, c->master), c->r->arena, &gh) && gh.host != NULL &&
            strcmp(gh.host, ad->host) == 0);
}

/* One text for one repository, or NULL when the manifest does not tell. */
static const char *identity(const struct checking *c, const struct node *n, bool github)
{
    struct arena *a = c->r->arena;
    const char *repo = node_text(n, "repo"), *url = node_text(n, "url");
    struct address ad;

    if (github && repo != NULL)
        url = arena_printf(a, "%s/%s", github_url(c, n), repo);
    if (url == NULL || !address_parse(url, a, &ad))
        return NULL;
    return address_identity(&ad, github || is_github_host(c, &ad), a);
}

static const struct node *repo_node(const struct node *n)
{
    const struct node *repo = node_get(n, "repo");
    return repo != NULL ? repo : node_get(n, "url");
}

static void check_repo(struct checking *c, const struct node *slave)
{
    const char *which = identity(c, slave, is_github(slave));

    if (which == NULL)
        return;
    const struct node *other = names_put(&c->repos, which, slave);
    if (other == c->master && other != NULL)
        report_at(c->r, D_SLAVE_IS_MASTER, repo_node(slave), NULL, "this slave is the master");
    else if (other != NULL)
        report_at(c->r, D_SAME_REPO, repo_node(slave), NULL,
                  "the slave in %s is the same repository", place(c, other));
}

static void check_slaves(struct checking *c)
{
    size_t place_in_list = 0;

    for (const struct node *s = node_items(c->root, "slaves"); s != NULL; s = s->next) {
        place_in_list++;
        check_id(c, s);
        check_repo(c, s);
        if (str_eq(node_text(s, "type"), "git"))
            check_git_slave(c, s);
        if (!is_github(s))
            continue;
        needs(c, s, "repo", "add repo: OWNER/NAME");
        needs(c, s, "token", "add token: {env: NAME}, here or in defaults");
        check_rank(c, s, place_in_list);
    }
}

/* ---- Secrets and variables ------------------------------------------------------------------ */

/* A name that applies to all slaves, or ("\n" + id) to one. */
static void check_unique(struct checking *c, struct names *seen, const struct node *name,
                         const char *what, const char *slave)
{
    const char *text = upper(c->r->arena, name->text);
    const char *key = slave == NULL ? text : arena_printf(c->r->arena, "%s\n%s", text, slave);
    const struct node *other = names_put(seen, key, name);

    if (other == NULL)
        return;
    const char *hint = arena_printf(c->r->arena, "the first is in %s", place(c, other));
    if (slave == NULL)
        report_at(c->r, D_DUPLICATE_NAME, name, hint, "%s \"%s\" is listed twice", what,
                  quoted(c->r, name->text));
    else
        report_at(c->r, D_DUPLICATE_NAME, name, hint, "%s \"%s\" is listed twice for slave \"%s\"",
                  what, quoted(c->r, name->text), quoted(c->r, slave));
}

static void unknown_slave(struct checking *c, const struct node *n)
{
    size_t i = 0;
    const struct node *list = node_get(c->root, "slaves");
    const char **ids = arena_alloc(c->r->arena, ((list == NULL ? 0 : list->n) + 1) * sizeof(*ids));

    if (c->r->diags->n_errors > LIMIT_DIAGNOSTICS)
        return;
    for (const struct node *s = node_items(c->root, "slaves"); s != NULL; s = s->next)
        if (node_text(s, "id") != NULL)
            ids[i++] = node_text(s, "id");
    const char *near = str_suggest(n->text, ids);
    report_at(c->r, D_UNKNOWN_SLAVE, n,
              near == NULL ? NULL : arena_printf(c->r->arena, "did you mean \"%s\"?", near),
              "there is no slave \"%s\"", quoted(c->r, n->text));
}

/* One entry of a list of secrets or variables; `seen` is that of its list. */
static void check_entry(struct checking *c, struct names *seen, const struct node *entry,
                        const char *what, bool inside_slave)
{
    const struct node *name = node_get(entry, "name"), *slaves = node_get(entry, "slaves");

    if (node_text(entry, "name") == NULL)
        return;
    if (inside_slave && slaves != NULL)
        report_at(c->r, D_MISPLACED_SLAVES, slaves->key, "leave it out",
                  "inside a slave, `slaves` says nothing");
    if (inside_slave || slaves == NULL) {
        check_unique(c, seen, name, what, NULL);
        return;
    }
    for (const struct node *s = node_items(entry, "slaves"); s != NULL; s = s->next) {
        if (s->type != NODE_SCALAR || s->bad)
            continue;
        if (names_get(&c->ids, s->text) == NULL)
            unknown_slave(c, s);
        check_unique(c, seen, name, what, s->text);
    }
}

static void check_lists(struct checking *c, const struct node *layer, bool inside_slave)
{
    const struct node *secrets = node_get(layer, "secrets");
    struct names seen;

    names_init(&seen, c->r->arena);
    for (const struct node *n = node_items(secrets, "names"); n != NULL; n = n->next)
        if (n->type == NODE_SCALAR && !n->bad)
            check_unique(c, &seen, n, "secret", NULL);
    for (const struct node *n = node_items(secrets, "items"); n != NULL; n = n->next)
        check_entry(c, &seen, n, "secret", inside_slave);
    names_init(&seen, c->r->arena);
    for (const struct node *n = node_items(layer, "variables"); n != NULL; n = n->next)
        check_entry(c, &seen, n, "variable", inside_slave);
}

static bool has_items(const struct node *map, const char *key)
{
    return node_items(map, key) != NULL;
}

/* An empty list that prunes: of a layer and those around it. */
static void check_prune(struct checking *c, const struct node *layer)
{
    const struct node *const around[] = {layer, c->defaults, c->root};
    const struct node *secrets = node_get(layer, "secrets"),
                      *rules = node_get(layer, "variable_rules");
    bool some_secrets = false, some_variables = false;

    for (size_t i = 0; i < ARRAY_LEN(around); i++) {
        const struct node *s = node_get(around[i], "secrets");
        some_secrets = some_secrets || has_items(s, "names") || has_items(s, "items");
        some_variables = some_variables || has_items(around[i], "variables");
    }
    if (is_true(secrets, "prune") && !some_secrets)
        report_at(c->r, W_EMPTY_PRUNE, node_get(secrets, "prune"), NULL,
                  "no secret is listed: prune deletes all that mirrorctl wrote");
    if (is_true(rules, "prune") && !some_variables)
        report_at(c->r, W_EMPTY_PRUNE, node_get(rules, "prune"), NULL,
                  "no variable is listed: prune deletes all that mirrorctl wrote");
}

/* ---- Roles, failover, master ---------------------------------------------------------------- */

static void check_role(struct checking *c, const struct node *role)
{
    static const char *const lists[] = {"enabled", "disabled", "ignored"};
    struct names seen;

    names_init(&seen, c->r->arena);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        for (const struct node *n = node_items(role, lists[i]); n != NULL; n = n->next) {
            if (n->type != NODE_SCALAR || n->bad || !role_pattern_is_literal(n->text))
                continue;
            const char *other = names_put(&seen, n->text, lists[i]);
            if (other != NULL && other != lists[i])
                report_at(c->r, D_TWO_LISTS, n, NULL, "\"%s\" is both %s and %s",
                          quoted(c->r, n->text), other, lists[i]);
        }
}

static void check_layer(struct checking *c, const struct node *layer, bool inside_slave)
{
    const struct node *roles = node_get(layer, "roles");

    if (layer == NULL || layer->type != NODE_MAP)
        return;
    if (roles != NULL && roles->type == NODE_MAP)
        for (const struct node *role = roles->first; role != NULL; role = role->next)
            check_role(c, role);
    check_lists(c, layer, inside_slave);
    check_prune(c, layer);
}

static void check_failover(struct checking *c)
{
    const struct node *lease = node_get(node_get(c->root, "failover"), "lease");

    if (lease == NULL || lease->type != NODE_SCALAR || lease->bad)
        return;
    const struct node *slave = names_get(&c->ids, lease->text);
    if (slave == NULL)
        unknown_slave(c, lease);
    else if (!is_github(slave))
        report_at(c->r, D_LEASE, lease, NULL,
                  "\"%s\" is not of type github and cannot keep the lease",
                  quoted(c->r, lease->text));
}

static void check_master(struct checking *c)
{
    const struct node *m = c->master;
    const char *which = identity(c, m, node_text(m, "repo") != NULL);
    const char *state_file = node_text(m, "state_file");

    if (which != NULL)
        (void)names_put(&c->repos, which, m);
    if (state_file != NULL && state_file[0] != '/' && !str_starts_with(state_file, "~/") &&
        node_get(m, "source") == NULL)
        report_at(c->r, D_STATE_FILE, node_get(m, "state_file"), "add source: PATH",
                  "a relative state_file starts at `source`, and there is none");
    if (is_true(m, "workflows") && node_get(m, "repo") == NULL)
        report_at(c->r, D_TYPE_REFUSES, node_get(m, "workflows"), "add repo: OWNER/NAME",
                  "a master without repo has no workflows");
}

void check_parts(struct reading *r, const struct node *root)
{
    struct checking c = {
        .r = r,
        .root = root,
        .master = node_get(root, "master"),
        .defaults = node_get(root, "defaults"),
    };

    names_init(&c.ids, r->arena);
    names_init(&c.repos, r->arena);
    names_init(&c.ranks, r->arena);
    check_master(&c);
    check_slaves(&c);
    check_layer(&c, root, false);
    check_layer(&c, c.defaults, false);
    for (const struct node *s = node_items(root, "slaves"); s != NULL; s = s->next)
        check_layer(&c, s, true);
    check_failover(&c);
}
