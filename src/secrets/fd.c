#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

/* A file without a name on any disk; the seals end all writing, also by whoever inherits it. */
enum err_code secret_fd(const struct secret *s, const char *prefix, const char *suffix, int *out_fd,
                        struct err *e)
{
    const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
    const char *before = prefix == NULL ? "" : prefix;
    const char *behind = suffix == NULL ? "" : suffix;

    CLEANUP(fd_closep) int fd = memfd_create("mirrorctl", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return err_set_errno(e, ERR_IO, "cannot hand over a credential: memory file");
    if (!write_all(fd, before, strlen(before)) || !write_all(fd, s->bytes, s->len) ||
        !write_all(fd, behind, strlen(behind)) || fcntl(fd, F_ADD_SEALS, seals) != 0 ||
        lseek(fd, 0, SEEK_SET) != 0)
        return err_set_errno(e, ERR_IO, "cannot hand over a credential: memory file");
    *out_fd = fd;
    fd = -1;
    return ERR_OK;
}
