/*
 * Which certificates are believed: the system's, and those of a CA file of the user's.
 *
 * The system has them twice: as one file of 140, which takes 25 ms of CPU to parse, and as a folder
 * in which each stands under the hash of its name, from which OpenSSL reads the one it needs. The
 * folder is used where it is filled; the user's file then goes beside it. Elsewhere both files go
 * into one, since curl can be shown only one, and it is parsed once instead of once a connection.
 * Either way the certificates are copied into a memory file: every connection sees the same ones.
 */
#include "internal.h"

#include <ctype.h>
#include <curl/curl.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    TRUST_BYTES = 8 << 20, /* system bundles are 0.2 MB */
    HASH_DIGITS = 8,       /* "3513523f.0" */
};

static const char *system_bundle(void)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

    if (info->age < CURLVERSION_SEVENTH || info->cainfo == NULL || access(info->cainfo, R_OK) != 0)
        return NULL;
    return info->cainfo;
}

static bool is_hashed(const char *name)
{
    size_t n = strspn(name, "0123456789abcdef");
    return n == HASH_DIGITS && name[n] == '.' && isdigit((unsigned char)name[n + 1]);
}

/* The system's folder, when it is filled as c_rehash does and OpenSSL is who reads it. */
static const char *system_folder(void)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    bool found = false;

    if (info->age < CURLVERSION_SEVENTH || info->capath == NULL || info->ssl_version == NULL ||
        !str_starts_with(info->ssl_version, "OpenSSL/"))
        return NULL;
    DIR *dir = opendir(info->capath);
    if (dir == NULL)
        return NULL;
    for (struct dirent *d; !found && (d = readdir(dir)) != NULL;)
        found = is_hashed(d->d_name);
    (void)closedir(dir);
    return found ? info->capath : NULL;
}

static enum err_code keep(const struct buf *all, struct trust *t, struct err *e)
{
    CLEANUP(fd_closep) int fd = memfd_create("mirrorctl-ca", MFD_CLOEXEC);

    if (fd < 0)
        return err_set_errno(e, ERR_IO, "no memory file for CA certificates");
    for (size_t at = 0; at < all->len;) {
        ssize_t n = write(fd, all->data + at, all->len - at);
        if (n < 0)
            return err_set_errno(e, ERR_IO, "cannot fill the memory file for CA certificates");
        at += (size_t)n;
    }
    (void)snprintf(t->path, sizeof(t->path), "/proc/self/fd/%d", fd);
    t->fd = fd;
    fd = -1;
    return ERR_OK;
}

enum err_code trust_open(const char *ca_file, struct trust *out, struct err *e)
{
    CLEANUP(buf_release) struct buf all = BUF_INIT(TRUST_BYTES);
    const char *bundle = system_bundle();
    const char *folder = system_folder();
    struct trust t = {.fd = -1, .folder = folder, .only_folder = folder != NULL && ca_file == NULL};

    if (bundle == NULL && folder == NULL) /* whatever this curl makes of its folder */
        t.folder = curl_version_info(CURLVERSION_NOW)->capath;
    if (ca_file == NULL) {
        *out = t;
        return ERR_OK;
    }
    if (file_read(ca_file, &all, e) != ERR_OK)
        return err_wrap(e, "CA file");
    TRY(buf_addstr(&all, "\n", e));
    if (bundle != NULL && folder == NULL)
        TRY(file_read(bundle, &all, e));
    TRY(keep(&all, &t, e));
    *out = t;
    return ERR_OK;
}
