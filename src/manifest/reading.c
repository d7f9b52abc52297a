/* Collecting what is wrong, and at the end giving each its line: with everything hidden that must
 * be. */
#include "room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUOTE_MAX = 60,       /* characters of the user's words in a message */
    MESSAGE_MAX = 1024,   /* bytes of a message */
    LINE_BEFORE = 60,     /* characters of a long line before the mistake */
    LINE_MAX_SHOWN = 160, /* characters of a line altogether */
};

void reading_init(struct reading *r, struct arena *a, struct diagnostics *d, const char *file,
                  const char *text, size_t n)
{
    *r = (struct reading){.arena = a, .diags = d, .file = file, .text = text, .n = n};
}

void reading_release(struct reading *r)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (r->compiled[i])
            regfree(&r->patterns[i]);
}

static void add(struct reading *r, enum diag code, struct pos at, int width, const char *hint,
                const char *message)
{
    struct diagnostics *d = r->diags;
    const struct diag_row *row = diag_row(code);

    if (row->level == DIAG_ERROR)
        d->n_errors++;
    if (d->n >= LIMIT_DIAGNOSTICS)
        return;
    d->items = arena_grow(d->arena, d->items, d->n, &d->cap, sizeof(*d->items));
    d->items[d->n++] = (struct diagnostic){
        .level = row->level,
        .code = arena_printf(d->arena, "M%03d", (int)code),
        .file = r->file,
        .pos = at,
        .width = width < 1 ? 1 : width,
        .message = arena_strdup(d->arena, message),
        .hint = arena_strdup(d->arena, hint),
    };
}

void report(struct reading *r, enum diag code, struct pos at, int width, const char *hint,
            const char *fmt, ...)
{
    char message[MESSAGE_MAX];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    add(r, code, at, width, hint, message);
}

void report_at(struct reading *r, enum diag code, const struct node *n, const char *hint,
               const char *fmt, ...)
{
    char message[MESSAGE_MAX];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    add(r, code, n->start, node_width(n), hint, message);
}

void hide(struct reading *r, const struct node *n)
{
    r->masks = arena_grow(r->arena, r->masks, r->n_masks, &r->cap_masks, sizeof(*r->masks));
    r->masks[r->n_masks++] = (struct mask){.from = n->start, .to = n->end};
}

/* ---- Text of the user's --------------------------------------------------------------------- */

/*
 * Whether a terminal would do something else with it than show it: C0, DEL, C1, and the marks that
 * turn the direction of writing (which can make a line read differently from what it says).
 */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* Appends one printable character for what begins at s; returns how many bytes of s that was. */
static size_t show_character(char *out, size_t *n_out, const char *s, size_t n)
{
    uint32_t code = 0;
    size_t len = utf8_decode(s, n, &code);
    if (len == 0 || is_control(code)) {
        out[(*n_out)++] = *s == '\t' ? ' ' : '?';
        return len == 0 ? 1 : len;
    }
    memcpy(out + *n_out, s, len);
    *n_out += len;
    return len;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

const char *quoted(struct reading *r, const char *text)
{
    size_t n = strlen(text);
    size_t end = least(mask_find_token(text, n), mask_find_url_password(text, n));
    char *out = arena_alloc(r->arena, least(end, (size_t)QUOTE_MAX * 4) + 8);
    size_t len = 0, i = 0;

    for (int shown = 0; i < end && shown < QUOTE_MAX; shown++)
        i += show_character(out, &len, text + i, end - i);
    const char *tail = i < end ? "…" : end < n ? "***" : "";
    memcpy(out + len, tail, strlen(tail));
    return out;
}

/* ---- Source lines --------------------------------------------------------------------------- */

static const char **line_starts(const struct reading *r, size_t *out_n)
{
    size_t n = 0, cap = 0;
    const char **starts = NULL;
    const char *end = r->text + r->n;

    for (const char *p = r->text; p != NULL && p <= end;) {
        starts = arena_grow(r->arena, starts, n, &cap, sizeof(*starts));
        starts[n++] = p;
        const char *newline = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
        p = newline == NULL ? NULL : newline + 1;
    }
    *out_n = n;
    return starts;
}

/* The byte at which column c (1-based, in characters) of a line begins. */
static size_t column_offset(const char *line, size_t n, int c)
{
    size_t i = 0;
    uint32_t code;
    for (int column = 1; i < n && column < c; column++) {
        size_t len = utf8_decode(line + i, n - i, &code);
        i += len == 0 ? 1 : len;
    }
    return i;
}

/* How many bytes of a .env line may be shown: a value only when its name is known to be harmless.
 */
static size_t env_visible(const char *line, size_t n)
{
    static const char *const harmless[] = {"_ENABLED",      "_TYPE",      "_ID",         "_REPO",
                                           "_SYNC_SECRETS", "_SYNC_VARS", "_REPOSITORY", "_SOURCE",
                                           "_STATE_FILE",   "_URL",       "_KEY_PATH",   "_SECRETS",
                                           "_VARS"};
    const char *equals = memchr(line, '=', n);
    if (equals == NULL)
        return 0;
    size_t name = (size_t)(equals - line);
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
        size_t len = strlen(harmless[i]);
        if (name >= len && memcmp(equals - len, harmless[i], len) == 0)
            return n;
    }
    return name + 1;
}

