/* Contents (1.6): reading files and directories, and writing one with compare-and-swap on its blob.
 */
#include "gitside.h"
#include "internal.h"
#include "rest.h"

#include <stdio.h>
#include <unistd.h>

enum { JSON_MOST = 1 << 20, RAW_MOST = 100 << 20, BASE64_LINE = 60 };

/* The decoded segments from one on, joined: what a "*" of a pattern stands for. */
char *hb_rest_of(const struct hb_ctx *c, size_t from)
{
    struct hb_buf b = {0};
    hb_buf_puts(&b, "");
    for (size_t i = from; i < c->n_seg; i++)
        hb_buf_fmt(&b, "%s%s", b.len ? "/" : "", c->seg[i]);
    return b.data;
}

struct entry { /* a row of `git ls-tree -l -z` */
    char mode[8], type[8], oid[65];
    unsigned long long size;
    char *path;
};

static bool next_entry(const struct hb_buf *b, size_t *at, struct entry *e)
{
    if (*at >= b->len)
        return false;
    const char *row = b->data + *at, *tab = strchr(row, '\t');
    char size[24];
    if (tab == NULL || sscanf(row, "%7s %7s %64s %23s", e->mode, e->type, e->oid, size) != 4)
        return false;
    e->size = strtoull(size, NULL, 10);
    e->path = hb_strdup(tab + 1);
    *at += (size_t)(tab - row) + 1 + strlen(tab + 1) + 1;
    return true;
}

static bool lookup(struct hb_ctx *c, const char *tip, const char *path, struct entry *e)
{
    const char *const argv[] = {"git", "ls-tree", "-l", "-z", tip, "--", path, NULL};
    struct hb_buf out = {0};
    size_t at = 0;
    bool ok = hb_git(c->h, c->repo->dir, NULL, 0, &out, argv) == 0 && next_entry(&out, &at, e);
    hb_buf_free(&out);
    return ok;
}

static bool blob(struct hb_ctx *c, const char *oid, struct hb_buf *out)
{
    const char *const argv[] = {"git", "cat-file", "blob", oid, NULL};
    hb_buf_puts(out, "");
    return hb_git(c->h, c->repo->dir, NULL, 0, out, argv) == 0;
}

/* A symlink to a file answers with the target's content. */
static bool follow(struct hb_ctx *c, const char *tip, const char *path, struct entry *e)
{
    static const char *const argv[] = {"git", "cat-file",
                                       "--batch-check=%(objectname) %(objecttype) %(objectsize)",
                                       "--follow-symlinks", NULL};
    char *in = hb_fmt("%s:%s\n", tip, path);
    struct hb_buf out = {0};
    bool ok = hb_git(c->h, c->repo->dir, in, strlen(in), &out, argv) == 0 && out.data != NULL &&
              sscanf(out.data, "%64s %7s %llu", e->oid, e->type, &e->size) == 3;
    free(in);
    hb_buf_free(&out);
    return ok;
}

