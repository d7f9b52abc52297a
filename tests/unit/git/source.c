#include "../../../src/git/source.h"

#include "fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MAIN "refs/heads/main"

static enum err_code open_with(struct place *p, const char *master, const char *local,
                               struct git_source **out)
{
    struct git_source_spec spec = {
        .url = master == NULL ? NULL : at(p, master),
        .local = local == NULL ? NULL : at(p, local),
        .cache_dir = at(p, "state/cache"),
    };
    return git_source_open(&spec, out, &p->err);
}

static size_t count_refs(struct place *p, struct git_source *s)
{
    static const char *const ALL[] = {"refs/*", NULL};
    struct ref_policy policy = {.include = ALL};
    struct view view;

    view_init(&view, p->arena);
    assert_ok(p, git_source_refs(s, &policy, &view, &p->err));
    assert_int_equal(view.state[KIND_REF], VIEW_COMPLETE);
    return view.n;
}

static void assert_value(struct place *p, struct git_source *s, const char *ref, const char *repo)
{
    const char *expected = sh(p, "git -C %s rev-parse %s", repo, ref);
    const char *oid = git_source_oid(s, ref);
    assert_non_null(oid);
    assert_string_equal(oid, expected);
}

/* ---- From the master --------------------------------------------------------------------------
 */

static void reads_a_master(void **state)
{
    struct place *p = *state;
    struct git_source *s = NULL;
    static const char *const HEADS[] = {"refs/heads/*", NULL}, *const SIDE[] = {"refs/heads/s*",
                                                                                NULL};
    struct ref_policy policy = {.include = HEADS, .exclude = SIDE};
    struct view view;

    make_master(p, "master");
    (void)sh(p, "git -C master update-ref refs/pull/1/head main");
    assert_ok(p, open_with(p, "master", NULL, &s));
    assert_int_equal(count_refs(p, s), 4);
    assert_value(p, s, MAIN, "master");
    assert_value(p, s, "refs/tags/heavy", "master");
    assert_null(git_source_oid(s, "refs/pull/1/head"));
    assert_null(git_source_oid(s, "refs/heads/none"));
    assert_string_equal(git_source_default_branch(s), "main");
    assert_null(git_source_note(s));
    view_init(&view, p->arena);
    assert_ok(p, git_source_refs(s, &policy, &view, &p->err));
    assert_int_equal(view.n, 1);
    assert_string_equal(view.items[0].name, MAIN);
    git_source_free(s);
}

static void follows_the_master(void **state)
{
    struct place *p = *state;
    struct git_source *s = NULL;

    make_master(p, "master");
    assert_ok(p, open_with(p, "master", NULL, &s));
    git_source_free(s);
    /* Gone, moved back, made; and a name that becomes a folder. */
    (void)sh(p, "cd master; git update-ref -d refs/heads/side; git update-ref " MAIN " main~1;"
                "git branch x main; git symbolic-ref HEAD refs/heads/x");
    assert_ok(p, open_with(p, "master", NULL, &s));
    assert_int_equal(count_refs(p, s), 4);
    assert_null(git_source_oid(s, "refs/heads/side"));
    assert_value(p, s, MAIN, "master");
    assert_string_equal(git_source_default_branch(s), "x");
    git_source_free(s);
    (void)sh(p, "cd master; git symbolic-ref HEAD " MAIN "; git branch -D x; git branch x/y");
    assert_ok(p, open_with(p, "master", NULL, &s));
    assert_int_equal(count_refs(p, s), 4);
    assert_value(p, s, "refs/heads/x/y", "master");
    assert_null(git_source_oid(s, "refs/heads/x"));
    git_source_free(s);
}

