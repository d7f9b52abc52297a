/* What the files of reconcile share: the pass, and one slave in it. */
#ifndef MIRRORCTL_SRC_RECONCILE_PASS_SLAVE_H
#define MIRRORCTL_SRC_RECONCILE_PASS_SLAVE_H

#include <pthread.h>

#include "mirrorctl/kinds.h"
#include "mirrorctl/reconcile.h"

/* What became of an action. Parallel to slave_plan.actions. */
struct action_result {
    enum { ACTION_WAITING, ACTION_DONE, ACTION_FAILED, ACTION_SKIPPED } state;
    const struct err *err; /* of FAILED and SKIPPED, in the slave's arena */
};

/* A secret that this slave shall have. The value belongs to the pass's loader; NULL: its source
 * failed, which a condition tells: it is neither written nor deleted. */
struct pass_secret {
    const char *name;
    const struct secret *value;
    const char *fingerprint;
};

struct pass_slave {
    struct pass *pass;
    const struct manifest_slave *m; /* NULL: the master itself */
    const char *id;
    struct arena *arena; /* only this slave's worker touches it */
    const struct secret *token;
    struct github_repo gh; /* when has_gh */
    bool has_gh;
    struct git_remote *remote; /* NULL: the master itself */
    struct pass_secret *secrets;
    size_t n_secrets;
    struct view desired, observed, ledger;
    struct slave_facts facts;
    struct kind_context ctx;
    struct err error; /* why it could not be seen at all; ERR_OK = it was */
    const char *cure;
    struct slave_plan *plan;
    struct action_result *results;
    struct condition *early; /* found before there is a plan */
    size_t n_early, cap_early;
};

struct pass {
    struct pass_options o;
    const struct clock *clock;
    struct arena *arena;
    struct store *store; /* NULL: diff before the first apply */
    struct http *http;
    struct secret_loader *secrets;
    const struct secret *master_token;
    struct git_source *source; /* NULL: not needed, or source_error */
    struct err source_error;
    struct pass_slave *slaves; /* the master first when it is reconciled */
    size_t n_slaves;
    struct plan plan;
    struct status before, status;
    bool planned, applied;
    pthread_mutex_t talk; /* the observer is called by one worker at a time */
};

/* ---- workers.c ----------------------------------------------------------------------------------
 */

/* Runs fn for every slave, at most o.workers of those that wait for the network at a time; returns
 * when all are done. */
void workers_run(struct pass *p, void (*fn)(struct pass_slave *s),
                 bool (*waits)(const struct pass_slave *s));

/* ---- prepare.c ----------------------------------------------------------------------------------
 */

/* Store, lock, engine, credentials, source, slaves. */
enum err_code prepare(struct pass *p, struct err *e);
void pass_slave_condition(struct pass_slave *s, struct condition c);
/* Whether a write without an answer makes the name ours. */
bool counts_as_ours(enum kind k, enum act a);

/* ---- desired.c ----------------------------------------------------------------------------------
 */

/* What needs no look at the slave: refs, default branch, secrets, variables, role. */
void desired_from_manifest(struct pass_slave *s);
/* What depends on the slave's refs: what new ones bring, the Actions switch around a first push. */
void desired_after_refs(struct pass_slave *s);
/* The workflow set of the role, over the files that are there and those that come with the code. */
void desired_workflows(struct pass_slave *s);

/* ---- observe.c, apply.c, second_look.c, read_back.c
 * ------------------------------------------------------------ */

void observe_slave(struct pass_slave *s);
void apply_slave(struct pass_slave *s);
/* Carries out actions[0…n-1] (one kind, one phase) through journal and ledger; false: the slave
 * stops. */
bool apply_actions(struct pass_slave *s, const struct action *actions, size_t n,
                   struct action_result *results);
/*
 * After a push: lists the workflows again and switches off at once what the role does not want.
 * Workflow files that came with the push are active the moment it ends (github.md 7.6).
 */
bool second_look(struct pass_slave *s);
/* Looks once more at what was written. Changes nothing but what HTTP remembers. */
void read_back(struct pass_slave *s);

void tell_begin(struct pass_slave *s, const char *doing);
void tell_action(struct pass_slave *s, const struct action *a, const struct err *e,
                 const char *cure);

/* ---- settle.c
 * ------------------------------------------------------------------------------------- */

/* The status of the pass, from plan and results. */
void settle_status(struct pass *p);
/* Store, history, state file. */
enum err_code settle_remember(struct pass *p, struct err *e);
bool pass_wants(const struct pass_slave *s,
                enum layer l); /* switched on, and not left out by --only */

#endif