/* base64 in lines of 60, as GitHub sends it. */
static char *wrapped(const void *data, size_t len)
{
    char *flat = hb_base64(data, len);
    struct hb_buf b = {0};
    hb_buf_puts(&b, "");
    for (const char *p = flat; *p != '\0';) {
        size_t n = strnlen(p, BASE64_LINE);
        hb_buf_add(&b, p, n);
        hb_buf_puts(&b, "\n");
        p += n;
    }
    free(flat);
    return b.data;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static json_t *entry_json(struct hb_ctx *c, const struct entry *e, const char *path)
{
    char *base = hb_base(c);
    char *url = hb_fmt("%s/repos/%s/contents/%s", base, c->repo->full_name, path);
    char *git = hb_fmt("%s/repos/%s/git/blobs/%s", base, c->repo->full_name, e->oid);
    const char *type = strcmp(e->type, "tree") == 0     ? "dir"
                       : strcmp(e->type, "commit") == 0 ? "submodule"
                       : strcmp(e->mode, "120000") == 0 ? "symlink"
                                                        : "file";
    json_t *j = json_pack("{s:s,s:s,s:s,s:s,s:I,s:s,s:s,s:n,s:n,s:{s:s,s:s,s:n}}", "type", type,
                          "name", base_name(path), "path", path, "sha", e->oid, "size",
                          (json_int_t)e->size, "url", url, "git_url", git, "html_url",
                          "download_url", "_links", "self", url, "git", git, "html");
    free(git);
    free(url);
    free(base);
    return j;
}

struct answer { /* what was found in the git part, to be rendered with hub.lock held again */
    bool found, directory;
    struct entry entry;
    struct hb_buf data;
};

static void render_file(struct hb_ctx *c, const char *path, struct answer *a)
{
    const char *accept = hb_header(c->q, "accept");
    bool raw = accept != NULL && strstr(accept, "raw") != NULL;
    if (a->entry.size > RAW_MOST) {
        hb_error_json(c, 403, "This API returns blobs up to 100 MB in size.");
    } else if (raw) {
        if (hb_quirk(c->h, Q_RAW_ETAG))
            c->raw_etag = hb_strdup(a->entry.oid);
        c->last_modified = hb_time_http(c->repo->pushed_ms);
        c->out->status = 200;
        c->content_type = "application/vnd.github.v3.raw; charset=utf-8";
        hb_body_take(c->out, a->data.data, a->data.len);
        a->data = (struct hb_buf){0};
    } else {
        bool large = a->entry.size > JSON_MOST;
        json_t *j = entry_json(c, &a->entry, path);
        char *text = large ? hb_strdup("") : wrapped(a->data.data, a->data.len);
        json_object_set_new(j, "content", json_string(text));
        json_object_set_new(j, "encoding", json_string(large ? "none" : "base64"));
        free(text);
        hb_json(c, 200, j);
    }
}

static void render_directory(struct hb_ctx *c, struct answer *a)
{
    json_t *rows = json_array();
    struct entry e;
    size_t at = 0;
    while (json_array_size(rows) < 1000 && next_entry(&a->data, &at, &e)) {
        json_t *j = entry_json(c, &e, e.path);
        if (strcmp(e.type, "commit") == 0 && strcmp(c->api_version, "2022-11-28") == 0)
            json_object_set_new(j, "type",
                                json_string("file")); /* an old version's error, kept (5.6) */
        json_array_append_new(rows, j);
        free(e.path);
    }
    hb_json(c, 200, rows);
}

static void look(struct hb_ctx *c, const char *tip, const char *path, struct answer *a)
{
    bool root = path[0] == '\0';
    a->found = root || lookup(c, tip, path, &a->entry);
    if (!a->found)
        return;
    if (!root && strcmp(a->entry.mode, "120000") == 0)
        a->found = follow(c, tip, path, &a->entry);
    if (root || strcmp(a->entry.type, "tree") == 0) {
        char *inside = root ? hb_strdup(".") : hb_fmt("%s/", path);
        const char *const argv[] = {"git", "ls-tree", "-l", "-z", tip, "--", inside, NULL};
        const char *const top[] = {"git", "ls-tree", "-l", "-z", tip, NULL};
        a->directory = true;
        a->found = hb_git(c->h, c->repo->dir, NULL, 0, &a->data, root ? top : argv) == 0;
        free(inside);
    } else if (strcmp(a->entry.type, "blob") == 0 && a->entry.size <= RAW_MOST) {
        a->found = blob(c, a->entry.oid, &a->data);
    }
}

void hb_get_contents(struct hb_ctx *c)
{
    char tip[65];
    struct answer a = {0};
    char *path = hb_rest_of(c, c->n_head + 1);
    char *ref = hb_query(c, "ref");
    if (ref == NULL)
        ref = hb_strdup(c->repo->default_branch);
    hb_git_enter(c->h, c->repo);
    hb_resolve(c->repo, hb_starts(ref, "refs/") ? ref + 5 : ref, tip);
    bool empty = c->repo->refs.n == 0;
    if (tip[0] != '\0')
        look(c, tip, path, &a);
    hb_git_leave(c->h, c->repo);
    if (a.found && a.directory)
        render_directory(c, &a);
    else if (a.found)
        render_file(c, path, &a);
    else if (empty)
        hb_error_json(c, 404, "This repository is empty.");
    else if (tip[0] == '\0')
        hb_error_json(c, 404, "No commit found for the ref");
    else
        hb_error_json(c, 404, "Not Found");
    free(a.entry.path);
    hb_buf_free(&a.data);
    free(ref);
    free(path);
}
