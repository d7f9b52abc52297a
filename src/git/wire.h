/*
 * wire: what travels between a git client and receive-pack, as bytes. Pure: no I/O, no libgit2, so
 * that all of it can be fuzzed. Everything that is parsed lives in the caller's arena.
 */
#ifndef MIRRORCTL_GIT_WIRE_H
#define MIRRORCTL_GIT_WIRE_H

#include "mirrorctl/git.h"

enum {
    OID_SHA1_HEX = 40,
    OID_SHA256_HEX = 64,
    PKT_HEADER = 4,            /* four hex digits: the length of the line, header included */
    PKT_LINE_MAX = 65520,      /* of a line, header included (gitprotocol-common) */
    WIRE_ADVERT = 256 << 20,   /* bytes of an advertisement: LIMIT_REFS names of some length */
    WIRE_REPORT = 128 << 20,   /* bytes of the answer to a push: a line for each of LIMIT_REFS */
    WIRE_COMMANDS = 256 << 20, /* bytes of the command list of one push */
    WIRE_TEXT = 64 << 10,      /* kept of a server's words for people */
    WIRE_ADVERT_LINES = LIMIT_REFS * 4, /* peeled and .have lines come on top of the refs */
};

#define OID_ZERO "0000000000000000000000000000000000000000"

/* ---- pkt-lines ------------------------------------------------------------------------------- */

enum pkt_type { PKT_DATA, PKT_FLUSH, PKT_END };

/* Walks over bytes that it may change. */
struct pkt_reader {
    char *at, *end;
};

struct pkt {
    enum pkt_type type;
    char *data; /* of PKT_DATA; not terminated, see pkt_text */
    size_t len;
};

/* PKT_END behind the last line. ERR_INVALID: no length, or a line that is cut short. */
enum err_code pkt_next(struct pkt_reader *r, struct pkt *out, struct err *e);
/*
 * The line as a string without its newline. Writes into the bytes of the line and its header, which
 * the reader has left behind. The length is p->len then; the line may hold a NUL of its own.
 */
char *pkt_text(struct pkt *p);
/* The length that four hex digits say, or -1. */
int pkt_length(const char header[static PKT_HEADER]);
/* Appends a line; ERR_LIMIT when it is longer than a line may be. */
enum err_code pkt_add(struct buf *b, const void *bytes, size_t n, struct err *e);
enum err_code pkt_add_flush(struct buf *b, struct err *e);

/* ---- Words of a server ----------------------------------------------------------------------- */

/*
 * Text from outside made fit for a terminal, a log and JSON: control characters and broken UTF-8
 * become
 * '?', progress that was overwritten by a carriage return is dropped, at most WIRE_TEXT bytes are
 * kept. Lines end in '\n' but for the last. Never NULL.
 */
char *text_clean(struct arena *a, const char *bytes, size_t n);
/* Non-empty lines, trimmed and joined by "; ", without a leading "remote: ". */
char *text_one_line(struct arena *a, const char *text);
/* The address in "This repository moved. Please use the new location: …", or NULL. */
const char *text_find_moved(struct arena *a, const char *text);

/* Hex of the length of `hex_len`, in lower case. */
bool oid_is_valid(const char *s, size_t hex_len);
/* All zeros, or NULL. */
bool oid_is_null(const char *oid);

/* ---- Advertisement --------------------------------------------------------------------------- */

struct advert {
    struct git_refs refs;
    const char
        *head; /* what HEAD points to (symref=HEAD:…, or the one branch equal to it); or NULL */
    const char *head_oid; /* of the HEAD line, which upload-pack sends; or NULL */
    bool report_status, quiet, agent, names_format; /* the rest of what is offered */
    bool shallow; /* the repository behind it has no full history */
};

/*
 * Protocol v0. `service` is the name that smart HTTP puts in front ("git-receive-pack"), NULL
 * elsewhere. ERR_INVALID: not an advertisement. ERR_NOT_FOUND, ERR_PERMISSION, ERR_UNAVAILABLE: an
 * ERR line, by its text. ERR_LIMIT: more refs, or longer names, than there may be.
 */
enum err_code advert_parse(struct arena *a, const void *bytes, size_t n, const char *service,
                           struct advert *out, struct err *e);
/* The entry of that name in a sorted list, or NULL. */
const struct git_ref *refs_find(const struct git_ref *items, size_t n, const char *name);

/* ---- Report ---------------------------------------------------------------------------------- */

struct report_line {
    const char *ref;
    const char *reason; /* NULL: ok */
};

struct report {
    const char *unpack;        /* "ok", or why not; NULL: there was no report */
    struct report_line *lines; /* sorted by ref */
    size_t n;
    const char
        *remote; /* what the server said beside it (side-band 2 and 3), cleaned; never NULL */
    const char *trouble; /* why the rest of the report could not be read; NULL: it is whole */
};

/* Never fails: what can be read of a broken answer is evidence, and the refs are listed again
 * anyway. */
void report_parse(struct arena *a, const void *bytes, size_t n, bool side_band, struct report *out);
const struct report_line *report_find(const struct report *r, const char *ref);

#endif
