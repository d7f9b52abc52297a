/* Scripted faults: a list of (method, path, which request) -> effect, and the ones github.md has
 * vectors for. */
#include "internal.h"
#include "rest.h"

#include <fnmatch.h>
#include <stdio.h>

/* ---- the list ---- */

void hb_fault_release(struct hub_fault *f)
{
    union {
        const void *in;
        void *out;
    } part[] = {{.in = f->method}, {.in = f->path}, {.in = f->body}, {.in = f->headers}};
    for (size_t i = 0; i < f->n_headers; i++) {
        union {
            const char *in;
            char *out;
        } name = {.in = f->headers[i].name}, value = {.in = f->headers[i].value};
        free(name.out);
        free(value.out);
    }
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
        free(part[i].out);
    *f = (struct hub_fault){0};
}

static struct hub_fault fault_copy(const struct hub_fault *f)
{
    struct hub_fault copy = *f;
    copy.method = f->method != NULL ? hb_strdup(f->method) : NULL;
    copy.path = hb_strdup(f->path != NULL ? f->path : "*");
    copy.body = f->body != NULL ? hb_strdup(f->body) : NULL;
    struct hub_header *headers = hb_grow(NULL, f->n_headers, sizeof *headers);
    for (size_t i = 0; i < f->n_headers; i++)
        headers[i] =
            (struct hub_header){hb_strdup(f->headers[i].name), hb_strdup(f->headers[i].value)};
    copy.headers = headers;
    return copy;
}

bool hub_fault_add(struct hub *h, const struct hub_fault *fault)
{
    pthread_mutex_lock(&h->lock);
    h->fault = hb_grow(h->fault, h->n_faults + 1, sizeof *h->fault);
    h->fault[h->n_faults++] = (struct hb_fault){.f = fault_copy(fault)};
    pthread_mutex_unlock(&h->lock);
    return true;
}

void hub_faults_clear(struct hub *h)
{
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->n_faults; i++)
        hb_fault_release(&h->fault[i].f);
    free(h->fault);
    h->fault = NULL;
    h->n_faults = 0;
    pthread_mutex_unlock(&h->lock);
}

static bool about(const struct hub_fault *f, const char *method, const char *path)
{
    return (f->method == NULL || hb_ieq(f->method, method)) && fnmatch(f->path, path, 0) == 0;
}

/* Counts the request in every fault that is about it; the first one that is due is met. */
bool hb_fault_match(struct hub *h, const char *method, const char *path, struct hub_fault *out)
{
    bool met = false;
    for (size_t i = 0; i < h->n_faults; i++) {
        struct hb_fault *f = &h->fault[i];
        if (f->f.effect == HUB_F_CUT_UPLOAD || !about(&f->f, method, path))
            continue;
        f->seen++;
        bool due = f->seen >= (f->f.nth ? f->f.nth : 1) && (f->f.count == 0 || f->hit < f->f.count);
        if (!due || met)
            continue;
        f->hit++;
        *out = fault_copy(&f->f);
        met = true;
    }
    return met;
}

long long hub_upload_cut(struct hub *h, const char *method, const char *path)
{
    long long at = -1;
    const char *from = hb_starts(path, "/api/v3/") ? path + strlen("/api/v3") : path;
    char *bare = hb_strndup(from, strcspn(from, "?"));
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->n_faults; i++) {
        struct hb_fault *f = &h->fault[i];
        if (f->f.effect != HUB_F_CUT_UPLOAD || !about(&f->f, method, bare))
            continue;
        f->seen++;
        if (f->seen >= (f->f.nth ? f->f.nth : 1) && (f->f.count == 0 || f->hit++ < f->f.count) &&
            at < 0)
            at = (long long)f->f.size;
    }
    pthread_mutex_unlock(&h->lock);
    free(bare);
    return at;
}

/* ---- bodies ---- */

