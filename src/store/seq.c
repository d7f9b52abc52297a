#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * Two slots, written in turn, so that a slot torn by a power cut leaves the other. Each is one
 * line, the generation in 20 digits and its keyed hash. SQLite guards a WAL against torn writes by
 * dropping everything behind the first frame that does not check out, and takes a file that is gone
 * for one that never was: without this file, state that has lost its newest commits would pass for
 * whole.
 */
enum {
    SLOT_DIGITS = 20,
    SLOT_BYTES = 128, /* the rest is blanks; both slots lie in one sector */
    SLOTS = 2,
};

static void slot_hash(const struct store *s, const char digits[static SLOT_DIGITS],
                      char out[static FINGERPRINT_HEX])
{
    fingerprint_bytes(&s->key, "seq", digits, SLOT_DIGITS, out);
}

static void slot_format(const struct store *s, int64_t generation, char out[static SLOT_BYTES])
{
    char digits[SLOT_DIGITS + 1], hash[FINGERPRINT_HEX];

    (void)snprintf(digits, sizeof(digits), "%020" PRId64, generation);
    slot_hash(s, digits, hash);
    memset(out, ' ', SLOT_BYTES);
    memcpy(out, digits, SLOT_DIGITS);
    memcpy(out + SLOT_DIGITS + 1, hash, FINGERPRINT_HEX - 1);
    out[SLOT_BYTES - 1] = '\n';
}

/* -1 when the slot is empty or torn. */
static int64_t slot_parse(const struct store *s, const char slot[static SLOT_BYTES])
{
    char digits[SLOT_DIGITS + 1], hash[FINGERPRINT_HEX];
    struct err ignored = ERR_INIT;
    int64_t n = -1;

    memcpy(digits, slot, SLOT_DIGITS);
    digits[SLOT_DIGITS] = '\0';
    slot_hash(s, digits, hash);
    if (memcmp(slot + SLOT_DIGITS + 1, hash, FINGERPRINT_HEX - 1) != 0 ||
        str_to_i64(digits, 0, INT64_MAX, &n, &ignored) != ERR_OK)
        return -1;
    return n;
}

enum err_code seq_create(struct store *s, const char *path, struct err *e)
{
    char slots[SLOTS * SLOT_BYTES];

    slot_format(s, 0, slots);
    memset(slots + SLOT_BYTES, ' ', SLOT_BYTES);
    return file_write_atomic(path, slots, sizeof(slots), 0600, e);
}

enum err_code seq_open(struct store *s, const char *path, int64_t *out_generation, struct err *e)
{
    char slots[SLOTS * SLOT_BYTES] = "";
    int64_t newest = -1;
    int how = s->read_only ? O_RDONLY : O_RDWR;

    CLEANUP(fd_closep) int fd = open(path, how | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
    if (fd < 0 && errno == ENOENT)
        return store_damaged(s->dir, e, "state.seq is missing");
    if (fd < 0)
        return err_set_errno(e, ERR_IO, "state in '%s': cannot open state.seq", s->dir);
    ssize_t n = pread(fd, slots, sizeof(slots), 0);
    if (n < 0)
        return err_set_errno(e, ERR_IO, "state in '%s': cannot read state.seq", s->dir);
    for (size_t i = 0; i < SLOTS; i++) {
        int64_t found = slot_parse(s, slots + i * SLOT_BYTES);
        newest = found > newest ? found : newest;
    }
    if (newest < 0)
        return store_damaged(s->dir, e, "state.seq is not what was written");
    *out_generation = newest;
    if (!s->read_only) {
        s->seq_fd = fd;
        fd = -1;
    }
    return ERR_OK;
}

enum err_code seq_note(struct store *s, int64_t generation, struct err *e)
{
    char slot[SLOT_BYTES];
    off_t at = (off_t)(generation % SLOTS) * SLOT_BYTES;

    slot_format(s, generation, slot);
    ssize_t n = pwrite(s->seq_fd, slot, sizeof(slot), at);
    if (n != (ssize_t)sizeof(slot))
        return err_set_errno(e, ERR_IO, "state in '%s': cannot write state.seq", s->dir);
    return ERR_OK;
}

/* To the disk once, and not with each commit: those are there already, and a power cut that leaves
 * the slots older than the database does no harm. */
void seq_close(struct store *s)
{
    if (s->seq_fd >= 0)
        (void)fdatasync(s->seq_fd);
    fd_closep(&s->seq_fd);
}
