#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HUB_URL "http://127.0.0.1:9"

static const char default_manifest[] =
    "version: 1\n"
    "github: {url: \"%U\"}\n"
    "master:\n"
    "  repo: " MASTER "\n"
    "  token: {env: TEST_MASTER_TOKEN}\n"
    "  source: \"%R\"\n"
    "secrets: {names: [A_SECRET, B_SECRET]}\n"
    "variables:\n"
    "  - {name: MASTER_REPO, value: \"${master.repo}\"}\n"
    "  - {name: MODE, value: \"mock\", in: {TEMPORARY_MASTER: \"live\"}}\n"
    "slaves:\n"
    "  - {id: one, type: github, repo: " SLAVE ", token: {env: TEST_SLAVE_TOKEN}}\n"
    "  - {id: two, type: github, repo: " OTHER ", token: {env: TEST_SLAVE_TOKEN}}\n";

/* ---- git ------------------------------------------------------------------------------------------ */

static char *run(const char *format, ...) PRINTF_LIKE(1, 2);
static char *run(const char *format, ...)
{
    char command[8192];
    va_list ap;
    va_start(ap, format);
    vsnprintf(command, sizeof command, format, ap);
    va_end(ap);
    const char *argv[] = {"sh", "-c", command, NULL};
    struct child_spec spec = CHILD_SPEC_INIT;
    spec.argv = argv;
    spec.deadline = (struct ms){60000};
    struct child_result r = child_result_init(16 << 20);
    struct err e = ERR_INIT;
    if (child_run(&spec, &r, &e) != ERR_OK || r.status != 0)
        fail_msg("%s: status %d: %s %s", command, r.status, e.text, buf_str(&r.err));
    char *out = mem_strdup(buf_str(&r.out));
    size_t n = strlen(out);
    while (n > 0 && out[n - 1] == '\n')
        out[--n] = '\0';
    child_result_release(&r);
    return out;
}

static const char *last_output(char *fresh)
{
    static char *kept;
    free(kept);
    kept = fresh;
    return kept;
}

const char *world_git(struct world *w, const char *arguments)
{
    return last_output(run("git -C '%s' %s", w->clone, arguments));
}

const char *world_hub_git(struct world *w, const char *repo, const char *arguments)
{
    char *dir = hub_repo_dir(w->hub, repo);
    assert_non_null(dir);
    char *out = run("git -C '%s' %s", dir, arguments);
    free(dir);
    return last_output(out);
}

#define IDENTITY                                                                                   \
    "GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@example.org GIT_COMMITTER_NAME=t "                       \
    "GIT_COMMITTER_EMAIL=t@example.org"

void world_commit(struct world *w, const char *branch, const char *path, const char *content)
{
    free(run("set -e; t=$(mktemp -d '%s/w.XXXX'); git clone -q '%s' \"$t\"; cd \"$t\"; "
             "git checkout -q '%s' 2>/dev/null || git checkout -q -b '%s'; "
             "mkdir -p \"$(dirname '%s')\"; printf '%%s\\n' '%s' > '%s'; git add .; "
             IDENTITY " git commit -q -m 'change %s'; git push -q origin HEAD; rm -rf \"$t\"",
             w->dir, w->clone, branch, branch, path, content, path, path));
}

static void make_master(struct world *w)
{
    free(run("set -e; git init -q -b main '%s/seed'; cd '%s/seed'; mkdir -p .github/workflows; "
             "for f in cron deploy-site test sentinel; do "
             "printf 'name: %%s\\non: [push, workflow_dispatch]\\njobs: {a: {runs-on: x, steps: []}}\\n' $f "
             "> .github/workflows/$f.yml; done; "
             "for i in 1 2 3 4 5; do echo $i > file; git add .; " IDENTITY
             " git commit -q -m \"commit $i\"; done; "
             "git branch dev HEAD~2; git tag v1 HEAD~3; " IDENTITY " git tag -a -m annotated v2; "
             "git clone -q --bare '%s/seed' '%s'; rm -rf '%s/seed'",
             w->dir, w->dir, w->dir, w->clone, w->dir));
}

/* ---- The world ------------------------------------------------------------------------------------ */

static enum err_code through_hub(void *ctx, struct http_exchange *x, struct err *e)
{
    struct world *w = ctx;
    struct hub_header head[64];
    char *copies[64] = {NULL};
    size_t n = 0;
    for (; x->headers != NULL && x->headers[n] != NULL && n < 64; n++) {
        copies[n] = mem_strdup(x->headers[n]);
        char *colon = strchr(copies[n], ':');
        *colon++ = '\0';
        head[n] = (struct hub_header){copies[n], colon + strspn(colon, " ")};
    }
    struct hub_request q = {.method = x->method,
                            .path = strchr(x->url + strlen("http://"), '/'),
                            .host = "127.0.0.1:9",
                            .headers = head,
                            .n_headers = n,
                            .body = x->body,
                            .body_len = x->body_len};
    struct hub_reply a = {0};
    hub_handle(w->hub, &q, &a);
    for (size_t i = 0; i < n; i++)
        free(copies[i]);
    enum err_code r = ERR_OK;
    if (a.kind != HUB_ANSWER || a.sent_len < a.declared_len)
        r = err_set(e, ERR_UNAVAILABLE, "connection lost");
    x->reply_status = a.status;
    for (size_t i = 0; r == ERR_OK && i < a.n_headers; i++)
        r = buf_addf(&x->reply_headers, e, "%s: %s\r\n", a.headers[i].name, a.headers[i].value);
    if (r == ERR_OK)
        r = buf_add(&x->reply_body, a.body, a.body_len, e);
    hub_reply_release(&a);
    return r;
}

