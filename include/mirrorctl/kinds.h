/*
 * kinds: one const row per kind of resource: how it is observed, how one action is carried out.
 *
 * No policy here: what should be is in the desired view, what is done about it was decided by plan. A new
 * kind is a new file and a new row.
 *
 *     for each row: if (row->observe) TRY(row->observe(&ctx, &view, e));
 *     ...
 *     TRY(kind_row(action->kind)->apply(&ctx, actions, n, outcomes, e));
 */
#ifndef MIRRORCTL_KINDS_H
#define MIRRORCTL_KINDS_H

#include "mirrorctl/git.h"
#include "mirrorctl/github.h"
#include "mirrorctl/model.h"
#include "mirrorctl/secrets.h"

/* One slave in one pass. Whoever makes it owns everything in it. */
struct kind_context {
    const char *slave;
    struct github_repo *gh;     /* NULL: type git */
    struct git_source *source;  /* NULL for the master itself */
    struct git_remote *remote;  /* NULL for the master itself */
    const struct view *desired; /* what refs are compared with; sorted */
    struct slave_facts *facts;  /* observing fills it */
    struct git_refs refs;       /* the advertisement, once observed; kept true by what is pushed */
    struct arena *arena;        /* of this slave's worker */
    const struct clock *clock;
    const char *controller;     /* store id, for a marker that is made; NULL during diff */
    const volatile int *interrupted; /* non-zero: no further write is begun; may be NULL */
    /* The value of a wanted secret, lent by whoever loaded it; NULL = none. */
    const struct secret *(*secret)(void *ctx, const char *name);
    void *secret_ctx;
    struct github_public_key public_key; /* fetched when the first secret is written */
    void (*progress)(void *ctx, int64_t bytes, int64_t total);
    void *progress_ctx;
};

struct kind_outcome {
    enum err_code code;  /* ERR_OK: done */
    struct err err;      /* when not */
    const char *cure;    /* or NULL */
    struct resource now; /* done: what the ledger should say; strings in the context's arena */
};

struct kind_row {
    enum kind kind;
    size_t batch; /* most actions that one apply call takes */
    /*
     * Adds what is there to *out and sets its state. A permission that is missing, or a listing that
     * failed, is out->state VIEW_FAILED with out->error, and ERR_OK; only what makes the whole slave
     * unreadable (ERR_AUTH, ERR_NOT_FOUND of the repository, ERR_UNAVAILABLE, ERR_INTERRUPTED) is returned.
     */
    enum err_code (*observe)(struct kind_context *c, struct view *out, struct err *e);
    /*
     * Carries out n <= batch actions of this kind and of one phase, filling all outcomes. Returns other
     * than ERR_OK only when the slave must stop (ERR_AUTH, ERR_FENCED, ERR_INTERRUPTED); outcomes are
     * filled then, too.
     */
    enum err_code (*apply)(struct kind_context *c, const struct action *actions, size_t n,
                           struct kind_outcome *outcomes, struct err *e);
};

const struct kind_row *kind_row(enum kind k); /* never NULL */

#endif
