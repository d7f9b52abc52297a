#include "mirrorctl/base.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CHUNK_FIRST = 2 << 10, /* there are several arenas a slave, and thousands of slaves */
    CHUNK_MAX = 1 << 20,   /* chunks grow up to here; larger wishes get a chunk of their own */
    GROW_FIRST = 8,        /* elements of a new array */
};

/* Not exit(): handlers of exit may allocate again. Status 3 as in docs/adr/0002. */
static NORETURN void out_of_memory(void)
{
    static const char TEXT[] = "mirrorctl: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, TEXT, sizeof(TEXT) - 1);
    (void)ignored;
    _exit(3);
}

static size_t add_or_die(size_t a, size_t b)
{
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        out_of_memory();
    return sum;
}

static size_t mul_or_die(size_t a, size_t b)
{
    size_t product;
    if (__builtin_mul_overflow(a, b, &product))
        out_of_memory();
    return product;
}

void *mem_alloc(size_t n)
{
    void *p = calloc(1, n == 0 ? 1 : n);
    if (p == NULL)
        out_of_memory();
    return p;
}

void *mem_realloc(void *p, size_t n)
{
    void *q = realloc(p, n == 0 ? 1 : n);
    if (q == NULL)
        out_of_memory();
    return q;
}

char *mem_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(mem_alloc(n), s, n);
}

struct chunk {
    struct chunk *next;
    size_t used, cap;
    alignas(max_align_t) unsigned char data[];
};

struct arena {
    struct chunk *chunks; /* the newest first; only it is filled */
    size_t total;         /* bytes in chunks */
    bool shared;
    pthread_mutex_t lock; /* held only when shared */
};

struct arena *arena_new(void)
{
    return mem_alloc(sizeof(struct arena));
}

struct arena *arena_new_shared(void)
{
    struct arena *a = arena_new();
    if (pthread_mutex_init(&a->lock, NULL) != 0)
        out_of_memory();
    a->shared = true;
    return a;
}

void arena_free(struct arena *a)
{
    if (a == NULL)
        return;
    for (struct chunk *c = a->chunks; c != NULL;) {
        struct chunk *next = c->next;
        free(c);
        c = next;
    }
    if (a->shared)
        (void)pthread_mutex_destroy(&a->lock);
    free(a);
}

void arena_freep(struct arena **a)
{
    arena_free(*a);
    *a = NULL;
}

/* Not zeroed here but piece by piece in arena_alloc: a page that nobody asks for is never touched.
 */
static struct chunk *chunk_new(size_t cap)
{
    struct chunk *c = mem_realloc(NULL, add_or_die(sizeof(*c), cap));
    c->next = NULL;
    c->used = 0;
    c->cap = cap;
    return c;
}

/* Each chunk is a quarter of what there is: an arena wastes little, and a large one has few chunks.
 */
static size_t next_cap(const struct arena *a)
{
    size_t cap = a->total / 4;
    return cap < CHUNK_FIRST ? CHUNK_FIRST : cap > CHUNK_MAX ? CHUNK_MAX : cap;
}

/* A chunk with room for n bytes at its beginning. */
static struct chunk *chunk_add(struct arena *a, size_t n)
{
    struct chunk *top = a->chunks;
    size_t cap = next_cap(a);
    bool large = n > cap / 2;
    struct chunk *c = chunk_new(large ? n : cap);

    a->total += c->cap;
    if (large && top != NULL) { /* goes behind the newest, whose rest stays in use */
        c->next = top->next;
        top->next = c;
    } else {
        c->next = top;
        a->chunks = c;
    }
    return c;
}

/* align: a power of two up to that of max_align_t. */
static void *take(struct arena *a, size_t n, size_t align)
{
    if (a->shared)
        (void)pthread_mutex_lock(&a->lock);
    struct chunk *c = a->chunks;
    size_t at = c == NULL ? 0 : (c->used + align - 1) & ~(align - 1);
    if (c == NULL || at > c->cap || c->cap - at < n) {
        c = chunk_add(a, n);
        at = 0;
    }
    c->used = at + n;
    if (a->shared)
        (void)pthread_mutex_unlock(&a->lock);
    return c->data + at;
}

void *arena_alloc(struct arena *a, size_t n)
{
    size_t room = n == 0 ? 1 : n;
    return memset(take(a, room, alignof(max_align_t)), 0, room);
}

char *arena_strdup(struct arena *a, const char *s)
{
    return s == NULL ? NULL : arena_strndup(a, s, strlen(s));
}

/* Text stands wherever there is room: with the alignment of structs it would take a fifth more. */
char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    if (s == NULL)
        return NULL;
    size_t len = strnlen(s, n);
    char *copy = take(a, add_or_die(len, 1), 1);
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args, again;

    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n;
    char *text = arena_alloc(a, len + 1);
    if (len > 0)
        (void)vsnprintf(text, len + 1, fmt, again);
    va_end(again);
    return text;
}

void *arena_grow(struct arena *a, void *old, size_t n, size_t *cap, size_t size)
{
    if (old != NULL && n < *cap)
        return old;

    size_t wanted = n < GROW_FIRST ? GROW_FIRST : mul_or_die(n, 2);
    void *grown = arena_alloc(a, mul_or_die(wanted, size));
    if (old != NULL && n > 0)
        memcpy(grown, old, n * size);
    *cap = wanted;
    return grown;
}