static void add_accounts(struct world *w)
{
    static const char *const users[] = {"acme", "backup", "rescue"};
    for (size_t i = 0; i < ARRAY_LEN(users); i++)
        assert_true(hub_user_add(w->hub, users[i]));
    struct hub_token t = {.text = "ghp_mastermastermastermastermastermas00",
                          .kind = HUB_CLASSIC,
                          .user = "acme",
                          .scopes = "repo workflow"};
    assert_true(hub_token_add(w->hub, &t));
    t.text = SLAVE_TOKEN;
    t.user = "backup";
    assert_true(hub_token_add(w->hub, &t));
}

static void add_repositories(struct world *w)
{
    struct hub_repo master = {.name = MASTER, .is_private = true, .from = w->clone};
    struct hub_repo slave = {.name = SLAVE, .is_private = true};
    struct hub_repo other = {.name = OTHER, .is_private = true};
    assert_true(hub_repo_add(w->hub, &master) > 0);
    assert_true(hub_repo_add(w->hub, &slave) > 0);
    assert_true(hub_repo_add(w->hub, &other) > 0);
    assert_true(hub_repo_collaborator(w->hub, OTHER, "backup", "admin"));
}

struct world *world_new(void)
{
    struct world *w = mem_alloc(sizeof *w);
    char template[] = "/tmp/mirrorctl-scenario.XXXXXX";
    assert_non_null(mkdtemp(template));
    w->dir = mem_strdup(template);
    w->clone = run("echo '%s/master.git'", w->dir);
    w->state = run("echo '%s/state'", w->dir);
    make_master(w);
    char *root = run("echo '%s/hub'", w->dir);
    w->hub = hub_new(&(struct hub_options){.root = root});
    free(root);
    assert_non_null(w->hub);
    add_accounts(w);
    add_repositories(w);
    setenv("TEST_MASTER_TOKEN", "ghp_mastermastermastermastermastermas00", 1);
    setenv("TEST_SLAVE_TOKEN", SLAVE_TOKEN, 1);
    setenv("A_SECRET", CANARY, 1);
    setenv("B_SECRET", "two\nlines", 1);
    for (enum layer l = 0; l < LAYER_COUNT; l++)
        w->only[l] = true;
    world_manifest(w, default_manifest);
    return w;
}

void world_free(struct world *w)
{
    hub_free(w->hub);
    free(run("rm -rf '%s'", w->dir));
    free(w->dir);
    free(w->clone);
    free(w->state);
    free(w->manifest);
    free(w->text);
    last_output(NULL);
    free(w);
}

void world_manifest(struct world *w, const char *yaml)
{
    CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    for (const char *p = yaml; *p != '\0'; p++) {
        bool clone = p[0] == '%' && p[1] == 'R', url = p[0] == '%' && p[1] == 'U';
        if (clone || url)
            assert_int_equal(buf_addstr(&out, clone ? w->clone : HUB_URL, &e), ERR_OK);
        else
            assert_int_equal(buf_add(&out, p, 1, &e), ERR_OK);
        p += clone || url;
    }
    free(w->manifest);
    w->manifest = mem_strdup(buf_str(&out));
}

/* ---- A pass ----------------------------------------------------------------------------------------- */

static struct manifest *load(struct world *w, struct arena *a)
{
    struct manifest *m = NULL;
    struct diagnostics d;
    struct err e = ERR_INIT;
    diagnostics_init(&d, a);
    char *path = run("echo '%s/mirrors.yaml'", w->dir);
    enum err_code r = manifest_parse(arena_strdup(a, path), w->manifest, strlen(w->manifest), a, &m, &d, &e);
    free(path);
    if (r != ERR_OK) {
        CLEANUP(buf_release) struct buf out = BUF_INIT(1 << 20);
        diagnostics_render(&d, false, &out, &e);
        fail_msg("manifest: %s\n%s", e.text, buf_str(&out));
    }
    return m;
}

static void on_action(void *ctx, const char *slave, const struct action *a, const struct err *e,
                      const char *cure)
{
    struct world *w = ctx;
    w->actions_done += act_is_remote(a->act);
    if (e != NULL)
        print_message("%s: %s %s: %s%s%s\n", slave, act_name(a->act), a->name, e->text,
                      cure != NULL ? " -> " : "", cure != NULL ? cure : "");
    if (w->interrupt_after > 0 && w->actions_done >= w->interrupt_after)
        w->interrupted = 1;
}

