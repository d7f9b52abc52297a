/* The quirks of pushes, and of what pushes do to workflows. */
#include "demos.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char repo[] = "backup/standby";

static bool pushes(struct world *w, const char *token, const char *before, const char *after,
                   const char *ref)
{
    char ok[128];
    (void)snprintf(ok, sizeof ok, "ok %s", ref);
    return push_says(w, token, &(struct line){before, after, ref}, 1, ok);
}

/* Takes main back by one commit: what `text` says is then known to the repository but on no branch.
 */
static void forget(struct world *w, const char *path, const char *text, char before[65],
                   char after[65])
{
    tip_of(w, "heads/main", before);
    commit_file(w, "main", path, text);
    tip_of(w, "heads/main", after);
    assert_true(pushes(w, "full", after, before, "refs/heads/main"));
}

static bool hidden_refs(struct world *w)
{
    char tip[65];
    tip_of(w, "heads/main", tip);
    const struct line line = {NULL, tip, "refs/pull/1/head"};
    bool refused = push_says(w, "full", &line, 1, "ng refs/pull/1/head deny updating a hidden ref");
    char *advert = advertised(w, "full", repo);
    bool hidden = strstr(advert, "refs/pull/1/head") == NULL;
    free(advert);
    return refused && hidden;
}

static bool workflow_scope(struct world *w)
{
    char before[65], after[65];
    forget(w, ".github/workflows/a.yml", "on: push\n", before, after);
    const struct line line = {NULL, after, "refs/heads/b"};
    bool refused =
        push_says(w, "plain", &line, 1,
                  "ng refs/heads/b refusing to allow a Personal Access Token to create or update "
                  "workflow `.github/workflows/a.yml` without `workflow` scope");
    if (!pushes(w, "full", NULL, after, "refs/heads/c"))
        return false;
    return refused &&
           pushes(w, "plain", NULL, after, "refs/heads/d"); /* now a branch has that very content */
}

static bool keep_default(struct world *w)
{
    char tip[65];
    tip_of(w, "heads/main", tip);
    const struct line line = {tip, NULL, "refs/heads/main"};
    return push_says(w, "full", &line, 1,
                     "ng refs/heads/main refusing to delete the current branch: refs/heads/main");
}

static bool check_noop(struct world *w)
{
    char old[65], tip[65];
    tip_of(w, "heads/main", old);
    commit_file(w, "main", "x", "x");
    tip_of(w, "heads/main", tip);
    const struct line lines[] = {{old, old, "refs/heads/main"}, {NULL, tip, "refs/heads/b"}};
    struct pushed p = {0};
    push(w, &p, "full", repo, "report-status atomic", lines, 2);
    bool refused = strstr(p.report, "ng refs/heads/main failed to update ref") != NULL &&
                   strstr(p.report, "ng refs/heads/b atomic push failure") != NULL;
    pushed_drop(&p);
    return refused;
}

static bool moved_message(struct world *w)
{
    char tip[65];
    tip_of(w, "heads/main", tip);
    assert_true(hub_repo_rename(w->h, repo, "backup/renamed"));
    const struct line line = {NULL, tip, "refs/heads/b"};
    struct pushed p = {0};
    push(w, &p, "full", repo, NULL, &line, 1);
    bool ok = strstr(p.report, "ok refs/heads/b") != NULL;
    bool told = strstr(p.report, "This repository moved. Please use the new location:\n  "
                                 "http://hub.test/backup/renamed.git") != NULL;
    pushed_drop(&p);
    return ok && told;
}

static bool first_default(struct world *w)
{
    char tip[65];
    struct answer a = {0};
    tip_of(w, "heads/main", tip);
    assert_true(hub_repo_add(
                    w->h, &(struct hub_repo){.name = "backup/new", .default_branch = "trunk"}) > 0);
    char *from = hub_repo_dir(w->h, repo), *to = hub_repo_dir(w->h, "backup/new"), alternates[300],
         line[300];
    (void)snprintf(alternates, sizeof alternates, "%s/objects/info/alternates", to);
    (void)snprintf(line, sizeof line, "%s/objects\n", from);
    FILE *f = fopen(alternates, "we");
    assert_non_null(f);
    assert_true(fputs(line, f) >= 0 && fclose(f) == 0);
    free(from);
    free(to);
    const struct line lines[] = {{NULL, tip, "refs/heads/zulu"}, {NULL, tip, "refs/heads/alpha"}};
    struct pushed p = {0};
    push(w, &p, "full", "backup/new", NULL, lines, 2);
    pushed_drop(&p);
    ask(w, &a, "full", "GET", "/repos/backup/new", NULL, NULL);
    bool first = strcmp(text_of(&a, "default_branch"), "alpha") == 0;
    answer_drop(&a);
    return first;
}