/* How many bytes of line number `number` may be shown. */
static size_t visible(const struct reading *r, const char *line, size_t n, int number)
{
    size_t end = r->broken ? mask_guess(line, n)
                           : least(mask_find_token(line, n), mask_find_url_password(line, n));
    if (r->env)
        end = least(end, env_visible(line, n));
    for (size_t i = 0; i < r->n_masks; i++) {
        const struct mask *m = &r->masks[i];
        if (m->from.line == number)
            end = least(end, column_offset(line, n, m->from.column));
        else if (m->from.line < number &&
                 (number < m->to.line || (number == m->to.line && m->to.column > 1)))
            end = 0;
    }
    return end;
}

static void give_line(const struct reading *r, struct diagnostic *d, const char *line, size_t n)
{
    if (n > 0 && line[n - 1] == '\r')
        n--;
    size_t end = visible(r, line, n, d->pos.line);
    int skip = d->pos.column > LINE_MAX_SHOWN - LINE_BEFORE ? d->pos.column - LINE_BEFORE : 0;
    size_t i = column_offset(line, n, skip + 1);
    if (i > end)
        i = end;
    char *out = arena_alloc(r->diags->arena, (size_t)LINE_MAX_SHOWN * 4 + 16);
    size_t len = 0;
    int shown = 0;

    for (; i < end && shown < LINE_MAX_SHOWN; shown++)
        i += show_character(out, &len, line + i, end - i);
    const char *tail = i < end ? "…" : end < n ? "***" : "";
    memcpy(out + len, tail, strlen(tail));
    d->line = out;
    d->line_skip = skip;
}

/* Order of the file; at one place, the order in which they were found. */
static int by_position(const void *a, const void *b)
{
    const struct diagnostic *x = *(const struct diagnostic *const *)a,
                            *y = *(const struct diagnostic *const *)b;
    if (x->pos.line != y->pos.line)
        return x->pos.line < y->pos.line ? -1 : 1;
    if (x->pos.column != y->pos.column)
        return x->pos.column < y->pos.column ? -1 : 1;
    return x < y ? -1 : x > y;
}

void reading_finish(struct reading *r)
{
    struct diagnostics *d = r->diags;
    if (d->n == 0)
        return;

    const struct diagnostic **order = arena_alloc(r->arena, d->n * sizeof(*order));
    for (size_t i = 0; i < d->n; i++)
        order[i] = &d->items[i];
    qsort(order, d->n, sizeof(*order), by_position);
    struct diagnostic *sorted = arena_alloc(d->arena, d->n * sizeof(*sorted));
    for (size_t i = 0; i < d->n; i++)
        sorted[i] = *order[i];
    d->items = sorted;
    d->cap = d->n;

    size_t n_lines;
    const char **starts = line_starts(r, &n_lines);
    for (size_t i = 0; i < d->n; i++) {
        size_t number = (size_t)(d->items[i].pos.line < 1 ? 1 : d->items[i].pos.line);
        if (d->items[i].pos.line < 1 || number > n_lines)
            continue;
        const char *line = starts[number - 1];
        const char *end = number < n_lines ? starts[number] - 1 : r->text + r->n;
        give_line(r, &d->items[i], line, (size_t)(end - line));
    }
}
