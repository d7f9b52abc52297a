/*
 * The one definition of the format. libcyaml fills the structs of schema.h along these tables; the
 * walk (walk.c), JSON Schema and the reference follow the same ones. What they cannot say stands in
 * about.c.
 *
 * Every optional thing is a pointer: libcyaml has no other way to tell "not there" from zero.
 */
#include "schema.h"

#include <string.h>

enum {
    OPT = CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
    REQ = CYAML_FLAG_POINTER,
};
#define ANY_LENGTH CYAML_UNLIMITED /* an unsigned that no enum of C17 holds */

/* ---- Words ---------------------------------------------------------------------------------- */

static const cyaml_strval_t slave_types[] = {{"github", SLAVE_GITHUB}, {"git", SLAVE_GIT}};
static const cyaml_strval_t lfs_words[] = {{"auto", LFS_AUTO}, {"off", LFS_OFF}};
static const cyaml_strval_t divergences[] = {{"refuse", DIVERGENCE_REFUSE},
                                             {"rescue", DIVERGENCE_RESCUE},
                                             {"overwrite", DIVERGENCE_OVERWRITE}};
static const cyaml_strval_t recoveries[] = {{"auto", RECOVERY_AUTO}, {"manual", RECOVERY_MANUAL}};
static const cyaml_strval_t returns[] = {
    {"branch", RETURN_BRANCH}, {"fast-forward", RETURN_FAST_FORWARD}, {"none", RETURN_NONE}};
static const cyaml_strval_t role_words[] = {
    {"MASTER", ROLE_MASTER}, {"SLAVE", ROLE_SLAVE}, {"TEMPORARY_MASTER", ROLE_TEMPORARY_MASTER}};

/* ---- Shorthand ------------------------------------------------------------------------------ */

/* A text that is not empty; one that may be; a list of texts; the key is the member's name. */
#define TEXT(S, key, flags)     CYAML_FIELD_STRING_PTR(#key, flags, S, key, 1, ANY_LENGTH)
#define TEXT_AS(S, key, member) CYAML_FIELD_STRING_PTR(key, OPT, S, member, 0, ANY_LENGTH)
#define TEXTS(S, key, min)      CYAML_FIELD_SEQUENCE(#key, OPT, S, key, &text_entry, min, ANY_LENGTH)
#define FLAG(S, key)            CYAML_FIELD_BOOL_PTR(#key, OPT, S, key)
#define NUMBER(S, key)          CYAML_FIELD_INT_PTR(#key, OPT, S, key)
#define WORD(S, key, words)                                                                        \
    CYAML_FIELD_ENUM_PTR(#key, OPT | CYAML_FLAG_STRICT, S, key, words, ARRAY_LEN(words))
#define PART(S, key, fields)            CYAML_FIELD_MAPPING_PTR(#key, OPT, S, key, fields)
#define PART_AS(S, key, member, fields) CYAML_FIELD_MAPPING_PTR(key, OPT, S, member, fields)

static const cyaml_schema_value_t text_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, ANY_LENGTH),
};

/* ---- Sources -------------------------------------------------------------------------------- */

#define SOURCE_FIELDS                                                                              \
    TEXT(struct raw_source, env, OPT), TEXT(struct raw_source, file, OPT),                         \
        TEXT(struct raw_source, env_file, OPT), TEXT(struct raw_source, dir, OPT),                 \
        TEXT(struct raw_source, credential, OPT), TEXTS(struct raw_source, command, 1),            \
        TEXT(struct raw_source, name, OPT), CYAML_FIELD_END

/* The same keys twice: behind a token `name` must be given, behind a secret it follows the
 * secret's. */
const cyaml_schema_field_t schema_source_fields[] = {SOURCE_FIELDS};
const cyaml_schema_field_t schema_item_source_fields[] = {SOURCE_FIELDS};

const cyaml_schema_field_t schema_names_source_fields[] = {
    TEXT(struct raw_names_source, env_file, OPT),
    TEXT(struct raw_names_source, dir, OPT),
    CYAML_FIELD_END,
};

/* ---- Master and addresses ------------------------------------------------------------------- */

const cyaml_schema_field_t schema_github_fields[] = {
    TEXT(struct raw_github, url, OPT),     TEXT(struct raw_github, api, OPT),
    TEXT(struct raw_github, ca_file, OPT), TEXT(struct raw_github, write_interval, OPT),
    NUMBER(struct raw_github, reads),      CYAML_FIELD_END,
};

const cyaml_schema_field_t schema_heartbeat_fields[] = {
    TEXT(struct raw_heartbeat, path, OPT),
    TEXT(struct raw_heartbeat, field, OPT),
    TEXT(struct raw_heartbeat, max_age, OPT),
    CYAML_FIELD_END,
};

