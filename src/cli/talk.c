/*
 * What a pass says while it runs. stdout: the answer (apply's lines, slave by slave, or JSON
 * events). stderr: one progress line on a terminal, nothing in a pipe.
 */
#include "core.h"

#include "mirrorctl/plan.h"
#include "mirrorctl/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LIMIT_SLAVE_LINES = 16 << 20, LIMIT_EVENT = 1 << 20, PROGRESS_EVERY_MS = 100 };

/* The lines of a slave wait until it is done, so that slaves at work side by side do not mix. */
struct slave_lines {
    const char *slave;
    struct buf text;
};

struct talk {
    const struct cli_options *o;
    struct render_options render;
    bool progress, progress_shown;
    size_t n_slaves, looked, n_lines, cap_lines;
    struct slave_lines *lines;
    struct mono last;
    struct plan_counts done;
    size_t failed;
};

struct talk *talk_new(const struct cli_options *o, size_t n_slaves)
{
    struct talk *t = mem_alloc(sizeof *t);
    t->o = o;
    t->n_slaves = n_slaves;
    t->render = (struct render_options){.color = use_color(o, STDOUT_FILENO),
                                        .verbose = o->verbose,
                                        .width = terminal_width(STDOUT_FILENO),
                                        .applied = true};
    t->progress = !o->quiet && isatty(STDERR_FILENO);
    return t;
}

static void clear_progress(struct talk *t)
{
    if (t->progress_shown)
        fputs("\r\033[K", stderr);
    t->progress_shown = false;
}

void talk_free(struct talk *t)
{
    clear_progress(t);
    for (size_t i = 0; i < t->n_lines; i++)
        buf_release(&t->lines[i].text);
    free(t->lines);
    free(t);
}

static void show_progress(struct talk *t, const char *slave, const char *doing)
{
    struct mono now = clock_mono(&clock_system);
    if (!t->progress || (t->progress_shown && now.ms - t->last.ms < PROGRESS_EVERY_MS))
        return;
    t->last = now;
    t->progress_shown = true;
    fprintf(stderr, "\r\033[K%s %s …", doing, slave);
}

static struct buf *lines_of(struct talk *t, const char *slave)
{
    for (size_t i = 0; i < t->n_lines; i++)
        if (str_eq(t->lines[i].slave, slave))
            return &t->lines[i].text;
    if (t->n_lines == t->cap_lines) {
        t->cap_lines = t->cap_lines > 0 ? 2 * t->cap_lines : 16;
        t->lines = mem_realloc(t->lines, t->cap_lines * sizeof *t->lines);
    }
    t->lines[t->n_lines] =
        (struct slave_lines){.slave = slave, .text = BUF_INIT(LIMIT_SLAVE_LINES)};
    return &t->lines[t->n_lines++].text;
}

/* ---- The observer: called by one worker at a time
 * ---------------------------------------------------- */

static void on_slave_begin(void *ctx, const char *slave, const char *doing)
{
    show_progress(ctx, slave, doing);
}

static void on_bytes(void *ctx, const char *slave, int64_t sent, int64_t total)
{
    char doing[64];
    if (total > 0)
        snprintf(doing, sizeof doing, "pushing %lld%% of %.1f MB to",
                 (long long)(sent * 100 / total), (double)total / 1e6);
    else
        snprintf(doing, sizeof doing, "pushing %.1f MB to", (double)sent / 1e6);
    show_progress(ctx, slave, doing);
}

static void count_done(struct talk *t, const struct action *a, const struct err *e)
{
    if (e != NULL) {
        t->failed++;
        return;
    }
    if (!act_is_remote(a->act))
        return;
    t->done.create += a->act == ACT_CREATE;
    t->done.update += a->act == ACT_UPDATE;
    t->done.destroy += a->act == ACT_DELETE;
}

static void event_line(const struct apply_event *ev)
{
    CLEANUP(buf_release) struct buf line = BUF_INIT(LIMIT_EVENT);
    struct err e = ERR_INIT;
    if (apply_event_write(ev, &line, &e) == ERR_OK)
        print_answer(&line);
}

