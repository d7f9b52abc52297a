/*
 * Which scope or permission a call needs, in the words of the page on which people tick it.
 * GitHub REST, 2022-11-28 (github.md 1, 3.1, 3.2). X-Accepted-OAuth-Scopes is empty for all of
 * them, so the table has to know.
 */
#include "internal.h"

#include <string.h>

static const struct need {
    const char *scope;      /* classic token */
    const char *permission; /* fine-grained token or app */
    const char *word;       /* the same in X-Accepted-GitHub-Permissions, without =read or =write */
    bool never_in_workflow; /* GITHUB_TOKEN cannot be given it at all */
} NEEDS[OP_COUNT] = {
    [OP_REPO_GET] = {"repo", "Metadata: Read-only", "metadata", false},
    [OP_DEFAULT_BRANCH_SET] = {"repo", "Administration: Read and write", "administration", true},
    [OP_SECRETS_LIST] = {"repo", "Secrets: Read and write", "secrets", true},
    [OP_SECRET_GET] = {"repo", "Secrets: Read and write", "secrets", true},
    [OP_SECRET_PUT] = {"repo", "Secrets: Read and write", "secrets", true},
    [OP_SECRET_DELETE] = {"repo", "Secrets: Read and write", "secrets", true},
    [OP_PUBLIC_KEY_GET] = {"repo", "Secrets: Read and write", "secrets", true},
    [OP_VARIABLES_LIST] = {"repo", "Variables: Read and write", "actions_variables", true},
    [OP_VARIABLE_CREATE] = {"repo", "Variables: Read and write", "actions_variables", true},
    [OP_VARIABLE_UPDATE] = {"repo", "Variables: Read and write", "actions_variables", true},
    [OP_VARIABLE_DELETE] = {"repo", "Variables: Read and write", "actions_variables", true},
    [OP_WORKFLOWS_LIST] = {"repo", "Actions: Read and write", "actions", false},
    [OP_WORKFLOW_ENABLE] = {"repo", "Actions: Read and write", "actions", false},
    [OP_WORKFLOW_DISABLE] = {"repo", "Actions: Read and write", "actions", false},
    [OP_ACTIONS_GET] = {"repo", "Administration: Read-only", "administration", true},
    [OP_ACTIONS_SET] = {"repo", "Administration: Read and write", "administration", true},
};

/* Whether the comma-separated list of scopes holds the word. */
static bool has_scope(const char *scopes, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = scopes; *p != '\0';) {
        p += strspn(p, ", ");
        size_t len = strcspn(p, ", ");
        if (len == n && memcmp(p, word, n) == 0)
            return true;
        p += len;
    }
    return false;
}

/* Whether "word=..." is among the alternatives of X-Accepted-GitHub-Permissions. */
static bool accepts(const char *permissions, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = permissions; *p != '\0';) {
        p += strspn(p, ",; ");
        if (strncmp(p, word, n) == 0 && p[n] == '=')
            return true;
        p += strcspn(p, ",;");
    }
    return false;
}

static char *classic(struct arena *a, const struct need *need, const char *scopes)
{
    if (has_scope(scopes, need->scope))
        return arena_printf(a,
                            "the token has the scope \"%s\", so it is its owner who lacks the role "
                            "in this repository (write, or admin for settings)",
                            need->scope);
    if (scopes[0] == '\0')
        return arena_printf(a, "the token needs the scope \"%s\"; it has none", need->scope);
    return arena_printf(a, "the token needs the scope \"%s\"; it has \"%s\"", need->scope, scopes);
}

char *github_need(struct arena *a, enum operation op, const char *message, const char *scopes,
                  const char *permissions)
{
    const struct need *need = &NEEDS[op];
    bool workflow = strcasestr(message, "accessible by integration") != NULL;
    bool fine = workflow || permissions != NULL ||
                strcasestr(message, "accessible by personal access token") != NULL;

    if (!fine && scopes != NULL)
        return classic(a, need, scopes);
    /* GitHub's own word counts where it is about another permission than the table thinks. */
    if (permissions != NULL && !accepts(permissions, need->word))
        return arena_printf(a, "the token needs the repository permission %s", permissions);
    return arena_printf(a, "the token needs the repository permission \"%s\"%s", need->permission,
                        workflow && need->never_in_workflow
                            ? ", which a workflow's GITHUB_TOKEN can never have"
                            : "");
}
