/* One demonstration a quirk: true when the awkward behaviour shows. Each runs in a world of its
 * own, once with the quirk on and once with it off. */
#ifndef HUB_DEMOS_H
#define HUB_DEMOS_H

#include "harness.h"

struct demo {
    const char *quirk;
    int on;
    bool (*awkward)(struct world *w);
};

extern const struct demo rest_demos[];
extern const size_t n_rest_demos;
extern const struct demo git_demos[];
extern const size_t n_git_demos;

#endif
