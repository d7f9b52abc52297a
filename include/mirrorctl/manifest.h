/*
 * manifest: from a YAML file, or a .env with MIRROR_* settings, to what every slave should be.
 *
 *     struct manifest *m; struct diagnostics d;
 *     diagnostics_init(&d, arena);
 *     enum err_code r = manifest_load("mirrors.yaml", arena, &m, &d, e);
 *     diagnostics_render(&d, color, &out, e);      // errors AND warnings, in the order of the file
 *
 * Three steps, each over the whole file, so that all errors come at once:
 *   1. events   libyaml: size, depth and node limits, no aliases, exactly one document, and a walk along
 *               the schema tables that reports unknown keys (with a suggestion), duplicates, wrong types
 *               and scalar styles, each with file:line:column
 *   2. load     libcyaml with the same tables (src/manifest/schema.c): the one definition of the format;
 *               JSON Schema and the reference page come from them too
 *   3. meaning  references between parts: unknown secret name, duplicate id, slave = master, bad ref
 *               glob, literal secret value, token in a URL, …
 * then defaults are resolved into every slave, so that readers of struct manifest need no fallback.
 *
 * May open: base, model, roles. Sees: libyaml, libcyaml.
 */
#ifndef MIRRORCTL_MANIFEST_H
#define MIRRORCTL_MANIFEST_H

#include "mirrorctl/model.h"
#include "mirrorctl/roles.h"

/* ---- What a manifest means ----------------------------------------------------------------------- */

struct pos {
    int line, column; /* 1-based; 0 = not from a file */
};

enum slave_type { SLAVE_GITHUB, SLAVE_GIT };

struct manifest_github {
    const char *url; /* "https://github.com", without trailing slash */
    const char *api; /* derived unless set; without trailing slash */
    const char *ca_file;       /* extra CA, absolute path or relative to the manifest; or NULL */
    struct ms write_gap;       /* -1: by host */
    int reads;                 /* 0: default */
};

/* A wanted secret of one slave, as it is named there. */
struct manifest_secret {
    const char *name;           /* upper-case: the name at the slave */
    struct value_source source;
    bool roles[ROLE_COUNT];     /* in which roles it is wanted; default all */
    bool adopt, allow_empty;
    struct pos pos;
};

struct manifest_variable {
    struct variable_policy policy; /* references such as ${master.repo} are replaced */
    bool adopt, allow_empty;
    struct pos pos;
};

struct manifest_master {
    const char *repo;             /* owner/name, or NULL when only url is given (git master) */
    const char *url;              /* git address, derived from repo unless set */
    struct manifest_github github;
    struct value_source token;    /* type SOURCE_NONE when not given */
    const char *ssh_key, *known_hosts;
    const char *source;           /* local clone, or NULL */
    const char *state_file;       /* absolute or relative to source / the manifest; or NULL */
    struct {
        const char *path, *field;
        struct ms max_age;
    } heartbeat;
    bool workflows;               /* reconcile the master's own workflows (default true for github) */
    struct pos pos;
};

enum recovery { RECOVERY_AUTO, RECOVERY_MANUAL };
enum failover_return { RETURN_BRANCH, RETURN_FAST_FORWARD, RETURN_NONE };
struct manifest_failover { /* parsed and checked; used by the failover rooms */
    struct ms interval;
    int fall, rise;
    enum recovery recovery;
    enum failover_return give_back;
    const char *const *start;     /* workflow files to dispatch at promotion */
    bool chain;
    const char *lease;            /* slave id, or NULL: lowest rank */
    struct value_source master_token, lease_token;
};

enum lfs { LFS_AUTO, LFS_OFF };

struct manifest_slave {
    const char *id;
    enum slave_type type;
    const char *repo;             /* github: owner/name */
    const char *url;              /* git address (github: derived) */
    struct manifest_github github;
    struct value_source token;
    const char *ssh_key, *known_hosts;
    int rank;
    bool suspended;
    struct slave_policy policy;
    struct role_policy roles[ROLE_COUNT];
    const struct manifest_secret *secrets;
    size_t n_secrets;
    const struct manifest_variable *variables;
    size_t n_variables;
    enum lfs lfs;
    struct pos pos;
};

struct manifest {
    const char *path;             /* as given; "-" for stdin */
    const char *dir;              /* folder that relative paths start from */
    const char *digest;           /* hex digest of the bytes (FNV-1a, 64 bits): tells whether a plan file belongs to it */
    struct manifest_master master;
    struct manifest_failover failover;
    struct role_policy master_roles[ROLE_COUNT];
    const struct manifest_slave *slaves; /* in the file's order */
    size_t n_slaves;
    bool from_env;                /* came from a .env with MIRROR_* settings */
};

const struct manifest_slave *manifest_slave(const struct manifest *m, const char *id); /* or NULL */

/* ---- Diagnostics --------------------------------------------------------------------------------- */

enum diagnostic_level { DIAG_ERROR, DIAG_WARNING };

struct diagnostic {
    enum diagnostic_level level;
    const char *code;    /* "M012": docs/errors.md has a section each */
    const char *file;
    struct pos pos;
    int width;           /* columns under which the caret line goes; at least 1 */
    const char *message; /* one line */
    const char *hint;    /* "did you mean \"roles\"?" or what to do; or NULL */
    const char *line;    /* the source line: control characters replaced, what looks like a credential
                          * cut off, long ones cut to a window; NULL when there is none */
    int line_skip;       /* characters cut off at the front of line */
};
struct diagnostics {
    struct diagnostic *items;
    size_t n, cap;
    size_t n_errors;
    struct arena *arena;
};
void diagnostics_init(struct diagnostics *d, struct arena *a);
/*
 * mirrors.yaml:12:9: error[M012]: unknown key "rol"
 *    12 |         rol: SLAVE
 *       |         ^~~ did you mean "role"?
 * and a closing count.
 */
enum err_code diagnostics_render(const struct diagnostics *d, bool color, struct buf *out, struct err *e);

/* ---- Loading --------------------------------------------------------------------------------------- */

/*
 * A file whose name ends in ".env" (or is ".env"), or whose first significant line is NAME=value, is read
 * as MIRROR_* settings; anything else as YAML. "-" is stdin.
 * ERR_NOT_FOUND, ERR_IO, ERR_LIMIT: the file itself. ERR_INVALID: d has at least one error; *out untouched.
 * ERR_OK may come with warnings in d. Everything lives in the arena.
 */
enum err_code manifest_load(const char *path, struct arena *a, struct manifest **out,
                            struct diagnostics *d, struct err *e);
/* The same from memory; `path` is used in messages and for relative paths. */
enum err_code manifest_parse(const char *path, const char *text, size_t n, struct arena *a,
                             struct manifest **out, struct diagnostics *d, struct err *e);

/* The YAML manifest that says the same as a .env with MIRROR_* settings (import env). No secret in it:
 * tokens become references to that file. */
enum err_code manifest_from_env_text(const char *env_path, const char *text, size_t n, struct buf *out,
                                     struct diagnostics *d, struct err *e);

/* ---- The format itself ------------------------------------------------------------------------------ */

/* JSON Schema (draft 2020-12), generated from the tables. */
enum err_code manifest_schema_json(struct buf *out, struct err *e);
/* The reference of every key (Markdown), generated from the tables: docs/manifest.md. */
enum err_code manifest_reference_markdown(struct buf *out, struct err *e);
/* What one key ("slaves[].sync.code"; "" for all of the top) or one code ("M012") means. ERR_NOT_FOUND,
 * with the nearest path. */
enum err_code manifest_explain(const char *key_path, struct buf *out, struct err *e);

#endif
