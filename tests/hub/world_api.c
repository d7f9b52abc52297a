/* The functions of hub.h that build the world and change it by hand. */
#include "gitside.h"
#include "internal.h"

#include <stdio.h>

static struct hb_user *user_new(struct hub *h, const char *login, bool is_org)
{
    char key[256];
    if (hb_user(h, login) != NULL || !hb_fold(login, key, sizeof key) ||
        strchr(login, '/') != NULL) {
        (void)hb_fail("user '%s' exists already or has no legal name", login);
        return NULL;
    }
    struct hb_user *u = hb_alloc(sizeof *u);
    u->id = hb_next_id(h);
    u->login = hb_strdup(login);
    u->is_org = is_org;
    hb_map_put(&h->users, key, u);
    h->all_users = hb_grow(h->all_users, h->n_all_users + 1, sizeof(struct hb_user *));
    h->all_users[h->n_all_users++] = u;
    return u;
}

bool hub_user_add(struct hub *h, const char *login)
{
    pthread_mutex_lock(&h->lock);
    bool ok = user_new(h, login, false) != NULL;
    pthread_mutex_unlock(&h->lock);
    return ok;
}

bool hub_org_add(struct hub *h, const char *login, const char *admin_login)
{
    char key[256];
    pthread_mutex_lock(&h->lock);
    bool ok =
        hb_user(h, admin_login) != NULL || hb_fail("no user '%s'", admin_login ? admin_login : "");
    struct hb_user *org = ok ? user_new(h, login, true) : NULL;
    if (org != NULL && hb_fold(admin_login, key, sizeof key))
        hb_map_put(&org->members, key, org);
    pthread_mutex_unlock(&h->lock);
    return org != NULL;
}

static bool token_fits(struct hub *h, const struct hub_token *t)
{
    if (t->text == NULL || t->text[0] == '\0' || hb_map_get(&h->tokens, t->text) != NULL)
        return hb_fail("a token needs a text of its own");
    bool person = t->kind == HUB_CLASSIC || t->kind == HUB_OAUTH || t->kind == HUB_FINE_GRAINED;
    if ((person || t->user != NULL) && hb_user(h, t->user) == NULL)
        return hb_fail("no user '%s'", t->user ? t->user : "");
    if (t->owner != NULL && hb_user(h, t->owner) == NULL)
        return hb_fail("no user '%s'", t->owner);
    if (t->kind == HUB_APP && t->owner == NULL)
        return hb_fail("an App's token needs an owner");
    if (t->kind == HUB_GITHUB_TOKEN && hb_repo(h, t->repos) == NULL)
        return hb_fail("no repository '%s'", t->repos ? t->repos : "");
    return true;
}

bool hub_token_add(struct hub *h, const struct hub_token *spec)
{
    pthread_mutex_lock(&h->lock);
    bool ok = token_fits(h, spec);
    if (ok) {
        struct hb_token *t = hb_alloc(sizeof *t);
        (void)snprintf(t->id, sizeof t->id, "t%u", ++h->n_tokens);
        t->text = hb_strdup(spec->text);
        t->kind = spec->kind;
        t->user = hb_user(h, spec->user);
        t->owner = spec->owner != NULL ? hb_user(h, spec->owner) : t->user;
        hb_set(&t->scopes, spec->scopes);
        hb_set(&t->repos, spec->repos);
        hb_set(&t->permissions, spec->permissions);
        t->repo_id = spec->kind == HUB_GITHUB_TOKEN ? hb_repo(h, spec->repos)->id : 0;
        t->expires_ms = spec->expires_ms;
        t->pending = spec->pending;
        hb_map_put(&h->tokens, t->text, t);
        h->all_tokens = hb_grow(h->all_tokens, h->n_all_tokens + 1, sizeof(struct hb_token *));
        h->all_tokens[h->n_all_tokens++] = t;
    }
    pthread_mutex_unlock(&h->lock);
    return ok;
}

