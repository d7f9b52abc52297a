/* Workflow rows and runs: what a push does to them (1.4, 7.4, 7.6). */
#include "gitside.h"
#include "internal.h"

#include <fnmatch.h>
#include <stdio.h>

const char hb_active[] = "active", hb_disabled_manually[] = "disabled_manually",
           hb_deleted[] = "deleted";
static const char disabled_fork[] = "disabled_fork", disabled_inactivity[] = "disabled_inactivity";

enum { MAX_BRANCHES = 5000, MAX_TAGS = 3, MAX_RUNS = 10000 };

const char *hb_state_named(const char *state)
{
    static const char *const states[] = {hb_active, hb_disabled_manually, hb_deleted, disabled_fork,
                                         disabled_inactivity};
    for (size_t i = 0; state != NULL && i < sizeof states / sizeof states[0]; i++)
        if (strcmp(states[i], state) == 0)
            return states[i];
    return NULL;
}

/* By number or by the bare file name, not by path. */
struct hb_workflow *hb_workflow(struct hb_repo *r, const char *id_or_file)
{
    char *end = NULL;
    long long id = strtoll(id_or_file, &end, 10);
    bool number = end != id_or_file && *end == '\0';
    for (size_t i = 0; i < r->n_workflows; i++) {
        struct hb_workflow *w = &r->workflow[i];
        const char *base = strrchr(w->path, '/');
        if (number ? w->id == id : base != NULL && strcmp(base + 1, id_or_file) == 0)
            return w;
    }
    return NULL;
}

static struct hb_workflow *by_path(struct hb_repo *r, const char *path)
{
    for (size_t i = 0; i < r->n_workflows; i++)
        if (strcmp(r->workflow[i].path, path) == 0)
            return &r->workflow[i];
    return NULL;
}

struct hb_workflow *hb_workflow_new(struct hub *h, struct hb_repo *r, const char *path,
                                    const char *name)
{
    r->workflow = hb_grow(r->workflow, r->n_workflows + 1, sizeof *r->workflow);
    struct hb_workflow *w = &r->workflow[r->n_workflows++];
    *w =
        (struct hb_workflow){.id = hb_next_id(h), .path = hb_strdup(path), .name = hb_strdup(name)};
    w->state =
        r->is_fork && path[0] != '\0' ? disabled_fork : hb_active; /* forks: off by default (7.1) */
    w->created_ms = w->updated_ms = hb_now(h);
    r->workflows_version = hb_next_version(h);
    return w;
}

void hb_workflow_state(struct hub *h, struct hb_repo *r, struct hb_workflow *w, const char *state)
{
    if (w->state == state)
        return;
    w->state = state;
    w->updated_ms = hb_now(h);
    r->workflows_version = hb_next_version(h);
}

void hb_run_add(struct hub *h, struct hb_repo *r, struct hb_workflow *w, const char *event,
                const char *branch, const char *sha, const char *actor)
{
    if (r->n_runs >= MAX_RUNS)
        return;
    r->run = hb_grow(r->run, r->n_runs + 1, sizeof *r->run);
    r->run[r->n_runs++] = (struct hb_run){.id = hb_next_id(h),
                                          .workflow_id = w->id,
                                          .event = hb_strdup(event),
                                          .branch = hb_strdup(branch),
                                          .sha = hb_strdup(sha),
                                          .actor = hb_strdup(actor),
                                          .created_ms = hb_now(h)};
    r->runs_version = hb_next_version(h);
}

/* ---- rows ---- */

static void row_refresh(struct hub *h, struct hb_repo *r, const struct hb_file *file,
                        bool on_default)
{
    json_t *definition = hb_map_get(&h->definitions, file->blob);
    const char *name = json_string_value(json_object_get(definition, "name"));
    struct hb_workflow *w = by_path(r, file->path);
    if (w == NULL) /* active at once (7.6) */
        w = hb_workflow_new(h, r, file->path, name != NULL ? name : file->path);
    else if (on_default && w->state == hb_deleted)
        hb_workflow_state(h, r, w, hb_active);
    if (!on_default)
        return;
    w->on_default = true;
    if (w->blob == NULL || strcmp(w->blob, file->blob) != 0) {
        hb_set(&w->blob, file->blob);
        hb_set(&w->name, name != NULL ? name : file->path);
        w->updated_ms = hb_now(h);
        r->workflows_version = hb_next_version(h);
    }
}

