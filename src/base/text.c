#include "mirrorctl/base.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    BUF_FIRST = 256,      /* bytes of a buffer's first allocation */
    SUGGEST_WORD = 64,    /* words longer than this are not compared: nobody mistypes them */
    SUGGEST_DISTANCE = 3, /* more edits than this are another word */
};

/* ---- Buffers --------------------------------------------------------------------------------- */

/*
 * Room for n more bytes and the NUL. The old block is wiped before it is freed: what is read from a
 * file or a pipe may be somebody's secret, and base cannot know.
 */
static enum err_code buf_reserve(struct buf *b, size_t n, struct err *e)
{
    if (n > b->max - b->len)
        return err_set(e, ERR_LIMIT, "more than %zu bytes", b->max);

    size_t need = b->len + n + 1;
    if (need <= b->cap)
        return ERR_OK;
    size_t cap = b->cap < BUF_FIRST ? BUF_FIRST : b->cap;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;

    char *data = mem_alloc(cap);
    if (b->data != NULL) {
        memcpy(data, b->data, b->len);
        explicit_bzero(b->data, b->cap);
        free(b->data);
    }
    b->data = data;
    b->cap = cap;
    return ERR_OK;
}

enum err_code buf_add(struct buf *b, const void *bytes, size_t n, struct err *e)
{
    TRY(buf_reserve(b, n, e));
    if (n > 0)
        memcpy(b->data + b->len, bytes, n);
    b->len += n;
    b->data[b->len] = '\0';
    return ERR_OK;
}

enum err_code buf_addstr(struct buf *b, const char *s, struct err *e)
{
    return buf_add(b, s, strlen(s), e);
}

enum err_code buf_addf(struct buf *b, struct err *e, const char *fmt, ...)
{
    va_list args, again;

    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n;
    enum err_code r = buf_reserve(b, len, e);
    if (r == ERR_OK) {
        (void)vsnprintf(b->data + b->len, len + 1, fmt, again);
        b->len += len;
        b->data[b->len] = '\0';
    }
    va_end(again);
    return r;
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->data != NULL)
        b->data[0] = '\0';
}

void buf_release(struct buf *b)
{
    if (b->data != NULL) {
        explicit_bzero(b->data, b->cap);
        free(b->data);
    }
    b->data = NULL;
    b->len = 0;
    b->cap = 0;
}

const char *buf_str(const struct buf *b)
{
    return b->data == NULL ? "" : b->data;
}

/* ---- Strings --------------------------------------------------------------------------------- */

bool str_eq(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return strcmp(a, b) == 0;
}

bool str_starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends_with(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return m <= n && memcmp(s + n - m, suffix, m) == 0;
}

static unsigned char ascii_lower(unsigned char ch)
{
    return ch >= 'A' && ch <= 'Z' ? (unsigned char)(ch - 'A' + 'a') : ch;
}

/* Not strcasecmp(3): that one asks the locale. */
bool str_eq_nocase(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    while (*a != '\0' && ascii_lower((unsigned char)*a) == ascii_lower((unsigned char)*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

bool str_glob(const char *pattern, const char *s)
{
    return fnmatch(pattern, s, 0) == 0;
}

enum err_code str_to_i64(const char *s, int64_t min, int64_t max, int64_t *out_n, struct err *e)
{
    const char *digits = s[0] == '-' ? s + 1 : s;
    if (digits[0] == '\0' || strspn(digits, "0123456789") != strlen(digits))
        return err_set(e, ERR_INVALID, "'%s' is not a whole number", s);

    errno = 0;
    long long n = strtoll(s, NULL, 10);
    if (errno == ERANGE || n < min || n > max)
        return err_set(e, ERR_INVALID, "'%s' is not between %" PRId64 " and %" PRId64, s, min, max);
    *out_n = n;
    return ERR_OK;
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Damerau-Levenshtein (restricted): insert, delete, replace, and swap of neighbours cost 1 each. */
static size_t edit_distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t rows[3][SUGGEST_WORD + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];

    for (size_t j = 0; j <= m; j++) {
        before[j] = 0;
        last[j] = j;
    }
    for (size_t i = 1; i <= n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        size_t *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[m];
}

const char *str_suggest(const char *word, const char *const *words)
{
    const char *best = NULL;
    size_t n = strlen(word), best_distance = SUGGEST_DISTANCE + 1;

    if (n > SUGGEST_WORD)
        return NULL;
    for (; *words != NULL; words++) {
        size_t m = strlen(*words);
        if (m > SUGGEST_WORD)
            continue;
        size_t distance = edit_distance(word, n, *words, m);
        if (distance < best_distance && distance * 2 <= n) {
            best = *words;
            best_distance = distance;
        }
    }
    return best;
}