static void fetches_only_when_something_moved(void **state)
{
    struct place *p = *state;
    struct git_source *s = NULL;

    make_master(p, "master");
    assert_ok(p, open_with(p, "master", NULL, &s));
    git_source_free(s);
    const char *before = sh(p, "ls -l --time-style=full-iso state/cache/objects/pack; "
                               "stat -c %%z state/cache");
    assert_ok(p, open_with(p, "master", NULL, &s));
    git_source_free(s);
    assert_string_equal(sh(p, "ls -l --time-style=full-iso state/cache/objects/pack; "
                              "stat -c %%z state/cache"),
                        before);
}

/* What was whole and is untouched needs no libgit2; whatever has been touched is looked at again.
 */
static void opens_a_known_cache_only_when_needed(void **state)
{
    struct place *p = *state;
    struct git_source *s = NULL;
    static const char *const TOUCHED[] = {
        "touch state/cache/objects/pack/*.pack",
        "chmod u+w state/cache/objects/pack/*.idx; echo >>state/cache/objects/pack/*.idx",
        "git -C state/cache update-ref refs/master/heads/main refs/master/heads/main~1",
        "git -C state/cache pack-refs --all --prune",
        "git -C state/cache config x.y z",
    };

    make_master(p, "master");
    (void)sh(
        p,
        "cd master; b=$(echo on: push | git hash-object -w --stdin);"
        "f=$(printf '100644 blob %%s\\ta.yml\\n100644 blob %%s\\tb c.yml\\n' $b $b | git mktree);"
        "g=$(printf '040000 tree %%s\\tworkflows\\n' $f | git mktree);"
        "t=$(printf '040000 tree %%s\\t.github\\n' $g | git mktree);"
        "git update-ref " MAIN " $(git commit-tree -p " MAIN " -m flows $t)");
    assert_ok(p, open_with(p, "master", NULL, &s));
    git_source_free(s);
    for (size_t i = 0; i < ARRAY_LEN(TOUCHED); i++) {
        const char *const *files;
        size_t n;
        assert_ok(p, open_with(p, "master", NULL, &s));
        assert_ok(p,
                  git_source_workflows(s, git_source_oid(s, MAIN), p->arena, &files, &n, &p->err));
        assert_int_equal(n, 2);
        assert_string_equal(files[0], "a.yml");
        assert_string_equal(files[1], "b c.yml");
        assert_null(s->repo);
        assert_string_equal(git_source_oid(s, MAIN), sh(p, "git -C master rev-parse " MAIN));
        assert_true(source_lock(s, &p->err) == ERR_OK);
        assert_non_null(s->repo);
        source_unlock(s);
        git_source_free(s);

        (void)sh(p, "%s", TOUCHED[i]);
        assert_ok(p, open_with(p, "master", NULL, &s));
        assert_non_null(s->repo);
        assert_int_equal(count_refs(p, s), 4);
        git_source_free(s);
    }
}

static void fetches_other_namespaces_when_asked(void **state)
{
    struct place *p = *state;
    struct git_source *s = NULL;
    static const char *const INCLUDE[] = {"refs/heads/*", "refs/pins/a*", NULL}, *const ALL[] = {
                                                                                     "refs/*",
                                                                                     NULL};

    make_master(p, "master");
    (void)sh(p,
             "cd master; git update-ref refs/pins/abc main; git update-ref refs/pull/1/head main;"
             "git update-ref refs/mirrorctl/alive main; git update-ref refs/other/x main");
    struct git_source_spec spec = {
        .url = at(p, "master"), .cache_dir = at(p, "cache"), .include = INCLUDE};
    assert_ok(p, git_source_open(&spec, &s, &p->err));
    assert_int_equal(count_refs(p, s), 5);
    assert_value(p, s, "refs/pins/abc", "master");
    git_source_free(s);
    spec.include = ALL;
    assert_ok(p, git_source_open(&spec, &s, &p->err));
    assert_int_equal(count_refs(p, s), 6);
    assert_value(p, s, "refs/other/x", "master");
    git_source_free(s);
}

