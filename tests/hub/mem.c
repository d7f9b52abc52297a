/* Memory, text and maps. */
#include "internal.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <time.h>

static _Thread_local char last_error[512] = "";

const char *hub_error(void)
{
    return last_error;
}

bool hb_fail(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(last_error, sizeof last_error, format, ap);
    va_end(ap);
    return false;
}

static _Noreturn void out_of_memory(void)
{
    (void)fputs("hub: out of memory\n", stderr);
    abort();
}

void *hb_alloc(size_t n)
{
    void *p = calloc(1, n ? n : 1);
    if (p == NULL)
        out_of_memory();
    return p;
}

void *hb_grow(void *p, size_t n, size_t each)
{
    void *q = reallocarray(p, n ? n : 1, each);
    if (q == NULL)
        out_of_memory();
    return q;
}

char *hb_strndup(const char *s, size_t n)
{
    char *p = hb_alloc(n + 1);
    memcpy(p, s, n);
    return p;
}

char *hb_strdup(const char *s)
{
    return hb_strndup(s, strlen(s));
}

void hb_set(char **slot, const char *s)
{
    char *copy = s == NULL ? NULL : hb_strdup(s);
    free(*slot);
    *slot = copy;
}

char *hb_fmt(const char *format, ...)
{
    char *s = NULL;
    va_list ap;
    va_start(ap, format);
    int n = vasprintf(&s, format, ap);
    va_end(ap);
    if (n < 0)
        out_of_memory();
    return s;
}

bool hb_ieq(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

bool hb_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool hb_ends(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && strcmp(s + n - m, suffix) == 0;
}

bool hb_word_in(const char *list, const char *word)
{
    if (list == NULL)
        return false;
    size_t n = strlen(word);
    for (const char *p = list; *p != '\0';) {
        size_t len = strcspn(p, " ,");
        if (len == n && strncasecmp(p, word, n) == 0)
            return true;
        p += len;
        p += strspn(p, " ,");
    }
    return false;
}

void hb_upper(char *s)
{
    for (; *s != '\0'; s++)
        *s = (char)toupper((unsigned char)*s);
}

/* ---- buffers ---- */

static void reserve(struct hb_buf *b, size_t more)
{
    size_t need = b->len + more + 1;
    if (need <= b->cap)
        return;
    size_t cap = b->cap * 2 > need ? b->cap * 2 : need + 64;
    b->data = hb_grow(b->data, cap, 1);
    b->cap = cap;
}

void hb_buf_add(struct hb_buf *b, const void *data, size_t n)
{
    reserve(b, n);
    if (n > 0)
        memcpy(b->data + b->len, data, n);
    b->len += n;
    b->data[b->len] = '\0';
}

void hb_buf_puts(struct hb_buf *b, const char *s)
{
    hb_buf_add(b, s, strlen(s));
}

void hb_buf_fmt(struct hb_buf *b, const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    if (n < 0)
        out_of_memory();
    reserve(b, (size_t)n);
    (void)vsnprintf(b->data + b->len, (size_t)n + 1, format, again);
    va_end(again);
    b->len += (size_t)n;
}

void hb_buf_free(struct hb_buf *b)
{
    free(b->data);
    *b = (struct hb_buf){0};
}

/* ---- maps ---- */

static size_t hash(const char *key)
{
    uint64_t v = 1469598103934665603ULL; /* FNV-1a */
    for (; *key != '\0'; key++)
        v = (v ^ (unsigned char)*key) * 1099511628211ULL;
    return (size_t)(v ^ (v >> 32));
}

static size_t find(const struct hb_map *m, const char *key)
{
    size_t i = hash(key) & (m->cap - 1);
    while (m->slots[i].key != NULL && strcmp(m->slots[i].key, key) != 0)
        i = (i + 1) & (m->cap - 1);
    return i;
}

void *hb_map_get(const struct hb_map *m, const char *key)
{
    return m->n == 0 ? NULL : m->slots[find(m, key)].value;
}

static void map_resize(struct hb_map *m, size_t cap)
{
    struct hb_map bigger = {.slots = hb_alloc(cap * sizeof *m->slots), .cap = cap, .n = m->n};
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].key != NULL)
            bigger.slots[find(&bigger, m->slots[i].key)] = m->slots[i];
    free(m->slots);
    *m = bigger;
}

void hb_map_put(struct hb_map *m, const char *key, void *value)
{
    if ((m->n + 1) * 2 > m->cap)
        map_resize(m, m->cap ? m->cap * 2 : 16);
    struct hb_slot *s = &m->slots[find(m, key)];
    if (s->key == NULL) {
        s->key = hb_strdup(key);
        m->n++;
    }
    s->value = value;
}

void hb_map_del(struct hb_map *m, const char *key)
{
    if (m->n == 0)
        return;
    size_t i = find(m, key);
    if (m->slots[i].key == NULL)
        return;
    free(m->slots[i].key);
    m->slots[i] = (struct hb_slot){0};
    m->n--;
    map_resize(m, m->cap); /* closes the gap in the probe chains; deletions are rare here */
}

void hb_map_free(struct hb_map *m)
{
    for (size_t i = 0; i < m->cap; i++)
        free(m->slots[i].key);
    free(m->slots);
    *m = (struct hb_map){0};
}

bool hb_fold(const char *name, char *out, size_t cap)
{
    size_t n = strlen(name);
    if (n + 1 > cap)
        return false;
    for (size_t i = 0; i <= n; i++)
        out[i] = (char)tolower((unsigned char)name[i]);
    return true;
}

/* ---- forms ---- */

static struct tm utc(int64_t ms)
{
    struct tm tm = {0};
    time_t t = (time_t)(ms / 1000);
    (void)gmtime_r(&t, &tm);
    return tm;
}

char *hb_time_z(int64_t ms)
{
    char text[64] = "";
    struct tm tm = utc(ms);
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return hb_strdup(text);
}

/* Workflows answer with a fraction and a non-UTC offset (1.4). */
char *hb_time_offset(int64_t ms)
{
    const int64_t five_hours = 5 * 3600 * 1000LL;
    char text[64] = "";
    struct tm tm = utc(ms - five_hours);
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000-05:00", &tm);
    return hb_strdup(text);
}

char *hb_time_http(int64_t ms)
{
    char text[64] = "";
    struct tm tm = utc(ms);
    (void)strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    return hb_strdup(text);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *hb_decode(const char *s, size_t n)
{
    char *out = hb_alloc(n + 1);
    size_t o = 0;
    for (size_t i = 0; i < n; i++) {
        int high = s[i] == '%' && i + 2 < n ? hex_digit(s[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(s[i + 2]) : -1;
        if (low >= 0) {
            out[o++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[o++] = s[i];
        }
    }
    return out;
}

char *hb_hex(const unsigned char *p, size_t n)
{
    char *out = hb_alloc(n * 2 + 1);
    return sodium_bin2hex(out, n * 2 + 1, p, n);
}

char *hb_base64(const void *p, size_t n)
{
    size_t cap = sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL);
    char *out = hb_alloc(cap);
    return sodium_bin2base64(out, cap, p, n, sodium_base64_VARIANT_ORIGINAL);
}

void *hb_unbase64(const char *s, size_t *out_len)
{
    size_t n = strlen(s);
    unsigned char *out = hb_alloc(n + 1);
    const char *end = NULL;
    if (sodium_base642bin(out, n, s, n, NULL, out_len, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
        end != s + n) {
        free(out);
        return NULL;
    }
    out[*out_len] = '\0';
    return out;
}
