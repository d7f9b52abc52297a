#include "mirrorctl/base.h"
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SLICE_MS = 100,       /* the longest wait without a look at `interrupted` */
    REAP_MAX_MS = 20,     /* the longest nap between two looks whether the child has ended */
    TERM_GRACE_MS = 2000, /* between TERM and KILL, as base.h says */
    ERR_BYTES = 64 << 10, /* of stderr taken at once; the default capacity of a pipe */
    OUT_BYTES = 32 << 10, /* of stdout taken at once */
    LATE_READS = 64,      /* after the end of the child; more than any pipe holds (1 MiB) */
};

struct child {
    char *name;       /* argv[0], for messages */
    pid_t pid;        /* also its process group */
    int in, out, err; /* our ends; -1 when closed or never ours */
    struct buf tail;  /* stderr: up to twice what is kept, so that it is rarely moved */
    struct ms limit;  /* of the whole run; 0: none */
    struct mono deadline;
    const volatile int *interrupted;
    bool exited; /* seen as a zombie, which still holds the process id */
    bool reaped; /* gone; the id may already be somebody else's */
    int status;
};

enum ready {
    READY_IN = 1,
    READY_OUT = 2,
    READY_GONE = 4, /* the child has ended and nothing is left in the pipes */
};

/* ---- Start ----------------------------------------------------------------------------------- */

/* The child's ends, held until it has them. */
struct ends {
    int in, out, err;
};

static void ends_close(struct ends *x)
{
    fd_closep(&x->in);
    fd_closep(&x->out);
    fd_closep(&x->err);
}

/* A pipe of which our end does not block. `to_child`: we write. */
static bool open_pipe(bool to_child, int *out_ours, int *out_theirs)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    *out_ours = ends[to_child ? 1 : 0];
    *out_theirs = ends[to_child ? 0 : 1];
    return fcntl(*out_ours, F_SETFL, O_NONBLOCK) == 0;
}

static bool open_stdin(const struct child_spec *spec, bool pipe, struct child *c, struct ends *x)
{
    if (pipe)
        return open_pipe(true, &c->in, &x->in);
    if (spec->stdin_fd >= 0)
        x->in = fcntl(spec->stdin_fd, F_DUPFD_CLOEXEC, 0);
    else
        x->in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return x->in >= 0;
}

static bool open_stdout(const struct child_spec *spec, struct child *c, struct ends *x)
{
    if (spec->stdout_fd <= 0)
        return open_pipe(false, &c->out, &x->out);
    x->out = fcntl(spec->stdout_fd, F_DUPFD_CLOEXEC, 0);
    return x->out >= 0;
}

static struct child *child_new(const struct child_spec *spec)
{
    struct child *c = mem_alloc(sizeof(*c));
    *c = (struct child){
        .name = mem_strdup(spec->argv[0]),
        .in = -1,
        .out = -1,
        .err = -1,
        .tail = BUF_INIT(2 * (size_t)LIMIT_CHILD_STDERR),
        .limit = spec->deadline,
        .interrupted = spec->interrupted,
        .reaped = true, /* until there is one */
    };
    return c;
}

static enum err_code start(const struct child_spec *spec, bool pipe_in, struct child **out_child,
                           struct err *e)
{
    CLEANUP(child_freep) struct child *c = child_new(spec);
    CLEANUP(ends_close) struct ends x = {-1, -1, -1};

    if (!open_stdin(spec, pipe_in, c, &x) || !open_stdout(spec, c, &x) ||
        !open_pipe(false, &c->err, &x.err))
        return err_set_errno(e, ERR_IO, "cannot run '%s': descriptors", c->name);

    struct spawn s = {
        .argv = spec->argv,
        .env = spec->env,
        .env_whole = spec->env_whole,
        .cwd = spec->cwd,
        .in = x.in,
        .out = x.out,
        .err = x.err,
        .secret = spec->secret_fd,
    };
    c->deadline.ms = clock_mono(&clock_system).ms + spec->deadline.v;
    TRY(spawn_process(&s, &c->pid, e));
    c->reaped = false;
    *out_child = c;
    c = NULL;
    return ERR_OK;
}

