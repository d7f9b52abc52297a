/*
 * Inside the manifest room: one manifest being read, its tree of YAML nodes, and what is wrong
 * with it.
 *
 *     bytes ──events.c──▶ tree ──▶ walk.c (keys, types, formats) ──▶ check.c (parts against parts)
 *       └──load.c (libcyaml)──▶ raw structs ──resolve*.c──▶ struct manifest
 *
 * The tree is also the index of positions: whoever holds a raw struct walks to the same place in
 * it.
 */
#ifndef MIRRORCTL_MANIFEST_ROOM_H
#define MIRRORCTL_MANIFEST_ROOM_H

#include "schema.h"

#include <regex.h>

enum {
    LIMIT_YAML_DEPTH = 64,         /* a manifest needs 7 */
    LIMIT_YAML_NODES = 1000000,    /* 10,000 slaves with all keys need 600,000 */
    LIMIT_YAML_SCALAR = 64 << 10,  /* bytes; the largest thing that may stand here is a variable */
    LIMIT_DIAGNOSTICS = 500,       /* more are counted, and not kept */
    LIMIT_SECRETS_PER_SLAVE = 100, /* GitHub (github.md 2) */
    LIMIT_VARIABLES_PER_SLAVE = 500, /* the same */
};

/* ---- The tree ------------------------------------------------------------------------------- */

enum node_type { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
    enum node_type type;
    bool plain;            /* a scalar without quotes */
    bool bad;              /* an alias stood here: reported, not looked at again */
    struct pos start, end; /* end: behind the last character */
    const char *text;      /* of a scalar; no NUL inside */
    size_t len;            /* of text */
    struct node *key;      /* in a map: this node's key, a scalar */
    struct node *next;     /* the next of the same list or map */
    struct node *first, *last;
    size_t n; /* children */
};

/* The value of a key, or NULL: no such key, no map, no node. */
const struct node *node_get(const struct node *map, const char *key);
/* The text of a scalar behind a key, or NULL. */
const char *node_text(const struct node *map, const char *key);
/* The first child of a list behind a key, or NULL. */
const struct node *node_items(const struct node *map, const char *key);
/* Columns under which a caret line goes. */
int node_width(const struct node *n);
/* Whether a plain scalar is something else than text in YAML 1.2: number, truth value, null. */
bool node_is_text(const struct node *n);

struct node *node_new(struct arena *a, enum node_type type, struct pos at);
void node_append(struct node *parent, struct node *child);

/* ---- Names, many of them -------------------------------------------------------------------- */

/* From a text to a pointer: 10,000 ids and repositories are looked up in each other. */
struct names {
    struct names_slot {
        const char *key;
        const void *value;
    } * slots;
    size_t n, cap;
    struct arena *arena;
};

void names_init(struct names *t, struct arena *a);
/* Puts (key, value) unless the key is there; returns what was there before, or NULL. */
const void *names_put(struct names *t, const char *key, const void *value);
const void *names_get(const struct names *t, const char *key);

/* ---- Diagnostics ---------------------------------------------------------------------------- */

/* Stable: a number never changes its meaning, new ones go where there is room. Rows in codes.c. */
enum diag {
    D_SYNTAX = 1,
    D_TOO_LARGE = 2,
    D_ALIAS = 3,
    D_DOCUMENTS = 4,
    D_ENCODING = 5,
    D_LIBRARY = 6,
    D_TYPE = 10,
    D_DUPLICATE_KEY = 11,
    D_UNKNOWN_KEY = 12,
    D_MISSING_KEY = 13,
    D_SCALAR = 14,
    D_WORD = 15,
    D_RANGE = 16,
    D_DURATION = 17,
    D_ONE_OF = 18,
    D_COMPANION = 19,
    D_ID = 20,
    D_REPO = 21,
    D_NAME = 22,
    D_URL = 23,
    D_HTTP = 24,
    D_REF_GLOB = 25,
    D_PATH = 26,
    D_WORKFLOW = 27,
    D_REFERENCE = 28,
    D_EMPTY = 29,
    D_LITERAL_SECRET = 30,
    D_TOKEN = 31,
    D_URL_PASSWORD = 32,
    D_DUPLICATE_ID = 40,
    D_DUPLICATE_NAME = 41,
    D_UNKNOWN_SLAVE = 42,
    D_SLAVE_IS_MASTER = 43,
    D_SAME_REPO = 44,
    D_TWO_LISTS = 45,
    D_TYPE_NEEDS = 46,
    D_TYPE_REFUSES = 47,
    D_LEASE = 48,
    D_TOO_MANY = 49,
    D_VALUE_SIZE = 50,
    D_STATE_FILE = 51,
    D_MISPLACED_SLAVES = 52,
    W_RANK = 60,
    W_EMPTY_PRUNE = 61,
    W_PASSWORD = 62,
    D_ENV_LINE = 70,
    D_ENV_UNKNOWN = 71,
    D_ENV_MISSING = 72,
    D_ENV_VALUE = 73,
    D_ENV_OWN_TOKEN = 74,
    W_ENV_DISABLED = 75,
    W_ENV_NO_SECRETS = 76,
    D_ENV_STDIN = 77,
};

