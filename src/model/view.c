#include "mirrorctl/model.h"

#include <stdlib.h>
#include <string.h>

static const struct err no_errors[KIND_COUNT];

void view_init(struct view *v, struct arena *a)
{
    *v = (struct view){.error = no_errors, .arena = a};
}

void view_set_error(struct view *v, enum kind k, const struct err *e)
{
    struct err *own = arena_alloc(v->arena, KIND_COUNT * sizeof *own);
    memcpy(own, v->error, KIND_COUNT * sizeof *own);
    own[k] = *e;
    v->error = own;
}

void view_reserve(struct view *v, size_t more)
{
    if (v->cap - v->n >= more)
        return;
    struct resource *items = arena_alloc(v->arena, (v->n + more) * sizeof(*items));
    if (v->n > 0)
        memcpy(items, v->items, v->n * sizeof(*items));
    v->items = items;
    v->cap = v->n + more;
}

struct resource *view_add(struct view *v, enum kind k, const char *name, const char *value)
{
    v->items = arena_grow(v->arena, v->items, v->n, &v->cap, sizeof(*v->items));
    struct resource *r = &v->items[v->n++];
    *r = (struct resource){.kind = k, .name = name, .value = value};
    return r;
}

int resource_compare(const struct resource *a, const struct resource *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* Where the run that begins at `from` ends: the first place where order breaks. */
static size_t run_end(const struct resource *items, size_t from, size_t n)
{
    size_t i = from + 1;
    while (i < n && resource_compare(&items[i - 1], &items[i]) <= 0)
        i++;
    return i < n ? i : n;
}

static void merge(const struct resource *a, size_t na, const struct resource *b, size_t nb,
                  struct resource *out)
{
    size_t i = 0, j = 0, n = 0;

    while (i < na && j < nb)
        out[n++] = resource_compare(&a[i], &b[j]) <= 0 ? a[i++] : b[j++];
    while (i < na)
        out[n++] = a[i++];
    while (j < nb)
        out[n++] = b[j++];
}

/*
 * Natural merge sort. Stable, since of equal keys the later one wins, which qsort does not promise;
 * and listings come sorted, which makes it one comparison an item. Views reach LIMIT_REFS items.
 */
static void sort_stable(struct resource *items, size_t n)
{
    if (run_end(items, 0, n) == n)
        return;

    struct resource *spare = mem_alloc(n * sizeof(*spare));
    for (size_t first = run_end(items, 0, n); first < n; first = run_end(items, 0, n)) {
        size_t out = 0;
        for (size_t at = 0; at < n; at = out) {
            size_t mid = run_end(items, at, n);
            size_t end = mid < n ? run_end(items, mid, n) : n;
            merge(items + at, mid - at, items + mid, end - mid, spare + at);
            out = end;
        }
        memcpy(items, spare, n * sizeof(*items));
    }
    free(spare);
}

void view_sort(struct view *v)
{
    if (v->n < 2)
        return;
    sort_stable(v->items, v->n);

    size_t n = 0;
    for (size_t i = 0; i < v->n; i++) {
        bool last = i + 1 == v->n || resource_compare(&v->items[i], &v->items[i + 1]) != 0;
        if (last)
            v->items[n++] = v->items[i];
    }
    v->n = n;
}

const struct resource *view_find(const struct view *v, enum kind k, const char *name)
{
    const struct resource key = {.kind = k, .name = name};
    size_t low = 0, high = v->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = resource_compare(&v->items[mid], &key);
        if (order == 0)
            return &v->items[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}
