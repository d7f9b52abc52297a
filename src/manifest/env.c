/*
 * A .env with MIRROR_* settings, as the original design has it, becomes the tree of a manifest:
 * what is checked and resolved then is the same as with YAML, and every message points into the
 * .env.
 *
 * Values of secrets are never copied: tokens, and the secrets to be mirrored, become references to
 * the file.
 */
#include "env_file.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_SLAVES = 1000000 }; /* numbers behind MIRROR_; more than anybody has */

static const char *const slave_settings[] = {"ENABLED",   "ID",  "TYPE",         "TOKEN",
                                             "REPO",      "URL", "SSH_KEY_PATH", "SYNC_SECRETS",
                                             "SYNC_VARS", NULL};
static const char *const general_settings[] = {"MIRROR_ENABLED",       "MIRROR_MASTER_REPO",
                                               "MIRROR_MASTER_TOKEN",  "MIRROR_MASTER_URL",
                                               "MIRROR_MASTER_SOURCE", "MIRROR_STATE_FILE",
                                               "MIRROR_SECRETS",       "MIRROR_VARS",
                                               "MIRROR_GITHUB_URL",    NULL};

struct env_reading {
    struct reading *r;
    struct env_lines lines;
    const char *path; /* of the .env, as references call it */
    struct node *root;
};

/* ---- Names ---------------------------------------------------------------------------------- */

/* MIRROR_12_TOKEN: 12, and what follows. 0 when the name is not of that form. */
static long slave_number(const char *name, const char **out_setting)
{
    char *end;

    *out_setting = "";
    if (!str_starts_with(name, "MIRROR_") || name[7] < '1' || name[7] > '9')
        return 0;
    long n = strtol(name + 7, &end, 10);
    if (*end != '_' || n > MOST_SLAVES)
        return 0;
    *out_setting = end + 1;
    return n;
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

/* Whether a comma-separated list has a name. */
static bool list_has(const char *list, const char *name)
{
    size_t n = strlen(name);

    while (list != NULL && *list != '\0') {
        list += strspn(list, ", \t\n");
        size_t len = strcspn(list, ", \t\n");
        if (len == n && memcmp(list, name, n) == 0)
            return true;
        list += len;
    }
    return false;
}

/* The value of a setting by its name; "" when it is not there. Never ask for a token. */
static const char *setting_value(const struct env_reading *x, const char *name)
{
    return env_value(x->r, env_find(&x->lines, name));
}

/* ---- Building the tree ---------------------------------------------------------------------- */

static struct node *scalar(struct env_reading *x, const struct env_line *l, const char *text,
                           bool plain)
{
    struct node *n = node_new(x->r->arena, NODE_SCALAR, l->value_at);
    n->end.column += l->value_width;
    n->text = text;
    n->len = strlen(text);
    n->plain = plain;
    return n;
}

static struct node *key(struct env_reading *x, const struct env_line *l, const char *text)
{
    struct node *n = node_new(x->r->arena, NODE_SCALAR, l->at);
    n->end.column += (int)strlen(l->name);
    n->text = text;
    n->len = strlen(text);
    n->plain = true;
    return n;
}

static struct node *put(struct env_reading *x, struct node *map, const struct env_line *l,
                        const char *name, struct node *value)
{
    value->key = key(x, l, name);
    node_append(map, value);
    return value;
}

static struct node *put_new(struct env_reading *x, struct node *map, const struct env_line *l,
                            const char *name, enum node_type type)
{
    return put(x, map, l, name, node_new(x->r->arena, type, l->at));
}

static void put_text(struct env_reading *x, struct node *map, const struct env_line *l,
                     const char *name)
{
    (void)put(x, map, l, name, scalar(x, l, env_value(x->r, l), false));
}

/* {env_file: PATH, name: NAME}: where a value is, instead of the value. */
static void put_source(struct env_reading *x, struct node *map, const struct env_line *l,
                       const char *name)
{
    struct node *source = put_new(x, map, l, name, NODE_MAP);
    (void)put(x, source, l, "env_file", scalar(x, l, x->path, false));
    (void)put(x, source, l, "name", scalar(x, l, l->name, false));
}

/* true and false as the original program reads them, and their opposites. */
static bool truth(struct env_reading *x, const struct env_line *l, bool fallback)
{
    static const char *const yes[] = {"true", "yes", "on", "1"}, *const no[] = {"false", "no",
                                                                                "off", "0"};
    if (l == NULL || l->empty)
        return fallback;
    const char *value = env_value(x->r, l);
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (str_eq_nocase(value, yes[i]))
            return true;
        if (str_eq_nocase(value, no[i]))
            return false;
    }
    report(x->r, D_ENV_VALUE, l->value_at, l->value_width, "write true or false",
           "%s is \"%s\", which is neither true nor false", l->name, quoted(x->r, value));
    return fallback;
}

