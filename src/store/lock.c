#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * An open-file-description lock: the kernel drops it with the last descriptor, however the holder
 * ends, so that there is nothing to break or to time out. The file's content is for people only.
 */
enum {
    RETRY_MS = 20,
    HOLDER_BYTES = 300, /* pid, host (64 bytes at most on Linux) and time */
};

static bool try_lock(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

/* The file may have been removed and made again while we waited; then the lock is of no use. */
static bool is_current(int fd, const char *path)
{
    struct stat ours, there;
    return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino &&
           ours.st_dev == there.st_dev;
}

/* On failure the text stays: a lie for people, and no harm to the lock. */
static bool clear_text(int fd)
{
    return ftruncate(fd, 0) == 0;
}

static void describe_self(int fd, const struct clock *clock)
{
    char host[65] = "", when[24], text[HOLDER_BYTES];

    (void)gethostname(host, sizeof(host) - 1);
    int n = snprintf(text, sizeof(text), "%ld %s %s\n", (long)getpid(), host,
                     wall_format(clock_wall(clock), when));
    /* On a full disk the lock holds without its text. */
    if (clear_text(fd) && n > 0 && pwrite(fd, text, (size_t)n, 0) != n)
        (void)clear_text(fd);
}

static enum err_code held_by_other(int fd, const char *path, struct err *e)
{
    char text[HOLDER_BYTES] = "", host[65] = "", when[24] = "";
    long pid = 0;

    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    text[n < 0 ? 0 : n] = '\0';
    if (sscanf(text, "%ld %64s %23s", &pid, host, when) != 3)
        return err_set(e, ERR_LOCKED, "another mirrorctl holds '%s'", path);
    return err_set(e, ERR_LOCKED, "another mirrorctl (pid %ld on %s, since %s) holds '%s'", pid,
                   host, when, path);
}

enum err_code lock_take(const char *path, const struct clock *clock, struct ms wait, int *out_fd,
                        struct err *e)
{
    int64_t until = clock_mono(&clock_system).ms + wait.v;

    for (;;) {
        CLEANUP(fd_closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return err_set_errno(e, ERR_IO, "cannot lock '%s'", path);
        bool locked = try_lock(fd);
        if (!locked && errno != EAGAIN && errno != EACCES)
            return err_set_errno(e, ERR_IO, "cannot lock '%s'", path);
        if (locked && is_current(fd, path)) {
            describe_self(fd, clock);
            *out_fd = fd;
            fd = -1;
            return ERR_OK;
        }
        if (!locked && clock_mono(&clock_system).ms >= until)
            return held_by_other(fd, path, e);
        if (!locked)
            clock_sleep(&clock_system, (struct ms){RETRY_MS});
    }
}

void lock_drop(int *fd)
{
    if (*fd >= 0)
        (void)clear_text(*fd); /* a name that is no longer true helps nobody */
    fd_closep(fd);
}
