#include "internal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum err_code secrets_init(struct err *e)
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};

    if (sodium_init() < 0)
        return err_set(e, ERR_IO, "cannot start libsodium: no source of random numbers");
    /* Children inherit the limit: git holds a token as well. */
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return err_set_errno(e, ERR_IO, "cannot forbid core dumps");
    /*
     * Also where a handler in core_pattern ignores the limit, and against a debugger of the same
     * user. LeakSanitizer sets the flag back for the moment of its check, so tests need no
     * exception.
     */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return err_set_errno(e, ERR_IO, "cannot forbid core dumps");
    return ERR_OK;
}

void *secrets_alloc(size_t n)
{
    /* mlock beyond RLIMIT_MEMLOCK fails inside and is left at that: guard pages, wiping and the
     * exclusion from dumps hold without it. */
    void *p = sodium_malloc(n);
    if (p == NULL) {
        static const char TEXT[] = "mirrorctl: out of memory\n";
        ssize_t ignored = write(STDERR_FILENO, TEXT, sizeof(TEXT) - 1);
        (void)ignored;
        _exit(3);
    }
    return p;
}

struct secret *secret_adopt(struct locked *l)
{
    struct secret *s = mem_alloc(sizeof(*s));

    locked_reserve(l, l->len + 1);
    l->bytes[l->len] = '\0';
    (void)sodium_mprotect_readonly(l->bytes);
    s->len = l->len;
    s->bytes = l->bytes;
    *l = (struct locked){.bytes = NULL};
    return s;
}

struct secret *secret_new(const void *bytes, size_t n)
{
    struct locked l = {.bytes = NULL};

    locked_reserve(&l, n + 1);
    if (n > 0)
        memcpy(l.bytes, bytes, n);
    l.len = n;
    return secret_adopt(&l);
}

void secret_free(struct secret *s)
{
    if (s == NULL)
        return;
    /* The cast drops a const that only this room put there; sodium_free makes it writable and
     * wipes. */
    sodium_free((void *)(uintptr_t)s->bytes);
    free(s);
}

void secret_freep(struct secret **s)
{
    secret_free(*s);
    *s = NULL;
}

size_t secret_len(const struct secret *s)
{
    return s->len;
}

bool secret_eq(const struct secret *a, const struct secret *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return a->len == b->len && sodium_memcmp(a->bytes, b->bytes, a->len) == 0;
}

enum err_code secret_lend(const struct secret *s, secret_borrower fn, void *ctx, struct err *e)
{
    return fn(s->bytes, s->len, ctx, e);
}
