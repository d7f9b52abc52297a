#include "fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAIN  "refs/heads/main"
#define OTHER "1111111111111111111111111111111111111111"

struct run {
    struct place *p;
    struct git_source *source;
    struct git_remote *remote;
    struct git_refs seen;
    struct git_command commands[64];
    struct git_push push;
};

static void run_open(struct run *x, struct place *p, const char *master, const char *slave)
{
    *x = (struct run){.p = p};
    x->source = open_source(p, master);
    x->remote = open_remote(p, slave);
    x->seen = list(p, x->remote);
    x->push = (struct git_push){.commands = x->commands, .seen = &x->seen, .arena = p->arena};
}

static void run_close(struct run *x)
{
    git_remote_free(x->remote);
    git_source_free(x->source);
}

static struct git_command *add(struct run *x, const char *ref, const char *old, const char *new)
{
    struct git_command *c = &x->commands[x->push.n++];
    *c = (struct git_command){.ref = ref, .old_oid = old, .new_oid = new};
    return c;
}

/* What the slave has becomes what the master has. */
static void add_all(struct run *x)
{
    static const char *const ALL[] = {"refs/*", NULL};
    struct ref_policy policy = {.include = ALL};
    struct view view;

    view_init(&view, x->p->arena);
    assert_ok(x->p, git_source_refs(x->source, &policy, &view, &x->p->err));
    for (size_t i = 0; i < view.n; i++) {
        const char *old = value(&x->seen, view.items[i].name);
        if (!str_eq(old, view.items[i].value))
            (void)add(x, view.items[i].name, old, view.items[i].value);
    }
}

static void push_ok(struct run *x)
{
    assert_ok(x->p, git_push(x->remote, x->source, &x->push, &x->p->err));
}

static void assert_result(const struct git_command *c, enum git_result expected, const char *text)
{
    const char *message = c->message == NULL ? "" : c->message;
    if (c->result != expected)
        fail_msg("'%s': result %d instead of %d: %s", c->ref, (int)c->result, (int)expected,
                 message);
    if (strstr(message, text) == NULL)
        fail_msg("'%s': '%s' is not in '%s'", c->ref, text, message);
}

