/* Slaves over every transport: a path, ssh (a stand-in that runs the command here), and smart HTTP
 * (git's own http-backend behind the http room's seam). */
#include "fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAIN "refs/heads/main"

/* ---- Smart HTTP without a socket ----------------------------------------------------------------
 */

struct server {
    struct place *p;
    int status;       /* answered to everything when not 0 */
    const char *type; /* then with this type */
    const char *text; /* and this body */
    int lists, posts;
    bool lose_answer; /* the work is done, the connection breaks then */
};

static enum err_code set_reply(struct http_exchange *x, int status, const char *type,
                               const char *body, size_t n, struct err *e)
{
    x->reply_status = status;
    TRY(buf_addf(&x->reply_headers, e, "Content-Type: %s\r\n", type));
    return buf_add(&x->reply_body, body, n, e);
}

static const char *header(struct place *p, const struct http_exchange *x, const char *name)
{
    for (size_t i = 0; x->headers != NULL && x->headers[i] != NULL; i++) {
        const char *colon = strchr(x->headers[i], ':');
        char *key = arena_strndup(p->arena, x->headers[i], (size_t)(colon - x->headers[i]));
        if (str_eq_nocase(key, name))
            return colon + 1 + strspn(colon + 1, " ");
    }
    return "";
}

static enum err_code run_backend(struct server *s, struct http_exchange *x, struct err *e)
{
    struct arena *a = s->p->arena;
    CLEANUP(child_result_release) struct child_result r = child_result_init(64 << 20);
    const char *path = strchr(strstr(x->url, "://") + 3, '/'), *query = strchr(path, '?');
    const char *argv[] = {"git", "http-backend", NULL};
    const char *env[] = {arena_printf(a, "GIT_PROJECT_ROOT=%s", s->p->dir),
                         "GIT_HTTP_EXPORT_ALL=1",
                         "REMOTE_USER=tester",
                         arena_printf(a, "REQUEST_METHOD=%s", x->method),
                         arena_printf(a, "PATH_INFO=%.*s",
                                      (int)(query == NULL ? strlen(path) : (size_t)(query - path)),
                                      path),
                         arena_printf(a, "QUERY_STRING=%s", query == NULL ? "" : query + 1),
                         arena_printf(a, "CONTENT_TYPE=%s", header(s->p, x, "Content-Type")),
                         arena_printf(a, "CONTENT_LENGTH=%zu", x->body_len),
                         NULL};
    struct child_spec spec = CHILD_SPEC_INIT;

    spec.argv = argv;
    spec.env = env;
    spec.stdin_bytes = x->body == NULL ? "" : x->body;
    spec.stdin_len = x->body_len;
    spec.deadline.v = 30000;
    TRY(child_run(&spec, &r, e));
    const char *body = strstr(buf_str(&r.out), "\r\n\r\n");
    assert_non_null(body);
    const char *status = strstr(buf_str(&r.out), "Status: ");
    x->reply_status = status != NULL && status < body ? atoi(status + 8) : 200;
    TRY(buf_add(&x->reply_headers, r.out.data, (size_t)(body + 2 - r.out.data), e));
    return buf_add(&x->reply_body, body + 4, r.out.len - (size_t)(body + 4 - r.out.data), e);
}

static enum err_code serve(void *ctx, struct http_exchange *x, struct err *e)
{
    struct server *s = ctx;

    if (str_eq(x->method, "POST"))
        s->posts++;
    else
        s->lists++;
    if (s->status != 0)
        return set_reply(x, s->status, s->type, s->text, strlen(s->text), e);
    TRY(run_backend(s, x, e));
    if (s->lose_answer && str_eq(x->method, "POST"))
        return err_set(e, ERR_UNAVAILABLE, "connection lost");
    return ERR_OK;
}

struct web {
    struct server server;
    struct secret *token;
    struct http *http;
    struct git_remote *remote;
};

