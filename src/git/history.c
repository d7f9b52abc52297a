/*
 * All commits that the master's refs reach, in one walk: which of them are known to the master, and
 * how many belong to one ref only. Built when a ref is new or has left its course; a fast-forward
 * needs none.
 */
#include "source.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_SLOTS = 1024, /* of the hash table; a power of two */
    LABEL_MANY = -1,    /* reached by several refs */
    LABEL_NONE = -2,    /* not reached yet */
};

struct slot {
    git_oid oid;
    int label; /* index of the only ref that reaches it, or LABEL_MANY */
    bool used;
};

struct history {
    struct slot *slots;
    size_t cap, n;
    const char **names; /* of the refs, by label; belong to the source */
    int64_t *only;      /* commits with that label */
    size_t n_names;
};

/* ---- Table ----------------------------------------------------------------------------------- */

/* An object id is a hash already. */
static size_t place_of(const git_oid *oid, size_t cap)
{
    size_t h;
    memcpy(&h, oid->id, sizeof(h));
    return h & (cap - 1);
}

static struct slot *find_slot(struct slot *slots, size_t cap, const git_oid *oid)
{
    size_t i = place_of(oid, cap);
    while (slots[i].used && git_oid_cmp(&slots[i].oid, oid) != 0)
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

static void grow(struct history *h)
{
    size_t cap = h->cap == 0 ? FIRST_SLOTS : h->cap * 2;
    struct slot *slots = mem_alloc(cap * sizeof(*slots));

    for (size_t i = 0; i < h->cap; i++) {
        if (h->slots[i].used)
            *find_slot(slots, cap, &h->slots[i].oid) = h->slots[i];
    }
    free(h->slots);
    h->slots = slots;
    h->cap = cap;
}

/* Labels of a commit flow to its parents; two different ones make "many". */
static void reach(struct history *h, const git_oid *oid, int label)
{
    if ((h->n + 1) * 2 > h->cap)
        grow(h);
    struct slot *slot = find_slot(h->slots, h->cap, oid);
    if (!slot->used) {
        *slot = (struct slot){.oid = *oid, .label = label, .used = true};
        h->n++;
    } else if (slot->label != label) {
        slot->label = LABEL_MANY;
    }
}

static int label_of(const struct history *h, const git_oid *oid)
{
    if (h->cap == 0)
        return LABEL_NONE;
    const struct slot *slot = find_slot(h->slots, h->cap, oid);
    return slot->used ? slot->label : LABEL_NONE;
}

/* ---- Walk ------------------------------------------------------------------------------------ */

static enum err_code start_at_refs(struct git_source *s, struct history *h, git_revwalk *walk,
                                   struct err *e)
{
    for (size_t i = 0; i < s->n; i++) {
        CLEANUP(free_git_object) git_object *object = NULL;
        CLEANUP(free_git_object) git_object *commit = NULL;
        git_oid oid;

        TRY(oid_parse(s->refs[i].oid, &oid, e));
        if (git_object_lookup(&object, s->repo, &oid, GIT_OBJECT_ANY) != 0)
            return git2_error(e, ERR_DAMAGED, "cannot read '%s'", s->refs[i].name);
        if (git_object_peel(&commit, object, GIT_OBJECT_COMMIT) != 0)
            continue; /* a ref may name a tree or a file, which have no history */
        h->names[h->n_names] = s->refs[i].name;
        reach(h, git_object_id(commit), (int)h->n_names);
        h->n_names++;
        if (git_revwalk_push(walk, git_object_id(commit)) != 0)
            return git2_error(e, ERR_DAMAGED, "cannot read '%s'", s->refs[i].name);
    }
    return ERR_OK;
}

static enum err_code build(struct git_source *s, struct history *h, struct err *e)
{
    CLEANUP(free_git_revwalk) git_revwalk *walk = NULL;
    git_oid oid;
    int got;

    if (git_revwalk_new(&walk, s->repo) != 0 ||
        git_revwalk_sorting(walk, GIT_SORT_TOPOLOGICAL) != 0)
        return git2_error(e, ERR_IO, "cannot read the history");
    TRY(start_at_refs(s, h, walk, e));
    /* Children come before their parents, so a label is final when its commit is met. */
    while ((got = git_revwalk_next(&oid, walk)) == 0) {
        CLEANUP(free_git_commit) git_commit *commit = NULL;
        int label = label_of(h, &oid);
        if (git_commit_lookup(&commit, s->repo, &oid) != 0)
            return git2_error(e, ERR_DAMAGED, "cannot read the history");
        if (label >= 0)
            h->only[label]++;
        for (unsigned i = 0; i < git_commit_parentcount(commit); i++)
            reach(h, git_commit_parent_id(commit, i), label);
    }
    return got == GIT_ITEROVER ? ERR_OK : git2_error(e, ERR_DAMAGED, "cannot read the history");
}

enum err_code history_get(struct git_source *s, const struct history **out, struct err *e)
{
    if (s->history == NULL) {
        struct history *h = mem_alloc(sizeof(*h));
        h->names = mem_alloc((s->n + 1) * sizeof(*h->names));
        h->only = mem_alloc((s->n + 1) * sizeof(*h->only));
        if (build(s, h, e) != ERR_OK) {
            history_free(h);
            return e->code;
        }
        s->history = h;
    }
    *out = s->history;
    return ERR_OK;
}

void history_free(struct history *h)
{
    if (h == NULL)
        return;
    free(h->slots);
    free(h->names);
    free(h->only);
    free(h);
}

bool history_has(const struct history *h, const git_oid *commit)
{
    return label_of(h, commit) != LABEL_NONE;
}

static int compare_name(const void *key, const void *item)
{
    const char *const *name = item;
    return strcmp(key, *name);
}

int64_t history_only_in(const struct history *h, const char *ref)
{
    const char **found = h->n_names == 0
                             ? NULL
                             : bsearch(ref, h->names, h->n_names, sizeof(*h->names), compare_name);
    return found == NULL ? 0 : h->only[found - h->names];
}