static bool push_events(struct world *w)
{
    char tip[65];
    commit_file(w, "main", ".github/workflows/t.yml", "on:\n  push:\n    tags: ['v*']\n");
    tip_of(w, "heads/main", tip);
    const struct line three[] = {
        {NULL, tip, "refs/tags/v1"}, {NULL, tip, "refs/tags/v2"}, {NULL, tip, "refs/tags/v3"}};
    const struct line four[] = {{NULL, tip, "refs/tags/v4"},
                                {NULL, tip, "refs/tags/v5"},
                                {NULL, tip, "refs/tags/v6"},
                                {NULL, tip, "refs/tags/v7"}};
    assert_true(push_says(w, "full", three, 3, "ok refs/tags/v3"));
    assert_int_equal(hub_run_count(w->h, repo, "push"), 3);
    assert_true(push_says(w, "full", four, 4, "ok refs/tags/v7"));
    return hub_run_count(w->h, repo, "push") == 3;
}

static bool bot_silent(struct world *w)
{
    char before[65], after[65];
    commit_file(w, "main", ".github/workflows/p.yml", "on: push\n");
    size_t n = hub_run_count(w->h, repo, "push");
    forget(w, "x", "x", before, after);
    size_t more = hub_run_count(w->h, repo, "push");
    assert_true(more > n); /* a person's push starts it */
    assert_true(pushes(w, "job", before, after, "refs/heads/main"));
    return hub_run_count(w->h, repo, "push") == more;
}

static bool max_ref_updates(struct world *w)
{
    char tip[65], now[65];
    tip_of(w, "heads/main", tip);
    const struct line lines[] = {{NULL, tip, "refs/heads/a"}, {NULL, tip, "refs/heads/b"}};
    bool refused = push_says(w, "full", lines, 2,
                             "maximum ref updates exceeded: 2 commands sent but max allowed is 1");
    tip_of(w, "heads/a", now);
    return refused && now[0] == '\0';
}

static bool file_limit(struct world *w)
{
    char before[65], after[65];
    forget(w, "large.bin", "0123456789012345678901234567890123456789", before, after);
    const struct line line = {NULL, after, "refs/heads/b"};
    return push_says(w, "full", &line, 1, "GH001: Large files detected") &&
           push_says(w, "full", &line, 1, "ng refs/heads/b pre-receive hook declined");
}

static bool ghosts(struct world *w)
{
    char before[65], after[65];
    forget(w, ".github/workflows/g.yml", "on: push\n", before, after);
    char *state = hub_workflow_get(w->h, repo, "g.yml");
    bool ghost = state != NULL && strcmp(state, "active") == 0;
    free(state);
    return ghost;
}

static bool other_branches(struct world *w)
{
    char before[65], after[65];
    assert_true(hub_quirk_set(w->h, "ghosts", 0)); /* so that the row goes with main */
    forget(w, ".github/workflows/o.yml", "on: push\n", before, after);
    assert_true(pushes(w, "full", NULL, after, "refs/heads/side"));
    char *state = hub_workflow_get(w->h, repo, "o.yml");
    bool seen = state != NULL;
    free(state);
    return seen;
}

const struct demo git_demos[] = {
    {"hidden-refs", 1, hidden_refs},
    {"workflow-scope", 1, workflow_scope},
    {"keep-default", 1, keep_default},
    {"check-noop", 1, check_noop},
    {"moved-message", 1, moved_message},
    {"first-default", 1, first_default},
    {"push-events", 1, push_events},
    {"bot-silent", 1, bot_silent},
    {"max-ref-updates", 1, max_ref_updates},
    {"file-limit", 32, file_limit},
    {"ghosts", 1, ghosts},
    {"other-branches", 1, other_branches},
};
const size_t n_git_demos = sizeof git_demos / sizeof git_demos[0];