const cyaml_schema_field_t schema_master_fields[] = {
    TEXT(struct raw_master, repo, OPT),
    TEXT(struct raw_master, url, OPT),
    PART(struct raw_master, github, schema_github_fields),
    PART(struct raw_master, token, schema_source_fields),
    TEXT(struct raw_master, ssh_key, OPT),
    TEXT(struct raw_master, known_hosts, OPT),
    TEXT(struct raw_master, source, OPT),
    TEXT(struct raw_master, state_file, OPT),
    PART(struct raw_master, heartbeat, schema_heartbeat_fields),
    FLAG(struct raw_master, workflows),
    CYAML_FIELD_END,
};

/* ---- Roles ---------------------------------------------------------------------------------- */

const cyaml_schema_field_t schema_role_fields[] = {
    TEXTS(struct raw_role, enabled, 0),
    TEXTS(struct raw_role, disabled, 0),
    TEXTS(struct raw_role, ignored, 0),
    CYAML_FIELD_END,
};

const cyaml_schema_field_t schema_roles_fields[] = {
    PART_AS(struct raw_roles, "MASTER", role[ROLE_MASTER], schema_role_fields),
    PART_AS(struct raw_roles, "SLAVE", role[ROLE_SLAVE], schema_role_fields),
    PART_AS(struct raw_roles, "TEMPORARY_MASTER", role[ROLE_TEMPORARY_MASTER], schema_role_fields),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t role_entry = {
    CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, enum role, role_words, ARRAY_LEN(role_words)),
};

/* ---- Secrets and variables ------------------------------------------------------------------ */

const cyaml_schema_field_t schema_secret_fields[] = {
    TEXT(struct raw_secret, name, REQ),
    PART(struct raw_secret, from, schema_item_source_fields),
    TEXTS(struct raw_secret, slaves, 1),
    CYAML_FIELD_SEQUENCE("roles", OPT, struct raw_secret, roles, &role_entry, 0, ROLE_COUNT),
    FLAG(struct raw_secret, adopt),
    FLAG(struct raw_secret, allow_empty),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t secret_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_secret, schema_secret_fields),
};

const cyaml_schema_field_t schema_secrets_fields[] = {
    PART(struct raw_secrets, from, schema_names_source_fields),
    TEXTS(struct raw_secrets, names, 0),
    CYAML_FIELD_SEQUENCE("items", OPT, struct raw_secrets, items, &secret_entry, 0, ANY_LENGTH),
    FLAG(struct raw_secrets, adopt),
    FLAG(struct raw_secrets, allow_empty),
    FLAG(struct raw_secrets, prune),
    CYAML_FIELD_END,
};

const cyaml_schema_field_t schema_role_values_fields[] = {
    TEXT_AS(struct raw_role_values, "MASTER", value[ROLE_MASTER]),
    TEXT_AS(struct raw_role_values, "SLAVE", value[ROLE_SLAVE]),
    TEXT_AS(struct raw_role_values, "TEMPORARY_MASTER", value[ROLE_TEMPORARY_MASTER]),
    CYAML_FIELD_END,
};

const cyaml_schema_field_t schema_variable_fields[] = {
    TEXT(struct raw_variable, name, REQ),
    TEXT_AS(struct raw_variable, "value", value),
    PART(struct raw_variable, in, schema_role_values_fields),
    TEXTS(struct raw_variable, slaves, 1),
    FLAG(struct raw_variable, adopt),
    FLAG(struct raw_variable, allow_empty),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t variable_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_variable, schema_variable_fields),
};

const cyaml_schema_field_t schema_rules_fields[] = {
    FLAG(struct raw_rules, adopt),
    FLAG(struct raw_rules, allow_empty),
    FLAG(struct raw_rules, prune),
    CYAML_FIELD_END,
};

/* ---- Refs, failover, guards, sync ----------------------------------------------------------- */

const cyaml_schema_field_t schema_refs_fields[] = {
    TEXTS(struct raw_refs, include, 1),
    TEXTS(struct raw_refs, exclude, 0),
    FLAG(struct raw_refs, prune),
    FLAG(struct raw_refs, move_tags),
    WORD(struct raw_refs, on_divergence, divergences),
    CYAML_FIELD_END,
};

const cyaml_schema_field_t schema_failover_fields[] = {
    TEXT(struct raw_failover, interval, OPT),
    NUMBER(struct raw_failover, fall),
    NUMBER(struct raw_failover, rise),
    WORD(struct raw_failover, recovery, recoveries),
    CYAML_FIELD_ENUM_PTR("return", OPT | CYAML_FLAG_STRICT, struct raw_failover, give_back, returns,
                         ARRAY_LEN(returns)),
    TEXTS(struct raw_failover, start, 0),
    FLAG(struct raw_failover, chain),
    TEXT(struct raw_failover, lease, OPT),
    PART(struct raw_failover, master_token, schema_source_fields),
    PART(struct raw_failover, lease_token, schema_source_fields),
    CYAML_FIELD_END,
};

