/* Who asks, and may they: section 3.1 of github.md as one table, and the answers that hide what
 * they refuse. */
#include "internal.h"

#include <stdio.h>

enum {
    LOCKOUT_MS = 5 * 60 * 1000
}; /* "for a while" (section 0); long enough for a test to notice */

enum scope_need {
    SCOPE_NONE_IF_PUBLIC, /* reading: no scope for public repositories, repo for private ones */
    SCOPE_PUBLIC_REPO,    /* writing code: public_repo is enough for public repositories */
    SCOPE_REPO,           /* repo even for public repositories */
    SCOPE_WORKFLOW        /* repo and workflow */
};

struct access {
    enum hb_op op;
    const char *permission; /* fine-grained and App */
    bool write;
    enum scope_need scope; /* classic */
    bool github_token;     /* possible at all with the token of a workflow job (3.2) */
    bool open;             /* an anonymous reader may, on a public repository */
    enum hb_role role;     /* what the person behind the token must be */
    const char *accepted_scopes;
};

/* X-Accepted-OAuth-Scopes is empty for Actions endpoints, so it cannot diagnose them (section 0).
 */
static const struct access access_table[] = {
    {OP_NONE, NULL, false, SCOPE_NONE_IF_PUBLIC, true, true, ROLE_NONE, ""},
    {OP_METADATA, "metadata", false, SCOPE_NONE_IF_PUBLIC, true, true, ROLE_READ, "repo"},
    {OP_CONTENTS_READ, "contents", false, SCOPE_NONE_IF_PUBLIC, true, true, ROLE_READ, "repo"},
    {OP_CONTENTS_WRITE, "contents", true, SCOPE_PUBLIC_REPO, true, false, ROLE_WRITE, "repo"},
    {OP_WORKFLOW_FILES, "workflows", true, SCOPE_WORKFLOW, false, false, ROLE_WRITE, "workflow"},
    {OP_ACTIONS_READ, "actions", false, SCOPE_NONE_IF_PUBLIC, true, true, ROLE_READ, ""},
    {OP_ACTIONS_WRITE, "actions", true, SCOPE_REPO, true, false, ROLE_WRITE, ""},
    {OP_SECRETS_READ, "secrets", false, SCOPE_REPO, false, false, ROLE_WRITE, ""},
    {OP_SECRETS_WRITE, "secrets", true, SCOPE_REPO, false, false, ROLE_WRITE, ""},
    {OP_VARIABLES_READ, "actions_variables", false, SCOPE_REPO, false, false, ROLE_WRITE, ""},
    {OP_VARIABLES_WRITE, "actions_variables", true, SCOPE_REPO, false, false, ROLE_WRITE, ""},
    {OP_ADMIN_READ, "administration", false, SCOPE_REPO, false, false, ROLE_ADMIN, "repo"},
    {OP_ADMIN_WRITE, "administration", true, SCOPE_REPO, false, false, ROLE_ADMIN, "repo"},
    {OP_PAGES_READ, "pages", false, SCOPE_NONE_IF_PUBLIC, true, true, ROLE_READ, "repo"},
};
_Static_assert(sizeof access_table / sizeof access_table[0] == OP_COUNT,
               "a row for each operation");

char *hb_accepted_permission(enum hb_op op)
{
    const struct access *a = &access_table[op];
    return a->permission == NULL ? NULL
                                 : hb_fmt("%s=%s", a->permission, a->write ? "write" : "read");
}

const char *hb_accepted_scopes(enum hb_op op)
{
    return access_table[op].accepted_scopes;
}

/* ---- identity ---- */

static char *password_of(const char *basic)
{
    size_t n = 0;
    char *pair = hb_unbase64(basic, &n);
    char *colon = pair == NULL ? NULL : strchr(pair, ':');
    char *password = colon == NULL ? hb_strdup("") : hb_strdup(colon + 1);
    free(pair);
    return password;
}

static char *credential(const char *authorization)
{
    if (strncasecmp(authorization, "bearer ", 7) == 0)
        return hb_strdup(authorization + 7);
    if (strncasecmp(authorization, "token ", 6) == 0)
        return hb_strdup(authorization + 6);
    if (strncasecmp(authorization, "basic ", 6) == 0)
        return password_of(authorization + 6);
    return hb_strdup("");
}

static bool usable(const struct hub *h, const struct hb_token *t)
{
    return t != NULL && !t->revoked && (t->expires_ms == 0 || t->expires_ms > hb_now(h));
}

enum hb_verdict hb_identify(struct hub *h, const char *authorization, struct hb_who *out)
{
    *out = (struct hb_who){0};
    if (authorization == NULL)
        return V_OK;
    if (hb_now(h) < h->locked_until_ms)
        return V_LOCKED_OUT;
    char *text = credential(authorization);
    struct hb_token *t = hb_map_get(&h->tokens, text);
    free(text);
    if (usable(h, t)) {
        out->token = t;
        out->user = t->user;
        return V_OK;
    }
    out->unknown = true;
    if (h->bad_logins == 0 || hb_now(h) - h->first_bad_ms > LOCKOUT_MS) {
        h->bad_logins = 0;
        h->first_bad_ms = hb_now(h);
    }
    int most = hb_quirk(h, Q_LOCKOUT);
    if (++h->bad_logins >= most && most > 0) { /* this one is still a 401; what follows is not */
        h->bad_logins = 0;
        h->locked_until_ms = hb_now(h) + LOCKOUT_MS;
    }
    return V_BAD_CREDENTIALS;
}

