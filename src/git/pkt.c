#include "wire.h"

#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int pkt_length(const char header[static PKT_HEADER])
{
    int n = 0;

    for (int i = 0; i < PKT_HEADER; i++) {
        int digit = hex_digit(header[i]);
        if (digit < 0)
            return -1;
        n = n * 16 + digit;
    }
    return n;
}

enum err_code pkt_next(struct pkt_reader *r, struct pkt *out, struct err *e)
{
    size_t left = (size_t)(r->end - r->at);

    if (left == 0) {
        *out = (struct pkt){.type = PKT_END};
        return ERR_OK;
    }
    if (left < PKT_HEADER)
        return err_set(e, ERR_INVALID, "the server's answer is cut short within a line length");
    int n = pkt_length(r->at);
    if (n == 0) {
        r->at += PKT_HEADER;
        *out = (struct pkt){.type = PKT_FLUSH};
        return ERR_OK;
    }
    /* 1 and 2 are separators of protocol v2, which nobody asked for; 3 is no length at all. */
    if (n < PKT_HEADER || n > PKT_LINE_MAX)
        return err_set(e, ERR_INVALID, "the server's answer is not in git's line format");
    if ((size_t)n > left)
        return err_set(e, ERR_INVALID, "the server's answer is cut short within a line");
    *out = (struct pkt){
        .type = PKT_DATA,
        .data = r->at + PKT_HEADER,
        .len = (size_t)n - PKT_HEADER,
    };
    r->at += n;
    return ERR_OK;
}

char *pkt_text(struct pkt *p)
{
    if (p->len > 0 && p->data[p->len - 1] == '\n')
        p->len--;
    else /* no room for the end mark: the header, already read, gives one */
        p->data = memmove(p->data - 1, p->data, p->len);
    p->data[p->len] = '\0';
    return p->data;
}

enum err_code pkt_add(struct buf *b, const void *bytes, size_t n, struct err *e)
{
    if (n > PKT_LINE_MAX - PKT_HEADER)
        return err_set(e, ERR_LIMIT, "a line of %zu bytes is too long for git's protocol", n);
    TRY(buf_addf(b, e, "%04x", (unsigned)(n + PKT_HEADER)));
    return buf_add(b, bytes, n, e);
}

enum err_code pkt_add_flush(struct buf *b, struct err *e)
{
    return buf_add(b, "0000", PKT_HEADER, e);
}