static void works_offline(void **state)
{
    struct place *p = *state;
    static const char *const HARM[] = {
        "touch cache/objects/pack/*.pack", "sed -i s/heads/tails/ cache/mirrorctl-refs",
        "echo rubbish >cache/mirrorctl-refs", "rm cache/mirrorctl-refs",
        "head -c 70 /dev/zero >cache/mirrorctl-refs"};
    struct git_source *s = NULL;

    make_master(p, "master");
    struct git_source_spec spec = {
        .url = at(p, "master"), .cache_dir = at(p, "cache"), .offline = true};
    assert_fails(p, git_source_open(&spec, &s, &p->err), ERR_NOT_FOUND, "no cache");
    spec.offline = false;
    assert_ok(p, git_source_open(&spec, &s, &p->err));
    git_source_free(s);
    (void)sh(p, "mv master away");
    assert_fails(p, git_source_open(&spec, &s, &p->err), ERR_NOT_FOUND, "master");
    spec.offline = true;
    assert_ok(p, git_source_open(&spec, &s, &p->err));
    assert_int_equal(count_refs(p, s), 4);
    assert_string_equal(git_source_default_branch(s), "main");
    assert_null(s->repo);
    const char *main_oid = git_source_oid(s, MAIN);
    for (size_t i = 0; i < ARRAY_LEN(HARM); i++) {
        struct git_source *other = NULL;
        (void)sh(p, "%s", HARM[i]);
        assert_ok(p, git_source_open(&spec, &other, &p->err));
        assert_non_null(other->repo);
        assert_int_equal(count_refs(p, other), 4);
        assert_string_equal(git_source_oid(other, MAIN), main_oid);
        git_source_free(other);
    }
    git_source_free(s);
}

static void refuses_a_master_that_lost_its_refs(void **state)
{
    struct place *p = *state;
    struct git_source *s = NULL;

    (void)sh(p, "mk master");
    assert_ok(p, open_with(p, "master", NULL, &s));
    assert_int_equal(count_refs(p, s), 0);
    assert_non_null(git_source_note(s));
    git_source_free(s);
    (void)sh(p, "rm -rf master");
    make_master(p, "master");
    assert_ok(p, open_with(p, "master", NULL, &s));
    git_source_free(s);
    (void)sh(p, "rm -rf master; mk master");
    assert_fails(p, open_with(p, "master", NULL, &s), ERR_REFUSED, "shows no refs");
}

static void refuses_shallow_and_sha256_masters(void **state)
{
    struct place *p = *state;
    struct git_source *s = NULL;

    make_master(p, "master");
    (void)sh(p, "git clone -q --bare --depth 1 file://$PWD/master thin");
    assert_fails(p, open_with(p, "thin", NULL, &s), ERR_REFUSED, "shallow");
    (void)sh(p, "git init -q --bare --object-format=sha256 wide; cd wide;"
                "git update-ref refs/heads/main $(git commit-tree -m x $(git mktree </dev/null))");
    assert_fails(p, open_with(p, "wide", NULL, &s), ERR_REFUSED, "sha256");
}

static void another_master_makes_another_cache(void **state)
{
    struct place *p = *state;
    struct git_source *s = NULL;

    make_master(p, "master");
    (void)sh(p, "mk second; commit second refs/heads/only one");
    assert_ok(p, open_with(p, "master", NULL, &s));
    git_source_free(s);
    assert_ok(p, open_with(p, "second", NULL, &s));
    assert_int_equal(count_refs(p, s), 1);
    git_source_free(s);
    assert_string_equal(sh(p, "git -C state/cache for-each-ref --format='%%(refname)'"),
                        "refs/master/heads/only");
    assert_string_equal(sh(p, "ls state"), "cache\ncache.lock");
}

