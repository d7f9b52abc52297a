/* One-file commits: PUT contents (1.6), and the same by hand. */
#include "gitside.h"
#include "internal.h"
#include "rest.h"

#include <stdio.h>
#include <unistd.h>

struct put {
    struct hub *h;
    struct hb_repo *repo;
    const char *branch, *path, *message, *author;
    const void *data;
    size_t len;
    const char *sha; /* the blob that is replaced; NULL: none, "*": whichever stands there */
    /* out */
    char before[65], after[65], blob[65];
    bool existed;
};

static bool id_of(struct put *p, const void *in, size_t in_len, char out[65],
                  const char *const *env, const char *const argv[])
{
    struct hb_child child = {.dir = p->repo->dir, .argv = argv, .env = env, .in = -1, .err = -1};
    struct hb_buf text = {0};
    if (in != NULL)
        child.in = hb_tmp_with(p->h, in, in_len);
    child.out = hb_tmp(p->h);
    bool ok = hb_run(&child) == 0 && hb_slurp(child.out, &text) && text.len >= 40;
    if (ok && out != NULL)
        (void)snprintf(out, 65, "%.40s", text.data);
    if (child.in >= 0)
        (void)close(child.in);
    (void)close(child.out);
    hb_buf_free(&text);
    return ok;
}

static bool tree_with(struct put *p, const char *const *env, char out[65])
{
    char *info = hb_fmt("100644 %s\t%s\n", p->blob, p->path);
    const char *const read[] = {"git", "read-tree", p->before, NULL};
    const char *const update[] = {"git", "update-index", "--add", "--index-info", NULL};
    const char *const write[] = {"git", "write-tree", NULL};
    struct hb_child child = {
        .dir = p->repo->dir, .argv = read, .env = env, .in = -1, .out = -1, .err = -1};
    bool ok = p->before[0] == '\0' || hb_run(&child) == 0;
    child.argv = update;
    child.in = hb_tmp_with(p->h, info, strlen(info));
    ok = ok && hb_run(&child) == 0;
    (void)close(child.in);
    free(info);
    return ok && id_of(p, NULL, 0, out, env, write);
}

static bool commit(struct put *p)
{
    char tree[65];
    long long now = (long long)(hub_clock(p->h) / 1000);
    char *index = hb_fmt("GIT_INDEX_FILE=%s/hub-index", p->repo->dir);
    char *author = hb_fmt("GIT_AUTHOR_NAME=%s", p->author);
    char *date = hb_fmt("GIT_AUTHOR_DATE=%lld +0000", now),
         *date2 = hb_fmt("GIT_COMMITTER_DATE=%lld +0000", now);
    const char *const env[] = {index,
                               author,
                               date,
                               date2,
                               "GIT_AUTHOR_EMAIL=hub@example.invalid",
                               "GIT_COMMITTER_NAME=GitHub",
                               "GIT_COMMITTER_EMAIL=noreply@github.com",
                               NULL};
    const char *const store[] = {"git", "hash-object", "-w", "--stdin", NULL};
    bool ok = id_of(p, p->data, p->len, p->blob, env, store) && tree_with(p, env, tree);
    const char *const first[] = {"git", "commit-tree", tree, "-m", p->message, NULL};
    const char *const next[] = {"git",     "commit-tree", tree,       "-p",
                                p->before, "-m",          p->message, NULL};
    ok = ok && id_of(p, NULL, 0, p->after, env, p->before[0] == '\0' ? first : next);
    (void)unlink(index + strlen("GIT_INDEX_FILE="));
    char *ref = hb_fmt("refs/heads/%s", p->branch);
    const char *zero = "0000000000000000000000000000000000000000";
    const char *const move[] = {"git", "update-ref", ref, p->after, p->before[0] ? p->before : zero,
                                NULL};
    ok = ok && hb_git(p->h, p->repo->dir, NULL, 0, NULL, move) == 0;
    hb_refs_drop(&p->repo->refs);
    char *all[] = {index, author, date, date2, ref};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]);
    return ok;
}

enum outcome { PUT_DONE, PUT_NO_BRANCH, PUT_NO_SHA, PUT_OTHER_SHA, PUT_FAILED };

static enum outcome put_locked(struct put *p)
{
    char *ref = hb_fmt("refs/heads/%s", p->branch);
    const struct hb_ref *tip = hb_ref(p->repo, ref);
    free(ref);
    if (tip == NULL && p->repo->refs.n > 0)
        return PUT_NO_BRANCH;
    char now[65] = "";
    if (tip != NULL) {
        (void)snprintf(p->before, sizeof p->before, "%s", tip->oid);
        char *spec = hb_fmt("%s:%s", tip->oid, p->path);
        const char *const argv[] = {"git", "rev-parse", "--verify", "--quiet", spec, NULL};
        p->existed = id_of(p, NULL, 0, now, NULL, argv);
        free(spec);
    }
    bool any = p->sha != NULL && strcmp(p->sha, "*") == 0;
    if (p->existed && p->sha == NULL)
        return PUT_NO_SHA;
    if (p->sha != NULL && !any && strcmp(p->sha, now) != 0)
        return PUT_OTHER_SHA;
    return commit(p) ? PUT_DONE : PUT_FAILED;
}

