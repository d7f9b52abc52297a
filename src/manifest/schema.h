/*
 * The definition of the manifest's format: libcyaml's tables (schema.c) and, beside them, what
 * those cannot say (about.c): descriptions, formats, ranges, defaults, one-of. Everything else
 * reads these two: the walk over the tree, the load, JSON Schema, the reference page and `explain`.
 */
#ifndef MIRRORCTL_MANIFEST_SCHEMA_H
#define MIRRORCTL_MANIFEST_SCHEMA_H

#include "mirrorctl/manifest.h"

#include <cyaml/cyaml.h>

/* ---- What libcyaml loads. NULL = the key is not there; the defaults come in resolve.c ------- */

struct raw_source {
    char *env, *file, *env_file, *dir, *credential, *name;
    char **command;
    unsigned command_count;
};

struct raw_names_source {
    char *env_file, *dir;
};

struct raw_list {
    char **items;
    unsigned items_count;
};

struct raw_github {
    char *url, *api, *ca_file, *write_interval;
    int *reads;
};

struct raw_heartbeat {
    char *path, *field, *max_age;
};

struct raw_master {
    char *repo, *url;
    struct raw_github *github;
    struct raw_source *token;
    char *ssh_key, *known_hosts, *source, *state_file;
    struct raw_heartbeat *heartbeat;
    bool *workflows;
};

struct raw_role {
    char **enabled, **disabled, **ignored;
    unsigned enabled_count, disabled_count, ignored_count;
};

struct raw_roles {
    struct raw_role *role[ROLE_COUNT];
};

struct raw_secret {
    char *name;
    struct raw_source *from;
    char **slaves;
    unsigned slaves_count;
    enum role *roles;
    unsigned roles_count;
    bool *adopt, *allow_empty;
};

struct raw_secrets {
    struct raw_names_source *from;
    char **names;
    unsigned names_count;
    struct raw_secret **items;
    unsigned items_count;
    bool *adopt, *allow_empty, *prune;
};

struct raw_role_values {
    char *value[ROLE_COUNT];
};

struct raw_variable {
    char *name, *value;
    struct raw_role_values *in;
    char **slaves;
    unsigned slaves_count;
    bool *adopt, *allow_empty;
};

struct raw_rules {
    bool *adopt, *allow_empty, *prune;
};

struct raw_refs {
    char **include, **exclude;
    unsigned include_count, exclude_count;
    bool *prune, *move_tags;
    enum on_divergence *on_divergence;
};

struct raw_failover {
    char *interval;
    int *fall, *rise;
    enum recovery *recovery;
    enum failover_return *give_back;
    char **start;
    unsigned start_count;
    bool *chain;
    char *lease;
    struct raw_source *master_token, *lease_token;
};

struct raw_guards {
    int *max_deletes, *max_delete_share;
};

struct raw_sync {
    bool *layer[LAYER_COUNT];
};

/* What may stand at the top, in `defaults` and in a slave: the innermost that is there wins. */
struct raw_layer {
    struct raw_github *github;
    struct raw_roles *roles;
    struct raw_secrets *secrets;
    struct raw_variable **variables;
    unsigned variables_count;
    struct raw_rules *variable_rules;
    struct raw_refs *refs;
    enum lfs *lfs;
    struct raw_guards *guards;
    /* not at the top: */
    struct raw_source *token;
    char *ssh_key, *known_hosts;
    struct raw_sync *sync;
};

struct raw_slave {
    char *id;
    enum slave_type type;
    char *repo, *url;
    int *rank;
    bool *suspended;
    struct raw_layer layer;
};

struct raw_defaults {
    struct raw_layer layer;
};

struct raw_manifest {
    int version;
    struct raw_master *master;
    struct raw_failover *failover;
    struct raw_defaults *defaults;
    struct raw_layer layer;
    struct raw_slave **slaves;
    unsigned slaves_count;
};

/* ---- The tables ----------------------------------------------------------------------------- */

extern const cyaml_schema_value_t schema_root;

/* One list of fields a type of mapping, also where it is used more than once. */
extern const cyaml_schema_field_t schema_source_fields[], schema_item_source_fields[],
    schema_names_source_fields[], schema_github_fields[], schema_heartbeat_fields[],
    schema_master_fields[], schema_role_fields[], schema_roles_fields[], schema_secret_fields[],
    schema_secrets_fields[], schema_role_values_fields[], schema_variable_fields[],
    schema_rules_fields[], schema_refs_fields[], schema_failover_fields[], schema_guards_fields[],
    schema_sync_fields[], schema_defaults_fields[], schema_slave_fields[], schema_root_fields[];

/* ---- What stands beside them ---------------------------------------------------------------- */

/* What the text of a scalar (or of each scalar of a list) must look like; rows in format.c. */
enum format {
    FORMAT_ANY,
    FORMAT_ID,
    FORMAT_REPO,
    FORMAT_NAME,       /* of a secret or variable at GitHub */
    FORMAT_ENV_NAME,   /* of an environment variable */
    FORMAT_CREDENTIAL, /* of a systemd credential, or of a file in a folder */
    FORMAT_HTTP_URL,
    FORMAT_GIT_URL,
    FORMAT_PATH,
    FORMAT_TREE_PATH, /* inside a repository */
    FORMAT_FIELD,     /* dotted path in a JSON file */
    FORMAT_DURATION,
    FORMAT_REF_GLOB,
    FORMAT_WORKFLOW,      /* file name or glob */
    FORMAT_WORKFLOW_FILE, /* file name */
    FORMAT_VALUE,         /* of a variable, with ${master.repo} and the like */
    FORMAT_COUNT
};

struct key_about {
    const char *key;
    const char *text;     /* what it means; Markdown without headings */
    const char *fallback; /* what holds when it is not there; NULL: nothing */
    const char *example;  /* as YAML behind the key; NULL: none */
    enum format format;
    int64_t min, max; /* of a number */
};

struct type_about {
    const char *name; /* its $defs entry, and its heading */
    const cyaml_schema_field_t *fields;
    const char *text;
    const struct key_about *keys;      /* ends with key NULL; one row a field, in the same order */
    const char *const *one_of;         /* exactly one of these keys; NULL-terminated, or NULL */
    const char *const *any_of;         /* at least one of these keys; the same */
    const char *const *name_goes_with; /* `name` only beside one of these keys; the same */
    bool name_needed;                  /* and then it must be there */
};

extern const struct type_about schema_types[];
extern const size_t schema_types_n;

/* The row of a mapping's fields. Never NULL for a table of schema.c (a test holds that). */
const struct type_about *schema_type(const cyaml_schema_field_t *fields);
/* The row of a key. Never NULL, as above. */
const struct key_about *schema_key(const struct type_about *t, const char *key);
const cyaml_schema_field_t *schema_field(const cyaml_schema_field_t *fields, const char *key);
/* The lists `schema_type` and `schema_field` have, as str_suggest wants them. In the arena. */
const char *const *schema_keys(const cyaml_schema_field_t *fields, struct arena *a);
bool schema_required(const cyaml_schema_field_t *f);

#endif
