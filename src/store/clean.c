#include "internal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * As file systems do it: who closes the store last, in order, leaves a note of how state.db looks
 * from outside, and whoever opens it and sees just that need not walk through all of it. The note
 * is one line: inode, size, times of modification and of change, when it was walked through last,
 * and the keyed hash of these. It is not forced to the disk: one that is lost or late fits no
 * database.
 */
enum {
    CLEAN_BYTES = 256,
    CLEAN_S = 24 * 3600 /* a disk that rots tells nobody: once a day all is read */
};

#define CLEAN_FORMAT                                                                               \
    "%" PRIu64 " %" PRId64 " %" PRId64 ".%09ld %" PRId64 ".%09ld %s walked %" PRId64

static bool is_there(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_size > 0;
}

/* False when commits may wait in a WAL. */
static bool describe(const struct store *s, const struct paths *p, int64_t walked,
                     char out[static CLEAN_BYTES])
{
    char hash[FINGERPRINT_HEX];
    struct stat st;

    if (is_there(p->wal) || stat(p->db, &st) != 0)
        return false;
    int n = snprintf(out, CLEAN_BYTES, CLEAN_FORMAT, (uint64_t)st.st_ino, (int64_t)st.st_size,
                     (int64_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (int64_t)st.st_ctim.tv_sec,
                     st.st_ctim.tv_nsec, s->id, walked);
    fingerprint_bytes(&s->key, "clean", out, (size_t)n, hash);
    int all = snprintf(out + n, (size_t)(CLEAN_BYTES - n), " %s\n", hash);
    return n + all < CLEAN_BYTES;
}

void clean_look(struct store *s, const struct paths *p)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(CLEAN_BYTES);
    struct err ignored = ERR_INIT;
    char expected[CLEAN_BYTES];
    int64_t walked, now = clock_wall(s->clock).s;

    if (file_read(p->clean, &text, &ignored) != ERR_OK)
        return;
    const char *word = strstr(buf_str(&text), " walked ");
    if (word == NULL || sscanf(word, " walked %" SCNd64, &walked) != 1 ||
        !describe(s, p, walked, expected) || !str_eq(buf_str(&text), expected))
        return;
    s->settled = true;
    if (walked <= now && now - walked < CLEAN_S)
        s->walked = walked;
}

void clean_leave(const struct store *s)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    char text[CLEAN_BYTES];
    struct paths p;

    paths_init(&p, a, s->dir);
    /* Intents are written under the lock: who does not hold it does not know of all. */
    if (s->lock_fd < 0 || !s->settled || s->open_intents != 0 || s->walked == 0 ||
        !describe(s, &p, s->walked, text))
        return;
    CLEANUP(fd_closep)
    int fd = open(p.clean, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
    ssize_t n = (ssize_t)strlen(text);
    if (fd >= 0 && (pwrite(fd, text, (size_t)n, 0) != n || ftruncate(fd, n) != 0))
        (void)unlink(p.clean);
}
