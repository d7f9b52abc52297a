/*
 * What servers say when they refuse a ref, what it means, and what to do about it (github.md 6.3).
 * Texts are matched on their stable part. The first row that fits wins: special ones stand first.
 */
#include "refusal.h"
#include "mirrorctl/git.h"

#include <string.h>

struct row {
    const char *first, *second; /* both must be in the text; second may be NULL */
    struct git_refusal refusal;
};

static const struct row ROWS[] = {
    /* ---- The lease: somebody else moved the ref ------------------------------------------------
     */
    {"but expected",
     "is at",
     {"moved", GIT_STALE, ERR_CONFLICT, "somebody moved the ref since it was looked at",
      "run again: the next pass looks anew"}},
    {"reference already exists",
     NULL,
     {"moved", GIT_STALE, ERR_CONFLICT, "somebody made the ref since it was looked at",
      "run again: the next pass looks anew"}},
    {"stale info",
     NULL,
     {"moved", GIT_STALE, ERR_CONFLICT, "somebody moved the ref since it was looked at",
      "run again: the next pass looks anew"}},
    {"fetch first",
     NULL,
     {"moved", GIT_STALE, ERR_CONFLICT, "somebody moved the ref since it was looked at",
      "run again: the next pass looks anew"}},
    {"unable to resolve reference",
     NULL,
     {"moved", GIT_STALE, ERR_CONFLICT, "somebody deleted the ref since it was looked at",
      "run again: the next pass looks anew"}},

    /* ---- Workflow files ------------------------------------------------------------------------
     */
    {"refusing to allow a Personal Access Token",
     "workflow",
     {"workflow-scope", GIT_REJECTED, ERR_PERMISSION,
      "the commits change workflow files, which this token may not",
      "give the classic token the 'workflow' scope"}},
    {"refusing to allow an OAuth App",
     "workflow",
     {"workflow-scope", GIT_REJECTED, ERR_PERMISSION,
      "the commits change workflow files, which this OAuth token may not",
      "give the token the 'workflow' scope: gh auth refresh -s workflow"}},
    {"refusing to allow a GitHub App",
     "workflow",
     {"workflow-scope", GIT_REJECTED, ERR_PERMISSION,
      "the commits change workflow files, which this App or GITHUB_TOKEN may not",
      "give the App 'workflows: write', or use a token with the 'workflow' scope"}},

    /* ---- Push protection and rules -------------------------------------------------------------
     */
    {"PUSH PROTECTION",
     NULL,
     {"push-protection", GIT_REJECTED, ERR_REFUSED,
      "the history holds something that GitHub takes for a secret",
      "make the slave private, or allow the secret at the address in the message"}},
    {"Push cannot contain secrets",
     NULL,
     {"push-protection", GIT_REJECTED, ERR_REFUSED,
      "the history holds something that GitHub takes for a secret",
      "make the slave private, or allow the secret at the address in the message"}},
    {"GH013",
     NULL,
     {"ruleset", GIT_REJECTED, ERR_REFUSED, "a ruleset of the slave forbids it",
      "let the token's user bypass the ruleset, or exclude the ref"}},
    {"repository rule violations",
     NULL,
     {"ruleset", GIT_REJECTED, ERR_REFUSED, "a ruleset of the slave forbids it",
      "let the token's user bypass the ruleset, or exclude the ref"}},
    {"GH006",
     NULL,
     {"protected", GIT_REJECTED, ERR_REFUSED, "the branch is protected at the slave",
      "lift the protection of the branch at the slave: a mirror needs none"}},
    {"protected branch hook declined",
     NULL,
     {"protected", GIT_REJECTED, ERR_REFUSED, "the branch is protected at the slave",
      "lift the protection of the branch at the slave: a mirror needs none"}},

    /* ---- Content -------------------------------------------------------------------------------
     */
    {"GH001",
     NULL,
     {"large-file", GIT_REJECTED, ERR_LIMIT, "a file is larger than the server takes",
      "rewrite the history without the file, or move it to Git LFS"}},
    {"exceeds GitHub's file size limit",
     NULL,
     {"large-file", GIT_REJECTED, ERR_LIMIT, "a file is larger than the server takes",
      "rewrite the history without the file, or move it to Git LFS"}},
    {"GH008",
     NULL,
     {"lfs-missing", GIT_REJECTED, ERR_REFUSED,
      "the commits need Git LFS objects that the slave lacks",
      "push the LFS objects to the slave first (lfs: auto)"}},
    {"unknown Git LFS object",
     NULL,
     {"lfs-missing", GIT_REJECTED, ERR_REFUSED,
      "the commits need Git LFS objects that the slave lacks",
      "push the LFS objects to the slave first (lfs: auto)"}},
    {"GH007",
     NULL,
     {"private-email", GIT_REJECTED, ERR_REFUSED,
      "the push would publish an e-mail address that its owner keeps private",
      "switch 'Block command line pushes that expose my email' off for the token's user"}},
    {"would publish a private email",
     NULL,
     {"private-email", GIT_REJECTED, ERR_REFUSED,
      "the push would publish an e-mail address that its owner keeps private",
      "switch 'Block command line pushes that expose my email' off for the token's user"}},

    /* ---- Refs ----------------------------------------------------------------------------------
     */
    {"hidden ref",
     NULL,
     {"hidden-ref", GIT_REJECTED, ERR_REFUSED, "the server keeps that ref to itself",
      "exclude the ref in the manifest (refs: {exclude: [...]})"}},
    {"refusing to delete the current branch",
     NULL,
     {"current-branch", GIT_REJECTED, ERR_REFUSED, "it is the default branch of the slave",
      "switch the default branch of the slave first"}},
    {"deletion of the current branch prohibited",
     NULL,
     {"current-branch", GIT_REJECTED, ERR_REFUSED, "it is the default branch of the slave",
      "switch the default branch of the slave first"}},
    {"deletion prohibited",
     NULL,
     {"no-deletes", GIT_REJECTED, ERR_REFUSED, "the server forbids deleting refs",
      "set prune: false for this slave, or receive.denyDeletes to false there"}},
    {"branch is currently checked out",
     NULL,
     {"checked-out", GIT_REJECTED, ERR_REFUSED,
      "the branch is checked out in the slave's work tree",
      "use a bare repository as slave (git init --bare)"}},
    {"non-fast-forward",
     NULL,
     {"no-rewind", GIT_REJECTED, ERR_REFUSED, "the server takes only fast-forwards",
      "set receive.denyNonFastForwards to false at the slave, or exclude the ref"}},
    {"Cannot force-push",
     NULL,
     {"no-rewind", GIT_REJECTED, ERR_REFUSED, "the server takes only fast-forwards of this branch",
      "allow force pushes of the branch at the slave, or exclude the ref"}},
    {"; cannot create",
     "exists",
     {"ref-conflict", GIT_REJECTED, ERR_REFUSED,
      "another ref of the slave is in the way: one name is a folder of the other",
      "delete the ref that is in the way, or let prune: true do it first"}},
    {"funny refname",
     NULL,
     {"bad-name", GIT_REJECTED, ERR_REFUSED, "the server does not take refs of that name",
      "exclude the ref in the manifest"}},
    {"maximum ref updates exceeded",
     NULL,
     {"too-many-refs", GIT_FAILED, ERR_LIMIT, "too many refs in one push",
      "run again: smaller batches are used"}},

    /* ---- The repository ------------------------------------------------------------------------
     */
    {"archived so it is read-only",
     NULL,
     {"archived", GIT_REJECTED, ERR_PERMISSION, "the slave is archived", "un-archive the slave"}},
    {"Write access to repository not granted",
     NULL,
     {"no-write", GIT_REJECTED, ERR_PERMISSION,
      "the credential may read the slave, but not write it",
      "give the token contents: write, or the deploy key write access"}},
    {"key has been added as read only",
     NULL,
     {"no-write", GIT_REJECTED, ERR_PERMISSION,
      "the credential may read the slave, but not write it",
      "give the token contents: write, or the deploy key write access"}},
    {"pack exceeds maximum allowed size",
     NULL,
     {"pack-too-large", GIT_REJECTED, ERR_LIMIT, "more was sent at once than the server takes",
      "push the history in slices"}},
    {"exceeded its disk quota",
     NULL,
     {"quota", GIT_REJECTED, ERR_LIMIT, "the slave's disk quota is used up", "free space there"}},
    {"No space left on device",
     NULL,
     {"disk-full", GIT_FAILED, ERR_UNAVAILABLE, "the slave's disk is full", "free space there"}},
    {"rate-limited",
     NULL,
     {"rate-limited", GIT_FAILED, ERR_RATE, "too many requests of late", "wait some minutes"}},

    /* ---- Trouble that passes -------------------------------------------------------------------
     */
    {"atomic push failure",
     NULL,
     {"atomic", GIT_FAILED, ERR_UNAVAILABLE, "another ref of the same atomic push was refused",
      "look at the refusal of the other ref"}},
    {"atomic transaction failed",
     NULL,
     {"atomic", GIT_FAILED, ERR_UNAVAILABLE, "a ref of the same atomic push could not be set",
      "look at the refusal of the other ref"}},
    {"transaction failed to start",
     NULL,
     {"transient", GIT_FAILED, ERR_UNAVAILABLE, "trouble at the server", "run again later"}},
    {"fatal error in commit_refs",
     NULL,
     {"transient", GIT_FAILED, ERR_UNAVAILABLE, "trouble at the server", "run again later"}},
    {"Internal Server Error",
     NULL,
     {"transient", GIT_FAILED, ERR_UNAVAILABLE, "trouble at the server", "run again later"}},
    {"error processing packfiles",
     NULL,
     {"unpack", GIT_FAILED, ERR_UNAVAILABLE, "the server could not take the objects in",
      "run again; if it stays, look at the slave's disk and limits"}},
    {"unpacker error",
     NULL,
     {"unpack", GIT_FAILED, ERR_UNAVAILABLE, "the server could not take the objects in",
      "run again; if it stays, look at the slave's disk and limits"}},
    {"missing necessary objects",
     NULL,
     {"objects-missing", GIT_FAILED, ERR_UNAVAILABLE, "the server lost objects that it had shown",
      "run again; if it stays, check the slave with git fsck"}},
    {"failed to update ref",
     NULL,
     {"moved", GIT_STALE, ERR_CONFLICT, "the ref is not what it was when it was looked at",
      "run again: the next pass looks anew"}},
    {"cannot lock ref",
     NULL,
     {"moved", GIT_STALE, ERR_CONFLICT, "the ref is not what it was when it was looked at",
      "run again: the next pass looks anew"}},

    /* ---- Words that say nothing by themselves: the remote: lines tell --------------------------
     */
    {"hook declined",
     NULL,
     {GIT_REFUSAL_HOOK, GIT_REJECTED, ERR_REFUSED, "a hook of the server refused it",
      "the server's own words say why"}},
};

const struct git_refusal *git_refusal_find(const char *server_text)
{
    if (server_text == NULL)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        const struct row *r = &ROWS[i];
        if (strstr(server_text, r->first) != NULL &&
            (r->second == NULL || strstr(server_text, r->second) != NULL))
            return &r->refusal;
    }
    /* GitHub's whole reason for a failed commit of refs is this one word. */
    static const struct git_refusal BARE = {"transient", GIT_FAILED, ERR_UNAVAILABLE,
                                            "trouble at the server", "run again later"};
    return str_eq(server_text, "failure") ? &BARE : NULL;
}
