/*
 * reconcile: one pass. Observe, plan, guard, apply, remember: src/reconcile/pass.c is one page.
 *
 *     struct pass_options o = {...};
 *     struct pass *p;
 *     TRY(pass_begin(&o, &p, e));      // store, lock (apply only), source, workers
 *     TRY(pass_observe(p, e));         // views of all slaves, in parallel
 *     TRY(pass_plan(p, e));            // pure; pass_get_plan(p) to show it
 *     TRY(pass_apply(p, e));           // apply only; slaves in parallel, each in order
 *     TRY(pass_finish(p, e));          // status, state file, history
 *     pass_free(p);
 *
 * diff is the same without pass_apply, and with a transport that refuses every write. A slave's failure is
 * its own: it becomes conditions in its plan and an exit code, never an error of these functions. They
 * fail only when the pass as a whole cannot go on (store, lock, source, interrupted).
 */
#ifndef MIRRORCTL_RECONCILE_H
#define MIRRORCTL_RECONCILE_H

#include "mirrorctl/http.h"
#include "mirrorctl/manifest.h"
#include "mirrorctl/model.h"
#include "mirrorctl/plan.h"
#include "mirrorctl/record.h"
#include "mirrorctl/store.h"

struct pass;

/* What happens, as it happens; called from workers, one at a time. Any member may be NULL. */
struct pass_observer {
    void (*slave_begin)(void *ctx, const char *slave, const char *doing);
    void (*slave_end)(void *ctx, const char *slave, const struct err *e);
    void (*action_end)(void *ctx, const char *slave, const struct action *a, const struct err *e,
                       const char *cure);
    void (*bytes)(void *ctx, const char *slave, int64_t sent, int64_t total);
    void *ctx;
};

struct pass_options {
    const struct manifest *manifest;
    const char *state_dir;
    const char *user_agent;
    const char *const *slaves;    /* --slave, NULL-terminated; NULL = all */
    bool only[LAYER_COUNT];       /* --only; all true otherwise */
    bool apply;                   /* false: no write leaves this process */
    bool prune, takeover, allow_replaced;
    int workers;                  /* slaves at a time; 0 = 32 */
    struct ms deadline;           /* of the whole pass; 0 = 30 min */
    const struct clock *clock;    /* NULL = system */
    const volatile int *interrupted;
    struct pass_observer observer;
    http_transport transport;     /* tests; NULL = curl */
    void *transport_ctx;
};

enum err_code pass_begin(const struct pass_options *o, struct pass **out, struct err *e);
enum err_code pass_observe(struct pass *p, struct err *e);
enum err_code pass_plan(struct pass *p, struct err *e);
/* ERR_REFUSED when the saved plan is not what would be done now (the world moved): nothing is done. */
enum err_code pass_check_saved(struct pass *p, const struct plan *saved, const struct plan_binding *b,
                               struct err *e);
enum err_code pass_apply(struct pass *p, struct err *e);
enum err_code pass_finish(struct pass *p, struct err *e);
void pass_free(struct pass *p);
void pass_freep(struct pass **p);

const struct plan *pass_get_plan(const struct pass *p);
const struct status *pass_get_status(const struct pass *p); /* after pass_finish */
struct plan_binding pass_get_binding(const struct pass *p);
struct http_stats pass_get_http_stats(const struct pass *p);
/* After pass_plan or pass_apply: docs/cli.md's table. */
int pass_exit_code(const struct pass *p);

#endif
