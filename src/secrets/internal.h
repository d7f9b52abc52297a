/* Private to secrets: memory that holds a value while it is being read, and where it ends. */
#ifndef MIRRORCTL_SECRETS_INTERNAL_H
#define MIRRORCTL_SECRETS_INTERNAL_H

#include "mirrorctl/secrets.h"

/*
 * The header stands in ordinary memory (a length is not a secret), the bytes in sodium's. So the
 * values of one .env file can share one locked block instead of some pages each.
 */
struct secret {
    size_t len;
    const char *bytes; /* NUL behind len */
};

/* sodium_malloc that ends the process when memory is gone, as mem_alloc does (docs/adr/0002). */
void *secrets_alloc(size_t n);

/* A growing block of sodium memory. Whatever is outgrown is wiped. */
struct locked {
    char *bytes;
    size_t len, cap;
};

void locked_release(struct locked *l); /* wipes; for CLEANUP */
/* Room for at least n bytes in all; the bytes that are there stay. */
void locked_reserve(struct locked *l, size_t n);
/* Makes room for at least one more byte and the NUL behind it, doubling. Returns the free bytes. */
size_t locked_grow(struct locked *l);

enum locked_check {
    CHECK_MODE = 1, /* refuse a file that group or others may touch */
};

/*
 * The whole of a regular file. ERR_NOT_FOUND, ERR_IO, ERR_REFUSED (CHECK_MODE), ERR_LIMIT (more
 * than max). Messages name the path.
 */
enum err_code locked_read_file(const char *path, unsigned check, size_t max, struct locked *out,
                               struct err *e);

/* What was read becomes a secret; *l is empty afterwards. The bytes can no longer be written. */
struct secret *secret_adopt(struct locked *l);

/* Absolute, or under base_dir; "~/" expanded. In the arena. */
const char *source_path(struct arena *a, const struct value_source *src, const char *base_dir);

/* secret_load with a deadline of its own for the command. */
enum err_code source_load(const struct value_source *src, const char *base_dir, struct ms deadline,
                          struct secret **out_secret, struct err *e);
/* The error for a name that the file does not have, with the nearest one that it has. */
enum err_code env_file_missing(const struct env_file *f, const char *path, const char *name,
                               struct err *e);

#endif
