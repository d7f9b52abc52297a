/* A world, or a part of one, from JSON. README.md documents the format. */
#include "internal.h"

#include <stdio.h>

static const char *text(const json_t *j, const char *name)
{
    return json_string_value(json_object_get(j, name));
}

static bool flag(const json_t *j, const char *name, bool otherwise)
{
    const json_t *v = json_object_get(j, name);
    return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

static long long number(const json_t *j, const char *name)
{
    return (long long)json_integer_value(json_object_get(j, name));
}

/* A string, or an array of strings joined by blanks, or an object as "key=value" pairs. NULL when
 * absent. */
static char *words(json_t *j)
{
    struct hb_buf b = {0};
    if (json_is_string(j))
        return hb_strdup(json_string_value(j));
    if (!json_is_array(j) && !json_is_object(j))
        return NULL;
    hb_buf_puts(&b, "");
    for (size_t i = 0; i < json_array_size(j); i++)
        if (json_is_string(json_array_get(j, i)))
            hb_buf_fmt(&b, "%s%s", b.len ? " " : "", json_string_value(json_array_get(j, i)));
    const char *key = NULL;
    json_t *value = NULL;
    if (json_is_object(j)) {
        json_object_foreach(j, key, value)
        {
            if (json_is_string(value))
                hb_buf_fmt(&b, "%s%s=%s", b.len ? " " : "", key, json_string_value(value));
        }
    }
    return b.data;
}

bool hb_seed_token(struct hub *h, json_t *j)
{
    static const struct {
        const char *name;
        enum hub_token_kind kind;
    } kinds[] = {{"classic", HUB_CLASSIC},
                 {"oauth", HUB_OAUTH},
                 {"fine-grained", HUB_FINE_GRAINED},
                 {"app", HUB_APP},
                 {"github-token", HUB_GITHUB_TOKEN}};
    const char *kind = text(j, "kind");
    struct hub_token t = {.text = text(j, "token"),
                          .user = text(j, "user"),
                          .owner = text(j, "owner"),
                          .expires_ms = number(j, "expires") * 1000,
                          .pending = flag(j, "pending", false)};
    bool known = kind == NULL;
    for (size_t i = 0; kind != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, kind) == 0) {
            t.kind = kinds[i].kind;
            known = true;
        }
    }
    if (!known)
        return hb_fail("no token kind '%s'", kind);
    char *scopes = words(json_object_get(j, "scopes")), *repos = words(json_object_get(j, "repos"));
    char *permissions = words(json_object_get(j, "permissions"));
    t.scopes = scopes;
    t.repos = repos;
    t.permissions = permissions;
    bool ok = hub_token_add(h, &t);
    free(scopes);
    free(repos);
    free(permissions);
    return ok;
}

/* ---- repositories ---- */

typedef bool (*putter)(struct hub *h, const char *repo, const char *name, const char *value);

static bool put_all(struct hub *h, const char *repo, json_t *values, putter put)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(values, name, value)
    {
        if (!put(h, repo, name, json_string_value(value)))
            return false;
    }
    return true;
}

static bool put_files(struct hub *h, const char *repo, const char *branch, json_t *files)
{
    const char *path = NULL;
    json_t *value = NULL;
    json_object_foreach(files, path, value)
    {
        const char *data = json_string_value(value);
        if (data == NULL || !hub_file_put(h, repo, branch, path, data, strlen(data)))
            return false;
    }
    return true;
}

static bool protect_all(struct hub *h, const char *repo, json_t *j)
{
    const char *branch = NULL;
    json_t *v = NULL;
    json_object_foreach(json_object_get(j, "protect"), branch, v)
    {
        struct hub_protection p = {.allow_force_pushes = flag(v, "allow_force_pushes", false),
                                   .allow_deletions = flag(v, "allow_deletions", false),
                                   .lock = flag(v, "lock", false)};
        if (!hub_protect(h, repo, branch, &p))
            return false;
    }
    const json_t *rules = json_object_get(j, "rules");
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i);
        const char *glob = text(rule, "branch"), *type = text(rule, "type");
        if (type == NULL || !hub_rule_add(h, repo, glob != NULL ? glob : "*", type))
            return hb_fail("a rule needs a type");
    }
    return true;
}

