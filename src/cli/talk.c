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

enum { LIMIT_EVENT = 1 << 20, PROGRESS_EVERY_MS = 100 };

/* What a slave has done waits until it is done, so that slaves at work side by side do not mix. */
struct slave_block {
    const char *slave;
    struct arena *arena;
    struct slave_plan done; /* actions that were done; those that were not stand as conditions */
};

struct talk {
    const struct cli_options *o;
    struct render_options render;
    bool progress, progress_shown;
    size_t n_blocks, cap_blocks;
    struct slave_block *blocks;
    struct mono last;
    struct plan_counts done;
    size_t failed;
};

struct talk *talk_new(const struct cli_options *o)
{
    struct talk *t = mem_alloc(sizeof *t);
    t->o = o;
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
    for (size_t i = 0; i < t->n_blocks; i++)
        arena_free(t->blocks[i].arena);
    free(t->blocks);
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

static struct slave_block *block_of(struct talk *t, const char *slave)
{
    for (size_t i = 0; i < t->n_blocks; i++)
        if (str_eq(t->blocks[i].slave, slave))
            return &t->blocks[i];
    if (t->n_blocks == t->cap_blocks) {
        t->cap_blocks = t->cap_blocks > 0 ? 2 * t->cap_blocks : 16;
        t->blocks = mem_realloc(t->blocks, t->cap_blocks * sizeof *t->blocks);
    }
    struct slave_block *b = &t->blocks[t->n_blocks++];
    *b = (struct slave_block){.slave = slave, .arena = arena_new()};
    slave_plan_init(&b->done, slave, b->arena);
    return b;
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

/* Strings of an action live as long as the pass, those of an error do not. */
static void keep_for_block(struct slave_block *b, const struct action *a, const struct err *e,
                           const char *cure)
{
    if (e == NULL) {
        *slave_plan_add(&b->done) = *a;
        return;
    }
    const char *text =
        arena_printf(b->arena, "not done: %s '%s': %s", kind_name(a->kind), a->name, e->text);
    slave_plan_condition(&b->done, (struct condition){.level = COND_ERROR,
                                                      .err = e->code,
                                                      .code = "not-done",
                                                      .text = text,
                                                      .cure = cure,
                                                      .about_kind = true,
                                                      .kind = a->kind});
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
        keep_for_block(block_of(t, slave), a, e, cure);
    show_progress(t, slave, "applying");
}

static void print_block(struct talk *t, const struct slave_plan *block)
{
    CLEANUP(buf_release) struct buf out = BUF_INIT(LIMIT_ANSWER);
    struct err e = ERR_INIT;
    clear_progress(t);
    if (plan_render_slave(block, &t->render, &out, &e) == ERR_OK)
        print_answer(&out);
}

static void on_slave_end(void *ctx, const char *slave, const struct err *e)
{
    struct talk *t = ctx;
    (void)e;
    if (t->o->output != OUTPUT_JSON)
        print_block(t, &block_of(t, slave)->done);
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

/* What was left alone and why, without the actions, which were shown when they were done. */
static void print_conditions(struct talk *t, const struct slave_plan *plan)
{
    struct slave_plan told = *plan;
    told.n = 0;
    if (told.n_conditions > 0)
        print_block(t, &told);
}

static void summary_text(struct talk *t, const struct pass *p)
{
    const struct plan *plan = pass_get_plan(p);
    struct plan_counts c = plan_count(plan);
    for (size_t i = 0; i < plan->n; i++)
        print_conditions(t, &plan->slaves[i]);
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