static void web_open(struct web *w, struct place *p, const char *name)
{
    *w = (struct web){.server = {.p = p}};
    assert_ok(p, secrets_init(&p->err));
    w->token = secret_new("s3cret", 6);
    struct http_config cfg = {
        .user_agent = "test", .transport = serve, .transport_ctx = &w->server, .write_gap = {0}};
    assert_ok(p, http_new(&cfg, &w->http, &p->err));
    const char *url = arena_printf(p->arena, "https://git.example.com/%s", name);
    struct git_remote_spec spec = {
        .url = url,
        .credential = {.token = w->token},
        .http = w->http,
        .lane = http_lane(w->http, w->token, "https://git.example.com"),
    };
    assert_ok(p, git_remote_new(&spec, &w->remote, &p->err));
}

static void web_close(struct web *w)
{
    git_remote_free(w->remote);
    http_free(w->http);
    secret_free(w->token);
}

static struct git_push push_main(struct place *p, struct git_source *s, struct git_command *c,
                                 const struct git_refs *seen)
{
    *c = (struct git_command){
        .ref = MAIN, .old_oid = value(seen, MAIN), .new_oid = git_source_oid(s, MAIN)};
    return (struct git_push){.commands = c, .n = 1, .seen = seen, .arena = p->arena};
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static void pushes_over_http(void **state)
{
    struct place *p = *state;
    struct web w;
    struct git_command c;

    make_master(p, "master");
    (void)sh(p, "mk slave; git -C slave config http.receivepack true");
    struct git_source *s = open_source(p, "master");
    web_open(&w, p, "slave");
    struct git_refs seen = list(p, w.remote);
    assert_true(seen.empty && seen.atomic && seen.side_band);
    struct git_push push = push_main(p, s, &c, &seen);
    assert_ok(p, git_push(w.remote, s, &push, &p->err));
    assert_int_equal(c.result, GIT_DONE);
    assert_int_equal(w.server.lists, 2); /* before and after */
    assert_int_equal(w.server.posts, 1);
    assert_string_equal(sh(p, "git -C slave rev-parse main"), c.new_oid);
    (void)sh(p, "git -C slave fsck");
    web_close(&w);
    git_source_free(s);
}

static void a_lost_answer_is_made_up_for(void **state)
{
    struct place *p = *state;
    struct web w;
    struct git_command c;

    make_master(p, "master");
    (void)sh(p, "mk slave; git -C slave config http.receivepack true");
    struct git_source *s = open_source(p, "master");
    web_open(&w, p, "slave");
    struct git_refs seen = list(p, w.remote);
    struct git_push push = push_main(p, s, &c, &seen);
    w.server.lose_answer = true;
    assert_ok(p, git_push(w.remote, s, &push, &p->err));
    assert_int_equal(c.result, GIT_DONE);
    web_close(&w);
    git_source_free(s);
}

static void http_errors_have_meanings(void **state)
{
    struct place *p = *state;
    static const struct {
        int status;
        const char *type, *text;
        enum err_code code;
        const char *word;
    } ROWS[] = {
        {403, "text/plain", "remote: Permission to o/r.git denied to u.", ERR_PERMISSION,
         "denied to u"},
        {404, "text/plain", "Repository not found.", ERR_NOT_FOUND, "git.example.com/slave"},
        {200, "text/html", "<html>", ERR_INVALID, "text/html"},
        {200, "application/x-git-receive-pack-advertisement", "rubbish", ERR_INVALID,
         "git.example.com/slave"},
        {451, "text/html", "", ERR_PERMISSION, "legal"},
        {401, "text/plain", "no", ERR_AUTH, ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct web w;
        struct git_refs refs;
        web_open(&w, p, "slave");
        w.server.status = ROWS[i].status;
        w.server.type = ROWS[i].type;
        w.server.text = ROWS[i].text;
        assert_fails(p, git_remote_list(w.remote, p->arena, &refs, &p->err), ROWS[i].code,
                     ROWS[i].word);
        web_close(&w);
    }
}

/* Turned away at the door: nothing was done, and nobody says otherwise. */
static void a_refused_post_did_nothing(void **state)
{
    struct place *p = *state;
    struct web w;
    struct git_command c;

    make_master(p, "master");
    (void)sh(p, "mk slave; git -C slave config http.receivepack true");
    struct git_source *s = open_source(p, "master");
    web_open(&w, p, "slave");
    struct git_refs seen = list(p, w.remote);
    struct git_push push = push_main(p, s, &c, &seen);
    w.server.status = 403;
    w.server.type = "text/plain";
    w.server.text = "This repository was archived so it is read-only.";
    assert_fails(p, git_push(w.remote, s, &push, &p->err), ERR_PERMISSION, "archived");
    assert_int_equal(c.result, GIT_NOT_SENT);
    web_close(&w);
    git_source_free(s);
}

/* An ssh that checks its options and runs the command on this machine. */
static void make_ssh(struct place *p, const char *body)
{
    static char path[8192];
    const char *old = getenv("PATH");

    (void)sh(p,
             "mkdir -p bin; printf '%%s\\n' '#!/bin/sh' 'echo \"$*\" >>%s/ssh.log' >bin/ssh;"
             "cat >>bin/ssh <<'END'\n%s\nEND\nchmod +x bin/ssh",
             p->dir, body);
    if (!str_starts_with(old, p->dir)) {
        (void)snprintf(path, sizeof(path), "%s/bin:%s", p->dir, old);
        (void)setenv("PATH", path, 1);
    }
}

static int ssh_teardown(void **state)
{
    struct place *p = *state;
    const char *path = getenv("PATH");

    if (str_starts_with(path, p->dir)) {
        char *rest = mem_strdup(strchr(path, ':') + 1);
        (void)setenv("PATH", rest, 1);
        free(rest);
    }
    return place_teardown(state);
}

#define RUN_IT "for last; do :; done; exec sh -c \"$last\""

static struct git_remote *ssh_remote(struct place *p, const char *name)
{
    struct git_remote *r;
    struct git_remote_spec spec = {
        .url = arena_printf(p->arena, "ssh://git@example.com:2222%s/%s", p->dir, name),
        .credential = {.ssh_key = "/keys/my key"},
    };
    assert_ok(p, git_remote_new(&spec, &r, &p->err));
    return r;
}

static void pushes_over_ssh(void **state)
{
    struct place *p = *state;
    struct git_command c;
    CLEANUP(buf_release) struct buf text = BUF_INIT(1000);

    make_master(p, "master");
    (void)sh(p, "mk 'sla ve'; commit 'sla ve' refs/mirrorctl/role marker");
    make_ssh(p, RUN_IT);
    struct git_source *s = NULL;
    struct git_source_spec spec = {.url =
                                       arena_printf(p->arena, "git@example.com:%s/master", p->dir),
                                   .cache_dir = at(p, "cache")};
    assert_ok(p, git_source_open(&spec, &s, &p->err));
    struct git_remote *r = ssh_remote(p, "sla%20ve");
    struct git_refs seen = list(p, r);
    struct git_push push = push_main(p, s, &c, &seen);
    push.marker = seen.marker;
    assert_ok(p, git_push(r, s, &push, &p->err));
    assert_int_equal(c.result, GIT_DONE);
    assert_ok(p, git_remote_read_file(r, s, GIT_MARKER_REF, seen.marker, "file", &text, &p->err));
    assert_string_equal(buf_str(&text), "marker");
    (void)sh(
        p, "grep -q -- '-oBatchMode=yes' ssh.log; grep -q -- '-oStrictHostKeyChecking=yes' ssh.log;"
           "grep -q -- '-i /keys/my key .*-p 2222 -- git@example.com git-receive-pack' ssh.log;"
           "grep -q -- '-i /keys/my key .*-p 2222 git@example.com git-upload-pack' ssh.log");
    git_remote_free(r);
    git_source_free(s);
}

static void ssh_errors_have_meanings(void **state)
{
    struct place *p = *state;
    static const struct {
        const char *script;
        enum err_code code;
        const char *word;
    } ROWS[] = {
        {"echo 'git@example.com: Permission denied (publickey).' >&2; exit 255", ERR_AUTH,
         "publickey"},
        {"echo 'Host key verification failed.' >&2; exit 255", ERR_REFUSED, "known_hosts"},
        {"echo 'ssh: Could not resolve hostname x: Name or service not known' >&2; exit 255",
         ERR_UNAVAILABLE, "resolve"},
        {"echo 'ERROR: Repository not found.' >&2; exit 1", ERR_NOT_FOUND, "not found"},
        {"echo 'ERROR: Permission to o/r.git denied to u.' >&2; exit 1", ERR_PERMISSION,
         "denied to u"},
        {"exit 3", ERR_UNAVAILABLE, "status 3"},
        {"echo 'Welcome to the machine'", ERR_INVALID, "protocol"},
        {"printf '003fERR Repository not found'; printf '%40s'", ERR_NOT_FOUND, "example.com"},
    };

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        struct git_refs refs;
        make_ssh(p, ROWS[i].script);
        struct git_remote *r = ssh_remote(p, "slave");
        assert_fails(p, git_remote_list(r, p->arena, &refs, &p->err), ROWS[i].code, ROWS[i].word);
        git_remote_free(r);
    }
}

static void hears_of_a_move(void **state)
{
    struct place *p = *state;

    (void)sh(p, "mk slave");
    make_ssh(p, "echo 'remote: This repository moved. Please use the new location:' >&2;"
                "echo 'remote:   git@example.com:o/new.git' >&2;" RUN_IT);
    struct git_remote *r = ssh_remote(p, "slave");
    struct git_refs refs = list(p, r);
    assert_string_equal(refs.moved_to, "git@example.com:o/new.git");
    git_remote_free(r);
}

static void reads_files_of_the_marker(void **state)
{
    struct place *p = *state;
    CLEANUP(buf_release) struct buf text = BUF_INIT(100);
    CLEANUP(buf_release) struct buf small = BUF_INIT(3);

    make_master(p, "master");
    (void)sh(p, "mk slave; commit slave refs/mirrorctl/role hello");
    struct git_source *s = open_source(p, "master");
    struct git_remote *r = open_remote(p, "slave");
    struct git_refs refs = list(p, r);
    assert_non_null(refs.marker);
    assert_fails(p,
                 git_remote_read_file(r, s, GIT_MARKER_REF, refs.marker, "file", &small, &p->err),
                 ERR_LIMIT, "larger");
    assert_ok(p, git_remote_read_file(r, s, GIT_MARKER_REF, refs.marker, "file", &text, &p->err));
    assert_string_equal(buf_str(&text), "hello");
    assert_fails(p, git_remote_read_file(r, s, GIT_MARKER_REF, refs.marker, "none", &text, &p->err),
                 ERR_NOT_FOUND, "none");
    /* It is kept: the slave is not asked again. */
    (void)sh(p, "mv slave away");
    assert_ok(p, git_remote_read_file(r, s, GIT_MARKER_REF, refs.marker, "file", &text, &p->err));
    (void)sh(p, "mv away slave; commit slave refs/mirrorctl/role other");
    assert_fails(p,
                 git_remote_read_file(r, s, GIT_MARKER_REF,
                                      "1111111111111111111111111111111111111111", "file", &text,
                                      &p->err),
                 ERR_CONFLICT, "moved");
    assert_fails(p,
                 git_remote_read_file(r, s, "refs/mirrorctl/none",
                                      "2222222222222222222222222222222222222222", "file", &text,
                                      &p->err),
                 ERR_CONFLICT, "none");
    git_remote_free(r);
    git_source_free(s);
}

static void paths_that_are_no_slaves(void **state)
{
    struct place *p = *state;
    struct git_refs refs;
    struct git_remote *r = NULL;

    (void)sh(p, "mkdir empty");
    r = open_remote(p, "empty");
    assert_fails(p, git_remote_list(r, p->arena, &refs, &p->err), ERR_NOT_FOUND, "empty");
    git_remote_free(r);
    r = open_remote(p, "none");
    assert_fails(p, git_remote_list(r, p->arena, &refs, &p->err), ERR_NOT_FOUND, "none");
    git_remote_free(r);
    struct git_remote_spec spec = {.url = "https://example.com/o/r"};
    assert_fails(p, git_remote_new(&spec, &r, &p->err), ERR_USAGE, "http engine");
    spec.url = "https://u:p@example.com/o/r";
    assert_fails(p, git_remote_new(&spec, &r, &p->err), ERR_USAGE, "password");
}

static void sha256_slaves_are_listed_but_not_pushed_to(void **state)
{
    struct place *p = *state;
    struct git_command c;

    make_master(p, "master");
    (void)sh(p, "git init -q --bare --object-format=sha256 wide; cd wide;"
                "git update-ref " MAIN " $(git commit-tree -m x $(git mktree </dev/null))");
    struct git_source *s = open_source(p, "master");
    struct git_remote *r = open_remote(p, "wide");
    struct git_refs seen = list(p, r);
    assert_string_equal(seen.object_format, "sha256");
    assert_int_equal(seen.n, 1);
    struct git_push push = push_main(p, s, &c, &seen);
    c.old_oid = NULL;
    assert_fails(p, git_push(r, s, &push, &p->err), ERR_REFUSED, "sha256");
    git_remote_free(r);
    git_source_free(s);
}

/* ---- One pack for all --------------------------------------------------------------------------
 */

struct worker {
    struct place *p;
    struct git_source *source;
    const char *slave;
    struct arena *arena;
    enum git_result result;
    pthread_t thread;
};

static void *work(void *ctx)
{
    struct worker *w = ctx;
    struct git_remote *r = NULL;
    struct err e = ERR_INIT;
    struct git_refs seen;
    struct git_remote_spec spec = {.url = w->slave};
    struct git_command c = {.ref = MAIN, .new_oid = git_source_oid(w->source, MAIN)};
    struct git_push push = {.commands = &c, .n = 1, .seen = &seen, .arena = w->arena};

    if (git_remote_new(&spec, &r, &e) == ERR_OK &&
        git_remote_list(r, w->arena, &seen, &e) == ERR_OK &&
        git_push(r, w->source, &push, &e) == ERR_OK)
        w->result = c.result;
    git_remote_free(r);
    return NULL;
}

static void slaves_share_one_pack(void **state)
{
    enum { SLAVES = 6 };
    struct place *p = *state;
    struct worker workers[SLAVES];

    make_master(p, "master");
    make_ssh(p, "");
    (void)sh(
        p,
        "for i in 0 1 2 3 4 5; do mk slave$i; commit slave$i refs/mirrorctl/role own$i; done;"
        "printf '#!/bin/sh\\ncase \"$*\" in *pack-objects\\ --revs*) echo x >>%s/packs;; esac\\n"
        "exec /usr/bin/git \"$@\"\\n' >bin/git; chmod +x bin/git",
        p->dir);
    struct git_source *s = open_source(p, "master");
    for (size_t i = 0; i < SLAVES; i++) {
        workers[i] = (struct worker){
            .p = p,
            .source = s,
            .slave = arena_printf(p->arena, "%s/slave%zu", p->dir, i),
            .arena = arena_new(),
        };
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < SLAVES; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].result, GIT_DONE);
        arena_free(workers[i].arena);
        (void)sh(p,
                 "git -C slave%zu fsck; test $(git -C slave%zu rev-parse main) = "
                 "$(git -C master rev-parse main)",
                 i, i);
    }
    assert_string_equal(sh(p, "wc -l <packs"), "1");
    git_source_free(s);
}

int main(void)
{
#define REMOTE_TEST(f) cmocka_unit_test_setup_teardown(f, place_setup, ssh_teardown)
    const struct CMUnitTest tests[] = {
        REMOTE_TEST(pushes_over_http),
        REMOTE_TEST(a_lost_answer_is_made_up_for),
        REMOTE_TEST(http_errors_have_meanings),
        REMOTE_TEST(a_refused_post_did_nothing),
        REMOTE_TEST(pushes_over_ssh),
        REMOTE_TEST(ssh_errors_have_meanings),
        REMOTE_TEST(hears_of_a_move),
        REMOTE_TEST(reads_files_of_the_marker),
        REMOTE_TEST(paths_that_are_no_slaves),
        REMOTE_TEST(sha256_slaves_are_listed_but_not_pushed_to),
        REMOTE_TEST(slaves_share_one_pack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
