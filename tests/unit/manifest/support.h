/* What the tests of the manifest share: files of the corpus, a manifest from a text. */
#ifndef MIRRORCTL_TEST_MANIFEST_SUPPORT_H
#define MIRRORCTL_TEST_MANIFEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mirrorctl/manifest.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One manifest that was read; release with reading_close. */
struct loaded {
    struct arena *arena;
    struct diagnostics d;
    struct manifest *m;
    struct err e;
    enum err_code result;
    struct buf rendered; /* the diagnostics */
};

static inline struct loaded load_text(const char *name, const char *text, size_t n)
{
    struct loaded l = {.arena = arena_new(), .e = ERR_INIT, .rendered = BUF_INIT(1 << 22)};
    diagnostics_init(&l.d, l.arena);
    l.result = manifest_parse(name, text, n, l.arena, &l.m, &l.d, &l.e);
    struct err e = ERR_INIT;
    assert_int_equal(diagnostics_render(&l.d, false, &l.rendered, &e), ERR_OK);
    return l;
}

static inline void loaded_release(struct loaded *l)
{
    buf_release(&l->rendered);
    arena_free(l->arena);
}

static inline void read_file(const char *path, struct buf *out)
{
    struct err e = ERR_INIT;
    if (file_read(path, out, &e) != ERR_OK)
        fail_msg("%s", e.text);
}

static inline bool is_manifest_name(const char *name)
{
    return str_ends_with(name, ".yaml") || str_ends_with(name, ".env");
}

static inline int corpus_filter(const struct dirent *d)
{
    return is_manifest_name(d->d_name) ? 1 : 0;
}

/* Calls fn for each manifest of a folder of the corpus, in the order of names; returns how many. */
static inline size_t for_each_manifest(const char *folder,
                                       void (*fn)(const char *path, const char *name))
{
    char dir[4096], path[8192];
    struct dirent **names;
    (void)snprintf(dir, sizeof(dir), "%s/%s", MANIFEST_CORPUS, folder);
    int n = scandir(dir, &names, corpus_filter, alphasort);

    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
        fn(path, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return (size_t)n;
}

#endif
