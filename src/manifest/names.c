#include "room.h"

#include <string.h>

void names_init(struct names *t, struct arena *a)
{
    *t = (struct names){.arena = a};
}

/* FNV-1a. Whoever writes colliding ids slows down his own manifest. */
static size_t hash(const char *s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *s != '\0'; s++)
        h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
    return (size_t)(h ^ h >> 32);
}

/* The slot of a key, or the empty one where it belongs. cap is a power of two, never full. */
static struct names_slot *slot(const struct names *t, const char *key)
{
    size_t i = hash(key) & (t->cap - 1);
    while (t->slots[i].key != NULL && strcmp(t->slots[i].key, key) != 0)
        i = (i + 1) & (t->cap - 1);
    return &t->slots[i];
}

static void grow(struct names *t)
{
    struct names old = *t;

    t->cap = old.cap == 0 ? 32 : old.cap * 4;
    t->slots = arena_alloc(t->arena, t->cap * sizeof(*t->slots));
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].key != NULL)
            *slot(t, old.slots[i].key) = old.slots[i];
}

const void *names_put(struct names *t, const char *key, const void *value)
{
    if (t->n * 2 >= t->cap)
        grow(t);
    struct names_slot *s = slot(t, key);
    if (s->key != NULL)
        return s->value;
    s->key = key;
    s->value = value;
    t->n++;
    return NULL;
}

const void *names_get(const struct names *t, const char *key)
{
    return t->cap == 0 ? NULL : slot(t, key)->value;
}