static struct hb_token *token_locked(struct hub *h, const char *text)
{
    pthread_mutex_lock(&h->lock);
    struct hb_token *t = hb_map_get(&h->tokens, text);
    if (t == NULL)
        (void)hb_fail("no such token");
    else
        t->version = hb_next_version(h);
    return t;
}

bool hub_token_revoke(struct hub *h, const char *text)
{
    struct hb_token *t = token_locked(h, text);
    if (t != NULL)
        t->revoked = true;
    pthread_mutex_unlock(&h->lock);
    return t != NULL;
}

bool hub_token_expire(struct hub *h, const char *text, int64_t expires_ms)
{
    struct hb_token *t = token_locked(h, text);
    if (t != NULL)
        t->expires_ms = expires_ms;
    pthread_mutex_unlock(&h->lock);
    return t != NULL;
}

bool hub_token_narrow(struct hub *h, const char *text, const char *scopes_or_permissions)
{
    struct hb_token *t = token_locked(h, text);
    if (t != NULL)
        hb_set(t->kind == HUB_CLASSIC || t->kind == HUB_OAUTH ? &t->scopes : &t->permissions,
               scopes_or_permissions);
    pthread_mutex_unlock(&h->lock);
    return t != NULL;
}

/* ---- repositories ---- */

/* The branch that HEAD of the source names becomes the default, unless the caller said which. */
static void head_of_source(struct hub *h, struct hb_repo *r, const char *from)
{
    const char *const argv[] = {"git", "ls-remote", "--symref", from, "HEAD", NULL};
    static const char mark[] = "ref: refs/heads/";
    struct hb_buf out = {0};
    if (hb_git(h, r->dir, NULL, 0, &out, argv) == 0 && out.data != NULL &&
        hb_starts(out.data, mark)) {
        char *branch =
            hb_strndup(out.data + strlen(mark), strcspn(out.data + strlen(mark), "\t\n"));
        pthread_mutex_lock(&h->lock);
        hb_default_branch_set(h, r, branch);
        pthread_mutex_unlock(&h->lock);
        free(branch);
    }
    hb_buf_free(&out);
}

static bool take_in(struct hub *h, struct hb_repo *r, const struct hub_repo *spec)
{
    const char *const argv[] = {"git",
                                "fetch",
                                "--quiet",
                                "--no-auto-gc",
                                spec->from,
                                "+refs/heads/*:refs/heads/*",
                                "+refs/tags/*:refs/tags/*",
                                NULL};
    if (hb_git(h, r->dir, NULL, 0, NULL, argv) != 0)
        return hb_fail("cannot fetch from '%s'", spec->from);
    if (spec->default_branch == NULL)
        head_of_source(h, r, spec->from);
    return true;
}

long long hub_repo_add(struct hub *h, const struct hub_repo *spec)
{
    pthread_mutex_lock(&h->lock);
    struct hb_repo *r = hb_repo_new(h, spec);
    pthread_mutex_unlock(&h->lock);
    if (r == NULL)
        return 0;
    pthread_mutex_lock(&r->git_lock);
    bool ok = spec->from == NULL || take_in(h, r, spec);
    hb_refs_load(r);
    if (ok && r->refs.n > 0)
        hb_rescan(h, r);
    pthread_mutex_unlock(&r->git_lock);
    return ok ? r->id : 0;
}

/* The repository with hub.lock held, whether it is there or not. */
static struct hb_repo *repo_locked(struct hub *h, const char *name)
{
    pthread_mutex_lock(&h->lock);
    struct hb_repo *r = hb_repo(h, name);
    if (r == NULL)
        (void)hb_fail("no repository '%s'", name ? name : "");
    return r;
}

bool hub_repo_rename(struct hub *h, const char *repo, const char *new_name)
{
    struct hb_repo *r = repo_locked(h, repo);
    bool ok = r != NULL && hb_repo_rename_to(h, r, new_name);
    pthread_mutex_unlock(&h->lock);
    return ok;
}

