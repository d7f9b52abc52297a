/*
 * Fetching is git's work: a child with a deadline. Its credential comes through descriptor 9, and
 * only for the origin of the address; it neither asks nor follows redirects nor reads anybody's
 * configuration.
 */
#include "source.h"

#include "failure.h"
#include "wire.h"

#include <string.h>

enum {
    STDOUT_BYTES = 1 << 20, /* fetch says nothing there, but may */
    SILENCE_S = 120, /* GitHub lets heavy fetches wait; a dead line is noticed all the same */
    MAX_ARGS = 96,   /* options, and refspecs (bounded by args_add) */
};

struct args {
    const char *v[MAX_ARGS];
    size_t n;
};

static void args_add(struct args *a, const char *word)
{
    if (a->n < MAX_ARGS - 1)
        a->v[a->n++] = word;
}

static void args_config(struct args *a, const char *setting)
{
    args_add(a, "-c");
    args_add(a, setting);
}

const char *const *cache_env(struct arena *a, const char *cache_dir)
{
    const char **env = arena_alloc(a, 12 * sizeof(*env));
    size_t n = 0;

    env[n++] = "LC_ALL=C"; /* texts are matched */
    env[n++] = "LANGUAGE=";
    env[n++] = "GIT_CONFIG_NOSYSTEM=1";
    env[n++] = "GIT_CONFIG_GLOBAL=/dev/null";
    env[n++] = "GIT_TERMINAL_PROMPT=0";
    env[n++] = "GIT_ASKPASS=true"; /* answers nothing, at once */
    env[n++] = "SSH_ASKPASS=true";
    /* The folder may belong to another user than the one who runs us: it is ours all the same. */
    env[n++] = "GIT_CONFIG_COUNT=1";
    env[n++] = "GIT_CONFIG_KEY_0=safe.directory";
    env[n++] = arena_printf(a, "GIT_CONFIG_VALUE_0=%s", cache_dir);
    return env;
}

/* A shell command line for core.sshCommand: git adds port, host and command. */
static const char *ssh_command(struct arena *a, const struct git_credential *c)
{
    CLEANUP(buf_release) struct buf line = BUF_INIT(64 << 10);
    struct err ignored = ERR_INIT;
    size_t n;
    const char **words = address_ssh_options(a, c, &n);

    for (size_t i = 0; i < n; i++)
        (void)buf_addf(&line, &ignored, "%s%s", i == 0 ? "core.sshCommand=" : " ",
                       shell_quote(a, words[i]));
    return arena_strdup(a, buf_str(&line));
}

static void http_options(struct args *args, struct arena *a, const struct fetch *f)
{
    const struct git_credential *c = f->credential;

    args_config(args, str_starts_with(f->from->url, "https:") ? "protocol.https.allow=always"
                                                              : "protocol.http.allow=always");
    args_config(args, "http.followRedirects=false");
    args_config(args, "http.lowSpeedLimit=1");
    args_config(args, arena_printf(a, "http.lowSpeedTime=%d", SILENCE_S));
    args_config(args, "credential.helper=");
    if (c->token != NULL)
        args_config(args, arena_printf(a, "credential.%s.helper=!cat <&9 #", f->from->origin));
    if (c->ca_file != NULL)
        args_config(args, arena_printf(a, "http.sslCAInfo=%s", c->ca_file));
}

static void transport_options(struct args *args, struct arena *a, const struct fetch *f)
{
    args_config(args, "protocol.allow=never");
    switch (f->from->form) {
    case ADDRESS_HTTP:
        http_options(args, a, f);
        return;
    case ADDRESS_SSH:
        args_config(args, "protocol.ssh.allow=always");
        args_config(args, "ssh.variant=ssh");
        args_config(args, ssh_command(a, f->credential));
        return;
    case ADDRESS_LOCAL:
        args_config(args, "protocol.file.allow=always");
        return;
    }
}

static const char *const *fetch_argv(struct arena *a, const struct fetch *f, bool atomic)
{
    struct args *args = arena_alloc(a, sizeof(*args));

    args_add(args, "git");
    args_add(args, arena_printf(a, "--git-dir=%s", f->cache_dir));
    transport_options(args, a, f);
    args_add(args, "fetch");
    args_add(args, "--quiet");
    args_add(args, "--no-tags");
    args_add(args, "--no-write-fetch-head");
    args_add(args, "--no-auto-maintenance");
    args_add(args, "--no-recurse-submodules");
    args_add(args, "--no-show-forced-updates");
    if (f->prune)
        args_add(args, "--prune");
    if (atomic)
        args_add(args, "--atomic");
    /* upload-pack on this machine is a server: there the configuration of its user counts again. */
    if (f->from->form == ADDRESS_LOCAL)
        args_add(args,
                 "--upload-pack=env -u GIT_CONFIG_GLOBAL -u GIT_CONFIG_NOSYSTEM git-upload-pack");
    args_add(args, "--");
    args_add(args, f->from->url);
    for (size_t i = 0; f->refspecs[i] != NULL; i++)
        args_add(args, f->refspecs[i]);
    return args->v;
}

static enum err_code run(struct arena *a, const struct fetch *f, bool atomic,
                         struct child_result *r, struct err *e)
{
    CLEANUP(fd_closep) int secret = -1;
    struct child_spec spec = CHILD_SPEC_INIT;

    if (f->from->form == ADDRESS_HTTP && f->credential->token != NULL)
        TRY(secret_fd(f->credential->token, "username=x-access-token\npassword=", "\n", &secret,
                      e));
    spec.argv = fetch_argv(a, f, atomic);
    spec.env = cache_env(a, f->cache_dir);
    spec.stdin_fd = f->lock_fd;
    spec.secret_fd = secret;
    spec.deadline = f->deadline;
    spec.interrupted = f->interrupted;
    return child_run(&spec, r, e);
}

/* "a" became "a/b" at the master: one transaction cannot do both, two steps can. */
static bool is_name_conflict(const char *text)
{
    return strstr(text, "; cannot create") != NULL || strstr(text, "cannot lock ref") != NULL ||
           strstr(text, "cannot process '") != NULL;
}

enum err_code fetch_run(const struct fetch *f, bool *out_damaged, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();

    *out_damaged = false;
    for (int attempt = 0; attempt < 2; attempt++) {
        CLEANUP(child_result_release) struct child_result r = child_result_init(STDOUT_BYTES);
        enum err_code code = run(a, f, attempt == 0, &r, e);
        if (code == ERR_TIMEOUT)
            return err_wrap(e, "fetching from %s", f->from->url);
        TRY(code);
        if (r.status == 0)
            return ERR_OK;
        const char *text = buf_str(&r.err);
        if (attempt == 0 && is_name_conflict(text))
            continue;
        *out_damaged = failure_is_damage(text);
        (void)failure_of_child(f->from->url, r.status, text, e);
        return err_wrap(e, "cannot fetch");
    }
    return err_set(e, ERR_IO, "cannot fetch from %s", f->from->url);
}
