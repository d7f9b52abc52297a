/* The door: a file, or bytes, to a struct manifest. */
#include "room.h"

#include <string.h>

/* ---- libcyaml ------------------------------------------------------------------------------- */

/*
 * libcyaml's memory comes from the arena: strings need no second copy, and nothing is freed one by
 * one. The size stands before each block; a block that grows doubles, since libcyaml grows lists by
 * one.
 */
static void *arena_memory(void *ctx, void *old, size_t size)
{
    enum { HEADER = 16 };
    struct arena *a = ctx;
    size_t had = 0;

    if (size == 0)
        return NULL;
    if (old != NULL)
        memcpy(&had, (char *)old - HEADER, sizeof(had));
    if (old != NULL && size <= had)
        return old;
    size_t room = old != NULL && had * 2 > size ? had * 2 : size;
    char *block = arena_alloc(a, room + HEADER);
    memcpy(block, &room, sizeof(room));
    if (old != NULL)
        memcpy(block + HEADER, old, had);
    return block + HEADER;
}

struct raw_manifest *load_raw(struct reading *r, const char *text, size_t n)
{
    const cyaml_config_t config = {
        .mem_fn = arena_memory,
        .mem_ctx = r->arena,
        .flags = CYAML_CFG_NO_ALIAS,
    };
    cyaml_data_t *data = NULL;
    cyaml_err_t result =
        cyaml_load_data((const uint8_t *)text, n, &config, &schema_root, &data, NULL);

    if (result == CYAML_OK && data != NULL)
        return data;
    report(r, D_LIBRARY, (struct pos){1, 1}, 1, NULL, "libcyaml: %s", cyaml_strerror(result));
    return NULL;
}

/* ---- Steps ---------------------------------------------------------------------------------- */

/* FNV-1a: tells files apart, proves nothing. */
static const char *digest(struct arena *a, const char *text, size_t n)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return arena_printf(a, "%016llx", (unsigned long long)h);
}

/* From a tree (and the bytes of YAML that say the same) to what it means. */
static struct manifest *understand(struct reading *r, const struct node *root, const char *yaml,
                                   size_t n)
{
    walk_check(r, root);
    check_parts(r, root);
    if (r->diags->n_errors > 0)
        return NULL;
    const struct raw_manifest *raw = load_raw(r, yaml, n);
    if (raw == NULL)
        return NULL;
    struct manifest *m = resolve_manifest(r, raw, root);
    return r->diags->n_errors > 0 ? NULL : m;
}

static struct manifest *read_yaml(struct reading *r)
{
    const struct node *root = events_read(r);
    return root == NULL ? NULL : understand(r, root, r->text, r->n);
}

/* Tokens are named by the .env's own file: beside it, as every relative path. */
static struct manifest *read_env(struct reading *r)
{
    struct err e = ERR_INIT;
    CLEANUP(buf_release) struct buf yaml = BUF_INIT(LIMIT_MANIFEST_BYTES);
    const char *slash = strrchr(r->file, '/');

    if (r->piped) {
        report(r, D_ENV_STDIN, (struct pos){0, 0}, 1, NULL,
               "a .env from standard input: tokens are read from the file, so give its name");
        return NULL;
    }
    const struct node *root = env_tree(r, slash == NULL ? r->file : slash + 1);

    if (root == NULL || r->diags->n_errors > 0)
        return NULL;
    if (tree_write_yaml(root, &yaml, &e) != ERR_OK) {
        report(r, D_TOO_LARGE, (struct pos){0, 0}, 1, NULL, "%s", e.text);
        return NULL;
    }
    struct manifest *m = understand(r, root, yaml.data, yaml.len);
    if (m != NULL)
        m->from_env = true;
    return m;
}

/* Whether the first line that says something is NAME=value. */
static bool looks_like_env(const char *path, const char *text, size_t n)
{
    size_t i = 0;

    if (str_ends_with(path, ".env"))
        return true;
    while (i < n && (text[i] == '#' || strchr(" \t\r\n", text[i]) != NULL)) {
        if (text[i] == '#')
            while (i < n && text[i] != '\n')
                i++;
        else
            i++;
    }
    if (n - i > 7 && memcmp(text + i, "export ", 7) == 0)
        i += 7;
    size_t from = i;
    while (i < n && (text[i] == '_' || (text[i] >= '0' && text[i] <= '9') ||
                     (text[i] >= 'A' && text[i] <= 'Z') || (text[i] >= 'a' && text[i] <= 'z')))
        i++;
    return i > from && i < n && text[i] == '=';
}

enum err_code manifest_parse(const char *path, const char *text, size_t n, struct arena *a,
                             struct manifest **out, struct diagnostics *d, struct err *e)
{
    CLEANUP(reading_release) struct reading r;

    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark says nothing here */
        text += 3;
        n -= 3;
    }
    bool piped = strcmp(path, "-") == 0;
    reading_init(&r, a, d, piped ? "stdin" : path, text, n);
    r.piped = piped;
    r.env = looks_like_env(path, text, n);
    struct manifest *m = r.env ? read_env(&r) : read_yaml(&r);
    reading_finish(&r);
    if (m == NULL || d->n_errors > 0)
        return err_set(e, ERR_INVALID, "%s: %zu error%s", r.file, d->n_errors,
                       d->n_errors == 1 ? "" : "s");
    m->path = arena_strdup(a, path);
    m->digest = digest(a, text, n);
    *out = m;
    return ERR_OK;
}

enum err_code manifest_load(const char *path, struct arena *a, struct manifest **out,
                            struct diagnostics *d, struct err *e)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(LIMIT_MANIFEST_BYTES);
    enum err_code r = file_read(path, &text, e);

    if (r != ERR_OK)
        return err_wrap(e, "manifest");
    return manifest_parse(path, buf_str(&text), text.len, a, out, d, e);
}

const struct manifest_slave *manifest_slave(const struct manifest *m, const char *id)
{
    for (size_t i = 0; i < m->n_slaves; i++)
        if (strcmp(m->slaves[i].id, id) == 0)
            return &m->slaves[i];
    return NULL;
}
