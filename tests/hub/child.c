/* git children: everything they read and write goes through unlinked files, so nobody pumps pipes.
 */
#include "gitside.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int hb_tmp(struct hub *h)
{
    int fd = open(h->root, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    char *name = hb_fmt("%s/.tmp-XXXXXX", h->root); /* a file system without O_TMPFILE */
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        (void)unlink(name);
    free(name);
    return fd;
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

int hb_tmp_with(struct hub *h, const void *data, size_t len)
{
    int fd = len > 1 << 20 ? hb_tmp(h) : memfd_create("hub", MFD_CLOEXEC);
    if (fd >= 0 && (!write_all(fd, data, len) || lseek(fd, 0, SEEK_SET) != 0)) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

enum { MAX_ENV = 24 };

/* The children see the repository and nothing of the user's own configuration. */
static void environment(const struct hb_child *child, char *git_dir, size_t cap,
                        const char *env[MAX_ENV])
{
    size_t n = 0;
    env[n++] = "PATH=/usr/local/bin:/usr/bin:/bin";
    env[n++] = "HOME=/nonexistent";
    env[n++] = "LC_ALL=C";
    env[n++] = "GIT_CONFIG_NOSYSTEM=1";
    env[n++] = "GIT_CONFIG_GLOBAL=/dev/null";
    env[n++] = "GIT_TERMINAL_PROMPT=0";
    if (child->dir != NULL) {
        (void)snprintf(git_dir, cap, "GIT_DIR=%s", child->dir);
        env[n++] = git_dir;
    }
    for (size_t i = 0; child->env != NULL && child->env[i] != NULL && n + 1 < MAX_ENV; i++)
        env[n++] = child->env[i];
    env[n] = NULL;
}

static void wire(posix_spawn_file_actions_t *files, int fd, int as, int flags)
{
    if (fd >= 0)
        (void)posix_spawn_file_actions_adddup2(files, fd, as);
    else
        (void)posix_spawn_file_actions_addopen(files, as, "/dev/null", flags, 0);
}

int hb_run(const struct hb_child *child)
{
    char git_dir[4200];
    const char *env[MAX_ENV];
    environment(child, git_dir, sizeof git_dir, env);
    posix_spawn_file_actions_t files;
    (void)posix_spawn_file_actions_init(&files);
    wire(&files, child->in, STDIN_FILENO, O_RDONLY);
    wire(&files, child->out, STDOUT_FILENO, O_WRONLY);
    wire(&files, child->err, STDERR_FILENO, O_WRONLY);
    pid_t pid = 0;
    union { /* posix_spawn's prototype is older than const */
        const char *const *in;
        char *const *out;
    } argv = {.in = child->argv}, envp = {.in = env};
    int failed = posix_spawnp(&pid, "git", &files, NULL, argv.out, envp.out);
    (void)posix_spawn_file_actions_destroy(&files);
    if (failed != 0)
        return 255;
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 255;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

bool hb_slurp(int fd, struct hb_buf *out)
{
    char piece[65536];
    off_t at = 0;
    for (;;) {
        ssize_t k = pread(fd, piece, sizeof piece, at);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return k == 0;
        hb_buf_add(out, piece, (size_t)k);
        at += k;
    }
}

int hb_git(struct hub *h, const char *dir, const void *in, size_t in_len, struct hb_buf *out,
           const char *const argv[])
{
    struct hb_child child = {.dir = dir, .argv = argv, .in = -1, .out = -1, .err = -1};
    if (in != NULL && (child.in = hb_tmp_with(h, in, in_len)) < 0)
        return 255;
    if (out != NULL)
        child.out = memfd_create("hub", MFD_CLOEXEC);
    int status = hb_run(&child);
    if (child.in >= 0)
        (void)close(child.in);
    if (child.out >= 0) {
        if (!hb_slurp(child.out, out))
            status = 255;
        (void)close(child.out);
    }
    return status;
}