/* GitHub's own workflows show up besides the repository's (1.4). */
static void dynamic_row(struct hub *h, struct hb_repo *r)
{
    static const char path[] = "dynamic/pages/pages-build-deployment";
    if (r->n_workflows > 0 && hb_quirk(h, Q_DYNAMIC) && by_path(r, path) == NULL)
        hb_workflow_new(h, r, path, "pages-build-deployment")->state = hb_active;
}

static void row_drop(struct hub *h, struct hb_repo *r, size_t i)
{
    free(r->workflow[i].path);
    free(r->workflow[i].name);
    free(r->workflow[i].blob);
    r->n_workflows--;
    memmove(r->workflow + i, r->workflow + i + 1, (r->n_workflows - i) * sizeof *r->workflow);
    r->workflows_version = hb_next_version(h);
}

static bool stands(const struct hb_files *files, size_t n, const char *path)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < files[i].n; k++)
            if (strcmp(files[i].file[k].path, path) == 0)
                return true;
    return false;
}

/* Without the quirk a row goes with its last file; with it the row stays as it was, `active` (1.4).
 */
static void drop_ghosts(struct hub *h, struct hb_repo *r, const struct hb_files *files, size_t n)
{
    for (size_t i = r->n_workflows; i-- > 0;)
        if (hb_starts(r->workflow[i].path, ".github/") && !stands(files, n, r->workflow[i].path))
            row_drop(h, r, i);
}

/* Rows from the branches as they are now: all of them, for a push changes what "every branch"
 * means. */
static void rows_refresh(struct hub *h, struct hb_repo *r, const char *default_ref)
{
    const char **tips = hb_grow(NULL, r->refs.n, sizeof *tips);
    bool *is_default = hb_alloc((r->refs.n + 1) * sizeof *is_default);
    size_t n = 0;
    bool others = hb_quirk(h, Q_OTHER_BRANCHES) != 0, ghosts = hb_quirk(h, Q_GHOSTS) != 0;
    for (size_t i = 0; i < r->refs.n; i++) {
        bool it = strcmp(r->refs.ref[i].name, default_ref) == 0;
        if (it || ((others || !ghosts) && hb_starts(r->refs.ref[i].name, "refs/heads/"))) {
            is_default[n] = it;
            tips[n++] = r->refs.ref[i].oid;
        }
    }
    struct hb_files *files = hb_workflow_files(h, r, tips, n);
    hb_definitions_load(h, r, files, n);
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < r->n_workflows; i++)
        r->workflow[i].on_default = false;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < files[i].n; k++)
            if (is_default[i] || others)
                row_refresh(h, r, &files[i].file[k], is_default[i]);
    if (!ghosts)
        drop_ghosts(h, r, files, n);
    dynamic_row(h, r);
    pthread_mutex_unlock(&h->lock);
    hb_files_free(files, n);
    free(is_default);
    free(tips);
}

/* ---- runs ---- */

static bool listed(const json_t *globs, const char *name)
{
    if (json_is_string(globs))
        return fnmatch(json_string_value(globs), name, 0) == 0;
    bool hit = false;
    for (size_t i = 0; i < json_array_size(globs); i++) {
        const char *glob = json_string_value(json_array_get(globs, i));
        if (glob != NULL && glob[0] == '!' && fnmatch(glob + 1, name, 0) == 0)
            hit = false;
        else if (glob != NULL && fnmatch(glob, name, 0) == 0)
            hit = true;
    }
    return hit;
}

