#include "wire.h"

#include <stdlib.h>
#include <string.h>

struct parse {
    struct arena *arena;
    struct advert *out;
    size_t cap, lines;
    size_t oid_len; /* 0 until the first ref tells */
};

static int compare_refs(const void *x, const void *y)
{
    const struct git_ref *a = x, *b = y;
    return strcmp(a->name, b->name);
}

const struct git_ref *refs_find(const struct git_ref *items, size_t n, const char *name)
{
    struct git_ref key = {.name = name};
    return n == 0 ? NULL : bsearch(&key, items, n, sizeof(*items), compare_refs);
}

/* ---- Capabilities ---------------------------------------------------------------------------- */

static void take_capability(struct parse *p, const char *word)
{
    struct advert *out = p->out;
    const struct {
        const char *name;
        bool *flag;
    } FLAGS[] = {
        {"report-status", &out->report_status},  {"quiet", &out->quiet},
        {"atomic", &out->refs.atomic},           {"side-band-64k", &out->refs.side_band},
        {"delete-refs", &out->refs.delete_refs}, {"ofs-delta", &out->refs.ofs_delta},
    };

    for (size_t i = 0; i < ARRAY_LEN(FLAGS); i++) {
        if (str_eq(word, FLAGS[i].name))
            *FLAGS[i].flag = true;
    }
    if (str_starts_with(word, "agent="))
        out->agent = true;
    if (str_starts_with(word, "object-format=")) {
        out->names_format = true;
        out->refs.object_format = word + strlen("object-format=");
    }
    if (str_starts_with(word, "symref=HEAD:"))
        out->head = word + strlen("symref=HEAD:");
}

static void take_capabilities(struct parse *p, char *list)
{
    char *word;
    while ((word = strsep(&list, " ")) != NULL)
        take_capability(p, word);
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static enum err_code error_line(const char *text, struct arena *a, struct err *e)
{
    enum err_code code = ERR_UNAVAILABLE;

    if (strstr(text, "not found") != NULL || strstr(text, "does not exist") != NULL)
        code = ERR_NOT_FOUND;
    else if (strstr(text, "denied") != NULL || strstr(text, "not allowed") != NULL)
        code = ERR_PERMISSION;
    return err_set(e, code, "the server says: %s", text_clean(a, text, strlen(text)));
}

/* What git forbids in a name and what would harm a terminal; the fine rules are checked at a push.
 */
static bool name_is_sane(const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte <= ' ' || byte == 0x7F || strchr("~^:?*[\\", *c) != NULL)
            return false;
    }
    return true;
}

static enum err_code add_ref(struct parse *p, const char *oid, const char *name, struct err *e)
{
    struct git_refs *refs = &p->out->refs;

    if (str_eq(name, "HEAD"))
        p->out->head_oid = oid;
    /* .have lines name objects that the server borrows, peeled lines what a tag points to. */
    if (!str_starts_with(name, "refs/") || str_ends_with(name, "^{}"))
        return ERR_OK;
    if (strlen(name) > LIMIT_REF_NAME)
        return err_set(e, ERR_LIMIT, "the server has a ref with a name of more than %d bytes",
                       LIMIT_REF_NAME);
    if (!name_is_sane(name))
        return err_set(e, ERR_INVALID, "the server has a ref with a name that git does not allow");
    if (refs->n == LIMIT_REFS)
        return err_set(e, ERR_LIMIT, "the server has more than %d refs", LIMIT_REFS);
    refs->items = arena_grow(p->arena, refs->items, refs->n, &p->cap, sizeof(*refs->items));
    refs->items[refs->n++] = (struct git_ref){.name = name, .oid = oid};
    return ERR_OK;
}

static enum err_code take_ref(struct parse *p, char *text, size_t len, struct err *e)
{
    bool first = p->oid_len == 0;
    size_t oid_len = strspn(text, "0123456789abcdef");

    if ((oid_len != OID_SHA1_HEX && oid_len != OID_SHA256_HEX) || text[oid_len] != ' ')
        return err_set(e, ERR_INVALID, "the server's list of refs has a line without object id");
    if (!first && oid_len != p->oid_len)
        return err_set(e, ERR_INVALID, "the server's object ids are of two lengths");
    p->oid_len = oid_len;
    text[oid_len] = '\0';
    char *name = text + oid_len + 1;
    size_t used = oid_len + 1 + strlen(name);
    if (used < len) {
        if (!first)
            return err_set(e, ERR_INVALID, "the server's list of refs holds a NUL byte");
        take_capabilities(p, name + strlen(name) + 1);
    }
    if (first && str_eq(name, "capabilities^{}"))
        return ERR_OK;
    return add_ref(p, text, name, e);
}