/* With git_lock held; the push event follows. */
static enum outcome put(struct put *p, const struct hb_who *who)
{
    enum outcome o = put_locked(p);
    if (o == PUT_DONE) {
        struct hb_change change = {.ref = hb_fmt("refs/heads/%s", p->branch)};
        memcpy(change.before, p->before, sizeof change.before);
        memcpy(change.after, p->after, sizeof change.after);
        hb_pushed(p->h, p->repo, &change, 1, who);
        free(change.ref);
    }
    return o;
}

static void answer(struct hb_ctx *c, const struct put *p, enum outcome o)
{
    char *text = NULL;
    switch (o) {
    case PUT_DONE:
        hb_json(c, p->existed ? 200 : 201,
                json_pack("{s:{s:s,s:s,s:s,s:I},s:{s:s,s:s}}", "content", "type", "file", "path",
                          p->path, "sha", p->blob, "size", (json_int_t)p->len, "commit", "sha",
                          p->after, "message", p->message));
        break;
    case PUT_NO_BRANCH:
        text = hb_fmt("Branch %s not found", p->branch);
        hb_error_json(c, 404, text);
        break;
    case PUT_NO_SHA:
        hb_error_json(c, 422, "Invalid request.\n\n\"sha\" wasn't supplied.");
        break;
    case PUT_OTHER_SHA:
        text = hb_fmt("%s does not match %s", p->path, p->sha);
        hb_error_json(c, 409, text);
        break;
    case PUT_FAILED:
        hb_error_json(c, 500, "Server Error");
        break;
    }
    free(text);
}

/* Workflow files want the workflow scope or permission besides (1.6). */
static bool workflow_refused(struct hb_ctx *c, const char *path)
{
    if (!hb_starts(path, ".github/workflows/") ||
        hb_may(c->h, &c->who, c->repo, OP_WORKFLOW_FILES) == V_OK)
        return false;
    enum hub_token_kind kind = c->who.token->kind;
    if (kind == HUB_CLASSIC || kind == HUB_OAUTH)
        hb_error_json(c, 404, "Not Found");
    else
        hb_error_json(c, 403,
                      kind == HUB_FINE_GRAINED ? "Resource not accessible by personal access token"
                                               : "Resource not accessible by integration");
    return true;
}

void hb_put_contents(struct hb_ctx *c)
{
    const char *content = hb_field(c, "content"), *branch = hb_field(c, "branch");
    char *path = hb_rest_of(c, c->n_head + 1);
    struct put p = {.h = c->h,
                    .repo = c->repo,
                    .path = path,
                    .message = hb_field(c, "message"),
                    .sha = hb_field(c, "sha")};
    struct hb_buf flat = {0};
    hb_buf_puts(&flat, "");
    for (const char *s = content; s != NULL && *s != '\0'; s++)
        if (*s != '\n')
            hb_buf_add(&flat, s, 1);
    char *data = content == NULL ? NULL : hb_unbase64(flat.data, &p.len);
    hb_buf_free(&flat);
    if (p.message == NULL || data == NULL || path[0] == '\0') {
        hb_error_json(c, 422, "Invalid request.");
    } else if (!workflow_refused(c, path)) {
        char *target = hb_strdup(branch != NULL ? branch : c->repo->default_branch),
             *author = hb_actor(&c->who);
        p.branch = target;
        p.author = author;
        p.data = data;
        hb_git_enter(c->h, c->repo);
        enum outcome o = put(&p, &c->who);
        hb_git_leave(c->h, c->repo);
        answer(c, &p, o);
        free(target);
        free(author);
    }
    free(data);
    free(path);
}

bool hub_file_put(struct hub *h, const char *repo, const char *branch, const char *path,
                  const void *data, size_t len)
{
    pthread_mutex_lock(&h->lock);
    struct hb_repo *r = hb_repo(h, repo);
    pthread_mutex_unlock(&h->lock);
    if (r == NULL)
        return hb_fail("no repository '%s'", repo);
    struct put p = {.h = h,
                    .repo = r,
                    .branch = branch,
                    .path = path,
                    .message = "by hand",
                    .author = "somebody",
                    .data = data,
                    .len = len,
                    .sha = "*"};
    struct hb_who who = {0};
    pthread_mutex_lock(&r->git_lock);
    enum outcome o = put(&p, &who);
    pthread_mutex_unlock(&r->git_lock);
    if (o != PUT_DONE)
        return hb_fail("cannot write '%s' on branch '%s' of '%s'", path, branch, repo);
    return true;
}