static void put_bool(struct env_reading *x, struct node *map, const struct env_line *l,
                     const char *name, bool value)
{
    (void)put(x, map, l, name, scalar(x, l, value ? "true" : "false", true));
}

/* ---- Master --------------------------------------------------------------------------------- */

static const struct env_line *either(const struct env_reading *x, const char *a, const char *b)
{
    const struct env_line *l = env_find(&x->lines, a);
    return l != NULL && !l->empty ? l : env_find(&x->lines, b);
}

static void put_master(struct env_reading *x)
{
    const struct env_line *repo = either(x, "MIRROR_MASTER_REPO", "GITHUB_REPOSITORY"),
                          *url = env_find(&x->lines, "MIRROR_MASTER_URL"),
                          *token = either(x, "MIRROR_MASTER_TOKEN", "GITHUB_TOKEN"),
                          *source = env_find(&x->lines, "MIRROR_MASTER_SOURCE"),
                          *state = env_find(&x->lines, "MIRROR_STATE_FILE");
    const struct env_line *first = repo != NULL ? repo : url;

    if (first == NULL) {
        report(x->r, D_ENV_MISSING, (struct pos){1, 1}, 1, "add MIRROR_MASTER_REPO=owner/name",
               "which repository is the master? MIRROR_MASTER_REPO is missing");
        return;
    }
    struct node *master = put_new(x, x->root, first, "master", NODE_MAP);
    if (repo != NULL)
        put_text(x, master, repo, "repo");
    if (url != NULL)
        put_text(x, master, url, "url");
    if (token != NULL && !token->empty)
        put_source(x, master, token, "token");
    if (source != NULL)
        put_text(x, master, source, "source");
    if (state != NULL)
        put_text(x, master, state, "state_file");
}

/* ---- Secrets and variables ------------------------------------------------------------------ */

/* Each word of a comma-separated list, with its place in the line. */
static void for_each_name(struct env_reading *x, const struct env_line *l,
                          void (*fn)(struct env_reading *, const struct env_line *, const char *,
                                     struct node *),
                          struct node *to)
{
    const char *value = env_value(x->r, l);

    for (const char *p = value + strspn(value, ", \t\n"); *p != '\0'; p += strspn(p, ", \t\n")) {
        size_t n = strcspn(p, ", \t\n");
        struct env_line at = *l;
        at.value_at.column += (int)(p - value);
        at.value_width = (int)n;
        fn(x, &at, arena_strndup(x->r->arena, p, n), to);
        p += n;
    }
}

static bool is_own_token(const char *name)
{
    const char *setting;
    return strcmp(name, "GITHUB_TOKEN") == 0 || strcmp(name, "MIRROR_MASTER_TOKEN") == 0 ||
           (slave_number(name, &setting) > 0 && strcmp(setting, "TOKEN") == 0);
}

static bool refuse_own(struct env_reading *x, const struct env_line *at, const char *name)
{
    if (!is_own_token(name))
        return false;
    report(x->r, D_ENV_OWN_TOKEN, at->value_at, at->value_width, "take it out of the list",
           "%s is mirrorctl's own credential and is never mirrored", name);
    return true;
}

static void add_secret(struct env_reading *x, const struct env_line *at, const char *name,
                       struct node *names)
{
    if (refuse_own(x, at, name))
        return;
    node_append(names, scalar(x, at, name, false));
    if (env_find(&x->lines, name) == NULL)
        report(x->r, D_ENV_MISSING, at->value_at, at->value_width, NULL,
               "%s has no value in this file", quoted(x->r, name));
}

/* $ { in a plain .env is text, not a reference of the manifest. */
static const char *escape_references(struct env_reading *x, const char *text)
{
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf out = BUF_INIT((size_t)2 * LIMIT_YAML_SCALAR);

    for (const char *p = text; *p != '\0'; p++) {
        if (p[0] == '$' && p[1] == '{')
            (void)buf_addstr(&out, "$", &e);
        (void)buf_add(&out, p, 1, &e);
    }
    return arena_strdup(x->r->arena, buf_str(&out));
}

static void add_variable(struct env_reading *x, const struct env_line *at, const char *name,
                         struct node *variables)
{
    const struct env_line *l = env_find(&x->lines, name);

    if (refuse_own(x, at, name))
        return;
    if (l == NULL) {
        report(x->r, D_ENV_MISSING, at->value_at, at->value_width, NULL,
               "%s has no value in this file", quoted(x->r, name));
        return;
    }
    struct node *v = node_new(x->r->arena, NODE_MAP, at->value_at);
    (void)put(x, v, at, "name", scalar(x, at, name, false));
    (void)put(x, v, l, "value", scalar(x, l, escape_references(x, env_value(x->r, l)), false));
    if (l->empty)
        put_bool(x, v, l, "allow_empty", true);
    node_append(variables, v);
}

