#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    FD_ABOVE = 10, /* sources are moved to here or higher before 0, 1, 2 and 9 are filled */
};

enum step { STEP_SETUP, STEP_CWD, STEP_EXEC };

/* What the child tells the parent when it does not get as far as the new program. */
struct report {
    enum step step;
    int error;
};

/* Everything exec needs, made before fork: behind it only async-signal-safe calls are allowed. */
struct image {
    char **argv, **env;
    char **paths; /* tried in turn */
};

static size_t count(const char *const *list)
{
    size_t n = 0;
    while (list != NULL && list[n] != NULL)
        n++;
    return n;
}

/* exec wants char *const *, which is const in fact but not by type; copying the pointers is the
 * cast that the compiler lets through. */
static char **copy_list(struct arena *a, const char *const *list, size_t n)
{
    char **copy = arena_alloc(a, (n + 1) * sizeof(*copy));
    if (n > 0)
        memcpy(copy, list, n * sizeof(*copy));
    return copy;
}

/* Has the list an entry of the same NAME= ? */
static bool names_same(const char *const *list, const char *entry)
{
    size_t n = strcspn(entry, "=") + 1;
    for (; list != NULL && *list != NULL; list++) {
        if (strncmp(*list, entry, n) == 0)
            return true;
    }
    return false;
}

/*
 * What a child may need of our environment. Everything else stays here: tokens and secrets are
 * often given to us that way, and /proc shows a child's environment to its user.
 */
static const char *const PASSED_ON[] = {
    "PATH",           "HOME",      "USER",       "LOGNAME",    "SHELL",         "TERM",
    "LANG",           "LANGUAGE",  "LC_*",       "TZ",         "TMPDIR",        "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",  "XDG_*",     "KRB5CCNAME", "http_proxy", "https_proxy",   "HTTPS_PROXY",
    "all_proxy",      "ALL_PROXY", "no_proxy",   "NO_PROXY",   "SSL_CERT_FILE", "SSL_CERT_DIR",
    "CURL_CA_BUNDLE", NULL};

static bool is_passed_on(const char *entry)
{
    size_t n = strcspn(entry, "=");
    for (const char *const *name = PASSED_ON; *name != NULL; name++) {
        size_t len = strlen(*name);
        bool glob = (*name)[len - 1] == '*';
        if (glob ? n >= len - 1 && strncmp(entry, *name, len - 1) == 0
                 : n == len && strncmp(entry, *name, len) == 0)
            return true;
    }
    return false;
}

/* Never GIT_*: a caller's GIT_DIR or GIT_CONFIG_* must not lead us elsewhere. */
static char **build_env(struct arena *a, const char *const *added, bool whole)
{
    size_t ours = 0, n = 0;
    while (environ != NULL && environ[ours] != NULL)
        ours++;

    char **env = arena_alloc(a, (ours + count(added) + 1) * sizeof(*env));
    for (size_t i = 0; i < ours; i++) {
        bool kept = whole ? !str_starts_with(environ[i], "GIT_") : is_passed_on(environ[i]);
        if (kept && !names_same(added, environ[i]))
            env[n++] = environ[i];
    }
    if (added != NULL)
        memcpy(env + n, added, count(added) * sizeof(*env));
    return env;
}

/*
 * Candidates for exec. Only absolute folders of PATH count: an empty or relative one would let the
 * folder we happen to stand in supply "git".
 */
static char **build_paths(struct arena *a, const char *program)
{
    if (strchr(program, '/') != NULL)
        return copy_list(a, &program, 1);

    const char *path = getenv("PATH");
    char *rest = arena_strdup(a, path == NULL ? "/usr/local/bin:/usr/bin:/bin" : path);
    size_t n = 0, cap = 0;
    char **paths = NULL, *folder;
    while ((folder = strsep(&rest, ":")) != NULL) {
        if (folder[0] != '/')
            continue;
        paths = arena_grow(a, paths, n, &cap, sizeof(*paths));
        paths[n++] = path_join(a, folder, program);
    }
    paths = arena_grow(a, paths, n, &cap, sizeof(*paths));
    paths[n] = NULL;
    return paths;
}

/* ---- In the child: async-signal-safe calls only ---------------------------------------------- */

static NORETURN void give_up(int report_fd, enum step step, int error)
{
    struct report r = {.step = step, .error = error};
    ssize_t ignored = write(report_fd, &r, sizeof(r)); /* less than PIPE_BUF: whole or not at all */
    (void)ignored;
    _exit(127);
}

