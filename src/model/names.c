/*
 * Every enum's words in one place. Most of them are stored or read by scripts: a word never changes
 * and a new one goes to the end of its table.
 */
#include "mirrorctl/model.h"

static bool name_find(const char *const *names, size_t n, const char *s, int *out)
{
    if (s == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (str_eq(names[i], s)) {
            *out = (int)i;
            return true;
        }
    }
    return false;
}

/* A value from outside the enum (a damaged struct) reads as "?" instead of as foreign memory. */
static const char *name_at(const char *const *names, size_t n, int i)
{
    return i >= 0 && (size_t)i < n ? names[i] : "?";
}

static const char *const ROLE_NAMES[] = {
    [ROLE_MASTER] = "MASTER",
    [ROLE_SLAVE] = "SLAVE",
    [ROLE_TEMPORARY_MASTER] = "TEMPORARY_MASTER",
};
_Static_assert(ARRAY_LEN(ROLE_NAMES) == ROLE_COUNT, "a role without a name");

const char *role_name(enum role r)
{
    return name_at(ROLE_NAMES, ARRAY_LEN(ROLE_NAMES), (int)r);
}

bool role_from_name(const char *s, enum role *out)
{
    int i;
    if (!name_find(ROLE_NAMES, ARRAY_LEN(ROLE_NAMES), s, &i))
        return false;
    *out = (enum role)i;
    return true;
}

static const char *const KIND_NAMES[] = {
    [KIND_ACTIONS] = "actions",
    [KIND_REF] = "ref",
    [KIND_DEFAULT_BRANCH] = "default-branch",
    [KIND_SECRET] = "secret",
    [KIND_VARIABLE] = "variable",
    [KIND_WORKFLOW] = "workflow",
    [KIND_ROLE] = "role",
};
_Static_assert(ARRAY_LEN(KIND_NAMES) == KIND_COUNT, "a kind without a name");

const char *kind_name(enum kind k)
{
    return name_at(KIND_NAMES, ARRAY_LEN(KIND_NAMES), (int)k);
}

bool kind_from_name(const char *s, enum kind *out)
{
    int i;
    if (!name_find(KIND_NAMES, ARRAY_LEN(KIND_NAMES), s, &i))
        return false;
    *out = (enum kind)i;
    return true;
}

enum layer kind_layer(enum kind k)
{
    static const enum layer LAYERS[KIND_COUNT] = {
        [KIND_ACTIONS] = LAYER_WORKFLOWS,   [KIND_REF] = LAYER_CODE,
        [KIND_DEFAULT_BRANCH] = LAYER_CODE, [KIND_SECRET] = LAYER_SECRETS,
        [KIND_VARIABLE] = LAYER_VARIABLES,  [KIND_WORKFLOW] = LAYER_WORKFLOWS,
        [KIND_ROLE] = LAYER_CODE,
    };
    return LAYERS[k];
}

static const char *const LAYER_NAMES[] = {
    [LAYER_CODE] = "code",
    [LAYER_SECRETS] = "secrets",
    [LAYER_VARIABLES] = "variables",
    [LAYER_WORKFLOWS] = "workflows",
};
_Static_assert(ARRAY_LEN(LAYER_NAMES) == LAYER_COUNT, "a layer without a name");

const char *layer_name(enum layer l)
{
    return name_at(LAYER_NAMES, ARRAY_LEN(LAYER_NAMES), (int)l);
}

bool layer_from_name(const char *s, enum layer *out)
{
    int i;
    if (!name_find(LAYER_NAMES, ARRAY_LEN(LAYER_NAMES), s, &i))
        return false;
    *out = (enum layer)i;
    return true;
}

static const char *const LEVEL_NAMES[] = {
    [COND_NOTE] = "note",
    [COND_WARNING] = "warning",
    [COND_BLOCKED] = "blocked",
    [COND_ERROR] = "error",
};

const char *condition_level_name(enum condition_level l)
{
    return name_at(LEVEL_NAMES, ARRAY_LEN(LEVEL_NAMES), (int)l);
}

bool condition_level_from_name(const char *s, enum condition_level *out)
{
    int i;
    if (!name_find(LEVEL_NAMES, ARRAY_LEN(LEVEL_NAMES), s, &i))
        return false;
    *out = (enum condition_level)i;
    return true;
}

