/* The refs of a bare repository, read from its files without a child and kept while nobody has
 * touched them. */
#include "gitside.h"
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the directory ---- */

static bool make_dir(const char *base, const char *below)
{
    char *path = hb_fmt("%s%s", base, below);
    bool ok = mkdir(path, 0777) == 0 || errno == EEXIST;
    free(path);
    return ok;
}

static bool write_file(const char *base, const char *below, const char *text)
{
    char *path = hb_fmt("%s%s", base, below);
    char *draft = hb_fmt("%s.new", path);
    FILE *f = fopen(draft, "we");
    bool ok = f != NULL && fputs(text, f) >= 0;
    ok = f != NULL && fclose(f) == 0 && ok && rename(draft, path) == 0;
    free(draft);
    free(path);
    return ok;
}

static char *read_text(const char *base, const char *below)
{
    char *path = hb_fmt("%s%s", base, below);
    struct hb_buf text = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
    if (fd < 0)
        return NULL;
    bool ok = hb_slurp(fd, &text);
    (void)close(fd);
    if (!ok || text.data == NULL) {
        hb_buf_free(&text);
        return NULL;
    }
    return text.data;
}

static void head_branch(struct hb_repo *r)
{
    char *head = read_text(r->dir, "/HEAD");
    const char *prefix = "ref: refs/heads/";
    if (head != NULL && hb_starts(head, prefix)) {
        head[strcspn(head, "\r\n")] = '\0';
        hb_set(&r->default_branch, head + strlen(prefix));
    }
    free(head);
}

/* By hand, because `git init` costs a child and copies templates, and worlds of 1,000 repositories
 * are made. */
bool hb_repo_dir_make(struct hb_repo *r)
{
    static const char *const dirs[] = {"",      "/objects",    "/objects/info", "/objects/pack",
                                       "/refs", "/refs/heads", "/refs/tags"};
    static const char config[] =
        "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
        "\tlogAllRefUpdates = false\n[gc]\n\tauto = 0\n"
        "[uploadpack]\n\tallowAnySHA1InWant = true\n\tallowFilter = true\n";
    char *parent = hb_strndup(r->dir, (size_t)(strrchr(r->dir, '/') - r->dir));
    bool ok = make_dir(parent, "");
    free(parent);
    char *probe = ok ? read_text(r->dir, "/HEAD") : NULL;
    bool there = probe != NULL;
    free(probe);
    if (there && r->default_branch == NULL)
        head_branch(r);
    if (r->default_branch == NULL)
        r->default_branch = hb_strdup("main");
    for (size_t i = 0; ok && !there && i < sizeof dirs / sizeof dirs[0]; i++)
        ok = make_dir(r->dir, dirs[i]);
    char *head = hb_fmt("ref: refs/heads/%s\n", r->default_branch);
    ok =
        ok && (there || write_file(r->dir, "/config", config)) && write_file(r->dir, "/HEAD", head);
    free(head);
    return ok || hb_fail("cannot make '%s': %s", r->dir, strerror(errno));
}

void hb_default_branch_set(struct hub *h, struct hb_repo *r, const char *branch)
{
    hb_set(&r->default_branch, branch);
    char *head = hb_fmt("ref: refs/heads/%s\n", branch);
    (void)write_file(r->dir, "/HEAD", head);
    free(head);
    hb_repo_touch(h, r);
}

/* ---- the refs ---- */

static uint64_t mix(uint64_t stamp, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return stamp * 31 + 7;
    uint64_t ns = (uint64_t)st.st_mtim.tv_sec * 1000000000U + (uint64_t)st.st_mtim.tv_nsec;
    return (stamp ^ ns ^ ((uint64_t)st.st_size << 40) ^ (uint64_t)st.st_ino) * 1099511628211ULL;
}

/* git writes a ref by renaming a lock file into place, which moves the time of its directory. */
static uint64_t stamp_of(const struct hb_repo *r)
{
    char *packed = hb_fmt("%s/packed-refs", r->dir);
    uint64_t stamp = mix(1469598103934665603ULL, packed);
    free(packed);
    for (size_t i = 0; i < r->refs.n_dirs; i++)
        stamp = mix(stamp, r->refs.dirs[i]);
    return stamp;
}

void hb_refs_drop(struct hb_refs *refs)
{
    for (size_t i = 0; i < refs->n; i++)
        free(refs->ref[i].name);
    free(refs->ref);
    for (size_t i = 0; i < refs->n_dirs; i++)
        free(refs->dirs[i]);
    free(refs->dirs);
    hb_buf_free(&refs->advert);
    *refs = (struct hb_refs){0};
}

static void ref_add(struct hb_refs *refs, const char *name, size_t len, const char *oid)
{
    if ((refs->n & (refs->n - 1)) == 0)
        refs->ref = hb_grow(refs->ref, refs->n ? refs->n * 2 : 1, sizeof *refs->ref);
    struct hb_ref *ref = &refs->ref[refs->n++];
    *ref = (struct hb_ref){.name = hb_strndup(name, len)};
    size_t n = strspn(oid, "0123456789abcdef");
    if (n == 40 || n == 64)
        memcpy(ref->oid, oid, n);
}

static void walk(struct hb_refs *refs, const char *dir, const char *name)
{
    refs->dirs = hb_grow(refs->dirs, refs->n_dirs + 1, sizeof *refs->dirs);
    refs->dirs[refs->n_dirs++] = hb_strdup(dir);
    DIR *d = opendir(dir);
    const struct dirent *e = NULL;
    while (d != NULL && (e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.' || hb_ends(e->d_name, ".lock"))
            continue;
        char *path = hb_fmt("%s/%s", dir, e->d_name);
        char *ref = hb_fmt("%s/%s", name, e->d_name);
        struct stat st;
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            walk(refs, path, ref);
        } else {
            char *oid = read_text(path, "");
            if (oid != NULL)
                ref_add(refs, ref, strlen(ref), oid);
            free(oid);
        }
        free(ref);
        free(path);
    }
    if (d != NULL)
        (void)closedir(d);
}

