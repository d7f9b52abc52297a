#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    HASH_BYTES = 32,
    TEMP_SIZE = 64,
};

/* ---- The key file ---------------------------------------------------------------------------- */

static bool write_key(int fd, const char *key)
{
    for (size_t done = 0; done < FINGERPRINT_KEY_BYTES;) {
        ssize_t n = write(fd, key + done, FINGERPRINT_KEY_BYTES - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        done += (size_t)n;
    }
    return fsync(fd) == 0;
}

/*
 * The whole file appears under its name, and never in the place of another: of two processes that
 * start at once one makes the key and both use it. Hence link(2) and not rename(2).
 */
static enum err_code place_key(int folder, const char *name, const char *path, const char *key,
                               struct err *e)
{
    char temp[TEMP_SIZE];
    (void)snprintf(temp, sizeof(temp), ".key.mirrorctl-%ld-%08x", (long)getpid(),
                   randombytes_random());

    CLEANUP(fd_closep)
    int fd = openat(folder, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set_errno(e, ERR_IO, "cannot make key file '%s'", path);
    bool placed =
        write_key(fd, key) && (linkat(folder, temp, folder, name, 0) == 0 || errno == EEXIST);
    int saved = errno;
    (void)unlinkat(folder, temp, 0);
    errno = saved;
    if (!placed)
        return err_set_errno(e, ERR_IO, "cannot make key file '%s'", path);
    if (fsync(folder) != 0 && errno != EINVAL)
        return err_set_errno(e, ERR_IO, "cannot make key file '%s': folder not synced", path);
    return ERR_OK;
}

static enum err_code make_key(const char *path, struct err *e)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(locked_release) struct locked key = {.bytes = NULL};
    const char *slash = strrchr(path, '/');

    CLEANUP(fd_closep) int folder = open(path_dir(a, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return err_set_errno(e, ERR_IO, "cannot make key file '%s': its folder", path);
    locked_reserve(&key, FINGERPRINT_KEY_BYTES);
    randombytes_buf(key.bytes, FINGERPRINT_KEY_BYTES);
    return place_key(folder, slash == NULL ? path : slash + 1, path, key.bytes, e);
}

static enum err_code read_key(const char *path, struct fingerprint_key *out, struct err *e)
{
    CLEANUP(locked_release) struct locked l = {.bytes = NULL};

    enum err_code r = locked_read_file(path, CHECK_MODE, FINGERPRINT_KEY_BYTES, &l, e);
    if (r == ERR_LIMIT || (r == ERR_OK && l.len != FINGERPRINT_KEY_BYTES))
        return err_set(e, ERR_DAMAGED, "key file '%s' has not exactly %d bytes", path,
                       (int)FINGERPRINT_KEY_BYTES);
    if (r == ERR_OK)
        out->key = secret_adopt(&l);
    return r;
}

enum err_code fingerprint_key_open(const char *path, struct fingerprint_key *out, struct err *e)
{
    enum err_code r = read_key(path, out, e);
    if (r != ERR_NOT_FOUND)
        return r;
    TRY(make_key(path, e));
    return read_key(path, out, e);
}

void fingerprint_key_release(struct fingerprint_key *k)
{
    secret_freep(&k->key);
}

/* ---- Fingerprints ---------------------------------------------------------------------------- */

static void add_field(crypto_generichash_state *state, const void *bytes, size_t n)
{
    unsigned char len[8];

    for (size_t i = 0; i < sizeof(len); i++)
        len[i] = (unsigned char)((uint64_t)n >> (8 * i));
    (void)crypto_generichash_update(state, len, sizeof(len));
    (void)crypto_generichash_update(state, bytes, n);
}

struct field {
    const void *bytes;
    size_t n;
};

/* `use` keeps the two kinds of fingerprint apart, whatever their domains are called. */
static void digest(const struct fingerprint_key *k, const char *use, const struct field *fields,
                   size_t n, char out[static FINGERPRINT_HEX])
{
    crypto_generichash_state state;
    unsigned char hash[HASH_BYTES];

    (void)crypto_generichash_init(&state, (const unsigned char *)k->key->bytes, k->key->len,
                                  sizeof(hash));
    add_field(&state, use, strlen(use));
    for (size_t i = 0; i < n; i++)
        add_field(&state, fields[i].bytes, fields[i].n);
    (void)crypto_generichash_final(&state, hash, sizeof(hash));
    (void)sodium_bin2hex(out, FINGERPRINT_HEX, hash, sizeof(hash));
    sodium_memzero(&state, sizeof(state)); /* it holds the key's first block */
}

void fingerprint_secret(const struct fingerprint_key *k, const char *domain, const char *name,
                        const struct secret *s, char out[static FINGERPRINT_HEX])
{
    const struct field fields[] = {
        {domain,   strlen(domain)},
        {name,     strlen(name)  },
        {s->bytes, s->len        },
    };
    digest(k, "mirrorctl secret 1", fields, ARRAY_LEN(fields), out);
}

void fingerprint_bytes(const struct fingerprint_key *k, const char *domain, const void *bytes,
                       size_t n, char out[static FINGERPRINT_HEX])
{
    const struct field fields[] = {
        {domain, strlen(domain)},
        {bytes,  n             },
    };
    digest(k, "mirrorctl bytes 1", fields, ARRAY_LEN(fields), out);
}
