#include "mirrorctl/base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    READ_BYTES = 16 << 10, /* one read(2) */
    TEMP_NAME = 160,       /* bytes of the name kept in a temporary one, so that it fits NAME_MAX */
    TEMP_SIZE = 256,       /* such a name, whole */
    TEMP_TRIES = 8,        /* 64 random bits: a second try is already a wonder */
};

void fd_closep(int *fd)
{
    int saved = errno;
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
    errno = saved;
}

/* ---- Reading --------------------------------------------------------------------------------- */

static enum err_code read_all(int fd, const char *path, struct buf *out, struct err *e)
{
    char bytes[READ_BYTES];
    enum err_code r = ERR_OK;

    while (r == ERR_OK) {
        ssize_t n = read(fd, bytes, sizeof(bytes));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            r = err_set_errno(e, ERR_IO, "cannot read '%s'", path);
            break;
        }
        if (n == 0)
            break;
        r = buf_add(out, bytes, (size_t)n, e);
        if (r != ERR_OK)
            r = err_wrap(e, "cannot read '%s'", path);
    }
    explicit_bzero(bytes, sizeof(bytes)); /* the file may be a credential */
    return r;
}

enum err_code file_read(const char *path, struct buf *out, struct err *e)
{
    size_t before = out->len;
    CLEANUP(fd_closep) int opened = -1;
    int fd = STDIN_FILENO;

    if (!str_eq(path, "-")) {
        opened = fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0) {
            bool absent = errno == ENOENT || errno == ENOTDIR;
            return err_set_errno(e, absent ? ERR_NOT_FOUND : ERR_IO, "cannot read '%s'", path);
        }
    }
    enum err_code r = read_all(fd, opened < 0 ? "standard input" : path, out, e);
    if (r != ERR_OK && out->data != NULL) {
        out->len = before;
        out->data[before] = '\0';
    }
    return r;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static bool write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t written = write(fd, bytes, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        n -= (size_t)written;
    }
    return true;
}

/* Creates ".NAME.mirrorctl-PID-RANDOM" in the folder; -1 and errno on failure. */
static int temp_open(int folder, const char *name, char temp[static TEMP_SIZE])
{
    for (int i = 0; i < TEMP_TRIES; i++) {
        uint64_t random = 0;
        if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
            return -1;
        (void)snprintf(temp, TEMP_SIZE, ".%.*s.mirrorctl-%ld-%016llx", TEMP_NAME, name,
                       (long)getpid(), (unsigned long long)random);
        int fd = openat(folder, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

/* Everything that happens to the temporary file before it has its name. */
static bool fill(int fd, const void *bytes, size_t n, unsigned mode)
{
    return write_all(fd, bytes, n) && fchmod(fd, (mode_t)mode) == 0 && fsync(fd) == 0;
}

/* Some file systems cannot sync a folder and say EINVAL; then there is nothing to wait for. */
static bool sync_folder(int folder)
{
    return fsync(folder) == 0 || errno == EINVAL || errno == ENOTSUP;
}

static enum err_code write_in_folder(int folder, const char *name, const char *path,
                                     const void *bytes, size_t n, unsigned mode, struct err *e)
{
    char temp[TEMP_SIZE];
    CLEANUP(fd_closep) int fd = temp_open(folder, name, temp);

    if (fd < 0)
        return err_set_errno(e, ERR_IO, "cannot write '%s': no temporary file beside it", path);
    if (!fill(fd, bytes, n, mode) || renameat(folder, temp, folder, name) != 0) {
        int saved = errno;
        (void)unlinkat(folder, temp, 0);
        errno = saved;
        return err_set_errno(e, ERR_IO, "cannot write '%s'", path);
    }
    if (!sync_folder(folder))
        return err_set_errno(e, ERR_IO, "cannot write '%s': folder not synced", path);
    return ERR_OK;
}

enum err_code file_write_atomic(const char *path, const void *bytes, size_t n, unsigned mode,
                                struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;

    if (name[0] == '\0')
        return err_set(e, ERR_IO, "cannot write '%s': it names no file", path);
    /* By descriptor, so that all steps happen in one folder even if its path is moved meanwhile. */
    CLEANUP(fd_closep) int folder = open(path_dir(a, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return err_set_errno(e, ERR_IO, "cannot write '%s': its folder", path);
    return write_in_folder(folder, name, path, bytes, n, mode, e);
}

/* ---- Folders and paths ----------------------------------------------------------------------- */

static bool make_one(const char *path, unsigned mode)
{
    struct stat st;

    if (mkdir(path, (mode_t)mode) == 0)
        return true;
    /* A read-only or foreign parent may answer EACCES or EROFS for a folder that is there. */
    int saved = errno;
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return true;
        saved = ENOTDIR;
    }
    errno = saved;
    return false;
}

enum err_code dir_make(const char *path, unsigned mode, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    char *part = arena_strdup(a, path);

    for (char *p = part; *p != '\0'; p++) {
        if (*p != '/' || p == part || p[-1] == '/')
            continue;
        *p = '\0';
        if (!make_one(part, mode))
            return err_set_errno(e, ERR_IO, "cannot make folder '%s'", part);
        *p = '/';
    }
    if (!make_one(part, mode))
        return err_set_errno(e, ERR_IO, "cannot make folder '%s'", part);
    return ERR_OK;
}

char *path_join(struct arena *a, const char *dir, const char *name)
{
    if (name[0] == '/' || dir[0] == '\0')
        return arena_strdup(a, name);
    return arena_printf(a, "%s%s%s", dir, str_ends_with(dir, "/") ? "" : "/", name);
}

char *path_dir(struct arena *a, const char *path)
{
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    if (n == 0)
        return arena_strdup(a, ".");
    while (n > 1 && path[n - 1] == '/')
        n--;
    return arena_strndup(a, path, n);
}

char *path_expand(struct arena *a, const char *path)
{
    const char *home = getenv("HOME");

    if (home == NULL || home[0] == '\0' || path[0] != '~')
        return arena_strdup(a, path);
    if (path[1] == '\0')
        return arena_strdup(a, home);
    return path[1] == '/' ? path_join(a, home, path + 2) : arena_strdup(a, path);
}