bool hb_bot(const struct hb_who *who)
{
    return who->token != NULL && who->token->kind == HUB_GITHUB_TOKEN;
}

char *hb_actor(const struct hb_who *who)
{
    if (who->user != NULL)
        return hb_strdup(who->user->login);
    return hb_strdup(who->token == NULL ? "ghost"
                     : hb_bot(who)      ? "github-actions[bot]"
                                        : "app[bot]");
}

/* ---- permission ---- */

enum hb_role hb_role_of(struct hb_repo *r, const struct hb_user *u)
{
    char key[256];
    if (u == NULL || !hb_fold(u->login, key, sizeof key))
        return ROLE_NONE;
    if (r->owner == u || hb_map_get(&r->owner->members, key) != NULL)
        return ROLE_ADMIN;
    const char *role = hb_map_get(&r->collaborators, key);
    if (role == NULL)
        return r->is_private ? ROLE_NONE : ROLE_READ;
    return strcmp(role, "admin") == 0   ? ROLE_ADMIN
           : strcmp(role, "write") == 0 ? ROLE_WRITE
                                        : ROLE_READ;
}

bool hb_permission(const struct hb_token *t, const char *permission, bool write)
{
    if (!write && strcmp(permission, "metadata") == 0)
        return true;
    char text[80];
    (void)snprintf(text, sizeof text, "%s=write", permission);
    if (hb_word_in(t->permissions, text))
        return true;
    (void)snprintf(text, sizeof text, "%s=read", permission);
    return !write && hb_word_in(t->permissions, text);
}

/* Whether the token was made for this repository at all; reading public data needs no such thing.
 */
static bool in_reach(const struct hb_token *t, const struct hb_repo *r)
{
    if (t->pending)
        return false;
    if (t->kind == HUB_GITHUB_TOKEN)
        return t->repo_id == r->id;
    return t->owner == r->owner && (t->repos == NULL || hb_word_in(t->repos, r->full_name));
}

static enum hb_verdict may_granular(struct hub *h, const struct hb_who *who, struct hb_repo *r,
                                    const struct access *a)
{
    const struct hb_token *t = who->token;
    enum hb_verdict refused = t->kind == HUB_FINE_GRAINED ? V_FORBIDDEN_PAT : V_FORBIDDEN_APP;
    if (!in_reach(t, r)) {
        if (r->is_private)
            return V_NOT_FOUND;
        return a->open ? V_OK : refused;
    }
    if (t->kind == HUB_FINE_GRAINED && hb_role_of(r, who->user) == ROLE_NONE)
        return V_NOT_FOUND;
    if (t->kind == HUB_GITHUB_TOKEN && !a->github_token && hb_quirk(h, Q_GITHUB_TOKEN))
        return refused;
    if (a->permission != NULL && !hb_permission(t, a->permission, a->write) &&
        !(a->open && !r->is_private))
        return refused;
    if (t->kind == HUB_FINE_GRAINED && hb_role_of(r, who->user) < a->role)
        return V_FORBIDDEN_ROLE;
    return V_OK;
}

static enum hb_verdict may_classic(const struct hb_who *who, struct hb_repo *r,
                                   const struct access *a)
{
    const char *scopes = who->token->scopes;
    bool repo = hb_word_in(scopes, "repo");
    enum hb_role role = hb_role_of(r, who->user);
    if (r->is_private && (!repo || role == ROLE_NONE))
        return V_NOT_FOUND;
    if (a->scope == SCOPE_PUBLIC_REPO && !repo && !hb_word_in(scopes, "public_repo"))
        return V_FORBIDDEN_ROLE;
    if (a->scope >= SCOPE_REPO && !repo)
        return V_FORBIDDEN_ROLE;
    if (a->scope == SCOPE_WORKFLOW && !hb_word_in(scopes, "workflow"))
        return V_FORBIDDEN_ROLE;
    return role < a->role ? V_FORBIDDEN_ROLE : V_OK;
}

enum hb_verdict hb_may(struct hub *h, const struct hb_who *who, struct hb_repo *r, enum hb_op op)
{
    const struct access *a = &access_table[op];
    enum hb_verdict v;
    if (who->token == NULL)
        v = r->is_private ? V_NOT_FOUND : a->open ? V_OK : V_SIGN_IN;
    else if (who->token->kind == HUB_CLASSIC || who->token->kind == HUB_OAUTH)
        v = may_classic(who, r, a);
    else
        v = may_granular(h, who, r, a);
    if (v == V_NOT_FOUND && !hb_quirk(h, Q_AMBIGUOUS_404))
        return V_FORBIDDEN_ROLE;
    return v;
}
