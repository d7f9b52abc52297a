#include "internal.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/*
 * A thousand slaves ask for the same few values. Each is read once and its memory shared; a failure
 * is remembered as well, so that a command which hangs costs its 30 s once in a pass.
 */

struct loaded {
    struct value_source src;
    struct secret *own;         /* NULL when the value belongs to a file */
    const struct secret *value; /* NULL: failed */
    struct err error;
};

struct loaded_file {
    struct loaded_file *next;
    const char *path;
    struct env_file *file; /* NULL: failed */
    struct err error;
};

struct secret_loader {
    char *base_dir;
    struct arena *arena;
    void *tree; /* of struct loaded, tsearch(3) */
    struct loaded_file *files;
};

struct secret_loader *secret_loader_new(const char *base_dir)
{
    struct secret_loader *l = mem_alloc(sizeof(*l));

    l->base_dir = base_dir == NULL ? NULL : mem_strdup(base_dir);
    l->arena = arena_new();
    return l;
}

static void free_loaded(void *node)
{
    struct loaded *x = node;
    secret_free(x->own);
    free(x);
}

void secret_loader_free(struct secret_loader *l)
{
    if (l == NULL)
        return;
    tdestroy(l->tree, free_loaded);
    for (struct loaded_file *f = l->files; f != NULL; f = f->next)
        env_file_free(f->file);
    arena_free(l->arena);
    free(l->base_dir);
    free(l);
}

void secret_loader_freep(struct secret_loader **l)
{
    secret_loader_free(*l);
    *l = NULL;
}

static int compare_text(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return (a != NULL) - (b != NULL);
    return strcmp(a, b);
}

static int compare_lists(const char *const *a, const char *const *b)
{
    if (a == NULL || b == NULL)
        return (a != NULL) - (b != NULL);
    while (*a != NULL && *b != NULL && strcmp(*a, *b) == 0) {
        a++;
        b++;
    }
    return compare_text(*a, *b);
}

/* Everything but the origin: the same source may be named on many lines. */
static int compare_sources(const void *left, const void *right)
{
    const struct loaded *a = left, *b = right;

    if (a->src.type != b->src.type)
        return a->src.type < b->src.type ? -1 : 1;
    int order = compare_text(a->src.name, b->src.name);
    if (order == 0)
        order = compare_text(a->src.path, b->src.path);
    if (order == 0)
        order = compare_lists(a->src.argv, b->src.argv);
    return order;
}

static const char *const *copy_list(struct arena *a, const char *const *list)
{
    size_t n = 0;

    if (list == NULL)
        return NULL;
    while (list[n] != NULL)
        n++;
    const char **copy = arena_alloc(a, (n + 1) * sizeof(*copy));
    for (size_t i = 0; i < n; i++)
        copy[i] = arena_strdup(a, list[i]);
    return copy;
}

static const struct loaded_file *get_file(struct secret_loader *l, const struct value_source *src)
{
    const char *path = source_path(l->arena, src, l->base_dir);

    for (struct loaded_file *f = l->files; f != NULL; f = f->next) {
        if (str_eq(f->path, path))
            return f;
    }
    struct loaded_file *f = arena_alloc(l->arena, sizeof(*f));
    f->path = path;
    (void)env_file_load(path, &f->file, &f->error);
    f->next = l->files;
    l->files = f;
    return f;
}

static enum err_code from_file(struct secret_loader *l, const struct value_source *src,
                               const struct secret **out, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct loaded_file *f = get_file(l, src);

    *e = f->error;
    if (f->file != NULL) {
        *out = env_file_get(f->file, src->name);
        if (*out != NULL)
            return ERR_OK;
        (void)env_file_missing(f->file, f->path, src->name, e);
    }
    return err_wrap(e, "%s", value_source_describe(a, src));
}

static struct loaded *load_new(struct secret_loader *l, const struct value_source *src)
{
    struct loaded *x = mem_alloc(sizeof(*x));

    x->src = (struct value_source){
        .type = src->type,
        .name = arena_strdup(l->arena, src->name),
        .path = arena_strdup(l->arena, src->path),
        .argv = copy_list(l->arena, src->argv),
    };
    if (src->type == SOURCE_ENV_FILE) {
        (void)from_file(l, src, &x->value, &x->error);
    } else if (secret_load(src, l->base_dir, &x->own, &x->error) == ERR_OK) {
        x->value = x->own;
    }
    return x;
}

enum err_code secret_loader_get(struct secret_loader *l, const struct value_source *src,
                                const struct secret **out, struct err *e)
{
    struct loaded wanted = {.src = *src};
    void *found = tfind(&wanted, &l->tree, compare_sources);
    struct loaded *x = NULL;

    if (found != NULL) {
        x = *(struct loaded **)found;
    } else {
        x = load_new(l, src);
        if (tsearch(x, &l->tree, compare_sources) == NULL)
            abort(); /* out of memory inside libc */
    }
    if (x->value == NULL) {
        *e = x->error;
        return x->error.code;
    }
    *out = x->value;
    return ERR_OK;
}
