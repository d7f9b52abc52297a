/* Random slaves, and a slave on paper that carries plans out. */
#ifndef MIRRORCTL_TESTS_PROPERTY_PLAN_WORLD_H
#define MIRRORCTL_TESTS_PROPERTY_PLAN_WORLD_H

#include "mirrorctl/plan.h"

#include <setjmp.h>

#include <cmocka.h>

#include "random.h"

struct world {
    uint64_t seed;
    struct arena *arena;
    struct view desired, observed, ledger;
    struct slave_facts facts;
    struct slave_policy policy;
    struct plan_input in;
    struct slave_plan plan;
    unsigned long stamps; /* the slave's clock */
};

/* plan_world.c */
void world_init(struct world *w, uint64_t seed); /* three empty, complete views */
void world_fill(struct world *w, struct random *r);
void world_relate(struct world *w,
                  struct random *r); /* r NULL: only what is equal becomes the same */
void world_release(struct world *w);
void world_plan(struct world *w);

/* plan_slave.c: carries w->plan out, checking every precondition; afterwards the views are what the
 * next pass would see. */
void world_apply(struct world *w);

#define check(w, condition, ...)                                                                   \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            print_error("seed %llu: %s: ", (unsigned long long)(w)->seed, #condition);             \
            fail_msg(__VA_ARGS__);                                                                 \
        }                                                                                          \
    } while (0)

#endif
