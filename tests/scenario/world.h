/*
 * A small world for whole passes: the hub in this process, a master with history and four workflows, slaves, a
 * state directory. One worker, so that a pass is deterministic.
 *
 *     struct world *w = world_new();
 *     world_manifest(w, "...");                    // YAML; %R = the master's clone, %U = the hub's address
 *     assert_int_equal(world_apply(w), 0);
 *     assert_int_equal(world_diff(w), 0);
 *     world_free(w);
 *
 * Functions that cannot fail for a good reason fail the test.
 */
#ifndef MIRRORCTL_TESTS_SCENARIO_WORLD_H
#define MIRRORCTL_TESTS_SCENARIO_WORLD_H

#include "hub.h"
#include "mirrorctl/reconcile.h"

#define MASTER      "acme/master"
#define SLAVE       "backup/standby"
#define OTHER       "rescue/standby"
#define SLAVE_TOKEN "ghp_slavecanaryslavecanaryslavecanary00"
#define CANARY      "canary-5f3c-secret-value"

struct world {
    struct hub *hub;
    char *dir;      /* temporary folder of everything */
    char *clone;    /* the master's bare repository: `source` of the manifest */
    char *state;    /* state directory */
    char *manifest; /* text */
    /* Of the last pass: */
    char *text;     /* the plan as people see it */
    struct err err; /* why the pass as a whole failed */
    struct hub_counters traffic;
    struct plan_counts counts;
    /* Knobs of the next passes: */
    bool only[LAYER_COUNT];
    bool prune, takeover, allow_replaced;
    const char *const *slaves;
    volatile int interrupted;
    int interrupt_after; /* actions; 0 = never */
    int actions_done;
    int64_t waited_ms; /* the clock of the passes: sleeping moves it, and the hub's, and takes no time */
};

/* Master, two slaves with a token each (repo+workflow), secrets A_SECRET and B_SECRET in the environment. */
struct world *world_new(void);
void world_free(struct world *w);

/* Replaces the manifest; the default one names both slaves. */
void world_manifest(struct world *w, const char *yaml);
/* One pass; returns the exit code. */
int world_diff(struct world *w);
int world_apply(struct world *w);

/* Runs git in the master's clone, e.g. world_git(w, "branch dev main"). Its output, without a newline at the end;
 * freed with the world at the latest at the next call. */
const char *world_git(struct world *w, const char *arguments);
/* The same in a repository of the hub. */
const char *world_hub_git(struct world *w, const char *repo, const char *arguments);
/* A commit on a branch of the master that writes one file. */
void world_commit(struct world *w, const char *branch, const char *path, const char *content);

/* The exit code is the expected one, else the plan is printed. */
void assert_pass(struct world *w, int code, int expected, const char *file, int line);
#define assert_code(w, code, expected) assert_pass((w), (code), (expected), __FILE__, __LINE__)

/* Every ref that is mirrored is equal in master and slave, and git fsck of the slave is clean. */
void assert_mirrored(struct world *w, const char *repo);
void assert_variable(struct world *w, const char *repo, const char *name, const char *value);
void assert_secret(struct world *w, const char *repo, const char *name, const char *value);
void assert_workflow(struct world *w, const char *repo, const char *file, const char *state);
/* No write reached the hub in the last pass. */
void assert_no_write(struct world *w);
/* The canary is nowhere below the world's folder, but in the hub's memory. */
void assert_no_canary(struct world *w);

#endif