/* MIRROR_1_RENEWAL_TRIGGER_TOKEN: for that slave, RENEWAL_TRIGGER_TOKEN has this value. */
static void put_renamed(struct env_reading *x, struct node *slave, long number)
{
    struct node *items = NULL;
    const char *setting;

    for (size_t i = 0; i < x->lines.n; i++) {
        const struct env_line *l = &x->lines.items[i];
        if (slave_number(l->name, &setting) != number || is_one_of(setting, slave_settings) ||
            env_find(&x->lines, l->name) != l)
            continue;
        const char *near = str_suggest(setting, slave_settings);
        if (near != NULL && !list_has(setting_value(x, "MIRROR_SECRETS"), setting)) {
            report(x->r, D_ENV_UNKNOWN, l->at, (int)strlen(l->name),
                   arena_printf(x->r->arena,
                                "did you mean MIRROR_%ld_%s? If it is a secret, add %s to "
                                "MIRROR_SECRETS",
                                number, near, setting),
                   "unknown setting %s", quoted(x->r, l->name));
            continue;
        }
        if (items == NULL)
            items = put_new(x, put_new(x, slave, l, "secrets", NODE_MAP), l, "items", NODE_LIST);
        struct node *item = node_new(x->r->arena, NODE_MAP, l->at);
        (void)put(x, item, l, "name", scalar(x, l, setting, false));
        put_source(x, item, l, "from");
        node_append(items, item);
    }
}

static void put_lists(struct env_reading *x)
{
    const struct env_line *secrets = env_find(&x->lines, "MIRROR_SECRETS"),
                          *vars = env_find(&x->lines, "MIRROR_VARS");

    if (secrets != NULL) {
        struct node *map = put_new(x, x->root, secrets, "secrets", NODE_MAP);
        struct node *from = put_new(x, map, secrets, "from", NODE_MAP);
        (void)put(x, from, secrets, "env_file", scalar(x, secrets, x->path, false));
        for_each_name(x, secrets, add_secret, put_new(x, map, secrets, "names", NODE_LIST));
    }
    if (vars != NULL)
        for_each_name(x, vars, add_variable, put_new(x, x->root, vars, "variables", NODE_LIST));
}

/* ---- Slaves --------------------------------------------------------------------------------- */

static const struct env_line *find_slave(const struct env_reading *x, long number,
                                         const char *setting)
{
    const struct env_line *l =
        env_find(&x->lines, arena_printf(x->r->arena, "MIRROR_%ld_%s", number, setting));
    return l != NULL && l->empty ? NULL : l;
}

/* One of the two switches; tells when it is on and nothing is named that it could be for. */
static void put_switch(struct env_reading *x, struct node *sync, const struct env_line *l,
                       const char *name, const char *list, bool named)
{
    if (l == NULL)
        return;
    bool on = truth(x, l, true);
    put_bool(x, sync, l, name, on);
    if (on && !named && env_find(&x->lines, list) == NULL)
        report(x->r, W_ENV_NO_SECRETS, l->at, (int)strlen(l->name),
               arena_printf(x->r->arena, "add %s=NAME,NAME", list),
               "no %s are named that could be mirrored", name);
}

static void put_sync(struct env_reading *x, struct node *slave, long number, bool github)
{
    const struct env_line *secrets = find_slave(x, number, "SYNC_SECRETS"),
                          *vars = find_slave(x, number, "SYNC_VARS");

    if (secrets == NULL && vars == NULL)
        return;
    struct node *sync = put_new(x, slave, secrets != NULL ? secrets : vars, "sync", NODE_MAP);
    put_switch(x, sync, secrets, "secrets", "MIRROR_SECRETS",
               !github || node_get(slave, "secrets") != NULL);
    put_switch(x, sync, vars, "variables", "MIRROR_VARS", !github);
}

static void put_slave(struct env_reading *x, struct node *slaves, const struct env_line *first,
                      long number, bool enabled)
{
    static const struct {
        const char *setting, *key;
    } texts[] = {{"REPO", "repo"}, {"URL", "url"}, {"SSH_KEY_PATH", "ssh_key"}};
    struct node *slave = node_new(x->r->arena, NODE_MAP, first->at);
    const struct env_line *id = find_slave(x, number, "ID"), *type = find_slave(x, number, "TYPE"),
                          *token = find_slave(x, number, "TOKEN"),
                          *on = find_slave(x, number, "ENABLED");
    bool github = type == NULL || strcmp(env_value(x->r, type), "git") != 0;

    node_append(slaves, slave);
    if (id != NULL)
        put_text(x, slave, id, "id");
    else
        (void)put(x, slave, first, "id",
                  scalar(x, first, arena_printf(x->r->arena, "mirror-%ld", number), false));
    if (type != NULL)
        put_text(x, slave, type, "type");
    else
        (void)put(x, slave, first, "type", scalar(x, first, "github", false));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const struct env_line *l = find_slave(x, number, texts[i].setting);
        if (l != NULL)
            put_text(x, slave, l, texts[i].key);
    }
    if (token != NULL)
        put_source(x, slave, token, "token");
    if (!enabled || !truth(x, on, true))
        put_bool(x, slave, on != NULL ? on : first, "suspended", true);
    put_renamed(x, slave, number);
    put_sync(x, slave, number, github);
}