static void keep_text(struct world *w, const struct pass *p, bool applied)
{
    CLEANUP(buf_release) struct buf out = BUF_INIT(16 << 20);
    struct err e = ERR_INIT;
    struct render_options opt = {.verbose = true, .applied = applied};
    assert_int_equal(plan_render(pass_get_plan(p), &opt, &out, &e), ERR_OK);
    free(w->text);
    w->text = mem_strdup(buf_str(&out));
    w->counts = plan_count(pass_get_plan(p));
}

/* ---- Time: nobody waits ------------------------------------------------------------------------------ */

static struct wall now_wall(void *ctx)
{
    struct world *w = ctx;
    return (struct wall){hub_clock(w->hub) / 1000};
}

static struct mono now_mono(void *ctx)
{
    struct world *w = ctx;
    return (struct mono){w->waited_ms};
}

static void do_not_sleep(void *ctx, struct ms d)
{
    struct world *w = ctx;
    w->waited_ms += d.v;
    hub_clock_advance(w->hub, d.v);
}

static enum err_code steps(struct world *w, const struct pass_options *o, int *code, struct err *e)
{
    CLEANUP(pass_freep) struct pass *p = NULL;
    TRY(pass_begin(o, &p, e));
    TRY(pass_observe(p, e));
    TRY(pass_plan(p, e));
    keep_text(w, p, o->apply);
    if (o->apply) {
        enum err_code r = pass_apply(p, e);
        struct err e2 = ERR_INIT;
        assert_int_equal(pass_finish(p, &e2), ERR_OK);
        TRY(r);
    }
    *code = pass_exit_code(p);
    return ERR_OK;
}

static int pass(struct world *w, bool apply)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct clock clock = {now_wall, now_mono, do_not_sleep, w};
    struct pass_options o = {
        .clock = &clock,
        .manifest = load(w, a),
        .state_dir = w->state,
        .user_agent = "mirrorctl/test",
        .slaves = w->slaves,
        .apply = apply,
        .prune = w->prune,
        .takeover = w->takeover,
        .allow_replaced = w->allow_replaced,
        .workers = 1,
        .interrupted = &w->interrupted,
        .observer = {.action_end = on_action, .ctx = w},
        .transport = through_hub,
        .transport_ctx = w,
    };
    memcpy(o.only, w->only, sizeof o.only);
    int code = -1;
    hub_log_reset(w->hub);
    w->actions_done = 0;
    w->interrupted = 0;
    w->err = (struct err)ERR_INIT;
    if (steps(w, &o, &code, &w->err) != ERR_OK)
        code = w->err.code == ERR_INTERRUPTED ? 130 : err_exit_code(w->err.code);
    hub_counters_get(w->hub, &w->traffic);
    return code;
}

int world_diff(struct world *w)
{
    int code = pass(w, false);
    assert_no_write(w);
    return code;
}

int world_apply(struct world *w)
{
    return pass(w, true);
}

/* ---- Assertions ------------------------------------------------------------------------------------- */

void assert_mirrored(struct world *w, const char *repo)
{
    const char *format = "for-each-ref --format='%(objectname) %(refname)' refs/heads refs/tags";
    char *master = mem_strdup(world_git(w, format));
    assert_string_equal(world_hub_git(w, repo, format), master);
    free(master);
    world_hub_git(w, repo, "fsck --full --strict --no-dangling");
}

void assert_variable(struct world *w, const char *repo, const char *name, const char *value)
{
    char *got = hub_variable_get(w->hub, repo, name);
    if (value == NULL)
        assert_null(got);
    else
        assert_string_equal(got != NULL ? got : "(none)", value);
    free(got);
}

void assert_secret(struct world *w, const char *repo, const char *name, const char *value)
{
    size_t n = 0;
    char *got = hub_secret_get(w->hub, repo, name, &n);
    if (value == NULL)
        assert_null(got);
    else
        assert_string_equal(got != NULL ? got : "(none)", value);
    free(got);
}

void assert_workflow(struct world *w, const char *repo, const char *file, const char *state)
{
    char *got = hub_workflow_get(w->hub, repo, file);
    assert_string_equal(got != NULL ? got : "(none)", state);
    free(got);
}

void assert_no_write(struct world *w)
{
    struct hub_counters c;
    hub_counters_get(w->hub, &c);
    assert_int_equal(c.rest_writes, 0);
    assert_int_equal(c.git_pushes, 0);
}

void assert_no_canary(struct world *w)
{
    /* grep answers 1 when it finds nothing */
    free(run("! grep -rlF -e '" CANARY "' -e '" SLAVE_TOKEN "' '%s'", w->dir));
    if (w->text != NULL) {
        assert_null(strstr(w->text, CANARY));
        assert_null(strstr(w->text, SLAVE_TOKEN));
    }
}

void assert_pass(struct world *w, int code, int expected, const char *file, int line)
{
    if (code != expected)
        print_message("%s\n%s", w->err.text, w->text != NULL ? w->text : "");
    _assert_int_equal((uintmax_t)code, (uintmax_t)expected, file, line);
}
