/* What GitHub says to each ref of a push (6.3). */
#include "gitside.h"
#include "internal.h"

#include <fnmatch.h>
#include <stdio.h>

static const char *branch_of(const char *ref)
{
    return hb_starts(ref, "refs/heads/") ? ref + strlen("refs/heads/") : NULL;
}

/* The rules of git-check-ref-format that matter on the wire. */
static bool funny(const char *ref)
{
    if (!hb_starts(ref, "refs/") || strchr(ref + 5, '/') == NULL || hb_ends(ref, "/") ||
        hb_ends(ref, ".") || hb_ends(ref, ".lock") || strstr(ref, "..") != NULL ||
        strstr(ref, "//") != NULL || strstr(ref, "/.") != NULL || strstr(ref, "@{") != NULL)
        return true;
    for (const char *p = ref; *p != '\0'; p++)
        if ((unsigned char)*p <= ' ' || *p == 127 || strchr("~^:?*[\\", *p) != NULL)
            return true;
    return false;
}

/* The old value is a lease: the ref must still be there, or still be absent. */
static void judge_lease(struct hb_push *p, struct hb_command *k)
{
    const struct hb_ref *now = hb_ref_cached(p->repo, k->ref);
    if (k->noop && !hb_quirk(p->h, Q_CHECK_NOOP))
        return;
    if (hb_zero(k->before) && hb_zero(k->after))
        return; /* git deletes without a precondition then */
    const char *is = now != NULL ? now->oid : "";
    bool same = hb_zero(k->before) ? now == NULL : strcmp(is, k->before) == 0;
    if (same)
        return;
    if (now == NULL)
        hb_buf_fmt(&p->remote, "error: cannot lock ref '%s': unable to resolve reference '%s'\n",
                   k->ref, k->ref);
    else if (hb_zero(k->before))
        hb_buf_fmt(&p->remote, "error: cannot lock ref '%s': reference already exists\n", k->ref);
    else
        hb_buf_fmt(&p->remote, "error: cannot lock ref '%s': is at %s but expected %s\n", k->ref,
                   is, k->before);
    hb_ng(k, "failed to update ref");
}

static void gh006(struct hb_push *p, struct hb_command *k, const char *why)
{
    if (k->ng != NULL)
        return;
    hb_buf_fmt(&p->remote, "error: GH006: Protected branch update failed for %s.\nerror: %s\n",
               k->ref, why);
    hb_ng(k, "protected branch hook declined");
}

static void gh013(struct hb_push *p, struct hb_command *k, const char *why)
{
    if (k->ng != NULL)
        return;
    hb_buf_fmt(&p->remote, "error: GH013: Repository rule violations found for %s.\n\n- %s\n\n",
               k->ref, why);
    hb_ng(k, "push declined due to repository rule violations");
}

static const struct hub_protection *protection(const struct hb_push *p, const char *branch)
{
    for (size_t i = 0; i < p->protections.n; i++)
        if (strcmp(p->protections.rule[i].glob, branch) == 0)
            return &p->protections.rule[i].protection;
    return NULL;
}

static bool ruled(const struct hb_push *p, const char *branch, const char *type)
{
    for (size_t i = 0; i < p->rules.n; i++)
        if (strcmp(p->rules.rule[i].type, type) == 0 &&
            fnmatch(p->rules.rule[i].glob, branch, 0) == 0)
            return true;
    return false;
}

static void judge_branch(struct hb_push *p, struct hb_command *k, const char *branch)
{
    bool gone = hb_zero(k->after), fresh = hb_ref_cached(p->repo, k->ref) == NULL;
    const struct hub_protection *guard = protection(p, branch);
    if (gone && strcmp(branch, p->default_branch) == 0 && hb_quirk(p->h, Q_KEEP_DEFAULT)) {
        char *text = hb_fmt("refusing to delete the current branch: %s", k->ref);
        hb_ng(k, text);
        free(text);
    }
    if (guard != NULL && gone && !guard->allow_deletions)
        gh006(p, k, "Cannot delete this protected branch");
    if (guard != NULL && guard->lock)
        gh006(p, k, "Changes must be made through a pull request.");
    if (gone && ruled(p, branch, "deletion"))
        gh013(p, k, "Cannot delete this branch");
    if (!gone && fresh && ruled(p, branch, "creation"))
        gh013(p, k, "Cannot create ref due to creations being restricted.");
    if (!gone && !fresh && ruled(p, branch, "update"))
        gh013(p, k, "Cannot update this protected ref.");
}

