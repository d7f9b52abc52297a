/*
 * How a slave's value of a ref stands to the wanted one.
 */
#include "source.h"

#include "wire.h"

#include <stdlib.h>
#include <string.h>

enum {
    COUNT_MAX = 10000, /* commits counted for people; beyond it the number says "at least" */
};

/* False: not a commit (and not a tag of one), or not here. */
static bool peel(struct git_source *s, const git_oid *oid, git_oid *out)
{
    CLEANUP(free_git_object) git_object *object = NULL;
    CLEANUP(free_git_object) git_object *commit = NULL;

    if (git_object_lookup(&object, s->repo, oid, GIT_OBJECT_ANY) != 0 ||
        git_object_peel(&commit, object, GIT_OBJECT_COMMIT) != 0)
        return false;
    *out = *git_object_id(commit);
    return true;
}

static const char *subject_of(struct git_source *s, const git_oid *oid, struct arena *a)
{
    CLEANUP(free_git_commit) git_commit *commit = NULL;

    if (git_commit_lookup(&commit, s->repo, oid) != 0)
        return NULL;
    const char *summary = git_commit_summary(commit);
    return summary == NULL ? NULL : text_one_line(a, text_clean(a, summary, strlen(summary)));
}

/* ---- What would be lost ------------------------------------------------------------------------
 */

struct lost {
    git_oid *seen; /* every commit put on the stack once; sorted is not worth it for so few */
    size_t n, cap, next;
};

static bool remember(struct lost *l, struct arena *a, const git_oid *oid)
{
    for (size_t i = 0; i < l->n; i++) {
        if (git_oid_cmp(&l->seen[i], oid) == 0)
            return false;
    }
    l->seen = arena_grow(a, l->seen, l->n, &l->cap, sizeof(*l->seen));
    l->seen[l->n++] = *oid;
    return true;
}

/*
 * Commits behind `from` that no ref of the master reaches: every path ends where the master's
 * history starts. -1 when part of it is not here, or there are too many to count.
 */
static int64_t count_lost(struct git_source *s, const struct history *h, const git_oid *from)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct lost l = {.seen = NULL};

    (void)remember(&l, a, from);
    while (l.next < l.n) {
        CLEANUP(free_git_commit) git_commit *commit = NULL;
        git_oid oid = l.seen[l.next++];
        if (l.n > COUNT_MAX || git_commit_lookup(&commit, s->repo, &oid) != 0)
            return -1;
        for (unsigned i = 0; i < git_commit_parentcount(commit); i++) {
            const git_oid *parent = git_commit_parent_id(commit, i);
            if (!history_has(h, parent))
                (void)remember(&l, a, parent);
        }
    }
    return (int64_t)l.n;
}

/* ---- Relations ------------------------------------------------------------------------------- */

static bool is_value_of_master(const struct git_source *s, const char *oid)
{
    for (size_t i = 0; i < s->n; i++) {
        if (str_eq(s->refs[i].oid, oid))
            return true;
    }
    return false;
}

/* Both are commits, and not the same. */
static enum err_code relate(struct git_source *s, const git_oid *wanted, const git_oid *slave,
                            struct git_comparison *out, struct err *e)
{
    const struct history *h;
    size_t ahead = 0, behind = 0;

    if (git_graph_ahead_behind(&ahead, &behind, s->repo, wanted, slave) != 0)
        return git2_error(e, ERR_IO, "cannot compare histories");
    out->ahead = (int64_t)ahead;
    if (behind == 0) {
        out->relation = REF_BEHIND;
        out->behind = 0;
        return ERR_OK;
    }
    TRY(history_get(s, &h, e));
    bool known = history_has(h, slave);
    out->relation = known ? REF_REWOUND : REF_DIVERGED;
    out->behind = known ? 0 : count_lost(s, h, slave);
    return ERR_OK;
}

static enum err_code compare_new(struct git_source *s, const char *ref, struct git_comparison *out,
                                 struct err *e)
{
    const struct history *h;

    TRY(history_get(s, &h, e));
    int64_t only = history_only_in(h, ref);
    out->relation = REF_RELATION_NONE;
    out->ahead = only > COUNT_MAX ? COUNT_MAX : only;
    out->behind = 0;
    return ERR_OK;
}

static enum err_code compare_values(struct git_source *s, const char *ref, const char *wanted_hex,
                                    const char *slave_hex, struct git_comparison *out,
                                    struct err *e)
{
    git_oid wanted, slave, wanted_commit, slave_commit;

    TRY(oid_parse(wanted_hex, &wanted, e));
    TRY(oid_parse(slave_hex, &slave, e));
    out->ahead = -1;
    out->behind = -1;
    bool comparable =
        source_has(s, &slave) && peel(s, &wanted, &wanted_commit) && peel(s, &slave, &slave_commit);
    if (str_starts_with(ref, "refs/tags/")) {
        out->relation = REF_TAG_MOVED;
        if (!comparable || git_oid_cmp(&wanted_commit, &slave_commit) == 0)
            return ERR_OK;
        TRY(relate(s, &wanted_commit, &slave_commit, out, e));
        out->relation = REF_TAG_MOVED; /* whichever way: people rely on tags to stay */
        return ERR_OK;
    }
    if (comparable && git_oid_cmp(&wanted_commit, &slave_commit) != 0)
        return relate(s, &wanted_commit, &slave_commit, out, e);
    out->relation = is_value_of_master(s, slave_hex) ? REF_REWOUND : REF_DIVERGED;
    if (out->relation == REF_REWOUND)
        out->behind = 0;
    return ERR_OK;
}

static enum err_code compare(struct git_source *s, const char *ref, const char *wanted_hex,
                             const char *slave_hex, struct arena *a, struct git_comparison *out,
                             struct err *e)
{
    struct git_comparison found = {.relation = REF_SAME};
    git_oid wanted;

    TRY(oid_parse(wanted_hex, &wanted, e));
    if (slave_hex == NULL)
        TRY(compare_new(s, ref, &found, e));
    else if (!str_eq(wanted_hex, slave_hex))
        TRY(compare_values(s, ref, wanted_hex, slave_hex, &found, e));
    if (found.relation != REF_SAME)
        found.subject = subject_of(s, &wanted, a);
    *out = found;
    return ERR_OK;
}

enum err_code git_compare(struct git_source *s, const char *ref, const char *wanted_oid,
                          const char *slave_oid, struct arena *a, struct git_comparison *out,
                          struct err *e)
{
    TRY(source_lock(s, e));
    enum err_code r = compare(s, ref, wanted_oid, slave_oid, a, out, e);
    source_unlock(s);
    return r == ERR_OK ? r : err_wrap(e, "'%s'", ref);
}