/* Handlers of ours must not run in the child; what a caller ignores (nohup) stays ignored. */
static void reset_signals(void)
{
    for (int sig = 1; sig < NSIG; sig++) {
        struct sigaction act;
        if (sigaction(sig, NULL, &act) != 0)
            continue;
        bool ignored = (act.sa_flags & SA_SIGINFO) == 0 && act.sa_handler == SIG_IGN;
        if (ignored && sig != SIGPIPE && sig != SIGCHLD)
            continue;
        act = (struct sigaction){.sa_handler = SIG_DFL};
        (void)sigaction(sig, &act, NULL);
    }
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* First all out of the way, then each to its place: a source may sit where another has to go. */
static bool place_descriptors(const struct spawn *s)
{
    const int wanted[4] = {0, 1, 2, SPAWN_SECRET_FD};
    int have[4] = {s->in, s->out, s->err, s->secret};

    for (int i = 0; i < 4; i++) {
        if (have[i] < 0)
            continue;
        have[i] = fcntl(have[i], F_DUPFD_CLOEXEC, FD_ABOVE);
        if (have[i] < 0)
            return false;
    }
    for (int i = 0; i < 4; i++) {
        if (have[i] >= 0 && dup2(have[i], wanted[i]) < 0)
            return false;
    }
    return true;
}

static NORETURN void run_child(const struct spawn *s, const struct image *im, int report_fd)
{
    int high = fcntl(report_fd, F_DUPFD_CLOEXEC, FD_ABOVE);
    if (high < 0)
        give_up(report_fd, STEP_SETUP, errno);
    if (setpgid(0, 0) != 0 || !place_descriptors(s))
        give_up(high, STEP_SETUP, errno);
    if (s->cwd != NULL && chdir(s->cwd) != 0)
        give_up(high, STEP_CWD, errno);
    reset_signals();

    int error = ENOENT;
    for (char **path = im->paths; *path != NULL; path++) {
        (void)execve(*path, im->argv, im->env);
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
            give_up(high, STEP_EXEC, errno);
        /* As execvp: "may not" is only the answer when no later folder has the program. */
        if (errno == EACCES)
            error = EACCES;
    }
    give_up(high, STEP_EXEC, error);
}

/* ---- In the parent --------------------------------------------------------------------------- */

static enum err_code report_failure(const struct spawn *s, const struct report *r, struct err *e)
{
    errno = r->error;
    switch (r->step) {
    case STEP_CWD:
        return err_set_errno(e, ERR_IO, "cannot run '%s' in folder '%s'", s->argv[0], s->cwd);
    case STEP_EXEC:
        if (r->error == ENOENT || r->error == ENOTDIR)
            return err_set(e, ERR_NOT_FOUND, "cannot run '%s': no such program", s->argv[0]);
        return err_set_errno(e, ERR_IO, "cannot run '%s'", s->argv[0]);
    case STEP_SETUP:
        break;
    }
    return err_set_errno(e, ERR_IO, "cannot prepare '%s'", s->argv[0]);
}

/* Waits until the child has become the program (end of file: the pipe closes on exec) or failed. */
static enum err_code await_exec(const struct spawn *s, pid_t pid, int fd, struct err *e)
{
    struct report r;
    ssize_t n;

    do {
        n = read(fd, &r, sizeof(r));
    } while (n < 0 && errno == EINTR);
    if (n == 0)
        return ERR_OK;
    if (n != (ssize_t)sizeof(r)) {
        (void)kill(pid, SIGKILL);
        r = (struct report){.step = STEP_SETUP, .error = EIO};
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return report_failure(s, &r, e);
}

static enum err_code fork_and_exec(const struct spawn *s, const struct image *im, pid_t *out_pid,
                                   struct err *e)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set_errno(e, ERR_IO, "cannot run '%s': pipe", s->argv[0]);
    CLEANUP(fd_closep) int from = ends[0];
    CLEANUP(fd_closep) int to = ends[1];

    /* Signals wait while there are two of us with the same handlers. */
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        run_child(s, im, to);
    int error = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) {
        errno = error;
        return err_set_errno(e, ERR_IO, "cannot run '%s': fork", s->argv[0]);
    }

    fd_closep(&to);
    TRY(await_exec(s, pid, from, e));
    *out_pid = pid;
    return ERR_OK;
}

enum err_code spawn_process(const struct spawn *s, pid_t *out_pid, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct image im = {
        .argv = copy_list(a, s->argv, count(s->argv)),
        .env = build_env(a, s->env, s->env_whole),
        .paths = build_paths(a, s->argv[0]),
    };
    return fork_and_exec(s, &im, out_pid, e);
}
