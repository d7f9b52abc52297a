/* What the tests of secrets share: a folder of their own, and the watch for a value that leaks. */
#ifndef MIRRORCTL_TESTS_SECRETS_FIXTURE_H
#define MIRRORCTL_TESTS_SECRETS_FIXTURE_H

#include "mirrorctl/secrets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Stands in every value that must not be seen again. */
#define CANARY "c4n4ry-value"

struct fixture {
    char dir[64];
    struct arena *arena;
};

static inline int fixture_setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof(*f));
    struct err e = ERR_INIT;

    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/mirrorctl-secrets-XXXXXX");
    if (mkdtemp(f->dir) == NULL || secrets_init(&e) != ERR_OK)
        return -1;
    f->arena = arena_new();
    *state = f;
    return 0;
}

static inline int fixture_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;

    (void)nftw(f->dir, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(f->arena);
    free(f);
    return 0;
}

/* Writes dir/name and returns its path. */
static inline const char *fixture_file(struct fixture *f, const char *name, const void *bytes,
                                       size_t n, unsigned mode)
{
    struct err e = ERR_INIT;
    const char *path = path_join(f->arena, f->dir, name);

    assert_int_equal(file_write_atomic(path, bytes, n, mode, &e), ERR_OK);
    return path;
}

static inline const char *fixture_text(struct fixture *f, const char *name, const char *text)
{
    return fixture_file(f, name, text, strlen(text), 0600);
}

struct expected {
    const char *bytes;
    size_t n;
};

static inline enum err_code expect_bytes(const char *bytes, size_t n, void *ctx, struct err *e)
{
    const struct expected *want = ctx;

    (void)e;
    assert_int_equal(n, want->n);
    assert_memory_equal(bytes, want->bytes, n);
    assert_int_equal(bytes[n], '\0');
    return ERR_OK;
}

static inline void assert_secret_bytes(const struct secret *s, const char *bytes, size_t n)
{
    struct err e = ERR_INIT;
    struct expected want = {bytes, n};

    assert_non_null(s);
    assert_int_equal(secret_len(s), n);
    assert_int_equal(secret_lend(s, expect_bytes, &want, &e), ERR_OK);
}

static inline void assert_secret(const struct secret *s, const char *text)
{
    assert_secret_bytes(s, text, strlen(text));
}

/* The code, a word of the sentence, one line, and nothing of the value. */
static inline void assert_error(const struct err *e, enum err_code code, const char *word)
{
    if (e->code != code || strstr(e->text, word) == NULL)
        fail_msg("expected %s with '%s', got %s: %s", err_code_name(code), word,
                 err_code_name(e->code), e->text);
    assert_null(strstr(e->text, CANARY));
    assert_null(strchr(e->text, '\n'));
}

#endif
