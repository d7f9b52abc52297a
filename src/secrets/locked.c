#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LOCKED_FIRST = 1024, /* bytes: holds any token; sodium rounds up to a page anyway */
};

void locked_release(struct locked *l)
{
    sodium_free(l->bytes);
    *l = (struct locked){.bytes = NULL};
}

void locked_reserve(struct locked *l, size_t n)
{
    if (l->cap >= n)
        return;
    char *bytes = secrets_alloc(n);
    if (l->len > 0)
        memcpy(bytes, l->bytes, l->len);
    sodium_free(l->bytes);
    l->bytes = bytes;
    l->cap = n;
}

size_t locked_grow(struct locked *l)
{
    if (l->cap < l->len + 2)
        locked_reserve(l, l->cap < LOCKED_FIRST ? LOCKED_FIRST : l->cap * 2);
    return l->cap - l->len - 1;
}

/* systemd's folder of credentials is readable for one user only, whatever the files' modes say. */
static bool is_credential(const char *path)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    char real_dir[PATH_MAX], real_path[PATH_MAX];

    if (dir == NULL || dir[0] == '\0' || realpath(dir, real_dir) == NULL ||
        realpath(path, real_path) == NULL)
        return false;
    size_t n = strlen(real_dir);
    return strncmp(real_path, real_dir, n) == 0 && real_path[n] == '/';
}

static enum err_code check_file(int fd, const char *path, unsigned check, struct stat *st,
                                struct err *e)
{
    if (fstat(fd, st) != 0)
        return err_set_errno(e, ERR_IO, "cannot read '%s'", path);
    /* A pipe or a device may never end. */
    if (!S_ISREG(st->st_mode))
        return err_set(e, ERR_IO, "cannot read '%s': it is not a regular file", path);
    unsigned mode = st->st_mode & 07777;
    if ((check & CHECK_MODE) != 0 && (mode & 077) != 0 && !is_credential(path))
        return err_set(e, ERR_REFUSED,
                       "'%s' is open to others than its owner (mode %04o): chmod 600 '%s'", path,
                       mode, path);
    return ERR_OK;
}

enum err_code locked_read_file(const char *path, unsigned check, size_t max, struct locked *out,
                               struct err *e)
{
    struct stat st;
    CLEANUP(locked_release) struct locked l = {.bytes = NULL};

    /* O_NONBLOCK: opening a pipe must not wait for its writer. */
    CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        bool absent = errno == ENOENT || errno == ENOTDIR;
        return err_set_errno(e, absent ? ERR_NOT_FOUND : ERR_IO, "cannot read '%s'", path);
    }
    TRY(check_file(fd, path, check, &st, e));
    if (st.st_size > (off_t)max)
        return err_set(e, ERR_LIMIT, "'%s' has more than %zu bytes", path, max);

    locked_reserve(&l, (size_t)st.st_size + 2); /* a NUL, and a byte to meet the end with */
    for (;;) {
        size_t room = locked_grow(&l);
        ssize_t n = read(fd, l.bytes + l.len, room);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(e, ERR_IO, "cannot read '%s'", path);
        if (n == 0)
            break;
        l.len += (size_t)n;
        if (l.len > max)
            return err_set(e, ERR_LIMIT, "'%s' has more than %zu bytes", path, max);
    }
    locked_release(out);
    *out = l;
    l = (struct locked){.bytes = NULL};
    return ERR_OK;
}
