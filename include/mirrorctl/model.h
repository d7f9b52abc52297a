/*
 * model: the nouns. What a slave has, should have, and what will be done about it.
 *
 * Plain structs, their names, and equality. No I/O, no clock, nothing that can fail but for a word
 * that is not one of ours. Strings belong to the arena of whoever filled the struct and live as long
 * as that arena; model never frees.
 *
 * The way of the data (docs/architecture.md 2):
 *
 *     desired view ─┐
 *     observed view ┼─▶ plan (pure) ─▶ guard (pure) ─▶ apply ─▶ ledger, journal ─▶ status
 *     ledger view ──┘
 */
#ifndef MIRRORCTL_MODEL_H
#define MIRRORCTL_MODEL_H

#include "mirrorctl/base.h"

/* ---- Roles ----------------------------------------------------------------------------------- */

/* Stored by name, read by workflows out there: the words never change. */
enum role { ROLE_MASTER, ROLE_SLAVE, ROLE_TEMPORARY_MASTER, ROLE_COUNT };

const char *role_name(enum role r);                 /* "TEMPORARY_MASTER" */
bool role_from_name(const char *s, enum role *out); /* exact match */

/* ---- Kinds and layers ------------------------------------------------------------------------ */

/*
 * What a resource is. The order is the order of work within a slave. Stored by name.
 *
 * kind            name              value (desired and observed)      stamp
 * actions         "actions"         "on", "off"                       -
 * ref             full ref name     object id, hex                    -
 * default-branch  "default-branch"  branch without refs/heads/        -
 * secret          UPPER-CASE name   fingerprint (desired, ledger);    server's updated_at
 *                                   NULL when observed
 * variable        UPPER-CASE name   the value                         server's updated_at
 * workflow        file name         "on" or "off"                     -
 * role            "role"            role name                         marker commit, hex
 */
enum kind {
    KIND_ACTIONS,
    KIND_REF,
    KIND_DEFAULT_BRANCH,
    KIND_SECRET,
    KIND_VARIABLE,
    KIND_WORKFLOW,
    KIND_ROLE,
    KIND_COUNT
};

/* What people switch on and off, and read on the status page. */
enum layer { LAYER_CODE, LAYER_SECRETS, LAYER_VARIABLES, LAYER_WORKFLOWS, LAYER_COUNT };

const char *kind_name(enum kind k); /* "default-branch" */
bool kind_from_name(const char *s, enum kind *out);
enum layer kind_layer(enum kind k); /* actions → workflows; default-branch, role → code */
const char *layer_name(enum layer l); /* "code" */
bool layer_from_name(const char *s, enum layer *out);

/* ---- Resources and views --------------------------------------------------------------------- */

/* How a slave's ref stands to the value that is wanted there. Only on observed refs. */
enum ref_relation {
    REF_RELATION_NONE,    /* not a ref, or nothing wanted under that name */
    REF_SAME,
    REF_BEHIND,           /* the slave's commit is an ancestor of the wanted one: fast-forward */
    REF_REWOUND,          /* the slave's commit is known to the master, but not an ancestor */
    REF_DIVERGED,         /* the slave has commits that the master does not know */
    REF_TAG_MOVED         /* a tag that points elsewhere */
};

enum resource_flag {
    RES_ADOPT       = 1u << 0, /* desired: may overwrite what is not ours */
    RES_ALLOW_EMPTY = 1u << 1, /* desired: an empty value is meant */
    RES_ARRIVES     = 1u << 2, /* desired workflow: its file comes with the code of this pass */
    RES_GHOST       = 1u << 3, /* observed workflow: neither active nor disabled (deleted) */
    RES_SEEDING     = 1u << 4  /* desired actions: off for the first push, then on again */
};

struct resource {
    enum kind kind;
    const char *name;
    const char *value; /* see the table above. NULL in a desired view: wanted, but its value could not be
                        * had; whoever built the view tells why. Neither written nor deleted */
    const char *stamp; /* verbatim, compared for equality, never for order; or NULL */
    const char *detail; /* for people: state of a workflow, subject of the newest commit; or NULL */
    int64_t id;        /* the server's number for it (workflow), 0 = none */
    int64_t count;     /* observed refs: commits that a push would add; -1 = not counted */
    enum ref_relation relation;
    unsigned flags;
};

/* Absence is not evidence: only a COMPLETE kind of a view may be read as "not there". */
enum view_state {
    VIEW_UNSEEN,     /* not looked at: switched off, or not applicable to this type */
    VIEW_COMPLETE,
    VIEW_INCOMPLETE, /* cut short, or does not add up to total_count: may neither create nor delete */
    VIEW_FAILED      /* could not be read; error says why */
};

struct view {
    struct resource *items; /* sorted by (kind, name), no two equal */
    size_t n, cap;
    enum view_state state[KIND_COUNT];
    const struct err *error; /* KIND_COUNT of them: why FAILED or INCOMPLETE; see view_set_error */
    struct arena *arena;     /* where items grow */
};