static void judge_scripted(struct hb_push *p, struct hb_command *k)
{
    for (size_t i = 0; i < p->refusals.n; i++) {
        const struct hb_rule *r = &p->refusals.rule[i];
        if (fnmatch(r->glob, k->ref, 0) != 0)
            continue;
        if (r->remote != NULL)
            hb_buf_fmt(&p->remote, "%s\n", r->remote);
        hb_ng(k, r->type);
    }
}

void hb_push_judge(struct hb_push *p)
{
    bool hide = hb_quirk(p->h, Q_HIDDEN_REFS) != 0;
    for (size_t i = 0; i < p->n; i++) {
        struct hb_command *k = &p->command[i];
        const char *branch = branch_of(k->ref);
        if (funny(k->ref))
            hb_ng(k, "funny refname");
        else if (hide && hb_hidden_ref(k->ref))
            hb_ng(k, "deny updating a hidden ref");
        else
            judge_lease(p, k);
        if (k->noop || k->ng != NULL)
            continue;
        judge_scripted(p, k);
        if (branch != NULL)
            judge_branch(p, k, branch);
    }
}

/* ---- when the objects are there ---- */

static bool open_question(const struct hb_command *k)
{
    return k->ng == NULL && !k->noop && !hb_zero(k->after);
}

static bool connected(struct hb_push *p, const char *oids)
{
    static const char *const argv[] = {"git",   "rev-list", "--objects", "--stdin",
                                       "--not", "--all",    "--quiet",   NULL};
    return hb_git(p->h, p->repo->dir, oids, strlen(oids), NULL, argv) == 0;
}

static void inspect_objects(struct hb_push *p)
{
    struct hb_buf oids = {0};
    for (size_t i = 0; i < p->n; i++)
        if (open_question(&p->command[i]))
            hb_buf_fmt(&oids, "%s\n", p->command[i].after);
    bool fine = oids.len == 0 || connected(p, oids.data);
    hb_buf_free(&oids);
    for (size_t i = 0; !fine && i < p->n; i++) { /* which one is it? */
        struct hb_command *k = &p->command[i];
        char *line = hb_fmt("%s\n", k->after);
        if (open_question(k) && !connected(p, line))
            hb_ng(k, "missing necessary objects");
        free(line);
    }
}

static void refuse_workflow(const struct hb_push *p, struct hb_command *k, const char *path)
{
    static const char *const who[] = {[HUB_CLASSIC] = "a Personal Access Token",
                                      [HUB_OAUTH] = "an OAuth App",
                                      [HUB_FINE_GRAINED] = "a Personal Access Token",
                                      [HUB_APP] = "a GitHub App",
                                      [HUB_GITHUB_TOKEN] = "a GitHub App"};
    enum hub_token_kind kind = p->who.token->kind;
    bool app = kind == HUB_APP || kind == HUB_GITHUB_TOKEN;
    char *text = hb_fmt("refusing to allow %s to create or update workflow `%s` without %s",
                        who[kind], path, app ? "`workflows` permission" : "`workflow` scope");
    hb_ng(k, text);
    free(text);
}

static char *file_key(const struct hb_file *file)
{
    return hb_fmt("%s %s", file->blob, file->path);
}

/* The files of the tips `known` .. are held against those before them. */
static void compare_workflows(struct hb_push *p, const struct hb_files *files, size_t known)
{
    struct hb_map have = {0};
    for (size_t i = 0; i < known; i++) {
        for (size_t f = 0; f < files[i].n; f++) {
            char *key = file_key(&files[i].file[f]);
            hb_map_put(&have, key, p);
            free(key);
        }
    }
    const struct hb_files *mine = files + known;
    for (size_t i = 0; i < p->n; i++) {
        struct hb_command *k = &p->command[i];
        if (!open_question(k))
            continue;
        for (size_t f = 0; f < mine->n && k->ng == NULL; f++) {
            char *key = file_key(&mine->file[f]);
            if (hb_map_get(&have, key) == NULL)
                refuse_workflow(p, k, mine->file[f].path);
            free(key);
        }
        mine++;
    }
    hb_map_free(&have);
}

/* A content check, not a path check: what stands with the same content at the same path on some
 * branch already may be pushed by anybody (3.1). */
