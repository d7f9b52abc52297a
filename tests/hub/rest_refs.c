/* Refs and commits (1.7). */
#include "gitside.h"
#include "internal.h"
#include "rest.h"

#include <stdio.h>

static json_t *ref_json(const char *base, const char *full_name, const char *name, const char *oid,
                        const char *type)
{
    char *url = hb_fmt("%s/repos/%s/git/%s", base, full_name, name);
    char *object_url = hb_fmt("%s/repos/%s/git/%ss/%s", base, full_name, type, oid);
    char *node = hb_fmt("REF_%s", name);
    json_t *j = json_pack("{s:s,s:s,s:s,s:{s:s,s:s,s:s}}", "ref", name, "node_id", node, "url", url,
                          "object", "type", type, "sha", oid, "url", object_url);
    free(url);
    free(object_url);
    free(node);
    return j;
}

static void empty_repo(struct hb_ctx *c)
{
    hb_error_json(c, 409, "Git Repository is empty.");
}

/* The types of the objects, one a line; only tags can be anything but commits. */
static void types(struct hb_ctx *c, const struct hb_refs *hits, struct hb_buf *out)
{
    static const char *const argv[] = {"git", "cat-file", "--batch-check=%(objecttype)", NULL};
    struct hb_buf in = {0};
    bool plain = true;
    for (size_t i = 0; i < hits->n; i++) {
        hb_buf_fmt(&in, "%s\n", hits->ref[i].oid);
        plain = plain && hb_starts(hits->ref[i].name, "refs/heads/");
    }
    if (plain)
        for (size_t i = 0; i < hits->n; i++)
            hb_buf_puts(out, "commit\n");
    else
        (void)hb_git(c->h, c->repo->dir, in.data, in.len, out, argv);
    hb_buf_free(&in);
}

static json_t *refs_json(struct hb_ctx *c, const struct hb_refs *hits, const char *type,
                         size_t first, size_t end)
{
    char *base = hb_base(c);
    json_t *rows = json_array();
    for (size_t i = 0; i < hits->n; i++) {
        size_t len = type != NULL ? strcspn(type, "\n") : 0;
        char *word = len > 0 ? hb_strndup(type, len) : hb_strdup("commit");
        if (i >= first && i < end)
            json_array_append_new(rows, ref_json(base, c->repo->full_name, hits->ref[i].name,
                                                 hits->ref[i].oid, word));
        free(word);
        if (type != NULL)
            type += len + (type[len] == '\n');
    }
    free(base);
    return rows;
}

/* Prefix match; the whole namespace when it is empty. */
void hb_matching_refs(struct hb_ctx *c)
{
    char *rest = hb_rest_of(c, c->n_head + 2);
    bool open = hb_ends(c->path, "/") && rest[0] != '\0'; /* "heads/" is more than "heads" */
    char *prefix = hb_fmt("refs/%s%s", rest, open ? "/" : "");
    struct hb_refs hits = {0};
    struct hb_buf type = {0};
    hb_git_enter(c->h, c->repo);
    hb_refs_load(c->repo);
    bool empty = c->repo->refs.n == 0;
    for (size_t i = 0; i < c->repo->refs.n; i++) {
        if (!hb_starts(c->repo->refs.ref[i].name, prefix))
            continue;
        hits.ref = hb_grow(hits.ref, hits.n + 1, sizeof *hits.ref);
        hits.ref[hits.n] = c->repo->refs.ref[i];
        hits.ref[hits.n++].name = hb_strdup(c->repo->refs.ref[i].name);
    }
    types(c, &hits, &type);
    hb_git_leave(c->h, c->repo);
    if (empty) {
        empty_repo(c);
    } else {
        struct hb_page page = hb_paginate(c, 1000, 1000, hits.n);
        if (!page.refused)
            hb_json(c, 200, refs_json(c, &hits, type.data, page.first, page.end));
        hb_head(c->out, "x-poll-interval", "300");
        c->last_modified = hb_time_http(c->repo->pushed_ms);
    }
    hb_refs_drop(&hits);
    hb_buf_free(&type);
    free(prefix);
    free(rest);
}

void hb_get_ref(struct hb_ctx *c)
{
    char *rest = hb_rest_of(c, c->n_head + 2);
    char *name = hb_fmt("refs/%s", rest);
    struct hb_ref copy = {0};
    struct hb_refs hits = {0};
    struct hb_buf type = {0};
    hb_git_enter(c->h, c->repo);
    const struct hb_ref *ref = hb_ref(c->repo, name);
    bool empty = c->repo->refs.n == 0;
    if (ref != NULL) {
        copy = (struct hb_ref){.name = name};
        memcpy(copy.oid, ref->oid, sizeof copy.oid);
        hits = (struct hb_refs){.ref = &copy, .n = 1};
        types(c, &hits, &type);
    }
    hb_git_leave(c->h, c->repo);
    if (empty) {
        empty_repo(c);
    } else if (copy.name == NULL) {
        hb_error_json(c, 404, "Not Found");
    } else {
        json_t *rows = refs_json(c, &hits, type.data, 0, 1);
        hb_json(c, 200, json_incref(json_array_get(rows, 0)));
        json_decref(rows);
        hb_head(c->out, "x-poll-interval", "300");
        c->last_modified = hb_time_http(c->repo->pushed_ms);
    }
    hb_buf_free(&type);
    free(name);
    free(rest);
}