static void leaves_foreign_folders_alone(void **state)
{
    struct place *p = *state;
    struct git_source *s = NULL;

    make_master(p, "master");
    (void)sh(p, "mkdir -p state/cache; echo mine >state/cache/file");
    assert_fails(p, open_with(p, "master", NULL, &s), ERR_REFUSED, "no cache of mirrorctl");
    assert_string_equal(sh(p, "cat state/cache/file"), "mine");
    (void)sh(p, "rm state/cache/file");
    assert_ok(p, open_with(p, "master", NULL, &s));
    git_source_free(s);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static void rebuilds_a_damaged_cache(void **state)
{
    struct place *p = *state;
    static const char *const HARM[] = {
        "rm state/cache/HEAD",
        "echo rubbish >state/cache/HEAD; rm -r state/cache/refs",
        "rm state/cache/objects/pack/*.pack",
        "rm -rf state/cache/objects; mkdir state/cache/objects",
        "echo rubbish >state/cache/mirrorctl-cache",
        "echo '[rubbish' >state/cache/config",
        ": >state/cache/mirrorctl-damaged",
    };

    make_master(p, "master");
    for (size_t i = 0; i < ARRAY_LEN(HARM); i++) {
        struct git_source *s = NULL;
        assert_ok(p, open_with(p, "master", NULL, &s));
        git_source_free(s);
        (void)sh(p, "%s", HARM[i]);
        if (open_with(p, "master", NULL, &s) != ERR_OK)
            fail_msg("after %s: %s", HARM[i], p->err.text);
        assert_int_equal(count_refs(p, s), 4);
        git_source_free(s);
        (void)sh(p, "git -C state/cache fsck; test $(ls -d state/*.damaged-* | wc -l) = 1;"
                    "rm -rf state/*.damaged-*");
    }
}

/* A pack that is broken inside is noticed when something of it is to be sent. */
static void notices_damage_when_packing(void **state)
{
    struct place *p = *state;
    struct git_source *s = NULL;
    struct git_refs seen;

    (void)sh(
        p, "mk master; mk slave; head -c 100000 /dev/urandom >big; cd master;"
           "b=$(git hash-object -w ../big); t=$(printf '100644 blob %%s\\tbig\\n' $b | git mktree);"
           "git update-ref " MAIN " $(git commit-tree -m big $t)");
    assert_ok(p, open_with(p, "master", NULL, &s));
    (void)sh(p,
             "f=$(ls state/cache/objects/pack/*.pack); chmod u+w $f;"
             "printf 'XXXXXXXXXXXXXXXXXXXX' | dd of=$f bs=1 seek=50000 conv=notrunc 2>/dev/null");
    struct git_remote *r = open_remote(p, "slave");
    seen = list(p, r);
    struct git_command c = {.ref = MAIN, .new_oid = git_source_oid(s, MAIN)};
    struct git_push push = {.commands = &c, .n = 1, .seen = &seen, .arena = p->arena};
    enum err_code code = git_push(r, s, &push, &p->err);
    git_source_free(s);
    if (code == ERR_OK) { /* git sends what it has; then the other side must notice */
        assert_int_not_equal(c.result, GIT_DONE);
    } else {
        assert_int_equal(code, ERR_DAMAGED);
        assert_ok(p, open_with(p, "master", NULL, &s));
        c.result = GIT_NOT_SENT;
        assert_ok(p, git_push(r, s, &push, &p->err));
        assert_int_equal(c.result, GIT_DONE);
        git_source_free(s);
    }
    git_remote_free(r);
}

/* kill -9 at any moment of a first or a later fetch: the next one finds its way. */
static void survives_being_killed(void **state)
{
    struct place *p = *state;
    struct git_source *s = NULL;

    make_master(p, "master");
    for (int i = 0; i < 12; i++) {
        (void)sh(p, "commit master refs/heads/side%d x $(git -C master rev-parse main)", i);
        if (i == 6)
            (void)sh(p, "rm -rf state");
        pid_t pid = fork();
        if (pid == 0) {
            (void)open_with(p, "master", NULL, &s);
            _exit(0);
        }
        (void)usleep((unsigned)(i % 6) * 12000);
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        if (i % 2 == 0) /* as left by a killed git */
            (void)sh(p, "test ! -d state/cache || "
                        ": >state/cache/packed-refs.lock >state/cache/objects/pack/tmp_pack_x");
        assert_ok(p, open_with(p, "master", NULL, &s));
        assert_int_equal(count_refs(p, s), (size_t)(5 + i));
        git_source_free(s);
        (void)sh(p, "git -C state/cache fsck");
    }
}

static void waits_no_longer_than_it_may(void **state)
{
    struct place *p = *state;
    struct git_source *s = NULL;
    int stop = 1;

    make_master(p, "master");
    struct git_source_spec spec = {
        .url = at(p, "master"), .cache_dir = at(p, "cache"), .deadline = {200}};
    (void)sh(p,
             "(flock -x 9; exec sleep 30) 9>cache.lock >/dev/null 2>&1 & echo $! >pid; sleep 0.1");
    assert_fails(p, git_source_open(&spec, &s, &p->err), ERR_TIMEOUT, "in use");
    spec.interrupted = &stop;
    spec.deadline.v = 20000;
    assert_fails(p, git_source_open(&spec, &s, &p->err), ERR_INTERRUPTED, "");
    (void)sh(p, "kill $(cat pid)");
}

/* ---- From a clone ------------------------------------------------------------------------------
 */

static void reads_a_working_clone(void **state)
{
    struct place *p = *state;
    struct git_source *s = NULL;

    make_master(p, "master");
    (void)sh(p, "git clone -q master clone; cd clone; git checkout -q -b private;"
                "git commit -q --allow-empty -m unpushed; git remote add other /nowhere");
    const char *before = sh(p, "cd clone; find . -type f | sort | xargs sha1sum");
    assert_ok(p, open_with(p, "master", "clone", &s));
    assert_int_equal(count_refs(p, s), 4); /* main, side, two tags: nothing that was not pushed */
    assert_value(p, s, "refs/heads/side", "master");
    assert_null(git_source_oid(s, "refs/heads/private"));
    assert_string_equal(git_source_default_branch(s), "main");
    assert_null(git_source_note(s));
    git_source_free(s);
    assert_string_equal(sh(p, "cd clone; find . -type f | sort | xargs sha1sum"), before);
    /* No second copy of the objects. */
    assert_string_equal(sh(p, "find state/cache/objects -type f | grep -v info/ || true"), "");
    assert_string_equal(sh(p, "git -C clone worktree list | wc -l"), "1");
}

static void reads_a_linked_work_tree(void **state)
{
    struct place *p = *state;
    struct git_source *s = NULL;

    make_master(p, "master");
    (void)sh(p, "git clone -q master clone; git -C clone worktree add -q ../linked origin/side");
    assert_ok(p, open_with(p, "master", "linked", &s));
    assert_int_equal(count_refs(p, s), 4);
    git_source_free(s);
}

static void reads_a_bare_clone(void **state)
{
    struct place *p = *state;
    struct git_source *s = NULL;

    make_master(p, "master");
    (void)sh(p, "git clone -q --mirror master bare");
    assert_ok(p, open_with(p, NULL, "bare", &s));
    assert_int_equal(count_refs(p, s), 4);
    assert_string_equal(git_source_default_branch(s), "main");
    git_source_free(s);
}

static void a_clone_without_the_master_is_noted(void **state)
{
    struct place *p = *state;
    struct git_source *s = NULL;

    make_master(p, "master");
    (void)sh(
        p, "mk elsewhere; git clone -q master clone; git -C clone remote set-url origin /nowhere");
    assert_ok(p, open_with(p, "master", "clone", &s));
    assert_int_equal(count_refs(p, s), 3); /* its own branch and the tags */
    assert_non_null(strstr(git_source_note(s), "no remote"));
    git_source_free(s);
}

static void refuses_clones_that_are_not_whole(void **state)
{
    struct place *p = *state;
    struct git_source *s = NULL;

    make_master(p, "master");
    (void)sh(p, "git -C master config uploadpack.allowFilter true;"
                "git clone -q --depth 1 file://$PWD/master shallow;"
                "git -C shallow worktree add -q ../linked HEAD;"
                "git clone -q --filter=blob:none --no-checkout file://$PWD/master partial;"
                "git init -q --object-format=sha256 wide");
    assert_fails(p, open_with(p, "master", "shallow", &s), ERR_REFUSED, "fetch-depth: 0");
    assert_fails(p, open_with(p, "master", "linked", &s), ERR_REFUSED, "--unshallow");
    assert_fails(p, open_with(p, "master", "partial", &s), ERR_REFUSED, "--filter");
    assert_fails(p, open_with(p, "master", "wide", &s), ERR_REFUSED, "SHA-256");
    assert_fails(p, open_with(p, "master", "none", &s), ERR_NOT_FOUND, "none");
    assert_fails(p, open_with(p, NULL, NULL, &s), ERR_USAGE, "neither");
}

/* ---- Workflows ------------------------------------------------------------------------------- */

static void lists_workflows(void **state)
{
    struct place *p = *state;
    struct git_source *s = NULL;
    const char *const *files;
    size_t n;

    make_master(p, "master");
    (void)sh(p, "git clone -q master w; cd w; mkdir -p .github/workflows/sub;"
                "cd .github/workflows; touch b.yml a.yaml c.txt sub/d.yml; ln -s b.yml e.yml;"
                "git add .; git commit -q -m flows; git push -q");
    assert_ok(p, open_with(p, "master", NULL, &s));
    assert_ok(p, git_source_workflows(s, git_source_oid(s, MAIN), p->arena, &files, &n, &p->err));
    assert_int_equal(n, 2);
    assert_string_equal(files[0], "a.yaml");
    assert_string_equal(files[1], "b.yml");
    assert_ok(p, git_source_workflows(s, git_source_oid(s, "refs/tags/heavy"), p->arena, &files, &n,
                                      &p->err));
    assert_int_equal(n, 0);
    assert_fails(p,
                 git_source_workflows(s, "1111111111111111111111111111111111111111", p->arena,
                                      &files, &n, &p->err),
                 ERR_NOT_FOUND, "1111");
    assert_fails(p, git_source_workflows(s, "main", p->arena, &files, &n, &p->err), ERR_INVALID,
                 "main");
    git_source_free(s);
}

int main(void)
{
#define SOURCE_TEST(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)
    const struct CMUnitTest tests[] = {
        SOURCE_TEST(reads_a_master),
        SOURCE_TEST(follows_the_master),
        SOURCE_TEST(fetches_only_when_something_moved),
        SOURCE_TEST(opens_a_known_cache_only_when_needed),
        SOURCE_TEST(fetches_other_namespaces_when_asked),
        SOURCE_TEST(works_offline),
        SOURCE_TEST(refuses_a_master_that_lost_its_refs),
        SOURCE_TEST(refuses_shallow_and_sha256_masters),
        SOURCE_TEST(another_master_makes_another_cache),
        SOURCE_TEST(leaves_foreign_folders_alone),
        SOURCE_TEST(rebuilds_a_damaged_cache),
        SOURCE_TEST(notices_damage_when_packing),
        SOURCE_TEST(survives_being_killed),
        SOURCE_TEST(waits_no_longer_than_it_may),
        SOURCE_TEST(reads_a_working_clone),
        SOURCE_TEST(reads_a_linked_work_tree),
        SOURCE_TEST(reads_a_bare_clone),
        SOURCE_TEST(a_clone_without_the_master_is_noted),
        SOURCE_TEST(refuses_clones_that_are_not_whole),
        SOURCE_TEST(lists_workflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