static const char *const ACT_NAMES[] = {
    [ACT_CREATE] = "create", [ACT_UPDATE] = "update", [ACT_DELETE] = "delete",
    [ACT_ADOPT] = "adopt",   [ACT_FORGET] = "forget",
};
_Static_assert(ARRAY_LEN(ACT_NAMES) == ACT_COUNT, "an act without a name");

const char *act_name(enum act a)
{
    return name_at(ACT_NAMES, ARRAY_LEN(ACT_NAMES), (int)a);
}

bool act_from_name(const char *s, enum act *out)
{
    int i;
    if (!name_find(ACT_NAMES, ARRAY_LEN(ACT_NAMES), s, &i))
        return false;
    *out = (enum act)i;
    return true;
}

static const char *const PHASE_NAMES[] = {
    [PHASE_QUIET] = "quiet",
    [PHASE_CODE] = "code",
    [PHASE_DEFAULT_BRANCH] = "default-branch",
    [PHASE_SECRETS] = "secrets",
    [PHASE_VARIABLES] = "variables",
    [PHASE_WORKFLOWS] = "workflows",
    [PHASE_ROLE] = "role",
    [PHASE_DELETE] = "delete",
    [PHASE_LEDGER] = "ledger",
};
_Static_assert(ARRAY_LEN(PHASE_NAMES) == PHASE_COUNT, "a phase without a name");

const char *phase_name(enum phase p)
{
    return name_at(PHASE_NAMES, ARRAY_LEN(PHASE_NAMES), (int)p);
}

bool phase_from_name(const char *s, enum phase *out)
{
    int i;
    if (!name_find(PHASE_NAMES, ARRAY_LEN(PHASE_NAMES), s, &i))
        return false;
    *out = (enum phase)i;
    return true;
}

static const char *const DRIFT_NAMES[] = {
    [DRIFT_IN_SYNC] = "in-sync",
    [DRIFT_MISSING] = "missing",
    [DRIFT_CHANGED_HERE] = "changed-here",
    [DRIFT_CHANGED_THERE] = "changed-there",
    [DRIFT_BOTH] = "both",
    [DRIFT_FOREIGN] = "foreign",
    [DRIFT_UNKNOWN] = "unknown",
};

const char *drift_name(enum drift d)
{
    return name_at(DRIFT_NAMES, ARRAY_LEN(DRIFT_NAMES), (int)d);
}

bool drift_from_name(const char *s, enum drift *out)
{
    int i;
    if (!name_find(DRIFT_NAMES, ARRAY_LEN(DRIFT_NAMES), s, &i))
        return false;
    *out = (enum drift)i;
    return true;
}

static const char *const SYNC_NAMES[] = {
    [SYNC_NEVER] = "never",   [SYNC_OK] = "ok",           [SYNC_STALE] = "stale",
    [SYNC_FAILED] = "failed", [SYNC_BLOCKED] = "blocked", [SYNC_OFF] = "off",
};

const char *sync_status_name(enum sync_status s)
{
    return name_at(SYNC_NAMES, ARRAY_LEN(SYNC_NAMES), (int)s);
}

bool sync_status_from_name(const char *s, enum sync_status *out)
{
    int i;
    if (!name_find(SYNC_NAMES, ARRAY_LEN(SYNC_NAMES), s, &i))
        return false;
    *out = (enum sync_status)i;
    return true;
}

static const char *const HEALTH_NAMES[] = {
    [HEALTH_UNKNOWN] = "unknown",         [HEALTH_OK] = "ok",
    [HEALTH_DEGRADED] = "degraded",       [HEALTH_FENCED] = "fenced",
    [HEALTH_UNREACHABLE] = "unreachable",
};

const char *health_name(enum health h)
{
    return name_at(HEALTH_NAMES, ARRAY_LEN(HEALTH_NAMES), (int)h);
}

bool health_from_name(const char *s, enum health *out)
{
    int i;
    if (!name_find(HEALTH_NAMES, ARRAY_LEN(HEALTH_NAMES), s, &i))
        return false;
    *out = (enum health)i;
    return true;
}