void view_init(struct view *v, struct arena *a);
/* Makes room for so many more items at once: growing step by step leaves the old steps in the arena. */
void view_reserve(struct view *v, size_t more);
/* Appends a zeroed item; strings are not copied. Valid until the next view_add. */
struct resource *view_add(struct view *v, enum kind k, const char *name, const char *value);
/* Sets error[k]. Views without errors share one empty list: it is 7 KB, and there are 3 views a slave. */
void view_set_error(struct view *v, enum kind k, const struct err *e);
/* Sorts; call once after the last view_add. Of two with the same key the later wins. */
void view_sort(struct view *v);
/* NULL when absent. The view must be sorted. */
const struct resource *view_find(const struct view *v, enum kind k, const char *name);
/* The order of a view: by kind, then bytewise by name. */
int resource_compare(const struct resource *a, const struct resource *b);

/* ---- Policies: what the manifest says, resolved for one slave --------------------------------- */

/* A role is a desired workflow set. A literal name beats a glob; of globs: ignored, enabled, disabled. */
struct role_policy {
    const char *const *enabled; /* NULL-terminated lists; NULL = empty */
    const char *const *disabled;
    const char *const *ignored;
};

enum on_divergence { DIVERGENCE_REFUSE, DIVERGENCE_RESCUE, DIVERGENCE_OVERWRITE };

struct ref_policy {
    const char *const *include; /* globs over full names; default refs/heads/ and refs/tags/ */
    const char *const *exclude; /* taken out again, from pruning too */
    bool prune;                 /* delete on the slave what the master no longer has */
    bool move_tags;             /* tags may be moved */
    enum on_divergence on_divergence;
};

/* Whether a ref is mirrored: included, not excluded, never refs/pull/ nor refs/mirrorctl/. */
bool ref_policy_covers(const struct ref_policy *p, const char *name);

struct guards {
    int max_deletes;       /* per slave and pass; more are refused as a whole */
    int max_delete_share;  /* percent of what is ours there, from 5 deletions on */
};

struct slave_policy {
    struct ref_policy refs;
    struct guards guards;
    bool sync[LAYER_COUNT];
    bool prune[KIND_COUNT];  /* secrets, variables: delete what is ours and no longer wanted */
};

/* Where a secret value comes from. Filled by manifest, read by secrets. */
enum source_type {
    SOURCE_NONE,
    SOURCE_ENV,        /* name: environment variable */
    SOURCE_ENV_FILE,   /* path, name: a NAME=value line of a file */
    SOURCE_DIR,        /* path, name: file <path>/<name> */
    SOURCE_FILE,       /* path: the file's bytes; one trailing newline is dropped */
    SOURCE_CREDENTIAL, /* name: $CREDENTIALS_DIRECTORY/<name> (systemd) */
    SOURCE_COMMAND     /* argv: its stdout; one trailing newline is dropped */
};

struct value_source {
    enum source_type type;
    const char *name;
    const char *path;
    const char *const *argv; /* NULL-terminated */
    const char *origin;      /* "mirrors.yaml:12:9", for messages */
};

/* "$GITHUB_TOKEN", "file /etc/x", "command pass": for messages; never a value. In the arena. */
char *value_source_describe(struct arena *a, const struct value_source *s);

/* ---- Facts about a slave, beside its resources ------------------------------------------------ */

enum tristate { TRI_UNKNOWN, TRI_NO, TRI_YES };

struct slave_facts {
    int64_t repo_id;          /* numeric id of the repository; 0 = type git */
    const char *full_name;    /* owner/name as the server spells it; NULL for type git */
    const char *default_branch; /* of the slave */
    bool archived, fork, is_private;
    bool empty;               /* no refs at all */
    enum tristate admin;      /* may this token administrate (Actions switch, default branch) */
    enum tristate actions_on;
    const char *marker;       /* object id of refs/mirrorctl/role, NULL = none */
    const char *last_marker;  /* the same as the ledger has it */
    enum role marker_role;    /* what the marker says; ROLE_SLAVE when there is none */
    int64_t epoch, last_epoch;
    const char *controller;   /* store id in the marker; NULL = none */
    int64_t last_repo_id;     /* the same as the ledger has it; 0 = first time */
    const char *head;         /* object id of the wanted default branch at the master */
    struct wall token_expires; /* 0 = does not, or unknown */
};

/* ---- Conditions: what people must know, and what to do about it ------------------------------- */

enum condition_level { COND_NOTE, COND_WARNING, COND_BLOCKED, COND_ERROR };

struct condition {
    enum condition_level level;
    enum err_code err;  /* for the exit code; ERR_OK for notes and warnings */
    const char *code;   /* stable word, e.g. "workflow-missing"; docs/errors.md explains it */
    const char *text;   /* one line: what is the matter, with names quoted */
    const char *cure;   /* one line: what to do; or NULL */
    bool about_kind;    /* it is about one kind of resource, not about the slave as a whole */
    enum kind kind;     /* that kind, when about_kind */
};

const char *condition_level_name(enum condition_level l);
bool condition_level_from_name(const char *s, enum condition_level *out);

/* ---- Plans ----------------------------------------------------------------------------------- */

