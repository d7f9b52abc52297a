/* The heavy half: dispatch, and what its commands share. */
#include "core.h"

#include "mirrorctl/plan.h"

#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

volatile int interrupted_by;

static void on_signal(int sig)
{
    if (interrupted_by != 0)
        _exit(128 + sig); /* asked twice: the state on disk survives that */
    interrupted_by = sig;
}

void catch_signals(void)
{
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sa.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &sa, NULL);
}

int tell_error(const struct err *e)
{
    fprintf(stderr, "mirrorctl: %s\n", e->text);
    if (e->code == ERR_INTERRUPTED && interrupted_by != 0)
        return 128 + interrupted_by;
    return err_exit_code(e->code);
}

int print_answer(const struct buf *text)
{
    if (text->len > 0 && (fwrite(text->data, 1, text->len, stdout) != text->len))
        return 3;
    return fflush(stdout) == 0 ? 0 : 3;
}

bool use_color(const struct cli_options *o, int fd)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    if (o->color != COLOR_AUTO)
        return o->color == COLOR_ALWAYS;
    return (no == NULL || *no == '\0') && term != NULL && !str_eq(term, "dumb") && isatty(fd);
}

/* $COLUMNS, when exported, speaks for output that is not a terminal, as with ls and git. */
int terminal_width(int fd)
{
    struct winsize w = {0};
    struct err e = ERR_INIT;
    int64_t columns = 0;
    const char *env = getenv("COLUMNS");
    if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &w) == 0)
        return w.ws_col;
    return env != NULL && str_to_i64(env, 20, 1000, &columns, &e) == ERR_OK ? (int)columns : 0;
}

enum err_code state_dir(const struct cli_options *o, struct arena *a, const char **out,
                        struct err *e)
{
    const char *env = getenv("MIRRORCTL_STATE"), *xdg = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (o->state != NULL)
        *out = arena_strdup(a, o->state);
    else if (env != NULL && *env != '\0')
        *out = arena_strdup(a, env);
    else if (xdg != NULL && *xdg == '/')
        *out = path_join(a, xdg, "mirrorctl");
    else if (geteuid() == 0)
        *out = "/var/lib/mirrorctl";
    else if (home != NULL && *home == '/')
        *out = path_join(a, home, ".local/state/mirrorctl");
    else
        return err_set(e, ERR_USAGE, "no home folder for the state; give one with --state DIR");
    return ERR_OK;
}

int load_manifest(const struct cli_options *o, struct arena *a, struct manifest **out)
{
    const char *path = o->file != NULL ? o->file : "mirrors.yaml";
    struct diagnostics d;
    struct err e = ERR_INIT;
    diagnostics_init(&d, a);
    enum err_code r = manifest_load(path, a, out, &d, &e);
    if (r == ERR_NOT_FOUND && o->file == NULL) {
        err_set(
            &e, ERR_USAGE,
            "no mirrors.yaml in this folder; name a manifest with -f FILE, or make one from a .env "
            "with 'mirrorctl import env FILE'");
        return tell_error(&e);
    }
    if (d.n > 0 && (d.n_errors > 0 || !o->quiet)) {
        CLEANUP(buf_release) struct buf text = BUF_INIT(LIMIT_ANSWER);
        struct err e2 = ERR_INIT;
        if (diagnostics_render(&d, use_color(o, STDERR_FILENO), &text, &e2) == ERR_OK)
            fwrite(text.data, 1, text.len, stderr);
    }
    if (r == ERR_INVALID && d.n_errors > 0)
        return 2;
    if (r == ERR_NOT_FOUND || r == ERR_LIMIT || r == ERR_INVALID || r == ERR_IO) {
        tell_error(&e);
        return 2;
    }
    return r == ERR_OK ? 0 : tell_error(&e);
}

int cli_core_main(int argc, char **argv)
{
    enum command_id c = CMD_HELP;
    struct cli_options *o = mem_alloc(sizeof *o);
    struct err e = ERR_INIT;
    if (cli_parse(argc, argv, &c, o, &e) != ERR_OK) {
        free(o);
        return tell_error(&e);
    }
    int code = 2;
    catch_signals();
    log_setup(o->verbose ? LOG_DEBUG : o->quiet ? LOG_ERROR : LOG_INFO, o->log_json);
    if (c == CMD_DIFF || c == CMD_APPLY)
        code = cmd_pass(o, c == CMD_APPLY && !o->dry_run);
    else if (c == CMD_STATUS)
        code = cmd_status(o);
    else if (c == CMD_CHECK)
        code = cmd_check(o);
    else if (c == CMD_IMPORT)
        code = cmd_import(o);
    else if (c == CMD_EXPLAIN)
        code = cmd_explain(o);
    else if (c == CMD_SCHEMA)
        code = cmd_schema(o);
    free(o);
    return code;
}
