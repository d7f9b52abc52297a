#include "mirrorctl/model.h"

static bool any_glob(const char *const *globs, const char *name)
{
    for (; globs != NULL && *globs != NULL; globs++) {
        if (str_glob(*globs, name))
            return true;
    }
    return false;
}

bool ref_policy_covers(const struct ref_policy *p, const char *name)
{
    static const char *const DEFAULT_INCLUDE[] = {"refs/heads/*", "refs/tags/*", NULL};

    /* refs/pull/ is the server's own, refs/mirrorctl/ is how fencing works: no glob reaches them.
     */
    if (str_starts_with(name, "refs/pull/") || str_starts_with(name, "refs/mirrorctl/"))
        return false;
    bool said = p->include != NULL && p->include[0] != NULL;
    return any_glob(said ? p->include : DEFAULT_INCLUDE, name) && !any_glob(p->exclude, name);
}

char *value_source_describe(struct arena *a, const struct value_source *s)
{
    switch (s->type) {
    case SOURCE_NONE:
        return arena_strdup(a, "no source");
    case SOURCE_ENV:
        return arena_printf(a, "$%s", s->name);
    case SOURCE_ENV_FILE:
        return arena_printf(a, "%s in file %s", s->name, s->path);
    case SOURCE_DIR:
        return arena_printf(a, "file %s/%s", s->path, s->name);
    case SOURCE_FILE:
        return arena_printf(a, "file %s", s->path);
    case SOURCE_CREDENTIAL:
        return arena_printf(a, "credential %s", s->name);
    case SOURCE_COMMAND: /* the program only: its arguments are the user's business */
        return arena_printf(a, "command %s",
                            s->argv != NULL && s->argv[0] != NULL ? s->argv[0] : "(empty)");
    }
    return arena_strdup(a, "no source");
}