static char *big_body(size_t size, size_t *out_len)
{
    static const char head[] = "{\"message\":\"", tail[] = "\"}";
    size_t n = sizeof head - 1 + size + sizeof tail - 1;
    char *body = hb_alloc(n + 1);
    memcpy(body, head, sizeof head - 1);
    memset(body + sizeof head - 1, 'x', size);
    memcpy(body + sizeof head - 1 + size, tail, sizeof tail);
    *out_len = n;
    return body;
}

static char *deep_body(size_t depth, size_t *out_len)
{
    char *body = hb_alloc(depth * 2 + 1);
    memset(body, '[', depth);
    memset(body + depth, ']', depth);
    *out_len = depth * 2;
    return body;
}

struct bits { /* deflate packs from the low bit up */
    struct hb_buf *out;
    unsigned held, n;
};

static void put_bits(struct bits *b, unsigned value, unsigned n)
{
    b->held |= value << b->n;
    for (b->n += n; b->n >= 8; b->n -= 8) {
        char byte = (char)(b->held & 0xff);
        hb_buf_add(b->out, &byte, 1);
        b->held >>= 8;
    }
}

/* Huffman codes go in from their high bit. */
static void put_code(struct bits *b, unsigned code, unsigned n)
{
    while (n-- > 0)
        put_bits(b, code >> n & 1, 1);
}

static uint32_t crc_of_zeros(size_t n)
{
    uint32_t crc = 0xffffffffU;
    for (size_t i = 0; i < n; i++)
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
    return ~crc;
}

static void put_le32(struct hb_buf *b, uint32_t v)
{
    unsigned char raw[4];
    for (size_t i = 0; i < sizeof raw; i++)
        raw[i] = (unsigned char)(v >> 8 * i & 0xff);
    hb_buf_add(b, raw, sizeof raw);
}

/* One fixed-Huffman block: a zero, then copies of 258 zeros at distance 1, 13 bits each. About 158
 * to 1. */