bool hub_repo_delete(struct hub *h, const char *repo)
{
    char key[256];
    struct hb_repo *r = repo_locked(h, repo);
    if (r != NULL) {
        hb_git_enter(h, r);
        pthread_mutex_lock(&h->lock);
        char *grave = hb_fmt("%s/.deleted-%lld", h->root, r->id);
        r->deleted = true;
        (void)hb_fold(r->full_name, key, sizeof key);
        hb_map_del(&h->repos, key);
        (void)snprintf(key, sizeof key, "%lld", r->id);
        hb_map_del(&h->repos_by_id, key);
        for (size_t i = 0; i < h->moved.cap; i++) /* its old names lead nowhere now */
            if (h->moved.slots[i].value == r)
                h->moved.slots[i].value = NULL;
        (void)rename(r->dir, grave);
        free(grave);
        pthread_mutex_unlock(&r->git_lock);
    }
    pthread_mutex_unlock(&h->lock);
    return r != NULL;
}

bool hub_repo_archive(struct hub *h, const char *repo, bool archived)
{
    struct hb_repo *r = repo_locked(h, repo);
    if (r != NULL) {
        r->archived = archived;
        hb_repo_touch(h, r);
    }
    pthread_mutex_unlock(&h->lock);
    return r != NULL;
}

bool hub_repo_actions(struct hub *h, const char *repo, bool enabled)
{
    struct hb_repo *r = repo_locked(h, repo);
    if (r != NULL) {
        r->actions_on = enabled;
        hb_repo_touch(h, r);
        r->workflows_version = hb_next_version(h);
    }
    pthread_mutex_unlock(&h->lock);
    return r != NULL;
}

bool hub_repo_default_branch(struct hub *h, const char *repo, const char *branch)
{
    struct hb_repo *r = repo_locked(h, repo);
    if (r != NULL)
        hb_default_branch_set(h, r, branch);
    pthread_mutex_unlock(&h->lock);
    return r != NULL;
}

bool hub_repo_collaborator(struct hub *h, const char *repo, const char *login, const char *role)
{
    char key[256];
    struct hb_repo *r = repo_locked(h, repo);
    bool ok = r != NULL &&
              (hb_word_in("read write admin", role) || hb_fail("no role '%s'", role)) &&
              (hb_user(h, login) != NULL || hb_fail("no user '%s'", login)) &&
              hb_fold(login, key, sizeof key);
    if (ok) {
        free(hb_map_get(&r->collaborators, key));
        hb_map_put(&r->collaborators, key, hb_strdup(role));
        hb_repo_touch(h, r);
    }
    pthread_mutex_unlock(&h->lock);
    return ok;
}

char *hub_repo_dir(struct hub *h, const char *repo)
{
    struct hb_repo *r = repo_locked(h, repo);
    char *dir = r == NULL ? NULL : hb_strdup(r->dir);
    pthread_mutex_unlock(&h->lock);
    return dir;
}

long long hub_repo_id(struct hub *h, const char *repo)
{
    struct hb_repo *r = repo_locked(h, repo);
    long long id = r == NULL ? 0 : r->id;
    pthread_mutex_unlock(&h->lock);
    return id;
}

bool hub_repo_rescan(struct hub *h, const char *repo)
{
    struct hb_repo *r = repo_locked(h, repo);
    pthread_mutex_unlock(&h->lock);
    if (r == NULL)
        return false;
    pthread_mutex_lock(&r->git_lock);
    hb_refs_load(r);
    hb_rescan(h, r);
    pthread_mutex_unlock(&r->git_lock);
    return true;
}

bool hub_repo_rotate_key(struct hub *h, const char *repo)
{
    struct hb_repo *r = repo_locked(h, repo);
    if (r != NULL)
        hb_repo_key_new(h, r);
    pthread_mutex_unlock(&h->lock);
    return r != NULL;
}

void hub_clock_advance(struct hub *h, int64_t ms)
{
    pthread_mutex_lock(&h->lock);
    h->shift_ms += ms;
    pthread_mutex_unlock(&h->lock);
}

int64_t hub_clock(struct hub *h)
{
    pthread_mutex_lock(&h->lock);
    int64_t now = hb_now(h);
    pthread_mutex_unlock(&h->lock);
    return now;
}
