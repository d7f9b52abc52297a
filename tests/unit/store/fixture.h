/* What the tests of the store share: a folder, a clock that stands still, and known content. */
#ifndef MIRRORCTL_TESTS_STORE_FIXTURE_H
#define MIRRORCTL_TESTS_STORE_FIXTURE_H

#include "mirrorctl/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    char root[64];
    const char *dir; /* root/state; not there yet */
    struct arena *arena;
};

static inline int fixture_setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof(*f));
    struct err e = ERR_INIT;

    (void)umask(022);
    (void)snprintf(f->root, sizeof(f->root), "/tmp/mirrorctl-store-XXXXXX");
    if (mkdtemp(f->root) == NULL || secrets_init(&e) != ERR_OK)
        return -1;
    f->arena = arena_new();
    f->dir = path_join(f->arena, f->root, "state");
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

static inline void fixture_wipe(const char *dir)
{
    (void)nftw(dir, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;

    fixture_wipe(f->root);
    arena_free(f->arena);
    free(f);
    return 0;
}

static inline const char *fixture_path(struct fixture *f, const char *name)
{
    return path_join(f->arena, f->dir, name);
}

static inline bool fixture_has(struct fixture *f, const char *name)
{
    return access(fixture_path(f, name), F_OK) == 0;
}

/* Fails the test with the error's own words. */
#define assert_ok(expr)                                                                            \
    do {                                                                                           \
        if ((expr) != ERR_OK)                                                                      \
            fail_msg("%s: %s", #expr, e.text);                                                     \
    } while (0)

/* The code, a word of the sentence, and one line. */
static inline void assert_error(const struct err *e, enum err_code code, const char *word)
{
    if (e->code != code || strstr(e->text, word) == NULL)
        fail_msg("expected %s with '%s', got %s: %s", err_code_name(code), word,
                 err_code_name(e->code), e->text);
    assert_null(strchr(e->text, '\n'));
}

static inline struct store *fixture_open(struct fixture *f)
{
    struct err e = ERR_INIT;
    struct store *s = NULL;

    assert_ok(store_open(f->dir, NULL, &s, &e));
    return s;
}

static inline void fixture_refused(struct fixture *f, const struct store_config *cfg,
                                   enum err_code code, const char *word)
{
    struct err e = ERR_INIT;
    struct store *s = NULL;

    if (store_open(f->dir, cfg, &s, &e) == ERR_OK) {
        store_close(s);
        fail_msg("was opened; expected %s with '%s'", err_code_name(code), word);
    }
    assert_null(s);
    assert_error(&e, code, word);
}

static inline struct resource fixture_resource(enum kind k, const char *name, const char *value)
{
    return (struct resource){.kind = k, .name = name, .value = value};
}

static inline void fixture_put(struct store *s, const char *slave, struct resource r)
{
    struct err e = ERR_INIT;
    struct ledger_change c = {.put = &r};

    assert_ok(store_ledger_change(s, slave, &c, 1, &e));
}

static inline struct view fixture_ledger(struct store *s, const char *slave, struct arena *a)
{
    struct err e = ERR_INIT;
    struct view v;

    view_init(&v, a);
    assert_ok(store_ledger(s, slave, &v, &e));
    return v;
}

/* ---- Everything that a store would have others act upon, as one text ---------------------------
 */

static inline enum err_code describe_slave(struct store *s, const char *slave, struct buf *out,
                                           struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct store_slave row;
    struct view v;

    view_init(&v, a);
    TRY(store_slave_get(s, slave, a, &row, e));
    TRY(store_ledger(s, slave, &v, e));
    TRY(buf_addf(out, e, "%s: %" PRId64 " %s %s %" PRId64 "\n", slave, row.repo_id,
                 row.full_name == NULL ? "-" : row.full_name, row.marker == NULL ? "-" : row.marker,
                 row.epoch));
    for (size_t i = 0; i < v.n; i++) {
        const struct resource *r = &v.items[i];
        TRY(buf_addf(out, e, "  %s %s=%s %s %s %" PRId64 "\n", kind_name(r->kind), r->name,
                     r->value == NULL ? "-" : r->value, r->stamp == NULL ? "-" : r->stamp,
                     r->detail == NULL ? "-" : r->detail, r->id));
    }
    return ERR_OK;
}

static inline enum err_code describe_status(struct store *s, struct buf *out, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct status st;

    TRY(store_status_get(s, a, &st, e));
    TRY(buf_addf(out, e, "status %s %s %" PRId64 "\n", role_name(st.self_role),
                 st.master == NULL ? "-" : st.master, st.at.s));
    for (size_t i = 0; i < st.n; i++) {
        const struct slave_status *x = &st.slaves[i];
        TRY(buf_addf(out, e, "  %s %s %s %" PRId64 "\n", x->id, role_name(x->role),
                     health_name(x->health), x->epoch));
        for (size_t l = 0; l < LAYER_COUNT; l++)
            TRY(buf_addf(out, e, "    %s %" PRId64 "/%" PRId64 " %s\n",
                         sync_status_name(x->layers[l].status), x->layers[l].count,
                         x->layers[l].wanted,
                         x->layers[l].error == NULL ? "-" : x->layers[l].error));
    }
    return ERR_OK;
}

static inline enum err_code describe(struct store *s, const char *const *slaves, struct buf *out,
                                     struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const char *const *listed = NULL;

    TRY(buf_addf(out, e, "store %s\n", store_id(s)));
    TRY(store_ledger_slaves(s, a, &listed, e));
    for (; *listed != NULL; listed++)
        TRY(buf_addf(out, e, "listed %s\n", *listed));
    for (; *slaves != NULL; slaves++)
        TRY(describe_slave(s, *slaves, out, e));
    return describe_status(s, out, e);
}

/* ---- Content, the same each time ---------------------------------------------------------------
 */

static const char *const SLAVES[] = {"eu", "us", "archive", "never-seen", NULL};

static inline void fill_slave(struct store *s, const char *slave, int rows)
{
    struct err e = ERR_INIT;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct resource *r = arena_alloc(a, (size_t)rows * sizeof(*r));
    struct ledger_change *c = arena_alloc(a, (size_t)rows * sizeof(*c));
    struct store_slave row = {42, "backup/repo", "0123456789012345678901234567890123456789", 3};

    for (int i = 0; i < rows; i++) {
        r[i] = fixture_resource((enum kind)(i % KIND_COUNT), arena_printf(a, "NAME_%d", i),
                                arena_printf(a, "value of %s %d", slave, i));
        r[i].stamp = i % 2 == 0 ? "2026-01-02T03:04:05Z" : NULL;
        r[i].id = i;
        c[i].put = &r[i];
    }
    assert_ok(store_ledger_change(s, slave, c, (size_t)rows, &e));
    assert_ok(store_slave_put(s, slave, &row, &e));
}

static inline void fill_status(struct store *s, int64_t at)
{
    struct err e = ERR_INIT;
    struct slave_status slaves[] = {
        {.id = "eu", .type = "github", .repo = "backup/repo", .epoch = 3, .health = HEALTH_OK},
        {.id = "us", .type = "github", .repo = "backup2/repo", .role = ROLE_SLAVE},
        {.id = "archive", .type = "git", .repo = "ssh://h/r.git", .error = "no", .cure = "yes"},
    };
    struct status st = {
        .master = "owner/repo", .slaves = slaves, .n = ARRAY_LEN(slaves), .at = {at}};

    slaves[0].layers[LAYER_SECRETS] =
        (struct layer_status){.status = SYNC_OK, .last_sync = {at}, .count = 7, .wanted = 8};
    slaves[2].layers[LAYER_CODE] = (struct layer_status){.status = SYNC_FAILED, .error = "gone"};
    assert_ok(store_status_put(s, &st, true, &e));
}

static inline void fill(struct store *s)
{
    fill_slave(s, "eu", 40);
    fill_slave(s, "us", 25);
    fill_slave(s, "archive", 3);
    fill_status(s, 1790000000);
}

#endif
