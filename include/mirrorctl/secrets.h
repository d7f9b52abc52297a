/*
 * secrets: values that nobody may see. Locked memory, their sources, sealed boxes, keyed fingerprints.
 *
 * A secret is opaque, lives in sodium_malloc memory (locked, guarded, left out of core dumps, wiped on
 * release) and is lent to a callback, never returned as text. There is no printer for it, and none
 * will be written: log_event and err_set take strings, so a secret in them does not compile.
 *
 *     struct secret *token = NULL;
 *     TRY(secret_load(&source, base_dir, &token, e));     // lives until secret_free
 *     TRY(secret_lend(token, add_header, &request, e));   // the callback sees the bytes
 *
 * May open: base, model (the plain struct of a source stands there, because manifest fills it).
 */
#ifndef MIRRORCTL_SECRETS_H
#define MIRRORCTL_SECRETS_H

#include "mirrorctl/model.h"

/* Once per process before anything else here; idempotent. Also forbids core dumps. ERR_IO. */
enum err_code secrets_init(struct err *e);

struct secret;

/* Copies n bytes and wipes nothing of the caller's. Never NULL. */
struct secret *secret_new(const void *bytes, size_t n);
void secret_free(struct secret *s); /* NULL is fine; wipes */
void secret_freep(struct secret **s); /* for CLEANUP */
size_t secret_len(const struct secret *s);
bool secret_eq(const struct secret *a, const struct secret *b); /* constant time for equal lengths */

/* Lends the bytes (NUL-terminated behind len, for convenience) for the time of the call. */
typedef enum err_code (*secret_borrower)(const char *bytes, size_t n, void *ctx, struct err *e);
enum err_code secret_lend(const struct secret *s, secret_borrower fn, void *ctx, struct err *e);

/*
 * Reads a value from its source. Relative paths are under base_dir (the manifest's folder).
 * Errors name the source (value_source_describe), never the value:
 *   ERR_NOT_FOUND  variable unset, file or line missing, credential folder absent, program missing
 *   ERR_IO         not readable; a file that others than its owner may read is ERR_REFUSED
 *                  (mode & 077) for type file and env_file unless it is under $CREDENTIALS_DIRECTORY
 *   ERR_LIMIT      larger than LIMIT_SECRET_BYTES
 *   ERR_INVALID    NUL byte inside; .env line that is not NAME=value (with file:line); a name for type
 *                  dir or credential that leaves its folder
 *   ERR_UNAVAILABLE command ended with another status than 0, or not within 30 s
 * The newline that types dir, file, credential and command drop may be "\n" or "\r\n". A command runs
 * in base_dir with an empty stdin; what it says on stderr is not shown, since it may trace the value.
 * An empty value is returned as it is: whether that is allowed is the caller's policy.
 */
enum err_code secret_load(const struct value_source *src, const char *base_dir,
                          struct secret **out_secret, struct err *e);

/*
 * One .env file, parsed once for many names. Grammar: blank lines, # comments, `export ` prefix,
 * NAME=value; value bare (ends at " #"), 'single' (verbatim, may span lines) or "double" (\n \t \" \\ \$,
 * may span lines); the last of two equal names wins. NAME is [A-Za-z_][A-Za-z0-9_]* and '=' follows at
 * once; blanks around the value are dropped, carriage returns among them; nothing is expanded.
 *
 * Errors as for secret_load; ERR_INVALID says path:line and nothing of what stands there.
 */
struct env_file;
enum err_code env_file_load(const char *path, struct env_file **out_file, struct err *e);
void env_file_free(struct env_file *f);
/* Sorted by name, each name once. */
size_t env_file_count(const struct env_file *f);
const char *env_file_name(const struct env_file *f, size_t i); /* names are not secret */
int env_file_line(const struct env_file *f, size_t i);         /* 1-based */
/* NULL when absent; belongs to f. */
const struct secret *env_file_get(const struct env_file *f, const char *name);

/*
 * A box for what the loader has read in this pass: each source is read and each env_file parsed once,
 * failures included (a command that hangs costs its 30 s once, not for every slave). Not thread-safe.
 */
struct secret_loader;
struct secret_loader *secret_loader_new(const char *base_dir);
void secret_loader_free(struct secret_loader *l); /* wipes all it holds */
void secret_loader_freep(struct secret_loader **l);
/* As secret_load; *out belongs to the loader and lives as long. */
enum err_code secret_loader_get(struct secret_loader *l, const struct value_source *src,
                                const struct secret **out, struct err *e);

/*
 * Keyed fingerprint: BLAKE2b-256 under a 32-byte key that never leaves this machine, over
 * (domain, name, value), each with its length before it. Two names with one value differ. Hex, 64 + NUL.
 */
enum { FINGERPRINT_KEY_BYTES = 32, FINGERPRINT_HEX = 65 };
struct fingerprint_key {
    struct secret *key;
};
/*
 * Reads the key file (0600), or makes it when absent: whole, and of several processes that start at once
 * one makes it and all use it. ERR_DAMAGED: another size. ERR_REFUSED: open to others. ERR_IO.
 */
enum err_code fingerprint_key_open(const char *path, struct fingerprint_key *out, struct err *e);
void fingerprint_key_release(struct fingerprint_key *k);
void fingerprint_secret(const struct fingerprint_key *k, const char *domain, const char *name,
                        const struct secret *s, char out[static FINGERPRINT_HEX]);
/* The same over plain bytes: row hashes of the store. */
void fingerprint_bytes(const struct fingerprint_key *k, const char *domain, const void *bytes, size_t n,
                       char out[static FINGERPRINT_HEX]);

/*
 * GitHub's sealed box (github.md 1.2): key_b64 = 32 bytes in standard padded base64; result is the
 * standard padded base64 of crypto_box_seal, NUL-terminated, in the arena. It is ciphertext: it may
 * stand in a request body, and need not be wiped. ERR_INVALID: the key is not 32 bytes of base64.
 */
enum err_code secret_seal(const struct secret *s, const char *key_b64, struct arena *a,
                          char **out_b64, struct err *e);

/*
 * A readable descriptor (O_CLOEXEC) that yields `prefix` + the secret + `suffix` and then ends; the
 * bytes stand in a sealed memfd. For child_spec.secret_fd. The caller closes it.
 */
enum err_code secret_fd(const struct secret *s, const char *prefix, const char *suffix, int *out_fd,
                        struct err *e);

#endif
