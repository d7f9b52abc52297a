#include "columns.h"

#include <stdio.h>
#include <string.h>

/* ---- UTF-8 --------------------------------------------------------------------------------- */

/* Bytes of the code point at s, 0 when it is not valid UTF-8. */
static size_t decode(const char *s, uint32_t *out)
{
    static const uint32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *u = (const unsigned char *)s;
    size_t n = u[0] < 0x80 ? 1 : u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : u[0] >= 0xc0 ? 2 : 0;
    uint32_t c = n == 1 ? u[0] : u[0] & (0x7fu >> n);

    for (size_t i = 1; i < n; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (u[i] & 0x3fu);
    }
    if (n == 0 || c < LEAST[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *out = c;
    return n;
}

/* Such characters make a terminal show something else than what is there. */
static bool is_treacherous(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static void escape(uint32_t c, char out[static 16])
{
    static const struct {
        uint32_t c;
        const char *text;
    } SHORT[] = {{'\n', "\\n"}, {'\t', "\\t"}, {'\r', "\\r"}, {0x1b, "\\e"}};

    for (size_t i = 0; i < ARRAY_LEN(SHORT); i++) {
        if (SHORT[i].c == c) {
            (void)snprintf(out, 16, "%s", SHORT[i].text);
            return;
        }
    }
    (void)snprintf(out, 16, c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
}

/* The text of one code point (or stray byte) at s in out; returns how many bytes it took. */
static size_t clean_one(const char *s, bool quoted, char out[static 16])
{
    uint32_t c = 0;
    size_t n = decode(s, &c);

    if (n == 0) {
        (void)snprintf(out, 16, "\\x%02x", (unsigned)(unsigned char)*s);
        return 1;
    }
    if (is_treacherous(c)) {
        escape(c, out);
    } else if (quoted && (c == '"' || c == '\\')) {
        (void)snprintf(out, 16, "\\%c", (int)c);
    } else {
        memcpy(out, s, n);
        out[n] = '\0';
    }
    return n;
}

char *plan_text_clean(struct arena *a, const char *s, size_t max, bool quoted)
{
    size_t len = strlen(s), k = 0, points = 0;
    size_t most = max > 0 && max < len ? max : len;
    char *out = arena_alloc(a, most * 6 + 8); /* no escape is longer than 6 bytes */

    for (size_t i = 0; i < len; points++) {
        char one[16];
        if (max > 0 && points == max) {
            memcpy(out + k, "…", sizeof("…"));
            return out;
        }
        i += clean_one(s + i, quoted, one);
        size_t n = strlen(one);
        memcpy(out + k, one, n);
        k += n;
    }
    out[k] = '\0';
    return out;
}

size_t plan_text_width(const char *clean)
{
    size_t n = 0;
    for (; *clean != '\0'; clean++)
        n += ((unsigned char)*clean & 0xc0) != 0x80;
    return n;
}

const char *plan_text_cut(struct arena *a, const char *clean, size_t width)
{
    size_t n = 0;
    if (width == 0 || plan_text_width(clean) <= width)
        return clean;
    const char *p = clean;
    for (; *p != '\0'; p++) {
        bool starts = ((unsigned char)*p & 0xc0) != 0x80;
        if (starts && n == width - 1)
            break;
        n += starts;
    }
    return arena_printf(a, "%.*s…", (int)(p - clean), clean);
}

/* ---- Columns ------------------------------------------------------------------------------- */

static const char *paint_start(enum paint p)
{
    switch (p) {
    case PAINT_NONE:
        return "";
    case PAINT_BOLD:
        return "\033[1m";
    case PAINT_DIM:
        return "\033[2m";
    case PAINT_GREEN:
        return "\033[32m";
    case PAINT_YELLOW:
        return "\033[33m";
    case PAINT_RED:
        return "\033[31m";
    case PAINT_CYAN:
        return "\033[36m";
    }
    return "";
}

enum err_code columns_put(struct columns *c, enum paint p, const char *clean)
{
    bool painted = c->color && p != PAINT_NONE && *clean != '\0';
    c->at += plan_text_width(clean);
    return buf_addf(c->out, c->e, "%s%s%s", painted ? paint_start(p) : "", clean,
                    painted ? "\033[0m" : "");
}

enum err_code columns_pad(struct columns *c, size_t to)
{
    size_t least = c->at > 0 ? c->at + 2 : 0;
    size_t goal = to > least ? to : least;
    size_t n = goal - c->at;
    c->at = goal;
    return buf_addf(c->out, c->e, "%*s", (int)n, "");
}

enum err_code columns_end(struct columns *c)
{
    c->at = 0;
    return buf_addstr(c->out, "\n", c->e);
}

enum err_code columns_wrap(struct columns *c, enum paint p, const char *clean, size_t indent)
{
    bool first = true;

    while (*clean != '\0') {
        size_t n = strcspn(clean, " ");
        char word[256];
        if (n >= sizeof(word)) { /* no word of ours: as it is */
            TRY(columns_put(c, p, clean));
            return ERR_OK;
        }
        memcpy(word, clean, n);
        word[n] = '\0';
        bool fits = c->width == 0 || c->at + 1 + plan_text_width(word) <= c->width;
        if (!first && fits)
            TRY(columns_put(c, PAINT_NONE, " "));
        if (!first && !fits) {
            TRY(columns_end(c));
            TRY(columns_pad(c, indent));
        }
        TRY(columns_put(c, p, word));
        first = false;
        clean += n + (clean[n] == ' ');
    }
    return ERR_OK;
}
