#include "objects.h"

#include "wire.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* ---- Once per process ------------------------------------------------------------------------ */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int init_result;

static void init(void)
{
    /* Repositories that users have today; what these extensions mean is looked at in clone.c. */
    static const char *EXTENSIONS[] = {"partialclone", "worktreeconfig", "preciousobjects"};

    init_result = git_libgit2_init();
    if (init_result < 0)
        return;
    /*
     * Nothing of a repository is executed here (no hooks, no filters, no connections), and root
     * reads the clones of other users: the owner of a folder is no reason not to read objects.
     */
    (void)git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    (void)git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, EXTENSIONS, ARRAY_LEN(EXTENSIONS));
    /* A marker commit that is lost with the power would be pushed without its objects. */
    (void)git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
}

enum err_code git_init(struct err *e)
{
    (void)pthread_once(&once, init);
    if (init_result < 0)
        return git2_error(e, ERR_IO, "cannot start libgit2");
    return ERR_OK;
}

/* ---- Errors and ids -------------------------------------------------------------------------- */

enum err_code git2_error(struct err *e, enum err_code code, const char *fmt, ...)
{
    char text[LIMIT_ERR_TEXT];
    const git_error *last = git_error_last();
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return err_set(e, code, "%s: %s", n < 0 ? "" : text,
                   last == NULL || last->message == NULL ? "no reason given" : last->message);
}

enum err_code oid_parse(const char *hex, git_oid *out, struct err *e)
{
    if (hex != NULL && oid_is_valid(hex, OID_SHA1_HEX) && git_oid_fromstr(out, hex) == 0)
        return ERR_OK;
    return err_set(e, ERR_INVALID, "'%s' is not a SHA-1 object id", hex == NULL ? "" : hex);
}

char *oid_hex(struct arena *a, const git_oid *oid)
{
    char *hex = arena_alloc(a, OID_SHA1_HEX + 1);
    return git_oid_tostr(hex, OID_SHA1_HEX + 1, oid);
}

/* ---- Names ----------------------------------------------------------------------------------- */

enum err_code git_check_ref_name(const char *name, struct err *e)
{
    int valid = 0;

    TRY(git_init(e));
    if (name == NULL || !str_starts_with(name, "refs/") || strlen(name) > LIMIT_REF_NAME)
        return err_set(e, ERR_INVALID, "'%.200s' is not a full ref name (refs/...)",
                       name == NULL ? "" : name);
    if (git_reference_name_is_valid(&valid, name) != 0 || valid == 0)
        return err_set(e, ERR_INVALID, "'%s' is not a ref name by git's rules", name);
    return ERR_OK;
}

enum err_code git_check_ref_glob(const char *glob, struct err *e)
{
    if (glob == NULL || !str_starts_with(glob, "refs/") || strlen(glob) > LIMIT_REF_NAME)
        return err_set(e, ERR_INVALID, "'%.200s' matches no ref: a pattern starts with refs/",
                       glob == NULL ? "" : glob);
    for (const char *p = glob; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < ' ' || c == 0x7F)
            return err_set(e, ERR_INVALID, "a ref pattern holds a control character");
        if (strchr(" ~^:", *p) != NULL)
            return err_set(e, ERR_INVALID, "'%s' matches no ref: names have no '%c'", glob, *p);
    }
    if (strstr(glob, "..") != NULL || strstr(glob, "//") != NULL || strstr(glob, "@{") != NULL ||
        str_ends_with(glob, "/") || str_ends_with(glob, ".lock"))
        return err_set(e, ERR_INVALID, "'%s' matches no ref by git's rules", glob);
    return ERR_OK;
}

/* ---- Cleanup --------------------------------------------------------------------------------- */

void free_git_repository(git_repository **p)
{
    git_repository_free(*p);
}

void free_git_object(git_object **p)
{
    git_object_free(*p);
}

void free_git_commit(git_commit **p)
{
    git_commit_free(*p);
}

void free_git_tree(git_tree **p)
{
    git_tree_free(*p);
}

void free_git_tree_entry(git_tree_entry **p)
{
    git_tree_entry_free(*p);
}

void free_git_reference(git_reference **p)
{
    git_reference_free(*p);
}

void free_git_reference_iterator(git_reference_iterator **p)
{
    git_reference_iterator_free(*p);
}

void free_git_config(git_config **p)
{
    git_config_free(*p);
}

void free_git_index(git_index **p)
{
    git_index_free(*p);
}

void free_git_revwalk(git_revwalk **p)
{
    git_revwalk_free(*p);
}

void free_git_signature(git_signature **p)
{
    git_signature_free(*p);
}