static void packed(struct hb_refs *refs, const char *dir)
{
    char *text = read_text(dir, "/packed-refs");
    for (char *line = text; line != NULL && *line != '\0';) {
        size_t len = strcspn(line, "\n");
        size_t oid = strspn(line, "0123456789abcdef");
        if (oid >= 40 && len > oid + 1 && line[oid] == ' ')
            ref_add(refs, line + oid + 1, len - oid - 1, line);
        line += len + (line[len] == '\n');
    }
    free(text);
}

static int by_name(const void *a, const void *b)
{
    const struct hb_ref *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* A loose ref hides the packed one of the same name. */
void hb_refs_load(struct hb_repo *r)
{
    struct hb_refs *refs = &r->refs;
    if (refs->loaded && stamp_of(r) == refs->stamp)
        return;
    hb_refs_drop(refs);
    char *dir = hb_fmt("%s/refs", r->dir);
    walk(refs, dir, "refs");
    free(dir);
    refs->stamp =
        stamp_of(r); /* before the packed file is read: a change in between is seen next time */
    size_t loose = refs->n;
    if (loose > 0)
        qsort(refs->ref, loose, sizeof *refs->ref, by_name);
    struct hb_refs more = {0};
    packed(&more, r->dir);
    for (size_t i = 0; i < more.n; i++) {
        const struct hb_ref *known =
            loose == 0 ? NULL : bsearch(&more.ref[i], refs->ref, loose, sizeof *refs->ref, by_name);
        if (known == NULL)
            ref_add(refs, more.ref[i].name, strlen(more.ref[i].name), more.ref[i].oid);
    }
    hb_refs_drop(&more);
    if (refs->n > 0)
        qsort(refs->ref, refs->n, sizeof *refs->ref, by_name);
    refs->loaded = true;
}

const struct hb_ref *hb_ref_cached(const struct hb_repo *r, const char *name)
{
    union {
        const char *in;
        char *out;
    } key = {.in = name};
    const struct hb_ref wanted = {.name = key.out};
    return r->refs.n == 0 ? NULL
                          : bsearch(&wanted, r->refs.ref, r->refs.n, sizeof *r->refs.ref, by_name);
}

const struct hb_ref *hb_ref(struct hb_repo *r, const char *name)
{
    hb_refs_load(r);
    return hb_ref_cached(r, name);
}

void hb_resolve(struct hb_repo *r, const char *name, char out_oid[65])
{
    static const char *const prefixes[] = {"refs/heads/", "refs/tags/", "refs/", ""};
    out_oid[0] = '\0';
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        char *full = hb_fmt("%s%s", prefixes[i], name);
        const struct hb_ref *ref = hb_ref(r, full);
        free(full);
        if (ref != NULL) {
            (void)snprintf(out_oid, 65, "%s", ref->oid);
            return;
        }
    }
    if (strlen(name) == 40 && strspn(name, "0123456789abcdef") == 40)
        (void)snprintf(out_oid, 65, "%s", name);
}

/* Left out of the push advertisement, refused on push, and still there for a fetch (6.2). */
bool hb_hidden_ref(const char *name)
{
    return hb_starts(name, "refs/pull/") || hb_starts(name, "refs/github-services/") ||
           hb_starts(name, "refs/__gh__/");
}

/* The capabilities in GitHub's order (6.2); push-options only when the repository says so. */
static void capabilities(struct hb_buf *b, bool push_options)
{
    hb_buf_puts(b, "report-status report-status-v2 delete-refs side-band-64k ofs-delta atomic "
                   "object-format=sha1 quiet agent=github/spokes-receive-pack-hub");
    if (push_options)
        hb_buf_puts(b, " push-options");
}

static void advert_line(struct hb_buf *b, const char *oid, const char *name, const char *caps)
{
    size_t len = 4 + strlen(oid) + 1 + strlen(name) + (caps != NULL ? 1 + strlen(caps) : 0) + 1;
    hb_buf_fmt(b, "%04zx%s %s", len, oid, name);
    if (caps != NULL) {
        hb_buf_add(b, "", 1);
        hb_buf_puts(b, caps);
    }
    hb_buf_puts(b, "\n");
}

const struct hb_buf *hb_advert(struct hb_repo *r, bool hide)
{
    hb_refs_load(r);
    struct hb_refs *refs = &r->refs;
    if (refs->advert.len > 0 && refs->advert_push_options == r->push_options &&
        refs->advert_hidden == hide)
        return &refs->advert;
    struct hb_buf caps = {0};
    capabilities(&caps, r->push_options);
    hb_buf_free(&refs->advert);
    hb_buf_puts(&refs->advert, "001f# service=git-receive-pack\n0000");
    const char *first = caps.data;
    for (size_t i = 0; i < refs->n; i++) {
        if (hide && hb_hidden_ref(refs->ref[i].name))
            continue;
        advert_line(&refs->advert, refs->ref[i].oid, refs->ref[i].name, first);
        first = NULL;
    }
    if (first != NULL) /* an empty repository has a single line (6.2) */
        advert_line(&refs->advert, "0000000000000000000000000000000000000000", "capabilities^{}",
                    first);
    hb_buf_puts(&refs->advert, "0000");
    hb_buf_free(&caps);
    refs->advert_push_options = r->push_options;
    refs->advert_hidden = hide;
    return &refs->advert;
}