static enum err_code take_line(struct parse *p, struct pkt *pkt, struct err *e)
{
    char *text = pkt_text(pkt);

    if (++p->lines > WIRE_ADVERT_LINES)
        return err_set(e, ERR_LIMIT, "the server's list of refs has more than %d lines",
                       (int)WIRE_ADVERT_LINES);
    if (str_starts_with(text, "ERR "))
        return error_line(text + 4, p->arena, e);
    if (str_starts_with(text, "shallow ")) {
        p->out->shallow = true;
        return ERR_OK;
    }
    if (p->oid_len == 0 && str_eq(text, "version 1"))
        return ERR_OK;
    return take_ref(p, text, pkt->len, e);
}

static enum err_code take_service(struct pkt_reader *r, const char *service, struct err *e)
{
    struct pkt pkt;

    TRY(pkt_next(r, &pkt, e));
    const char *text = pkt.type == PKT_DATA ? pkt_text(&pkt) : "";
    if (!str_starts_with(text, "# service=") || !str_eq(text + strlen("# service="), service))
        return err_set(e, ERR_INVALID, "the answer is not from %s", service);
    TRY(pkt_next(r, &pkt, e));
    if (pkt.type != PKT_FLUSH)
        return err_set(e, ERR_INVALID, "the answer of %s lacks the end of its header", service);
    return ERR_OK;
}

/* ---- The whole ------------------------------------------------------------------------------- */

static enum err_code finish(struct parse *p, struct err *e)
{
    struct git_refs *refs = &p->out->refs;
    bool sorted = true;

    for (size_t i = 1; i < refs->n; i++)
        sorted = sorted && strcmp(refs->items[i - 1].name, refs->items[i].name) < 0;
    if (!sorted)
        qsort(refs->items, refs->n, sizeof(*refs->items), compare_refs);
    for (size_t i = 1; !sorted && i < refs->n; i++) {
        if (str_eq(refs->items[i - 1].name, refs->items[i].name))
            return err_set(e, ERR_INVALID, "the server lists '%s' twice", refs->items[i].name);
    }
    refs->empty = refs->n == 0;
    const struct git_ref *marker = refs_find(refs->items, refs->n, GIT_MARKER_REF);
    refs->marker = marker == NULL ? NULL : marker->oid;
    if (refs->object_format == NULL)
        refs->object_format = p->oid_len == OID_SHA256_HEX ? "sha256" : "sha1";
    size_t expected = str_eq(refs->object_format, "sha256") ? OID_SHA256_HEX : OID_SHA1_HEX;
    if (p->oid_len != 0 && p->oid_len != expected)
        return err_set(e, ERR_INVALID, "the server's object ids are not %s", refs->object_format);
    return ERR_OK;
}

/* Servers older than symref= show only HEAD's value: one branch that has it is the default. */
static void guess_head(struct advert *out)
{
    const struct git_refs *refs = &out->refs;
    const char *only = NULL;

    if (out->head != NULL || out->head_oid == NULL)
        return;
    for (size_t i = 0; i < refs->n; i++) {
        if (!str_starts_with(refs->items[i].name, "refs/heads/") ||
            !str_eq(refs->items[i].oid, out->head_oid))
            continue;
        if (only != NULL)
            return;
        only = refs->items[i].name;
    }
    out->head = only;
}

enum err_code advert_parse(struct arena *a, const void *bytes, size_t n, const char *service,
                           struct advert *out, struct err *e)
{
    struct advert found = {.head = NULL};
    struct parse p = {.arena = a, .out = &found};
    char *copy = arena_alloc(a, n + 1);
    struct pkt_reader r = {.at = copy, .end = copy + n};

    if (n > 0)
        memcpy(copy, bytes, n);
    if (service != NULL)
        TRY(take_service(&r, service, e));
    for (;;) {
        struct pkt pkt;
        TRY(pkt_next(&r, &pkt, e));
        if (pkt.type == PKT_FLUSH)
            break;
        if (pkt.type == PKT_END)
            return err_set(e, ERR_INVALID, "the server's list of refs is cut short");
        TRY(take_line(&p, &pkt, e));
    }
    TRY(finish(&p, e));
    guess_head(&found);
    *out = found;
    return ERR_OK;
}
