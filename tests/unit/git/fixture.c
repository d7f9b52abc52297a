#include "fixture.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* cmocka wants its companions first. */
#include <cmocka.h>

/*
 * libgit2 1.5.1 leaks a match of pcre2's for each extensions.* entry of a repository that it opens,
 * which only repositories of format version 1 have.
 */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libpcre2\n";
}

static const char PRELUDE[] =
    "set -e\n"
    "mk() { git init -q --bare -b main \"$1\"; }\n"
    "commit() {\n"
    "  _blob=$(printf '%s' \"$3\" | git -C \"$1\" hash-object -w --stdin)\n"
    "  _tree=$(printf '100644 blob %s\\tfile\\n' \"$_blob\" | git -C \"$1\" mktree)\n"
    "  _id=$(git -C \"$1\" commit-tree \"$_tree\" -m \"$3\" ${4:+-p \"$4\"})\n"
    "  git -C \"$1\" update-ref \"$2\" \"$_id\"\n"
    "  echo \"$_id\"\n"
    "}\n";

static const char *const ENV[] = {
    "GIT_AUTHOR_NAME=Test",
    "GIT_AUTHOR_EMAIL=test@example.com",
    "GIT_AUTHOR_DATE=1700000000 +0000",
    "GIT_COMMITTER_NAME=Test",
    "GIT_COMMITTER_EMAIL=test@example.com",
    "GIT_COMMITTER_DATE=1700000000 +0000",
    "GIT_CONFIG_NOSYSTEM=1",
    "LC_ALL=C",
    NULL,
};

int place_setup(void **state)
{
    struct place *p = mem_alloc(sizeof(*p));
    const char *base = getenv("TMPDIR");

    p->arena = arena_new();
    char *dir = arena_printf(p->arena, "%s/mirrorctl-git-XXXXXX", base == NULL ? "/tmp" : base);
    if (mkdtemp(dir) == NULL)
        return -1;
    p->dir = realpath(dir, NULL);
    (void)setenv("HOME", p->dir, 1);
    (void)unsetenv("XDG_CONFIG_HOME");
    *state = p;
    return git_init(&p->err) == ERR_OK ? 0 : -1;
}

int place_teardown(void **state)
{
    struct place *p = *state;

    (void)sh(p, "cd / && chmod -R u+rwx '%s' && rm -rf '%s'", p->dir, p->dir);
    arena_free(p->arena);
    free(p->dir);
    free(p);
    return 0;
}

const char *sh(struct place *p, const char *fmt, ...)
{
    char script[16384];
    va_list args;
    struct err e = ERR_INIT;
    CLEANUP(child_result_release) struct child_result r = child_result_init(4 << 20);

    va_start(args, fmt);
    int n = vsnprintf(script, sizeof(script), fmt, args);
    va_end(args);
    assert_true(n > 0 && (size_t)n < sizeof(script));
    const char *argv[] = {"sh", "-c", arena_printf(p->arena, "%s%s", PRELUDE, script), NULL};
    struct child_spec spec = CHILD_SPEC_INIT;
    spec.argv = argv;
    spec.env = ENV;
    spec.cwd = p->dir;
    spec.deadline.v = 60000;
    if (child_run(&spec, &r, &e) != ERR_OK)
        fail_msg("%s: %s", script, e.text);
    if (r.status != 0)
        fail_msg("%s: status %d: %s", script, r.status, buf_str(&r.err));
    size_t len = r.out.len;
    while (len > 0 && r.out.data[len - 1] == '\n')
        len--;
    return arena_strndup(p->arena, buf_str(&r.out), len);
}

const char *at(struct place *p, const char *name)
{
    return arena_printf(p->arena, "%s/%s", p->dir, name);
}

void make_master(struct place *p, const char *name)
{
    (void)sh(p,
             "mk %s; a=$(commit %s refs/heads/main one); b=$(commit %s refs/heads/main two $a);"
             "commit %s refs/heads/main three $b; commit %s refs/heads/side beside $b;"
             "git -C %s tag light $a; git -C %s tag -a -m heavy heavy $b",
             name, name, name, name, name, name, name);
}

struct git_source *open_source(struct place *p, const char *master)
{
    struct git_source *s = NULL;
    const char *cache = at(p, "cache"), *url = at(p, master);
    struct git_source_spec spec = {.url = url, .cache_dir = cache};

    assert_ok(p, git_source_open(&spec, &s, &p->err));
    return s;
}

struct git_remote *open_remote(struct place *p, const char *name)
{
    struct git_remote *r = NULL;
    struct git_remote_spec spec = {.url = at(p, name)};

    assert_ok(p, git_remote_new(&spec, &r, &p->err));
    return r;
}

struct git_refs list(struct place *p, struct git_remote *r)
{
    struct git_refs refs = {.items = NULL};
    assert_ok(p, git_remote_list(r, p->arena, &refs, &p->err));
    return refs;
}

const char *value(const struct git_refs *refs, const char *name)
{
    for (size_t i = 0; i < refs->n; i++) {
        if (str_eq(refs->items[i].name, name))
            return refs->items[i].oid;
    }
    return NULL;
}

void assert_in_step(struct place *p, const char *master, const char *slave)
{
    const char *a = sh(p, "git -C %s for-each-ref", master);
    const char *b = sh(p, "git -C %s for-each-ref | grep -v refs/mirrorctl/ || true", slave);
    assert_string_equal(a, b);
    (void)sh(p, "git -C %s fsck --strict", slave);
}

void assert_ok(struct place *p, enum err_code r)
{
    if (r != ERR_OK)
        fail_msg("%s: %s", err_code_name(r), p->err.text);
}

void assert_fails(struct place *p, enum err_code r, enum err_code expected, const char *text)
{
    if (r != expected)
        fail_msg("%s instead of %s: %s", err_code_name(r), err_code_name(expected), p->err.text);
    assert_int_equal(p->err.code, expected);
    if (strstr(p->err.text, text) == NULL)
        fail_msg("'%s' is not in '%s'", text, p->err.text);
}
