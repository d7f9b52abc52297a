/* The world: users, repositories, their names and numbers, the clock. */
#include "gitside.h"
#include "internal.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int64_t real_now(void *arg)
{
    (void)arg;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct hub *hub_new(const struct hub_options *options)
{
    if (sodium_init() < 0) {
        (void)hb_fail("libsodium does not start");
        return NULL;
    }
    if (options->root == NULL || (mkdir(options->root, 0777) != 0 && errno != EEXIST)) {
        (void)hb_fail("root '%s': %s", options->root ? options->root : "", strerror(errno));
        return NULL;
    }
    char *real = realpath(options->root, NULL);
    if (real == NULL) {
        (void)hb_fail("root '%s': %s", options->root, strerror(errno));
        return NULL;
    }
    struct hub *h = hb_alloc(sizeof *h);
    h->options = *options;
    h->root = real;
    hb_set(&h->public_url, options->public_url);
    if (h->options.now_ms == NULL)
        h->options.now_ms = real_now;
    h->log_fd = -1;
    pthread_mutex_init(&h->lock, NULL);
    h->quirk = hb_alloc(Q_COUNT * sizeof *h->quirk);
    for (size_t i = 0; i < hub_n_quirks; i++)
        h->quirk[i] = hub_quirks[i].default_value;
    return h;
}

static void rules_free(struct hb_rules *rules)
{
    for (size_t i = 0; i < rules->n; i++) {
        free(rules->rule[i].glob);
        free(rules->rule[i].type);
        free(rules->rule[i].remote);
    }
    free(rules->rule);
}

static void repo_free(struct hb_repo *r)
{
    hb_items_free(&r->secrets.now);
    hb_items_free(&r->secrets.old);
    hb_items_free(&r->variables.now);
    hb_items_free(&r->variables.old);
    for (size_t i = 0; i < r->n_workflows; i++) {
        free(r->workflow[i].path);
        free(r->workflow[i].name);
        free(r->workflow[i].blob);
    }
    free(r->workflow);
    for (size_t i = 0; i < r->n_runs; i++) {
        free(r->run[i].event);
        free(r->run[i].branch);
        free(r->run[i].sha);
        free(r->run[i].actor);
    }
    free(r->run);
    for (size_t i = 0; i < r->collaborators.cap; i++)
        if (r->collaborators.slots[i].key != NULL)
            free(r->collaborators.slots[i].value);
    hb_map_free(&r->collaborators);
    rules_free(&r->protections);
    rules_free(&r->rules);
    rules_free(&r->refusals);
    hb_refs_drop(&r->refs);
    sodium_memzero(r->sk, sizeof r->sk);
    free(r->name);
    free(r->full_name);
    free(r->dir);
    free(r->workflow_permissions);
    free(r->default_branch);
    pthread_mutex_destroy(&r->git_lock);
    free(r);
}

static void people_free(struct hub *h)
{
    for (size_t i = 0; i < h->n_all_users; i++) {
        free(h->all_users[i]->login);
        hb_map_free(&h->all_users[i]->members);
        free(h->all_users[i]);
    }
    free(h->all_users);
    for (size_t i = 0; i < h->n_all_tokens; i++) {
        struct hb_token *t = h->all_tokens[i];
        sodium_memzero(t->text, strlen(t->text));
        free(t->text);
        free(t->scopes);
        free(t->repos);
        free(t->permissions);
        free(t);
    }
    free(h->all_tokens);
}

void hub_free(struct hub *h)
{
    if (h == NULL)
        return;
    hub_faults_clear(h);
    hub_log_reset(h);
    for (size_t i = 0; i < h->n_all_repos; i++)
        repo_free(h->all_repos[i]);
    free(h->all_repos);
    people_free(h);
    for (size_t i = 0; i < h->definitions.cap; i++)
        if (h->definitions.slots[i].key != NULL)
            json_decref(h->definitions.slots[i].value);
    struct hb_map *maps[] = {&h->definitions, &h->users,       &h->tokens,
                             &h->repos,       &h->repos_by_id, &h->moved};
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        hb_map_free(maps[i]);
    pthread_mutex_destroy(&h->lock);
    free(h->quirk);
    free(h->root);
    free(h->public_url);
    free(h);
}

int64_t hb_now(const struct hub *h)
{
    return h->options.now_ms(h->options.now_arg) + h->shift_ms;
}

/* Numbers look like GitHub's: large, growing, shared by all kinds of things. */
long long hb_next_id(struct hub *h)
{
    return 100000000 + ++h->last_id;
}

uint64_t hb_next_version(struct hub *h)
{
    return ++h->version;
}

struct hb_user *hb_user(struct hub *h, const char *login)
{
    char key[256];
    return login != NULL && hb_fold(login, key, sizeof key) ? hb_map_get(&h->users, key) : NULL;
}

static struct hb_repo *repo_in(const struct hb_map *m, const char *full_name)
{
    char key[256];
    return full_name != NULL && hb_fold(full_name, key, sizeof key) ? hb_map_get(m, key) : NULL;
}

struct hb_repo *hb_repo(struct hub *h, const char *full_name)
{
    return repo_in(&h->repos, full_name);
}

struct hb_repo *hb_repo_moved(struct hub *h, const char *full_name)
{
    return repo_in(&h->moved, full_name);
}

struct hb_repo *hb_repo_by_id(struct hub *h, long long id)
{
    char key[32];
    (void)snprintf(key, sizeof key, "%lld", id);
    return hb_map_get(&h->repos_by_id, key);
}

void hb_repo_touch(struct hub *h, struct hb_repo *r)
{
    r->version = hb_next_version(h);
    r->updated_ms = hb_now(h);
}

void hb_repo_key_new(struct hub *h, struct hb_repo *r)
{
    crypto_box_keypair(r->pk, r->sk);
    r->key_id = 568250000000000000LL + hb_next_id(h); /* 18 digits, as GitHub's */
    r->key_version = hb_next_version(h);
}

/* owner/name, each of [A-Za-z0-9._-]; it becomes a path below the root, so nothing may climb out of
 * it. */
bool hb_repo_name_ok(const char *name)
{
    size_t owner = strcspn(name, "/");
    if (owner == 0 || name[owner] != '/' || name[owner + 1] == '\0' || strlen(name) > 140)
        return false;
    const char *tail = name + owner + 1;
    size_t all = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    size_t rest = strspn(tail, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return all == owner && rest == strlen(tail) && name[0] != '.' && strcmp(tail, ".") != 0 &&
           strcmp(tail, "..") != 0 && !hb_ends(tail, ".git");
}

static void names_put(struct hub *h, struct hb_repo *r)
{
    char key[256], id[32];
    (void)hb_fold(r->full_name, key, sizeof key);
    (void)snprintf(id, sizeof id, "%lld", r->id);
    hb_map_put(&h->repos, key, r);
    hb_map_put(&h->repos_by_id, id, r);
    hb_map_del(&h->moved, key); /* a freed name that somebody takes ends the redirect (5.1) */
}

static void repo_name(struct hub *h, struct hb_repo *r, const char *full_name)
{
    hb_set(&r->full_name, full_name);
    hb_set(&r->name, strchr(full_name, '/') + 1);
    char *owner = hb_strndup(full_name, strcspn(full_name, "/"));
    r->owner = hb_user(h, owner);
    free(owner);
    free(r->dir);
    r->dir = hb_fmt("%s/%s.git", h->root, full_name);
}

static bool name_free(struct hub *h, const char *full_name)
{
    if (!hb_repo_name_ok(full_name))
        return hb_fail("'%s' is not owner/name", full_name);
    char *owner = hb_strndup(full_name, strcspn(full_name, "/"));
    bool known = hb_user(h, owner) != NULL;
    free(owner);
    if (!known)
        return hb_fail("the owner of '%s' does not exist", full_name);
    if (hb_repo(h, full_name) != NULL)
        return hb_fail("'%s' exists already", full_name);
    return true;
}

struct hb_repo *hb_repo_new(struct hub *h, const struct hub_repo *spec)
{
    if (!name_free(h, spec->name))
        return NULL;
    struct hb_repo *r = hb_alloc(sizeof *r);
    pthread_mutex_init(&r->git_lock, NULL);
    r->id = hb_next_id(h);
    repo_name(h, r, spec->name);
    r->is_private = spec->is_private;
    r->is_fork = spec->is_fork;
    r->archived = spec->is_archived;
    r->actions_on = !spec->actions_off;
    r->push_options = spec->push_options;
    r->workflow_permissions = hb_strdup("read");
    hb_set(&r->default_branch, spec->default_branch);
    r->created_ms = r->updated_ms = r->pushed_ms = hb_now(h);
    r->version = r->secrets.version = r->variables.version = hb_next_version(h);
    r->workflows_version = r->runs_version = hb_next_version(h);
    r->missing_left = hb_quirk(h, Q_EVENTUAL);
    hb_repo_key_new(h, r);
    h->all_repos = hb_grow(h->all_repos, h->n_all_repos + 1, sizeof(struct hb_repo *));
    h->all_repos[h->n_all_repos++] = r;
    if (!hb_repo_dir_make(r)) {
        r->deleted = true;
        return NULL;
    }
    names_put(h, r);
    return r;
}

static bool rename_in_place(struct hub *h, struct hb_repo *r, const char *full_name)
{
    char old_key[256];
    char *old_dir = hb_strdup(r->dir);
    (void)hb_fold(r->full_name, old_key, sizeof old_key);
    repo_name(h, r, full_name);
    char *parent = hb_strndup(r->dir, (size_t)(strrchr(r->dir, '/') - r->dir));
    (void)mkdir(parent, 0777);
    bool ok = rename(old_dir, r->dir) == 0;
    free(parent);
    free(old_dir);
    hb_map_del(&h->repos, old_key);
    names_put(h, r);
    hb_map_put(&h->moved, old_key, r); /* the old name goes on answering with a redirect (5.1) */
    hb_repo_touch(h, r);
    return ok || hb_fail("cannot rename the directory of '%s': %s", full_name, strerror(errno));
}

bool hb_repo_rename_to(struct hub *h, struct hb_repo *r, const char *full_name)
{
    hb_git_enter(h, r); /* no git child may run in the directory while it moves */
    pthread_mutex_lock(&h->lock);
    bool ok = name_free(h, full_name) && rename_in_place(h, r, full_name);
    pthread_mutex_unlock(&r->git_lock);
    return ok;
}

void hb_git_enter(struct hub *h, struct hb_repo *r)
{
    pthread_mutex_unlock(&h->lock);
    pthread_mutex_lock(&r->git_lock);
}

void hb_git_leave(struct hub *h, struct hb_repo *r)
{
    pthread_mutex_unlock(&r->git_lock);
    pthread_mutex_lock(&h->lock);
}