static int by_number(const void *a, const void *b)
{
    const char *setting;
    const struct env_line *x = *(const struct env_line *const *)a,
                          *y = *(const struct env_line *const *)b;
    long m = slave_number(x->name, &setting), n = slave_number(y->name, &setting);
    if (m != n)
        return m < n ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void put_slaves(struct env_reading *x)
{
    const struct env_line *enabled = env_find(&x->lines, "MIRROR_ENABLED");
    bool on = truth(x, enabled, false);
    const struct env_line **order = arena_alloc(x->r->arena, x->lines.n * sizeof(*order));
    const char *setting;
    size_t n = 0;
    long last = 0;

    for (size_t i = 0; i < x->lines.n; i++)
        if (slave_number(x->lines.items[i].name, &setting) > 0)
            order[n++] = &x->lines.items[i];
    if (n == 0) {
        report(x->r, D_ENV_MISSING, (struct pos){1, 1}, 1,
               "add MIRROR_1_REPO=owner/name and MIRROR_1_TOKEN=…",
               "there is no mirror in this file");
        return;
    }
    if (!on)
        report(x->r, W_ENV_DISABLED, enabled != NULL ? enabled->at : (struct pos){1, 1}, 1,
               "set MIRROR_ENABLED=true", "mirroring is not enabled: all slaves are suspended");
    qsort(order, n, sizeof(*order), by_number);
    struct node *slaves = put_new(x, x->root, order[0], "slaves", NODE_LIST);
    for (size_t i = 0; i < n; i++) {
        long number = slave_number(order[i]->name, &setting);
        if (number != last)
            put_slave(x, slaves, order[i], number, on);
        last = number;
    }
}

/* ---- All of it ------------------------------------------------------------------------------ */

static void refuse_unknown(struct env_reading *x)
{
    const char *setting;

    for (size_t i = 0; i < x->lines.n; i++) {
        const struct env_line *l = &x->lines.items[i];
        if (!str_starts_with(l->name, "MIRROR_") || slave_number(l->name, &setting) > 0 ||
            is_one_of(l->name, general_settings))
            continue;
        const char *near = str_suggest(l->name, general_settings);
        report(x->r, D_ENV_UNKNOWN, l->at, (int)strlen(l->name),
               near == NULL ? NULL : arena_printf(x->r->arena, "did you mean %s?", near),
               "unknown setting %s", quoted(x->r, l->name));
    }
}

struct node *env_tree(struct reading *r, const char *env_path)
{
    struct env_reading x = {.r = r, .path = env_path};
    struct env_line top = {.name = "", .at = {1, 1}, .value_at = {1, 1}};

    env_read(r, &x.lines);
    x.root = node_new(r->arena, NODE_MAP, (struct pos){1, 1});
    (void)put(&x, x.root, &top, "version", scalar(&x, &top, "1", true));
    refuse_unknown(&x);
    put_master(&x);
    const struct env_line *github = env_find(&x.lines, "MIRROR_GITHUB_URL");
    if (github != NULL)
        put_text(&x, put_new(&x, x.root, github, "github", NODE_MAP), github, "url");
    put_lists(&x);
    put_slaves(&x);
    return x.root;
}

enum err_code manifest_from_env_text(const char *env_path, const char *text, size_t n,
                                     struct buf *out, struct diagnostics *d, struct err *e)
{
    CLEANUP(reading_release) struct reading r;

    reading_init(&r, d->arena, d, env_path, text, n);
    r.env = true;
    const struct node *root = env_tree(&r, env_path);
    if (d->n_errors == 0) {
        walk_check(&r, root);
        check_parts(&r, root);
    }
    reading_finish(&r);
    if (d->n_errors > 0)
        return err_set(e, ERR_INVALID, "%s: %zu error%s", env_path, d->n_errors,
                       d->n_errors == 1 ? "" : "s");
    TRY(buf_addf(out, e,
                 "# From %s, which keeps the values: its secrets are named here, not copied.\n",
                 env_path));
    return tree_write_yaml(root, out, e);
}