struct diag_row {
    enum diag code;
    enum diagnostic_level level;
    const char *title; /* what is the matter, in general */
    const char *cure;
};
extern const struct diag_row diag_rows[];
extern const size_t diag_rows_n;
const struct diag_row *diag_row(enum diag code);

/* From here on a line of the file must not be shown. */
struct mask {
    struct pos from, to;
};

/* ---- One manifest being read ---------------------------------------------------------------- */

struct reading {
    struct arena *arena;
    struct diagnostics *diags;
    const char *file; /* as messages call it */
    const char *text; /* its bytes */
    size_t n;
    bool env;       /* a .env: what stands behind = is not shown unless it is known harmless */
    bool piped;     /* from standard input: there is no file to refer to */
    bool secretive; /* the walk is where people write values by mistake */
    bool broken;    /* the tree is not whole: some limit or a syntax error */
    struct mask *masks;
    size_t n_masks, cap_masks;
    regex_t patterns[FORMAT_COUNT];
    bool compiled[FORMAT_COUNT];
};

void reading_init(struct reading *r, struct arena *a, struct diagnostics *d, const char *file,
                  const char *text, size_t n);
void reading_release(struct reading *r); /* for CLEANUP */

/* Adds a diagnostic. Quote what the user wrote with quoted(), never as it is. */
void report(struct reading *r, enum diag code, struct pos at, int width, const char *hint,
            const char *fmt, ...) PRINTF_LIKE(6, 7);
/* The same at a node. */
void report_at(struct reading *r, enum diag code, const struct node *n, const char *hint,
               const char *fmt, ...) PRINTF_LIKE(5, 6);
/* A text of the user's, fit for a message: short, printable, nothing that looks like a credential.
 */
const char *quoted(struct reading *r, const char *text);
/* One character of UTF-8: its bytes, or 0 when there is none (overlong, surrogate, cut off). */
size_t utf8_decode(const char *s, size_t n, uint32_t *out);
bool utf8_is_valid(const char *s, size_t n);
/* What a node holds is not to be shown, neither in a line nor in a message. */
void hide(struct reading *r, const struct node *n);
/* Sorts the diagnostics by position and gives each its source line. Call once, at the end. */
void reading_finish(struct reading *r);

/* ---- What must not be shown (mask.c) -------------------------------------------------------- */

/* Where something that looks like a credential begins in n bytes; n when there is none. */
size_t mask_find_token(const char *s, size_t n);
/* Where a URL with a password (or a token in the user's place) begins; n when there is none. */
size_t mask_find_url_password(const char *s, size_t n);
/* Where a line has to end because of the two above, because of `key: value` with a key that holds
 * secrets, or of long runs of base64; n when all of it may be shown. For lines that were not
 * understood. */
size_t mask_guess(const char *line, size_t n);

/* ---- Formats of scalars (format.c) ---------------------------------------------------------- */

/* The ERE that the text must match, or NULL; also the JSON Schema's pattern. */
const char *format_pattern(enum format f);
/* What a person would call it: "a duration such as 30s, 5m or 2h". */
const char *format_expected(enum format f);
/* Reports what is wrong with a scalar's text. */
void format_check(struct reading *r, enum format f, const struct node *n);

/* What a reference stands for; a list of them ends with name NULL. */
struct reference {
    const char *name;
    const char *value;
};
const char *const *reference_names(void);
/* The first ${name} that nobody knows or (*out_open) that is never closed, or NULL. */
const char *reference_find_unknown(const char *text, struct arena *a, bool *out_open);
/* The text with its references replaced; NULL when it became larger than a value may be. */
const char *references_replace(struct arena *a, const char *text, const struct reference *refs);

/* An address, taken apart. */
struct address {
    const char *scheme; /* "https", "http", "ssh", "file"; "path" for a local one */
    const char *user, *host, *port, *path; /* host in lower case; NULL = not there */
    bool password;
};
/* False when it is none of the forms of git.h. */
bool address_parse(const char *url, struct arena *a, struct address *out);
bool address_is_loopback(const struct address *ad);
/* The same for two addresses of one repository: "host[:port]/owner/repo", without .git; nocase:
 * GitHub does not tell upper from lower case. */
const char *address_identity(const struct address *ad, bool nocase, struct arena *a);

/* ---- The steps ------------------------------------------------------------------------------ */

/* Bytes to tree. NULL (with a diagnostic) when there is none to look at. */
struct node *events_read(struct reading *r);
/* The tree along the tables of schema.c. */
void walk_check(struct reading *r, const struct node *root);
/* Parts against parts. */
void check_parts(struct reading *r, const struct node *root);
/* libcyaml over bytes that the walk found good; everything in the arena. NULL with a diagnostic. */
struct raw_manifest *load_raw(struct reading *r, const char *text, size_t n);
/* Defaults into every slave, references into values. Reports limits; NULL when it did. */
struct manifest *resolve_manifest(struct reading *r, const struct raw_manifest *raw,
                                  const struct node *root);

/* The tree that says the same as a .env; env_path is how tokens refer to it. NULL when there is
 * none. */
struct node *env_tree(struct reading *r, const char *env_path);
/* A tree as YAML text. */
enum err_code tree_write_yaml(const struct node *root, struct buf *out, struct err *e);

#endif