const cyaml_schema_field_t schema_guards_fields[] = {
    NUMBER(struct raw_guards, max_deletes),
    NUMBER(struct raw_guards, max_delete_share),
    CYAML_FIELD_END,
};

const cyaml_schema_field_t schema_sync_fields[] = {
    CYAML_FIELD_BOOL_PTR("code", OPT, struct raw_sync, layer[LAYER_CODE]),
    CYAML_FIELD_BOOL_PTR("secrets", OPT, struct raw_sync, layer[LAYER_SECRETS]),
    CYAML_FIELD_BOOL_PTR("variables", OPT, struct raw_sync, layer[LAYER_VARIABLES]),
    CYAML_FIELD_BOOL_PTR("workflows", OPT, struct raw_sync, layer[LAYER_WORKFLOWS]),
    CYAML_FIELD_END,
};

/* ---- Layers: top, defaults, slave ----------------------------------------------------------- */

#define LAYER_PART(S, key, fields) PART_AS(S, #key, layer.key, fields)
#define LAYER_TEXT(S, key)         CYAML_FIELD_STRING_PTR(#key, OPT, S, layer.key, 1, ANY_LENGTH)

#define LAYER_FIELDS(S)                                                                            \
    LAYER_PART(S, github, schema_github_fields), LAYER_PART(S, roles, schema_roles_fields),        \
        LAYER_PART(S, secrets, schema_secrets_fields),                                             \
        CYAML_FIELD_SEQUENCE("variables", OPT, S, layer.variables, &variable_entry, 0,             \
                             ANY_LENGTH),                                                          \
        LAYER_PART(S, variable_rules, schema_rules_fields),                                        \
        LAYER_PART(S, refs, schema_refs_fields),                                                   \
        CYAML_FIELD_ENUM_PTR("lfs", OPT | CYAML_FLAG_STRICT, S, layer.lfs, lfs_words,              \
                             ARRAY_LEN(lfs_words)),                                                \
        LAYER_PART(S, guards, schema_guards_fields)

#define ACCESS_FIELDS(S)                                                                           \
    LAYER_PART(S, token, schema_source_fields), LAYER_TEXT(S, ssh_key),                            \
        LAYER_TEXT(S, known_hosts), LAYER_PART(S, sync, schema_sync_fields)

const cyaml_schema_field_t schema_defaults_fields[] = {
    ACCESS_FIELDS(struct raw_defaults),
    LAYER_FIELDS(struct raw_defaults),
    CYAML_FIELD_END,
};

const cyaml_schema_field_t schema_slave_fields[] = {
    TEXT(struct raw_slave, id, REQ),
    CYAML_FIELD_ENUM("type", CYAML_FLAG_STRICT, struct raw_slave, type, slave_types,
                     ARRAY_LEN(slave_types)),
    TEXT(struct raw_slave, repo, OPT),
    TEXT(struct raw_slave, url, OPT),
    NUMBER(struct raw_slave, rank),
    FLAG(struct raw_slave, suspended),
    ACCESS_FIELDS(struct raw_slave),
    LAYER_FIELDS(struct raw_slave),
    CYAML_FIELD_END,
};

/* Pointers, so that 10,000 slaves do not mean moving megabytes at each step of the list's growth.
 */
static const cyaml_schema_value_t slave_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_slave, schema_slave_fields),
};

const cyaml_schema_field_t schema_root_fields[] = {
    CYAML_FIELD_INT("version", CYAML_FLAG_DEFAULT, struct raw_manifest, version),
    CYAML_FIELD_MAPPING_PTR("master", REQ, struct raw_manifest, master, schema_master_fields),
    LAYER_FIELDS(struct raw_manifest),
    PART(struct raw_manifest, failover, schema_failover_fields),
    PART(struct raw_manifest, defaults, schema_defaults_fields),
    CYAML_FIELD_SEQUENCE("slaves", REQ, struct raw_manifest, slaves, &slave_entry, 1, ANY_LENGTH),
    CYAML_FIELD_END,
};

const cyaml_schema_value_t schema_root = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_manifest, schema_root_fields),
};

/* ---- Looking things up ---------------------------------------------------------------------- */

const cyaml_schema_field_t *schema_field(const cyaml_schema_field_t *fields, const char *key)
{
    for (const cyaml_schema_field_t *f = fields; f->key != NULL; f++)
        if (strcmp(f->key, key) == 0)
            return f;
    return NULL;
}

bool schema_required(const cyaml_schema_field_t *f)
{
    return ((unsigned)f->value.flags & CYAML_FLAG_OPTIONAL) == 0;
}

const char *const *schema_keys(const cyaml_schema_field_t *fields, struct arena *a)
{
    size_t n = 0;
    while (fields[n].key != NULL)
        n++;
    const char **keys = arena_alloc(a, (n + 1) * sizeof(*keys));
    for (size_t i = 0; i < n; i++)
        keys[i] = fields[i].key;
    return keys;
}