static char *gzip_bomb(size_t size, size_t *out_len)
{
    static const unsigned char head[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
    struct hb_buf out = {0};
    hb_buf_add(&out, head, sizeof head);
    struct bits b = {.out = &out};
    size_t copies = size > 1 ? (size - 1) / 258 : 0, plain = copies * 258 + 1;
    put_bits(&b, 1, 1); /* the last block */
    put_bits(&b, 1, 2); /* fixed codes */
    put_code(&b, 0x30, 8);
    for (size_t i = 0; i < copies; i++) {
        put_code(&b, 0xc5, 8); /* length 258 */
        put_code(&b, 0, 5);    /* distance 1 */
    }
    put_code(&b, 0, 7);
    put_bits(&b, 0, 7); /* up to the byte */
    put_le32(&out, crc_of_zeros(plain));
    put_le32(&out, (uint32_t)plain);
    *out_len = out.len;
    return out.data;
}

/* ---- effects ---- */

static void made_up(const struct hub_fault *f, struct hub_reply *out, char *body, size_t len)
{
    out->status = 200;
    hb_head(out, "content-type", "application/json; charset=utf-8");
    if (f->effect == HUB_F_GZIP_BOMB)
        hb_head(out, "content-encoding", "gzip");
    hb_body_take(out, body, len);
}

static void scripted(const struct hub_fault *f, struct hub_reply *out)
{
    bool typed = false;
    for (size_t i = 0; i < f->n_headers; i++) {
        hb_head(out, f->headers[i].name, f->headers[i].value);
        typed = typed || hb_ieq(f->headers[i].name, "content-type");
    }
    const char *body = f->body != NULL ? f->body : "";
    if (!typed)
        hb_head(out, "content-type", "application/json; charset=utf-8");
    out->status = f->status != 0 ? f->status : 500;
    out->delay_ms = f->delay_ms;
    hb_body_take(out, hb_strdup(body), strlen(body));
}

/* Another host: a client that sends its token there has lost it (5.1). */
static void redirected(const struct hub_fault *f, struct hub_reply *out)
{
    const char *to = f->body != NULL ? f->body : "http://other.invalid/";
    char *body = hb_fmt("{\"message\":\"Moved Permanently\",\"url\":\"%s\"}", to);
    hb_head(out, "location", to);
    hb_body_text(out, f->status != 0 ? f->status : 301, "application/json; charset=utf-8", body);
    free(body);
}

bool hb_fault_before(const struct hub_fault *f, struct hub_reply *out)
{
    size_t len = 0;
    char *body = NULL;
    switch (f->effect) {
    case HUB_F_STATUS:
        scripted(f, out);
        return true;
    case HUB_F_RESET:
        out->kind = HUB_RESET;
        return true;
    case HUB_F_SILENT:
        out->kind = HUB_SILENT;
        return true;
    case HUB_F_BIG_BODY:
        body = big_body(f->size, &len);
        break;
    case HUB_F_INVALID_JSON:
        body = hb_strdup("{\"total_count\": 1, \"secrets\": [{\"name\":");
        len = strlen(body);
        break;
    case HUB_F_DEEP_JSON:
        body = deep_body(f->size != 0 ? f->size : 100000, &len);
        break;
    case HUB_F_GZIP_BOMB:
        body = gzip_bomb(f->size, &len);
        break;
    case HUB_F_REDIRECT:
        redirected(f, out);
        return true;
    case HUB_F_DELAY:
    case HUB_F_LOSE_ANSWER:
    case HUB_F_TRUNCATE:
    case HUB_F_WRONG_LENGTH:
    case HUB_F_DRIP:
    case HUB_F_CUT_UPLOAD:
    case HUB_F_NO_REPORT:
    case HUB_F_NO_REPORT_LOST:
    case HUB_F_PUSH_LOST:
    case HUB_F_PUSH_ISE:
        return false;
    }
    made_up(f, out, body, len);
    return true;
}

void hb_fault_after(const struct hub_fault *f, struct hub_reply *out)
{
    if (f->effect == HUB_F_LOSE_ANSWER) {
        out->kind = HUB_RESET;
    } else if (f->effect == HUB_F_TRUNCATE) {
        out->sent_len = out->body_len / 2;
    } else if (f->effect == HUB_F_WRONG_LENGTH) {
        out->declared_len = out->body_len + (f->size != 0 ? f->size : 10);
    } else if (f->effect == HUB_F_DRIP) {
        out->drip_bytes = 1;
        out->drip_ms = f->delay_ms;
    } else if (f->effect == HUB_F_DELAY) {
        out->delay_ms = f->delay_ms;
    }
}

bool hub_effect_named(const char *name, enum hub_effect *out)
{
    static const char *const names[] = {
        [HUB_F_STATUS] = "status",
        [HUB_F_DELAY] = "delay",
        [HUB_F_RESET] = "reset",
        [HUB_F_SILENT] = "silent",
        [HUB_F_LOSE_ANSWER] = "lose-answer",
        [HUB_F_TRUNCATE] = "truncate",
        [HUB_F_WRONG_LENGTH] = "wrong-length",
        [HUB_F_DRIP] = "drip",
        [HUB_F_BIG_BODY] = "big-body",
        [HUB_F_INVALID_JSON] = "invalid-json",
        [HUB_F_DEEP_JSON] = "deep-json",
        [HUB_F_GZIP_BOMB] = "gzip-bomb",
        [HUB_F_REDIRECT] = "redirect",
        [HUB_F_CUT_UPLOAD] = "cut-upload",
        [HUB_F_NO_REPORT] = "no-report",
        [HUB_F_NO_REPORT_LOST] = "no-report-lost",
        [HUB_F_PUSH_LOST] = "push-lost",
        [HUB_F_PUSH_ISE] = "push-ise",
    };
    for (size_t i = 0; name != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (enum hub_effect)i;
            return true;
        }
    }
    return hb_fail("no effect '%s'", name != NULL ? name : "");
}
