#include "wire.h"

#include <stdlib.h>
#include <string.h>

enum band { BAND_DATA = 1, BAND_TEXT = 2, BAND_FATAL = 3 };

struct answer {
    struct buf data, text;
    const char *trouble;
};

static int compare_lines(const void *x, const void *y)
{
    const struct report_line *a = x, *b = y;
    return strcmp(a->ref, b->ref);
}

const struct report_line *report_find(const struct report *r, const char *ref)
{
    struct report_line key = {.ref = ref};
    return r->n == 0 ? NULL : bsearch(&key, r->lines, r->n, sizeof(*r->lines), compare_lines);
}

/* Beyond its limit text is dropped: the last words of a server that talks on and on are not
 * evidence. */
static void take_text(struct answer *x, const char *bytes, size_t n)
{
    struct err ignored = ERR_INIT;
    size_t room = x->text.max - x->text.len;
    (void)buf_add(&x->text, bytes, n < room ? n : room, &ignored);
}

static const char *copy_trouble(struct arena *a, const struct err *e)
{
    return arena_strdup(a, e->text);
}

/* Splits the bands. Each line of a band may be cut anywhere, so both are joined first and read
 * later. */
static void demultiplex(struct arena *a, char *bytes, size_t n, struct answer *x)
{
    struct pkt_reader r = {.at = bytes, .end = bytes + n};
    struct pkt pkt;
    struct err e = ERR_INIT;

    for (;;) {
        if (pkt_next(&r, &pkt, &e) != ERR_OK) {
            x->trouble = copy_trouble(a, &e);
            return;
        }
        if (pkt.type == PKT_FLUSH)
            return;
        if (pkt.type == PKT_END) {
            x->trouble = "the server's answer ends too early";
            return;
        }
        if (pkt.len == 0)
            continue; /* a keep-alive */
        switch ((unsigned char)pkt.data[0]) {
        case BAND_DATA:
            if (buf_add(&x->data, pkt.data + 1, pkt.len - 1, &e) != ERR_OK) {
                x->trouble = copy_trouble(a, &e);
                return;
            }
            break;
        case BAND_FATAL:
            x->trouble = "the server gave up";
            take_text(x, pkt.data + 1, pkt.len - 1);
            take_text(x, "\n", 1);
            return;
        case BAND_TEXT:
            take_text(x, pkt.data + 1, pkt.len - 1);
            break;
        default:
            x->trouble = "the server's answer has a part of unknown kind";
            return;
        }
    }
}

static void add_line(struct arena *a, struct report *r, size_t *cap, const char *ref,
                     const char *reason)
{
    r->lines = arena_grow(a, r->lines, r->n, cap, sizeof(*r->lines));
    r->lines[r->n++] = (struct report_line){.ref = ref, .reason = reason};
}

/* False: the line makes no sense. */
static bool take_line(struct arena *a, struct report *r, size_t *cap, char *text)
{
    if (str_starts_with(text, "unpack ")) {
        r->unpack = text_clean(a, text + 7, strlen(text + 7));
        return true;
    }
    if (str_starts_with(text, "option "))
        return true; /* of report-status-v2, about the line before */
    if (r->unpack == NULL || r->n > LIMIT_REFS)
        return false;
    if (str_starts_with(text, "ok ")) {
        add_line(a, r, cap, text + 3, NULL);
        return true;
    }
    if (!str_starts_with(text, "ng "))
        return false;
    char *ref = text + 3, *reason = strchr(ref, ' ');
    if (reason != NULL)
        *reason++ = '\0';
    else
        reason = ref + strlen(ref);
    add_line(a, r, cap, ref,
             *reason == '\0' ? "no reason given" : text_clean(a, reason, strlen(reason)));
    return true;
}

static void take_report(struct arena *a, struct buf *data, struct report *r)
{
    struct pkt pkt;
    struct err e = ERR_INIT;
    size_t cap = 0;

    if (data->len == 0)
        return;
    struct pkt_reader reader = {.at = data->data, .end = data->data + data->len};
    for (;;) {
        if (pkt_next(&reader, &pkt, &e) != ERR_OK) {
            r->trouble = copy_trouble(a, &e);
            return;
        }
        if (pkt.type == PKT_FLUSH)
            return;
        if (pkt.type == PKT_END) {
            if (r->trouble == NULL)
                r->trouble = "the server's report ends too early";
            return;
        }
        char *text = arena_strdup(a, pkt_text(&pkt));
        if (!take_line(a, r, &cap, text)) {
            r->trouble = "the server's report has a line of unknown kind";
            return;
        }
    }
}

void report_parse(struct arena *a, const void *bytes, size_t n, bool side_band, struct report *out)
{
    CLEANUP(buf_release) struct buf all = BUF_INIT(WIRE_REPORT);
    struct answer x = {.data = BUF_INIT(WIRE_REPORT), .text = BUF_INIT(WIRE_TEXT)};
    struct err e = ERR_INIT;

    *out = (struct report){.remote = ""};
    if (n == 0)
        return;
    if (buf_add(&all, bytes, n, &e) != ERR_OK) {
        out->trouble = copy_trouble(a, &e);
    } else if (side_band) {
        demultiplex(a, all.data, all.len, &x);
        out->trouble = x.trouble;
        take_report(a, &x.data, out);
    } else {
        take_report(a, &all, out);
    }
    if (out->n > 1)
        qsort(out->lines, out->n, sizeof(*out->lines), compare_lines);
    out->remote = text_clean(a, buf_str(&x.text), x.text.len);
    buf_release(&x.data);
    buf_release(&x.text);
}