/* What will be done with one resource. Stored by name (journal, plan file). */
enum act {
    ACT_CREATE,
    ACT_UPDATE,
    ACT_DELETE,
    ACT_ADOPT,  /* equal, but not in the ledger yet: only the ledger is written */
    ACT_FORGET, /* gone on both sides: only the ledger is written */
    ACT_COUNT
};
const char *act_name(enum act a); /* "create" */
bool act_from_name(const char *s, enum act *out);
/* Whether it is a write to the slave (and not only to the ledger). */
bool act_is_remote(enum act a);

/* The order of work. Deletions run last and in reverse order of kinds. */
enum phase {
    PHASE_QUIET,    /* switch off what must not run */
    PHASE_CODE,
    PHASE_DEFAULT_BRANCH,
    PHASE_SECRETS,
    PHASE_VARIABLES,
    PHASE_WORKFLOWS,
    PHASE_ROLE,
    PHASE_DELETE,
    PHASE_LEDGER,   /* ADOPT and FORGET */
    PHASE_COUNT
};
const char *phase_name(enum phase p); /* "default-branch" */
bool phase_from_name(const char *s, enum phase *out);

/* Which of the seven drifts it is (users.md, request 5). */
enum drift {
    DRIFT_IN_SYNC,
    DRIFT_MISSING,       /* wanted, not there */
    DRIFT_CHANGED_HERE,  /* the source moved */
    DRIFT_CHANGED_THERE, /* somebody else wrote the slave */
    DRIFT_BOTH,
    DRIFT_FOREIGN,       /* there, not ours */
    DRIFT_UNKNOWN        /* the view is not complete */
};
const char *drift_name(enum drift d); /* "changed-there" */
bool drift_from_name(const char *s, enum drift *out);

struct action {
    enum phase phase;
    enum act act;
    enum kind kind;
    enum drift drift;
    const char *name;
    const char *from;   /* value that was observed: the precondition; NULL = must not exist */
    const char *to;     /* value that will be there; NULL = none */
    const char *stamp;  /* observed stamp, or NULL */
    const char *reason; /* one sentence, lower-case, without the name */
    const char *detail; /* for people, e.g. "12 commits, \"Fix the tick\""; or NULL */
    int64_t id;         /* server's number, 0 = none */
    bool forced;        /* a ref that is not a fast-forward */
    bool rescue;        /* put the old value under refs/mirrorctl/rescue/ first */
    bool arrives;       /* a workflow that comes with this pass's code: look up its id then */
};

/* A refusal stops the whole slave; the fields say with which code. */
struct slave_plan {
    const char *slave;
    bool is_master;         /* the master itself: not counted among the slaves */
    struct action *actions; /* in order of work */
    size_t n, cap;
    struct condition *conditions;
    size_t n_conditions, cap_conditions;
    enum err_code refused;  /* ERR_OK, ERR_REFUSED, ERR_FENCED, ERR_LOCKED, or why it was not seen */
    struct arena *arena;
};

struct plan {
    struct slave_plan *slaves; /* in the manifest's order; the master first when it is reconciled */
    size_t n;
};

void slave_plan_init(struct slave_plan *p, const char *slave, struct arena *a);
struct action *slave_plan_add(struct slave_plan *p); /* zeroed; valid until the next add */
void slave_plan_condition(struct slave_plan *p, struct condition c);

struct plan_counts {
    size_t create, update, destroy; /* remote writes; none of a refused slave */
    size_t slaves_changed, slaves_in_sync, slaves_refused;
    size_t slaves_blocked; /* nothing to do, but a condition says blocked or error */
};
struct plan_counts plan_count(const struct plan *p);

/* ---- Status: the last known state, for people and machines ------------------------------------ */

enum sync_status { SYNC_NEVER, SYNC_OK, SYNC_STALE, SYNC_FAILED, SYNC_BLOCKED, SYNC_OFF };
const char *sync_status_name(enum sync_status s); /* "ok"; the words of the original state file */
bool sync_status_from_name(const char *s, enum sync_status *out);

enum health { HEALTH_UNKNOWN, HEALTH_OK, HEALTH_DEGRADED, HEALTH_FENCED, HEALTH_UNREACHABLE };
const char *health_name(enum health h);
bool health_from_name(const char *s, enum health *out);

struct layer_status {
    enum sync_status status;
    struct wall last_sync; /* when it was last seen or brought in step */
    int64_t count, wanted; /* in step, wanted */
    const char *commit;    /* code: the slave's head; or NULL */
    const char *error;     /* sentence, or NULL */
};

struct slave_status {
    const char *id, *type, *repo; /* repo: owner/name or URL, without credentials */
    enum role role;
    int64_t epoch;
    enum health health;
    struct wall last_check;
    struct layer_status layers[LAYER_COUNT];
    const char *error; /* first error or refusal, or NULL */
    const char *cure;  /* what to do about it, or NULL */
    struct wall token_expires;
};

struct status {
    enum role self_role;
    const char *master;
    struct slave_status *slaves;
    size_t n;
    struct wall at; /* end of the last pass */
};

#endif