/* ---- commits ---- */

/* "author Name <mail> 1733500000 +0000" of a raw commit. */
static json_t *person_json(const char *raw, const char *role)
{
    char *mark = hb_fmt("\n%s ", role);
    const char *line = strstr(raw, mark);
    json_t *j = json_null();
    if (line != NULL) {
        line += strlen(mark);
        size_t name = strcspn(line, "<\n"),
               mail = line[name] == '<' ? strcspn(line + name + 1, ">\n") : 0;
        char *date = hb_time_z(strtoll(line + name + 1 + mail + 1, NULL, 10) * 1000);
        j = json_pack("{s:s%,s:s%,s:s}", "name", line, name > 0 ? name - 1 : 0, "email",
                      line + name + 1, mail, "date", date);
        free(date);
    }
    free(mark);
    return j;
}

static json_t *parents_json(const char *raw, const char *commits)
{
    json_t *rows = json_array();
    for (const char *p = raw; (p = strstr(p, "\nparent ")) != NULL; p += 8) {
        char *url = hb_fmt("%s/%.40s", commits, p + 8);
        json_array_append_new(rows, json_pack("{s:s%,s:s}", "sha", p + 8, (size_t)40, "url", url));
        free(url);
    }
    return rows;
}

static json_t *commit_json(struct hb_ctx *c, const char *oid, const struct hb_buf *raw)
{
    char *base = hb_base(c);
    char *commits = hb_fmt("%s/repos/%s/commits", base, c->repo->full_name),
         *url = hb_fmt("%s/%s", commits, oid);
    char *blank = strstr(raw->data, "\n\n");
    const char *message = "", *head = raw->data;
    if (blank != NULL) {
        message = blank + 2;
        blank[1] = '\0'; /* nothing of the message is taken for a header */
    }
    const char *tree = head + (raw->len > 5 ? 5 : raw->len); /* a raw commit begins with "tree " */
    json_t *j = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:n,s:n,s:o,s:{s:s,s:s,s:i,s:o,s:o,s:{s:s%,s:s}}}", "sha", oid, "url",
        url, "node_id", "C_hub", "html_url", url, "comments_url", url, "author", "committer",
        "parents", parents_json(head, commits), "commit", "message", message, "url", url,
        "comment_count", 0, "author", person_json(head, "author"), "committer",
        person_json(head, "committer"), "tree", "sha", tree, strcspn(tree, "\n"), "url", url);
    free(url);
    free(commits);
    free(base);
    return j;
}

/* With the sha media type the body is the bare id, and that id is good as an ETag (1.7). */
void hb_get_commit(struct hb_ctx *c)
{
    const char *accept = hb_header(c->q, "accept");
    bool bare = accept != NULL && strstr(accept, "sha") != NULL;
    char *name = hb_rest_of(c, c->n_head + 1);
    char tip[65];
    struct hb_buf oid = {0}, raw = {0};
    hb_buf_puts(&raw, "");
    hb_git_enter(c->h, c->repo);
    hb_resolve(c->repo, hb_starts(name, "refs/") ? name + 5 : name, tip);
    bool empty = c->repo->refs.n == 0;
    char *peeled = hb_fmt("%s^{commit}", tip);
    const char *const parse[] = {"git", "rev-parse", "--verify", "--quiet", peeled, NULL};
    bool found =
        tip[0] != '\0' && hb_git(c->h, c->repo->dir, NULL, 0, &oid, parse) == 0 && oid.len >= 40;
    if (found)
        oid.data[40] = '\0';
    const char *const cat[] = {"git", "cat-file", "commit", oid.data, NULL};
    found = found && (bare || hb_git(c->h, c->repo->dir, NULL, 0, &raw, cat) == 0);
    hb_git_leave(c->h, c->repo);
    if (empty) {
        empty_repo(c);
    } else if (!found) {
        char *text = hb_fmt("No commit found for SHA: %s", name);
        hb_error_json(c, 422, text);
        free(text);
    } else if (bare) {
        c->raw_etag = hb_strdup(oid.data);
        c->out->status = 200;
        c->content_type = "application/vnd.github.sha; charset=utf-8";
        hb_body_take(c->out, hb_strdup(oid.data), 40);
    } else {
        hb_json(c, 200, commit_json(c, oid.data, &raw));
    }
    hb_buf_free(&oid);
    hb_buf_free(&raw);
    free(peeled);
    free(name);
}