static void inspect_workflows(struct hb_push *p)
{
    pthread_mutex_lock(&p->h->lock);
    bool allowed = hb_may(p->h, &p->who, p->repo, OP_WORKFLOW_FILES) == V_OK;
    pthread_mutex_unlock(&p->h->lock);
    if (allowed || !hb_quirk(p->h, Q_WORKFLOW_SCOPE))
        return;
    const struct hb_refs *refs = &p->repo->refs;
    const char **tips = hb_grow(NULL, refs->n + p->n, sizeof *tips);
    size_t known = 0, n = 0;
    for (size_t i = 0; i < refs->n; i++)
        if (hb_starts(refs->ref[i].name, "refs/heads/"))
            tips[known++] = refs->ref[i].oid;
    for (size_t i = 0; i < p->n; i++)
        if (open_question(&p->command[i]))
            tips[known + n++] = p->command[i].after;
    struct hb_files *files = hb_workflow_files(p->h, p->repo, tips, known + n);
    compare_workflows(p, files, known);
    hb_files_free(files, known + n);
    free(tips);
}

/* ---- sizes ---- */

/* The name of a blob above the limit among those that the push brings, NULL: none. */
static char *large_file(struct hb_push *p, unsigned long long limit, double *out_mb)
{
    static const char *const list[] = {"git",   "rev-list", "--objects", "--stdin",
                                       "--not", "--all",    NULL};
    static const char *const size[] = {"git", "cat-file",
                                       "--batch-check=%(objecttype) %(objectsize) %(rest)", NULL};
    struct hb_buf oids = {0}, objects = {0}, sizes = {0};
    char *found = NULL;
    for (size_t i = 0; i < p->n; i++)
        if (open_question(&p->command[i]))
            hb_buf_fmt(&oids, "%s\n", p->command[i].after);
    if (oids.len > 0 && hb_git(p->h, p->repo->dir, oids.data, oids.len, &objects, list) == 0 &&
        objects.len > 0)
        (void)hb_git(p->h, p->repo->dir, objects.data, objects.len, &sizes, size);
    for (char *line = sizes.data; line != NULL && *line != '\0' && found == NULL;) {
        size_t len = strcspn(line, "\n");
        unsigned long long bytes = hb_starts(line, "blob ") ? strtoull(line + 5, NULL, 10) : 0;
        const char *name = hb_starts(line, "blob ") ? strchr(line + 5, ' ') : NULL;
        if (bytes > limit && name != NULL) {
            found = hb_strndup(name + 1, (size_t)(line + len - name - 1));
            *out_mb = (double)bytes / (1024.0 * 1024.0);
        }
        line += len + (line[len] == '\n');
    }
    hb_buf_free(&oids);
    hb_buf_free(&objects);
    hb_buf_free(&sizes);
    return found;
}

/* A file above the limit refuses the whole push. A pack a thousand times smaller than the limit is
 * not searched: zlib packs no tighter than that. */
static void inspect_sizes(struct hb_push *p)
{
    int limit = hb_quirk(p->h, Q_FILE_LIMIT);
    size_t pack = p->q->body_len - p->pack_at;
    double mb = 0;
    if (limit <= 0 || pack * 1024 < (size_t)limit)
        return;
    char *name = large_file(p, (unsigned long long)limit, &mb);
    if (name == NULL)
        return;
    hb_buf_fmt(&p->remote,
               "error: Trace: hub\nerror: See https://gh.io/lfs for more information.\n"
               "error: File %s is %.2f MB; this exceeds GitHub's file size limit of %.2f MB\n"
               "error: GH001: Large files detected. You may want to try Git Large File Storage - "
               "https://git-lfs.github.com.\n",
               name, mb, (double)limit / (1024.0 * 1024.0));
    for (size_t i = 0; i < p->n; i++)
        hb_ng(&p->command[i], "pre-receive hook declined");
    free(name);
}

/* ---- forced updates ---- */

static bool forced(struct hb_push *p, const struct hb_command *k)
{
    const char *const argv[] = {"git", "merge-base", "--is-ancestor", k->before, k->after, NULL};
    return !hb_zero(k->before) && hb_git(p->h, p->repo->dir, NULL, 0, NULL, argv) != 0;
}

static void inspect_history(struct hb_push *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct hb_command *k = &p->command[i];
        const char *branch = branch_of(k->ref);
        if (!open_question(k) || branch == NULL)
            continue;
        const struct hub_protection *guard = protection(p, branch);
        bool guarded = guard != NULL && !guard->allow_force_pushes;
        bool rule = ruled(p, branch, "non_fast_forward");
        if ((!guarded && !rule) || !forced(p, k))
            continue;
        if (guarded)
            gh006(p, k, "Cannot force-push to this branch");
        else
            gh013(p, k, "Cannot force-push to this branch");
    }
}

void hb_push_inspect(struct hb_push *p)
{
    inspect_objects(p);
    inspect_workflows(p);
    inspect_history(p);
    inspect_sizes(p);
}