/* Whether `on: push` of this file takes the ref. Path filters are not looked at. */
static bool wants_push(const json_t *definition, const char *ref)
{
    const json_t *on = json_object_get(definition, "on"), *push = json_object_get(on, "push");
    if (push == NULL)
        return false;
    bool tag = hb_starts(ref, "refs/tags/");
    const char *name = ref + strlen(tag ? "refs/tags/" : "refs/heads/");
    const json_t *yes = json_object_get(push, tag ? "tags" : "branches");
    const json_t *no = json_object_get(push, tag ? "tags-ignore" : "branches-ignore");
    const json_t *other = json_object_get(push, tag ? "branches" : "tags");
    if (yes == NULL && no == NULL)
        return other ==
               NULL; /* a filter for tags alone means no branches, and the other way round */
    return no != NULL ? !listed(no, name) : listed(yes, name);
}

static void runs_of(struct hub *h, struct hb_repo *r, const struct hb_change *change,
                    const struct hb_files *files, const char *actor)
{
    const char *slash = strchr(change->ref + strlen("refs/"), '/');
    for (size_t k = 0; k < files->n; k++) {
        const json_t *definition = hb_map_get(&h->definitions, files->file[k].blob);
        struct hb_workflow *w = by_path(r, files->file[k].path);
        if (w != NULL && w->state == hb_active && wants_push(definition, change->ref))
            hb_run_add(h, r, w, "push", slash + 1, change->after, actor);
    }
}

static bool eventful(struct hub *h, const struct hb_change *change, size_t n, const char **tips,
                     const struct hb_change **which, size_t *out_n)
{
    size_t branches = 0, tags = 0, all = 0;
    for (size_t i = 0; i < n; i++) {
        branches += hb_starts(change[i].ref, "refs/heads/");
        tags += hb_starts(change[i].ref, "refs/tags/");
    }
    bool limits = hb_quirk(h, Q_PUSH_EVENTS) != 0;
    for (size_t i = 0; i < n; i++) {
        bool branch =
            hb_starts(change[i].ref, "refs/heads/") && !(limits && branches > MAX_BRANCHES);
        bool tag = hb_starts(change[i].ref, "refs/tags/") && !(limits && tags > MAX_TAGS);
        if ((branch || tag) && change[i].after[0] != '\0') {
            which[all] = &change[i];
            tips[all++] = change[i].after;
        }
    }
    *out_n = all;
    return all > 0;
}

static void runs_start(struct hub *h, struct hb_repo *r, const struct hb_change *change, size_t n,
                       const struct hb_who *who)
{
    const char **tips = hb_grow(NULL, n, sizeof *tips);
    const struct hb_change **which = hb_grow(NULL, n, sizeof *which);
    size_t all = 0;
    if (eventful(h, change, n, tips, which, &all)) {
        struct hb_files *files = hb_workflow_files(h, r, tips, all);
        hb_definitions_load(h, r, files, all);
        char *actor = hb_actor(who);
        pthread_mutex_lock(&h->lock);
        for (size_t i = 0; i < all && r->actions_on; i++)
            runs_of(h, r, which[i], &files[i], actor);
        pthread_mutex_unlock(&h->lock);
        free(actor);
        hb_files_free(files, all);
    }
    free(tips);
    free(which);
}

static char *default_ref(struct hub *h, struct hb_repo *r)
{
    pthread_mutex_lock(&h->lock);
    char *ref = hb_fmt("refs/heads/%s", r->default_branch);
    pthread_mutex_unlock(&h->lock);
    return ref;
}

void hb_rescan(struct hub *h, struct hb_repo *r)
{
    char *ref = default_ref(h, r);
    hb_refs_load(r);
    rows_refresh(h, r, ref);
    free(ref);
}

void hb_pushed(struct hub *h, struct hb_repo *r, const struct hb_change *change, size_t n,
               const struct hb_who *who)
{
    if (n == 0)
        return;
    hb_rescan(h, r);
    if (!hb_bot(who) ||
        !hb_quirk(h, Q_BOT_SILENT)) /* what GITHUB_TOKEN pushes starts nothing (3.2) */
        runs_start(h, r, change, n, who);
    pthread_mutex_lock(&h->lock);
    r->pushed_ms = hb_now(h);
    hb_repo_touch(h, r);
    pthread_mutex_unlock(&h->lock);
}