enum err_code child_start(const struct child_spec *spec, struct child **out_child, struct err *e)
{
    return start(spec, spec->stdin_fd < 0, out_child, e);
}

/* ---- End ------------------------------------------------------------------------------------- */

/* Looks without reaping: as long as the zombie is there its id, and the group's, are its own. */
static bool has_exited(struct child *c)
{
    siginfo_t info = {0};

    if (c->exited || c->reaped)
        return true;
    int r = waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    if (r == 0 && info.si_pid == c->pid)
        c->exited = true;
    if (r != 0 && errno == ECHILD) { /* SIGCHLD is ignored in this process: nothing to be learned */
        c->reaped = true;
        c->status = 128;
    }
    return c->exited || c->reaped;
}

/* Call when has_exited, or after KILL: waits without limit. */
static void reap(struct child *c)
{
    int status = 0;

    if (c->reaped)
        return;
    pid_t got;
    do {
        got = waitpid(c->pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    c->reaped = true;
    if (got < 0)
        c->status = 128;
    else
        c->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Takes what is in stderr now; keeps the last of it. */
static void collect_stderr(struct child *c)
{
    char bytes[4096];
    struct err ignored = ERR_INIT;

    for (size_t taken = 0; c->err >= 0 && taken < ERR_BYTES;) {
        ssize_t n = read(c->err, bytes, sizeof(bytes));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            fd_closep(&c->err);
            return;
        }
        if (c->tail.len + (size_t)n > c->tail.max) {
            memmove(c->tail.data, c->tail.data + c->tail.len - LIMIT_CHILD_STDERR,
                    LIMIT_CHILD_STDERR);
            c->tail.len = LIMIT_CHILD_STDERR;
        }
        (void)buf_add(&c->tail, bytes, (size_t)n, &ignored);
        taken += (size_t)n;
    }
}

static void nap(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&t, NULL);
}

/* TERM to the group, time to clean up, then KILL to whatever is left of it. */
static void kill_and_reap(struct child *c)
{
    if (c->reaped)
        return;
    int64_t until = clock_mono(&clock_system).ms + TERM_GRACE_MS;
    (void)kill(-c->pid, SIGTERM);
    for (int64_t ms = 1; !has_exited(c) && clock_mono(&clock_system).ms < until;) {
        collect_stderr(c);
        nap(ms);
        ms = ms * 2 > REAP_MAX_MS ? REAP_MAX_MS : ms * 2;
    }
    if (!c->reaped)
        (void)kill(-c->pid, SIGKILL);
    reap(c);
    collect_stderr(c);
}

void child_free(struct child *c)
{
    if (c == NULL)
        return;
    fd_closep(&c->in);
    fd_closep(&c->out);
    if (has_exited(c))
        reap(c);
    else
        kill_and_reap(c);
    fd_closep(&c->err);
    buf_release(&c->tail);
    free(c->name);
    free(c);
}

void child_freep(struct child **c)
{
    child_free(*c);
    *c = NULL;
}

/* ---- Waiting --------------------------------------------------------------------------------- */

static enum err_code timed_out(struct err *e, const char *name, const char *what, struct ms d)
{
    if (d.v % 1000 == 0)
        return err_set(e, ERR_TIMEOUT, "'%s' %s within %" PRId64 " s", name, what, d.v / 1000);
    return err_set(e, ERR_TIMEOUT, "'%s' %s within %" PRId64 " ms", name, what, d.v);
}

/* The user's wish to stop and the deadline of the whole run. */
static enum err_code check(struct child *c, struct err *e)
{
    /* Atomic, since the handler that sets it may run on any thread. */
    if (c->interrupted != NULL && __atomic_load_n(c->interrupted, __ATOMIC_RELAXED) != 0) {
        kill_and_reap(c);
        return err_set(e, ERR_INTERRUPTED, "'%s' was stopped: interrupted", c->name);
    }
    if (c->limit.v > 0 && !c->reaped && clock_mono(&clock_system).ms >= c->deadline.ms) {
        kill_and_reap(c);
        return timed_out(e, c->name, "did not finish", c->limit);
    }
    return ERR_OK;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/*
 * One wait of at most `slice` milliseconds for what is wanted (READY_IN, READY_OUT), with stderr
 * taken along. *out_ready is 0 when nothing happened yet.
 */
static enum err_code step(struct child *c, int want, int64_t slice, int *out_ready, struct err *e)
{
    TRY(check(c, e));
    /* Asked before poll, so that all the child has written is already in the pipes. */
    bool exited = has_exited(c);
    int64_t wait = exited ? 0 : least(slice, SLICE_MS);
    if (c->limit.v > 0 && !exited)
        wait = least(wait, c->deadline.ms - clock_mono(&clock_system).ms);

    struct pollfd fds[3] = {
        {.fd = (want & READY_IN) != 0 ? c->in : -1,   .events = POLLOUT},
        {.fd = (want & READY_OUT) != 0 ? c->out : -1, .events = POLLIN },
        {.fd = c->err,                                .events = POLLIN },
    };
    int n = poll(fds, ARRAY_LEN(fds), wait < 0 ? 0 : (int)wait);
    if (n < 0 && errno != EINTR)
        return err_set_errno(e, ERR_IO, "cannot wait for '%s'", c->name);
    *out_ready = 0;
    if (n < 0)
        return ERR_OK;
    if (fds[0].revents != 0)
        *out_ready |= READY_IN;
    if (fds[1].revents != 0)
        *out_ready |= READY_OUT;
    if (fds[2].revents != 0)
        collect_stderr(c);
    /* A grandchild may hold the pipes open for ever; it is not what we wait for. */
    if (n == 0 && exited)
        *out_ready |= READY_GONE;
    return ERR_OK;
}

static bool idle_over(struct mono since, struct ms idle)
{
    return idle.v > 0 && clock_mono(&clock_system).ms - since.ms >= idle.v;
}

static int64_t idle_left(struct mono since, struct ms idle)
{
    return idle.v > 0 ? since.ms + idle.v - clock_mono(&clock_system).ms : SLICE_MS;
}

/* ---- Talking --------------------------------------------------------------------------------- */

enum err_code child_read(struct child *c, void *bytes, size_t n, struct ms idle, size_t *out_n,
                         struct err *e)
{
    struct mono since = clock_mono(&clock_system);

    for (;;) {
        ssize_t got = c->out < 0 ? 0 : read(c->out, bytes, n);
        if (got >= 0) {
            *out_n = (size_t)got;
            return ERR_OK;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return err_set_errno(e, ERR_IO, "cannot read from '%s'", c->name);
        if (idle_over(since, idle))
            return timed_out(e, c->name, "sent nothing", idle);

        int ready = 0;
        TRY(step(c, READY_OUT, idle_left(since, idle), &ready, e));
        if ((ready & READY_GONE) != 0) {
            *out_n = 0;
            return ERR_OK;
        }
    }
}

/*
 * write(2) that answers EPIPE without the signal. The disposition of SIGPIPE belongs to the whole
 * process and so to the program; blocking and taking it concerns this thread only.
 */
static ssize_t write_no_sigpipe(int fd, const void *bytes, size_t n)
{
    sigset_t pipe_only, before, pending;
    const struct timespec now = {0, 0};

    (void)sigemptyset(&pipe_only);
    (void)sigaddset(&pipe_only, SIGPIPE);
    (void)sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    (void)pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    ssize_t written = write(fd, bytes, n);
    int error = errno;
    if (written < 0 && error == EPIPE && !was_pending) {
        while (sigtimedwait(&pipe_only, NULL, &now) < 0 && errno == EINTR)
            continue;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return written;
}

enum err_code child_write(struct child *c, const void *bytes, size_t n, struct ms idle,
                          struct err *e)
{
    struct mono since = clock_mono(&clock_system);
    const char *p = bytes;

    while (n > 0) {
        if (c->in < 0)
            return err_set(e, ERR_IO, "cannot write to '%s': its input is closed", c->name);
        ssize_t written = write_no_sigpipe(c->in, p, n);
        if (written >= 0) {
            p += written;
            n -= (size_t)written;
            since = clock_mono(&clock_system);
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return err_set_errno(e, ERR_IO, "cannot write to '%s'", c->name);
        if (idle_over(since, idle))
            return timed_out(e, c->name, "took no input", idle);

        int ready = 0;
        TRY(step(c, READY_IN, idle_left(since, idle), &ready, e));
    }
    return ERR_OK;
}

void child_close_stdin(struct child *c)
{
    fd_closep(&c->in);
}

enum err_code child_wait(struct child *c, struct ms idle, int *out_status, struct err *e)
{
    struct mono since = clock_mono(&clock_system);

    for (int64_t slice = 1; !has_exited(c);) {
        if (idle_over(since, idle))
            return timed_out(e, c->name, "did not end", idle);
        int ready = 0;
        /* With stderr closed nothing wakes poll at the child's end, hence short slices. */
        TRY(step(c, 0, slice, &ready, e));
        slice = least(slice * 2, REAP_MAX_MS);
    }
    reap(c);
    collect_stderr(c);
    *out_status = c->status;
    return ERR_OK;
}

const char *child_stderr(const struct child *c)
{
    const char *text = buf_str(&c->tail);
    return c->tail.len > LIMIT_CHILD_STDERR ? text + c->tail.len - LIMIT_CHILD_STDERR : text;
}

/* ---- Run ------------------------------------------------------------------------------------- */

struct child_result child_result_init(size_t max_out)
{
    return (struct child_result){
        .out = BUF_INIT(max_out),
        .err = BUF_INIT(LIMIT_CHILD_STDERR),
    };
}

void child_result_release(struct child_result *r)
{
    buf_release(&r->out);
    buf_release(&r->err);
}

/* Feeds stdin; a child that wants no more of it is no error. */
static enum err_code feed(struct child *c, const struct child_spec *spec, size_t *sent,
                          struct err *e)
{
    const char *bytes = spec->stdin_bytes;
    ssize_t n = write_no_sigpipe(c->in, bytes + *sent, spec->stdin_len - *sent);

    if (n >= 0)
        *sent += (size_t)n;
    else if (errno == EPIPE)
        *sent = spec->stdin_len;
    else if (errno != EAGAIN && errno != EINTR)
        return err_set_errno(e, ERR_IO, "cannot write to '%s'", c->name);
    return ERR_OK;
}

static enum err_code take_stdout(struct child *c, struct buf *out, struct err *e)
{
    char bytes[OUT_BYTES];
    ssize_t n = read(c->out, bytes, sizeof(bytes));

    if (n == 0)
        fd_closep(&c->out);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return err_set_errno(e, ERR_IO, "cannot read from '%s'", c->name);
    if (n > 0 && buf_add(out, bytes, (size_t)n, e) != ERR_OK)
        return err_wrap(e, "output of '%s'", c->name);
    return ERR_OK;
}

/* Until all pipes are closed or the child is gone. */
static enum err_code exchange(struct child *c, const struct child_spec *spec, struct buf *out,
                              struct err *e)
{
    size_t sent = 0;
    int late = 0;

    for (;;) {
        if (c->in >= 0 && sent == spec->stdin_len)
            child_close_stdin(c);
        if (c->in < 0 && c->out < 0 && c->err < 0)
            return ERR_OK;

        int ready = 0;
        TRY(step(c, READY_IN | READY_OUT, SLICE_MS, &ready, e));
        if ((ready & READY_IN) != 0)
            TRY(feed(c, spec, &sent, e));
        if ((ready & READY_OUT) != 0)
            TRY(take_stdout(c, out, e));
        if ((ready & READY_GONE) != 0 || (c->exited && ++late > LATE_READS))
            return ERR_OK;
    }
}

enum err_code child_run(const struct child_spec *spec, struct child_result *r, struct err *e)
{
    struct err ignored = ERR_INIT;
    CLEANUP(child_freep) struct child *c = NULL;

    TRY(start(spec, spec->stdin_bytes != NULL, &c, e));
    enum err_code result = exchange(c, spec, &r->out, e);
    if (result == ERR_OK)
        result = child_wait(c, (struct ms){0}, &r->status, e);
    if (result != ERR_OK)
        kill_and_reap(c);
    buf_clear(&r->err);
    (void)buf_addstr(&r->err, child_stderr(c), &ignored);
    return result;
}