static void text_line(struct talk *t, const char *slave, const struct action *a,
                      const struct err *e, const char *cure)
{
    struct err lost = ERR_INIT;
    struct buf *b = lines_of(t, slave);
    if (e == NULL && !act_is_remote(a->act) && !t->o->verbose)
        return;
    if (b->len == 0 && buf_addf(b, &lost, "%s\n", slave) != ERR_OK)
        return;
    if (plan_render_action(a, &t->render, b, &lost) != ERR_OK || e == NULL)
        return;
    const char *red = t->render.color ? "\033[31m" : "", *plain = t->render.color ? "\033[0m" : "";
    if (buf_addf(b, &lost, "      %snot done:%s %s\n", red, plain, e->text) == ERR_OK &&
        cure != NULL)
        buf_addf(b, &lost, "      → %s\n", cure);
}

static void on_action_end(void *ctx, const char *slave, const struct action *a, const struct err *e,
                          const char *cure)
{
    struct talk *t = ctx;
    count_done(t, a, e);
    if (t->o->output == OUTPUT_JSON)
        event_line(&(struct apply_event){.event = "action",
                                         .slave = slave,
                                         .action = a,
                                         .result = e == NULL ? "done" : "failed",
                                         .error = e != NULL ? e->text : NULL});
    else
        text_line(t, slave, a, e, cure);
    show_progress(t, slave, "applying");
}

static void on_slave_end(void *ctx, const char *slave, const struct err *e)
{
    struct talk *t = ctx;
    (void)e;
    if (t->o->output == OUTPUT_JSON)
        return;
    struct buf *b = lines_of(t, slave);
    clear_progress(t);
    print_answer(b);
    buf_clear(b);
}

struct pass_observer talk_observer(struct talk *t)
{
    return (struct pass_observer){.slave_begin = on_slave_begin,
                                  .slave_end = on_slave_end,
                                  .action_end = on_action_end,
                                  .bytes = on_bytes,
                                  .ctx = t};
}

/* ---- The end
 * ------------------------------------------------------------------------------------------- */

static void summary_events(const struct talk *t, const struct pass *p)
{
    const struct plan *plan = pass_get_plan(p);
    for (size_t i = 0; i < plan->n; i++)
        for (size_t k = 0; k < plan->slaves[i].n_conditions; k++)
            event_line(&(struct apply_event){.event = "condition",
                                             .slave = plan->slaves[i].slave,
                                             .condition = &plan->slaves[i].conditions[k]});
    event_line(
        &(struct apply_event){.event = "done", .counts = &t->done, .exit_code = pass_exit_code(p)});
}

static void summary_text(struct talk *t, const struct pass *p)
{
    CLEANUP(buf_release) struct buf out = BUF_INIT(LIMIT_ANSWER);
    struct err e = ERR_INIT;
    struct plan_counts c = plan_count(pass_get_plan(p));
    if (plan_render_conditions(pass_get_plan(p), &t->render, &out, &e) == ERR_OK)
        print_answer(&out);
    printf("%zu created, %zu updated, %zu deleted", t->done.create, t->done.update,
           t->done.destroy);
    if (t->failed > 0)
        printf(", %zu not done", t->failed);
    if (c.slaves_in_sync > 0)
        printf("; %zu slave%s already in sync", c.slaves_in_sync, c.slaves_in_sync == 1 ? "" : "s");
    if (c.slaves_refused > 0)
        printf("; %zu slave%s left alone", c.slaves_refused, c.slaves_refused == 1 ? "" : "s");
    printf("\n");
    fflush(stdout);
}

void talk_summary(struct talk *t, const struct pass *p, bool applied)
{
    clear_progress(t);
    if (!applied)
        return;
    if (t->o->output == OUTPUT_JSON)
        summary_events(t, p);
    else
        summary_text(t, p);
}
