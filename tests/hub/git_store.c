/* The pack into the object store, the refs into place: git's own plumbing does both. */
#include "gitside.h"
#include "internal.h"

#include <stdio.h>
#include <unistd.h>

enum {
    LOOSE_MOST = 100, /* objects; git's receive.unpackLimit: smaller pushes become loose objects */
    LOOSE_BYTES = 10 << 20 /* but not when they are large: writing those again costs seconds */
};

static uint32_t object_count(const struct hb_push *p)
{
    const unsigned char *pack = (const unsigned char *)p->q->body + p->pack_at;
    if (p->q->body_len - p->pack_at < 12 || memcmp(pack, "PACK", 4) != 0)
        return UINT32_MAX; /* let git say what is wrong */
    return (uint32_t)pack[8] << 24 | (uint32_t)pack[9] << 16 | (uint32_t)pack[10] << 8 | pack[11];
}

/* The pack as somebody's stdin: the file the transport kept, or a copy. */
static int pack_file(const struct hb_push *p, bool *out_own)
{
    const struct hub_request *q = p->q;
    *out_own = q->body_fd == NULL;
    if (q->body_fd != NULL)
        return lseek(*q->body_fd, (off_t)p->pack_at, SEEK_SET) < 0 ? -1 : *q->body_fd;
    return hb_tmp_with(p->h, (const char *)q->body + p->pack_at, q->body_len - p->pack_at);
}

/* A pack that cannot be read refuses every ref (6.2). */
static void unpack_failed(struct hb_push *p, const char *why)
{
    char *text = hb_fmt("error processing packfiles: %s", why);
    free(p->unpack);
    p->unpack = hb_strdup("index-pack failed");
    for (size_t i = 0; i < p->n; i++)
        hb_ng(&p->command[i], text);
    free(text);
}

bool hb_push_unpack(struct hb_push *p)
{
    static const char *const loose[] = {"git", "unpack-objects", "-q", NULL};
    static const char *const packed[] = {"git",        "index-pack",     "--stdin",
                                         "--fix-thin", "--fsck-objects", NULL};
    if (p->pack_at >= p->q->body_len)
        return true; /* deletions come without a pack */
    uint32_t n = object_count(p);
    if (n == 0)
        return true;
    bool own = false;
    bool small = n < LOOSE_MOST && p->q->body_len - p->pack_at < LOOSE_BYTES;
    struct hb_child child = {.dir = p->repo->dir, .argv = small ? loose : packed, .out = -1};
    child.in = pack_file(p, &own);
    child.err = hb_tmp(p->h);
    int status = child.in < 0 ? 255 : hb_run(&child);
    if (status != 0) {
        struct hb_buf why = {0};
        hb_buf_puts(&why, "");
        (void)hb_slurp(child.err, &why);
        why.data[strcspn(why.data, "\n")] = '\0';
        unpack_failed(p, why.data[0] != '\0' ? why.data : "git failed");
        hb_buf_free(&why);
    }
    if (own && child.in >= 0)
        (void)close(child.in);
    (void)close(child.err);
    return status == 0;
}

/* ---- refs ---- */

static bool to_do(const struct hb_command *k)
{
    return k->ng == NULL && !k->noop;
}

static void line_for(const struct hb_push *p, const struct hb_command *k, struct hb_buf *in)
{
    bool there = hb_ref_cached(p->repo, k->ref) != NULL;
    if (hb_zero(k->after)) {
        if (there) /* deleting what is not there is fine with git */
            hb_buf_fmt(in, "delete %s\n", k->ref);
    } else {
        hb_buf_fmt(in, "update %s %s %s\n", k->ref, k->after, k->before);
    }
}

static bool transaction(struct hb_push *p, const struct hb_buf *in)
{
    static const char *const argv[] = {"git", "update-ref", "--stdin", NULL};
    return in->len == 0 || hb_git(p->h, p->repo->dir, in->data, in->len, NULL, argv) == 0;
}

void hb_push_store(struct hb_push *p)
{
    struct hb_buf in = {0};
    for (size_t i = 0; i < p->n; i++)
        if (to_do(&p->command[i]))
            line_for(p, &p->command[i], &in);
    bool ok = transaction(p, &in);
    for (size_t i = 0; !ok && i < p->n;
         i++) { /* one of them cannot be: a name in the way, no commit, ... */
        struct hb_command *k = &p->command[i];
        in.len = 0;
        if (!to_do(k))
            continue;
        if (!p->atomic)
            line_for(p, k, &in);
        if (p->atomic || !transaction(p, &in))
            hb_ng(k, "failed to update ref");
    }
    hb_buf_free(&in);
    hb_refs_drop(&p->repo->refs);
}
