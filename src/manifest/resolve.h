/* Between resolve.c (what holds for a slave) and resolve_lists.c (its secrets and variables). */
#ifndef MIRRORCTL_MANIFEST_RESOLVE_H
#define MIRRORCTL_MANIFEST_RESOLVE_H

#include "room.h"

struct list_rules {
    bool adopt, allow_empty, prune;
};

/* What holds so far: built-in defaults, then the top, then `defaults`, then the slave. */
struct settings {
    struct manifest_github github;
    struct role_policy roles[ROLE_COUNT];
    struct ref_policy refs;
    struct guards guards;
    bool sync[LAYER_COUNT];
    enum lfs lfs;
    struct value_source token;
    const char *ssh_key, *known_hosts;
    struct list_rules secret_rules, variable_rules;
    struct value_source names_from; /* SOURCE_ENV, SOURCE_ENV_FILE or SOURCE_DIR, without a name */
};

/* One name of a list of secrets or variables. */
struct entry {
    const char *name;                    /* upper-case */
    const char *source_name;             /* as written */
    const struct raw_secret *secret;     /* NULL: only a name, or a variable */
    const struct raw_variable *variable; /* NULL: a secret */
    const struct node *node;
};

struct entry_list {
    struct entry *items;
    size_t n, cap;
};

/* An entry that names slaves, in the chain of each slave that it names. */
struct special {
    struct special *next;
    struct entry entry;
};

/* The lists of one layer: for all slaves, and per slave (by place in the manifest). */
struct layer_lists {
    struct entry_list secrets, variables;
    struct special **secret_specials, **variable_specials; /* NULL: none at all */
    bool names_slave; /* some variable has ${slave.…} in it */
};

struct resolving {
    struct reading *r;
    struct arena *arena;
    const struct raw_manifest *raw;
    const struct node *root;
    const char *dir; /* absolute */
    struct manifest *m;
    struct names ids;             /* id → place in the list + 1 */
    struct names told;            /* what was reported already, by code and position */
    struct layer_lists layers[2]; /* top, defaults */
    const struct manifest_secret *shared_secrets; /* of slaves without wishes of their own */
    size_t n_shared_secrets;
    const struct manifest_variable *shared_variables;
    size_t n_shared_variables;
    bool secrets_shared, variables_shared; /* the two above are filled */
};

/* NULL in, SOURCE_NONE out. `name` is what it is called when the source does not say. */
struct value_source resolve_source(struct resolving *x, const struct raw_source *s,
                                   const struct node *n, const char *name);
const char *resolve_path(struct resolving *x, const char *path);
const char *const *resolve_list(struct resolving *x, char *const *items, unsigned n);
const char *resolve_origin(struct resolving *x, struct pos at);

/* Sorts the entries of the two outer layers; call once, before the slaves. */
void lists_prepare(struct resolving *x);
/* Fills secrets and variables of slave number i (0-based); `s` is what holds for it. */
void lists_resolve(struct resolving *x, size_t i, const struct settings *s,
                   const struct raw_slave *raw, const struct node *n, struct manifest_slave *out);

#endif
