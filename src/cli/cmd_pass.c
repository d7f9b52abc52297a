/* diff and apply: one pass, shown. */
#include "core.h"

#include "mirrorctl/plan.h"
#include "mirrorctl/record.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PLAN_FILE_MODE 0600u

/* ---- Plan files
 * -------------------------------------------------------------------------------------- */

static enum err_code save_plan(const struct pass *p, const char *path, struct err *e)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(LIMIT_PLAN_FILE);
    struct plan_binding b = pass_get_binding(p);
    TRY(plan_record_write(pass_get_plan(p), &b, &text, e));
    return file_write_atomic(path, text.data, text.len, PLAN_FILE_MODE, e);
}

static enum err_code check_plan(struct pass *p, const char *path, struct arena *a, struct err *e)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(LIMIT_PLAN_FILE);
    struct plan saved = {0};
    struct plan_binding b = {0};
    TRY(file_read(path, &text, e));
    if (plan_record_read(buf_str(&text), text.len, a, &saved, &b, e) != ERR_OK)
        return err_wrap(e, "plan '%s'", path);
    return pass_check_saved(p, &saved, &b, e);
}

/* ---- Showing
 * ------------------------------------------------------------------------------------------- */

static enum err_code show_plan(const struct cli_options *o, const struct pass *p, bool applied,
                               struct err *e)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(LIMIT_ANSWER);
    if (o->output == OUTPUT_JSON) {
        struct plan_binding b = pass_get_binding(p);
        TRY(plan_record_write(pass_get_plan(p), &b, &text, e));
    } else {
        struct render_options r = {.color = use_color(o, STDOUT_FILENO),
                                   .verbose = o->verbose,
                                   .width = terminal_width(STDOUT_FILENO),
                                   .applied = applied};
        TRY(plan_render(pass_get_plan(p), &r, &text, e));
    }
    return print_answer(&text) == 0 ? ERR_OK : err_set(e, ERR_IO, "stdout: not written");
}

static void show_traffic(const struct pass *p)
{
    struct http_stats h = pass_get_http_stats(p);
    log_event(LOG_DEBUG, "traffic", LOG_INT("requests", h.requests), LOG_INT("writes", h.writes),
              LOG_INT("not_modified", h.not_modified), LOG_INT("retries", h.retries),
              LOG_INT("bytes_in", h.bytes_in), LOG_INT("bytes_out", h.bytes_out),
              LOG_INT("waited_ms", h.waited.v));
}

/* ---- One pass
 * -------------------------------------------------------------------------------------------- */

static enum err_code run(const struct cli_options *o, const struct pass_options *po,
                         struct arena *a, int *out_code, struct err *e)
{
    CLEANUP(pass_freep) struct pass *p = NULL;
    TRY(pass_begin(po, &p, e));
    TRY(pass_observe(p, e));
    TRY(pass_plan(p, e));
    if (o->out != NULL)
        TRY(save_plan(p, o->out, e));
    if (o->plan != NULL)
        TRY(check_plan(p, o->plan, a, e));
    if (po->apply) {
        enum err_code r = pass_apply(p, e);
        struct err e2 = ERR_INIT;
        if (pass_finish(p, &e2) != ERR_OK && r == ERR_OK)
            return *e = e2, e2.code;
        TRY(r);
    }
    talk_summary(po->observer.ctx, p, po->apply);
    if (!po->apply)
        TRY(show_plan(o, p, false, e));
    show_traffic(p);
    *out_code = pass_exit_code(p);
    return ERR_OK;
}

int cmd_pass(const struct cli_options *o, bool apply)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct manifest *m = NULL;
    struct err e = ERR_INIT;
    const char *dir = NULL;
    int code = load_manifest(o, a, &m);
    if (code != 0)
        return code;
    if (state_dir(o, a, &dir, &e) != ERR_OK)
        return tell_error(&e);
    struct talk *talk = talk_new(o);
    struct pass_options po = {.manifest = m,
                              .state_dir = dir,
                              .user_agent = "mirrorctl/" MIRRORCTL_VERSION,
                              .slaves = o->n_slaves > 0 ? o->slaves : NULL,
                              .apply = apply,
                              .prune = o->prune,
                              .takeover = o->takeover,
                              .allow_replaced = o->allow_replaced,
                              .workers = o->workers,
                              .deadline = o->timeout,
                              .interrupted = &interrupted_by,
                              .observer = talk_observer(talk)};
    memcpy(po.only, o->only, sizeof po.only);
    enum err_code r = run(o, &po, a, &code, &e);
    talk_free(talk);
    return r == ERR_OK ? code : tell_error(&e);
}