bool hb_seed_repo(struct hub *h, json_t *j)
{
    const char *name = text(j, "name"), *branch = text(j, "default_branch");
    struct hub_repo r = {.name = name,
                         .default_branch = branch,
                         .from = text(j, "from"),
                         .is_private = flag(j, "private", true),
                         .is_fork = flag(j, "fork", false),
                         .actions_off = !flag(j, "actions", true),
                         .push_options = flag(j, "push_options", false)};
    if (name == NULL)
        return hb_fail("a repository needs a name");
    if (hub_repo_add(h, &r) == 0)
        return false;
    return put_all(h, name, json_object_get(j, "collaborators"), hub_repo_collaborator) &&
           put_all(h, name, json_object_get(j, "variables"), hub_variable_put) &&
           put_all(h, name, json_object_get(j, "secrets"), hub_secret_put) &&
           put_files(h, name, branch != NULL ? branch : "main", json_object_get(j, "files")) &&
           put_all(h, name, json_object_get(j, "workflows"), hub_workflow_set) &&
           protect_all(h, name, j) &&
           (!flag(j, "archived", false) || hub_repo_archive(h, name, true));
}

/* ---- faults ---- */

bool hb_seed_fault(struct hub *h, json_t *j)
{
    const char *preset = text(j, "preset"), *effect = text(j, "effect"), *path = text(j, "path");
    const char *method = text(j, "method");
    unsigned nth = (unsigned)number(j, "nth"), count = (unsigned)number(j, "count");
    if (path == NULL)
        path = "*";
    if (preset != NULL)
        return hub_fault_preset(h, preset, method, path, nth, count);
    struct hub_fault f = {.method = method,
                          .path = path,
                          .nth = nth,
                          .count = count,
                          .status = (int)number(j, "status"),
                          .body = text(j, "body"),
                          .delay_ms = (unsigned)number(j, "delay_ms"),
                          .size = (size_t)number(j, "size")};
    if (!hub_effect_named(effect != NULL ? effect : "status", &f.effect))
        return false;
    json_t *map = json_object_get(j, "headers"), *value = NULL;
    struct hub_header *headers = hb_grow(NULL, json_object_size(map), sizeof *headers);
    const char *name = NULL;
    json_object_foreach(map, name, value)
    {
        if (json_is_string(value))
            headers[f.n_headers++] = (struct hub_header){name, json_string_value(value)};
    }
    f.headers = headers;
    bool ok = hub_fault_add(h, &f);
    free(headers);
    return ok;
}

/* ---- the whole ---- */

static bool seed_people(struct hub *h, json_t *world)
{
    const json_t *users = json_object_get(world, "users"), *orgs = json_object_get(world, "orgs");
    for (size_t i = 0; i < json_array_size(users); i++) {
        const char *login = json_string_value(json_array_get(users, i));
        if (login == NULL || !hub_user_add(h, login))
            return false;
    }
    for (size_t i = 0; i < json_array_size(orgs); i++) {
        const char *login = text(json_array_get(orgs, i), "login"),
                   *admin = text(json_array_get(orgs, i), "admin");
        if (login == NULL || !hub_org_add(h, login, admin))
            return false;
    }
    return true;
}

static bool each(struct hub *h, const json_t *list, bool (*seed)(struct hub *, json_t *))
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!seed(h, json_array_get(list, i)))
            return false;
    return true;
}

bool hb_seed_json(struct hub *h, json_t *world)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(json_object_get(world, "quirks"), name, value)
    {
        int v = json_is_boolean(value) ? json_is_true(value) : (int)json_integer_value(value);
        if (!hub_quirk_set(h, name, v))
            return false;
    }
    return seed_people(h, world) && each(h, json_object_get(world, "repos"), hb_seed_repo) &&
           each(h, json_object_get(world, "tokens"), hb_seed_token) &&
           each(h, json_object_get(world, "faults"), hb_seed_fault);
}

bool hub_seed(struct hub *h, const char *json, size_t len)
{
    json_error_t e;
    json_t *world = json_loadb(json, len, JSON_REJECT_DUPLICATES, &e);
    if (world == NULL)
        return hb_fail("line %d, column %d: %s", e.line, e.column, e.text);
    bool ok = hb_seed_json(h, world);
    json_decref(world);
    return ok;
}
