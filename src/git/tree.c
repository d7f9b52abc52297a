/*
 * Reading files out of commits, and writing the marker's.
 */
#include "source.h"

#include "wire.h"

#include <string.h>

enum { FILE_MODE = 0100644 };

bool source_has(struct git_source *s, const git_oid *oid)
{
    /* Without a refresh: each unknown id would look through all folders again. */
    return git_odb_exists_ext(s->odb, oid, GIT_ODB_LOOKUP_NO_REFRESH) != 0;
}

static enum err_code commit_tree(struct git_source *s, const git_oid *oid, git_tree **out,
                                 struct err *e)
{
    CLEANUP(free_git_object) git_object *object = NULL;
    git_object *tree = NULL;

    if (git_object_lookup(&object, s->repo, oid, GIT_OBJECT_ANY) != 0 ||
        git_object_peel(&tree, object, GIT_OBJECT_TREE) != 0)
        return git2_error(e, ERR_NOT_FOUND, "cannot read a commit");
    /* libgit2's own way from the general type to the special one. */
    *out = (git_tree *)tree;
    return ERR_OK;
}

/* ---- Reading --------------------------------------------------------------------------------- */

enum err_code source_read_file(struct git_source *s, const git_oid *commit, const char *path,
                               struct buf *out, struct err *e)
{
    CLEANUP(free_git_tree) git_tree *tree = NULL;
    CLEANUP(free_git_tree_entry) git_tree_entry *entry = NULL;
    git_odb_object *object = NULL;

    TRY(commit_tree(s, commit, &tree, e));
    int found = git_tree_entry_bypath(&entry, tree, path);
    if (found == GIT_ENOTFOUND)
        return err_set(e, ERR_NOT_FOUND, "the commit has no file '%s'", path);
    if (found != 0)
        return git2_error(e, ERR_IO, "cannot read '%s'", path);
    if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB)
        return err_set(e, ERR_INVALID, "'%s' of the commit is not a file", path);
    /* The size first: a slave's file may be larger than anybody wants to hold. */
    size_t size;
    git_object_t type;
    if (git_odb_read_header(&size, &type, s->odb, git_tree_entry_id(entry)) != 0)
        return git2_error(e, ERR_IO, "cannot read '%s'", path);
    if (size > out->max - out->len)
        return err_set(e, ERR_LIMIT, "'%s' of the commit is larger than %zu bytes", path,
                       out->max - out->len);
    if (git_odb_read(&object, s->odb, git_tree_entry_id(entry)) != 0)
        return git2_error(e, ERR_IO, "cannot read '%s'", path);
    enum err_code r = buf_add(out, git_odb_object_data(object), git_odb_object_size(object), e);
    git_odb_object_free(object);
    return r;
}

static bool is_workflow(const git_tree_entry *entry)
{
    const char *name = git_tree_entry_name(entry);
    git_filemode_t mode = git_tree_entry_filemode(entry);
    return (mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE) &&
           (str_ends_with(name, ".yml") || str_ends_with(name, ".yaml"));
}

enum err_code source_list_workflows(struct git_source *s, const char *commit, struct arena *a,
                                    struct workflow_list *out, struct err *e)
{
    CLEANUP(free_git_tree) git_tree *root = NULL;
    CLEANUP(free_git_tree) git_tree *folder = NULL;
    CLEANUP(free_git_tree_entry) git_tree_entry *entry = NULL;
    struct workflow_list list = {.commit = arena_strdup(a, commit)};
    size_t cap = 0;
    git_oid oid;

    TRY(oid_parse(commit, &oid, e));
    TRY(commit_tree(s, &oid, &root, e));
    int found = git_tree_entry_bypath(&entry, root, ".github/workflows");
    if (found != 0 && found != GIT_ENOTFOUND)
        return git2_error(e, ERR_IO, "cannot read .github/workflows");
    if (found == 0 && git_tree_entry_type(entry) == GIT_OBJECT_TREE) {
        if (git_tree_lookup(&folder, s->repo, git_tree_entry_id(entry)) != 0)
            return git2_error(e, ERR_IO, "cannot read .github/workflows");
        for (size_t i = 0; i < git_tree_entrycount(folder); i++) {
            const git_tree_entry *file = git_tree_entry_byindex(folder, i);
            if (!is_workflow(file))
                continue;
            list.files = arena_grow(a, list.files, list.n, &cap, sizeof(*list.files));
            list.files[list.n++] = arena_strdup(a, git_tree_entry_name(file));
        }
    }
    *out = list; /* git sorts files of a tree bytewise by name */
    return ERR_OK;
}

