/* Which workflow files stand at which tip, and what they say; contents are kept by blob id, they
 * never change. */
#include "gitside.h"
#include "internal.h"

#include <stdio.h>

struct object { /* one answer of `git cat-file --batch` */
    const char *type;
    const char *data;
    size_t len;
};

/* Walks the answers; false at the end. A missing object has type "missing". */
static bool next_object(const struct hb_buf *b, size_t *at, char type[16], struct object *out)
{
    if (*at >= b->len)
        return false;
    const char *line = b->data + *at;
    const char *end = memchr(line, '\n', b->len - *at);
    if (end == NULL)
        return false;
    unsigned long long size = 0;
    const char *space = memchr(line, ' ', (size_t)(end - line));
    bool there = space != NULL && sscanf(space + 1, "%15s %llu", type, &size) == 2;
    size_t head = (size_t)(end - b->data) + 1;
    if (!there || head + size > b->len) {
        *out = (struct object){.type = "missing"};
        *at = head;
        return true;
    }
    *out = (struct object){.type = type, .data = b->data + head, .len = (size_t)size};
    *at = head + (size_t)size + 1;
    return true;
}

static void files_add(struct hb_files *files, const char *name, const unsigned char *raw_oid)
{
    files->file = hb_grow(files->file, files->n + 1, sizeof *files->file);
    files->file[files->n++] =
        (struct hb_file){.path = hb_fmt(".github/workflows/%s", name), .blob = hb_hex(raw_oid, 20)};
}

/* A raw tree: "<mode> <name>\0<20 bytes>" again and again. */
static void read_tree(const struct object *tree, struct hb_files *files)
{
    const char *p = tree->data, *end = tree->data + tree->len;
    while (p < end) {
        const char *space = memchr(p, ' ', (size_t)(end - p));
        const char *nul = space == NULL ? NULL : memchr(space, '\0', (size_t)(end - space));
        if (nul == NULL || end - nul < 21)
            return;
        const char *name = space + 1;
        if (p[0] == '1' && (hb_ends(name, ".yml") || hb_ends(name, ".yaml"))) {
            unsigned char raw[20];
            memcpy(raw, nul + 1, sizeof raw);
            files_add(files, name, raw);
        }
        p = nul + 21;
    }
}

struct hb_files *hb_workflow_files(struct hub *h, struct hb_repo *r, const char *const *tips,
                                   size_t n)
{
    static const char *const argv[] = {"git", "cat-file", "--batch", NULL};
    struct hb_files *files = hb_alloc((n + 1) * sizeof *files);
    struct hb_buf in = {0}, out = {0};
    for (size_t i = 0; i < n; i++)
        hb_buf_fmt(&in, "%s:.github/workflows\n", tips[i]);
    if (n > 0 && hb_git(h, r->dir, in.data, in.len, &out, argv) == 0) {
        size_t at = 0;
        char type[16];
        struct object o;
        for (size_t i = 0; i < n && next_object(&out, &at, type, &o); i++)
            if (strcmp(o.type, "tree") == 0)
                read_tree(&o, &files[i]);
    }
    hb_buf_free(&in);
    hb_buf_free(&out);
    return files;
}

void hb_files_free(struct hb_files *files, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < files[i].n; k++) {
            free(files[i].file[k].path);
            free(files[i].file[k].blob);
        }
        free(files[i].file);
    }
    free(files);
}

/* ---- what a file says ---- */

/* `on: push`, `on: [a, b]` and `on: {a: ...}` all become an object of events. */
static json_t *events(json_t *on)
{
    json_t *j = json_object();
    if (json_is_object(on)) {
        json_object_update(j, on);
    } else if (json_is_string(on)) {
        json_object_set_new(j, json_string_value(on), json_null());
    } else {
        for (size_t i = 0; i < json_array_size(on); i++)
            if (json_is_string(json_array_get(on, i)))
                json_object_set_new(j, json_string_value(json_array_get(on, i)), json_null());
    }
    return j;
}

static json_t *define(const struct object *o)
{
    char *text = hb_strndup(o->data, o->len);
    json_t *yaml = hb_yaml(text);
    json_t *on = json_object_get(yaml, "on");
    json_t *j = json_pack("{s:o}", "on", events(on != NULL ? on : json_object_get(yaml, "true")));
    const char *name = json_string_value(json_object_get(yaml, "name"));
    if (name != NULL)
        json_object_set_new(j, "name", json_string(name));
    json_decref(yaml);
    free(text);
    return j;
}

json_t *hb_definition(struct hub *h, const char *blob)
{
    pthread_mutex_lock(&h->lock);
    json_t *j = hb_map_get(&h->definitions, blob);
    pthread_mutex_unlock(&h->lock);
    return j;
}

static void keep(struct hub *h, const char *blob, json_t *definition)
{
    pthread_mutex_lock(&h->lock);
    if (hb_map_get(&h->definitions, blob) == NULL)
        hb_map_put(&h->definitions, blob, definition);
    else
        json_decref(definition); /* another repository brought the same file meanwhile */
    pthread_mutex_unlock(&h->lock);
}

void hb_definitions_load(struct hub *h, struct hb_repo *r, const struct hb_files *files, size_t n)
{
    static const char *const argv[] = {"git", "cat-file", "--batch", NULL};
    struct hb_buf in = {0}, out = {0};
    struct hb_map wanted = {0};
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < files[i].n; k++) {
            char *blob = files[i].file[k].blob;
            if (hb_map_get(&wanted, blob) == NULL && hb_definition(h, blob) == NULL) {
                hb_map_put(&wanted, blob, blob);
                hb_buf_fmt(&in, "%s\n", blob);
            }
        }
    }
    if (in.len > 0 && hb_git(h, r->dir, in.data, in.len, &out, argv) == 0) {
        size_t at = 0;
        char type[16], blob[65];
        struct object o;
        const char *line = in.data;
        while (next_object(&out, &at, type, &o)) {
            (void)snprintf(blob, sizeof blob, "%.40s", line);
            line += 41;
            if (strcmp(o.type, "blob") == 0)
                keep(h, blob, define(&o));
        }
    }
    hb_map_free(&wanted);
    hb_buf_free(&in);
    hb_buf_free(&out);
}