static void all_done(const struct run *x)
{
    for (size_t i = 0; i < x->push.n; i++)
        assert_result(&x->commands[i], GIT_DONE, "");
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static void fills_an_empty_slave(void **state)
{
    struct place *p = *state;
    struct run x;

    make_master(p, "master");
    (void)sh(p, "mk slave");
    run_open(&x, p, "master", "slave");
    assert_true(x.seen.empty);
    assert_int_equal(x.seen.n, 0);
    add_all(&x);
    assert_int_equal(x.push.n, 4);
    push_ok(&x);
    all_done(&x);
    assert_in_step(p, "master", "slave");
    run_close(&x);
}

static void advances_forces_and_deletes(void **state)
{
    struct place *p = *state;
    struct run x;

    make_master(p, "master");
    (void)sh(p, "git clone -q --mirror master slave; commit slave refs/heads/gone odd;"
                "git -C master update-ref refs/heads/side refs/heads/main~2;"
                "commit master " MAIN " four $(git -C master rev-parse main)");
    run_open(&x, p, "master", "slave");
    add_all(&x);
    (void)add(&x, "refs/heads/gone", value(&x.seen, "refs/heads/gone"), NULL);
    assert_int_equal(x.push.n, 3);
    push_ok(&x);
    all_done(&x);
    assert_in_step(p, "master", "slave");
    run_close(&x);
}

static void deletes_alone_need_no_pack(void **state)
{
    struct place *p = *state;
    struct run x;

    make_master(p, "master");
    (void)sh(p, "git clone -q --mirror master slave; commit slave refs/heads/gone odd;"
                "commit slave refs/mirrorctl/role marker");
    run_open(&x, p, "master", "slave");
    (void)add(&x, "refs/heads/gone", value(&x.seen, "refs/heads/gone"), NULL);
    push_ok(&x);
    all_done(&x);
    assert_in_step(p, "master", "slave");
    run_close(&x);
}

static void deletes_with_marker(void **state)
{
    struct place *p = *state;
    struct run x;

    make_master(p, "master");
    (void)sh(p, "git clone -q --mirror master slave; commit slave refs/heads/gone odd;"
                "commit slave refs/mirrorctl/role marker");
    run_open(&x, p, "master", "slave");
    assert_non_null(x.seen.marker);
    x.push.marker = x.seen.marker;
    (void)add(&x, "refs/heads/gone", value(&x.seen, "refs/heads/gone"), NULL);
    push_ok(&x);
    all_done(&x);
    assert_string_equal(x.push.marker_after, x.seen.marker);
    assert_in_step(p, "master", "slave");
    run_close(&x);
}

static void a_new_branch_on_known_commits(void **state)
{
    struct place *p = *state;
    struct run x;

    make_master(p, "master");
    (void)sh(p, "git clone -q --mirror master slave; git -C master branch more main");
    run_open(&x, p, "master", "slave");
    add_all(&x);
    push_ok(&x);
    all_done(&x);
    assert_in_step(p, "master", "slave");
    run_close(&x);
}

static void a_lost_lease_is_stale(void **state)
{
    struct place *p = *state;
    struct run x;

    make_master(p, "master");
    (void)sh(p, "git clone -q --mirror master slave; commit master " MAIN
                " four $(git -C master rev-parse main); git -C master branch fresh");
    run_open(&x, p, "master", "slave");
    add_all(&x);
    const char *moved = sh(p, "commit slave " MAIN " somebody-else");
    push_ok(&x);
    for (size_t i = 0; i < x.push.n; i++) {
        bool is_main = str_eq(x.commands[i].ref, MAIN);
        assert_result(&x.commands[i], is_main ? GIT_STALE : GIT_DONE, is_main ? moved : "");
    }
    assert_string_equal(sh(p, "git -C slave rev-parse main"), moved);
    run_close(&x);
}

static void a_ref_made_meanwhile_is_stale(void **state)
{
    struct place *p = *state;
    struct run x;

    make_master(p, "master");
    (void)sh(p, "mk slave");
    run_open(&x, p, "master", "slave");
    (void)add(&x, MAIN, NULL, git_source_oid(x.source, MAIN));
    (void)sh(p, "commit slave " MAIN " somebody-else");
    push_ok(&x);
    assert_result(&x.commands[0], GIT_STALE, "");
    run_close(&x);
}

/* The update hook moves the marker while the push is being received: the connection's own list
 * still showed the old one. */
static void a_marker_that_moves_refuses_all(void **state)
{
    struct place *p = *state;
    struct run x;

    make_master(p, "master");
    (void)sh(p,
             "mk slave; commit slave refs/mirrorctl/role one >role; commit slave refs/heads/x y;"
             "git -C slave update-ref -d refs/heads/x;"
             "printf '#!/bin/sh\\nunset GIT_QUARANTINE_PATH; git update-ref refs/mirrorctl/role "
             "'$(cd slave; git commit-tree -m two $(git rev-parse refs/mirrorctl/role^{tree}))'\\n'"
             " >slave/hooks/pre-receive; chmod +x slave/hooks/pre-receive");
    run_open(&x, p, "master", "slave");
    x.push.marker = x.seen.marker;
    add_all(&x);
    push_ok(&x);
    for (size_t i = 0; i < x.push.n; i++)
        assert_result(&x.commands[i], GIT_STALE, "marker");
    assert_string_equal(sh(p, "git -C slave for-each-ref refs/heads refs/tags"), "");
    assert_string_not_equal(x.push.marker_after, x.push.marker);
    run_close(&x);
}

static void a_marker_that_moved_before_sends_nothing(void **state)
{
    struct place *p = *state;
    struct run x;

    make_master(p, "master");
    (void)sh(p, "mk slave; commit slave refs/mirrorctl/role one");
    run_open(&x, p, "master", "slave");
    x.push.marker = x.seen.marker;
    add_all(&x);
    (void)sh(p, "commit slave refs/mirrorctl/role two");
    push_ok(&x);
    for (size_t i = 0; i < x.push.n; i++)
        assert_result(&x.commands[i], GIT_STALE, "moved from");
    assert_string_equal(sh(p, "git -C slave for-each-ref refs/heads refs/tags"), "");
    run_close(&x);
}

/* A server that refuses the marker's ref as such: the push goes through without the line. */
static void a_refused_marker_line_is_left_out(void **state)
{
    struct place *p = *state;
    struct run x;

    make_master(p, "master");
    (void)sh(p, "mk slave; commit slave refs/mirrorctl/role one;"
                "printf '#!/bin/sh\\ncase $1 in refs/mirrorctl/*) echo no such namespace >&2; "
                "exit 1;; esac\\n' >slave/hooks/update; chmod +x slave/hooks/update");
    run_open(&x, p, "master", "slave");
    x.push.marker = x.seen.marker;
    add_all(&x);
    push_ok(&x);
    all_done(&x);
    assert_in_step(p, "master", "slave");
    run_close(&x);
}

static void an_atomic_push_fails_as_a_whole(void **state)
{
    struct place *p = *state;
    struct run x;

    make_master(p, "master");
    (void)sh(p, "mk slave; commit slave refs/mirrorctl/role one;"
                "printf '#!/bin/sh\\n[ $1 != refs/heads/side ]\\n' >slave/hooks/update;"
                "chmod +x slave/hooks/update");
    run_open(&x, p, "master", "slave");
    x.push.marker = x.seen.marker;
    add_all(&x);
    push_ok(&x);
    for (size_t i = 0; i < x.push.n; i++) {
        bool culprit = str_eq(x.commands[i].ref, "refs/heads/side");
        assert_result(&x.commands[i], culprit ? GIT_REJECTED : GIT_FAILED, "");
    }
    assert_string_equal(sh(p, "git -C slave for-each-ref refs/heads refs/tags"), "");
    run_close(&x);
}

static void a_hook_says_why(void **state)
{
    struct place *p = *state;
    struct run x;

    make_master(p, "master");
    (void)sh(p, "mk slave; cat >slave/hooks/update <<'END'\n#!/bin/sh\n"
                "case $1 in\n"
                "refs/heads/main) echo 'error: GH006: Protected branch update failed for $1.' "
                "| sed s:.1:$1: >&2; echo 'error: Cannot force-push to this branch' >&2; exit 1;;\n"
                "refs/heads/side) echo 'a reason nobody knows' >&2; exit 1;;\n"
                "esac\nEND\nchmod +x slave/hooks/update");
    run_open(&x, p, "master", "slave");
    add_all(&x);
    push_ok(&x);
    for (size_t i = 0; i < x.push.n; i++) {
        if (str_eq(x.commands[i].ref, MAIN)) {
            assert_result(&x.commands[i], GIT_REJECTED, "GH006");
            assert_non_null(strstr(x.commands[i].cure, "protection"));
        } else if (str_eq(x.commands[i].ref, "refs/heads/side")) {
            assert_result(&x.commands[i], GIT_REJECTED, "a reason nobody knows");
        } else {
            assert_result(&x.commands[i], GIT_DONE, "");
        }
    }
    run_close(&x);
}

static void names_in_each_others_way(void **state)
{
    struct place *p = *state;
    struct run x;

    (void)sh(p,
             "mk master; commit master refs/heads/a/b one; mk slave; commit slave refs/heads/a x");
    run_open(&x, p, "master", "slave");
    (void)add(&x, "refs/heads/a/b", NULL, git_source_oid(x.source, "refs/heads/a/b"));
    push_ok(&x);
    assert_int_not_equal(x.commands[0].result, GIT_DONE);
    assert_int_not_equal(x.commands[0].result, GIT_STALE);
    assert_non_null(x.commands[0].message);
    run_close(&x);
}

/* A `git` in front of PATH that does `script` when it is asked for receive-pack the n-th time. */
static void wrap_receive_pack(struct place *p, const char *script)
{
    static char path[8192];
    const char *old = getenv("PATH");

    (void)sh(p,
             "mkdir -p bin; real=/usr/bin/git; { echo '#!/bin/sh';"
             "echo 'if [ \"$1\" = receive-pack ]; then';"
             "echo 'n=$(($(cat %s/count 2>/dev/null || echo 0) + 1)); echo $n >%s/count';"
             "cat <<'END'\n%s\nEND\n"
             "echo fi; echo \"exec $real \\\"\\$@\\\"\"; } >bin/git; chmod +x bin/git",
             p->dir, p->dir, script);
    if (strstr(old, p->dir) == NULL) {
        (void)snprintf(path, sizeof(path), "%s/bin:%s", p->dir, old);
        (void)setenv("PATH", path, 1);
    }
}

static int unwrap_teardown(void **state)
{
    const char *path = getenv("PATH"), *colon = strchr(path, ':');
    struct place *p = *state;
    char *rest = NULL;

    if (str_starts_with(path, p->dir)) {
        rest = mem_strdup(colon + 1);
        (void)setenv("PATH", rest, 1);
        free(rest);
    }
    return place_teardown(state);
}

static void a_missing_report_is_made_up_for_by_the_list(void **state)
{
    struct place *p = *state;
    struct run x;

    make_master(p, "master");
    (void)sh(p, "mk slave; mk lost");
    /* Does the work and keeps its answer: only the advertisement gets through. */
    wrap_receive_pack(p, "[ $n = 2 ] && { /usr/bin/git receive-pack \"$2\" | "
                         "python3 -c 'import sys\n"
                         "f = sys.stdin.buffer\n"
                         "while True:\n"
                         "    h = f.read(4)\n"
                         "    n = int(h, 16)\n"
                         "    sys.stdout.buffer.write(h + (f.read(n - 4) if n else b\"\"))\n"
                         "    if n == 0: break\n"
                         "sys.stdout.buffer.flush()\n"
                         "f.read()'; exit 0; }");
    run_open(&x, p, "master", "slave");
    add_all(&x);
    push_ok(&x);
    all_done(&x);
    assert_in_step(p, "master", "slave");
    run_close(&x);
}

static void a_push_without_report_or_effect_is_unknown(void **state)
{
    struct place *p = *state;
    struct run x;

    make_master(p, "master");
    (void)sh(p, "mk slave");
    wrap_receive_pack(p, "[ $n = 2 ] && { /usr/bin/git receive-pack --advertise-refs \"$2\"; "
                         "cat >/dev/null; exit 0; }");
    run_open(&x, p, "master", "slave");
    add_all(&x);
    (void)git_push(x.remote, x.source, &x.push, &p->err);
    for (size_t i = 0; i < x.push.n; i++)
        assert_result(&x.commands[i], GIT_UNKNOWN, "");
    run_close(&x);
}

/* GitHub loses large pushes and reports success. */
static void a_reported_success_that_is_not_there_failed(void **state)
{
    struct place *p = *state;
    struct run x;

    make_master(p, "master");
    (void)sh(p, "mk slave");
    wrap_receive_pack(
        p, "[ $n = 2 ] && { /usr/bin/git receive-pack --advertise-refs \"$2\"; cat >/dev/null;"
           "python3 -c 'import sys\n"
           "def pkt(b): return b\"%04x\" % (len(b) + 4) + b\n"
           "inner = pkt(b\"unpack ok\\n\") + pkt(b\"ok refs/heads/main\\n\") + b\"0000\"\n"
           "sys.stdout.buffer.write(pkt(b\"\\1\" + inner) + b\"0000\")'; exit 0; }");
    run_open(&x, p, "master", "slave");
    (void)add(&x, MAIN, NULL, git_source_oid(x.source, MAIN));
    push_ok(&x);
    assert_result(&x.commands[0], GIT_FAILED, "reported as done");
    run_close(&x);
}

static void silence_ends_at_the_deadline(void **state)
{
    struct place *p = *state;
    struct run x;
    struct git_refs refs;

    make_master(p, "master");
    (void)sh(p, "mk slave");
    run_open(&x, p, "master", "slave");
    git_remote_free(x.remote);
    struct git_remote_spec spec = {.url = at(p, "slave"), .idle = {400}};
    assert_ok(p, git_remote_new(&spec, &x.remote, &p->err));

    /* Before the advertisement. */
    wrap_receive_pack(p, "[ $n = 1 ] && exec sleep 60");
    struct mono start = clock_mono(&clock_system);
    assert_fails(p, git_remote_list(x.remote, p->arena, &refs, &p->err), ERR_TIMEOUT, "slave");
    /* With the pack, and after it. */
    (void)sh(p, "echo 0 >count");
    wrap_receive_pack(p, "[ $n = 2 ] && { /usr/bin/git receive-pack --advertise-refs \"$2\"; "
                         "exec sleep 60; }");
    add_all(&x);
    assert_fails(p, git_push(x.remote, x.source, &x.push, &p->err), ERR_TIMEOUT, "slave");
    for (size_t i = 0; i < x.push.n; i++)
        assert_result(&x.commands[i], GIT_UNKNOWN, "");
    assert_true(clock_mono(&clock_system).ms - start.ms < 20000);
    run_close(&x);
}

static void killed_in_the_pack(void **state)
{
    struct place *p = *state;
    struct run x;

    (void)sh(
        p, "mk master; head -c 3000000 /dev/urandom >big; cd master;"
           "b=$(git hash-object -w ../big); t=$(printf '100644 blob %%s\\tbig\\n' $b | git mktree);"
           "git update-ref " MAIN " $(git commit-tree -m big $t)");
    (void)sh(p, "mk slave");
    wrap_receive_pack(p, "[ $n = 2 ] && { /usr/bin/git receive-pack --advertise-refs \"$2\"; "
                         "head -c 100000 >/dev/null; kill -9 $$; }");
    run_open(&x, p, "master", "slave");
    add_all(&x);
    assert_int_not_equal(git_push(x.remote, x.source, &x.push, &p->err), ERR_OK);
    assert_result(&x.commands[0], GIT_UNKNOWN, "");
    /* The next push finds everything as if nothing had been. */
    push_ok(&x);
    all_done(&x);
    assert_in_step(p, "master", "slave");
    run_close(&x);
}

static void a_dry_run_pushes_nothing(void **state)
{
    struct place *p = *state;
    struct run x;

    make_master(p, "master");
    (void)sh(p, "mk slave");
    run_open(&x, p, "master", "slave");
    git_remote_free(x.remote);
    struct git_remote_spec spec = {.url = at(p, "slave"), .dry_run = true};
    assert_ok(p, git_remote_new(&spec, &x.remote, &p->err));
    add_all(&x);
    assert_fails(p, git_push(x.remote, x.source, &x.push, &p->err), ERR_REFUSED, "dry run");
    assert_result(&x.commands[0], GIT_NOT_SENT, "");
    run_close(&x);
}

static void bad_commands_are_refused(void **state)
{
    struct place *p = *state;
    struct run x;

    make_master(p, "master");
    (void)sh(p, "mk slave");
    run_open(&x, p, "master", "slave");
    struct git_command *c = add(&x, MAIN, NULL, NULL);
    assert_fails(p, git_push(x.remote, x.source, &x.push, &p->err), ERR_USAGE, "neither");
    *c = (struct git_command){.ref = MAIN, .new_oid = "0000000000000000000000000000000000000000"};
    assert_fails(p, git_push(x.remote, x.source, &x.push, &p->err), ERR_INVALID, "object id");
    *c = (struct git_command){.ref = "refs/heads/a..b", .new_oid = OTHER};
    assert_fails(p, git_push(x.remote, x.source, &x.push, &p->err), ERR_INVALID, "a..b");
    *c = (struct git_command){.ref = MAIN, .new_oid = OTHER};
    assert_fails(p, git_push(x.remote, x.source, &x.push, &p->err), ERR_NOT_FOUND, OTHER);
    assert_string_equal(sh(p, "git -C slave for-each-ref"), "");
    run_close(&x);
}

static void unchanged_commands_are_not_sent(void **state)
{
    struct place *p = *state;
    struct run x;

    make_master(p, "master");
    (void)sh(p, "git clone -q --mirror master slave");
    run_open(&x, p, "master", "slave");
    const char *oid = git_source_oid(x.source, MAIN);
    (void)add(&x, MAIN, oid, oid);
    push_ok(&x);
    all_done(&x);
    run_close(&x);
}

/* The marker itself is written by a push of its own, with its own lease. */
static void writes_the_marker(void **state)
{
    struct place *p = *state;
    struct run x;
    const char *first, *second;
    const struct git_file files[] = {{"role.json", "{}"}, {"vars/MASTER.json", "{\"A\":1}"}};
    CLEANUP(buf_release) struct buf text = BUF_INIT(1000);

    make_master(p, "master");
    (void)sh(p, "git clone -q --mirror master slave");
    run_open(&x, p, "master", "slave");
    assert_ok(p, git_commit_files(x.source, NULL, files, 2, "SLAVE", (struct wall){1700000000},
                                  p->arena, &first, &p->err));
    (void)add(&x, GIT_MARKER_REF, NULL, first);
    push_ok(&x);
    all_done(&x);
    x.seen = list(p, x.remote);
    assert_string_equal(x.seen.marker, first);

    assert_ok(p, git_commit_files(x.source, first, files, 1, "MASTER", (struct wall){1700000001},
                                  p->arena, &second, &p->err));
    x.push.n = 0;
    x.push.marker = first;
    (void)add(&x, GIT_MARKER_REF, first, second);
    push_ok(&x);
    all_done(&x);
    assert_string_equal(sh(p, "git -C slave log --format=%%s refs/mirrorctl/role"),
                        "MASTER\nSLAVE");
    assert_ok(p, git_remote_read_file(x.remote, x.source, GIT_MARKER_REF, first, "vars/MASTER.json",
                                      &text, &p->err));
    assert_string_equal(buf_str(&text), "{\"A\":1}");
    assert_in_step(p, "master", "slave");
    run_close(&x);
}

static void many_refs(void **state)
{
    struct place *p = *state;
    struct run x;
    struct git_command *commands = mem_alloc(3000 * sizeof(*commands));

    make_master(p, "master");
    (void)sh(p, "mk slave; cd master; o=$(git rev-parse main); for i in $(seq 1 2500); do "
                "echo create refs/heads/many/$i $o; done | git update-ref --stdin");
    run_open(&x, p, "master", "slave");
    static const char *const ALL[] = {"refs/heads/*", "refs/tags/*", NULL};
    struct ref_policy policy = {.include = ALL};
    struct view view;
    view_init(&view, p->arena);
    assert_ok(p, git_source_refs(x.source, &policy, &view, &p->err));
    x.push.commands = commands;
    for (size_t i = 0; i < view.n; i++)
        commands[i] =
            (struct git_command){.ref = view.items[i].name, .new_oid = view.items[i].value};
    x.push.n = view.n;
    assert_int_equal(view.n, 2504);
    push_ok(&x);
    for (size_t i = 0; i < x.push.n; i++)
        assert_int_equal(commands[i].result, GIT_DONE);
    assert_in_step(p, "master", "slave");
    run_close(&x);
    free(commands);
}

int main(void)
{
#define PUSH_TEST(f) cmocka_unit_test_setup_teardown(f, place_setup, unwrap_teardown)
    const struct CMUnitTest tests[] = {
        PUSH_TEST(fills_an_empty_slave),
        PUSH_TEST(advances_forces_and_deletes),
        PUSH_TEST(deletes_alone_need_no_pack),
        PUSH_TEST(deletes_with_marker),
        PUSH_TEST(a_new_branch_on_known_commits),
        PUSH_TEST(a_lost_lease_is_stale),
        PUSH_TEST(a_ref_made_meanwhile_is_stale),
        PUSH_TEST(a_marker_that_moves_refuses_all),
        PUSH_TEST(a_marker_that_moved_before_sends_nothing),
        PUSH_TEST(a_refused_marker_line_is_left_out),
        PUSH_TEST(an_atomic_push_fails_as_a_whole),
        PUSH_TEST(a_hook_says_why),
        PUSH_TEST(names_in_each_others_way),
        PUSH_TEST(a_missing_report_is_made_up_for_by_the_list),
        PUSH_TEST(a_push_without_report_or_effect_is_unknown),
        PUSH_TEST(a_reported_success_that_is_not_there_failed),
        PUSH_TEST(silence_ends_at_the_deadline),
        PUSH_TEST(killed_in_the_pack),
        PUSH_TEST(a_dry_run_pushes_nothing),
        PUSH_TEST(bad_commands_are_refused),
        PUSH_TEST(unchanged_commands_are_not_sent),
        PUSH_TEST(writes_the_marker),
        PUSH_TEST(many_refs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