enum err_code git_source_workflows(struct git_source *s, const char *commit, struct arena *a,
                                   const char *const **out_files, size_t *out_n, struct err *e)
{
    struct workflow_list list = s->workflows; /* which nobody changes once the source is open */
    enum err_code r = ERR_OK;

    if (!str_eq(list.commit, commit)) {
        TRY(source_lock(s, e));
        r = source_list_workflows(s, commit, a, &list, e);
        source_unlock(s);
    }
    *out_files = list.files;
    *out_n = list.n;
    return r == ERR_OK ? r : err_wrap(e, "workflows of %s", commit);
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* Through an index, which makes the trees for names with slashes. */
static enum err_code write_tree(struct git_source *s, const struct git_file *files, size_t n,
                                git_oid *out, struct err *e)
{
    CLEANUP(free_git_index) git_index *index = NULL;

    if (git_index_new(&index) != 0)
        return git2_error(e, ERR_IO, "cannot make a tree");
    for (size_t i = 0; i < n; i++) {
        git_index_entry entry = {.mode = FILE_MODE, .path = files[i].name};
        if (git_blob_create_from_buffer(&entry.id, s->repo, files[i].text, strlen(files[i].text)) !=
                0 ||
            git_index_add(index, &entry) != 0)
            return git2_error(e, ERR_IO, "cannot write '%s' into the cache", files[i].name);
    }
    if (git_index_write_tree_to(out, index, s->repo) != 0)
        return git2_error(e, ERR_IO, "cannot write a tree into the cache");
    return ERR_OK;
}

static enum err_code write_commit(struct git_source *s, const char *parent, const git_oid *tree_id,
                                  const char *message, struct wall when, git_oid *out,
                                  struct err *e)
{
    CLEANUP(free_git_signature) git_signature *who = NULL;
    CLEANUP(free_git_commit) git_commit *parent_commit = NULL;
    CLEANUP(free_git_tree) git_tree *tree = NULL;
    git_oid parent_id;

    if (parent != NULL) {
        TRY(oid_parse(parent, &parent_id, e));
        if (git_commit_lookup(&parent_commit, s->repo, &parent_id) != 0)
            return git2_error(e, ERR_NOT_FOUND, "the commit %s is not in the cache", parent);
    }
    const git_commit *parents[] = {parent_commit};
    if (git_signature_new(&who, "mirrorctl", "mirrorctl@localhost", when.s, 0) != 0 ||
        git_tree_lookup(&tree, s->repo, tree_id) != 0 ||
        git_commit_create(out, s->repo, NULL, who, who, "UTF-8", message, tree,
                          parent == NULL ? 0 : 1, parents) != 0)
        return git2_error(e, ERR_IO, "cannot write a commit into the cache");
    return ERR_OK;
}

/* A ref keeps the commit when the cache is repacked. */
static enum err_code keep(struct git_source *s, const git_oid *oid, const char *hex, struct err *e)
{
    CLEANUP(free_git_reference) git_reference *ref = NULL;
    CLEANUP(arena_freep) struct arena *a = arena_new();

    if (git_reference_create(&ref, s->repo, arena_printf(a, CACHE_SEEN "%s", hex), oid, 1, NULL) !=
        0)
        return git2_error(e, ERR_IO, "cannot keep a commit in the cache");
    return ERR_OK;
}

static enum err_code commit_files(struct git_source *s, const char *parent,
                                  const struct git_file *files, size_t n, const char *message,
                                  struct wall when, struct arena *a, const char **out_oid,
                                  struct err *e)
{
    git_oid tree, commit;

    TRY(write_tree(s, files, n, &tree, e));
    TRY(write_commit(s, parent, &tree, message, when, &commit, e));
    const char *hex = oid_hex(a, &commit);
    TRY(keep(s, &commit, hex, e));
    *out_oid = hex;
    return ERR_OK;
}

enum err_code git_commit_files(struct git_source *s, const char *parent,
                               const struct git_file *files, size_t n, const char *message,
                               struct wall when, struct arena *a, const char **out_oid,
                               struct err *e)
{
    TRY(source_lock(s, e));
    enum err_code r = commit_files(s, parent, files, n, message, when, a, out_oid, e);
    source_unlock(s);
    return r;
}
